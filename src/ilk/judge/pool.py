"""All real examples by the features in which near means a copy: which are held out, and which occur once.

Where an example stands both among the training examples and among the held-out ones, nobody can say from a sample of
which it is a copy; where it occurs twice, that it comes again means nothing. Both are found here without a look at
any sample. Knows arrays and hashes, no kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ilk.core.distances import nearest
from ilk.core.protocol import Array
from ilk.core.seeds import stream

SAME = 0.05  # of the usual distance between neighbours: so near is the same thing saved twice


class Pool(NamedTuple):
    """Real examples in an order that says nothing.

    Attributes:
        near_NC: their features.
        trained: (N,) whether each is a training example.
        rows: (N,) where it stands among the training or the held-out examples.
        single: (N,) whether nothing else in the pool is the same.
        ratio: (N,) its distance to the nearest other example over that to the second nearest.
        gap: (N,) its distance to the nearest other example.
    """

    near_NC: Array
    trained: Array
    rows: Array
    single: Array
    ratio: Array
    gap: Array

    @property
    def repeated(self) -> Array:
        """Rows of the held-out examples that occur among the training examples or twice."""
        return np.sort(self.rows[~self.trained & ~self.single])


def ratios(apart_N2: Array) -> Array:
    """Nearest over second nearest distance: 0 for a copy, near 1 for what lies between two; 1 with one neighbour."""
    if apart_N2.shape[1] < 2:
        return np.ones(len(apart_N2))
    first, second = apart_N2.T
    return np.asarray(np.divide(first, second, out=np.ones(len(first)), where=second > 0))


def pool(train_NC: Array, holdout_MC: Array, hashes: Sequence[str], rows: tuple[Array, Array], seed: int) -> Pool:
    """Put training and held-out examples together.

    Args:
        train_NC: features, finite.
        holdout_MC: features, finite.
        hashes: what each of the N + M examples is, whatever file it stands in.
        rows: where the N and the M stood in what was handed in.
        seed: of the order.
    """
    near = np.concatenate([train_NC, holdout_MC])
    trained = np.arange(len(near)) < len(train_NC)
    codes, counts = np.unique(np.asarray(hashes, dtype=str), return_inverse=True, return_counts=True)[1:]
    order = stream(seed, "pool").permutation(len(near))
    near, trained, where = near[order], trained[order], np.concatenate(rows)[order]
    single = (counts[codes] == 1)[order]
    apart, others = nearest(near, near, 2, same=True)
    gap = apart[:, 0] if apart.shape[1] else np.full(len(near), np.inf)
    usual = gap[np.isfinite(gap) & (gap > 0)]
    close = gap <= (SAME * float(np.median(usual)) if len(usual) else 0.0)
    single &= ~close
    if apart.shape[1]:
        single[others[close, 0]] = False
    return Pool(near, trained, where, single, ratios(apart), gap)
