"""Are made rows like held-out ones? By a critic, column by column, pair by pair, and for each group of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ilk.core.protocol import Array, Finding
from ilk.kinds.table import overlays
from ilk.kinds.table.chances import Interval
from ilk.kinds.table.critic import FOLDS, Verdict, judge
from ilk.kinds.table.measures import ASSOCIATIONS, CRITIC, SHAPES, SUBGROUPS
from ilk.kinds.table.shapes import associations, distances
from ilk.kinds.table.sides import Sides
from ilk.kinds.table.sight import Sight
from ilk.kinds.table.svg import short

FEWEST_OF_GROUP = 50  # held-out rows
FEWEST_MADE = 10  # made rows of a group, below which it counts as not made
MOST_GROUPS = 200
NAMED = 3
CLEAR = 0.01  # of an area: less is not worth mending
PART = 0.15  # of the largest fall: columns that the critic used less are not named
CLEARLY = 1.25  # times what real rows have, on average and at most: then the worst column or pair is named
MOST_OF_PAIRS = 4_000, 60  # rows, of which associations are taken where there are more columns than that


class Groups(NamedTuple):
    """Areas of a critic within groups of rows, in the order of ``names``, and how sure they are.

    ``real`` are the areas of training rows against held-out ones.
    """

    names: list[str]
    made: Array
    made_sure: list[Interval]
    real: Array
    real_sure: list[Interval]


def fidelity(sight: Sight, rows: Sides, seed: int) -> Iterator[Finding]:
    """The four numbers of it, as many as can be had."""
    if len(rows.made) < 2 * FOLDS:
        return
    levels = np.array([bool(column.levels) for column in sight.columns])
    made = judge(rows.made, rows.held, levels, seed, used=True)
    real = judge(rows.train, rows.held, levels, seed)
    yield _critic(sight, rows, made, real, seed)
    yield _shapes(sight, rows)
    if len(sight.columns) > 1:
        yield _associations(sight, rows)
    yield from _subgroups(sight, rows, made, real, seed)


def _critic(sight: Sight, rows: Sides, made: Verdict, real: Verdict, seed: int) -> Finding:
    value, ceiling = made.auc, real.auc
    interval = made.sure(seed)
    says = (
        f"Gradient boosting tells a made row from a held-out one {_of_100(max(0.5, value))} times in 100 (real rows "
        f"{_of_100(max(0.5, ceiling))}, a guess 50; {len(rows.made):,} of each)"
    )
    order = np.argsort(-made.used, kind="stable")
    largest = float(made.used[order[0]])
    told = interval[0] > max(0.5, ceiling) + CLEAR and largest > 0
    if told:
        named = [sight.names[place] for place in order[:NAMED] if made.used[place] > PART * largest]
        says += f"; what gives them away most is {_listed(named)}: what to mend first."
    else:
        says += "; no column gives them away."
    if rows.halves:
        says += " Half of the real rows stand for held-out ones."
    shown = (overlays.used(sight.names, made.used),) if told and len(order) > 1 else ()
    return Finding(CRITIC, value, ceiling, interval, says, (*shown, overlays.plane(sight, rows)))


def _shapes(sight: Sight, rows: Sides) -> Finding:
    counts = np.array([len(column.levels) for column in sight.columns])
    own, real = (distances(part, rows.held, counts) for part in (rows.made, rows.train))
    worst = np.argsort(-(own - real), kind="stable")
    first = int(worst[0])
    says = f"Column by column they differ by {own.mean():.3f} on average (real {real.mean():.3f})"
    if own.mean() > CLEARLY * real.mean() and own[first] > CLEARLY * real.max():
        says += f", most in {_quoted(sight.names[first])} ({own[first]:.2f})"
    shown = overlays.columns(sight, rows, own, worst)
    return Finding(SHAPES, float(own.mean()), float(real.mean()), None, f"{says}.", tuple(shown))


def _associations(sight: Sight, rows: Sides) -> Finding:
    counts = np.array([len(column.levels) for column in sight.columns])
    most = MOST_OF_PAIRS[0] if len(counts) > MOST_OF_PAIRS[1] else len(rows.held)
    made, train, held = (associations(part[:most], counts) for part in (rows.made, rows.train, rows.held))
    upper = np.triu_indices(len(counts), 1)
    own, real = np.abs(made - held)[upper], np.abs(train - held)[upper]
    first = int(np.argmax(own - real))
    pair = [sight.names[int(side[first])] for side in upper]
    says = f"Pair by pair their associations differ by {own.mean():.3f} (real {real.mean():.3f})"
    if own.mean() > CLEARLY * real.mean() and own[first] > CLEARLY * real.max():
        there, here = (float(part[upper][first]) for part in (made, held))
        says += f", most between {_listed(pair)} ({there:.2f}, in held-out rows {here:.2f})"
    shown = overlays.heat(sight.names, made, held)
    return Finding(ASSOCIATIONS, float(own.mean()), float(real.mean()), None, f"{says}.", tuple(shown))


def _subgroups(sight: Sight, rows: Sides, made: Verdict, real: Verdict, seed: int) -> Iterator[Finding]:
    """The group whose made rows the critic most surely knows, beside the same of training rows.

    The worst is the one with the highest lower end of its interval: few rows alone make no group the worst.
    """
    found = _groups(sight, rows, made, real, seed)
    if not found.names:
        return
    worst, real_worst = (int(np.argmax([low for low, _ in each])) for each in (found.made_sure, found.real_sure))
    value, ceiling = float(found.made[worst]) - made.auc, float(found.real[real_worst]) - real.auc
    low, high = found.made_sure[worst]
    if low - made.auc > max(0.0, ceiling):
        right = _of_100(float(found.made[worst]))
        says = (
            f"Of {len(found.names)} groups, rows with {short(found.names[worst], 60)} are served worst: there the "
            f"critic is right {right} times in 100."
        )
    else:
        says = f"Of {len(found.names)} groups of rows none is clearly served worse than the others."
    exhibits = (overlays.groups(found.names, found.made, found.real, found.made_sure, made.auc),)
    yield Finding(SUBGROUPS, value, ceiling, (low - made.auc, high - made.auc), says, exhibits)


def _groups(sight: Sight, rows: Sides, made: Verdict, real: Verdict, seed: int) -> Groups:
    found = Groups([], np.zeros(0), [], np.zeros(0), [])
    areas: tuple[list[float], list[float]] = ([], [])
    for place, column in enumerate(sight.columns):
        if not column.values:
            continue
        group = [column.group(part[:, place]) for part in (rows.made, rows.train, rows.held)]
        for each, value in enumerate(column.values):
            own, train, held = (part == each for part in group)
            few = held.sum() < FEWEST_OF_GROUP or train.sum() < FEWEST_MADE
            if few or held.all() or len(found.names) >= MOST_GROUPS:
                continue
            found.names.append(f"{column.name} = {column.word(value)}")
            for side, sure, verdict, inside in (
                (areas[0], found.made_sure, made, own),
                (areas[1], found.real_sure, real, train),
            ):
                area, interval = _within(verdict, np.concatenate([inside, held]), seed)
                side.append(area)
                sure.append(interval)
    return found._replace(made=np.array(areas[0]), real=np.array(areas[1]))


def _within(verdict: Verdict, keep_N: Array, seed: int) -> tuple[float, Interval]:
    """The critic's area within some rows; a group that is hardly made at all is known by that."""
    some = verdict.within(keep_N)
    return (1.0, (1.0, 1.0)) if some.first.sum() < FEWEST_MADE else (some.auc, some.sure(seed))


def _of_100(share: float) -> str:
    return "more than 99" if 0.995 <= share < 1 else f"{100 * share:.0f}"


def _quoted(name: str) -> str:
    return f'"{short(name, 40)}"'


def _listed(names: Sequence[str]) -> str:
    """Names in a row: ``"a", "b" and "c"``."""
    quoted = [_quoted(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
