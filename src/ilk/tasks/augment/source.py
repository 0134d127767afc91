"""The same for files: what ``ilk augment`` reads, and what it writes.

A kind's examples come by its own ``read``, so every format that it reads is read here. What is written depends on what
they are: rows go into one file with the rows that they join (``table_file.py``), pictures into a folder of their own
(``picture_files.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ilk.core import events
from ilk.core.config import convert
from ilk.core.errors import Code, InputError
from ilk.core.protocol import Example, Kind, Problem
from ilk.tasks.augment.answer import Answer, Wish, answer
from ilk.tasks.augment.choose import kind_of
from ilk.tasks.augment.files import Files, Written, check_readable


def take(source: Any, label: str | None, mark: str | None, kind: str, options: Mapping[str, Any], seed: int) -> Files:
    """The examples of a source, ready to be compared.

    Raises:
        InputError: the source is missing, of a kind that cannot be augmented yet, or its label is none.
    """
    known = kind_of(source, kind, options)
    record = convert(dict(options), known.Options, f"option of {known.name}")
    examples = _read(known, source, record)
    if known.name == "table":
        from ilk.tasks.augment.table_file import TableFile

        return TableFile(examples, source, label, mark, record)
    from ilk.tasks.augment.picture_files import PictureFiles

    return PictureFiles(examples, label, mark, record, seed)


def _read(kind: Kind, source: Any, options: Any) -> list[Example]:
    """All examples.

    Raises:
        InputError: there is none, or too many cannot be read.
    """
    examples: list[Example] = []
    problems: list[Problem] = []
    for item in kind.read(source, options):
        if isinstance(item, Example):
            examples.append(item)
        else:
            problems.append(item)
    check_readable([(each.name, each.reason) for each in problems], len(examples) + len(problems))
    if not examples:
        raise InputError(Code.TOO_FEW, f"{source} holds no example.")
    return examples


def augment_files(
    files: Files, wish: Wish, output: Path | None, on: events.Sink, *, sealed: bool = True
) -> tuple[Answer, Written | None]:
    """Decide, and write where a place is named.

    Returns:
        The answer, and what was written.
    """
    if output is not None:
        files.check(output)
    found = answer(files.material, files.label, wish, on)
    if output is None:
        return found, None
    return found, files.write(output, found.made, found.fingerprint, wish.seed, sealed=sealed)
