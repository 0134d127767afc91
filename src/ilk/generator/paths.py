"""Where to go among noise vectors: neighbours, the arc between two, a closed walk. Arithmetic alone.

Vectors are standard normal in L numbers. In many dimensions nearly all of them have a length near sqrt(L), and
a generator has seen no other: so whatever is done here keeps that length (White, "Sampling Generative Networks",
2016).
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ilk.core.protocol import Array
from ilk.core.seeds import by_chunks, stream

SPREAD = 0.6  # radians from an object to its neighbours at temperature 1; unrelated vectors stand at 1.57
PACE = 0.9  # radians a second on a walk
CHUNK = 256


def neighbours(z_L: Array, indices: Array, seed: int, spread: float) -> Array:
    """(N, L) vectors at one angle from ``z_L``, in directions of their own; index 0 is ``z_L`` itself.

    ``z_i = cos(a) z + sin(a) u_i`` with ``u_i`` random, at a right angle to z and as long; the angle a grows with
    ``spread`` up to a right angle, where nothing of z is left.
    """
    angle = min(math.pi / 2, SPREAD * spread)
    z_L = np.asarray(z_L, dtype=np.float64)
    length = max(float(np.linalg.norm(z_L)), 1e-9)
    noise_NL: Array = by_chunks(
        indices, CHUNK, lambda first, _: stream(seed, "near", first).normal(size=(CHUNK, len(z_L)))
    )
    across_NL = noise_NL - np.outer(noise_NL @ z_L, z_L) / length**2
    across_NL *= length / np.maximum(np.linalg.norm(across_NL, axis=1, keepdims=True), 1e-9)
    out = math.cos(angle) * z_L + math.sin(angle) * across_NL
    return np.where((indices == 0)[:, None], z_L, out).astype(np.float32)


def arc(a_L: Array, b_L: Array, share_N: Array) -> Array:
    """(N, L) vectors on the arc from a (share 0) to b (share 1); the length goes evenly from one to the other.

    ``(sin((1 - s) w) a' + sin(s w) b') / sin w`` for the directions a', b' at the angle w (Shoemake, "Animating
    Rotation with Quaternion Curves", 1985).
    """
    a, b = np.asarray(a_L, dtype=np.float64), np.asarray(b_L, dtype=np.float64)
    lengths = np.maximum([np.linalg.norm(a), np.linalg.norm(b)], 1e-9)
    along_a, along_b = a / lengths[0], b / lengths[1]
    angle = math.acos(float(np.clip(along_a @ along_b, -1, 1)))
    s = np.asarray(share_N, dtype=np.float64)[:, None]
    if math.sin(angle) < 1e-4:  # the same direction (or the opposite one, which no noise has by chance)
        direction = (1 - s) * along_a + s * along_b
    else:
        direction = (np.sin((1 - s) * angle) * along_a + np.sin(s * angle) * along_b) / math.sin(angle)
    out = direction * ((1 - s) * lengths[0] + s * lengths[1])
    out = np.where(s == 0, a, np.where(s == 1, b, out))  # the ends to the bit
    return out.astype(np.float32)


def mixed(a: Array, b: Array, share_N: Array, levels: int) -> Array:
    """Labels on the way from a to b, (1,) levels or (1, K) shares each: one level, or the shares of all, (N, K)."""
    if a.ndim == 1 and np.array_equal(a, b):
        return np.repeat(a, len(share_N))
    ends = [np.eye(levels)[each] if each.ndim == 1 else each for each in (a, b)]
    s = np.asarray(share_N)[:, None]
    shares_NK: Array = ((1 - s) * ends[0] + s * ends[1]).astype(np.float32)
    return shares_NK


class Point(NamedTuple):
    """A place: one vector, and its labels of one row each: (1,) a level, or (1, K) the shares of all."""

    z_L: Array
    labels: dict[str, Array]


class Track(NamedTuple):
    """Places in a row: around one point, or from one to another.

    ``form`` is ``near`` (one point) or ``between`` (two); ``places`` is how many places there are, ``levels`` how many
    levels a label has.
    """

    form: str
    points: list[Point]
    places: int
    seed: int
    spread: float
    levels: int

    def at(self, indices: Array) -> tuple[Array, dict[str, Array]]:
        """Vectors (N, L) and labels of the places ``indices``."""
        first = self.points[0]
        if self.form == "near":
            labels = {name: np.repeat(array, len(indices), axis=0) for name, array in first.labels.items()}
            return neighbours(first.z_L, indices, self.seed, self.spread), labels
        last, share_N = self.points[1], indices / max(1, self.places - 1)
        labels = {name: mixed(first.labels[name], last.labels[name], share_N, self.levels) for name in first.labels}
        return arc(first.z_L, last.z_L, share_N), labels

    def recipe(self) -> dict[str, Any]:
        """What the ledger remembers: the places themselves, for files may change or go."""
        z_PL = np.stack([point.z_L for point in self.points]).astype("<f4")
        labels = {name: [point.labels[name].tolist() for point in self.points] for name in self.points[0].labels}
        return {"form": self.form, "z": base64.b64encode(z_PL.tobytes()).decode(), "labels": labels}


def read_points(recipe: Mapping[str, Any]) -> list[Point]:
    """The points of a recipe: one, two, or none where it cannot be read."""
    count = {"near": 1, "between": 2}.get(str(recipe.get("form")), 0)
    try:
        z_PL = np.frombuffer(base64.b64decode(recipe["z"]), "<f4").reshape(count, -1)
        labels = {name: [np.array(row) for row in rows] for name, rows in recipe["labels"].items()}
        return [Point(z_PL[row], {name: rows[row] for name, rows in labels.items()}) for row in range(count)]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return []


class Loop:
    """A smooth closed walk: a random Fourier series in time.

    ``z(t) = w_0 c + sum_k w_k (a_k cos(2 pi k t / T) + b_k sin(2 pi k t / T))`` with standard normal a, b, c and
    squared weights that add up to 1: at every moment z is standard normal, as a sample's noise is. The weights
    fall off with k so that it moves at ``PACE``, however long it is; a short one stays near its middle.

    Args:
        seed: of the walk.
        tile: which of the walks of this seed.
        seconds: after which it comes back.
        size: L.
        temperature: scales it.
    """

    def __init__(self, seed: int, tile: int, seconds: float, size: int, temperature: float) -> None:
        weights = _weights(PACE * seconds / (2 * math.pi))
        noise = stream(seed, "walk", tile).standard_normal((2 * len(weights) - 1, size))
        self._seconds = seconds
        self._turns = np.arange(1, len(weights)) * 2 * math.pi / seconds
        self._middle = temperature * weights[0] * noise[0]
        waves = temperature * weights[1:, None]
        self._cos, self._sin = waves * noise[1 : len(weights)], waves * noise[len(weights) :]

    def __call__(self, seconds_N: Array) -> Array:
        """(N, L) float32 where it is at these seconds."""
        angle = np.outer(np.asarray(seconds_N) % self._seconds, self._turns)
        z_NL: Array = self._middle + np.cos(angle) @ self._cos + np.sin(angle) @ self._sin
        return z_NL.astype(np.float32)


def _weights(turns: float) -> Array:
    """Weights of the waves 0, 1, 2, ... whose mean square number is ``turns`` squared, of a bell's shape."""
    wave = np.arange(math.ceil(4 * turns) + 3)

    def bell(width: float) -> Array:
        square = np.exp(-0.5 * (wave / width) ** 2)
        out: Array = square / square.sum()
        return out

    low, high = 1e-2, 4 * turns + 1
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if (bell(middle) * wave**2).sum() < turns**2 else (low, middle)
    out: Array = np.sqrt(bell(low))
    return out
