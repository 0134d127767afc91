"""One column of a table as numbers and back: (N,) float64, a number or the place of a level, NaN where missing."""

from __future__ import annotations

import re

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.errors import Code, UnreadableError
from ilk.core.protocol import Array
from ilk.kinds.table.times import UNITS, counted, spelt_as, spelt_by
from ilk.kinds.table.types import NULLS, NUMBER, TEMPORAL, Field, numbers_of

WHOLE = 2.0**53
"""The largest number up to which float64 knows every whole one."""
PLAIN = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
"""How writers of CSV spell dates and moments anyway."""


def encoded(field: Field, column: pa.ChunkedArray) -> list[Array]:
    """What an engine learns of a column: one array, two where words stand among its numbers.

    Raises:
        UnreadableError: a value is none of this column.
    """
    if not field.width:
        return []
    if field.type in ("category", "boolean"):
        return [_places(field.levels, _strings(column))]
    if not field.words:
        return [_times(field, column) if field.type in TEMPORAL else _numbers(column)]
    text = _strings(column)
    if field.type in TEMPORAL:
        number_N = _times(field, spelt_by(text, field.formats).cast(typed_type(field)))
    else:
        numeric = pc.match_substring_regex(text, NUMBER)
        number_N = _numbers(numbers_of(pc.if_else(numeric, text, pa.scalar(None, pa.string()))))
    word_N = 1 + _places(field.words, text)
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
    x_N[known] = counted(column.drop_null(), field.unit)
    return x_N


def typed(field: Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of strings as the numbers, dates and times that they spell; of numbers those that are none as missing.

    Raises:
        UnreadableError: a cell spells none.
    """
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    if not _is_text(column.type) or field.type in ("category", "boolean", "text", "constant", "empty") or field.words:
        return column
    if field.formats:
        times = spelt_by(column, field.formats)
        if times.null_count > column.null_count:
            wrong = column.filter(pc.and_(pc.is_valid(column), pc.is_null(times)))[0].as_py()
            raise UnreadableError(Code.UNREADABLE, f'"{wrong}" is no {field.type} like the others in {field.name}')
        return times.cast(typed_type(field))
    if field.type == "key" and not field.form.plain:
        return column
    numeric = pc.match_substring_regex(column, NUMBER)
    if pc.all(numeric).as_py() is False:
        wrong = column.filter(pc.invert(numeric))[0].as_py()
        raise UnreadableError(Code.UNREADABLE, f'"{wrong}" is no number, and {field.name} holds numbers')
    found = numbers_of(column)
    kind = typed_type(field)
    whole = kind == pa.int64() and pc.all(pc.less(pc.abs(found), WHOLE)).as_py() is not False
    return pc.round(found).cast(kind) if whole else found


def typed_type(field: Field) -> pa.DataType:
    """What :func:`typed` makes of a column of strings."""
    if field.formats:
        kinds = {"date": pa.date32(), "time": pa.time64("us"), "duration": pa.duration("us")}
        return kinds.get(field.type, pa.timestamp("s" if field.unit % 10**9 == 0 else "us"))
    if field.type == "key":
        return pa.int64() if field.form.plain else pa.string()
    if field.type == "integer":
        return pa.int64() if max(abs(field.low), abs(field.high)) < WHOLE else pa.float64()
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
        nothing_N = np.full(count, np.nan)
        return _level_array(field, nothing_N, np.isnan(nothing_N), kind) if field.levels else pa.nulls(count, kind)
    if field.type == "constant":
        return pa.array([field.value] * count, pa.string()).cast(_value(kind)).cast(kind)
    if field.type == "key":
        return _keys(field, number_N).cast(kind)
    missing_N = np.isnan(parts[0])
    if field.type in ("category", "boolean"):
        return _level_array(field, parts[0], missing_N, kind)
    if field.words:
        return _among_words(field, parts)
    if field.type in TEMPORAL:
        return _temporal(field, parts[0], missing_N, typed_type(field) if _is_text(kind) else kind)
    if _is_text(kind):
        kind = typed_type(field)
    if pa.types.is_decimal(kind):
        return pa.array(parts[0], mask=missing_N).cast(kind, safe=False)
    if pa.types.is_integer(kind):
        return pa.array(_whole(np.where(missing_N, 0, parts[0]), kind), mask=missing_N)
    return pa.array(parts[0], mask=missing_N).cast(kind)


def _whole(x_N: Array, kind: pa.DataType) -> Array:
    """Numbers as a type of whole ones; what lies outside of it as the nearest that it has."""
    bounds = np.iinfo(kind.to_pandas_dtype())
    found = np.round(x_N).clip(float(bounds.min), float(bounds.max))
    top = found >= float(bounds.max)  # 2**63 and 2**64 are floats, and no int64 and uint64
    return np.where(top, bounds.max, np.where(top, 0, found).astype(bounds.dtype))


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


def _among_words(field: Field, parts: list[Array]) -> pa.Array:
    """Numbers or dates and the words that stand among them, as strings."""
    bare = msgspec.structs.replace(field, words=())
    text = in_letters(bare, pa.chunked_array([decoded(bare, parts[:1], np.arange(len(parts[0])))]))
    word_N = np.where(np.isnan(parts[1]), -1, parts[1]).astype(np.int32)
    words = pa.array(field.words).take(pa.array(np.maximum(word_N - 1, 0), mask=word_N <= 0))
    known = pa.array(word_N >= 0)  # with neither number nor word it is missing
    return pc.if_else(known, pc.coalesce(words, text.combine_chunks()), pa.scalar(None, pa.string()))


def in_letters(field: Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers, dates and times as strings, spelt as they came."""
    if field.formats:
        moment = column.cast(pa.time64("us")).cast(pa.int64()) if field.type == "time" else column
        if field.type == "date":
            moment = moment.cast(pa.timestamp("s"))
        return spelt_as(moment if field.type == "duration" else moment.cast(pa.timestamp("us")), field.formats[0])
    if pa.types.is_floating(column.type) and field.decimals is not None:
        wide = pc.all(pc.less(pc.abs(column), 10.0 ** (37 - field.decimals))).as_py() is not False
        column = column.cast(pa.decimal128(38, field.decimals), safe=False) if wide else column
    return column.cast(pa.string())


def as_it_came(field: Field, column: pa.ChunkedArray, *, loose: bool) -> pa.ChunkedArray:
    """A column in the type that it has in the source.

    Args:
        field: the column.
        column: as rules leave it.
        loose: whether the source is a file of text, so that numbers and dates need not be strings because they were.
    """
    kind = arrow_type(field.arrow)
    if _is_text(kind) and not _is_text(column.type):
        if loose and (not field.formats or field.formats[0] in PLAIN):
            return column
        column = in_letters(field, column)
    if field.nan:
        column = column.fill_null(float("nan"))
    return column if column.type == kind else column.cast(kind, safe=False)


def _temporal(field: Field, x_N: Array, missing_N: Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_date32(kind):
        tick = UNITS["day"]
    else:
        tick = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[getattr(kind, "unit", "ms")]
    count_N = np.where(missing_N, 0, np.round(x_N)).astype(np.int64)
    ticks_N = count_N * (field.unit // tick) if field.unit >= tick else count_N // (tick // field.unit)
    narrow = pa.types.is_date32(kind) or pa.types.is_time32(kind)
    return pa.array(ticks_N.astype(np.int32) if narrow else ticks_N, mask=missing_N).cast(kind)


def _keys(field: Field, number_N: Array) -> pa.Array:
    """Fresh keys: none that the data had."""
    if field.form.plain:
        return pa.array(np.asarray(number_N, np.int64) + field.form.start)
    return pa.array([field.form.fresh(field.name, number) for number in np.asarray(number_N).tolist()], pa.string())


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
