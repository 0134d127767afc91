"""Do made rows stand nearer to training rows than they would by themselves? Copies, near ones, and who was a member.

All by the distance of ``mixed.py`` and over rows drawn with the report's seed. Chen et al., "GAN-Leaks", CCS 2020: a
training row has a made row nearer to it than its surroundings explain.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ilk.core.bootstrap import share_interval, unit_interval
from ilk.core.distances import nearest
from ilk.core.protocol import Array, Exhibit, Finding
from ilk.kinds.table.chances import auc, auc_interval
from ilk.kinds.table.draw import draw
from ilk.kinds.table.frame import Rows
from ilk.kinds.table.measures import CLOSEST, COPIES, MEMBERSHIP, NEAR
from ilk.kinds.table.mixed import fit_mixed, same
from ilk.kinds.table.sight import Sight

MOST_ASKED, MOST_KNOWN, MOST_ATTACKED = 3_000, 20_000, 4_000
FEWEST = 20  # rows of a set
NEAR_BY = 0.5  # a near copy is at most so far from a row, as a share of the way to the next one
SHOWN = 8
FILE = (
    "A model of trees keeps single values of the training columns in its file, and who has the file can tell members "
    "from others: share rows, not the model."
)


def closeness(sight: Sight, seed: int) -> Iterator[Finding]:
    """Copies, and what can be said by distance where rows are held out."""
    if not len(sight.train):
        return
    hashes = {part: same(exact) for part, exact in sight.exact.items()}
    yield _copies(sight, hashes)
    if min(len(sight.made), len(sight.train), len(sight.held)) < FEWEST:
        return
    points = _points(sight, hashes)
    yield _closest(points["made"], points["train"], points["held"], seed)
    yield _near(points["made"], points["different"], points["held"])
    yield _membership(points["made"], points["train"], points["held"], seed)


def _copies(sight: Sight, hashes: dict[str, Array]) -> Finding:
    copied = np.isin(hashes["made"], hashes["train"])
    held = np.isin(hashes["held"], hashes["train"])
    ceiling = float(held.mean()) if len(held) else None
    beside = "" if ceiling is None else f"; of held-out rows {_per_cent(ceiling)}"
    own = f"{_per_cent(float(copied.mean()))} of made rows are" if copied.any() else "No made row is"
    says = f"{own[0].upper()}{own[1:]} equal to a training row{beside}."
    interval = share_interval(int(copied.sum()), len(copied))
    return Finding(COPIES, float(copied.mean()), ceiling, interval, says, _shown(sight, hashes, copied, held))


def _shown(sight: Sight, hashes: dict[str, Array], copied: Array, held: Array) -> tuple[Exhibit, ...]:
    """Copied rows that stand once in training, where they are more than held-out rows explain."""
    count = len(held)
    explained = count == 0 or copied.mean() <= 2 * held.mean() + 3 * np.sqrt(max(held.mean(), 1 / count) / count)
    once, times = np.unique(hashes["train"], return_counts=True)
    rows = np.flatnonzero(copied & np.isin(hashes["made"], once[times == 1]))[:SHOWN]
    if (explained and count) or not len(rows):
        return ()
    sheet = draw(Rows(sight.tables["made"].take(rows)))
    return (Exhibit(sheet.media_type, sheet.data, "made rows that stand once in the training rows, as they are"),)


def _points(sight: Sight, hashes: dict[str, Array]) -> dict[str, Array]:
    """Points of rows of each set; ``train`` and ``different`` are training rows, of the latter each once."""
    first = np.sort(np.unique(hashes["train"], return_index=True)[1])
    size = min(len(sight.train), len(sight.held), MOST_KNOWN)
    mixed = fit_mixed(sight.columns, np.concatenate([sight.train[:size], sight.held[:size]]))
    return {
        "made": mixed(sight.made[:MOST_KNOWN]),
        "train": mixed(sight.train[:MOST_KNOWN]),
        "held": mixed(sight.held[:MOST_KNOWN]),
        "different": mixed(sight.train[first[:MOST_KNOWN]]),
    }


def _closest(made: Array, train: Array, held: Array, seed: int) -> Finding:
    """A binomial interval would be too narrow: rows near the same real row hang together."""
    size = min(len(train), len(held), MOST_KNOWN // 2)
    asked = made[:MOST_ASKED]
    (to_train, train_row), (to_held, held_row) = (nearest(asked, part[:size]) for part in (train, held))
    apart = (to_train - to_held)[:, 0]
    value_N = np.where(np.abs(apart) < 1e-9, 0.5, apart < 0)
    unit_N = np.where(apart <= 0, train_row[:, 0], size + held_row[:, 0])
    low, high = unit_interval(value_N, np.ones(len(value_N)), unit_N, seed)
    value = float(value_N.mean())
    says = f"The nearest real row is a training row for {_per_cent(value)} of made rows, where 50 % would be innocent."
    return Finding(CLOSEST, value, 0.5, (low, high), says)


def _near(made: Array, different: Array, held: Array) -> Finding:
    own, real = (_near_copies(part[:MOST_ASKED], different) for part in (made, held))
    value, ceiling = float(own.mean()), float(real.mean())
    return Finding(NEAR, value, ceiling, share_interval(int(own.sum()), len(own)))


def _near_copies(asked: Array, different: Array) -> Array:
    """(N,) whether a row is at most half as far from one training row as from any other."""
    apart = nearest(asked, different, 2)[0]
    return np.asarray((apart[:, 0] <= NEAR_BY * apart[:, -1]) & (apart[:, -1] > 0))


def _membership(made: Array, train: Array, held: Array, seed: int) -> Finding:
    """The score of a row: how far it is from other real rows, over how far it is from made ones."""
    size = min(len(train), len(held), MOST_ATTACKED)
    asked = np.concatenate([train[:size], held[:size]])
    member = np.arange(len(asked)) < size
    apart, place = nearest(asked, asked, 2)
    gap = np.where(place[:, 0] == np.arange(len(asked)), apart[:, -1], apart[:, 0])
    to_made = nearest(asked, made)[0][:, 0]
    tiny = 1e-6 + 1e-3 * float(np.median(to_made))
    mark = np.log(gap + tiny) - np.log(to_made + tiny)
    value, interval = auc(mark, member), auc_interval(mark, member, seed)
    sure = "" if interval[0] > 0.5 else " (no more than chance explains)"
    says = f"An attack by distance knows a training row {100 * max(value, 0.5):.0f} times in 100{sure}. {FILE}"
    return Finding(MEMBERSHIP, value, 0.5, interval, says)


def _per_cent(share: float) -> str:
    if share == 0:
        return "none"
    if 0 < share < 0.001:
        return "less than 0.1 %"
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"
