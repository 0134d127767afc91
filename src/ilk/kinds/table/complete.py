"""Rows with holes: what is known is asked for, what is missing is drawn, and what was there stays as it was written.

A hole in a column that a rule computes is computed; one in a column that it is computed from is solved for, so that a
total that is known keeps its parts. What no rule can mend is refused and drawn again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.protocol import Array, Given
from ilk.kinds.table import ask
from ilk.kinds.table.convert import as_it_came, encoded, typed
from ilk.kinds.table.rule_book import Lookup, Order, Product, Rule, Same, Sum
from ilk.kinds.table.rule_measure import Ticks
from ilk.kinds.table.rule_spell import put

if TYPE_CHECKING:
    from ilk.kinds.table.codec import Facts, TableCodec


def encode_holes(codec: TableCodec, table: pa.Table) -> Given:
    """What is known of rows, and that what is not may be anything but missing."""
    facts, space = codec.facts, codec.space
    x_NF = codec.numbers(_copied(facts, table))
    known_NF = ~np.isnan(x_NF)
    low_NF, high_NF = np.full(x_NF.shape, -np.inf), np.full(x_NF.shape, np.inf)
    for place, column in enumerate(space.columns):
        if column.name.endswith(" (words)") or any(field.words and field.name == column.name for field in facts.fields):
            low_NF[:, place] = high_NF[:, place] = np.nan  # a word, or a number: one of both is missing
    places = {column.name: place for place, column in enumerate(space.columns)}
    for rule in facts.rules:
        if (
            isinstance(rule, Order | Sum | Product) and rule.name in places
        ):  # with a part missing, the rest says nothing
            parts = [_holes(table.column(part)) for part in rule.reads]
            known_NF[np.logical_or.reduce(parts), places[rule.name]] = False
    found = Given(known=x_NF, mask=known_NF, low=low_NF, high=high_NF)
    for rule in facts.rules:
        if isinstance(rule, Lookup) and not rule.rest and rule.base in places:
            _tell_bases(codec, rule, table, np.where(known_NF, x_NF, np.nan)[:, places[rule.base]], found)
    return found


def _tell_bases(codec: TableCodec, rule: Lookup, table: pa.Table, level_N: Array, found: Given) -> None:
    """Let a missing base (NaN in ``level_N``) be one of those that tell the name that is known."""
    base = next((field for field in codec.facts.fields if field.name == rule.base and field.type in ask.LEVELS), None)
    source = next(field for field in codec.facts.source if field.name == rule.name)
    if base is None or rule.base in ask.changed_by(codec.facts):
        return
    names = typed(source, table.column(rule.name)).cast(pa.string())
    open_N = np.isnan(level_N) & np.asarray(names.is_valid().to_numpy())
    if not open_N.any():
        return
    told = dict(zip(rule.keys, rule.values, strict=True))
    value_L = pa.array([told.get(level) for level in base.levels], pa.string())
    may_NL = np.ones((table.num_rows, len(base.levels)), dtype=bool)
    for name in pc.unique(names.filter(pa.array(open_N))):
        may_L = np.asarray(pc.fill_null(pc.equal(value_L, name), False).to_numpy(zero_copy_only=False))  # noqa: FBT003
        if may_L.any():
            may_NL[open_N & np.asarray(pc.fill_null(pc.equal(names, name), False).to_numpy())] = may_L  # noqa: FBT003
    known = np.flatnonzero(~np.isnan(level_N))  # what is allowed comes before what is known
    may_NL[known] = np.eye(len(base.levels), dtype=bool)[level_N[known].astype(np.int64)]
    found.allowed[rule.base] = may_NL


def _copied(facts: Facts, table: pa.Table) -> pa.Table:
    """With what is the same as another column, where that one is missing."""
    for rule in facts.rules:
        if isinstance(rule, Same):
            base, name = table.column(rule.base), table.column(rule.name)
            if base.type == name.type:
                table = put(table, rule.base, pc.coalesce(base, name))
    return table


def completed(
    codec: TableCodec, arrays: dict[str, Array], table: pa.Table, *, usual: bool
) -> tuple[pa.Table, dict[str, Array]]:
    """Rows with their holes filled, each cell that was there as it was; and by what they break in words which do.

    Args:
        codec: of the table.
        arrays: rows of the engine.
        table: rows with holes, the columns of the source.
        usual: whether what is solved for has to be in the range of its column.
    """
    facts = codec.facts
    have = {field.name: typed(field, table.column(field.name)) for field in facts.source}
    made = codec.table(arrays)
    for rule in reversed(facts.rules):
        made = _mended(rule, made, have)
    whole = pa.table({name: _filled(column, made.column(name)) for name, column in have.items()})
    given = pa.table(have)
    broken = {
        f'the rule "{rule.written}"': rule.broken(whole) & ~rule.broken(given)
        for rule in facts.rules
        if not rule.takes or any(_holes(have[name]).any() for name in rule.columns)
    }
    for field in facts.source:
        if usual and field.name in solvable(facts) and _holes(have[field.name]).any():
            x_N = encoded(msgspec.structs.replace(field, words=()), whole.column(field.name))[0]
            outside_N = _holes(have[field.name]) & ((x_N < field.low) | (x_N > field.high))
            broken[f"what {field.name} is in the data"] = outside_N
    columns = {}
    for field in facts.source:
        new, old = as_it_came(field, made.column(field.name), loose=False), table.column(field.name)
        columns[field.name] = _filled(old, new if new.type == old.type else new.cast(old.type, safe=False))
    return pa.table(columns), {says: rows for says, rows in broken.items() if rows.any()}


def solvable(facts: Facts) -> set[str]:
    """Columns that may be solved for: what comes out need not be anything that they hold."""
    return {part for rule in facts.rules if isinstance(rule, Order | Sum) for part in rule.reads}


def _holes(column: pa.ChunkedArray) -> Array:
    return np.asarray(column.is_null(nan_is_null=True).to_numpy())


def _filled(old: pa.ChunkedArray, new: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(old.type):
        value = old.type.value_type
        return pc.coalesce(old.cast(value), new.cast(value)).cast(old.type)
    hole = old.is_null(nan_is_null=pa.types.is_floating(old.type))
    return pc.if_else(hole, new if new.type == old.type else new.cast(old.type, safe=False), old)


def _mended(rule: Rule, made: pa.Table, have: dict[str, pa.ChunkedArray]) -> pa.Table:
    """With the column that a rule is computed from solved for, where what it computes is known and that one is not."""
    if not isinstance(rule, Order | Sum):
        return made
    known_N = ~_holes(have[rule.name])
    parts = rule.lows if isinstance(rule, Order) else rule.reads
    for part in parts if isinstance(rule, Sum) or len(parts) == 1 else ():
        hole_N = _holes(have[part]) & known_N
        if hole_N.any():
            made = _solved(rule, part, hole_N, made, have)
            known_N &= ~hole_N  # one part of each row pays for the others
    return made


def _solved(rule: Order | Sum, part: str, hole_N: Array, made: pa.Table, have: dict[str, pa.ChunkedArray]) -> pa.Table:
    """Move a part by what the computed column is off from the one that is known."""
    measure = rule.measure
    target, drawn = measure.read(have[rule.name]), measure.read(made.column(rule.name))
    others = [name for name in rule.columns if name not in (rule.name, part)]
    off_N = target.value_N - drawn.value_N
    for name in others:  # those that are known were drawn as they are; others stay as drawn
        known, other = measure.read(have[name]), measure.read(made.column(name))
        sign = -1 if isinstance(rule, Sum) and name in rule.minus else 1
        off_N = off_N - sign * np.where(known.known_N, known.value_N - other.value_N, 0)
    if isinstance(rule, Sum) and part in rule.minus:
        off_N = -off_N
    own = measure.read(made.column(part))
    moved = Ticks(np.where(hole_N, own.value_N + off_N, own.value_N), own.known_N)
    return put(made, part, measure.write(moved, made.schema.field(part).type))
