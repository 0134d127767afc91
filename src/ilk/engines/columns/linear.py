"""The linear prediction of a column from those before it, which trees see as one more column (a few for levels).

Ridge regression from one matrix of products (Hoerl & Kennard, 1970), of all columns at once; where there are very many
columns it also chooses those that a column is drawn from. A prediction is added up column by column, so that it is the
same to the bit for a row alone and among others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ilk.core.protocol import Array
from ilk.engines.columns.values import Values

PREDICTED = 8  # levels of a column that are predicted, the commonest ones
ROWS = 8192  # seen together


def outputs(values: Values) -> int:
    """How many predictions a column gets."""
    return min(PREDICTED, values.slots) if values.column.categories else 2


class Products:
    """Means and centred products of what is seen of all columns."""

    def __init__(self, values: Sequence[Values], x_NF: Array) -> None:
        self._values = values
        self.first = np.cumsum([0, *(each.slots for each in values)])
        width, count = int(self.first[-1]), len(x_NF)
        sum_W, product_WW = np.zeros(width), np.zeros((width, width))
        for row in range(0, count, ROWS):
            some = x_NF[row : row + ROWS]
            seen = np.concatenate([_wide(each, each.seen(some[:, j])) for j, each in enumerate(values)], axis=1)
            sum_W += seen.sum(axis=0, dtype=np.float64)
            product_WW += seen.T @ seen
        self.mean_W = sum_W / count
        self.product_WW = product_WW / count - np.outer(self.mean_W, self.mean_W)
        self.count = count

    def _of(self, columns: Sequence[int]) -> Array:
        return np.concatenate([np.arange(self.first[j], self.first[j + 1]) for j in columns])

    def nearest(self, column: int, before: Sequence[int], most: int) -> list[int]:
        """Of the columns before, those that say most of this one, in their order."""
        if len(before) <= most:
            return list(before)
        wanted = self._of([column])
        spread_W = np.sqrt(np.maximum(np.diag(self.product_WW), 1e-12))
        alike_W = (np.abs(self.product_WW[:, wanted]) / spread_W[:, None] / spread_W[wanted]).max(axis=1)
        says = [alike_W[self.first[j] : self.first[j + 1]].max() for j in before]
        return [before[place] for place in np.sort(np.argsort(says)[-most:])]

    def solve(self, column: int, before: Sequence[int], ridge: float) -> tuple[Array, Array]:
        """Weights (W, R) on what is seen of ``before``, and the constant (R,)."""
        seen, wanted = self._of(before), self._of([column])[: outputs(self._values[column])]
        a = self.product_WW[np.ix_(seen, seen)] + np.eye(len(seen)) * (ridge / self.count + 1e-9)
        weight = np.linalg.solve(a, self.product_WW[np.ix_(seen, wanted)])
        return weight.astype(np.float32), (self.mean_W[wanted] - self.mean_W[seen] @ weight).astype(np.float32)


def _wide(values: Values, seen: Array) -> Array:
    return np.eye(values.slots, dtype=np.float32)[seen] if seen.ndim == 1 else seen


def predict(weight_WR: Array, constant_R: Array, seen: Sequence[Array], slots: Sequence[int]) -> Array:
    """(N, R) float32 predictions.

    Args:
        weight_WR: of all columns before, one after the other.
        constant_R: what is added.
        seen: of each column before, as ``Values.seen`` gives it.
        slots: rows of the weights that belong to each.
    """
    out = np.repeat(constant_R[None], len(seen[0]), axis=0)
    first = 0
    for part, count in zip(seen, slots, strict=True):
        weight = weight_WR[first : first + count]
        if part.ndim == 1:
            out += weight[part]
        else:
            for place in range(count):
                out += part[:, place, None] * weight[place]
        first += count
    return out
