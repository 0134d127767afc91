"""Where text lies: the files of a folder, a glob or a list, in an order that never changes.

This file knows which names are text and reads none; ``read.py`` turns its entries into Examples, ``stamp.py`` hashes
them. How folders are walked is told in ``ilk.core.files``.
"""

from __future__ import annotations

import glob
import gzip
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from ilk.core import files
from ilk.core.errors import Code, InputError
from ilk.kinds.text.formats import RECORDS, SPOKEN, SUFFIXES, TABLES, suffix

MOST_NAME = 255
"""No file has a longer name."""
LIKELY_TEXT = 200
"""A string of one line that is shorter is taken for a path: it is too little to learn from."""


class Entry(NamedTuple):
    """A file that should hold text: its name in the source and where it is."""

    name: str
    path: Path

    def open(self) -> BinaryIO:
        """Its bytes, unpacked."""
        if self.path.suffix.lower() == ".gz":
            return cast("BinaryIO", gzip.open(self.path, "rb"))
        return self.path.open("rb")


def as_path(source: Any) -> Path | None:
    """The path that a string or path-like names; None for text and anything else."""
    return None if isinstance(source, str) and is_text(source) else files.as_path(source)


def is_text(source: str) -> bool:
    r"""Whether a string is a text and no path: it has line breaks, or is long and not put together as a path is.

    >>> [is_text(name) for name in ("photos", "my book.txt", "/no/such file", "One line.\nAnother one.")]
    [False, False, False, True]
    """
    if "\n" in source or "\r" in source:
        return True
    if len(source) < LIKELY_TEXT:
        return False
    parts = re.split(r"[/\\]", source)
    return len(max(parts, key=len)) > MOST_NAME or (len(parts) == 1 and suffix(source) not in SUFFIXES)


def list_path(path: Path, *, tables: bool) -> list[Entry]:
    """The files that a path means: in a folder, matching a pattern, or the file itself, whatever its suffix.

    Args:
        path: what the user named.
        tables: whether a folder's CSVs are text.

    Raises:
        InputError: there is nothing, or nothing that is text.
    """
    if path.is_dir():
        return _some(files.walk(path), str(path), tables=tables)
    if path.is_file():
        return [Entry(files.shown(path.name), path)]
    if glob.has_magic(str(path)):
        found = [(files.shown(m.as_posix()), m) for m in files.matches(str(path)) if files.is_regular(m)]
        if not found:
            raise InputError(Code.SOURCE_MISSING, f'No file matches "{path}".')
        return _some(found, str(path), tables=tables)
    if path.exists():
        raise InputError(Code.SOURCE_UNKNOWN, f"{path} is neither a file nor a folder.")
    raise InputError(Code.SOURCE_MISSING, f'There is no file or folder "{path}".')


def list_paths(paths: Sequence[Any]) -> list[Entry]:
    """The files of a list, in its order; each one is taken for text.

    Raises:
        InputError: one of them does not exist or is a folder.
    """
    return [Entry(name, path) for name, path in files.listed(paths)]


def _some(found: Iterable[tuple[str, Path]], source: str, *, tables: bool) -> list[Entry]:
    """Those that are text in natural order, or a sentence about what was found in their place."""
    taken = (*SUFFIXES, *RECORDS, *(TABLES if tables else ()))
    own: list[Entry] = []
    others: list[str] = []
    for name, path in found:
        if suffix(name) in taken:
            own.append(Entry(name, path))
        else:
            others.append(name)
    hint = "; name the column of a CSV with --field" if any(suffix(name) in TABLES for name in others) else ""
    return files.in_order(own, others, source, what="texts", spoken=SPOKEN, hint=hint)
