"""Where pictures lie: the files of a folder, a zip, a glob or a list, in an order that never changes.

This file knows which names are pictures and opens none; ``read.py`` turns its entries into Examples,
``stamp.py`` hashes them. How folders are walked is told in ``ilk.core.files``; nothing is ever unpacked to disk.
"""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, BinaryIO, NamedTuple

from ilk.core import files
from ilk.core.errors import Code, InputError
from ilk.kinds.image.formats import PREFIX_BYTES, SPOKEN, SUFFIXES, sniff

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
            return files.facts(self.place)
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


def list_folder(folder: Path) -> list[Entry]:
    """The pictures in a folder and below, hidden ones and system litter left out.

    Raises:
        InputError: there are none, or a folder cannot be opened.
    """
    others: list[str] = []
    entries = []
    for name, path in files.walk(folder):
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
        if info.is_dir() or any(files.is_litter(part) for part in PurePath(info.filename).parts):
            continue
        member = Member(archive, lock, info)
        if _is_picture(info.filename, member.prefix):
            entries.append(Entry(files.shown(info.filename), member))
        else:
            others.append(files.shown(info.filename))
    return _some(entries, str(path), others)


def list_glob(pattern: str) -> list[Entry]:
    """The picture files that match a pattern, named from the folder where its wildcards begin.

    Raises:
        InputError: nothing matches, or no picture does.
    """
    root, _ = files.split_glob(pattern)
    entries, others = [], []
    for path in files.matches(pattern):
        name = path.relative_to(root).as_posix()
        if not files.is_regular(path):  # a folder, a pipe
            continue
        if _is_picture(name, lambda path=path: _first_bytes(path)):
            entries.append(Entry(files.shown(name), path))
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
    return [Entry(name, path) for name, path in files.listed(paths)]


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


def _is_picture(name: str, prefix: Any) -> bool:
    """By suffix; a file without one is judged by its first bytes (not BMP: two letters prove nothing)."""
    tail = files.suffix(name)
    if tail in SUFFIXES:
        return True
    return tail == "" and sniff(prefix()) not in (None, "BMP")


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(PREFIX_BYTES)
    except OSError:
        return b""


def _some(entries: list[Entry], source: str, others: Sequence[str]) -> list[Entry]:
    """The entries in natural order, or a sentence about what was found in their place."""
    return files.in_order(entries, others, source, what="pictures", spoken=SPOKEN)
