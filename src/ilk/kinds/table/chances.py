"""Areas under ROC curves, and how far a number may be from what more rows would give. Knows only arrays.

Intervals are 95 %. For shares: Wilson, "Probable inference, the law of succession, and statistical inference", JASA
1927. For the others the percentile bootstrap: Efron, "Bootstrap methods: another look at the jackknife", 1979.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ilk.core.protocol import Array
from ilk.core.seeds import stream

Z = 1.959964
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


def share_interval(hits: float, count: int) -> Interval:
    """Wilson's interval of ``hits`` out of ``count`` (at least one) independent trials."""
    p = hits / count
    middle = (p + Z * Z / (2 * count)) / (1 + Z * Z / count)
    half = Z / (1 + Z * Z / count) * math.sqrt(p * (1 - p) / count + Z * Z / (4 * count * count))
    return max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half))


def unit_interval(value_N: Array, unit_N: Array, seed: int) -> Interval:
    """Bootstrap of a mean whose values hang together within a unit: units are drawn, not values."""
    unit = np.unique(unit_N, return_inverse=True)[1]
    sums, counts = np.bincount(unit, value_N), np.bincount(unit)
    drawn = stream(seed, "units").multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=DRAWS)
    low, high = np.quantile((drawn @ sums) / np.maximum(drawn @ counts, 1), [0.025, 0.975])
    return float(low), float(high)
