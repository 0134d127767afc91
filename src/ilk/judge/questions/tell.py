"""Numbers as a sentence says them, and sheets for the eye. Knows no question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ilk.core.protocol import Array, Exhibit
from ilk.judge.case import take
from ilk.judge.record import Answer, Name

PAIRS = (1, 2, 8, 18)  # twice as many fill a square of even side: on a sheet, pairs stay beside each other


def of_100(share: float) -> str:
    """A share in words: ``81``, ``fewer than 1``, ``all but a few``."""
    if 0 < share < 0.01:
        return "fewer than 1"
    if 0.99 < share < 1:
        return "more than 99"
    return f"{100 * share:.0f}"


def absent(question: Name, why: str) -> Answer:
    """An answer that cannot be given."""
    return Answer(question=question, says=why, absent=why)


def sheet(kind: Any, objects: Any, rows: Sequence[int], caption: str) -> tuple[Exhibit, ...]:
    """One exhibit of some objects; none where there are no rows."""
    if len(rows) == 0:
        return ()
    return (msgspec.structs.replace(kind.draw(take(objects, rows)), caption=caption),)


def pairs(kind: Any, left: tuple[Any, Array], right: tuple[Any, Array], caption: str) -> tuple[Exhibit, ...]:
    """One exhibit of pairs beside each other, of as many as fill a sheet; none without pairs.

    Args:
        kind: draws.
        left: objects, and rows of them in order.
        right: what stands beside each.
        caption: of the exhibit.
    """
    count = max((each for each in PAIRS if each <= len(left[1])), default=0)
    if count == 0:
        return ()
    columns = [take(objects, rows[:count]) for objects, rows in (left, right)]
    shown = [each for pair in zip(*columns, strict=True) for each in pair]
    return (msgspec.structs.replace(kind.draw(shown), caption=caption),)
