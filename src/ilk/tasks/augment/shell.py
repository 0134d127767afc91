"""The user's own container of rows: data frame, array or Arrow table, cut, joined, and filled with made rows.

Kinds know the containers (``ilk.kinds.table.containers``); this file adds arrays, which come back as arrays of the same
dtype, and what models need: some of the rows, and two lots as one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.utils import _safe_indexing

from ilk.core.protocol import Array
from ilk.kinds.table.containers import filled, of_frame
from ilk.kinds.table.frame import container_of


class Shell:
    """One container of rows.

    Args:
        X: (N, F) a data frame of pandas or polars, an Arrow table, an array or nested lists of numbers or strings.
    """

    def __init__(self, X: Any) -> None:
        self.X: Any = np.asarray(X) if isinstance(X, list | tuple) else X

    def __len__(self) -> int:
        return int(self.X.shape[0])

    @property
    def is_array(self) -> bool:
        """Whether columns have no names."""
        return isinstance(self.X, np.ndarray)

    def part(self, rows: Array) -> Any:
        """Some of the rows."""
        return self.X.take(pa.array(rows)) if isinstance(self.X, pa.Table) else _safe_indexing(self.X, rows)

    def arrow(self, X: Any = None) -> pa.Table:
        """Rows in a container like this one as an Arrow table; all of its own by default.

        Raises:
            InputError: a column holds objects, or two have one name.
        """
        return arrow_of(self.X if X is None else X)

    def native(self, table: pa.Table, like: pa.Table) -> Any:
        """Made rows in this container.

        Args:
            table: the rows.
            like: what :meth:`arrow` gave, which says what it was made of.
        """
        if self.is_array:
            return np.stack([_column(column) for column in table.columns], axis=1).astype(self.X.dtype)
        container, dtypes = container_of(like)
        if container in ("", "text", "pyarrow"):
            return table.cast(like.schema)
        frame = filled(table, container, dtypes)
        return frame.astype(dict(self.X.dtypes)) if container.startswith("pandas") else frame

    def join(self, first: Any, second: Any) -> Any:
        """Two lots of rows as one."""
        if self.is_array:
            return np.concatenate([first, second])
        if isinstance(first, pa.Table):
            return pa.concat_tables([first, second])
        import narwhals

        both = narwhals.concat([narwhals.from_native(first), narwhals.from_native(second)])
        return narwhals.maybe_reset_index(both).to_native()


def arrow_of(X: Any) -> pa.Table:
    """Rows in any container as an Arrow table.

    Raises:
        InputError: a column holds objects, or two have one name.
    """
    data = np.asarray(X) if isinstance(X, list | tuple) else X
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "OU":
        return of_frame(_dense(data))
    return pa.table({f"x{place}": _values(column) for place, column in enumerate(data.T)})


def _dense(X: Any) -> Any:
    """A data frame of pandas whose sparse columns are none; anything else as it is."""
    kinds = dict(X.dtypes) if hasattr(X, "iloc") else {}
    sparse = {name: kind.subtype for name, kind in kinds.items() if str(kind).startswith("Sparse")}
    return X.astype(sparse) if sparse else X


def _values(column_N: Array) -> pa.Array:
    """Objects of one type, those that are none as missing; of several types as strings."""
    values = [None if value is None or value != value else value for value in column_N.tolist()]
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values])


def _column(column: pa.ChunkedArray) -> Array:
    """(N,) numbers with NaN where one is missing, or objects with None."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return np.array(column.to_pylist(), dtype=object)
    return np.asarray(column.to_numpy())
