"""What engines that draw row by row from (seed, index) share: labels for open rows, and rows asked for twice.

Knows no space and no network.
"""

from __future__ import annotations

import numpy as np

from ilk.core.protocol import Array, Given
from ilk.core.seeds import Indices, by_chunks, stream


def turns(indices: Indices) -> list[Array]:
    """Row numbers in groups within which no index comes twice (it may be asked for with two labels)."""
    order = np.argsort(indices, kind="stable")
    ordered = indices[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    nth = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    return [order[nth == turn] for turn in range(int(nth.max(initial=0)) + 1)]


def uniform(name: str, indices: Indices, seed: int, chunk: int = 1024) -> Array:
    """One number in (0, 1] for each index."""
    return by_chunks(indices, chunk, lambda first, _rows: 1.0 - stream(seed, name, first).random(chunk))


def labels(shares_K: Array, indices: Indices, given: Given, seed: int) -> Indices:
    """The label of each row: the one that is asked for, or one drawn as often as in ``shares_K``.

    ``given.labels["label"]`` holds -1 where any will do; ``given.allowed["label"]`` limits what may be drawn.
    """
    asked = np.asarray(given.labels.get("label", np.full(len(indices), -1)), dtype=np.int64)
    share_NK = np.broadcast_to(shares_K, (len(indices), len(shares_K)))
    allowed = given.allowed.get("label")
    if allowed is not None:
        share_NK = np.where(allowed, np.maximum(share_NK, 1e-12), 0.0)
    return np.where(asked >= 0, asked, pick(share_NK, uniform("label", indices, seed))).astype(np.int64)


def pick(share_NK: Array, uniform_N: Array) -> Indices:
    """A level for each row: level k as often as its share of the row's sum."""
    up_to_NK = np.cumsum(share_NK, axis=1)
    drawn = (up_to_NK < (uniform_N * up_to_NK[:, -1])[:, None]).sum(axis=1)
    picked: Indices = np.minimum(drawn, share_NK.shape[1] - 1).astype(np.int64)
    return picked
