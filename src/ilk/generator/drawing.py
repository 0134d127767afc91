"""Rows of an engine that the codec agrees with: those that it refuses are drawn again, or it is an error.

Conditions and rules that a Space cannot express (a total, a borough that its zone tells) are met by waiting: what is
made is what the model makes, given that they hold, and never fewer rows than were asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.core.errors import Code, InputError
from ilk.core.offers import Refusing
from ilk.core.protocol import Array, Arrays, Given
from ilk.core.rows import EFFECTIVE, join, pick
from ilk.core.seeds import stream

if TYPE_CHECKING:
    from ilk.generator.model import Model


class Candidates:
    """Of how many candidates samples were chosen, in effect, where their conditions are too rare to wait for."""

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def note(self, arrays: Arrays) -> None:
        """Take what an engine says of rows that it made."""
        if EFFECTIVE in arrays:
            chosen = arrays[EFFECTIVE][np.isfinite(arrays[EFFECTIVE])]
            self._sum, self._count = self._sum + float(chosen.sum()), self._count + len(chosen)

    @property
    def mean(self) -> float | None:
        """Over the samples that were made so far; None where none had to be chosen."""
        return self._sum / self._count if self._count else None


PATIENCE = 50_000
"""Rows that are drawn for each that is kept, before it is an error."""


def draw_rows(model: Model, indices: Array, given: Given, seed: int, settings: Any) -> Arrays:
    """Rows ``indices`` of the engine; row i is a function of (model, its conditions, settings, seed, i) alone.

    Raises:
        InputError: rows that meet what is asked for are too rare.
    """
    arrays = model.engine.sample(indices, given, seed, settings)
    if not isinstance(model.codec, Refusing):
        return arrays
    left, attempt, drawn, asked = np.arange(len(indices)), 0, 0, len(indices)
    refused = model.codec.refused(arrays, given)
    while (left := left[_any(refused, len(left))]).size:
        attempt, drawn = attempt + 1, drawn + len(left)
        if drawn > PATIENCE and drawn > PATIENCE * (asked - len(left)):
            raise _too_rare(refused, asked - len(left), drawn)
        again = model.engine.sample(indices[left], given.rows(left), _seed(seed, attempt), settings)
        refused = model.codec.refused(again, given.rows(left))
        kept = np.flatnonzero(~_any(refused, len(left)))
        if kept.size:
            place = np.arange(asked)
            place[left[kept]] = asked + kept
            arrays = pick(join([arrays, again]), place)
    return arrays


def _seed(seed: int, attempt: int) -> int:
    return int(stream(seed, "again", attempt).integers(2**63))


def _any(refused: Mapping[str, Array], count: int) -> Array:
    found = np.zeros(count, dtype=bool)
    for rows in refused.values():
        found |= rows
    return found


def _too_rare(refused: Mapping[str, Array], kept: int, drawn: int) -> InputError:
    worst = max(refused, key=lambda says: int(refused[says].sum()))
    made = f"only {kept:,} of {drawn + kept:,} rows" if kept else f"none of {drawn:,} rows"
    return InputError(Code.GIVEN, f"Of what the model makes, {made} met {worst}; ask for less, or leave it out.")
