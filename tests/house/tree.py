"""The source as syntax trees, for the rules about the house."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "ilk"
HOLDERS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Module(NamedTuple):
    """A source file, parsed."""

    path: Path
    name: str  # ilk.core.errors
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The first part below ``ilk``: ``core``; empty for ``ilk`` itself."""
        return self.name.partition(".")[2].partition(".")[0]

    @property
    def shown(self) -> str:
        """As a person names it."""
        return str(self.path.relative_to(ROOT))


@cache
def modules(folder: Path = SOURCE) -> tuple[Module, ...]:
    """All Python files below a folder."""
    return tuple(_parse(path) for path in sorted(folder.rglob("*.py")) if "out" not in path.parts)


def _parse(path: Path) -> Module:
    text = path.read_text()
    parts = path.relative_to(ROOT / "src" if path.is_relative_to(SOURCE) else ROOT).with_suffix("").parts
    return Module(path, ".".join(parts).removesuffix(".__init__"), text, ast.parse(text))


@cache
def project() -> dict[str, Any]:
    """``pyproject.toml``."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def built_in_kinds() -> set[str]:
    """The names of the kinds that ilk comes with."""
    return set(project()["project"]["entry-points"]["ilk.kinds"])


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, absolute module or name) of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, value) of string literals that mean something: no docstrings, no tags of records."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, HOLDERS):
            silent |= {id(each.value) for each in node.body if isinstance(each, ast.Expr)}
        if isinstance(node, ast.ClassDef):  # class Text(Record, tag="text"): a word of JSON, not a kind
            silent |= {id(word.value) for word in node.keywords if word.arg in ("tag", "tag_field")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.lineno, node.value


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of what a function does: signature and docstring are not counted."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
