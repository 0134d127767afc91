"""Where a source's files lie: folders walked, patterns matched, names shown and put in order; alike for every kind.

Knows names and places, no kind, and opens no file. Walking is safe: loops of links end, sockets and pipes are passed
over. A kind says which names are its own.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePath
from typing import Any, Protocol, TypeVar, cast

from ilk.core.errors import Code, InputError

MOST_LOOKS = 1_000  # names that recognition looks at
LOOK_DEPTH = 3  # folders below each other that it looks into
LONGEST = 4096  # characters of a path
_LITTER = {"thumbs.db", "desktop.ini", "__macosx"}


class Named(Protocol):
    """What has a name in its source."""

    @property
    def name(self) -> str: ...


E = TypeVar("E", bound=Named)


def as_path(source: Any) -> Path | None:
    """The path that a string or path-like names, with ``~`` for the home folder; None for anything else."""
    if isinstance(source, str | os.PathLike):
        text = os.fspath(cast("str | os.PathLike[str]", source))
        if isinstance(text, str) and text and "\0" not in text and "\n" not in text and len(text) < LONGEST:
            return Path(text).expanduser()
    return None


def suffix(name: str) -> str:
    """The suffix in lower case: ``.jpg`` of ``a/B.JPG``; empty where there is none.

    >>> [suffix(name) for name in ("a/B.TXT", "b.txt.gz", ".hidden", "no")]
    ['.txt', '.gz', '', '']
    """
    stem, dot, tail = name.rpartition("/")[2].rpartition(".")
    return f".{tail.lower()}" if dot and stem else ""


def is_litter(part: str) -> bool:
    """Whether a file or folder of this name was put there by a system and not by the user.

    >>> [is_litter(name) for name in (".DS_Store", "._cat.jpg", "__MACOSX", "Thumbs.db", "cat.jpg")]
    [True, True, True, True, False]
    """
    return part.startswith(".") or part.lower() in _LITTER


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """A sort key that puts ``2.png`` before ``10.png``, folder by folder.

    >>> sorted(["b/1", "a10", "a9", "a/2"], key=natural)
    ['a/2', 'a9', 'a10', 'b/1']
    """
    return [_rank(run) for run in re.findall(r"[0-9]+|[^0-9/]+|/", name.casefold())], name


def _rank(run: str) -> tuple[int, int, str]:
    if run == "/":  # before everything, so that a folder's files stay together
        return 0, 0, ""
    return (1, int(run), "") if run[0] in "0123456789" and len(run) < 1000 else (2, 0, run)


def shown(name: str) -> str:
    """A file name that any encoding takes: bytes that are no UTF-8 become a replacement sign."""
    return os.fsencode(name).decode("utf-8", "replace") if not name.isascii() else name


def is_regular(path: Path) -> bool:
    """Whether a path is a file, links followed: no folder, pipe or broken link."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def facts(path: Path) -> tuple[int, int]:
    """Size and time of the last change in ns: what a cheap hash of a file rests on; -1 for a broken link."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names (posix, from ``folder``) and paths of all regular files, links followed, each folder once.

    Raises:
        InputError: a folder cannot be opened.
    """
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
            name = prefix + shown(item.name)
            if _holds(item.is_dir):
                below.append((f"{name}/", here / item.name))
            elif _holds(item.is_file) or item.is_symlink():  # a broken link is a problem to report, a pipe is not
                yield name, here / item.name
        waiting.extend(reversed(below))


def _holds(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except OSError:  # a link to itself
        return False


def split_glob(pattern: str) -> tuple[Path, str]:
    """The folder above the first wildcard, and the rest.

    >>> split_glob("a/b/*/c?.png")  # doctest: +ELLIPSIS
    (...Path('a/b'), '*/c?.png')
    """
    parts = PurePath(pattern).parts
    fixed = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    rest = [*parts[fixed:], "*"] if parts[-1] == "**" else parts[fixed:]
    return Path(*parts[:fixed]), "/".join(rest)


def matches(pattern: str) -> Iterator[Path]:
    """Paths that match, hidden ones left out; ``**`` is any depth and follows no links, which may loop."""
    root, rest = split_glob(pattern)
    try:
        for path in root.glob(rest):
            if not any(is_litter(part) for part in path.relative_to(root).parts):
                yield path
    except ValueError:  # such as "a**b": nothing matches it
        return


def listed(paths: Sequence[Any]) -> Iterator[tuple[str, Path]]:
    """Names and paths of a list of files, in its order.

    Raises:
        InputError: one of them does not exist or is a folder.
    """
    for item in paths:
        path = Path(item).expanduser()
        if not is_regular(path):
            what = "is a folder; give the folder alone, or its files" if path.is_dir() else "does not exist"
            raise InputError(Code.SOURCE_MISSING, f"{path} in the list {what}.")
        yield shown(path.as_posix()), path


def in_order(
    own: Sequence[E], others: Sequence[str], source: str, *, what: str, spoken: str, hint: str = ""
) -> list[E]:
    """A source's own entries in natural order.

    Args:
        own: what is of the kind.
        others: names of what is not.
        source: what the user named.
        what: what the kind calls its files: pictures.
        spoken: the formats that it reads, in words.
        hint: something to add to the sentence about the others.

    Raises:
        InputError: there are none; the sentence says what was found in their place.
    """
    if own:
        return sorted(own, key=lambda entry: natural(entry.name))
    if not others:
        raise InputError(Code.SOURCE_MISSING, f"{source} is empty; put {what} ({spoken}) into it.")
    files = f"{len(others):,} other files" if len(others) > 1 else "one other file"
    sentence = f"{source} holds no {what} but {files}, such as {others[0]}; ilk reads {spoken}{hint}."
    raise InputError(Code.SOURCE_UNKNOWN, sentence)


def glance(folder: Path, depth: int = LOOK_DEPTH) -> Iterator[str]:
    """File names in a folder and a few levels below, files before folders, links to folders not followed.

    For recognition: the first of them are enough, and an unreadable folder is its caller's ``OSError``.
    """
    below = []
    with os.scandir(folder) as found:
        for item in islice(found, MOST_LOOKS):
            if is_litter(item.name):
                continue
            if item.is_dir(follow_symlinks=False):
                below.append(Path(item.path))
            else:
                yield item.name
    if depth > 1:
        for place in sorted(below):
            yield from glance(place, depth - 1)


def share(names: Iterable[str], is_own: Callable[[str], bool]) -> float:
    """The share of the first names that are a kind's own; 0 of none."""
    seen = [is_own(name) for name in islice(names, MOST_LOOKS)]
    return sum(seen) / len(seen) if seen else 0.0
