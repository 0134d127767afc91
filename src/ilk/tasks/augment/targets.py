"""The user's own container of a label: a series, an array, a list, one column a class; read, and made longer."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import label_binarize

from ilk.core.errors import Code, InputError
from ilk.core.protocol import LABEL, Array
from ilk.tasks.augment.labels import Label


def name_of(y: Any, label: str | None) -> str:
    """What the label is called."""
    return str(label or getattr(y, "name", None) or LABEL)


def values_of(y: Any) -> Array:
    """(N,) the classes; of one column a class (1 in the row's own) its place.

    Raises:
        InputError: there is no label, or it is several.
    """
    if y is None:
        raise InputError(Code.OPTION, "The label is missing: give y, a class for each example.")
    value = np.asarray(y)
    if value.ndim == 1:
        return value
    if value.ndim == 2 and value.shape[1] == 1:
        return value[:, 0]
    if _is_one_hot(value):
        return np.asarray(value.argmax(1))
    raise InputError(Code.OPTION, "Multilabel and multioutput targets are not supported; give one class a row.")


def _is_one_hot(value: Array) -> bool:
    return (
        value.ndim == 2
        and value.dtype.kind in "biuf"
        and bool(np.isin(value, (0, 1)).all() and (value.sum(1) == 1).all())
    )


def joined(y: Any, label: Label, code_M: Array) -> Any:
    """The label of all rows: the user's, then those that were made.

    Args:
        y: in any container that :func:`values_of` reads.
        label: its levels.
        code_M: (M,) the classes of the made rows.
    """
    new = label.levels[code_M]
    if isinstance(y, list):
        return y + new.tolist()
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] > 1:
        return label_binarize(np.concatenate([values.argmax(1), code_M]), classes=np.arange(len(label.levels)))
    if isinstance(y, np.ndarray):
        return np.concatenate([y.reshape(-1), new.astype(y.dtype)])
    if hasattr(y, "columns"):  # a data frame of one column
        name = y.columns[0]
        return type(y)({name: joined(y[name], label, code_M)})
    every = [*(y.to_list() if hasattr(y, "to_list") else y.to_pylist()), *new.tolist()]
    if hasattr(y, "iloc"):
        return type(y)(every, dtype=y.dtype, name=y.name)
    import narwhals

    series = narwhals.from_native(y, series_only=True)
    return narwhals.new_series(series.name, every, series.dtype, backend=series.implementation).to_native()
