"""Distances between rows of features, in blocks, so that 10,000 against 40,000 fits into memory.

Knows only arrays. The coarse distances come from one matrix product a block in float32; those that are handed
out are computed again in float64, since the expansion ``|a|^2 + |b|^2 - 2 a.b`` loses the digits of small ones.
"""

from __future__ import annotations

import numpy as np

from ilk.core.protocol import Array

BLOCK = 1 << 24  # entries of a block of distances
SPARE = 4  # neighbours more than asked for, to be put in order by their exact distances


def between(a_NF: Array, b_MF: Array) -> Array:
    """(N, M) float64 Euclidean distances; equal rows are at exactly 0. For a few thousand rows."""
    centre = b_MF.mean(axis=0, dtype=np.float64) if len(b_MF) else 0.0
    a, b = a_NF.astype(np.float64) - centre, b_MF.astype(np.float64) - centre
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :]
    apart = squares - 2 * (a @ b.T)
    apart[apart < 1e-12 * squares] = 0
    return np.asarray(np.sqrt(apart))


def nearest(a_NF: Array, b_MF: Array, k: int = 1, *, same: bool = False) -> tuple[Array, Array]:
    """The ``k`` nearest rows of ``b`` for each row of ``a``, nearest first.

    Args:
        a_NF: where to look from.
        b_MF: where to look.
        k: neighbours; fewer come back where ``b`` has fewer rows.
        same: ``a`` is ``b``, and no row is its own neighbour.

    Returns:
        (N, k) float64 distances and (N, k) rows of ``b``.
    """
    k = max(0, min(k, len(b_MF) - same))
    apart, rows = np.empty((len(a_NF), k)), np.empty((len(a_NF), k), dtype=np.int64)
    if k == 0 or len(a_NF) == 0:
        return apart, rows
    centre = b_MF.mean(axis=0, dtype=np.float64)
    a, b = (a_NF - centre).astype(np.float32), (b_MF - centre).astype(np.float32)
    squares = (b**2).sum(axis=1)
    wide = min(k + SPARE, len(b) - same)
    step = max(1, BLOCK // len(b))
    for first in range(0, len(a), step):
        block = a[first : first + step]
        coarse = squares - 2 * (block @ b.T)  # less the row's own square, which orders nothing
        if same:
            coarse[np.arange(len(block)), np.arange(first, first + len(block))] = np.inf
        found = np.argpartition(coarse, wide - 1, axis=1)[:, :wide] if wide < len(b) else _all(coarse, wide)
        exact = _exact(a_NF[first : first + step], b_MF, found)
        order = np.argsort(exact, axis=1, kind="stable")[:, :k]
        apart[first : first + step] = np.take_along_axis(exact, order, axis=1)
        rows[first : first + step] = np.take_along_axis(found, order, axis=1)
    return apart, rows


def _all(coarse: Array, wide: int) -> Array:
    return np.asarray(np.argsort(coarse, axis=1)[:, :wide])


def _exact(a_NF: Array, b_MF: Array, rows_NK: Array) -> Array:
    columns = [((a_NF.astype(np.float64) - b_MF[rows]) ** 2).sum(axis=1) for rows in rows_NK.T]
    return np.asarray(np.sqrt(np.stack(columns, axis=1)))
