"""Make a new kind that works: its folder, entry point, test and page, to be edited into the real one.

    python scripts/add_kind.py NAME                # in this checkout
    python scripts/add_kind.py NAME --into FOLDER  # in another copy of it

The folder holds the same files as every kind (``scripts/kind_template/``): lines of 64 numbers in
``.NAME`` files, learnt on a Grid. It passes ``ilk.testing.check_kind`` before it is edited.
"""

from __future__ import annotations

import argparse
import keyword
import re
import sys
import tomllib
from pathlib import Path

from ilk.testing import generator_checks, kind_checks

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = Path(__file__).resolve().parent / "kind_template"
GROUP = '[project.entry-points."ilk.kinds"]\n'
INDEX_AFTER = "(guides/kind-authors.md)"
WORD = "specimen"


def add_kind(name: str, root: Path) -> list[Path]:
    """Write the files of a new kind below ``root``; the paths of all that were written or changed.

    Raises:
        ValueError: the name is no lower-case word, or is taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*", name) or keyword.iskeyword(name):
        raise ValueError(f'"{name}" is no name for a kind: take a lower-case word.')
    project = root / "pyproject.toml"
    taken = tomllib.loads(project.read_text())["project"]["entry-points"]["ilk.kinds"]
    house = root / "src" / "ilk" / "kinds" / name
    if name in taken or house.exists():
        raise ValueError(f'There is a kind "{name}" already.')
    texts = {house / path.name.removesuffix(".txt"): path.read_text() for path in TEMPLATE.glob("*.py.txt")}
    test = texts.pop(house / "test.py")
    texts[root / "tests" / "kinds" / name / f"test_{name}_contract.py"] = _counted(test)
    texts[root / "docs" / "guides" / f"{name}.md"] = (TEMPLATE / "page.md.txt").read_text()
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(WORD, name).replace(WORD.capitalize(), name.capitalize()))
    project.write_text(_with_entry_point(project.read_text(), name))
    index = root / "docs" / "index.md"
    index.write_text(_with_page(index.read_text(), name))
    return [*texts, project, index]


def _counted(test: str) -> str:
    """The test, with the number of checks that there are now."""
    kinds = len(list(kind_checks(_Nothing(), None)))  # type: ignore[arg-type]
    generators = len(list(generator_checks(None, None)))
    return test.replace("KIND_CHECKS", str(kinds)).replace("GENERATOR_CHECKS", str(generators))


class _Nothing:
    """Stands for a kind where checks are only counted."""

    Options = staticmethod(lambda: None)


def _with_entry_point(text: str, name: str) -> str:
    head, group, tail = text.partition(GROUP)
    return f'{head}{group}{name} = "ilk.kinds.{name}:kind"\n{tail}'


def _with_page(text: str, name: str) -> str:
    lines = text.splitlines(keepends=True)
    place = next((n for n, line in enumerate(lines, 1) if INDEX_AFTER in line), len(lines))
    return "".join([*lines[:place], f"- [The kind {name}](guides/{name}.md)\n", *lines[place:]])


def main() -> int:
    """Read the command line; 2 if the name cannot be used."""
    parser = argparse.ArgumentParser(description="Make a new kind that works, to be edited into the real one.")
    parser.add_argument("name", help="a lower-case word, such as poem")
    parser.add_argument("--into", type=Path, default=ROOT, metavar="FOLDER", help="another copy of the checkout")
    asked = parser.parse_args()
    try:
        written = add_kind(asked.name, asked.into)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for path in written:
        print(path.relative_to(asked.into))
    print(f"Now: make install && .venv/bin/pytest tests/kinds/{asked.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
