"""One stream of events for everyone who watches: the terminal bar, history.jsonl, the studio, jobs.

Whoever works calls a sink with records of these types; whoever shows decides how. Nothing else prints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec


class Stage(msgspec.Struct, frozen=True, tag="stage"):
    """A part of the work begins, in words: ``reading 12,000 pictures``."""

    says: str
    done: int = 0
    of: int = 0


class Step(msgspec.Struct, frozen=True, tag="step"):
    """Learning goes on: where it is, how long it took, what the numbers are."""

    step: int
    of: int | None  # the last step, where the budget counts steps
    seconds: float
    eta: float | None
    progress: float
    metrics: dict[str, float]
    says: str = ""  # the metrics in words


class Preview(msgspec.Struct, frozen=True, tag="preview"):
    """A new preview lies at this path."""

    path: str


class Note(msgspec.Struct, frozen=True, tag="note"):
    """Something that the user should know and that stops nothing: skipped files, a fresh seed."""

    says: str


Event: TypeAlias = Stage | Step | Preview | Note
Sink: TypeAlias = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The sink for a caller who does not watch."""
