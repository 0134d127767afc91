"""A feature without a page is not finished: names, verbs, errors and dependencies have theirs."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tree import ROOT, modules, project

import ilk
from ilk.cli import VERBS, main
from ilk.core.errors import Code

DOCS = ROOT / "docs"
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)$", re.M)


def test_the_generated_pages_are_current() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "make_reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [name for name in ilk.__all__ if name != "__version__"])
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(ilk, name)
    assert (found.__doc__ or "").strip()
    assert f"`ilk.{name}" in (DOCS / "reference" / "python.md").read_text()


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        ilk.nothing_of_this_name  # noqa: B018


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_module_and_help_with_an_example(verb: str) -> None:
    assert find_spec(f"ilk.cli.{verb}")
    out = io.StringIO()
    with redirect_stdout(out):
        code = main([verb, "--help"])
    assert code == 0
    assert re.search(rf"Example:\s+ilk {verb}\b", out.getvalue())


@pytest.mark.parametrize("code", list(Code), ids=lambda code: code.value)
def test_every_code_is_raised_somewhere_and_documented(code: Code) -> None:
    raised = [m for m in modules() if m.name != "ilk.core.errors" and re.search(rf"\bCode\.{code.name}\b", m.text)]
    assert raised, f"{code.name} is never raised: use it or remove it"
    assert f"`{code.value}`" in (DOCS / "reference" / "errors.md").read_text()


def test_no_two_codes_share_a_number() -> None:
    assert len({code.value for code in Code}) == len(Code.__members__)


def _dependencies() -> list[Requirement]:
    extras = project()["project"].get("optional-dependencies", {}).values()
    named = [*project()["project"]["dependencies"], *(one for extra in extras for one in extra)]
    named += [*project()["dependency-groups"]["dev"], *project()["build-system"]["requires"]]
    return [one for one in map(Requirement, named) if one.name != "ilk"]


def _pins() -> dict[str, str]:
    return {canonicalize_name(name): version for name, version in PIN.findall((ROOT / "requirements.lock").read_text())}


@pytest.mark.parametrize("wanted", _dependencies(), ids=str)
def test_every_dependency_is_pinned_and_has_its_line(wanted: Requirement) -> None:
    pinned = _pins().get(canonicalize_name(wanted.name))
    assert pinned, f"{wanted.name} has no pin in requirements.lock"
    assert wanted.specifier.contains(pinned), f"the lock has {wanted.name} {pinned}, pyproject wants {wanted.specifier}"
    lines = [
        line for line in (DOCS / "dependencies.md").read_text().splitlines() if line.startswith(f"| {wanted.name} |")
    ]
    assert len(lines) == 1, f"{wanted.name} has {len(lines)} lines in docs/dependencies.md"


def test_the_lock_is_closed_and_torch_comes_first() -> None:
    text = (ROOT / "requirements.lock").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(PIN.match(line) for line in lines)
    assert lines[0].startswith("torch==")
    assert len(_pins()) == len(lines)


def test_every_page_is_reached_from_the_index() -> None:
    index = (DOCS / "index.md").read_text()
    pages = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md") if page.name != "index.md"]
    assert not [page for page in pages if f"({page})" not in index]


def _pages() -> list[Path]:
    return [*sorted(DOCS.rglob("*.md")), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]


@pytest.mark.parametrize("page", _pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]
