"""The bad-input list: sources that every kind must answer with one sentence, before it learns anything.

Each entry makes its source in an empty folder. What a kind reads by name gets the suffix of its own
files, so that the content is what is wrong. Nothing here needs a kind to be installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ilk.core.errors import Code, InputError

_NO_SOURCE = (Code.SOURCE_MISSING, Code.SOURCE_UNKNOWN)
_NOTHING_IN_IT = (*_NO_SOURCE, Code.TOO_FEW, Code.TOO_MANY_UNREADABLE, Code.UNREADABLE)


class BadInput(msgspec.Struct, frozen=True):
    """One wrong source.

    Attributes:
        name: a few words.
        make: ``make(folder, suffix)`` builds it in an empty folder and returns the source.
        codes: the codes that its error may carry.
        error: the class of its error.
        needs: whether this machine can make it.
    """

    name: str
    make: Callable[[Path, str], Any]
    codes: tuple[Code, ...] = _NOTHING_IN_IT
    error: type[InputError] = InputError
    needs: Callable[[], bool] = lambda: True


def _missing(folder: Path, suffix: str) -> Path:
    return folder / f"not there{suffix}"


def _empty_folder(folder: Path, suffix: str) -> Path:  # noqa: ARG001  (every maker is called alike)
    return folder


def _empty_file(folder: Path, suffix: str) -> Path:
    path = folder / f"empty{suffix}"
    path.touch()
    return path


def _noise_file(folder: Path, suffix: str) -> Path:
    path = folder / f"noise{suffix}"
    path.write_bytes(bytes(range(128, 256)) * 20)
    return path


def _noise_folder(folder: Path, suffix: str) -> Path:
    for number in range(12):
        (folder / f"{number}{suffix}").write_bytes(bytes([number]) + bytes(range(128, 256)) * 20)
    return folder


def _foreign_folder(folder: Path, suffix: str) -> Path:  # noqa: ARG001
    for number in range(3):
        (folder / f"{number}.unheard-of").write_bytes(b"\x00\x01 not an example of anything \xff")
    return folder


def _loop(folder: Path, suffix: str) -> Path:  # noqa: ARG001
    (folder / "round").symlink_to(folder, target_is_directory=True)
    (folder / "self").symlink_to(folder / "self")
    return folder


def _closed_folder(folder: Path, suffix: str) -> Path:
    closed = folder / "closed"
    closed.mkdir()
    _noise_file(closed, suffix)
    closed.chmod(0)
    return closed


def _can_close() -> bool:
    return os.name == "posix" and os.geteuid() != 0  # nothing is closed to root


def _can_link() -> bool:
    return os.name == "posix"


BAD_INPUT: tuple[BadInput, ...] = (
    BadInput("a path that is not there", _missing),
    BadInput("an empty folder", _empty_folder),
    BadInput("an empty file", _empty_file),
    BadInput("a file of noise", _noise_file),
    BadInput("a folder of unreadable files", _noise_folder),
    BadInput("a folder of foreign files", _foreign_folder),
    BadInput("a loop of links", _loop, needs=_can_link),
    BadInput("a folder without permission", _closed_folder, needs=_can_close),
    BadInput("None", lambda folder, suffix: None, _NO_SOURCE),  # noqa: ARG005
    BadInput("a number", lambda folder, suffix: 3, _NO_SOURCE),  # noqa: ARG005
    BadInput("an object", lambda folder, suffix: object(), _NO_SOURCE),  # noqa: ARG005
    BadInput("an empty list", lambda folder, suffix: [], _NOTHING_IN_IT),  # noqa: ARG005
    BadInput("a list of numbers and None", lambda folder, suffix: [None, 3.5], _NOTHING_IN_IT),  # noqa: ARG005
)
"""All wrong sources; :func:`bad_inputs` leaves out those that this machine cannot make."""


def bad_inputs() -> list[BadInput]:
    """The wrong sources that this machine can make (root can open every folder)."""
    return [bad for bad in BAD_INPUT if bad.needs()]
