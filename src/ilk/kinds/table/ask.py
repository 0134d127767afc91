"""What may be asked of rows, told to the engine where it can hold it; and which rows must not be.

A rule takes a column out of what the engine learns, or leaves only a rest of it: what is asked of such a column, and
rules that are only checked, are met by refusing rows that do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa

from ilk.core.errors import Code, InputError, suggest
from ilk.core.protocol import Array, Condition, Given, Levels, Number
from ilk.kinds.table.convert import encoded
from ilk.kinds.table.rule_book import Lookup, Unique
from ilk.kinds.table.types import Field
from ilk.kinds.table.words import number_of, word_of

if TYPE_CHECKING:
    from ilk.kinds.table.codec import Facts

LEVELS = ("category", "boolean")


def conditions(facts: Facts) -> dict[str, Condition]:
    """What ``--given`` takes: a level of a category, a number, date or time and ranges of them."""
    found: dict[str, Condition] = {}
    for field in facts.source:
        if field.type in LEVELS and field.levels:
            found[field.name] = Levels(names=field.levels, several=True)
        elif field.type not in LEVELS and field.width:
            spelt = word_of(field, field.low), word_of(field, field.high)
            found[field.name] = Number(low=field.low, high=field.high, ranges=True, spelt=spelt)
    return found


def encode_given(facts: Facts, places: Mapping[str, int], given: Mapping[str, Any], n: int) -> Given:
    """Bounds and levels for ``n`` rows.

    Args:
        facts: of the table.
        places: of the columns of the Space.
        given: a level, several of them, a number or a range of numbers by column.
        n: rows.

    Raises:
        InputError: a value that is none of its column.
    """
    if not given:
        return Given()
    changed = changed_by(facts)
    fields = {field.name: field for field in facts.source}
    low_NF, high_NF = np.full((n, len(places)), np.nan), np.full((n, len(places)), np.nan)
    found = Given(low=low_NF, high=high_NF)
    for name, value in given.items():
        field = fields[name]
        if field.type in LEVELS:
            may_K = _levels(field, value)
            target = found.beyond if name in changed else found.allowed
            target[name] = np.tile(may_K, (n, 1))
            if name in changed:
                _tell_base(facts, name, field, may_K, found, n)
            continue
        low, high = _range(field, value)
        if name in changed:
            found.beyond[name] = np.tile([low, high], (n, 1))
        else:
            low_NF[:, places[name]], high_NF[:, places[name]] = low, high
    return found


def changed_by(facts: Facts) -> set[str]:
    """Columns that the engine does not learn as they are."""
    return {rule.takes for rule in facts.rules if rule.takes}


def _levels(field: Field, value: Any) -> Array:
    wanted = [str(each) for each in (value if isinstance(value, tuple) else (value,))]
    if unknown := [each for each in wanted if each not in field.levels]:
        raise InputError(Code.GIVEN, f'"{unknown[0]}" is no {field.name}; {suggest(unknown[0], field.levels)}.')
    return np.isin(field.levels, wanted)


def _range(field: Field, value: Any) -> tuple[float, float]:
    first, last = value if isinstance(value, tuple) else (value, value)
    low, high = number_of(field, first), number_of(field, last)
    if low > high:
        raise InputError(Code.GIVEN, f"{field.name} cannot be from {first} to {last}: the first is larger.")
    return low, high


def _tell_base(facts: Facts, name: str, field: Field, may_K: Array, found: Given, n: int) -> None:
    """Ask for the levels that tell what is asked for, where the column that tells it has any."""
    wanted = {level for level, may in zip(field.levels, may_K, strict=True) if may}
    for rule in facts.rules:
        if not isinstance(rule, Lookup) or rule.name != name or rule.rest:
            continue
        base = next((each for each in facts.fields if each.name == rule.base and each.type in LEVELS), None)
        if base is None or rule.base in changed_by(facts):
            continue
        told = {key for key, value in zip(rule.keys, rule.values, strict=True) if value in wanted}
        may_L = np.array([level in told for level in base.levels])
        if may_L.any():
            have_NL = found.allowed.get(rule.base, np.ones((n, len(may_L)), dtype=bool))
            both_NL = have_NL & may_L
            found.allowed[rule.base] = both_NL if both_NL.any() else have_NL


def checks(facts: Facts) -> list[Any]:
    """Rules that rows can break: those that are not held by construction (keys are made afresh)."""
    return [rule for rule in facts.rules if not rule.constructive and not isinstance(rule, Unique)]


def refused(facts: Facts, table: pa.Table, given: Given) -> dict[str, Array]:
    """(N,) bool by what rows break: a rule, or what is asked of a column that a rule changes.

    Args:
        facts: of the table.
        table: rows with what strings spell, rules undone.
        given: from :func:`encode_given`.
    """
    found = {f'the rule "{rule.written}"': rule.broken(table) for rule in checks(facts)}
    fields = {field.name: field for field in facts.source}
    for name, asked in given.beyond.items():
        bare = msgspec.structs.replace(fields[name], words=())
        x_N = encoded(bare, table.column(name))[0]
        if bare.type in LEVELS:
            level_N = np.where(np.isnan(x_N), -1, x_N).astype(np.int64)
            met = (level_N >= 0) & asked[np.arange(len(x_N)), np.maximum(level_N, 0)]
        else:
            met = (x_N >= asked[:, 0]) & (x_N <= asked[:, 1])
        found[f"what is asked of {name}"] = ~met
    return found
