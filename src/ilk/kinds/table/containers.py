"""Data frames, arrays and lists of records to Arrow tables, and rows back into what they came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from ilk.core.errors import Code, InputError
from ilk.kinds.table.convert import arrow_type
from ilk.kinds.table.frame import contained
from ilk.kinds.table.recognise import is_frame, is_matrix

INTEGERS = "pandas int"
"""The container of a data frame whose columns are called 0, 1, 2."""
_REFUSALS = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError, OverflowError)


def of_frame(source: Any) -> pa.Table:
    """An Arrow table of a data frame, an array or a list of records.

    Raises:
        InputError: a column holds Python objects, or it is no table.
    """
    if isinstance(source, pa.RecordBatch):
        source = pa.Table.from_batches([source])
    if isinstance(source, pa.Table):
        check_names(source.column_names, "The table")
        return contained(plain(source), "pyarrow", [str(field.type) for field in source.schema])
    if is_records(source):
        return _of_records(source)
    if is_matrix(source):
        return _of_array(source)
    if not is_frame(source):
        raise InputError(Code.SOURCE_UNKNOWN, f"A table cannot be read from a {type(source).__name__}.")
    names = [str(name) for name in source.columns]
    check_names(names, "The table")
    if not hasattr(source, "iloc"):
        return _of_polars(source)
    columns = {name: _of_series(name, source.iloc[:, place]) for place, name in enumerate(names)}
    integers = names and all(isinstance(name, int) for name in source.columns.tolist())
    dtypes = [str(dtype) for dtype in source.dtypes]
    return contained(plain(pa.table(columns)), INTEGERS if integers else "pandas", dtypes)


def is_records(source: Any) -> bool:
    """Whether it is a list of mappings, of which each is a row."""
    return isinstance(source, list | tuple) and bool(source) and isinstance(source[0], Mapping)


def check_names(names: Sequence[str], shown: str) -> None:
    """Refuse columns that cannot be told apart.

    Raises:
        InputError: two have one name, or one has none.
    """
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    for place, name in enumerate(names, 1):
        if not name.strip():
            hint = "give it one (pandas writes its index like this, unless it is told index=False)"
            raise InputError(Code.SOURCE_UNKNOWN, f"{shown} has no name for column {place} of {len(names)}; {hint}.")
        if seen[name] > 1:
            hint = "give each a name of its own"
            if name.strip().lstrip("+-").replace(".", "", 1).isdigit():
                hint += ", or say --header false, where the first line holds no names"
            raise InputError(Code.SOURCE_UNKNOWN, f'{shown} has {seen[name]} columns called "{name}"; {hint}.')


def plain(table: pa.Table) -> pa.Table:
    """The table without views of strings, which Arrow cannot pick rows of yet."""
    kinds = [pa.large_string() if pa.types.is_string_view(field.type) else field.type for field in table.schema]
    fields = [field.with_type(kind) for field, kind in zip(table.schema, kinds, strict=True)]
    return table.cast(pa.schema(fields, table.schema.metadata))


def _of_series(name: str, series: Any) -> pa.Array:
    """A column of a data frame of pandas; its index does not count."""
    try:
        return pa.array(series, from_pandas=True)
    except _REFUSALS:
        objects = str(series.dtype) == "object"
        kinds = sorted({type(value).__name__ for value in series.dropna().iloc[:10_000]}) if objects else [series.dtype]
        raise InputError(Code.SOURCE_UNKNOWN, _objects(name, kinds)) from None


def _objects(name: str, kinds: Sequence[object]) -> str:
    shown = " and ".join(map(str, kinds[:3])) or "objects"
    return (
        f'The column "{name}" holds {shown}, not numbers, dates or strings alone; make it one of them or leave it out.'
    )


def _of_polars(source: Any) -> pa.Table:
    import narwhals

    for name, kind in source.schema.items():
        if str(kind).startswith("Object"):
            raise InputError(Code.SOURCE_UNKNOWN, _objects(name, ["Python objects"]))
    table = narwhals.from_native(source).to_arrow()
    return contained(plain(table), "polars", [str(kind).partition("(")[0] for kind in source.dtypes])


def _of_array(source: Any) -> pa.Table:
    """A table of an array in two axes, its columns called x0, x1, ..., or of one with named fields."""
    names = source.dtype.names or [f"x{place}" for place in range(source.shape[1])]
    parts = [source[name] if source.dtype.names else source[:, place] for place, name in enumerate(names)]
    columns = {}
    for name, part in zip(names, parts, strict=True):
        values = part.astype("U") if part.dtype.kind == "S" else part
        try:
            columns[name] = pa.array(values.tolist() if values.dtype.kind in "UO" else values)
        except _REFUSALS:
            raise InputError(Code.SOURCE_UNKNOWN, _objects(name, [str(part.dtype)])) from None
    return pa.table(columns)


def _of_records(source: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table of mappings; one that lacks a key lacks the value."""
    names = dict.fromkeys(str(name) for row in source for name in row)
    check_names(list(names), "The table")
    columns = {}
    for name in names:
        values = [row.get(name) for row in source]
        try:
            columns[name] = pa.array(values)
        except _REFUSALS:
            kinds = sorted({type(value).__name__ for value in values if value is not None})
            raise InputError(Code.SOURCE_UNKNOWN, _objects(name, kinds)) from None
    return pa.table(columns)


def filled(table: pa.Table, container: str, dtypes: Sequence[str]) -> Any:
    """Rows in what the data came in, with the same types of columns.

    Args:
        table: the rows.
        container: ``pandas``, ``pandas int``, ``polars`` or ``pyarrow``.
        dtypes: its own types, as its words for them.
    """
    wanted = dict(zip(table.column_names, dtypes, strict=True)) if dtypes else {}
    table = table.replace_schema_metadata(None)
    if container == "pyarrow":
        kinds = [arrow_type(wanted[field.name]) if field.name in wanted else field.type for field in table.schema]
        return table.cast(pa.schema([field.with_type(kind) for field, kind in zip(table.schema, kinds, strict=True)]))
    import narwhals

    backend: Any = container.partition(" ")[0]
    frame: Any = narwhals.from_arrow(table, backend=backend).to_native()
    if container == "polars":
        return _as_polars(frame, table, wanted)
    changed = {name: kind for name, kind in wanted.items() if str(frame[name].dtype) != kind}
    for name, kind in changed.items():
        if kind != "object" and (fits := _as_type(frame[name], kind)) is not None:
            frame[name] = fits
    for name in (name for name, kind in changed.items() if kind == "object"):
        column = frame[name].astype(object)
        column[column.isna()] = None
        frame[name] = column
    if container == INTEGERS:
        frame.columns = [int(name) for name in frame.columns]
    return frame


def _as_type(series: Any, kind: str) -> Any:
    """The column in another type; None where it has holes now that this has no place for: it was left out."""
    if kind == "bool" and series.isna().any():
        return None
    try:
        return series.astype(kind)
    except (TypeError, ValueError):
        return None


def _as_polars(frame: Any, table: pa.Table, wanted: Mapping[str, str]) -> Any:
    import narwhals

    for name, kind in wanted.items():
        if kind == "Enum":  # Arrow knows no difference to a category
            levels = table.column(name).unify_dictionaries().chunk(0).dictionary.to_pylist()
            column = narwhals.col(name).cast(narwhals.String).cast(narwhals.Enum(levels))
            frame = narwhals.from_native(frame).with_columns(column).to_native()
    return frame
