"""What is asked of rows: for each column bounds, or levels that may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ilk.core.protocol import Array, Given
from ilk.core.spaces import Columns
from ilk.engines.columns.forest import Forest
from ilk.engines.columns.values import Values

LEAST = 1e-300  # of a share, so that its log is a number


class Box(NamedTuple):
    """Bounds (N, F), NaN where a column is free; of levels those between the bounds that ``allowed`` does not forbid.

    A lower bound of infinity asks for a missing value.
    """

    low_NF: Array
    high_NF: Array
    allowed: dict[int, Array]  # (N, K) of the levels that may be

    def rows(self, rows: Array) -> Box:
        """The same for some rows."""
        return Box(self.low_NF[rows], self.high_NF[rows], {j: may[rows] for j, may in self.allowed.items()})

    def alike(self) -> Iterator[Array]:
        """Rows of which the same is asked, together."""
        wide = [self.low_NF, self.high_NF, *(self.allowed[j].astype(np.float64) for j in sorted(self.allowed))]
        key_NW = np.nan_to_num(np.concatenate(wide, axis=1), nan=-1e308)
        _, which_N = np.unique(key_NW, axis=0, return_inverse=True)
        order = np.argsort(which_N.reshape(-1), kind="stable")
        yield from np.split(order, np.flatnonzero(np.diff(which_N.reshape(-1)[order])) + 1)

    @property
    def pinned_N(self) -> Array:
        """(N,) how many values of a row are fixed."""
        pinned_N: Array = (self.low_NF == self.high_NF).sum(axis=1)
        return pinned_N

    def repeated(self, times: int) -> Box:
        """Each row so many times, one after the other."""
        return self.rows(np.repeat(np.arange(len(self.low_NF)), times))

    def asked(self, column: int) -> Array:
        """Rows of which something is asked in a column."""
        if column in self.allowed:
            return np.arange(len(self.low_NF))
        return np.flatnonzero(~np.isnan(self.low_NF[:, column]))

    def holds(self, x_NF: Array) -> Array:
        """(N,) whether rows are inside of their boxes, or all of the only box that there is."""
        met = np.ones(len(x_NF), dtype=bool)
        for column in range(x_NF.shape[1]):
            x_N, low_N, high_N = x_NF[:, column], self.low_NF[:, column], self.high_NF[:, column]
            if not np.isnan(low_N).all():
                missing = np.isnan(x_N)
                inside = (x_N >= low_N) & (x_N <= high_N)
                met &= np.where(low_N == np.inf, missing, np.isnan(low_N) | inside)
            if column in self.allowed:
                level_N = np.where(np.isnan(x_N), -1, x_N).astype(np.int64)
                may = self.allowed[column]
                row_N = np.zeros(len(x_N), np.int64) if len(may) == 1 else np.arange(len(x_N))
                met &= (level_N >= 0) & may[row_N, np.maximum(level_N, 0)]
        return met

    def inside(
        self, column: int, values: Values, trees: Forest, leaf_N: Array, u_ND: Array, frequent: int
    ) -> tuple[Array, Array]:
        """Values inside of their rows' boxes, and the share of their leaves that lies there."""
        first_N, number_N = trees.start_M[leaf_N], trees.number_M[leaf_N]
        if column in self.allowed:
            return self._level(column, trees, first_N, number_N, u_ND)
        low_N, high_N = self.low_NF[:, column], self.high_NF[:, column]
        code_N = np.searchsorted(values.value_U[: values.known], low_N, "left")
        end_N = np.searchsorted(values.value_U[: values.known], high_N, "right")
        missing = low_N == np.inf
        code_N, end_N = np.where(missing, values.known, code_N), np.where(missing, values.known + 1, end_N)
        between = end_N <= code_N  # a number that nobody had: the ones beside it stand for it
        end_N = np.where(between, np.minimum(values.known, code_N + 1), end_N)
        code_N = np.where(between, np.maximum(0, code_N - 1), code_N)
        from_N, to_N = trees.span(first_N, number_N, code_N), trees.span(first_N, number_N, end_N)
        inside_N = to_N - from_N
        place_N = from_N + (u_ND[:, 1] * inside_N).astype(np.int64)
        some = inside_N > 0
        safe = np.where(some, place_N, first_N)
        x_N = values.smoothed(trees.code_L, safe, np.where(some, from_N, safe), np.where(some, to_N - 1, safe),
                              u_ND[:, 2], frequent)  # fmt: skip
        nearest_N = values.value_U[np.minimum(code_N, len(values.value_U) - 1)]
        x_N = np.where(some, x_N, nearest_N)
        x_N = np.where(missing, x_N, np.clip(x_N, low_N, np.where(missing, np.inf, high_N)))
        return x_N, np.maximum(inside_N / number_N, LEAST)

    def _level(self, column: int, trees: Forest, first_N: Array, number_N: Array, u_ND: Array) -> tuple[Array, Array]:
        may_NK = self.allowed[column]
        levels = np.flatnonzero(may_NK.any(axis=0))
        may_NK = may_NK[:, levels]
        from_NK = np.stack([trees.span(first_N, number_N, int(level)) for level in levels], axis=1)
        to_NK = np.stack([trees.span(first_N, number_N, int(level) + 1) for level in levels], axis=1)
        count_NK = np.where(may_NK, to_NK - from_NK, 0)
        inside_N = count_NK.sum(axis=1)
        up_to_NK = np.cumsum(np.where((inside_N > 0)[:, None], count_NK, may_NK), axis=1)  # none in the leaf: any one
        chosen_N = (up_to_NK <= (u_ND[:, 1] * up_to_NK[:, -1])[:, None]).sum(axis=1)
        level_N = levels[np.minimum(chosen_N, len(levels) - 1)]
        return level_N.astype(np.float64), np.maximum(inside_N / number_N, LEAST)


def box_of(space: Columns, given: Given, count: int) -> Box | None:
    """What ``given`` asks of ``count`` rows; None where it asks nothing."""
    shape = (count, len(space.columns))
    low_NF, high_NF = np.full(shape, np.nan), np.full(shape, np.nan)
    if given.low is not None and given.high is not None:
        low_NF, high_NF = given.low.astype(np.float64), given.high.astype(np.float64)
    if given.known is not None:
        mask = np.ones(shape, dtype=bool) if given.mask is None else given.mask
        known = np.where(np.isnan(given.known), np.inf, given.known)
        low_NF, high_NF = np.where(mask, known, low_NF), np.where(mask, known, high_NF)
    names = {column.name: j for j, column in enumerate(space.columns)}
    allowed = {names[name]: may.astype(bool) for name, may in given.allowed.items() if name in names}
    return Box(low_NF, high_NF, allowed) if allowed or not np.isnan(low_NF).all() else None
