"""``scripts/add_kind.py`` makes a kind that passes every check before it is edited, and breaks nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    "__init__",
    "recognise",
    "read",
    "stamp",
    "choose",
    "codec",
    "write",
    "draw",
    "check",
    "features",
    "encoder",
    "measures",
    "options",
]
SCRIPT = ROOT / "scripts" / "add_kind.py"


def run(*words, cwd=ROOT, **env):
    command = [sys.executable, *map(str, words)]
    there = {**os.environ, "OMP_NUM_THREADS": "1", **env}
    return subprocess.run(command, cwd=cwd, env=there, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of what a checkout has, with a new kind ``poem`` in it."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "src" / "ilk", folder / "src" / "ilk", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "docs/index.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    done = run(SCRIPT, "poem", "--into", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_new_kind_has_the_files_of_every_kind_and_its_entry_point(copy):
    made = {path.name for path in (copy / "src" / "ilk" / "kinds" / "poem").glob("*.py")}
    assert made == {f"{name}.py" for name in FILES}
    project = tomllib.loads((copy / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["ilk.kinds"]["poem"] == "ilk.kinds.poem:kind"
    assert "specimen" not in "".join(path.read_text() for path in copy.rglob("*.py") if "poem" in path.parts)
    assert "(guides/poem.md)" in (copy / "docs" / "index.md").read_text()


def test_the_new_kind_passes_its_own_test_unedited(copy):
    entry = copy / "src" / "poem-1.dist-info"  # what make install would write
    entry.mkdir(exist_ok=True)
    (entry / "METADATA").write_text("Metadata-Version: 2.1\nName: poem\nVersion: 1\n")
    (entry / "entry_points.txt").write_text("[ilk.kinds]\npoem = ilk.kinds.poem:kind\n")
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/kinds/poem"]
    paths = os.pathsep.join([str(copy / "src"), *(path for path in sys.path if path)])
    done = run(*words, cwd=copy, PYTHONPATH=paths)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "2 passed" in done.stdout


@pytest.mark.parametrize("name", ["poem", "haikuandsenryu"])
def test_the_new_kind_is_written_as_the_house_writes(copy, tmp_path, name):
    if name != "poem":
        assert run(SCRIPT, name, "--into", copy).returncode == 0
    kind = copy / "src" / "ilk" / "kinds" / name
    assert not (done := run("-m", "ruff", "check", kind, cwd=copy)).returncode, done.stdout
    assert not (done := run("-m", "ruff", "format", "--check", kind, cwd=copy)).returncode, done.stdout
    done = run("-m", "mypy", "--cache-dir", tmp_path, "-p", f"ilk.kinds.{name}", cwd=copy, MYPYPATH=str(copy / "src"))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["image", "poem", "Poem", "class", "two words", "../up", ""])
def test_a_name_that_cannot_be_used_is_refused(copy, name):
    before = sorted(copy.rglob("*"))
    done = run(SCRIPT, name, "--into", copy)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert sorted(copy.rglob("*")) == before
