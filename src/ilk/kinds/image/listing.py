"""Where pictures lie: the files of a folder, a zip, a glob or a list, in an order that never changes.

This file knows names and places and opens no picture; ``read.py`` turns its entries into Examples,
``stamp.py`` hashes them. Walking is safe: loops of links end, sockets and pipes are passed over, and
nothing is ever unpacked to disk.
"""

from __future__ import annotations

import glob
import io
import os
import re
import stat
import threading
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any, BinaryIO, NamedTuple, cast

from ilk.core.errors import Code, InputError
from ilk.kinds.image.formats import PREFIX_BYTES, SPOKEN, SUFFIXES, is_litter, sniff, suffix

MOST_MEMBER_BYTES = 2**28
"""A file in a zip that unpacks to more (256 MB) is no photo but a bomb."""


class Entry(NamedTuple):
    """A file that should be a picture: its name in the source and how to open it."""

    name: str
    place: Path | Member

    def open(self) -> BinaryIO:
        """Its bytes, seekable."""
        return self.place.open("rb")

    def facts(self) -> tuple[int, int]:
        """Size and a number that changes with the content: mtime in ns, or the CRC in a zip."""
        if isinstance(self.place, Path):
            status = self.place.stat()
            return status.st_size, status.st_mtime_ns
        return self.place.info.file_size, self.place.info.CRC


class Member:
    """A file in a zip, opened like a Path. Reading takes turns, since ``zipfile`` shares one handle."""

    __slots__ = ("_archive", "_lock", "info")

    def __init__(self, archive: zipfile.ZipFile, lock: threading.Lock, info: zipfile.ZipInfo) -> None:
        self._archive, self._lock, self.info = archive, lock, info

    def open(self, mode: str = "rb") -> BinaryIO:  # noqa: ARG002  (as Path.open)
        """All its bytes in memory, which frees the archive for the other threads."""
        if self.info.file_size > MOST_MEMBER_BYTES:
            raise ValueError(f"it is too large, {self.info.file_size:,} bytes unpacked")
        with self._lock:
            return io.BytesIO(self._archive.read(self.info))

    def prefix(self) -> bytes:
        """Its first bytes; empty where they cannot be read."""
        try:
            with self._lock, self._archive.open(self.info) as file:
                return file.read(PREFIX_BYTES)
        except Exception:
            return b""


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """A sort key that puts ``2.png`` before ``10.png``, folder by folder.

    >>> sorted(["b/1", "a10", "a9", "a/2"], key=natural)
    ['a/2', 'a9', 'a10', 'b/1']
    """
    return [_rank(run) for run in re.findall(r"[0-9]+|[^0-9/]+|/", name.casefold())], name


def _rank(run: str) -> tuple[int, int, str]:
    if run == "/":  # before everything, so that a folder's files stay together
        return 0, 0, ""
    return (1, int(run), "") if run[0] in "0123456789" else (2, 0, run)


def list_folder(folder: Path) -> list[Entry]:
    """The pictures in a folder and below, hidden ones and system litter left out.

    Raises:
        InputError: there are none, or a folder cannot be opened.
    """
    others: list[str] = []
    entries = []
    for name, path in _walk(folder):
        if _is_picture(name, lambda path=path: _first_bytes(path)):
            entries.append(Entry(name, path))
        else:
            others.append(name)
    return _some(entries, str(folder), others)


def list_zip(path: Path) -> list[Entry]:
    """The pictures in a zip, by the same rules.

    Raises:
        InputError: it is no zip, or holds no pictures.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, ValueError, RuntimeError) as error:  # the last: of a version too new
        raise InputError(Code.SOURCE_MISSING, f"{path} cannot be opened as a zip: {error}.") from None
    lock = threading.Lock()
    entries, others = [], []
    for info in archive.infolist():
        if info.is_dir() or any(is_litter(part) for part in PurePath(info.filename).parts):
            continue
        member = Member(archive, lock, info)
        if _is_picture(info.filename, member.prefix):
            entries.append(Entry(_shown(info.filename), member))
        else:
            others.append(_shown(info.filename))
    return _some(entries, str(path), others)


def list_glob(pattern: str) -> list[Entry]:
    """The picture files that match a pattern, named from the folder where its wildcards begin.

    Raises:
        InputError: nothing matches, or no picture does.
    """
    root, _ = split_glob(pattern)
    entries, others = [], []
    for path in matches(pattern):
        name = path.relative_to(root).as_posix()
        if _identity(path) is None:  # a folder, a pipe
            continue
        if _is_picture(name, lambda path=path: _first_bytes(path)):
            entries.append(Entry(_shown(name), path))
        else:
            others.append(name)
    if not entries and not others:
        raise InputError(Code.SOURCE_MISSING, f'No file matches "{pattern}".')
    return _some(entries, pattern, others)


def list_paths(paths: Sequence[Any]) -> list[Entry]:
    """The files of a list, in its order; each one is taken for a picture.

    Raises:
        InputError: one of them does not exist or is a folder.
    """
    entries = []
    for item in paths:
        path = Path(item)
        if _identity(path) is None:
            what = "is a folder; give the folder alone, or its files" if path.is_dir() else "does not exist"
            raise InputError(Code.SOURCE_MISSING, f"{path} in the list {what}.")
        entries.append(Entry(_shown(path.as_posix()), path))
    return entries


def matches(pattern: str) -> Iterator[Path]:
    """Paths that match, hidden ones left out; ``**`` is any depth and follows no links, which may loop."""
    root, rest = split_glob(pattern)
    try:
        for path in root.glob(rest):
            if not any(is_litter(part) for part in path.relative_to(root).parts):
                yield path
    except ValueError:  # such as "a**b": nothing matches it
        return


def split_glob(pattern: str) -> tuple[Path, str]:
    """The folder above the first wildcard, and the rest.

    >>> split_glob("a/b/*/c?.png")  # doctest: +ELLIPSIS
    (...Path('a/b'), '*/c?.png')
    """
    parts = PurePath(pattern).parts
    fixed = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    rest = [*parts[fixed:], "*"] if parts[-1] == "**" else parts[fixed:]
    return Path(*parts[:fixed]), "/".join(rest)


def classes(entries: Sequence[Entry]) -> list[str | None]:
    """The class of each entry: the first folder in its name.

    Folders that all entries share (``train/`` around everything) are no classes, and neither is
    anything where a picture lies beside the folders: there the folders are just order.
    """
    folders = [PurePath(entry.name).parts[:-1] for entry in entries]
    while folders and folders[0] and all(parts[:1] == folders[0][:1] for parts in folders):
        folders = [parts[1:] for parts in folders]
    if all(folders):
        return [parts[0] for parts in folders]
    return [None] * len(folders)


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names (posix, from ``folder``) and paths of all regular files, links followed, each folder once."""
    seen: set[tuple[int, int]] = set()
    waiting = [("", folder)]
    while waiting:
        prefix, here = waiting.pop()
        try:
            status = here.stat()
            key = (status.st_dev, status.st_ino)
            if key in seen:
                continue
            seen.add(key)
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


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of a regular file, or None."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def _is_picture(name: str, prefix: Any) -> bool:
    """By suffix; a file without one is judged by its first bytes (not BMP: two letters prove nothing)."""
    tail = suffix(name)
    if tail in SUFFIXES:
        return True
    return tail == "" and sniff(prefix()) not in (None, "BMP")


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(PREFIX_BYTES)
    except OSError:
        return b""


def _shown(name: str) -> str:
    """A file name that any encoder takes: bytes that are no UTF-8 become a replacement sign."""
    return os.fsencode(name).decode("utf-8", "replace") if not name.isascii() else name


def _some(entries: list[Entry], source: str, others: Iterable[str]) -> list[Entry]:
    """The entries in natural order, or a sentence about what was found in their place."""
    if entries:
        return sorted(entries, key=lambda entry: natural(entry.name))
    names = list(others)
    if not names:
        raise InputError(Code.SOURCE_MISSING, f"{source} is empty; put pictures ({SPOKEN}) into it.")
    files = f"{len(names):,} other files" if len(names) > 1 else "one other file"
    raise InputError(
        Code.SOURCE_UNKNOWN, f"{source} holds no pictures but {files}, such as {names[0]}; ilk reads {SPOKEN}."
    )


def as_path(source: Any) -> Path | None:
    """The path that a string or path-like names, with ``~`` for the home folder; None for anything else."""
    if isinstance(source, str | os.PathLike):
        text = os.fspath(cast("str | os.PathLike[str]", source))
        if isinstance(text, str) and text and "\x00" not in text and "\n" not in text and len(text) < 4096:
            return Path(text).expanduser()
    return None
