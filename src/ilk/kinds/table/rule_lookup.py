"""Columns that another one tells, by a table of pairs or by being the same; and columns that repeat nothing."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.protocol import Array
from ilk.core.seeds import by_chunks, stream
from ilk.kinds.table.convert import arrow_type
from ilk.kinds.table.rule_base import Checked, Held
from ilk.kinds.table.rule_spell import codes_of, put, quoted, spelt, unspelt

MOST_LOOSE = 100
CHUNK = 1024


class _Told(Held, frozen=True, kw_only=True):
    """A column that another one tells.

    Attributes:
        base: the column that tells it.
    """

    base: str

    @property
    def reads(self) -> tuple[str, ...]:
        """The base."""
        return (self.base,)

    @property
    def columns(self) -> tuple[str, ...]:
        """The base, and what it tells."""
        return (self.base, self.name)


class Lookup(_Told, frozen=True, kw_only=True, tag="lookup"):
    """Each ``base`` has one ``name``: the column is removed and looked up.

    Where a base or a name is missing in a way that pairs do not tell (``rest``), the column is not removed but says
    ``told`` wherever it is looked up.

    Attributes:
        name: the column that is told.
        base: the column that tells it.
        both: whether it also tells the base.
        keys: what the base may be, spelt (``rule_spell``); None for a missing one.
        values: the name of each.
        kind: the Arrow type of ``name``.
        levels: its levels, where it is a dictionary.
        rest: whether something is left to be learned.
        told: a mark that no value has.
        loose: what ``name`` is where the base is missing.
        place: where the column stands in the table.
    """

    both: bool = False
    keys: tuple[str | None, ...]
    values: tuple[str | None, ...]
    levels: tuple[str | None, ...] = ()
    rest: bool = False
    told: str = "="
    loose: Annotated[tuple[str | None, ...], msgspec.Meta(max_length=MOST_LOOSE)] = ()
    place: Annotated[int, msgspec.Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        Held.__post_init__(self)
        if len(self.keys) != len(self.values) or not self.keys:
            raise ValueError("a lookup has a value for each key")

    @property
    def says(self) -> str:
        """The rule in a sentence."""
        return f"each {self.base} has one {self.name}{', and the other way round' * self.both}"

    @property
    def written(self) -> str:
        """The rule as ``parse`` reads it."""
        return f"{quoted(self.base)} -> {quoted(self.name)}"

    def _places(self, column: pa.ChunkedArray) -> Array:
        """(N,) the pair that tells each row, -1 where none does."""
        place = pc.index_in(spelt(column), value_set=pa.array(self.keys, pa.string()))
        place_N = np.array(place.fill_null(-1).to_numpy())
        kind = column.type
        if (pa.types.is_integer(kind) or pa.types.is_floating(kind)) and (place_N < 0).any():
            self._fill_nearest(place_N, column)
        return place_N

    def _fill_nearest(self, place_N: Array, column: pa.ChunkedArray) -> None:
        """Let numbers that no pair has be told by the nearest one that has."""
        keys = [(float(key), place) for place, key in enumerate(self.keys) if key is not None]
        if not keys:
            return
        key_K, at_K = (np.array(each) for each in zip(*sorted(keys), strict=True))
        x_N = np.asarray(column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy())
        where = np.flatnonzero((place_N < 0) & np.isfinite(x_N))
        nearest = np.searchsorted((key_K[1:] + key_K[:-1]) / 2, x_N[where])
        place_N[where] = at_K[nearest]

    def _looked_up(self, table: pa.Table) -> tuple[pa.Array, Array]:
        """(N,) names, spelt, and which of them a pair tells."""
        place_N = self._places(table.column(self.base))
        place = pa.array(np.maximum(place_N, 0), mask=place_N < 0)
        return pc.take(pa.array(self.values, pa.string()), place), place_N >= 0

    def encode(self, table: pa.Table) -> pa.Table:
        """The table without the column, or with what pairs do not tell in its place."""
        if not self.rest:
            return table.drop_columns([self.name])
        looked, _ = self._looked_up(table)
        have = spelt(table.column(self.name))
        same = pc.fill_null(pc.equal(have, pa.chunked_array([looked])), False)  # noqa: FBT003
        return put(table, self.name, pc.if_else(same, pa.scalar(self.told), have))

    def decode(self, table: pa.Table, rows: Array | None = None) -> pa.Table:
        """The table with the column again; what a missing base leaves open depends on which sample a row is."""
        looked, told_N = self._looked_up(table)
        found: Any = looked
        if self.rest:
            rest = spelt(table.column(self.name))
            open_ = pa.array(~told_N)
            rows = np.arange(table.num_rows) if rows is None else rows
            drawn = by_chunks(rows, CHUNK, self._random) if len(rows) else rows
            loose = pc.take(pa.array(self.loose or (None,), pa.string()), pa.array(drawn))
            marked = pc.fill_null(pc.equal(rest, pa.scalar(self.told)), False)  # noqa: FBT003
            other = pc.if_else(marked, pa.chunked_array([loose]), self._known(rest))
            known = pc.if_else(pc.is_null(rest), pa.scalar(None, pa.string()), pa.chunked_array([looked]))
            found = pc.if_else(pa.chunked_array([open_]), other, known)
        return put(table, self.name, unspelt(found, arrow_type(self.kind), self.levels), self.place)

    def _random(self, first: int, rows: Array) -> Array:  # noqa: ARG002
        """(CHUNK,) places among what a missing base leaves open."""
        return stream(0, "lookup", self.name, first).integers(0, max(1, len(self.loose)), CHUNK)

    def _known(self, text: pa.ChunkedArray) -> pa.ChunkedArray:
        """Strings that are names; anything else is missing."""
        known = pa.array({*self.values, *self.loose, *self.levels} - {None}, pa.string())
        return pc.if_else(pc.is_in(text, value_set=known), text, pa.scalar(None, pa.string()))

    def broken(self, table: pa.Table) -> Array:
        """(N,) bool: rows in which the base has another name than it should; missing values break nothing."""
        looked, told_N = self._looked_up(table)
        differs = pc.not_equal(spelt(table.column(self.name)), pa.chunked_array([looked]))
        known_N = np.asarray(table.column(self.base).is_valid().to_numpy())
        broken_N: Array = np.asarray(differs.fill_null(False).to_numpy()) & told_N & known_N  # noqa: FBT003
        return broken_N


class Same(_Told, frozen=True, kw_only=True, tag="same"):
    """``name`` holds what ``base`` holds, and is missing where it is missing.

    Attributes:
        name: the column that is removed.
        base: the column that it is copied from.
        kind: the Arrow type of ``name``.
        levels: its levels, where it is a dictionary.
        place: where the column stands in the table.
    """

    levels: tuple[str | None, ...] = ()
    place: Annotated[int, msgspec.Meta(ge=0)] = 0

    @property
    def says(self) -> str:
        """The rule in a sentence."""
        return f"{self.name} is the same as {self.base}"

    @property
    def written(self) -> str:
        """The rule as ``parse`` reads it."""
        return f"{quoted(self.name)} = {quoted(self.base)}"

    def encode(self, table: pa.Table) -> pa.Table:
        """The table without the column."""
        return table.drop_columns([self.name])

    def decode(self, table: pa.Table, rows: Array | None = None) -> pa.Table:  # noqa: ARG002
        """The table with the column again."""
        return put(table, self.name, self._copied(table), self.place)

    def _copied(self, table: pa.Table) -> pa.ChunkedArray:
        base, kind = table.column(self.base), arrow_type(self.kind)
        if base.type == kind and not self.levels:
            return base
        return unspelt(spelt(base), kind, self.levels)

    def broken(self, table: pa.Table) -> Array:
        """(N,) bool: rows in which they differ; missing values break nothing."""
        differs = pc.not_equal(spelt(table.column(self.name)), spelt(table.column(self.base)))
        broken_N: Array = np.asarray(differs.fill_null(False).to_numpy())  # noqa: FBT003
        return broken_N


class Unique(Checked, frozen=True, kw_only=True, tag="unique"):
    """No two rows have the same ``name``. Keys are made afresh elsewhere; here it is only checked.

    Attributes:
        name: the column.
    """

    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.name,)

    @property
    def says(self) -> str:
        """The rule in a sentence."""
        return f"no two rows have the same {self.name}"

    @property
    def written(self) -> str:
        """The rule as ``parse`` reads it."""
        return f"unique {quoted(self.name)}"

    def broken(self, table: pa.Table) -> Array:
        """(N,) bool: rows that repeat an earlier one; missing values repeat nothing."""
        code_N, count = codes_of(table.column(self.name))
        first_C = np.full(count, len(code_N))
        np.minimum.at(first_C, code_N[code_N >= 0], np.flatnonzero(code_N >= 0))
        broken_N: Array = code_N >= 0
        broken_N[first_C] = False
        return broken_N
