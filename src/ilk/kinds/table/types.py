"""What a column holds, found out from all of its values.

A column that came as strings (a CSV file) is read as what its strings spell: numbers, dates, yes and no. Whatever it is
called here can be overridden (``--column NAME=TYPE``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.config import Record
from ilk.core.errors import Code, InputError, suggest

Type = Literal[
    "integer", "decimal", "boolean", "category", "date", "time", "datetime", "duration", "key", "text", "constant",
    "empty",
]  # fmt: skip
TYPES: tuple[str, ...] = Type.__args__  # type: ignore[attr-defined]
NULLS = ("", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None", "?")
"""What stands for a missing value in a file of text."""
FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%d-%m-%Y", "%d %b %Y", "%b %d, %Y")
CLOCKS = ("%H:%M", "%H:%M:%S")
MOST_LEVELS = 10_000
MOST_WORDS = 20  # among numbers
MOST_DECIMALS = 9
LONG = 60  # characters of a text that nobody takes for a name
KEYS = re.compile(r"(^|[_ ])(id|uuid|guid|key|index|no|nr|number)$|Id$|ID$|^(unnamed: 0|rowid)$", re.IGNORECASE)
YES_NO = ({"true", "false"},)
UNITS = {"day": 86_400_000_000_000, "minute": 60_000_000_000, "second": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_Name = Annotated[str, msgspec.Meta(max_length=1_000)]


class Field(Record, frozen=True, kw_only=True):
    """One column of a table.

    Attributes:
        name: as it stands in the table.
        type: what it holds.
        arrow: the type that Arrow had for it, as its name; rows that are made have it.
        decimals: of a number; None where they do not end.
        levels: of a category, in their order, as Arrow's own strings of them.
        words: what stands among numbers and is none, each a level of its own.
        format: how a date or time is spelt, where the column came as strings.
        unit: nanoseconds that a date or time counts in.
        low: the smallest number, or date and time in units.
        high: the largest.
        start: the number of the first new key.
        pattern: what a key looks like: ``C-{:06}``.
        missing: whether a value may be.
        value: of a constant.
    """

    name: _Name
    type: Type
    arrow: str
    decimals: int | None = None
    levels: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    format: str = ""
    unit: int = 1
    low: float = 0.0
    high: float = 0.0
    start: int = 0
    pattern: str = ""
    missing: bool = False
    value: str | None = None

    @property
    def width(self) -> int:
        """Columns that an engine learns for it."""
        if self.type in ("key", "text", "constant", "empty"):
            return 0
        return 2 if self.words else 1


def find(name: str, column: pa.ChunkedArray, wanted: str | None = None) -> Field:
    """What a column holds.

    Args:
        name: of the column.
        column: all of its values that are looked at.
        wanted: what the user says it is.

    Raises:
        InputError: it cannot be what the user says, or holds what no table does (lists, objects).
    """
    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        sentence = f'The column "{name}" holds {kind}, not numbers, dates or strings; leave it out.'
        raise InputError(Code.SOURCE_UNKNOWN, sentence)
    known = column.drop_null()
    if pa.types.is_dictionary(kind):
        field = _levels(name, column)
    elif not len(known):
        field = Field(name=name, type="empty", arrow=str(kind))
    elif wanted in ("text", "category", "key"):
        field = _wanted(name, known, wanted)
    else:
        field = _found(name, known, wanted)
        if wanted is not None and field.type != wanted and not {wanted, field.type} <= {"integer", "decimal"}:
            sentence = f'The column "{name}" is no {wanted}: it holds {field.type}, such as {known[0]}.'
            raise InputError(Code.OPTION, sentence)
        if wanted == "decimal" and field.type == "integer":
            field = msgspec.structs.replace(field, type="decimal")
    missing = field.missing or column.null_count > 0
    field = msgspec.structs.replace(field, missing=missing)
    return field if wanted or missing else _constant(field, known)


def _found(name: str, known: pa.ChunkedArray, wanted: str | None) -> Field:
    """What values that are there say themselves."""
    kind = known.type
    if _text(kind):
        return _spelt(name, known, wanted)
    if pa.types.is_boolean(kind):
        return Field(name=name, type="boolean", arrow=str(kind), levels=("false", "true"))
    if pa.types.is_temporal(kind):
        return _temporal(name, known, "")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _number(name, known.cast(pa.float64(), safe=False), known)
    return Field(name=name, type="text", arrow=str(kind))


def _text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _constant(field: Field, known: pa.ChunkedArray) -> Field:
    """A column with one value is kept as it is."""
    if field.type == "key" or len(known) < 2 or pc.count_distinct(_plain(known)).as_py() > 1:
        return field
    return msgspec.structs.replace(field, type="constant", value=str(known[0].cast(pa.string()).as_py()))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _wanted(name: str, known: pa.ChunkedArray, wanted: str) -> Field:
    if wanted == "text":
        return Field(name=name, type="text", arrow=str(known.type))
    return _key(name, known) if wanted == "key" else _levels(name, known)


def _levels(name: str, column: pa.ChunkedArray) -> Field:
    """A category: of a dictionary its own order, else by the alphabet, numbers by size."""
    if pa.types.is_dictionary(column.type):
        parts = column.unify_dictionaries()
        found = parts.chunk(0).dictionary if parts.num_chunks else pa.array([], pa.string())
    else:
        found = pc.unique(column)
        found = found.take(pc.sort_indices(found))
    if len(found) > MOST_LEVELS * 10:
        sentence = f'The column "{name}" has {len(found):,} different values, too many for a category.'
        raise InputError(Code.OPTION, f"{sentence} Call it text or a key by --column.")
    levels = tuple(found.cast(pa.string()).to_pylist())
    return Field(name=name, type="category", arrow=str(column.type), levels=levels)


def _number(name: str, value: pa.ChunkedArray, known: pa.ChunkedArray) -> Field:
    """An integer or decimal, or the numbers of a key: ``value`` is what ``known`` spells."""
    arrow = str(known.type)
    x_N = value.to_numpy()
    finite = np.isfinite(x_N)
    if not finite.any():
        return Field(name=name, type="empty", arrow=arrow, missing=True)
    x_N, missing = x_N[finite], not finite.all()
    decimals = decimals_of(x_N)
    if decimals == 0 and KEYS.search(name) and _is_key(x_N):
        return Field(name=name, type="key", arrow=arrow, start=int(x_N.max()) + 1, missing=missing)
    whole = decimals == 0 and (pa.types.is_integer(known.type) or _text(known.type) or pa.types.is_floating(known.type))
    return Field(
        name=name,
        type="integer" if whole else "decimal",
        arrow=arrow,
        decimals=decimals,
        low=float(x_N.min()),
        high=float(x_N.max()),
        missing=missing,
    )


def _is_key(x_N: np.ndarray[Any, Any]) -> bool:
    return len(x_N) >= 2 and len(np.unique(x_N)) == len(x_N)


def decimals_of(x_N: np.ndarray[Any, Any]) -> int | None:
    """How many decimals the numbers have; None where they do not end."""
    for decimals in range(MOST_DECIMALS + 1):
        if np.allclose(np.round(x_N, decimals), x_N, rtol=1e-12, atol=1e-12):
            return decimals
    return None


def _spelt(name: str, known: pa.ChunkedArray, wanted: str | None) -> Field:
    """What strings spell."""
    arrow = str(known.type)
    shown = known.slice(0, 10_000).unique().cast(pa.string()).to_pylist()[:2_000]
    if wanted not in ("date", "datetime", "time", "duration"):
        numbers = [is_number(text) for text in shown]
        if all(numbers) or (len(shown) > 20 and sum(numbers) > 0.9 * len(numbers)):
            return _spelt_number(name, known)
    lower = {text.lower() for text in shown}
    if lower in YES_NO:
        levels = tuple(sorted(known.unique().to_pylist(), key=str.lower))
        return Field(name=name, type="boolean", arrow=arrow, levels=levels)
    if (format := format_of(shown)) is not None:
        return msgspec.structs.replace(_temporal(name, spelt_times(known, format), format), arrow=arrow)
    distinct, count = pc.count_distinct(known).as_py(), len(known)
    if distinct == count and count >= 20 and (KEYS.search(name) or _alike(shown)):
        return _key(name, known)
    long = sum(map(len, shown)) / len(shown) > LONG
    if distinct > MOST_LEVELS or (distinct > 50 and distinct > 0.5 * count) or (long and distinct > 0.1 * count):
        return Field(name=name, type="text", arrow=arrow)
    return _levels(name, known)


def _spelt_number(name: str, known: pa.ChunkedArray) -> Field:
    """Numbers in letters, and the few words that stand among them."""
    numeric = pc.match_substring_regex(known, NUMBER)
    words = tuple(sorted(pc.unique(known.filter(pc.invert(numeric))).to_pylist()))
    if len(words) > MOST_WORDS:
        return _levels(name, known)
    numbers = known.filter(numeric)
    field = _number(name, numbers.cast(pa.float64()), numbers)
    return msgspec.structs.replace(field, words=words) if words and field.type in ("integer", "decimal") else field


NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"


def is_number(text: str) -> bool:
    """Whether a string spells a number, a point before its decimals."""
    return re.match(NUMBER, text) is not None


def format_of(shown: Sequence[str]) -> str | None:
    """How all of some strings spell a date, a time or both; None where they do not."""
    from datetime import datetime

    def spells(text: str, format: str) -> bool:
        try:
            datetime.strptime(text, format)
        except ValueError:
            return False
        return True

    if not shown or not all(any(letter.isdigit() for letter in text) for text in shown):
        return None
    both = [f"{day}{between}{clock}" for day in FORMATS for between in (" ", "T") for clock in (*CLOCKS, "%H:%M:%S.%f")]
    for format in (*FORMATS, *both, *CLOCKS):
        if format == "%Y%m%d" and not all(len(text) == 8 for text in shown):
            continue
        if spells(shown[0], format) and all(spells(text, format) for text in shown):
            return format
    return None


def spelt_times(known: pa.ChunkedArray, format: str) -> pa.ChunkedArray:
    """Timestamps (of 1900 where only a time is spelt) from strings; one that spells none is missing."""
    if "%f" in format:
        return known.cast(pa.timestamp("us"))
    return pc.strptime(known, format=format, unit="us", error_is_null=True)


def _temporal(name: str, known: pa.ChunkedArray, format: str) -> Field:
    count_N = nanoseconds(known)
    spread_N = np.abs(count_N)
    unit = next(unit for unit in UNITS.values() if not (spread_N % unit).any())
    clock = format in CLOCKS or pa.types.is_time(known.type)
    day = (not format and pa.types.is_date(known.type)) or format in FORMATS
    return Field(
        name=name,
        type="duration" if pa.types.is_duration(known.type) else "time" if clock else "date" if day else "datetime",
        arrow=str(known.type),
        decimals=0,
        format=format,
        unit=unit,
        low=float(count_N.min() // unit),
        high=float(count_N.max() // unit),
    )


def nanoseconds(known: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    """(N,) int64 nanoseconds of dates, times and durations, which must not be missing."""
    kind = known.type
    if pa.types.is_date32(kind):
        days: np.ndarray[Any, np.dtype[np.int64]] = known.cast(pa.int32()).to_numpy().astype(np.int64)
        return days * UNITS["day"]
    unit = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[getattr(kind, "unit", "ms")]
    whole = known.cast(pa.int32()) if pa.types.is_time32(kind) else known
    counted: np.ndarray[Any, np.dtype[np.int64]] = whole.cast(pa.int64()).to_numpy() * np.int64(unit)
    return counted


def _alike(shown: Sequence[str]) -> bool:
    """Whether strings are of one pattern of letters and digits."""
    forms = {re.sub(r"[A-Fa-f0-9]", "9", re.sub(r"\d+", "9", text)) for text in shown}
    return len({re.sub("9+", "9", form) for form in forms}) == 1 and len(shown[0]) >= 4


def _key(name: str, known: pa.ChunkedArray) -> Field:
    """A key: its numbers go on where they end, behind what stands before them in all of them."""
    arrow = str(known.type)
    if not _text(known.type):
        return Field(name=name, type="key", arrow=arrow, start=int(pc.max(known).as_py()) + 1)
    parts = pc.extract_regex(known, r"^(?P<before>.*?)(?P<digits>\d{1,15})$")
    before = pc.unique(pc.struct_field(parts, "before")).to_pylist()
    if len(before) != 1 or before[0] is None:
        return Field(name=name, type="key", arrow=arrow, pattern="uuid")
    digits = pc.struct_field(parts, "digits")
    width = pc.min(pc.utf8_length(digits)).as_py()
    start = int(pc.max(digits.cast(pa.int64())).as_py()) + 1
    brackets = before[0].replace("{", "{{").replace("}", "}}")
    return Field(name=name, type="key", arrow=arrow, start=start, pattern=f"{brackets}{{:0{width}d}}")


def asked(columns: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Types by column from ``NAME=TYPE``.

    Raises:
        InputError: there is no such column or type.
    """
    found: dict[str, str] = {}
    for text in columns:
        name, _, type = text.rpartition("=")
        if name not in names:
            raise InputError(Code.OPTION, f'There is no column "{name or text}"; {suggest(name or text, names)}.')
        if type not in TYPES:
            raise InputError(Code.OPTION, f'There is no type "{type}" of a column; {suggest(type, TYPES)}.')
        found[name] = type
    return found
