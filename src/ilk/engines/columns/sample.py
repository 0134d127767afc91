"""Drawing rows, column by column; row i is a function of (weights, its conditions, seed, i) alone.

What is asked of a row is a :class:`Box`: bounds for numbers, levels that may be. Rows that meet it are waited for where
they are common (rejection, exact). Where they are rare, each row is one of many candidates that are held inside the box
and weighed by how likely the trees find that (likelihood weighting: Fung & Chang, 1990), never held without weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ilk.core.protocol import Array, Given
from ilk.core.seeds import by_chunks, stream
from ilk.engines.columns.boxes import Box, box_of
from ilk.engines.columns.forest import Forest
from ilk.engines.columns.model import features
from ilk.engines.columns.settings import SampleSettings
from ilk.engines.columns.values import Values

if TYPE_CHECKING:
    from ilk.engines.columns.engine import ColumnsEngine

CHUNK = 1024  # rows whose random numbers are made together
PILOT = 4096  # rows that tell how common a condition is
PATIENCE = 20  # times as many tries as a row needs on average
PINNED = 3  # fixed values that a row is still waited for with
PART = 2**15  # rows, or candidates, that are drawn together
DRAWS = 3  # random numbers a value: which tree, which of the leaf, how far beside it


class Rows(NamedTuple):
    """Rows that were drawn, and the log of what they weigh."""

    x_NF: Array
    weight_N: Array


class Chosen(NamedTuple):
    """Rows, and of how many candidates each was chosen, in effect (Kish's sample size); NaN where none was needed."""

    x_NF: Array
    effective_N: Array


def draw(engine: ColumnsEngine, indices: Array, given: Given, seed: int, settings: SampleSettings) -> Chosen:
    """(N, F) float64 rows ``indices`` that meet ``given``."""
    effective_N = np.full(len(indices), np.nan)
    if not len(indices):
        return Chosen(np.zeros((0, len(engine.space.columns))), effective_N)
    box = box_of(engine.space, given, len(indices))
    if box is None:
        return Chosen(_plain(engine, indices, seed, "row"), effective_N)
    out = np.empty((len(indices), len(engine.space.columns)))
    left = _wait(engine, indices, box, seed, settings.rare, out)
    if len(left):
        out[left], effective_N[left] = _weigh(engine, indices[left], box.rows(left), seed, settings.particles)
    return Chosen(out, effective_N)


def _uniform(names: tuple[str | int, ...], indices: Array, columns: int, seed: int) -> Array:
    """(N, F, DRAWS) float64 in [0, 1)."""
    return by_chunks(indices, CHUNK, lambda first, _: stream(seed, *names, first).random((CHUNK, columns, DRAWS)))


def _plain(engine: ColumnsEngine, indices: Array, seed: int, *names: str | int) -> Array:
    columns = len(engine.space.columns)
    out = np.empty((len(indices), columns))
    for first in range(0, len(indices), PART):
        some = indices[first : first + PART]
        out[first : first + PART] = walk(engine, _uniform(names, some, columns, seed), None).x_NF
    return out


def _shares(engine: ColumnsEngine, box: Box, seed: int) -> Array:
    """(N,) how many of all rows meet what is asked of each; 0 where so much is fixed that hardly any will."""
    share_N = np.zeros(len(box.low_NF))
    loose = np.flatnonzero(box.pinned_N <= PINNED)
    if loose.size:
        x_NF = _plain(engine, np.arange(PILOT), seed, "pilot")
        for rows in box.rows(loose).alike():
            share_N[loose[rows]] = box.rows(loose[rows[:1]]).holds(x_NF).mean()
    return share_N


def _wait(engine: ColumnsEngine, indices: Array, box: Box, seed: int, rare: float, out: Array) -> Array:
    """Draw rows until they meet their conditions; those that are too rare to, or did not, are returned."""
    share_N = _shares(engine, box, seed)
    common = share_N >= max(rare, 1 / PILOT)
    most_N = np.where(common, PATIENCE / np.maximum(share_N, 1 / PILOT), 0)
    left, lost, attempt = np.flatnonzero(common), np.flatnonzero(~common), 0
    while left.size:
        x_NF = _plain(engine, indices[left], seed, "try", attempt)
        met = box.rows(left).holds(x_NF)
        out[left[met]] = x_NF[met]
        attempt += 1
        late = ~met & (most_N[left] <= attempt)
        lost = np.concatenate([lost, left[late]])
        left = left[~met & ~late]
    return np.sort(lost)


def _weigh(engine: ColumnsEngine, indices: Array, box: Box, seed: int, particles: int) -> tuple[Array, Array]:
    """For each row one of many candidates inside its box, by weight; and how many of them count."""
    columns = len(engine.space.columns)
    out, effective_N = np.empty((len(indices), columns)), np.empty(len(indices))
    step = max(1, PART // particles)
    for first in range(0, len(indices), step):
        some = indices[first : first + step]
        uniform = np.stack([_uniform(("candidate", k), some, columns, seed) for k in range(particles)], axis=1)
        asked = box.rows(np.arange(first, first + len(some))).repeated(particles)
        rows = walk(engine, uniform.reshape(-1, columns, DRAWS), asked)
        weight_NK = rows.weight_N.reshape(len(some), particles)
        share_NK = np.exp(weight_NK - weight_NK.max(axis=1, keepdims=True))
        up_to_NK = np.cumsum(share_NK, axis=1)
        chosen = by_chunks(some, CHUNK, lambda at, _: stream(seed, "chosen", at).random(CHUNK))
        place = (up_to_NK < (chosen * up_to_NK[:, -1])[:, None]).sum(axis=1)
        out[first : first + step] = rows.x_NF.reshape(len(some), particles, columns)[np.arange(len(some)), place]
        effective_N[first : first + step] = share_NK.sum(axis=1) ** 2 / (share_NK**2).sum(axis=1)
    return out, effective_N


def walk(engine: ColumnsEngine, uniform_NFD: Array, asked: Box | None) -> Rows:
    """Rows from random numbers; inside their boxes where that is asked of them."""
    count, columns = uniform_NFD.shape[:2]
    x_NF, place_NF = np.empty((count, columns)), np.empty((count, columns), np.float32)
    if not engine.drawn:
        return Rows(_unlearned(engine, uniform_NFD), np.zeros(count))
    seen: dict[int, Array] = {}
    weight_N = np.zeros(count)
    for column in engine.order:
        drawn, u_ND = engine.drawn[column], uniform_NFD[:, column]
        trees = drawn.trees
        root_N = trees.root_T[(u_ND[:, 0] * len(trees.root_T)).astype(np.int64)]
        look = features(engine.drawn, column, place_NF, seen)
        leaf_N = trees.leaves(look, root_N)
        x_N = _beside(drawn.values, trees, leaf_N, u_ND, engine.settings.frequent)
        if asked is not None and len(some := asked.asked(column)):
            box, frequent = asked.rows(some), engine.settings.frequent
            x_N[some], share_N = box.inside(column, drawn.values, trees, leaf_N[some], u_ND[some], frequent)
            weight_N[some] += np.log(share_N)
        x_NF[:, column] = x_N
        place_NF[:, column], seen[column] = drawn.values.places(x_N), drawn.values.seen(x_N)
    return Rows(x_NF, weight_N)


def _beside(values: Values, trees: Forest, leaf_N: Array, u_ND: Array, frequent: int) -> Array:
    """A value of each leaf, or one beside it."""
    first_N, number_N = trees.start_M[leaf_N], trees.number_M[leaf_N]
    place_N = first_N + (u_ND[:, 1] * number_N).astype(np.int64)
    return values.smoothed(trees.code_L, place_N, first_N, first_N + number_N - 1, u_ND[:, 2], frequent)


def _unlearned(engine: ColumnsEngine, uniform_NFD: Array) -> Array:
    """Rows of an engine that has seen nothing: levels at random, numbers around 0."""
    parts = [
        np.floor(uniform_NFD[:, j, 0] * column.categories)
        if column.categories
        else np.round(6 * uniform_NFD[:, j].mean(axis=1) - 3, 6 if column.precision is None else column.precision)
        for j, column in enumerate(engine.space.columns)
    ]
    return np.stack(parts, axis=1)
