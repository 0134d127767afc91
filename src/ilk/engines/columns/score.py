"""The likelihood of rows, column by column.

A leaf gives a level, a missing value or a frequent number the share of its rows that have it. Between two other numbers
of a leaf what is drawn is spread evenly, and the share of it that rounds to a value is the value's; where a column has
no decimals that end, the density stands for it. For the score alone a thousandth of each column is taken from all of
its values, whatever stands before, so that nothing is impossible that was ever seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ilk.core.protocol import Array
from ilk.engines.columns.forest import Forest, stump
from ilk.engines.columns.model import features
from ilk.engines.columns.values import Values

if TYPE_CHECKING:
    from ilk.engines.columns.engine import ColumnsEngine

SHARE = 1e-3
PART = 2**15


def log_score(engine: ColumnsEngine, x_NF: Array) -> Array:
    """(N, F) float64: log-likelihood of each value given those before it, nats."""
    out = np.zeros(x_NF.shape)
    for first in range(0, len(x_NF), PART):
        some = x_NF[first : first + PART]
        seen = {j: drawn.values.seen(some[:, j]) for j, drawn in enumerate(engine.drawn)}
        place_NF = np.stack([drawn.values.places(some[:, j]) for j, drawn in enumerate(engine.drawn)], axis=1)
        for column, drawn in enumerate(engine.drawn):
            whole = stump(drawn.values.count_U)
            floor_N = _shares(
                drawn.values, whole, np.zeros(len(some), np.int64), some[:, column], engine.settings.frequent
            )
            floor_N = np.maximum(floor_N, 1 / (2 + len(whole.code_L)) / (1 + _width(drawn.values)))
            look = features(engine.drawn, column, place_NF, seen)
            share_N = np.zeros(len(some))
            for root in drawn.trees.root_T:
                leaf_N = drawn.trees.leaves(look, np.full(len(some), root, np.int64))
                share_N += _shares(drawn.values, drawn.trees, leaf_N, some[:, column], engine.settings.frequent)
            share_N /= len(drawn.trees.root_T)
            out[first : first + PART, column] = np.log((1 - SHARE) * share_N + SHARE * floor_N)
    return out


def _width(values: Values) -> float:
    """From the smallest value to the largest, in steps of its decimals."""
    if values.column.categories or not values.known:
        return float(len(values.value_U))
    known = values.value_U[: values.known]
    return float((known[-1] - known[0]) * 10.0 ** (values.column.precision or 0))


def _shares(values: Values, trees: Forest, leaf_N: Array, x_N: Array, frequent: int) -> Array:
    """(N,) the share of each leaf that a value has."""
    first_N, number_N = trees.start_M[leaf_N].astype(np.int64), trees.number_M[leaf_N].astype(np.int64)
    code_N = np.where(np.isnan(x_N), values.known, np.searchsorted(values.value_U[: values.known], x_N))
    code_N = np.minimum(code_N, len(values.value_U) - 1)
    from_N, to_N = trees.span(first_N, number_N, code_N), trees.span(first_N, number_N, code_N + 1)
    same_N = np.where(_equal(values.value_U[code_N], x_N), to_N - from_N, 0)
    loose_U = (values.count_U < frequent) & ~np.isnan(values.value_U)
    if values.column.categories or not loose_U.any():
        return np.asarray(same_N / number_N)
    loose_N = ~np.isnan(x_N) & (~_equal(values.value_U[code_N], x_N) | loose_U[code_N])
    step = 10.0 ** -(values.column.precision if values.column.precision is not None else 9)
    spread_N = _between(values, trees, first_N, number_N, x_N, step, loose_U)
    if values.column.precision is None:
        spread_N = spread_N / step
    return np.asarray(np.where(loose_N, spread_N, same_N) / number_N)


def _equal(a: Array, b: Array) -> Array:
    return np.asarray((a == b) | (np.isnan(a) & np.isnan(b)))


def _between(
    values: Values, trees: Forest, first_N: Array, number_N: Array, x_N: Array, step: float, loose_U: Array
) -> Array:
    """(N,) rows of a leaf whose draws round to a value: half a row to each side of each, spread to half-way."""
    low_N, high_N = x_N - step / 2, x_N + step / 2
    value = values.value_U[: values.known]
    out = np.zeros(len(x_N))
    start = trees.span(first_N, number_N, np.searchsorted(value, low_N, "left"))
    stop = trees.span(first_N, number_N, np.searchsorted(value, high_N, "right"))
    last_N = first_N + number_N - 1
    # The gaps that a value may lie in begin one member before the first inside, and end after the last one.
    for offset in range(-1, int(min(8, (stop - start).max(initial=0))) + 1):
        left = start + offset
        ok = (left >= first_N) & (left < stop) | (offset == -1) & (left >= first_N)
        left_ = np.clip(left, first_N, last_N)
        right_ = np.minimum(left_ + 1, last_N)
        a, b = trees.code_L[left_], trees.code_L[right_]
        moves = ok & loose_U[a] & loose_U[b] & (a != b)
        gap = np.where(moves, values.value_U[b] - values.value_U[a], 1.0)
        inside = np.clip(np.minimum(high_N, values.value_U[b]) - np.maximum(low_N, values.value_U[a]), 0, None)
        out += np.where(moves, inside / gap, 0.0)
        # Half a row stays where it is on a side that has nobody to move towards.
        own = ok & (values.value_U[a] >= low_N) & (values.value_U[a] <= high_N) & loose_U[a]
        out += np.where(own & ~(loose_U[b] & (a != b)), 0.5, 0.0)
        before = trees.code_L[np.maximum(left_ - 1, first_N)]
        out += np.where(own & ~(loose_U[before] & (before != a)), 0.5, 0.0)
    return out
