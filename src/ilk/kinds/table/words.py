"""What a person writes for a value of a column, and the number that it is to the engine."""

from __future__ import annotations

import pyarrow as pa

from ilk.core.errors import Code, InputError
from ilk.kinds.table.convert import decoded
from ilk.kinds.table.types import CLOCKS, FORMATS, Field, nanoseconds, spelt_times


def number_of(field: Field, value: object) -> float:
    """The number of a value.

    Raises:
        InputError: it is no value of the column.
    """
    if isinstance(value, int | float):
        return float(value)
    text = str(value).strip()
    if field.type in ("integer", "decimal"):
        try:
            return float(text)
        except ValueError:
            raise InputError(Code.GIVEN, f'{field.name} takes a number, not "{value}".') from None
    if field.type == "duration":
        try:
            return float(pa.scalar(float(text) * 1e9).as_py()) // field.unit
        except ValueError:
            raise InputError(Code.GIVEN, f'{field.name} takes seconds, not "{value}".') from None
    clocks = [f"{day}{between}{clock}" for day in FORMATS[:1] for between in (" ", "T") for clock in CLOCKS]
    for format in dict.fromkeys((field.format or "%Y-%m-%d", "%Y-%m-%d", *clocks, *CLOCKS)):
        found = spelt_times(pa.chunked_array([[text]]), format)
        if found.null_count == 0:
            count = int(nanoseconds(found)[0])
            if field.type == "time" and not field.format:
                count %= 86_400_000_000_000
            return float(count // field.unit)
    raise InputError(
        Code.GIVEN, f'{field.name} takes a {field.type} such as {word_of(field, field.low)}, not "{value}".'
    )


def word_of(field: Field, number: float) -> str:
    """A number of the engine as a person writes it."""
    import numpy as np

    if field.type in ("integer", "decimal"):
        return f"{number:g}" if field.decimals is None else f"{number:.{field.decimals}f}"
    made = decoded(field, [np.array([number])], np.zeros(1, np.int64))
    value = made[0].as_py()
    return str(value.total_seconds()) if hasattr(value, "total_seconds") else str(value)
