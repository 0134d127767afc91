"""Learning: one tree a step, each column's first, then each column's second, and so on.

    sequential trees       Reiter, "Using CART to generate partially synthetic public use microdata", 2005
    several, a draw each   Breiman, "Random forests", 2001, without the bootstrap, which leaves hold copies of

Nothing is counted here; saving and stopping belong to ``ilk.core.run``. All ranks learn the same from the same rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from ilk.core.plan import Budget
from ilk.core.protocol import Array, Data, Metrics
from ilk.core.seeds import stream
from ilk.engines.columns.forest import Forest, grow
from ilk.engines.columns.linear import Products
from ilk.engines.columns.model import Drawn, features
from ilk.engines.columns.settings import Trees
from ilk.engines.columns.values import Values, effects_of, tabulate, target

if TYPE_CHECKING:
    from ilk.engines.columns.engine import ColumnsEngine

PART = 65_536  # rows read together
MANY = 50  # levels of a category that is drawn after the numbers
MOSTLY = 0.8  # of few columns, how many a split looks at: where it looks at all, all trees are the same


def learn(engine: ColumnsEngine, data: Data, budget: Budget) -> Iterator[Metrics]:
    """One tree a step; yields ``explained``, the mean share of a column's variance that the last trees explain.

    A budget in steps is used up, one in seconds only until each column has its ``trees``.
    """
    last = engine.settings.trees * len(engine.space.columns)
    if budget.over or (budget.plan.steps is None and budget.step >= last):
        return
    x_NF = _read(data, len(engine.space.columns))
    if not engine.drawn:
        _begin(engine, x_NF)
    lesson = _Lesson(engine, x_NF)
    explained = dict.fromkeys(range(len(engine.order)), 0.0)
    with ThreadPoolExecutor(max(1, engine.plan.threads)) as pool:
        ahead: deque[Future[tuple[Forest, float] | None]] = deque()
        step = budget.step
        while True:
            while len(ahead) < max(1, engine.plan.threads):
                ahead.append(pool.submit(lesson, budget.step + len(ahead)))
            found, column = ahead.popleft().result(), lesson.column(step)
            if found is not None:
                drawn = engine.drawn[column]
                forest = found[0] if drawn.forest is None else drawn.forest.joined(found[0])
                engine.version += 1
                engine.drawn[column], explained[column] = drawn._replace(forest=forest), found[1]
            yield {"explained": float(np.mean(list(explained.values())))}
            step = budget.step
            if budget.over or (budget.plan.steps is None and step >= last):
                return


def _read(data: Data, columns: int) -> Array:
    x_NF = np.empty((len(data), columns))
    for first in range(0, len(data), PART):
        rows = np.arange(first, min(first + PART, len(data)))
        x_NF[rows] = data.take(rows)["x"]
    return x_NF


def _begin(engine: ColumnsEngine, x_NF: Array) -> None:
    """The tables of values, the order, and the linear predictions of all columns."""
    values = [tabulate(column, x_NF[:, j]) for j, column in enumerate(engine.space.columns)]
    engine.order = order_of(values)
    products = Products(values, x_NF)
    drawn: list[Drawn | None] = [None] * len(values)
    for place, column in enumerate(engine.order):
        before = tuple(products.nearest(column, engine.order[:place], engine.settings.columns))
        weight_WR, constant_R = np.zeros((0, 0), np.float32), np.zeros(0, np.float32)
        if before:
            weight_WR, constant_R = products.solve(column, before, engine.settings.ridge)
        effect_E = _effects(values, column, before, x_NF, engine.settings.rows, engine.plan.seed)
        drawn[column] = Drawn(values[column], before, weight_WR, constant_R, effect_E)
    engine.drawn = [each for each in drawn if each is not None]


def _effects(values: list[Values], column: int, before: tuple[int, ...], x_NF: Array, most: int, seed: int) -> Array:
    """(E,) float32: of all levels of the columns before, those that have levels."""
    levels = [j for j in before if values[j].column.categories]
    if not levels:
        return np.zeros(0, np.float32)
    some = x_NF[:: -(-len(x_NF) // most)]
    target_NT = target(values[column], some[:, column], stream(seed, "effect", column))
    return np.concatenate([effects_of(values[j].codes(some[:, j]), len(values[j].value_U), target_NT) for j in levels])


def order_of(values: list[Values]) -> tuple[int, ...]:
    """Categories first, those with few levels before those with many; then numbers, in the same way.

    Of many levels (places, jobs) numbers tell more than they tell of numbers, so these come last.
    """
    groups = [2 if each.column.categories > MANY else 0 if each.column.categories else 1 for each in values]
    keys = [(group, len(each.value_U), place) for place, (group, each) in enumerate(zip(groups, values, strict=True))]
    return tuple(place for *_, place in sorted(keys))


class _Lesson:
    """The tree of any step: a function of (data, settings, seed, step) alone."""

    def __init__(self, engine: ColumnsEngine, x_NF: Array) -> None:
        self._engine, self._x = engine, x_NF
        self._values = [drawn.values for drawn in engine.drawn]
        self._place = np.stack([each.places(x_NF[:, j]) for j, each in enumerate(self._values)], axis=1)
        self._code = [each.codes(x_NF[:, j]) for j, each in enumerate(self._values)]

    def column(self, step: int) -> int:
        """Whose turn it is."""
        order = self._engine.order
        return order[step % len(order)]

    def __call__(self, step: int) -> tuple[Forest, float] | None:
        engine, column = self._engine, self.column(step)
        own, settings, seed = engine.drawn[column], engine.settings, engine.plan.seed
        if not own.before:
            return None  # how often each value comes is all there is to know
        random = stream(seed, "tree", step)
        rows = np.arange(len(self._x))
        if len(rows) > settings.rows:
            rows = np.sort(random.choice(len(rows), settings.rows, replace=False))
        seen = {j: self._values[j].seen(self._x[rows, j]) for j in own.before}
        features_NP = features(engine.drawn, column, self._place[rows], seen)
        return grow(
            features_NP,
            target(own.values, self._x[rows, column], random),
            self._code[column][rows],
            settings.leaf,
            share_of(settings, features_NP.shape[1]),
            int(random.integers(2**31)),
        )


def share_of(settings: Trees, columns: int) -> float:
    """Of the columns that a split looks at: a share of many, nearly all of few."""
    return max(settings.share, min(MOSTLY, settings.least / columns))
