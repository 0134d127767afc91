"""What a label must be: at least two classes of at least five rows each, none missing, no measured quantity."""

from __future__ import annotations

from typing import Any

import numpy as np

from ilk.core.config import Record
from ilk.core.errors import Code, InputError
from ilk.core.protocol import Array

FEWEST = 5  # rows of a class: inner cross-validation wants each class in every training part, SMOTE its neighbours
MOST = 50  # classes
FEW_NUMBERS = 20  # different numbers that still are names of classes


class Label(Record, frozen=True):
    """A label that can be learned.

    Attributes:
        name: as the user calls it.
        levels: (K,) the classes in sorted order, of the user's own type.
        code_N: (N,) the place of each row's class among them.
    """

    name: str
    levels: Array
    code_N: Array

    @property
    def counts(self) -> Array:
        """(K,) rows of each class."""
        return np.bincount(self.code_N, minlength=len(self.levels))

    @property
    def rarest(self) -> int:
        """The class with the fewest rows; of two classes it is the one that is looked for."""
        return int(np.argmin(self.counts))


def read_label(values: Any, name: str) -> Label:
    """A label from its values.

    Args:
        values: (N,) names or numbers.
        name: what the label is called.

    Raises:
        InputError: it is no label that can be decided for, and why.
    """
    value_N = np.asarray(values)
    if value_N.ndim != 1:
        raise InputError(Code.OPTION, f"The label {name} must be one column; multilabel targets are not supported.")
    if missing := int(sum(_missing(value) for value in value_N.tolist())):
        sentence = f"The label {name} is missing in {missing:,} of {len(value_N):,} rows; fill it in or leave them out."
        raise InputError(Code.OPTION, sentence)
    if value_N.dtype.kind == "O":
        value_N = _one_type(value_N)
    levels, code_N = np.unique(value_N, return_inverse=True)
    refuse_quantity(levels, len(value_N), name)
    label = Label(name, levels, code_N.astype(np.int64))
    if len(levels) < 2:
        shown = f" ({levels[0]})" if len(levels) else ""
        raise InputError(Code.NO_VARIETY, f"The label {name} has one class{shown}; there must be two to tell apart.")
    if len(levels) > MOST:
        sentence = f"The label {name} has {len(levels):,} classes; at most {MOST} can be told apart here."
        raise InputError(Code.OPTION, sentence)
    if label.counts.min() < FEWEST:
        rare = label.rarest
        sentence = f"The class {levels[rare]} of {name} has {label.counts[rare]} rows; each class needs {FEWEST}."
        raise InputError(Code.TOO_FEW, sentence)
    return label


def refuse_quantity(levels: Array, rows: int, name: str) -> None:
    """Refuse a number that is measured: classes are few, and come often.

    Raises:
        InputError: it is one.
    """
    if levels.dtype.kind not in "fiu":
        return
    whole = levels.dtype.kind in "iu" or bool(np.all(levels == np.round(levels)))
    if len(levels) > FEW_NUMBERS or (not whole and 2 * len(levels) > rows):
        sentence = (
            f"The label {name} is a number with {len(levels):,} different values (Unknown label type: continuous); "
            "augmenting is decided for classes alone, so part it into ranges first."
        )
        raise InputError(Code.OPTION, sentence)


def _one_type(value_N: Array) -> Array:
    """Objects as numbers where all are, else as they are if they can be sorted, else as strings."""
    kinds = {type(value) for value in value_N.tolist()}
    if len(kinds) == 1 or kinds <= {int, float, bool}:
        return np.array(value_N.tolist()) if not kinds <= {str} else value_N
    return np.array([str(value) for value in value_N.tolist()], dtype=object)


def _missing(value: Any) -> bool:
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA compares to no answer
        return True
