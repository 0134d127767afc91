"""Cells of a file of text: spans, times and zones as people write them, and formulas made harmless where asked.

A CSV cannot say that ``=HYPERLINK(...)`` is a name and no formula; an apostrophe before it can (OWASP, CSV injection).
It changes the data, so nobody gets it unasked, and other formats do not need it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ilk.kinds.table.frame import Row, is_wary, wary
from ilk.kinds.table.times import spelt_as
from ilk.kinds.table.types import NUMBER

STARTS = r"^[=+\-@\t\r]"
UNITS = ("s", "ms", "us", "ns")


class Wary:
    """Marks the rows of a call, so that their formulas are escaped: see :class:`ilk.core.sequences.Guide`."""

    def __init__(self) -> None:
        self._seen: tuple[pa.Table, pa.Table] | None = None

    def processors(self, row: int) -> Sequence[Any]:  # noqa: ARG002
        """Nothing steers a row."""
        return ()

    def finish(self, object: Row) -> Row:
        """The row, of a table that is marked."""
        if self._seen is None or self._seen[0] is not object.table:
            self._seen = object.table, wary(object.table)
        return Row(self._seen[1], object.place)

    def certain(self, object: Row) -> Row:
        """Rows are made whole."""
        return object


def lettered(table: pa.Table) -> pa.Table:
    """A table for CSV: categories as strings, formulas escaped where the table is marked."""
    table = spans_spelt(table)
    return pa.table({name: _cells(table.column(name), escape=is_wary(table)) for name in table.column_names})


def spans_spelt(table: pa.Table) -> pa.Table:
    """A table whose spans of time are strings, ``3 days 04:05:06``: no format of text has a word for them."""
    for place, field in enumerate(table.schema):
        if pa.types.is_duration(field.type):
            spelt = spelt_as(table.column(place).cast(pa.duration("us"), safe=False), "days")
            table = table.set_column(place, field.name, spelt)
    return table


def _cells(column: pa.ChunkedArray, *, escape: bool) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _cells(column.cast(kind.value_type), escape=escape)
    if pa.types.is_time(kind):
        moment = column.cast(pa.time64("us"), safe=False).cast(pa.int64()).cast(pa.timestamp("us"))
        return spelt_as(moment, "%H:%M:%S.%f" if _coarsest(moment).type.unit != "s" else "%H:%M:%S")
    if pa.types.is_timestamp(kind):
        column = _coarsest(column)
        zoned = r"([+-]\d\d)(\d\d)$"
        return pc.replace_substring_regex(column.cast(pa.string()), zoned, r"\1:\2") if kind.tz else column
    if escape and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        number = pc.match_substring_regex(column, NUMBER)
        formula = pc.and_(pc.match_substring_regex(column, STARTS), pc.invert(number))
        return pc.if_else(formula, pc.binary_join_element_wise("'", column, ""), column)
    return column


def _coarsest(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments in the widest unit that loses nothing: without needless zeros."""
    for unit in UNITS[: UNITS.index(column.type.unit)]:
        try:
            return column.cast(pa.timestamp(unit, column.type.tz))
        except pa.ArrowInvalid:
            continue
    return column
