"""What a table holds, found out from its training rows: the type of each column, and the rules that all rows obey."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import pyarrow as pa
from msgspec.structs import replace

from ilk.core.errors import Code, InputError
from ilk.core.plan import Plan
from ilk.core.protocol import Base, Example
from ilk.kinds.table import types
from ilk.kinds.table.codec import Facts, TableCodec
from ilk.kinds.table.convert import typed
from ilk.kinds.table.frame import as_table, container_of, out_of
from ilk.kinds.table.options import Options
from ilk.kinds.table.rule_book import Rule, arrange
from ilk.kinds.table.rule_find import find
from ilk.kinds.table.rule_parse import parse

FEWEST = 9  # rows to learn from (one less than is said passes: a holdout may have taken it)
TOGETHER = 65_536


def fit_codec(examples: Iterable[Example], options: Options, plan: Plan, base: Base | None) -> TableCodec:  # noqa: ARG001
    """The codec of a table.

    Raises:
        InputError: too few rows, nothing that could be learned, or a column or rule that is not what the user says.
    """
    parts, stream = list[pa.Table](), iter(examples)
    while some := list(islice(stream, TOGETHER)):
        parts.append(as_table([example.object for example in some]))
    count = sum(part.num_rows for part in parts)
    if count < FEWEST:
        raise InputError(Code.TOO_FEW, f"The table has {count} rows to learn from; it needs at least 10.")
    container, dtypes = container_of(parts[0])
    table = pa.concat_tables(parts, promote_options="permissive")
    asked = types.asked(options.column, table.column_names)
    found = (types.find(name, table.column(name), asked.get(name)) for name in table.column_names)
    nullable = [parts[0].schema.field(name).nullable for name in table.column_names]
    source = tuple(replace(field, nullable=may) for field, may in zip(found, nullable, strict=True))
    spelt = pa.table({field.name: typed(field, table.column(field.name)) for field in source})
    rules = _rules(spelt, options)
    left = spelt
    for rule in rules:
        left = rule.encode(left)
    own, taken = {field.name: field for field in source}, {rule.takes for rule in rules}
    fields = tuple(
        types.find(name, left.column(name)) if name in taken else _again(own[name], left.column(name), asked.get(name))
        for name in left.column_names
    )
    if not any(field.width for field in fields):
        sentence = "The table has no column to learn: all are keys, long texts, empty, or the same in each row"
        long = next((field.name for field in fields if field.type == "text"), None)
        raise InputError(Code.NO_VARIETY, f"{sentence}{f'; learn a text with --field {long}' if long else ''}.")
    facts = Facts(
        source=source,
        fields=fields,
        rules=rules,
        container=container,
        dtypes=dtypes,
        rows=count,
        out_of=out_of(parts[0]),
        share=options.share,
    )
    return TableCodec(facts)


def _rules(table: pa.Table, options: Options) -> tuple[Rule, ...]:
    """Those that the user names, and those that are found about other columns."""
    return arrange(find(table), table.column_names, [parse(text, table) for text in options.rule])


def _again(field: types.Field, column: pa.ChunkedArray, wanted: str | None) -> types.Field:
    """What a column holds now that strings are the numbers and dates that they spell."""
    if field.type in ("key", "text", "constant", "empty", "category", "boolean") or field.words:
        return field
    return types.find(field.name, column, wanted if wanted in ("category",) else None)
