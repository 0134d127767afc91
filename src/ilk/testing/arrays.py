"""Named arrays for the checks: equality to the bit, data in memory, random data of a Space.

It knows the built-in Spaces; whoever checks an engine over a Space of their own hands in ``data``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ilk.core.protocol import Array, Arrays, Condition, Levels
from ilk.core.rows import LENGTH, PIECE, pick
from ilk.core.seeds import stream
from ilk.core.spaces import Columns, Grid, Space, Tokens, Vector


class ArrayData:
    """Encoded examples in memory; satisfies ``ilk.core.protocol.Data``."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = {name: np.asarray(array) for name, array in arrays.items()}

    def __len__(self) -> int:
        return len(self.arrays["x"])

    def take(self, indices: Array) -> Arrays:
        return pick(self.arrays, indices)

    def column(self, name: str) -> Array:
        return self.arrays[name]

    def head(self, count: int) -> ArrayData:
        """The first rows."""
        return ArrayData({name: array[:count] for name, array in self.arrays.items()})


def same(a: Arrays, b: Arrays) -> bool:
    """Whether names, types, shapes and all bits are equal (NaN equals NaN)."""
    return a.keys() == b.keys() and all(same_array(a[name], b[name]) for name in a)


def same_array(a: Array, b: Array) -> bool:
    """Whether type, shape and bits are equal."""
    return (
        a.dtype == b.dtype
        and a.shape == b.shape
        and np.ascontiguousarray(a).tobytes() == (np.ascontiguousarray(b).tobytes())
    )


def differing(a: Arrays, b: Arrays) -> str:
    """The names that are not equal, for a sentence."""
    names = [name for name in {**a, **b} if name not in a or name not in b or not same_array(a[name], b[name])]
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def level_names(conditions: Mapping[str, Condition]) -> dict[str, int]:
    """Condition -> number of levels, for those that have levels."""
    return {name: len(c.names) for name, c in conditions.items() if isinstance(c, Levels)}


def random_data(space: Space, conditions: Mapping[str, Condition], count: int = 40, seed: int = 0) -> ArrayData:
    """Data without meaning for an engine over a built-in Space; ``label`` where there are levels.

    Raises:
        ValueError: the Space is not built in.
    """
    random = stream(seed, "testing")
    if isinstance(space, Tokens):
        return ArrayData(_sequences(space, count, random))
    x = _random_x(space, count, random)
    levels = list(level_names(conditions).values())
    return ArrayData({"x": x, "label": random.integers(0, levels[0], count)} if levels else {"x": x})


def _sequences(space: Tokens, count: int, random: np.random.Generator) -> dict[str, Array]:
    """Whole sequences and ones in parts: every third goes on in the row after it."""
    length = random.integers(max(1, space.length // 2), space.length + 1, count)
    x = random.integers(0, space.vocabulary, (count, int(length.max())))
    x[x == space.end] = (space.end + 1) % space.vocabulary
    piece = (np.arange(count) % 3 == 1).astype(np.int64)
    whole = np.roll(piece, -1) == 0
    x[whole, length[whole] - 1] = space.end
    return {"x": np.where(np.arange(x.shape[1]) < length[:, None], x, 0), LENGTH: length, PIECE: piece}


def _random_x(space: Space, count: int, random: np.random.Generator) -> Array:
    if isinstance(space, Grid):
        low = random.uniform(-1, 1, (count, space.channels, 1, 1))
        ramp = np.linspace(-0.5, 0.5, space.height * space.width).reshape(1, 1, space.height, space.width)
        return np.clip(low + ramp, -1, 1).astype(np.float32)
    if isinstance(space, Columns):
        columns = [
            random.integers(0, c.categories, count) if c.categories else random.normal(size=count)
            for c in space.columns
        ]
        return np.stack(columns, axis=1).astype(np.float64)
    if type(space) is Vector:
        return random.normal(size=(count, space.size)).astype(np.float32)
    raise ValueError(f"there is no random data for {type(space).__name__}: hand in data={{'x': ...}}")
