"""Rules as a person writes them: ``end >= start``, ``total = fare + tip``, ``zone -> borough``."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from ilk.core.errors import Code, InputError, suggest
from ilk.kinds.table.detect import lookup
from ilk.kinds.table.rules import Above, Rule, Sum
from ilk.kinds.table.types import decimals_of

FORM = re.compile(r"^(?P<left>.+?)\s*(?P<sign>->|>=|<=|>|<|=)\s*(?P<right>.+)$")


def parse(text: str, table: pa.Table) -> Rule:
    """The rule that a line means.

    Raises:
        InputError: it is none, names a column that there is not, or rows of the data break it.
    """
    found = FORM.match(text.strip())
    if found is None:
        sentence = f'"{text}" is no rule; write one like "end >= start", "total = fare + tip" or "zone -> borough".'
        raise InputError(Code.OPTION, sentence)
    left, sign, right = found["left"], found["sign"], found["right"]
    rule: Rule | None
    if sign == "->":
        base, name = _name(left, table), _name(right, table)
        rule = lookup(table, base, name)
        if rule is None:
            raise InputError(
                Code.OPTION, f'The data contradict the rule "{text}": some {base} has more than one {name}.'
            )
        return rule
    if sign == "=":
        name, parts = _name(left, table), tuple(_name(part, table) for part in _split(right))
        decimals = max(_decimals(table, each) for each in (name, *parts))
        rule = Sum(name=name, parts=parts, decimals=decimals)
    else:
        if sign.startswith("<"):
            left, right = right, left
        rule = Above(name=_name(left, table), base=_name(right, table), strict="=" not in sign)
    _confirm(rule, text, table)
    return rule


def _confirm(rule: Rule, text: str, table: pa.Table) -> None:
    try:
        wrong = rule.broken(table)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        kinds = " and ".join(f"{name} ({table.schema.field(name).type})" for name in (rule.name, *rule.reads))
        raise InputError(Code.OPTION, f'The rule "{text}" cannot be held: {kinds} do not compare.') from None
    if wrong.any():
        row = table.slice(int(wrong.argmax()), 1).select([rule.name, *rule.reads]).to_pylist()[0]
        shown = ", ".join(f"{name} {value}" for name, value in row.items())
        sentence = f'The data contradict the rule "{text}" in {int(wrong.sum()):,} of {len(wrong):,} rows'
        raise InputError(Code.OPTION, f"{sentence}, the first with {shown}; mend them or leave the rule out.")


def _split(text: str) -> Sequence[str]:
    """The terms of a sum; signs inside of backticks are letters."""
    return [part for part in re.findall(r"`[^`]+`|[^+]+", text) if part.strip()]


def _name(text: str, table: pa.Table) -> str:
    name = text.strip().strip("`")
    if name not in table.column_names:
        raise InputError(Code.OPTION, f'There is no column "{name}"; {suggest(name, table.column_names)}.')
    return name


def _decimals(table: pa.Table, name: str) -> int:
    column = table.column(name).drop_null()
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise InputError(Code.OPTION, f'A sum is of numbers, and "{name}" holds {column.type}.')
    return decimals_of(column.cast(pa.float64()).to_numpy()) or 0
