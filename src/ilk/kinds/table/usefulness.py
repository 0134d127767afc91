"""Can made rows stand in for real ones where something learns to foretell a column?

Train on synthetic, test on real: Esteban, Hyland and Raetsch, "Real-valued (medical) time series generation with
recurrent conditional GANs", 2017. Up to three columns are foretold: the last one with few values, which in most tables
is what they were collected for; of the others the category and the number that hang together most with the rest. A
column that another one gives away (an association above 0.98) teaches nothing and is passed over; one that real rows
foretell without a mistake comes last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ilk.core.protocol import Array, Exhibit, Finding
from ilk.kinds.table.chances import Interval, auc, bootstrap
from ilk.kinds.table.critic import booster
from ilk.kinds.table.measures import USEFUL
from ilk.kinds.table.shapes import associations
from ilk.kinds.table.sides import Sides
from ilk.kinds.table.sight import Column, Sight
from ilk.kinds.table.svg import short

FEWEST, MOST_CLASSES = 30, 10
FEWEST_OF_CLASS = 8  # rows to learn from and rows to test on
GIVEN_AWAY, SURE = 0.98, 0.995
MOST_ASKED, MOST_COLUMNS = 2_000, 60
TREES = 100


class Tried(NamedTuple):
    """What came out for one column: from made rows, with its interval, and from training rows."""

    name: str
    number: bool
    made: float
    interval: Interval
    real: float


def usefulness(sight: Sight, rows: Sides, seed: int) -> Iterator[Finding]:
    """One number, of the first column that can be foretold; its exhibit has the others."""
    if len(sight.columns) < 2 or len(rows.held) < FEWEST:
        return
    tried = [found for place in targets(sight, rows) if (found := _try(sight, rows, place, seed)) is not None]
    if not tried:
        return
    tried.sort(key=lambda each: not each.number and each.real > SURE)  # what is always right tells nothing apart
    first = tried[0]
    what = "R²" if first.number else "an area under the ROC curve"
    says = (
        f'What learned from made rows alone foretells "{short(first.name, 40)}" of held-out rows with {what} of '
        f"{first.made:.3f}, what learned from as many training rows with {first.real:.3f}."
    )
    yield Finding(USEFUL, first.made, first.real, first.interval, says, (_table(tried, len(rows.made)),))


def targets(sight: Sight, rows: Sides) -> list[int]:
    """Up to three columns, the same for the same rows."""
    few = [place for place, column in enumerate(sight.columns) if 2 <= len(column.values) <= MOST_CLASSES]
    counts = np.array([len(column.levels) for column in sight.columns])
    some = np.arange(min(len(counts), MOST_COLUMNS))
    held = np.abs(associations(rows.held[:MOST_ASKED, some], counts[some]))
    given = held.max(axis=1) > GIVEN_AWAY
    pull = np.where(given, -1.0, held.sum(axis=1))
    chosen = [place for place in few if place >= len(given) or not given[place]][-1:]
    rest = [int(place) for place in some if pull[place] > 0 and place not in chosen]
    numbers = [place for place in rest if not counts[place] and place not in few]
    for left in ([place for place in rest if place in few], numbers):
        if left:
            chosen.append(left[int(np.argmax(pull[left]))])
    return chosen


def _try(sight: Sight, rows: Sides, place: int, seed: int) -> Tried | None:
    """None where there are too few rows of at least two classes, or of a number that varies."""
    column = sight.columns[place]
    others = np.delete(np.arange(len(sight.columns)), place)
    levels = np.array([bool(sight.columns[other].levels) for other in others])
    number = not column.values
    parts = [_known(part, place, others, column) for part in rows[:3]]
    (made_x, made_y), (train_x, train_y), (held_x, held_y) = parts
    size = min(len(made_y), len(train_y))
    made_x, made_y, train_x, train_y = made_x[:size], made_y[:size], train_x[:size], train_y[:size]
    if min(size, len(held_y)) < FEWEST:
        return None
    if number:
        if min(map(np.ptp, (made_y, train_y, held_y))) <= 0:
            return None
        guesses = [_numbers(x, y, held_x, levels, seed) for x, y in ((made_x, made_y), (train_x, train_y))]
        part = np.zeros(len(held_y))

        def score(guess: Array, weight_N: Array) -> float:
            return _explained(held_y, guess, weight_N)
    else:
        common = [
            each for each in range(len(column.values))
            if min(int((y == each).sum()) for y in (train_y, held_y)) >= FEWEST_OF_CLASS
        ]  # fmt: skip
        if len(common) < 2 or len(np.unique(made_y)) < 2:
            return None
        guesses = [_classes(x, y, held_x, levels, common, seed) for x, y in ((made_x, made_y), (train_x, train_y))]
        part = held_y

        def score(guess: Array, weight_N: Array) -> float:
            return _areas(held_y, guess, common, weight_N)

    made, real = guesses
    once = np.ones(len(held_y))
    interval = bootstrap(lambda weight_N: score(made, weight_N), part, seed)
    return Tried(column.name, number, score(made, once), interval, score(real, once))


def _known(rows_NC: Array, place: int, others: Array, column: Column) -> tuple[Array, Array]:
    """The other columns of rows whose value is known, and the value (of a category its place)."""
    y_N = rows_NC[:, place]
    if column.values:
        group = column.group(y_N)
        keep = group >= 0
        return rows_NC[keep][:, others], group[keep]
    keep = ~np.isnan(y_N)
    return rows_NC[keep][:, others], y_N[keep]


def _numbers(x: Array, y: Array, asked: Array, levels: Array, seed: int) -> Array:
    return np.asarray(booster(levels, len(y), seed, number=True, trees=TREES).fit(x, y).predict(asked))


def _classes(x: Array, y: Array, asked: Array, levels: Array, common: list[int], seed: int) -> Array:
    """(N, K) chances of the common classes; of a class that was not learned 0."""
    trees = TREES if len(common) == 2 else max(30, 2 * TREES // len(common))
    model: Any = booster(levels, len(y), seed, trees=trees).fit(x, y)
    chance = model.predict_proba(asked)
    found = np.zeros((len(asked), len(common)))
    for place, each in enumerate(common):
        where = np.flatnonzero(model.classes_ == each)
        if len(where):
            found[:, place] = chance[:, where[0]]
    return found


def _areas(y_N: Array, chance_NK: Array, common: list[int], weight_N: Array) -> float:
    """Area of each class against all others, weighed by how many there are; of two classes the one area."""
    if len(common) == 2:
        keep = np.isin(y_N, common)
        return auc(chance_NK[keep, 1] - chance_NK[keep, 0], y_N[keep] == common[1], weight_N[keep])
    shares = np.array([(y_N == each).mean() for each in common])
    areas = [auc(chance_NK[:, place], y_N == each, weight_N) for place, each in enumerate(common)]
    return float(np.dot(shares, areas) / shares.sum())


def _explained(y_N: Array, guess_N: Array, weight_N: Array) -> float:
    """R²: the share of the squared spread that is foretold; below 0 where the mean would be better."""
    mean = np.average(y_N, weights=weight_N)
    spread = float(np.dot(weight_N, (y_N - mean) ** 2))
    return 1 - float(np.dot(weight_N, (y_N - guess_N) ** 2)) / spread if spread > 0 else 0.0


def _table(tried: list[Tried], size: int) -> Exhibit:
    wide = max(len("column"), *(len(short(each.name, 30)) for each in tried))
    lines = [f"{'column':<{wide}}  {'':<4}{'made rows':>10}{'real rows':>11}"]
    lines += [
        f"{each.name:<{wide}}  {'R²' if each.number else 'AUC':<4}{each.made:>10.3f}{each.real:>11.3f}"
        for each in tried
    ]
    caption = f"how well a column of held-out rows is foretold by what learned from {size:,} made or real rows"
    return Exhibit("text/plain", "\n".join(lines).encode("utf-8", "replace"), caption)
