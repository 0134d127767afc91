"""Examples out of files and the way back: the interface that ``table_file.py`` and ``picture_files.py`` are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from ilk.core.errors import Code, InputError
from ilk.tasks.augment.labels import Label
from ilk.tasks.augment.material import Made, Material

UNREADABLE = 0.01  # share of the examples that may be


class Written(msgspec.Struct, frozen=True):
    """What was written: where, how many examples, how many of them made, and the seal."""

    path: str
    count: int
    made: int
    seal: str  # "sidecar", "manifest", "c2pa and manifest", "none"


class Files(Protocol):
    """Examples out of files, and the way back into some."""

    @property
    def material(self) -> Material:
        """The examples."""
        ...

    @property
    def label(self) -> Label:
        """Their classes."""
        ...

    def check(self, path: Path) -> None:
        """Refuse a place that cannot be written, before anything is compared.

        Raises:
            InputError: it exists, or is of no format that the kind writes.
        """
        ...

    def write(self, path: Path, made: Made | None, fingerprint: str, seed: int, *, sealed: bool) -> Written:
        """Write what the answer is about."""
        ...


def check_readable(problems: Sequence[tuple[str, str]], count: int) -> None:
    """Refuse a source of which too much cannot be read.

    Args:
        problems: name and reason of each.
        count: of all examples.

    Raises:
        InputError: more than 1 % cannot be read.
    """
    if len(problems) > UNREADABLE * count:
        (name, reason), shown = problems[0], f"{len(problems):,} of {count:,}"
        sentence = f"{shown} examples cannot be read; the first is {name} ({reason})."
        raise InputError(Code.TOO_MANY_UNREADABLE, sentence)
