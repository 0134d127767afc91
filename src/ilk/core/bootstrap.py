"""Intervals: how far a number may be from what more examples would give. All are 95 %. Knows only arrays.

For shares: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927. For areas under
a ROC curve: Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology 1982. For the others the
percentile bootstrap (Efron, 1979), over units that may hold many samples.
"""

from __future__ import annotations

import math

import numpy as np

from ilk.core.protocol import Array
from ilk.core.seeds import stream

Z = 1.959964
DRAWS = 500


def share_interval(hits: float, count: int) -> tuple[float, float]:
    """Wilson's interval of ``hits`` out of ``count`` (at least one) independent trials."""
    p, n = hits / count, count
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return float(max(0.0, min(p, middle - half))), float(min(1.0, max(p, middle + half)))


def auc_interval(auc: float, positive: int, negative: int) -> tuple[float, float]:
    """Interval of an area from its size and the numbers of examples; never of no width."""
    most = 1 - 1 / (2 * min(positive, negative) + 2)
    a = min(max(auc, 1 - most), most)
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    spread = a * (1 - a) + (positive - 1) * (q1 - a * a) + (negative - 1) * (q2 - a * a)
    half = Z * math.sqrt(max(0.0, spread) / (positive * negative))
    return max(0.0, min(auc, a - half)), min(1.0, max(auc, a + half))


def mean_interval(values: Array, seed: int) -> tuple[float, float]:
    """Bootstrap of the mean of independent values."""
    return unit_interval(values, np.ones(len(values)), np.arange(len(values)), seed)


def unit_interval(values: Array, weights: Array, units: Array, seed: int) -> tuple[float, float]:
    """Bootstrap of ``sum(values) / sum(weights)`` where values of one unit hang together.

    Args:
        values: (N,) numbers.
        weights: (N,) what each counts.
        units: (N,) which unit each belongs to: units are drawn, not values.
        seed: of the draws.
    """
    codes = np.unique(units, return_inverse=True)[1]
    sums, counts = np.bincount(codes, values), np.bincount(codes, weights)
    size = len(sums)
    drawn = stream(seed, "bootstrap").multinomial(size, np.full(size, 1 / size), size=DRAWS)
    means = (drawn @ sums) / np.maximum(drawn @ counts, 1e-12)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
