"""Which room may know what. The order of the rooms themselves is held by import-linter (`make check`)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from tree import ROOT, SOURCE, body_lines, built_in_kinds, functions, imports, modules, strings

MAY_NAME_A_KIND = ("kinds", "tasks")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "base", "lib"}
MOST_LINES, MOST_BODY = 400, 60


@pytest.mark.parametrize("kind", sorted(built_in_kinds()))
def test_no_module_outside_of_kinds_and_tasks_names_a_kind(kind: str) -> None:
    found = []
    for module in modules():
        if module.room in MAY_NAME_A_KIND:
            continue
        found += [f"{module.shown}:{line} imports {name}" for line, name in imports(module.tree) if _is_in(name, kind)]
        found += [f"{module.shown}:{line} says {kind!r}" for line, value in strings(module.tree) if value == kind]
    assert not found


def _is_in(name: str, kind: str) -> bool:
    return f"{name}.".startswith(f"ilk.kinds.{kind}.")


def test_the_rule_about_kinds_sees_what_it_should() -> None:
    tree = ast.parse('"""image"""\nfrom ilk.kinds import image\nmedia = "image/png"\nif kind == "image": pass\n')
    assert [line for line, name in imports(tree) if _is_in(name, "image")] == [2]
    assert [line for line, value in strings(tree) if value == "image"] == [4]


def test_nothing_prints_but_the_command_line() -> None:
    found = []
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                found.append(f"{module.shown}:{node.lineno} print")
            stream = isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr")
            if stream and isinstance(node.value, ast.Name) and node.value.id == "sys" and module.room != "cli":
                found.append(f"{module.shown}:{node.lineno} sys.{node.attr}")
    assert not found


def test_nothing_reads_or_writes_pickles() -> None:
    names = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")
    found = [
        f"{module.shown}:{line} imports {name}"
        for module in modules()
        for line, name in imports(module.tree)
        if name.split(".")[0] in names
    ]
    found += [f"{module.shown}:{line} {what}" for module in modules() for line, what in _picklers(module.tree)]
    assert not found


def _picklers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """numpy.load(..., allow_pickle=True), torch.load, torch.save."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            yield node.value.lineno, "allows pickles"
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("torch.load", "torch.save"):
            yield node.lineno, f"{ast.unparse(node)} pickles"


def test_no_module_is_a_drawer() -> None:
    allowed = {SOURCE / "engines" / "common"}
    found = [
        module.shown
        for module in modules()
        for part in (module.path, *module.path.parents)
        if part.is_relative_to(SOURCE) and part.stem in FORBIDDEN_NAMES and part not in allowed
    ]
    assert not found


@pytest.mark.parametrize("folder", ["src/ilk", "bench"])
def test_files_and_functions_hold_one_idea(folder: str) -> None:
    found = []
    for module in modules(ROOT / folder):
        if (lines := module.text.count("\n")) > MOST_LINES:
            found.append(f"{module.shown} has {lines} lines; look for the seam")
        for function in functions(module.tree):
            if (lines := body_lines(function)) > MOST_BODY:
                found.append(f"{module.shown}:{function.lineno} {function.name} does {lines} lines")
    assert not found


def test_every_file_begins_with_what_lives_there() -> None:
    found = [module.shown for module in modules() if not ast.get_docstring(module.tree)]
    assert not found
