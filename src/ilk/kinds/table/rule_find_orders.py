"""Which columns are never below others: chains and forks of them, without what follows from the rest."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa

from ilk.core.protocol import Array
from ilk.kinds.table.rule_look import CHANCE, FEWEST, Look, both_known, measured, readable
from ilk.kinds.table.rule_measure import Measure, Ticks, common, decimals_of, family
from ilk.kinds.table.rule_order import Order

OFTEN = 0.05  # share of shuffled rows that must break an order
QUICK = 256  # rows that propose
MOST_PROPOSED = 2_000
NEAR = 0.25  # standard deviations of a gap: what is close to the bound, for numbers
TOUCHING, TOUCHING_LARGE = 8, 5  # times that rows come close to it; those that are large
FEWEST_VALUES = 4  # of a column of numbers


def orders(look: Look, skipped: set[str], sums: Sequence[set[str]]) -> list[Order]:
    """Orders between columns of numbers, dates or times.

    Args:
        look: the table.
        skipped: columns that are copies of others.
        sums: columns that a sum speaks of together, whose orders follow from it.
    """
    found: list[Order] = []
    for together in _comparable(look, skipped):
        above = _pairs(look, together)
        above = {pair for pair in above if not any(set(pair) <= columns for columns in sums)}
        for name in together:
            lows = [low for low in together if (name, low) in above]
            lows = [low for low in lows if not any((mid, low) in above for mid in lows)]
            if lows:
                found.append(order(look.table, name, lows))
    return found


def order(table: pa.Table, name: str, lows: Sequence[str], decimals: Sequence[int | None] | None = None) -> Order:
    """The order of a column above others, strict where it surely is.

    Args:
        table: the rows that obey it.
        name: the column that is never below.
        lows: the others.
        decimals: of the column and the others, where they are known.
    """
    names = [name, *lows]
    kinds = [table.schema.field(each).type for each in names]
    number = family(kinds[0]) == "number"
    ends = list(decimals or [decimals_of(table.column(each)) if number else None for each in names])
    measure = measured(kinds, common(ends))
    low_N, known_N = measure.read(table.column(lows[0]))
    fill = float(np.median(low_N[known_N])) if known_N.any() else 0.0
    fill = fill if measure.decimals is None else float(round(fill))
    made = Order(name=name, lows=tuple(lows), kind=str(kinds[0]), measure=measure, own=ends[0], fill=fill)
    return msgspec.structs.replace(made, strict=_strict(table, made))


def _strict(table: pa.Table, rule: Order) -> bool:
    """Whether a column is surely above others: often by the smallest step, never by nothing."""
    if not rule.measure.whole or msgspec.structs.replace(rule, strict=True).broken(table).any():
        return False
    gap = rule.measure.read(rule.encode(table).column(rule.name))
    known_N = gap.known_N & (gap.value_N > 0)
    gap_n = gap.value_N[known_N]
    step = np.gcd.reduce(gap_n) if len(gap_n) else 0
    return bool(step > 0 and (gap_n == step).sum() >= TOUCHING)


def _comparable(look: Look, skipped: set[str]) -> list[list[str]]:
    """Columns by what they can be compared with."""
    groups: dict[str, list[str]] = {}
    for name in look.names:
        sort = family(look.kind(name))
        if name in skipped or not sort or (sort == "number" and not readable(look.table.column(name))):
            continue
        if look.codes(name)[1] >= (FEWEST_VALUES if sort == "number" else 2):
            groups.setdefault(sort, []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def _pairs(look: Look, names: Sequence[str]) -> set[tuple[str, str]]:
    """(high, low) of all rows, surely."""
    number = family(look.kind(names[0])) == "number"
    measure = Measure(decimals=None) if number else measured([look.kind(name) for name in names], None)
    ticks = [measure.read(look.some.column(name)) for name in names]
    limit = CHANCE - np.log(len(names) ** 2)
    found = set()
    for high, low in _proposed(look, ticks)[:MOST_PROPOSED]:
        if not _sure(look, ticks[high], ticks[low], limit, number=number):
            continue
        pair = names[high], names[low]
        own = Measure(decimals=common([look.decimals(name) for name in pair])) if number else measure
        high_N, low_N = both_known(*(own.read(look.table.column(name)) for name in pair))
        if (high_N >= low_N).all():
            found.add(pair)
    return found


def _proposed(look: Look, ticks: Sequence[Ticks]) -> list[tuple[int, int]]:
    """Places of (high, low) that some rows obey and shuffled ones would not."""
    rows = np.arange(look.some.num_rows)
    if len(rows) > QUICK:
        rows = look.random.choice(rows, QUICK, replace=False)
    value_nF = np.stack([each.value_N[rows].astype(np.float64) for each in ticks], axis=1)
    known_nF = np.stack([each.known_N[rows] for each in ticks], axis=1)
    high_nF = np.where(known_nF, value_nF, np.inf)
    shuffled_nF = np.where(known_nF, value_nF, np.nan)[look.random.permutation(len(rows))]
    found = []
    for low in range(len(ticks)):
        low_n1 = np.where(known_nF[:, low], value_nF[:, low], -np.inf)[:, None]
        obeyed_F = (high_nF >= low_n1).all(axis=0) & (np.arange(len(ticks)) != low)
        if obeyed_F.any():
            broken_F = (shuffled_nF[:, obeyed_F] < low_n1).mean(axis=0)
            found += [(int(high), low) for high in np.flatnonzero(obeyed_F)[broken_F >= OFTEN / 3]]
    return found


def _sure(look: Look, high: Ticks, low: Ticks, limit: float, *, number: bool) -> bool:
    """Whether an order holds in some rows, would not in shuffled ones, and is no accident of size."""
    high_n, low_n = both_known(high, low)
    if len(high_n) < FEWEST or (high_n < low_n).any() or (high_n == low_n).all():
        return False
    often = float(np.mean(look.random.permutation(high_n) < low_n))
    if often < OFTEN or len(high_n) * np.log1p(-min(often, 0.999)) > limit:
        return False
    return not number or _bounded(high_n, low_n)


def _bounded(high_n: Array, low_n: Array) -> bool:
    """Whether a bound is felt: rows come close to it, as differences and (where all are above 0) as ratios.

    Two columns of which one is merely larger, such as a length and a width or two sums that grow, keep away from being
    equal, at least where they are large: there, a bound has to be felt too.
    """
    positive = (high_n > 0) & (low_n > 0)
    gaps = [(high_n - low_n, low_n)]
    if 2 * positive.sum() > len(low_n):
        gaps.append((np.log(high_n[positive] / low_n[positive]), low_n[positive]))
    return all(
        _felt(gap_n, TOUCHING) and _felt(gap_n[size_n >= np.median(size_n)], TOUCHING_LARGE) for gap_n, size_n in gaps
    )


def _felt(gap_n: Array, fewest: int) -> bool:
    """Whether rows come close to a bound; neighbours that do count once, since a series stays where it is."""
    near_n = gap_n <= NEAR * gap_n.std()
    times = int((near_n[1:] & ~near_n[:-1]).sum()) + int(near_n[0])
    return times >= fewest and bool(gap_n.std() > 0)
