"""The rows on which rules are proposed, and what is known of each column on them.

Rules are proposed on some rows and confirmed on all. This file knows no rule; it hands out columns as codes and as
ticks (``rule_measure``) and forgets nothing that it has once computed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ilk.core.protocol import Array
from ilk.core.seeds import stream
from ilk.kinds.table.rule_measure import Measure, Ticks, decimals_of, family, finest
from ilk.kinds.table.rule_spell import codes_of, levels_of

ROWS, CELLS = 20_000, 8_000_000
FEWEST = 50
"""Rows that a rule is found in."""
CHANCE = -25.0
"""The logarithm of the probability that chance alone obeys a rule: at most this, less that of the number of tries."""


class Look:
    """A table and some of its rows.

    Attributes:
        table: all rows.
        some: the rows that are looked at, at most ``ROWS``, in their order.
        names: the columns that rules may speak of.
        random: for shuffling.
    """

    def __init__(self, table: pa.Table, names: Sequence[str] | None = None) -> None:
        columns = table.column_names
        once = [name for name in columns if columns.count(name) == 1] if len(set(columns)) < len(columns) else columns
        wanted = once if names is None else [name for name in once if name in set(names)]
        self.names = [name for name in wanted if _plain(table.schema.field(name).type)]
        self.table = table.select([columns.index(name) for name in self.names])
        self.random = stream(0, "rules")
        most = max(500, min(ROWS, CELLS // max(1, len(self.names))))
        self.some = self.table
        if table.num_rows > most:
            self.some = self.table.take(np.sort(self.random.choice(table.num_rows, most, replace=False)))
        self._codes: dict[str, tuple[Array, int]] = {}
        self._all_codes: dict[str, tuple[Array, int]] = {}
        self._decimals: dict[str, int | None] = {}

    def kind(self, name: str) -> pa.DataType:
        """A column's Arrow type."""
        return self.table.schema.field(name).type

    def codes(self, name: str) -> tuple[Array, int]:
        """(n,) codes of some rows (-1 where missing), and how many values there are."""
        if name not in self._codes:
            self._codes[name] = codes_of(self.some.column(name))
        return self._codes[name]

    def all_codes(self, name: str) -> tuple[Array, int]:
        """(N,) codes of all rows."""
        if self.some is self.table:
            return self.codes(name)
        if name not in self._all_codes:
            self._all_codes[name] = codes_of(self.table.column(name))
        return self._all_codes[name]

    def numbers(self) -> list[str]:
        """Columns of numbers that int64 or float64 holds, with more than one value."""
        found = []
        for name in self.names:
            if family(self.kind(name)) == "number" and readable(self.table.column(name)):
                value_N, known_N = Measure(decimals=None).read(self.some.column(name))
                if known_N.sum() >= FEWEST and np.ptp(value_N[known_N]) > 0:
                    found.append(name)
        return found

    def decimals(self, name: str) -> int | None:
        """Of all numbers in a column."""
        if name not in self._decimals:
            ends = decimals_of(self.some.column(name)) is not None
            self._decimals[name] = decimals_of(self.table.column(name)) if ends else None
        return self._decimals[name]


def _plain(kind: pa.DataType) -> bool:
    """Whether a column can be compared and spelt at all."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return bool(text or pa.types.is_boolean(kind) or family(kind))


def readable(column: pa.ChunkedArray) -> bool:
    """Whether a column of numbers can be computed with."""
    if pa.types.is_uint64(column.type):
        try:
            column.cast(pa.int64())
        except pa.ArrowInvalid:
            return False
    return True


def measured(kinds: Sequence[pa.DataType], decimals: int | None) -> Measure:
    """In which several columns of one family are computed with."""
    return Measure(decimals=decimals) if family(kinds[0]) == "number" else Measure(unit=finest(kinds))


def kept_levels(table: pa.Table, name: str) -> tuple[str | None, ...]:
    """The levels of a column, where it is a dictionary."""
    return levels_of(table.column(name))


def both_known(one: Ticks, other: Ticks) -> tuple[Array, Array]:
    """The values of two columns in the rows that have both."""
    known_N = one.known_N & other.known_N
    return one.value_N[known_N], other.value_N[known_N]
