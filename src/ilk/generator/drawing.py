"""Rows of an engine that the codec agrees with: those that it refuses are drawn again, or it is an error.

Conditions and rules that a Space cannot express (a total, a borough that its zone tells) are met by waiting: what is
made is what the model makes, given that they hold, and never fewer rows than were asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ilk.core.errors import Code, InputError
from ilk.core.offers import Refusing
from ilk.core.protocol import Array, Arrays, Given
from ilk.core.rows import EFFECTIVE, ROW, join, pick
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


def draw_rows(
    model: Model, indices: Array, given: Given, seed: int, settings: Any, samples: Array | None = None
) -> Arrays:
    """Rows ``indices`` of the engine; row i is a function of (model, its conditions, settings, seed, i) alone.

    ``samples`` (N,) says which sample each row is, or is a candidate for; its index by default.

    Raises:
        InputError: rows that meet what is asked for are too rare.
    """
    codec = model.codec

    def refused(arrays: Arrays, rows: Array) -> Mapping[str, Array]:
        return codec.refused(arrays, given.rows(rows)) if isinstance(codec, Refusing) else {}

    def stuck(found: Mapping[str, Array], attempt: int, kept: int, drawn: int) -> InputError | None:  # noqa: ARG001
        return _too_rare(found, kept, drawn) if drawn > PATIENCE * max(1, kept) else None

    return redrawn(model, Ask(indices, given, seed, settings, samples), refused, stuck)


class Ask(NamedTuple):
    """Rows of an engine that are asked for."""

    indices: Array
    given: Given
    seed: int
    settings: Any
    samples: Array | None = None


def redrawn(
    model: Model,
    ask: Ask,
    refused: Callable[[Arrays, Array], Mapping[str, Array]],
    stuck: Callable[[Mapping[str, Array], int, int, int], InputError | None],
) -> Arrays:
    """Rows of the engine, those that are refused drawn again until none is.

    Args:
        model: whose engine and codec.
        ask: which rows.
        refused: of drawn rows and their places among those asked for, which must not be, by what they break.
        stuck: of what the last ones broke, how often they were drawn again, how many rows are kept and how many were
            drawn again in all: why to give up, or None.

    Raises:
        InputError: what ``stuck`` says.
    """
    samples = ask.indices if ask.samples is None else ask.samples

    def drawn_again(rows: Array, seed: int) -> Arrays:
        made = model.engine.sample(ask.indices[rows], ask.given.rows(rows), seed, ask.settings)
        return {**made, ROW: samples[rows]}

    left, attempt, drawn, asked = np.arange(len(ask.indices)), 0, 0, len(ask.indices)
    arrays = drawn_again(left, ask.seed)
    found = refused(arrays, left)
    while (left := left[_any(found, len(left))]).size:
        if error := stuck(found, attempt, asked - len(left), drawn):
            raise error
        attempt, drawn = attempt + 1, drawn + len(left)
        again = drawn_again(left, _seed(ask.seed, attempt))
        found = refused(again, left)
        kept = np.flatnonzero(~_any(found, len(left)))
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
