"""Odd rows that stand in the training data many times, and come out again: what a model repeats by heart.

That a row stands many times is odd in two cases. Either its surroundings are empty: of the rows around it, those that
do not stand as often as itself stand far less often, where in a table of few values a common row has common neighbours.
Or held-out rows, of which it should be as large a share, do not have it at all. It has come out where a made row is at
most half as far from it as any row that stands seldom.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ilk.core.distances import nearest
from ilk.core.protocol import Array, Exhibit, Finding
from ilk.core.seeds import stream
from ilk.kinds.table.draw import draw
from ilk.kinds.table.frame import Rows
from ilk.kinds.table.measures import ODD
from ilk.kinds.table.mixed import fit_mixed, same
from ilk.kinds.table.sight import Sight

OFTEN, SPIKE = 8, 20  # times that a row stands in the training data; as many to be told by its surroundings
AROUND = 10  # different rows that are its surroundings
AS_OFTEN, RARER = 2, 8  # within this factor rows stand as often; by this factor they stand far less often
USUAL = 0.5  # share of rows that are nearer to another one
CHANCE = 0.01  # that any row is missing among held-out ones
MOST_KNOWN, MOST_USUAL, MOST_OFTEN, MOST_MADE = 20_000, 2_000, 2_000, 30_000
FEWEST = 100  # different training rows
NEAR_BY = 0.5
SHOWN = 20


def odd_rows(sight: Sight, seed: int) -> Iterator[Finding]:
    """How many come out again, named; nothing where the training rows are too few to know what is odd."""
    hashes = same(sight.exact["train"])
    first, times = np.unique(hashes, return_index=True, return_counts=True)[1:]
    if len(first) < FEWEST:
        return
    order = np.lexsort((stream(seed, "odd").permutation(len(first)), -times))[:MOST_KNOWN]
    first, times = first[order], times[order]  # those that stand most often come first
    count = min(int((times >= OFTEN).sum()), MOST_OFTEN)
    once = sight.train[first[times < OFTEN]]
    if not count or len(once) < FEWEST:
        yield Finding(ODD, 0.0, 0.0)
        return
    mixed = fit_mixed(sight.columns, once)
    known, others = mixed(sight.train[first]), mixed(once)
    far = nearest(known[:count], others)[0][:, 0]
    lonely = _lonely(known, times, count)
    never = _never(sight, hashes, times[:count], hashes[first[:count]])
    odd = (far > _usual(others)) & (lonely | never)
    rows, asked, far, times = first[:count][odd], known[:count][odd], far[odd], times[:count][odd]
    made, held = (_come(asked, far, mixed(part[:MOST_MADE])) for part in (sight.made, sight.held))
    yield _told(sight, rows[made], times[made], float(held.sum()))


def _told(sight: Sight, rows: Array, times: Array, held: float) -> Finding:
    if not len(rows):
        return Finding(ODD, 0.0, held)
    says = (
        f"Odd rows come out again: {len(rows):,} that {'stand' if len(rows) > 1 else 'stands'} {int(times.min()):,} "
        "times or more among the training rows. That is a leak, unless they are meant to be given away."
    )
    sheet = draw(Rows(sight.tables["train"].take(rows[:SHOWN])))
    caption = "odd rows that stand many times among the training rows and come out again"
    return Finding(ODD, float(len(rows)), held, None, says, (Exhibit(sheet.media_type, sheet.data, caption),))


def _usual(once: Array) -> float:
    """How far a row that stands seldom is from the next one."""
    apart, place = nearest(once[:MOST_USUAL], once, 2)
    own = place[:, 0] == np.arange(len(apart))
    return float(np.quantile(np.where(own, apart[:, 1], apart[:, 0]), USUAL))


def _lonely(known: Array, times: Array, count: int) -> Array:
    """(count,) whether the surroundings of the first rows are empty, but for what stands as often as they."""
    place = nearest(known[:count], known, AROUND + 1)[1]
    around = np.where(place == np.arange(count)[:, None], 0, times[place])
    own = times[:count, None]
    fellows = (around > own / AS_OFTEN) & (around < own * AS_OFTEN)
    return np.asarray((fellows | (around * RARER <= own)).all(axis=1) & (times[:count] >= SPIKE))


def _never(sight: Sight, train: Array, times: Array, often: Array) -> Array:
    """Which of some training rows held-out ones lack, more surely than chance explains."""
    held = same(sight.exact["held"])
    chance = (len(train) / (len(train) + len(held))) ** times.astype(np.float64)
    return np.asarray(~np.isin(often, held) & (chance < CHANCE / len(often)))


def _come(asked: Array, far: Array, rows: Array) -> Array:
    """Which of the rows have one of others that near."""
    if not len(asked) or not len(rows):
        return np.zeros(len(asked), bool)
    return np.asarray(nearest(asked, rows)[0][:, 0] <= NEAR_BY * far)
