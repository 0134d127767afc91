"""A row of a table, and rows as a sequence: both look into one Arrow table and copy nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import pyarrow as pa


BLOCK = 1024


class _Blocks:
    """The Python values of the block of rows that was looked at last: whoever reads one row reads its neighbours."""

    def __init__(self) -> None:
        self._table: pa.Table | None = None
        self._first = -1
        self._values: dict[str, list[Any]] = {}

    def of(self, table: pa.Table, place: int) -> dict[str, list[Any]]:
        """Names to values of the block that holds a row."""
        first = place // BLOCK * BLOCK
        if self._table is not table or self._first != first:
            self._table, self._first, self._values = table, first, table.slice(first, BLOCK).to_pydict()
        return self._values


_BLOCKS = threading.local()


def _block(table: pa.Table, place: int) -> dict[str, list[Any]]:
    if not hasattr(_BLOCKS, "last"):
        _BLOCKS.last = _Blocks()
    found: dict[str, list[Any]] = _BLOCKS.last.of(table, place)
    return found


class Row(Mapping[str, Any]):
    """One row: names of columns to Python values, None where one is missing."""

    __slots__ = ("place", "table")

    def __init__(self, table: pa.Table, place: int) -> None:
        self.table, self.place = table, place

    def __getitem__(self, name: str) -> Any:
        return _block(self.table, self.place)[name][self.place % BLOCK]

    def __iter__(self) -> Iterator[str]:
        return iter(_block(self.table, self.place))

    def __len__(self) -> int:
        return int(self.table.num_columns)

    def __repr__(self) -> str:
        return f"Row({', '.join(f'{name}={value!r}' for name, value in self.items())})"


class Rows(Sequence[Row]):
    """Rows of one Arrow table, which is ``table``."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> Row | Rows:
        places = range(len(self))[index]
        return Rows(self.table.take(list(places))) if isinstance(places, range) else Row(self.table, places)

    def __iter__(self) -> Iterator[Row]:
        return (Row(self.table, place) for place in range(len(self)))


def as_table(objects: Sequence[Any]) -> pa.Table:
    """One Arrow table of rows, whichever tables they look into; runs of one table are taken together."""
    import pyarrow as pa

    if isinstance(objects, Rows):
        return objects.table
    parts: list[tuple[pa.Table, list[int]]] = []
    for row in objects:
        if not parts or parts[-1][0] is not row.table:
            parts.append((row.table, []))
        parts[-1][1].append(row.place)
    return pa.concat_tables([table.take(places) for table, places in parts])


CONTAINER, OUT_OF, WARY = b"ilk", b"ilk rows", b"ilk wary"
"""Where a table's metadata says what it came in, of how many rows it is a part that was picked, and that its formulas
are to be escaped."""
TEXT = "text"
"""What files are called whose cells are letters and no more: CSV, TSV."""


def contained(table: pa.Table, container: str, dtypes: Sequence[str] = ()) -> pa.Table:
    """The table, with a note of the container that it came in."""
    return table.replace_schema_metadata({CONTAINER: "\n".join([container, *dtypes])})


def container_of(table: pa.Table) -> tuple[str, tuple[str, ...]]:
    """The container that a table came in, and the container's own types of its columns."""
    container, *dtypes = (table.schema.metadata or {}).get(CONTAINER, b"").decode().split("\n")
    return container, tuple(dtypes)


def picked(table: pa.Table, out_of: int) -> pa.Table:
    """The table, with a note of how many rows its source has."""
    return table.replace_schema_metadata({**(table.schema.metadata or {}), OUT_OF: str(out_of)})


def out_of(table: pa.Table) -> int:
    """How many rows the source has; 0 where none were left out."""
    return int((table.schema.metadata or {}).get(OUT_OF, b"0"))


def wary(table: pa.Table) -> pa.Table:
    """The table, with a note that its formulas are to be escaped."""
    return table.replace_schema_metadata({**(table.schema.metadata or {}), WARY: "1"})


def is_wary(table: pa.Table) -> bool:
    """Whether its formulas are to be escaped."""
    return WARY in (table.schema.metadata or {})
