"""What every row of a table obeys, held by construction: a column that others tell is taken out, then put back.

``end >= start`` becomes how much later the end is, ``total = fare + tip`` what is left of it, ``zone -> borough``
nothing at all. Whatever is then made of the columns that are left, the rule holds in it. How rules are found is told in
``detect.py``, how they are written in ``parse.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.config import Record
from ilk.core.protocol import Array


class Above(Record, frozen=True, tag="above"):
    """``name`` is never below ``base``: numbers, dates or times. It is kept as how much it is above."""

    name: str
    base: str
    strict: bool = False
    decimals: int = 9

    @property
    def says(self) -> str:
        """The rule as a person writes it."""
        return f"{self.name} {'>' if self.strict else '>='} {self.base}"

    @property
    def reads(self) -> tuple[str, ...]:
        """Columns that it needs, beside the one that it takes out."""
        return (self.base,)

    def encode(self, table: pa.Table) -> pa.Table:
        """With the difference in place of the column."""
        return _put(table, self.name, pc.subtract(table.column(self.name), table.column(self.base)))

    def decode(self, table: pa.Table) -> pa.Table:
        """With the column again."""
        base = table.column(self.base)
        found = pc.add(base, table.column(self.name))
        if pa.types.is_floating(found.type):
            found = _rounded(found, self.decimals)
        return _put(table, self.name, found.cast(base.type))

    def broken(self, table: pa.Table) -> Array:
        """(N,) rows that break it; a missing value breaks nothing."""
        compare = pc.less_equal if self.strict else pc.less
        return _mask(compare(table.column(self.name), table.column(self.base)))


class Sum(Record, frozen=True, tag="sum"):
    """``name`` is the sum of ``parts``, and of a rest that takes few values; the rest is kept."""

    name: str
    parts: tuple[str, ...]
    decimals: int
    rest: bool = False

    @property
    def says(self) -> str:
        """The rule as a person writes it."""
        return f"{self.name} = {' + '.join(self.parts)}{' + one of a few amounts' * self.rest}"

    @property
    def reads(self) -> tuple[str, ...]:
        """See ``Above``."""
        return self.parts

    def _sum(self, table: pa.Table) -> pa.ChunkedArray:
        found = table.column(self.parts[0]).cast(pa.float64())
        for part in self.parts[1:]:
            found = pc.add(found, table.column(part).cast(pa.float64()))
        return found

    def encode(self, table: pa.Table) -> pa.Table:
        """With the rest in place of the column; without it where there is no rest."""
        if not self.rest:
            return table.drop_columns([self.name])
        rest = pc.subtract(table.column(self.name).cast(pa.float64()), self._sum(table))
        return _put(table, self.name, _rounded(rest, self.decimals))

    def decode(self, table: pa.Table) -> pa.Table:
        """With the column again."""
        total = self._sum(table)
        if self.rest:
            total = pc.add(total, table.column(self.name).cast(pa.float64()))
        return _put(table, self.name, _rounded(total, self.decimals))

    def broken(self, table: pa.Table) -> Array:
        """See ``Above``; with a rest, nothing breaks it that takes one of its values."""
        if self.rest:
            return np.zeros(table.num_rows, dtype=bool)
        off = pc.abs(pc.subtract(table.column(self.name).cast(pa.float64()), self._sum(table)))
        return _mask(pc.greater(off, 0.6 * 10.0**-self.decimals))


class Lookup(Record, frozen=True, tag="lookup"):
    """``base`` tells ``name``, which is looked up."""

    name: str
    base: str
    keys: tuple[str | None, ...]
    values: tuple[str | None, ...]

    @property
    def says(self) -> str:
        """The rule as a person writes it."""
        return f"{self.base} -> {self.name}"

    @property
    def reads(self) -> tuple[str, ...]:
        """See ``Above``."""
        return (self.base,)

    def encode(self, table: pa.Table) -> pa.Table:
        """Without the column."""
        return table.drop_columns([self.name])

    def decode(self, table: pa.Table) -> pa.Table:
        """With the column again, as strings."""
        return _put(table, self.name, self._looked_up(table))

    def _looked_up(self, table: pa.Table) -> pa.ChunkedArray:
        place = pc.index_in(as_strings(table.column(self.base)), value_set=pa.array(self.keys, pa.string()))
        return pc.take(pa.array(self.values, pa.string()), place)

    def broken(self, table: pa.Table) -> Array:
        """See ``Above``."""
        return _mask(pc.not_equal(as_strings(table.column(self.name)), self._looked_up(table)))


Rule = Above | Sum | Lookup


def as_strings(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of anything as strings, the same ones whatever it is kept in."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string())


def _rounded(column: pa.ChunkedArray, decimals: int) -> pa.ChunkedArray:
    """Numbers as they are written with so many decimals; Arrow's own rounding gives 14.719999999999999 for 14.72."""
    missing = np.asarray(column.is_null().to_numpy())
    value = np.round(column.fill_null(0.0).to_numpy(), decimals)
    return pa.chunked_array([pa.array(value, mask=missing)])


def _put(table: pa.Table, name: str, column: Any) -> pa.Table:
    """The table with a column of this name, in its place or at the end."""
    place = table.column_names.index(name) if name in table.column_names else table.num_columns
    return table.set_column(place, name, column) if place < table.num_columns else table.append_column(name, column)


def _mask(found: pa.ChunkedArray) -> Array:
    return np.asarray(found.fill_null(False).to_numpy(zero_copy_only=False)).astype(bool)  # noqa: FBT003


def in_order(rules: list[Rule]) -> tuple[Rule, ...]:
    """So that each reads columns that are still there: who needs a column comes before who takes it out.

    A rule that could only be held with another one broken is left out.
    """
    left, found = list(rules), list[Rule]()
    while left:
        ready = [rule for rule in left if not any(rule.name in other.reads for other in left if other is not rule)]
        if not ready:
            left.pop()  # a circle; the last one found goes
            continue
        found += ready
        left = [rule for rule in left if rule not in ready]
    return tuple(found)
