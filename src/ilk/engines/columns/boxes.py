"""What is asked of rows: for each column bounds, or levels that may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ilk.core.protocol import Array, Given
from ilk.core.spaces import Columns
from ilk.engines.columns.forest import Forest
from ilk.engines.columns.model import Drawn
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
    def narrow(self) -> bool:
        """Whether any number must be a certain one: no row that is waited for will be it."""
        return bool((self.low_NF == self.high_NF).any())

    def free(self, column: int) -> bool:
        """Whether nothing is asked of a column."""
        return bool(np.isnan(self.low_NF[0, column])) and column not in self.allowed

    def holds(self, x_NF: Array) -> Array:
        """(N,) whether rows are inside of the first row's box."""
        low, high = self.low_NF[0], self.high_NF[0]
        met = np.ones(len(x_NF), dtype=bool)
        for column in range(x_NF.shape[1]):
            x_N = x_NF[:, column]
            if low[column] == np.inf:
                met &= np.isnan(x_N)
            elif not np.isnan(low[column]):
                met &= (x_N >= low[column]) & (x_N <= high[column])
            if column in self.allowed:
                may_K = np.append(self.allowed[column][0], False)
                met &= may_K[np.where(np.isnan(x_N), len(may_K) - 1, x_N).astype(np.int64)]
        return met

    def inside(
        self, column: int, values: Values, trees: Forest, leaf_N: Array, u_ND: Array, frequent: int
    ) -> tuple[Array, Array]:
        """Values inside the first row's box, and the share of their leaves that lies there."""
        first_N, number_N = trees.start_M[leaf_N], trees.number_M[leaf_N]
        if column in self.allowed:
            return self._level(column, trees, first_N, number_N, u_ND)
        low, high = float(self.low_NF[0, column]), float(self.high_NF[0, column])
        code = np.searchsorted(values.value_U[: values.known], [low, high], "left")
        code[1] = np.searchsorted(values.value_U[: values.known], high, "right")
        if low == np.inf:
            code = np.array([values.known, values.known + 1])
        between = code[1] <= code[0]  # a number that nobody had: the ones beside it stand for it
        if between:
            code = np.array([max(0, code[0] - 1), min(values.known, code[0] + 1)])
        from_N, to_N = trees.span(first_N, number_N, int(code[0])), trees.span(first_N, number_N, int(code[1]))
        inside_N = to_N - from_N
        place_N = from_N + (u_ND[:, 1] * inside_N).astype(np.int64)
        some = inside_N > 0
        safe = np.where(some, place_N, first_N)
        x_N = values.smoothed(trees.code_L, safe, np.where(some, from_N, safe), np.where(some, to_N - 1, safe),
                              u_ND[:, 2], frequent)  # fmt: skip
        fallback = _nearest(values, code)
        x_N = np.where(some, x_N, fallback)
        if low != np.inf:
            x_N = np.clip(x_N, low, high)
        return x_N, np.maximum(inside_N / number_N, LEAST)

    def _level(self, column: int, trees: Forest, first_N: Array, number_N: Array, u_ND: Array) -> tuple[Array, Array]:
        levels = np.flatnonzero(self.allowed[column][0])
        from_NK = np.stack([trees.span(first_N, number_N, int(level)) for level in levels], axis=1)
        to_NK = np.stack([trees.span(first_N, number_N, int(level) + 1) for level in levels], axis=1)
        up_to_NK = np.cumsum(to_NK - from_NK, axis=1)
        inside_N = up_to_NK[:, -1]
        chosen_N = (up_to_NK <= (u_ND[:, 1] * inside_N)[:, None]).sum(axis=1)
        random_N = (u_ND[:, 1] * len(levels)).astype(np.int64)
        level_N = levels[np.where(inside_N > 0, np.minimum(chosen_N, len(levels) - 1), random_N)]
        return level_N.astype(np.float64), np.maximum(inside_N / number_N, LEAST)


def _nearest(values: Values, code: Array) -> float:
    return float(values.value_U[min(int(code[0]), len(values.value_U) - 1)])


def box_of(drawn: Sequence[Drawn], space: Columns, given: Given, count: int) -> Box | None:
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
    del drawn
    return Box(low_NF, high_NF, allowed) if allowed or not np.isnan(low_NF).all() else None
