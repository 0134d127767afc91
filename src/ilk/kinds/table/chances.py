"""Areas under ROC curves of weighted rows, and their intervals of 95 %. Knows only arrays.

The percentile bootstrap: Efron, "Bootstrap methods: another look at the jackknife", 1979. Other intervals are those of
``ilk.core.bootstrap``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ilk.core.protocol import Array
from ilk.core.seeds import stream

DRAWS = 200
Interval = tuple[float, float]


def auc(mark_N: Array, true_N: Array, weight_N: Array | None = None) -> float:
    """The share of pairs of a true and an untrue row in which the true one has the higher mark; ties count half.

    Args:
        mark_N: higher means rather true.
        true_N: (N,) bool; 0.5 comes back where all rows are of one sort.
        weight_N: how often each row counts; once by default.
    """
    place = np.unique(mark_N, return_inverse=True)[1]
    return _area(place, true_N, np.ones(len(mark_N)) if weight_N is None else weight_N)


def _area(place_N: Array, true_N: Array, weight_N: Array) -> float:
    above = np.bincount(place_N, weight_N * true_N)
    below = np.bincount(place_N, weight_N * ~true_N)
    pairs = above.sum() * below.sum()
    return float((above * (np.cumsum(below) - below / 2)).sum() / pairs) if pairs > 0 else 0.5


def auc_interval(mark_N: Array, true_N: Array, seed: int) -> Interval:
    """Bootstrap of an area, over the true rows and the others."""
    place = np.unique(mark_N, return_inverse=True)[1]
    return bootstrap(lambda weight_N: _area(place, true_N, weight_N), true_N, seed)


def bootstrap(number: Callable[[Array], float], part_N: Array, seed: int) -> Interval:
    """Interval of a number of weighted rows; rows are drawn within each part."""
    drawn, weight_N, found = stream(seed, "bootstrap"), np.zeros(len(part_N)), []
    parts = [np.flatnonzero(part_N == each) for each in np.unique(part_N)]
    for _ in range(DRAWS):
        for rows in parts:
            weight_N[rows] = np.bincount(drawn.integers(len(rows), size=len(rows)), minlength=len(rows))
        found.append(number(weight_N))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
