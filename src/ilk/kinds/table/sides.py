"""Which rows of a report are compared with which: as many made, training and held-out ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ilk.core.protocol import Array
from ilk.core.seeds import stream
from ilk.kinds.table.sight import FEWEST, MOST_COMPARED, Sight


class Sides(NamedTuple):
    """Rows of three sets, (N, C) each. Where few are held out, halves of all real rows stand for two of them."""

    made: Array
    train: Array
    held: Array
    halves: bool


def sides(sight: Sight, seed: int) -> Sides | None:
    """As many rows of each set, in an order that says nothing; None where there are too few."""
    train, held, halves = sight.train, sight.held, False
    if min(len(train), len(held)) < FEWEST:
        real = np.concatenate([train, held])
        real = real[stream(seed, "halves").permutation(len(real))]
        train, held, halves = real[: len(real) // 2], real[len(real) // 2 :], True
    size = min(len(sight.made), len(train), len(held), MOST_COMPARED)
    return Sides(sight.made[:size], train[:size], held[:size], halves) if size >= FEWEST else None
