"""Values of any Arrow column as strings and back, columns as codes, and columns put back where they were.

Lookups are kept as strings, since JSON has no dates; dates and times are spelt as their number of units, everything
else as Arrow does. Nothing here knows a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.protocol import Array


def spelt(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as strings, one to one: the same whatever it is kept in."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return spelt(column.cast(kind.value_type))
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        column = column.cast(pa.int32())
    elif pa.types.is_temporal(kind):
        column = column.cast(pa.int64())
    return column.cast(pa.string())


def unspelt(text: pa.Array | pa.ChunkedArray, kind: pa.DataType, levels: Sequence[str | None] = ()) -> Any:
    """A column of an Arrow type from what :func:`spelt` made of it; ``levels`` are those of a dictionary, in order."""
    if pa.types.is_dictionary(kind):
        place = pc.index_in(text, value_set=pa.array(levels, pa.string())).cast(kind.index_type)
        values = unspelt(pa.array(levels, pa.string()), kind.value_type)
        parts = place.chunks if isinstance(place, pa.ChunkedArray) else [place]
        made = [pa.DictionaryArray.from_arrays(part, values, ordered=kind.ordered) for part in parts]
        return pa.chunked_array(made, type=kind)
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        return text.cast(pa.int32()).cast(kind)
    return text.cast(pa.int64()).cast(kind) if pa.types.is_temporal(kind) else text.cast(kind)


def levels_of(column: pa.ChunkedArray) -> tuple[str | None, ...]:
    """The levels of a dictionary column, in its order; none of any other."""
    if not pa.types.is_dictionary(column.type):
        return ()
    chunks = column.unify_dictionaries().chunks
    return tuple(spelt(pa.chunked_array([chunks[0].dictionary])).to_pylist()) if chunks else ()


def codes_of(column: pa.ChunkedArray) -> tuple[Array, int]:
    """(N,) int32 code of each value, -1 where it is missing, and how many different values there are."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    coded = column.combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    return np.asarray(coded.indices.fill_null(-1).to_numpy()), len(coded.dictionary)


def put(table: pa.Table, name: str, column: Any, place: int | None = None) -> pa.Table:
    """The table with a column of this name: where it is, else at ``place``, else at the end."""
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, column)
    return table.add_column(table.num_columns if place is None else min(place, table.num_columns), name, column)


def listed(names: Sequence[str]) -> str:
    """Names as a person lists them: ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def quoted(name: str) -> str:
    """A name as it stands in a rule: in backticks where it is more than one word."""
    return name if name.isidentifier() and name != "unique" else f"`{name}`"
