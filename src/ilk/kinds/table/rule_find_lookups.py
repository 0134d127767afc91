"""Which columns tell others: by being the same, or because each value goes with one value of the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.protocol import Array
from ilk.kinds.table.rule_look import CHANCE, FEWEST, Look, kept_levels
from ilk.kinds.table.rule_lookup import MOST_LOOSE, Lookup, Same
from ilk.kinds.table.rule_spell import spelt

MOST_KEYS = 10_000
REPEATED = 3.0  # rows that a key has on average, at least
PAIRS = 256  # of rows with the same key, which propose
MOST_PROPOSED = 5_000
FEW_TESTS, MANY_TESTS = 100, 200  # rows beyond the first of each key: for one to one of several values; for others


def same(look: Look) -> list[Same]:
    """Columns that hold what an earlier one holds."""
    groups: dict[tuple[str | None, ...], list[str]] = {}
    few = look.some.slice(0, 200)
    for name in look.names:
        groups.setdefault(tuple(spelt(few.column(name)).to_pylist()), []).append(name)
    found = []
    for names in groups.values():
        for place, name in enumerate(names[1:], 1):
            base = next((each for each in names[:place] if _is_same(look, each, name)), None)
            if base is not None:
                kind, levels = str(look.kind(name)), kept_levels(look.table, name)
                found.append(Same(name=name, base=base, kind=kind, levels=levels))
    taken = {rule.name for rule in found}
    return [rule for rule in found if rule.base not in taken]


def _is_same(look: Look, base: str, name: str) -> bool:
    code_n, count = look.codes(name)
    known = code_n >= 0
    if count < 2 or known.sum() < (FEW_TESTS if count > 2 else MANY_TESTS):
        return False
    share_V = np.bincount(code_n[known]) / known.sum()
    if known.sum() * np.log((share_V**2).sum()) > CHANCE:
        return False
    one, other = look.table.column(base), look.table.column(name)
    if one.null_count != other.null_count:
        return False
    differs = pc.fill_null(pc.not_equal(spelt(one), spelt(other)), False)  # noqa: FBT003
    return not pc.any(differs).as_py() and bool(pc.all(pc.equal(pc.is_null(one), pc.is_null(other))).as_py())


def lookups(look: Look, skipped: set[str]) -> list[Lookup]:
    """Columns that another one tells, each by the one with the fewest values that does."""
    names = [name for name in look.names if name not in skipped and look.codes(name)[1] >= 2]
    bases = [name for name in names if _is_base(look, name)]
    if not bases:
        return []
    code_nF = np.stack([look.codes(name)[0] for name in names], axis=1)
    proposed = [(base, name) for base in bases for name in _proposed(look, base, names, code_nF)]
    proposed.sort(key=lambda pair: (look.codes(pair[0])[1], names.index(pair[0]), names.index(pair[1])))
    limit = CHANCE - np.log(max(1, len(bases) * len(names)))
    tells: dict[tuple[str, str], bool] = {}
    for base, name in proposed[:MOST_PROPOSED]:
        one_to_one = told(look.codes(base)[0], look.codes(name)[0], limit)
        if one_to_one is None:
            continue
        if look.some is not look.table:
            one_to_one = told(look.all_codes(base)[0], look.all_codes(name)[0], limit)
        if one_to_one is not None:
            tells[base, name] = one_to_one
    return _chosen(look, bases, names, tells)


def _is_base(look: Look, name: str) -> bool:
    """Whether a column's values come often enough to tell anything, and will come again in rows that are made."""
    kind = look.kind(name)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_temporal(kind):
        return False
    code_n, count = look.codes(name)
    known_n = code_n[code_n >= 0]
    if len(known_n) < FEWEST or count > MOST_KEYS or len(known_n) < REPEATED * count:
        return False
    times_K = np.bincount(known_n)
    return bool(times_K[times_K > 1].sum() >= 0.9 * len(known_n))


def _proposed(look: Look, base: str, names: Sequence[str], code_nF: Array) -> list[str]:
    """Columns that agree wherever two rows have the same base, on some pairs of rows."""
    code_n, count = look.codes(base)
    order = np.argsort(code_n, kind="stable")
    alike = np.flatnonzero((code_n[order][1:] == code_n[order][:-1]) & (code_n[order][1:] >= 0))
    if len(alike) > PAIRS:
        alike = look.random.choice(alike, PAIRS, replace=False)
    one, other = code_nF[order[alike]], code_nF[order[alike + 1]]
    agree_F = ((one == other) | (one < 0) | (other < 0)).all(axis=0)
    return [
        name for name, agree in zip(names, agree_F, strict=True)
        if agree and name != base and look.codes(name)[1] <= count
    ]  # fmt: skip


def told(base_N: Array, name_N: Array, limit: float) -> bool | None:
    """Whether one column tells another, which chance would not: None if not, else whether it is one to one.

    Args:
        base_N: (N,) codes, -1 where missing.
        name_N: (N,) codes.
        limit: logarithm of the probability that chance may have.
    """
    known_N = (base_N >= 0) & (name_N >= 0)
    base_n, name_n = base_N[known_N], name_N[known_N]
    if len(base_n) < FEWEST:
        return None
    value_K = np.full(base_n.max() + 1, -1)
    value_K[base_n] = name_n
    if (value_K[base_n] != name_n).any():
        return None
    times_K, share_V = np.bincount(base_n), np.bincount(name_n) / len(name_n)
    keys, values = int((times_K > 0).sum()), int((share_V > 0).sum())
    one_to_one = keys == values
    tests = len(base_n) - keys
    if values < 2 or tests < (FEW_TESTS if one_to_one and values > 2 else MANY_TESTS):
        return None
    if times_K[times_K > 1].sum() < 0.9 * len(base_n):
        return None
    times_U, count_U = np.unique(times_K[times_K > 0], return_counts=True)
    share_V = share_V[share_V > 0]
    alike_U = np.array([(share_V**times).sum() for times in times_U])
    chance = float((count_U * np.log(np.maximum(alike_U, 1e-300))).sum())
    return one_to_one if chance < limit else None


def _chosen(look: Look, bases: Sequence[str], names: Sequence[str], tells: dict[tuple[str, str], bool]) -> list[Lookup]:
    """One base for each column that is told; of columns that are one to one, the first that is no number tells."""
    head: dict[str, str] = {}
    for base in sorted(bases, key=lambda name: (pa.types.is_integer(look.kind(name)), names.index(name))):
        if base in head:
            continue
        for name in names:
            if tells.get((base, name)) and name not in head:
                head[name] = head[base] = base
    found = []
    for name in names:
        if head.get(name, name) != name:
            found.append(made(look.table, head[name], name))
            continue
        able = [base for base in bases if (base, name) in tells and head.get(base, base) == base]
        if able:
            nearest = min(able, key=lambda base: (look.codes(base)[1], names.index(base)))
            found.append(made(look.table, nearest, name))
    return found


def made(table: pa.Table, base: str, name: str) -> Lookup:
    """The lookup that most rows obey: of each base the name that it has most often, if any."""
    pairs = pa.table({"base": spelt(table.column(base)), "name": spelt(table.column(name))})
    counted = (
        pairs.group_by(["base", "name"])
        .aggregate([([], "count_all")])
        .sort_by([("count_all", "descending"), ("base", "ascending"), ("name", "ascending")])
    )
    one: dict[str | None, str | None] = {}
    rest, loose = False, list[str | None]()
    for key, value in zip(counted["base"].to_pylist(), counted["name"].to_pylist(), strict=True):
        if key is None:
            loose.append(value)
        elif key not in one:
            one[key] = value
        elif value is None or one[key] is None:
            one[key] = one[key] if value is None else value
            rest = True
    if len(loose) == 1:
        one[None] = loose.pop()
    values = {value for value in one.values() if value is not None}
    told = next(mark for mark in ("=" * times for times in range(1, 100_000)) if mark not in values)
    known = [key for key in one if key is not None]
    both = len({one[key] for key in known}) == len(known) and None not in {one[key] for key in known}
    return Lookup(
        name=name,
        base=base,
        both=both,
        keys=tuple(one),
        values=tuple(one.values()),
        kind=str(table.schema.field(name).type),
        levels=kept_levels(table, name),
        rest=rest or len(loose) > 1,
        told=told,
        loose=tuple(loose[:MOST_LOOSE]),
    )
