"""Randomness without state: every random number is a function of a seed and of where it is used.

Nothing in ilk keeps a generator across calls. A batch is a function of (seed, step), a sample of
(seed, index); so a resumed fit needs no generator state, ranks need no messages, and sample 17 is
the same whether 18 or a million are drawn. The generator is Philox, a counter-based generator
(Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


def fresh_seed() -> int:
    """A new seed for a caller who gave none; small enough to read out and to type."""
    return secrets.randbelow(2**31)


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """The generator that belongs to ``seed`` and a path of names.

    >>> a, b = stream(7, "noise", 3), stream(7, "noise", 3)
    >>> bool((a.normal(size=4) == b.normal(size=4)).all())
    True
    """
    digest = hashlib.sha256(repr((int(seed), *names)).encode()).digest()
    key = np.frombuffer(digest[:16], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


@lru_cache(maxsize=4)
def _shuffled(seed: int, epoch: int, count: int) -> Indices:
    return stream(seed, "epoch", epoch).permutation(count).astype(np.int64)


def batch_indices(seed: int, step: int, batch: int, count: int, rank: int = 0, world: int = 1) -> Indices:
    """Which examples rank ``rank`` of ``world`` takes at ``step``: every example once an epoch.

    The whole batch (``batch * world`` long) is the same for every split into ranks, so that two
    processes see what one with the doubled batch sees.

    Returns:
        (batch,) positions in ``range(count)``.
    """
    whole = batch * world
    places = np.arange(step * whole + rank * batch, step * whole + (rank + 1) * batch)
    epochs, offsets = np.divmod(places, count)
    out = np.empty(batch, dtype=np.int64)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        out[here] = _shuffled(seed, int(epoch), count)[offsets[here]]
    return out


def by_chunks(
    indices: Indices, chunk: int, make: Callable[[int, Indices], npt.NDArray[np.generic]]
) -> npt.NDArray[np.generic]:
    """Rows ``indices`` of an endless array that can only be made in aligned chunks.

    Floating point sums depend on the shape of the batch. An engine therefore always computes whole
    chunks ``[k * chunk, (k + 1) * chunk)`` and hands out the rows that were asked for.

    Args:
        indices: (N,) sample indices, any order.
        chunk: rows a chunk.
        make: ``make(first, rows)`` gives all ``chunk`` rows from index ``first``; ``rows`` are the
            positions in ``indices`` that fall into this chunk.
    """
    firsts = indices // chunk * chunk
    out: npt.NDArray[np.generic] | None = None
    for first in np.unique(firsts):
        rows = np.flatnonzero(firsts == first)
        made = make(int(first), rows)
        if out is None:
            out = np.empty((len(indices), *made.shape[1:]), dtype=made.dtype)
        out[rows] = made[indices[rows] - first]
    if out is None:
        raise ValueError("no indices")
    return out
