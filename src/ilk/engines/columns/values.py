"""The values of one column: all that were seen, sorted, how often each came, and where another one stands among them.

A *code* is a place in this table; missing is the last one. Trees split on codes, which no unit and no outlier bends,
and leaves hold codes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ilk.core.protocol import Array
from ilk.core.spaces import Column

SLOTS = 64  # levels that the linear prediction tells apart; rarer ones are one


class Values(NamedTuple):
    """The table of one column.

    Attributes:
        column: as in the Space.
        value_U: float64, sorted; NaN last where a value may be missing.
        count_U: int64, rows that have each.
    """

    column: Column
    value_U: Array
    count_U: Array

    @property
    def known(self) -> int:
        """How many of the values are not missing."""
        return len(self.value_U) - int(np.isnan(self.value_U[-1:]).sum())

    def codes(self, x_N: Array) -> Array:
        """(N,) int64 code of each value, which must be one of the table's."""
        return np.where(np.isnan(x_N), len(self.value_U) - 1, np.searchsorted(self.value_U[: self.known], x_N))

    def places(self, x_N: Array) -> Array:
        """(N,) float32 where each value stands among the codes; half-way where it is none of them."""
        value = self.value_U[: self.known]
        low, high = np.searchsorted(value, x_N, "left"), np.searchsorted(value, x_N, "right")
        place = np.where(high > low, low, low - 0.5)
        return np.where(np.isnan(x_N), len(self.value_U) - 1, place).astype(np.float32)

    def smoothed(
        self, code_L: Array, place_N: Array, first_N: Array, last_N: Array, u_N: Array, frequent: int
    ) -> Array:
        """(N,) float64: the value at a place of a leaf, or one between it and half-way to the next in the leaf.

        Levels, missing values and values that come ``frequent`` times stay as they are, and so does what has no other
        value beside it.

        Args:
            code_L: sorted codes of leaves.
            place_N: which of them.
            first_N: the first that may stand beside it.
            last_N: the last.
            u_N: in [0, 1): below a half downwards, else upwards, and how far.
            frequent: see above.
        """
        code_N = code_L[place_N]
        x_N = self.value_U[code_N]
        if self.column.categories:
            return x_N
        down = u_N < 0.5
        beside_N = np.where(down, np.maximum(place_N - 1, first_N), np.minimum(place_N + 1, last_N))
        other_N = code_L[beside_N]
        loose_U = (self.count_U < frequent) & ~np.isnan(self.value_U)
        moves = loose_U[code_N] & loose_U[other_N] & (code_N != other_N)
        far_N = np.where(down, u_N, u_N - 0.5)
        moved = x_N + far_N * (np.where(moves, self.value_U[other_N], x_N) - x_N)
        return np.where(moves, self.rounded(moved), x_N)

    def rounded(self, x_N: Array) -> Array:
        """With as many decimals as the column has."""
        return x_N if self.column.precision is None else np.asarray(np.round(x_N, self.column.precision))

    @property
    def slots(self) -> int:
        """Numbers that the linear prediction sees of a value."""
        return min(SLOTS, len(self.value_U)) if self.column.categories else 3

    def spread(self) -> tuple[float, float]:
        """Mean and standard deviation of the known values."""
        value, count = self.value_U[: self.known], self.count_U[: self.known]
        if not count.sum():
            return 0.0, 1.0
        mean = float(np.average(value, weights=count))
        return mean, float(np.sqrt(np.average((value - mean) ** 2, weights=count))) or 1.0

    def slot_of(self) -> Array:
        """(U,) the slot of each level: the commonest ones have one each, the others share the last."""
        slot = np.full(len(self.value_U), self.slots - 1)
        order = np.argsort(-self.count_U, kind="stable")[: self.slots]
        slot[order] = np.arange(len(order))
        return slot

    def seen(self, x_N: Array) -> Array:
        """What the linear prediction sees: (N,) int64 slots of levels; of numbers (N, 3) float32."""
        if self.column.categories:
            slots: Array = self.slot_of()[self.codes(x_N)]
            return slots
        mean, deviation = self.spread()
        missing = np.isnan(x_N)
        z = np.where(missing, 0.0, (x_N - mean) / deviation)
        rank = np.where(missing, 0.0, self.ranks(x_N))
        return np.stack([z, rank, missing], axis=1).astype(np.float32)

    def ranks(self, x_N: Array) -> Array:
        """(N,) the share of rows below each value, from -1 to 1; of no meaning where it is missing."""
        up_to = np.cumsum(self.count_U[: self.known])
        if not len(up_to):
            return np.zeros(len(x_N))
        middle = (up_to - self.count_U[: self.known] / 2) / up_to[-1]
        return np.asarray(2 * np.interp(np.nan_to_num(x_N), self.value_U[: self.known], middle) - 1)


def tabulate(column: Column, x_N: Array) -> Values:
    """The table of a column's values; all levels of a category are in it."""
    known = x_N[~np.isnan(x_N)]
    if column.categories:
        value = np.arange(column.categories, dtype=np.float64)
        count = np.bincount(known.astype(np.int64), minlength=column.categories)
    else:
        value, count = np.unique(known, return_counts=True)
    missing = len(x_N) - len(known)
    if missing or column.missing or not len(value):
        value, count = np.append(value, np.nan), np.append(count, missing)
    return Values(column, value, count.astype(np.int64))


def target(values: Values, x_N: Array, random: np.random.Generator, most: int = 32) -> Array:
    """(N, T) float32: what is to be alike in a leaf.

    Of numbers the first three moments of their ranks, so that the shape of a distribution counts and no unit does; of
    levels which one it is, many of them mixed into ``most`` random directions.
    """
    if values.column.categories:
        code, levels = values.codes(x_N), len(values.value_U)
        if levels <= most:
            hot = np.eye(levels, dtype=np.float32)[code]
            return hot[:, hot.any(axis=0)]
        mixed: Array = random.standard_normal((levels, most), dtype=np.float32)[code] / np.float32(np.sqrt(most))
        return mixed
    missing = np.isnan(x_N)
    rank = np.where(missing, 0.0, values.ranks(x_N))
    parts = [rank, rank**2, rank**3, *([2.0 * missing] if missing.any() else [])]
    target_NT = np.stack(parts, axis=1)
    return np.asarray((target_NT - target_NT.mean(axis=0)) / (target_NT.std(axis=0) + 1e-9), np.float32)


def effects_of(code_N: Array, levels: int, target_NT: Array, against: float = 5.0) -> Array:
    """(K,) float32: the mean target of each level, along the direction in which levels differ most.

    In this order a tree need not look at all sets of levels to find the best one (Breiman et al., "Classification and
    regression trees", 1984; of several targets nearly so: Coppersmith et al., "Partitioning nominal attributes in
    decision trees", 1999). A rare level is held back by ``against`` rows of no effect.
    """
    count_K = np.bincount(code_N, minlength=levels)
    centred_NT = target_NT - target_NT.mean(axis=0)
    sum_KT = np.stack([np.bincount(code_N, part_N, levels) for part_N in centred_NT.T], axis=1)
    mean_KT = sum_KT / (count_K + against)[:, None]
    turned_RT = np.linalg.svd(mean_KT * np.sqrt(count_K)[:, None], full_matrices=False)[2]
    return np.asarray(mean_KT @ turned_RT[0], np.float32)
