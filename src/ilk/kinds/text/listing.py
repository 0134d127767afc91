"""Where text lies: the files of a folder, a glob or a list, in an order that never changes.

This file knows names and places and reads no text; ``read.py`` turns its entries into Examples, ``stamp.py`` hashes
them. Walking is safe: loops of links end, sockets and pipes are passed over.
"""

from __future__ import annotations

import glob
import gzip
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any, BinaryIO, NamedTuple, cast

from ilk.core.errors import Code, InputError
from ilk.kinds.text.formats import RECORDS, SPOKEN, SUFFIXES, TABLES, is_litter, suffix

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
    """The path that a string or path-like names, with ``~`` for the home folder; None for text and anything else."""
    if isinstance(source, os.PathLike):
        name = os.fspath(source)
        return Path(name).expanduser() if isinstance(name, str) and "\0" not in name else None
    if isinstance(source, str) and source and "\0" not in source and not is_text(source):
        return Path(source).expanduser()
    return None


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


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """A sort key that puts ``2.txt`` before ``10.txt``, folder by folder.

    >>> sorted(["b/1", "a10", "a9", "a/2"], key=natural)
    ['a/2', 'a9', 'a10', 'b/1']
    """
    return [_rank(run) for run in re.findall(r"[0-9]+|[^0-9/]+|/", name.casefold())], name


def _rank(run: str) -> tuple[int, int, str]:
    if run == "/":  # before everything, so that a folder's files stay together
        return 0, 0, ""
    return (1, int(run), "") if run[0] in "0123456789" and len(run) < 1000 else (2, 0, run)


def list_path(path: Path, *, tables: bool) -> list[Entry]:
    """The files that a path means: in a folder, matching a pattern, or the file itself, whatever its suffix.

    Args:
        path: what the user named.
        tables: whether a folder's CSVs are text.

    Raises:
        InputError: there is nothing, or nothing that is text.
    """
    if path.is_dir():
        return _some(_walk(path), str(path), tables=tables)
    if path.is_file():
        return [Entry(_shown(path.name), path)]
    if glob.has_magic(str(path)):
        found = [(_shown(match.as_posix()), match) for match in matches(str(path)) if _is_regular(match)]
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
    entries = []
    for item in paths:
        path = Path(item).expanduser()
        if not _is_regular(path):
            what = "is a folder; give the folder alone, or its files" if path.is_dir() else "does not exist"
            raise InputError(Code.SOURCE_MISSING, f"{path} in the list {what}.")
        entries.append(Entry(_shown(path.as_posix()), path))
    return entries


def matches(pattern: str) -> Iterator[Path]:
    """Paths that match, hidden ones left out; ``**`` is any depth and follows no links, which may loop."""
    parts = PurePath(pattern).parts
    fixed = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    rest = [*parts[fixed:], "*"] if parts[-1] == "**" else parts[fixed:]
    root = Path(*parts[:fixed])
    try:
        for path in root.glob("/".join(rest)):
            if not any(is_litter(part) for part in path.relative_to(root).parts):
                yield path
    except ValueError:  # such as "a**b": nothing matches it
        return


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names (posix, from ``folder``) and paths of all regular files, links followed, each folder once."""
    seen: set[tuple[int, int]] = set()
    waiting = [("", folder)]
    while waiting:
        prefix, here = waiting.pop()
        try:
            status = here.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(here) as found:
                items = sorted(found, key=lambda item: item.name)
        except OSError as error:
            raise InputError(Code.SOURCE_MISSING, f"{here} cannot be opened ({error.strerror}).") from None
        below = []
        for item in items:
            if is_litter(item.name):
                continue
            name = prefix + _shown(item.name)
            if _holds(item.is_dir):
                below.append((f"{name}/", here / item.name))
            elif _holds(item.is_file) or item.is_symlink():  # a broken link is a problem to report, a pipe is not
                yield name, here / item.name
        waiting.extend(reversed(below))


def _holds(question: Any) -> bool:
    try:
        return bool(question())
    except OSError:  # a link to itself
        return False


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _shown(name: str) -> str:
    """A file name that any encoding takes: bytes that are no UTF-8 become a replacement sign."""
    return os.fsencode(name).decode("utf-8", "replace") if not name.isascii() else name


def _some(found: Iterable[tuple[str, Path]], source: str, *, tables: bool) -> list[Entry]:
    """Those that are text in natural order, or a sentence about what was found in their place."""
    taken = (*SUFFIXES, *RECORDS, *(TABLES if tables else ()))
    entries: list[Any] = []
    others: list[Any] = []
    for name, path in found:
        (entries if suffix(name) in taken else others).append(Entry(name, path))
    if entries:
        return sorted(entries, key=lambda entry: natural(entry.name))
    if not others:
        raise InputError(Code.SOURCE_MISSING, f"{source} is empty; put texts ({SPOKEN}) into it.")
    files = f"{len(others):,} other files" if len(others) > 1 else "one other file"
    hint = "; name the column of a CSV with --field" if any(suffix(e.name) in TABLES for e in others) else ""
    raise InputError(
        Code.SOURCE_UNKNOWN, f"{source} holds no texts but {files}, such as {others[0].name}; ilk reads {SPOKEN}{hint}."
    )
