"""What a person writes for a value of a column, and the number that it is to the engine."""

from __future__ import annotations

import msgspec
import pyarrow as pa

from ilk.core.errors import Code, InputError
from ilk.kinds.table.convert import arrow_type, decoded
from ilk.kinds.table.times import CLOCKS, counted, spelt_times
from ilk.kinds.table.types import Field


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
    if field.type == "duration" and not any(sign in text for sign in (":", "day")):
        try:
            return float(pa.scalar(float(text) * 1e9).as_py()) // field.unit
        except ValueError:
            raise InputError(Code.GIVEN, f'{field.name} takes seconds, not "{value}".') from None
    clocks = [f"%Y-%m-%d{between}{clock}" for between in (" ", "T") for clock in CLOCKS]
    for format in dict.fromkeys((*field.formats, "%Y-%m-%d", *clocks, *(f"{each}%z" for each in clocks), *CLOCKS)):
        found = spelt_times(pa.chunked_array([[text]]), format)
        if found.null_count == 0:
            if field.type == "time":
                found = found.cast(pa.time64("us"))
            return float(counted(found if format.endswith("%z") else _there(field, found), field.unit)[0])
    shown = word_of(field, field.low)
    raise InputError(Code.GIVEN, f'{field.name} takes a {field.type} such as {shown}, not "{value}".')


def _there(field: Field, found: pa.ChunkedArray) -> pa.ChunkedArray:
    """A moment by the clocks of the column's zone."""
    import pyarrow.compute as pc

    zone = getattr(arrow_type(field.arrow), "tz", None)
    if not zone or zone[0] in "+-":
        return found
    return pc.assume_timezone(found, zone, ambiguous="earliest", nonexistent="latest")


def word_of(field: Field, number: float) -> str:
    """A number of the engine as a person writes it."""
    import numpy as np

    if field.type in ("integer", "decimal"):
        return f"{number:g}" if field.decimals is None else f"{number:.{field.decimals}f}"
    made = decoded(msgspec.structs.replace(field, words=()), [np.array([number])], np.zeros(1, np.int64))
    value = made[0].as_py()
    return str(value.total_seconds()) if hasattr(value, "total_seconds") else str(value)
