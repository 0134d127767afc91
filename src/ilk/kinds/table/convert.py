"""One column of a table as numbers and back: (N,) float64, a number or the place of a level, NaN where missing."""

from __future__ import annotations

import re
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.errors import Code, UnreadableError
from ilk.core.protocol import Array
from ilk.kinds.table.types import NULLS, NUMBER, Field, nanoseconds, spelt_times


def encoded(field: Field, column: pa.ChunkedArray) -> list[Array]:
    """What an engine learns of a column: one array, two where words stand among its numbers.

    Raises:
        UnreadableError: a value is none of this column.
    """
    if not field.width:
        return []
    if field.type in ("category", "boolean"):
        return [_places(field.levels, _strings(column))]
    if field.type in ("date", "time", "datetime", "duration"):
        return [_times(field, column)]
    if not _is_text(column.type):
        return [_numbers(column)]
    text = _strings(column)  # words among numbers
    numeric = pc.match_substring_regex(text, NUMBER)
    number_N = _numbers(pc.if_else(numeric, text, pa.scalar(None, pa.string())).cast(pa.float64()))
    word_N = 1 + _places(field.words, pc.if_else(numeric, pa.scalar(None, pa.string()), text))
    return [number_N, np.where(np.isnan(word_N), np.where(np.isnan(number_N), np.nan, 0.0), word_N)]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _strings(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column if column.type == pa.string() else column.cast(pa.string())


def _places(levels: tuple[str, ...], text: pa.ChunkedArray) -> Array:
    """(N,) the place of each string among the levels; NaN where it is missing or none of them."""
    place = pc.index_in(text, value_set=pa.array(levels, pa.string()))
    return np.asarray(place.cast(pa.float64()).fill_null(np.nan).to_numpy())


def _numbers(column: pa.ChunkedArray) -> Array:
    x_N = np.array(column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy())
    x_N[~np.isfinite(x_N)] = np.nan
    return x_N


def _times(field: Field, column: pa.ChunkedArray) -> Array:
    known = np.asarray(pc.is_valid(column).to_numpy())
    x_N = np.full(len(column), np.nan)
    x_N[known] = nanoseconds(column.drop_null()) // field.unit
    return x_N


def typed(field: Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of strings as the numbers, dates and times that they spell; any other column as it is.

    Raises:
        UnreadableError: a cell spells none.
    """
    if not _is_text(column.type) or field.type in ("category", "boolean", "text", "constant", "empty") or field.words:
        return column
    if field.format:
        times = spelt_times(column, field.format)
        if times.null_count > column.null_count:
            wrong = column.filter(pc.and_(pc.is_valid(column), pc.is_null(times)))[0].as_py()
            raise UnreadableError(Code.UNREADABLE, f'"{wrong}" is no {field.type} like the others in {field.name}')
        return times.cast(typed_type(field))
    if field.type == "key" and (field.pattern or not field.start):
        return column
    try:
        return column.cast(typed_type(field))
    except pa.ArrowInvalid:
        wrong = column.filter(pc.and_(pc.is_valid(column), pc.invert(pc.match_substring_regex(column, NUMBER))))
        shown = wrong[0].as_py() if len(wrong) else "a number too large"
        raise UnreadableError(Code.UNREADABLE, f'"{shown}" is no number, and {field.name} holds numbers') from None


def typed_type(field: Field) -> pa.DataType:
    """What :func:`typed` makes of a column of strings."""
    if field.format:
        kinds = {"date": pa.date32(), "time": pa.time64("us")}
        return kinds.get(field.type, pa.timestamp("s" if field.unit % 10**9 == 0 else "us"))
    if field.type in ("integer", "key") and not field.pattern:
        return pa.int64() if abs(field.low) < 2**53 > abs(field.high) else pa.float64()
    return pa.float64() if field.type == "decimal" else pa.string()


def decoded(field: Field, parts: list[Array], number_N: Array) -> pa.Array:
    """An Arrow array of the column's own type.

    Args:
        field: the column.
        parts: as :func:`encoded` gives them.
        number_N: which sample each row is: new keys are counted by it.
    """
    kind = arrow_type(field.arrow)
    count = len(number_N)
    if field.type in ("text", "empty"):
        return pa.nulls(count, kind)
    if field.type == "constant":
        return pa.array([field.value] * count, pa.string()).cast(_value(kind)).cast(kind)
    if field.type == "key":
        return _keys(field, number_N).cast(kind)
    missing_N = np.isnan(parts[0])
    if field.type in ("category", "boolean"):
        return _level_array(field, parts[0], missing_N, kind)
    if field.type in ("date", "time", "datetime", "duration"):
        return _temporal(field, parts[0], missing_N, kind)
    if _is_text(kind):
        return _written(field, parts)
    if pa.types.is_decimal(kind):
        return pa.array(parts[0], mask=missing_N).cast(kind, safe=False)
    if pa.types.is_integer(kind):
        return pa.array(np.where(missing_N, 0, np.round(parts[0])).astype(np.int64), mask=missing_N).cast(kind)
    nan = not field.missing  # frames have NaN for a missing number
    return pa.array(parts[0], mask=None if nan else missing_N).cast(kind)


def _value(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _level_array(field: Field, x_N: Array, missing_N: Array, kind: pa.DataType) -> pa.Array:
    place = pa.array(np.where(missing_N, 0, x_N).astype(np.int32), mask=missing_N)
    levels = pa.array(field.levels, pa.string()).cast(_value(kind))
    found = pa.DictionaryArray.from_arrays(place, levels)
    if pa.types.is_dictionary(kind):
        indices = place.cast(kind.index_type)
        return pa.DictionaryArray.from_arrays(indices, levels, ordered=kind.ordered)
    return found.cast(kind)


def _written(field: Field, parts: list[Array]) -> pa.Array:
    """Numbers and the words that stand among them, as strings."""
    decimals = field.decimals or 0
    word_N = np.where(np.isnan(parts[1]), -1, parts[1]).astype(np.int64)
    made = [
        field.words[word - 1] if word > 0 else None if word < 0 or np.isnan(x) else f"{x:.{decimals}f}"
        for x, word in zip(parts[0].tolist(), word_N.tolist(), strict=True)
    ]
    return pa.array(made, pa.string())


def _temporal(field: Field, x_N: Array, missing_N: Array, kind: pa.DataType) -> pa.Array:
    count_N = np.where(missing_N, 0, np.round(x_N)).astype(np.int64) * field.unit
    if pa.types.is_date32(kind):
        return pa.array((count_N // 86_400_000_000_000).astype(np.int32), mask=missing_N).cast(kind)
    if pa.types.is_date64(kind):
        return pa.array(count_N // 10**6, mask=missing_N).cast(kind)
    step = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[kind.unit]
    counted = pa.array(count_N // step, mask=missing_N)
    return (counted.cast(pa.int32()) if pa.types.is_time32(kind) else counted).cast(kind)


def spelt(field: Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dates and times as the file spelt them, where that is not how everybody does."""
    if not field.format or field.format[:8] == "%Y-%m-%d":
        return column
    if field.type == "time":
        since_midnight = column.cast(pa.time64("us")).cast(pa.int64()).cast(pa.timestamp("us"))
        return pc.strftime(since_midnight.cast(pa.timestamp("s")), format=field.format)
    if field.format.endswith("%f"):
        return pc.strftime(column.cast(pa.timestamp("us")), format=field.format.removesuffix(".%f"))
    return pc.strftime(column.cast(pa.timestamp("s")), format=field.format)  # of "us", %S has the fraction too


def _keys(field: Field, number_N: Array) -> pa.Array:
    """Fresh keys: none that the data had."""
    numbers = [field.start + int(number) for number in number_N]
    if field.pattern == "uuid":
        return pa.array([str(uuid.uuid5(uuid.NAMESPACE_OID, f"{field.name} {number}")) for number in numbers])
    return pa.array([field.pattern.format(number) for number in numbers] if field.pattern else numbers)


def arrow_type(name: str) -> pa.DataType:
    """An Arrow type by its name."""
    if found := re.fullmatch(r"dictionary<values=(.+), indices=(.+), ordered=([01])>", name):
        values, indices, ordered = found.groups()
        return pa.dictionary(arrow_type(indices), arrow_type(values), ordered == "1")
    if found := re.fullmatch(r"(timestamp|time32|time64|duration)\[(\w+)(?:, tz=(.+))?\]", name):
        kind, unit, zone = found.groups()
        return pa.timestamp(unit, zone) if kind == "timestamp" else getattr(pa, kind)(unit)
    if found := re.fullmatch(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)", name):
        return getattr(pa, f"decimal{found[1]}")(int(found[2]), int(found[3]))
    plain = {"date32[day]": pa.date32(), "date64[ms]": pa.date64(), "double": pa.float64(), "float": pa.float32(),
             "halffloat": pa.float16()}  # fmt: skip
    return plain[name] if name in plain else pa.type_for_alias(name)


def blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of strings from a file of text, with what stands for missing as missing."""
    absent = pc.is_in(column, value_set=pa.array(NULLS))
    return pc.if_else(absent, pa.scalar(None, column.type), column)
