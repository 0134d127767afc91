"""Rows as points: a distance over numbers and levels together. Knows only matrices.

A number counts by its rank among real rows, scaled so that two rows drawn at random are at a squared distance of 1 in
it on average; two levels are at a squared distance of 1, as are a missing value and one that is there (after Gower, "A
general coefficient of similarity", 1971, whose distance this is but for the square).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ilk.core.protocol import Array
from ilk.kinds.table.sight import Column

KNOTS = 513
MOST_LEVELS = 30  # of a column; rarer ones are alike
_WIDE, _HALF = np.sqrt(6), np.sqrt(0.5)


class Mixed(NamedTuple):
    """How rows become points: of each column how many levels count, or (2, K) values and the ranks that they have."""

    levels: tuple[int, ...]
    knots: tuple[Array, ...]

    def __call__(self, rows_NC: Array) -> Array:
        """(N, W) float32 points."""
        parts = []
        for x_N, levels, knots in zip(rows_NC.T, self.levels, self.knots, strict=True):
            missing = np.isnan(x_N)
            if levels:
                place = np.where(missing, levels, np.minimum(np.nan_to_num(x_N), levels - 1)).astype(np.int64)
                parts.append(np.eye(levels + 1, dtype=np.float32)[place] * _HALF)
            else:
                rank = np.interp(x_N, *knots) if knots.size else np.zeros(len(x_N))
                parts.append(np.stack([np.where(missing, 0.5, rank) * _WIDE, missing], axis=1))
        return np.ascontiguousarray(np.concatenate(parts, axis=1), np.float32)


def fit_mixed(columns: tuple[Column, ...], real_NC: Array) -> Mixed:
    """Points by the ranks of real rows."""
    levels, knots = list[int](), list[Array]()
    for column, x_N in zip(columns, real_NC.T, strict=True):
        known = x_N[~np.isnan(x_N)]
        levels.append(min(len(column.levels), MOST_LEVELS))
        bare = bool(column.levels) or not len(known)
        knots.append(np.zeros((2, 0)) if bare else _middle_ranks(known))
    return Mixed(tuple(levels), tuple(knots))


def _middle_ranks(known: Array) -> Array:
    """(2, K) different values at equal shares, and the middle of the ranks of each."""
    values, place, counts = np.unique(
        np.quantile(known, np.linspace(0, 1, KNOTS)), return_inverse=True, return_counts=True
    )
    return np.stack([values, np.bincount(place, np.linspace(0, 1, KNOTS)) / counts])


def same(rows_NC: Array) -> Array:
    """(N,) uint64 that are equal where rows are: sums of mixed bits (splitmix64: Steele, Lea and Flood, 2014)."""
    bits_NC = np.where(np.isnan(rows_NC), np.float64(2.0**1000), rows_NC + 0.0).view(np.uint64)
    found = np.zeros(len(rows_NC), np.uint64)
    for place, bits in enumerate(bits_NC.T):
        z = bits + np.uint64((0x9E3779B97F4A7C15 * (place + 1)) % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        found += z ^ (z >> np.uint64(31))
    return found
