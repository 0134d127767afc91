"""Numbers, dates and times of Arrow columns as whole ticks, so that sums and differences of them are exact.

``0.1 + 0.2`` is not ``0.3``, but 10 hundredths and 20 hundredths are 30. A column whose numbers end after a few
decimals is counted in units of the last one, dates and times in the finest unit that they have; all in int64. Numbers
that do not end stay floats, and what is computed of them is right up to their last place. Nothing here knows a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.config import Record
from ilk.core.protocol import Array
from ilk.kinds.table.convert import arrow_type

MOST_DECIMALS = 9
LAST = 4  # last places by which a number may miss its decimals: it was computed, 210.0 + 4.72 is 214.72 but for one
LARGEST = 2.0**53  # up to here, every whole number is a float
NANOSECONDS = {"D": 86_400 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


Unit = Literal["", "D", "s", "ms", "us", "ns"]


class Ticks(NamedTuple):
    """A column as it is computed with: (N,) int64 ticks (float64 where numbers do not end), and which are there."""

    value_N: Array
    known_N: Array


class Measure(Record, frozen=True, kw_only=True):
    """What one tick is.

    Attributes:
        unit: of dates and times; empty for numbers.
        decimals: of numbers; None where they do not end.
    """

    unit: Unit = ""
    decimals: Annotated[int, msgspec.Meta(ge=0, le=MOST_DECIMALS)] | None = 0

    @property
    def whole(self) -> bool:
        """Whether ticks are whole numbers, with which sums are exact."""
        return self.decimals is not None

    def read(self, column: pa.ChunkedArray) -> Ticks:
        """The column's ticks; where nothing is known (missing, NaN, infinite), 0.

        Raises:
            pa.ArrowInvalid: a whole number that int64 does not hold.
        """
        if self.unit:
            return self._read_times(column)
        kind = column.type
        valid_N = np.asarray(column.is_valid().to_numpy())
        if pa.types.is_integer(kind) and self.decimals == 0:
            return Ticks(np.asarray(column.cast(pa.int64()).fill_null(0).to_numpy()), valid_N)
        if pa.types.is_duration(kind) or pa.types.is_boolean(kind):
            column = column.cast(pa.int64())
        x_N = np.asarray(column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy())
        known_N = np.isfinite(x_N)
        x_N = np.where(known_N, x_N, 0.0)
        if self.decimals is None:
            return Ticks(x_N, known_N)
        scaled_N = np.rint(x_N * 10.0**self.decimals)
        return Ticks(np.clip(scaled_N, -(2.0**62), 2.0**62).astype(np.int64), known_N)

    def _read_times(self, column: pa.ChunkedArray) -> Ticks:
        """Dates and times, or a column of differences of them, which may have become plain numbers."""
        known_N = np.asarray(column.is_valid().to_numpy())
        own = unit_of(column.type)
        if not own:  # a number of ticks
            x_N = np.asarray(column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy())
            known_N = np.isfinite(x_N)
            return Ticks(np.rint(np.where(known_N, x_N, 0)).astype(np.int64), known_N)
        narrow = pa.types.is_date32(column.type) or pa.types.is_time32(column.type)
        whole = column.cast(pa.int32()).cast(pa.int64()) if narrow else column.cast(pa.int64())
        value_N = np.asarray(whole.fill_null(0).to_numpy())
        have, want = NANOSECONDS[own], NANOSECONDS[self.unit]
        return Ticks(value_N * (have // want) if have >= want else value_N // (want // have), known_N)

    def write(self, ticks: Ticks, kind: pa.DataType) -> pa.Array:
        """A column of an Arrow type from its ticks."""
        value_N, missing_N = ticks.value_N, ~ticks.known_N
        if self.unit:
            return self._write_times(value_N, missing_N, kind)
        if self.decimals is None:
            return pa.array(value_N, mask=missing_N).cast(kind, safe=False)
        scale = 10**self.decimals
        if pa.types.is_integer(kind):
            limits = np.iinfo(kind.to_pandas_dtype())
            whole_N = np.clip(nearest(value_N, scale), max(limits.min, -(2**63)), min(limits.max, 2**63 - 1))
            return pa.array(whole_N, mask=missing_N).cast(kind)
        if pa.types.is_decimal(kind):
            plain = pa.array(value_N, mask=missing_N).cast(pa.decimal128(19, 0))
            tick = pa.scalar(Decimal(1).scaleb(-self.decimals), pa.decimal128(self.decimals + 1, self.decimals))
            return pc.multiply(plain, tick).cast(kind)
        return pa.array(value_N / scale, mask=missing_N).cast(kind, safe=False)

    def _write_times(self, value_N: Array, missing_N: Array, kind: pa.DataType) -> pa.Array:
        have, want = NANOSECONDS[self.unit], NANOSECONDS[unit_of(kind)]
        value_N = value_N * (have // want) if have >= want else value_N // (want // have)
        if pa.types.is_time(kind):
            value_N = np.clip(value_N, 0, NANOSECONDS["D"] // want - 1)
        value_N = np.where(missing_N, 0, value_N)
        if pa.types.is_date32(kind) or pa.types.is_time32(kind):
            return pa.array(value_N.astype(np.int32), mask=missing_N).cast(kind)
        return pa.array(value_N, mask=missing_N).cast(kind)

    def write_rest(self, ticks: Ticks) -> pa.Array:
        """A difference of two columns: whole days, a duration, or a number."""
        if self.unit == "D" or (self.decimals == 0 and not self.unit):
            return pa.array(ticks.value_N, mask=~ticks.known_N)
        return self.write(ticks, pa.duration(self.unit) if self.unit else pa.float64())

    def step(self, kind: pa.DataType, own: int | None) -> int:
        """Ticks between two neighbours that a column can hold: one of ``own`` decimals, or of whole days."""
        if self.unit:
            return max(1, NANOSECONDS[unit_of(kind)] // NANOSECONDS[self.unit])
        return 1 if self.decimals is None or own is None else 10 ** max(0, self.decimals - own)


def nearest(value_N: Array, step: int) -> Array:
    """Whole numbers of steps: the nearest, halves upwards."""
    return value_N if step == 1 else (value_N + step // 2) // step


def unit_of(kind: pa.DataType) -> Unit:
    """The unit of dates and times, as in ``Measure``; empty for anything else."""
    if pa.types.is_date32(kind):
        return "D"
    unit: Unit = getattr(kind, "unit", "ms") if pa.types.is_temporal(kind) else ""
    return unit


def family(kind: pa.DataType) -> str:
    """What can be compared: columns of one family, such as ``number`` or ``timestamp``; empty for what cannot."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_timestamp(kind):
        return "timestamp" if kind.tz is None else "timestamp with a time zone"
    for name in ("date", "time", "duration"):
        if getattr(pa.types, f"is_{name}")(kind):
            return name
    return ""


def decimals_of(column: pa.ChunkedArray) -> int | None:
    """Decimals after which all numbers of a column end (0 for whole numbers); None where they do not."""
    if pa.types.is_integer(column.type):
        return 0
    x_N = np.asarray(column.drop_null().cast(pa.float64(), safe=False).to_numpy())
    x_N = x_N[np.isfinite(x_N)]
    kind = column.type.to_pandas_dtype() if pa.types.is_floating(column.type) else np.float64
    last_N = LAST * np.spacing(np.abs(x_N).astype(kind)).astype(np.float64)
    for decimals in range(MOST_DECIMALS + 1):
        scaled_N = np.rint(x_N * 10.0**decimals)
        if (np.abs(scaled_N) >= LARGEST).any():
            return None
        if (np.abs((scaled_N / 10**decimals).astype(kind) - x_N) <= np.minimum(last_N, 1e-3 * 10.0**-decimals)).all():
            return decimals
    return None


def common(decimals: Sequence[int | None]) -> int | None:
    """Decimals in which all of several columns are counted; None where one of them does not end."""
    known = [each for each in decimals if each is not None]
    return max(known) if len(known) == len(decimals) else None


def finest(kinds: Sequence[pa.DataType]) -> Unit:
    """The unit in which all of several columns of dates and times are counted."""
    return min((unit_of(kind) for kind in kinds), key=lambda unit: NANOSECONDS[unit])


def checked(kind: str) -> None:
    """Refuse the name of an Arrow type that there is not: rules are read from files of strangers.

    Raises:
        ValueError: there is no such type.
    """
    try:
        arrow_type(kind)
    except (ValueError, KeyError, TypeError, AttributeError, pa.ArrowException):
        raise ValueError(f'there is no Arrow type "{kind}"') from None
