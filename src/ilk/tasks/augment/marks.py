"""A column that says which rows were made."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ilk.core.errors import Code, InputError
from ilk.core.protocol import Array


def with_mark(X: Any, name: str, made_N: Array) -> Any:
    """Rows with one more column, True where a row was made.

    Args:
        X: a data frame or an Arrow table.
        name: of the column.
        made_N: (N,) boolean.

    Raises:
        InputError: X has no named columns, or one of that name.
    """
    if not hasattr(X, "columns"):
        sentence = "mark names a column, and arrays have none; made_ tells which rows were made."
        raise InputError(Code.OPTION, sentence)
    names = X.column_names if isinstance(X, pa.Table) else list(X.columns)
    if name in names:
        raise InputError(Code.OPTION, f'There is a column "{name}" already; mark the made rows by another name.')
    if isinstance(X, pa.Table):
        return X.append_column(name, pa.array(made_N))
    import narwhals

    frame = narwhals.from_native(X)
    column = narwhals.new_series(name, made_N, backend=frame.implementation)
    if (index := narwhals.maybe_get_index(frame)) is not None:
        column = narwhals.maybe_set_index(column, index=index)
    return frame.with_columns(column).to_native()
