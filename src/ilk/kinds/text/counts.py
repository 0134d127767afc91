"""How often each short run of letters and each word occurs in a text, as sparse numbers of fixed width.

Runs of one to four letters and whole words are hashed into buckets, for many texts at once. What is made of the
numbers is told in ``features.py``.

Weinberger et al., "Feature hashing for large scale multitask learning", 2009.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

RUNS = 4
BUCKETS = 2**12
"""For runs of letters, and as many for words."""
WIDTH = 2 * BUCKETS
MOST_CHARACTERS = 4_000
"""Of a text; what comes later says little more about its wording."""
_BATCH = 256
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def count(texts: Sequence[str]) -> Any:
    """(N, WIDTH) counts as a sparse matrix of float32, in rows."""
    from scipy import sparse

    parts = [_counted(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
    return sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, WIDTH), dtype=np.float32)


def _counted(texts: Sequence[str]) -> Any:
    from scipy import sparse

    # A NUL ends each text; a space before it makes the first word begin like any other.
    lowered = [f" {text[:MOST_CHARACTERS].lower()} \0" for text in texts]
    codes = np.frombuffer("".join(lowered).encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    owner = np.repeat(np.arange(len(texts)), [len(text) for text in lowered])
    cells = [owner_[0] * WIDTH + owner_[1] for owner_ in (*_runs(codes, owner), _words(codes, owner))]
    cell, times = np.unique(np.concatenate(cells), return_counts=True)
    row, bucket = np.divmod(cell, WIDTH)
    shape = (len(texts), WIDTH)
    return sparse.csr_matrix((times.astype(np.float32), (row, bucket)), shape=shape)


def _runs(codes: npt.NDArray[np.uint64], owner: npt.NDArray[np.int64]) -> list[tuple[Any, Any]]:
    """For each length the texts and buckets of all runs that do not go over the end of a text."""
    found = []
    value = np.zeros(len(codes), np.uint64)
    for length in range(1, RUNS + 1):
        keep = len(codes) - length + 1
        if keep <= 0:
            break
        value = (value[:keep] + codes[length - 1 :]) * _FACTOR
        value ^= value >> np.uint64(29)
        whole = (owner[:keep] == owner[length - 1 :]) & (codes[length - 1 :] != 0)
        found.append((owner[:keep][whole], (value[whole] >> np.uint64(64 - 12)).astype(np.int64)))
    return found


def _words(codes: npt.NDArray[np.uint64], owner: npt.NDArray[np.int64]) -> tuple[Any, Any]:
    """The texts and buckets of all words: what stands between white space."""
    inside = codes > 32
    first = np.flatnonzero(inside & ~np.concatenate([[False], inside[:-1]]))
    if not len(first):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    place = np.arange(len(codes), dtype=np.uint64)
    begin = np.repeat(first, np.diff(np.append(first, len(codes)))).astype(np.uint64)
    mixed = np.where(inside[first[0] :], codes[first[0] :] * (2 * (place[first[0] :] - begin) + 1), 0)
    value = np.add.reduceat(mixed * _FACTOR, first - first[0])
    value = (value ^ (value >> np.uint64(29))) * _FACTOR
    return owner[first], (value >> np.uint64(64 - 12)).astype(np.int64) + BUCKETS
