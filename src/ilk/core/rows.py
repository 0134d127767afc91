"""Named arrays whose rows differ in length: joined, picked, kept flat. Knows no kind and no Space.

Where arrays hold ``length`` (N,), the second axis of every longer array is padded with zeros to its longest row
(``ilk.core.protocol.Arrays``). On disk only what counts is kept, one row after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ilk.core.protocol import Array, Arrays

LENGTH = "length"
PIECE = "piece"
"""Which part of a sequence a row holds, where it is kept in parts: (N,) int64, 0 for the first one."""
ROW = "row"
"""Which sample a row is, (N,) int64, where it was made: beside what an engine gives, when it is decoded."""
EFFECTIVE = "effective"
"""Of how many candidates a row was chosen, in effect, (N,) float64: where conditions are too rare to wait for."""


def ragged(arrays: Arrays) -> list[str]:
    """The names of arrays whose rows differ in length."""
    return [name for name, array in arrays.items() if array.ndim > 1] if LENGTH in arrays else []


def join(parts: Sequence[Arrays]) -> dict[str, Array]:
    """Arrays of several calls one after the other; rows that differ in length are padded alike."""
    wide = {name: max(part[name].shape[1] for part in parts) for name in ragged(parts[0])}
    return {
        name: np.concatenate([_widened(part[name], wide[name]) if name in wide else part[name] for part in parts])
        for name in parts[0]
    }


def pick(arrays: Arrays, rows: Array) -> dict[str, Array]:
    """Some rows of all arrays, no wider than they need."""
    picked = {name: array[rows] for name, array in arrays.items()}
    longest = int(picked[LENGTH].max(initial=0)) if LENGTH in picked else 0
    return {**picked, **{name: picked[name][:, :longest] for name in ragged(picked)}}


def flat(array: Array, length_N: Array) -> Array:
    """What counts of an (N, L, ...) array, as (sum of lengths, ...)."""
    counts: Array = np.arange(array.shape[1]) < np.asarray(length_N)[:, None]
    return array[counts]


def unflat(values: Array, start_N: Array, length_N: Array) -> Array:
    """Rows of :func:`flat`'s output, (N, longest, ...), padded with zeros."""
    place_NL = np.arange(int(length_N.max(initial=0)))
    counts = place_NL < length_N[:, None]
    rows = np.zeros((*counts.shape, *values.shape[1:]), dtype=values.dtype)
    rows[counts] = values[(start_N[:, None] + place_NL)[counts]]
    return rows


def starts(lengths: Array) -> Array:
    """Where each row begins in :func:`flat`'s output, (N,) int64."""
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))[:-1]]).astype(np.int64)


def _widened(array: Array, width: int) -> Array:
    more = [(0, 0)] * array.ndim
    more[1] = (0, width - array.shape[1])
    return np.pad(array, more)


def row_bytes(arrays: Mapping[str, Array], name: str, row: int) -> bytes:
    """The bytes of one row, without padding."""
    array = arrays[name][row]
    if name in ragged(arrays):
        array = array[: int(arrays[LENGTH][row])]
    return np.ascontiguousarray(array).tobytes()
