"""Rules that a table obeys so surely that chance is out of the question.

A rule is proposed on some rows and confirmed on all. Each has to be a surprise: were the columns independent, it would
hold with a probability below ``CHANCE``; and where shuffled columns hardly ever broke it, the columns' ranges tell it.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.protocol import Array
from ilk.core.seeds import stream
from ilk.kinds.table.rules import Above, Lookup, Rule, Sum, as_strings, in_order
from ilk.kinds.table.types import decimals_of

CHANCE = -20.0  # log of a probability
FEWEST = 50  # rows
LOOKED = 20_000  # rows that rules are proposed on
MOST_COLUMNS = 60  # of each sort that are held against each other
MOST_KEYS = 5_000
REPEATED = 3.0  # rows that a key has on average
USUAL = 0.95  # share of shuffled rows that obey an order without a reason
FEW_RESTS = 30


def find(table: pa.Table) -> tuple[Rule, ...]:
    """Rules in the order in which they take columns out."""
    if table.num_rows < FEWEST:
        return ()
    step = max(1, table.num_rows // LOOKED)
    look = table.take(np.arange(0, table.num_rows, step))
    found: list[Rule] = []
    taken: set[str] = set()
    for rules in (_lookups(look, table), _sums(look, table), _orders(look, table)):
        for rule in rules:
            if rule.name not in taken and not taken & set(rule.reads) and not _read(found, rule.name):
                found.append(rule)
                taken.add(rule.name)
    return in_order(found)


def _read(found: list[Rule], name: str) -> bool:
    """Whether a rule that takes a column by looking it up needs this one."""
    return any(name in rule.reads for rule in found if isinstance(rule, Lookup))


def _lookups(look: pa.Table, table: pa.Table) -> list[Rule]:
    names = [name for name in look.column_names if not _is_float(look, name)][:MOST_COLUMNS]
    coded = {name: as_strings(look.column(name)).combine_chunks().dictionary_encode() for name in names}
    code = {name: pc.fill_null(each.indices, -1).to_numpy().astype(np.int64) for name, each in coded.items()}
    levels = {name: len(each.dictionary) for name, each in coded.items()}
    found: list[Rule] = []
    for base in sorted(names, key=lambda name: levels[name]):
        if not 2 <= levels[base] <= min(MOST_KEYS, look.num_rows / REPEATED):
            continue
        for name in names:
            if name == base or not 2 <= levels[name] <= levels[base]:
                continue
            if _tells(code[base], code[name]) and (rule := lookup(table, base, name)) is not None:
                found.append(rule)
    found.sort(key=lambda rule: (-levels[rule.reads[0]], look.column_names.index(rule.reads[0])))
    return found


def _is_float(look: pa.Table, name: str) -> bool:
    kind = look.schema.field(name).type
    return bool(pa.types.is_floating(kind) or pa.types.is_temporal(kind) or pa.types.is_decimal(kind))


def _tells(base_N: Array, name_N: Array) -> bool:
    """Whether one column tells the other, and chance would not."""
    pairs = np.unique(np.stack([base_N, name_N]), axis=1)
    if pairs.shape[1] != len(np.unique(base_N)):
        return False
    share_V = np.unique(name_N, return_counts=True)[1] / len(name_N)
    times_K = np.unique(base_N, return_counts=True)[1]
    alike_K = np.array([np.sum(share_V**times) for times in times_K])
    return bool(np.log(np.maximum(alike_K, 1e-300)).sum() < CHANCE)


def lookup(table: pa.Table, base: str, name: str) -> Lookup | None:
    """What each value of ``base`` says of ``name`` in all rows; None where one says two things."""
    pairs = pa.table({"base": as_strings(table.column(base)), "name": as_strings(table.column(name))})
    pairs = pairs.group_by(["base", "name"]).aggregate([])
    keys = pairs.column("base").to_pylist()
    if len(set(keys)) != len(keys):
        return None
    return Lookup(name=name, base=base, keys=tuple(keys), values=tuple(pairs.column("name").to_pylist()))


def _numeric(look: pa.Table) -> list[str]:
    found = []
    for field in look.schema:
        number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        if (number or pa.types.is_timestamp(field.type) or pa.types.is_date(field.type)) and not look.column(
            field.name
        ).null_count:
            found.append(field.name)
    return found[:MOST_COLUMNS]


def _values(table: pa.Table, name: str) -> Array:
    column = table.column(name)
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())


def _orders(look: pa.Table, table: pa.Table) -> list[Rule]:
    names = _numeric(look)
    value = {name: _values(look, name) for name in names}
    found: list[tuple[float, Rule]] = []
    random = stream(0, "rules")
    for base in names:
        for name in names:
            if name == base or look.schema.field(base).type != look.schema.field(name).type:
                continue
            x_N, y_N = value[base], value[name]
            if (y_N < x_N).any() or np.array_equal(x_N, y_N):
                continue
            usual = float(np.mean(random.permutation(y_N) >= x_N))
            if usual > USUAL or len(x_N) * np.log(max(usual, 1e-9)) > CHANCE:
                continue
            strict = bool((y_N > x_N).all())
            decimals = max(each if (each := decimals_of(some)) is not None else 9 for some in (x_N, y_N))
            rule = Above(name=name, base=base, strict=strict, decimals=decimals)
            loose = Above(name=name, base=base, decimals=decimals)
            kept = next((each for each in (rule, loose) if not each.broken(table).any()), None)
            if kept is not None:
                found.append((float(np.mean(np.abs(y_N - x_N))), kept))
    return [rule for _, rule in sorted(found, key=lambda each: each[0])]  # of a chain the closest pairs


def _sums(look: pa.Table, table: pa.Table) -> list[Rule]:
    names = [name for name in _numeric(look) if not pa.types.is_temporal(look.schema.field(name).type)]
    if len(names) < 2:
        return []
    x_NF = np.stack([_values(look, name) for name in names], axis=1)
    found: list[Rule] = []
    for place, name in enumerate(names):
        total_N = x_NF[:, place]
        if len(np.unique(total_N)) < 50:
            continue
        others = [other for other in range(len(names)) if other != place]
        design = np.c_[x_NF[:, others], np.ones(len(total_N))]
        weight, *_ = np.linalg.lstsq(design, total_N, rcond=None)
        parts = [other for other, w in zip(others, weight[:-1], strict=True) if 0.7 < w < 1.3 and x_NF[:, other].any()]
        if rule := _sum(table, name, tuple(names[part] for part in parts), total_N, x_NF[:, parts]):
            found.append(rule)
    return found


def _sum(table: pa.Table, name: str, parts: tuple[str, ...], total_N: Array, part_NP: Array) -> Rule | None:
    decimals = max(each if (each := decimals_of(x_N)) is not None else 99 for x_N in (total_N, *part_NP.T))
    if not parts or decimals > 6:
        return None
    rest = np.unique(np.round(total_N - part_NP.sum(axis=1), decimals))
    if len(rest) > min(FEW_RESTS, len(np.unique(total_N)) / 10):
        return None
    if len(parts) == 1 and len(rest) > 1:  # a column and its double with a few amounts added: too little to tell
        return None
    if len(rest) == 1 and rest[0] == 0:
        rule = Sum(name=name, parts=parts, decimals=decimals)
        return None if rule.broken(table).any() else rule
    return Sum(name=name, parts=parts, decimals=decimals, rest=True)
