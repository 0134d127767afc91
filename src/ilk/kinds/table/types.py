"""What a column holds, found out from all of its values.

A column that came as strings (a CSV file) is read as what its strings spell: numbers, dates, yes and no. How dates are
spelt is told in ``times.py``, what a key looks like in ``keys.py``. Whatever a column is taken for can be overridden
(``--column NAME=TYPE``).
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
from ilk.kinds.table import keys
from ilk.kinds.table.times import CLOCKS, DAYS, counted, formats_of, spelt_by, unit_of

Type = Literal[
    "integer", "decimal", "boolean", "category", "date", "time", "datetime", "duration", "key", "text", "constant",
    "empty",
]  # fmt: skip
TYPES: tuple[str, ...] = Type.__args__  # type: ignore[attr-defined]
TEMPORAL = ("date", "time", "datetime", "duration")
NULLS = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NaT", "NULL", "null", "None", "?")
"""What stands for a missing value in a file of text."""
MOST_LEVELS = 10_000
MOST_WORDS = 20  # among numbers or dates
MOST_DECIMALS = 9
LONG = 60  # characters of a text that nobody takes for a name
LOOKED = 10_000  # values that what strings spell is guessed from
NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"
LABEL = r"^\s*[+-]?(0\d|\d{16,}\s*$)"
"""Digits that are no number: a postcode that begins with 0, more of them than a number keeps."""
YES_NO = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"})
_Name = Annotated[str, msgspec.Meta(max_length=1_000)]


class Field(Record, frozen=True, kw_only=True):
    """One column of a table.

    Attributes:
        name: as it stands in the table.
        type: what it holds.
        arrow: the type that Arrow had for it, as its name; rows that are made have it.
        decimals: of a number; None where they do not end.
        levels: of a category, in their order, as Arrow's own strings of them.
        words: what stands among numbers or dates and is none, each a level of its own.
        formats: how a date or time is spelt, where the column came as strings; made ones as the first.
        unit: nanoseconds that a date or time counts in.
        low: the smallest number, or date and time in units.
        high: the largest.
        form: what a key looks like.
        missing: whether a value may be.
        nan: whether missing ones came as numbers that are none, in a column that has no other missing ones.
        nullable: whether Arrow says that one may be missing.
        value: of a constant.
    """

    name: _Name
    type: Type
    arrow: str
    decimals: Annotated[int, msgspec.Meta(ge=0, le=18)] | None = None
    levels: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    formats: tuple[Annotated[str, msgspec.Meta(max_length=64)], ...] = ()
    unit: Annotated[int, msgspec.Meta(ge=1)] = 1
    low: float = 0.0
    high: float = 0.0
    form: keys.Form = keys.Form()
    missing: bool = False
    nan: bool = False
    nullable: bool = True
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
    bad = (pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    if isinstance(kind, pa.BaseExtensionType) or any(test(kind) for test in bad):
        sentence = f'The column "{name}" holds {kind}, not numbers, dates or strings; leave it out, or make it one.'
        raise InputError(Code.SOURCE_UNKNOWN, sentence)
    known = column.drop_null()
    if pa.types.is_dictionary(kind):
        field = _listed(name, column, wanted)
    elif not len(known):
        field = Field(name=name, type="empty", arrow=str(kind))
    elif wanted in ("text", "category", "key", "boolean"):
        field = _wanted(name, known, wanted)
    else:
        field = _confirmed(_found(name, known, wanted), known, wanted)
    missing = field.missing or column.null_count > 0
    field = msgspec.structs.replace(field, missing=missing, nan=field.missing and not column.null_count)
    return field if wanted or missing else _constant(field, known)


def _confirmed(field: Field, known: pa.ChunkedArray, wanted: str | None) -> Field:
    """The field, where it is what the user says."""
    if wanted == "decimal" and field.type == "integer":
        return msgspec.structs.replace(field, type="decimal")
    if wanted is not None and field.type != wanted:
        sentence = f'The column "{field.name}" is no {wanted}: it holds {field.type}, such as {known[0]}.'
        raise InputError(Code.OPTION, sentence)
    return field


def _listed(name: str, column: pa.ChunkedArray, wanted: str | None) -> Field:
    """A column that came as a category."""
    if wanted not in (None, "category", "text"):
        raise InputError(Code.OPTION, f'The column "{name}" came as a category, and cannot be {wanted}.')
    field = _levels(name, column)
    if wanted == "text" or len(field.levels) > MOST_LEVELS * 10:
        return Field(name=name, type="text", arrow=field.arrow)
    return msgspec.structs.replace(field, type="empty") if column.null_count == len(column) else field


def _found(name: str, known: pa.ChunkedArray, wanted: str | None) -> Field:
    """What values that are there say themselves."""
    kind = known.type
    if _text(kind):
        return _spelt(name, known, wanted)
    if pa.types.is_boolean(kind):
        return Field(name=name, type="boolean", arrow=str(kind), levels=("false", "true"))
    if pa.types.is_temporal(kind):
        return _temporal(name, known, ())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _number(name, known.cast(pa.float64(), safe=False), known, wanted)
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
    if wanted == "key":
        return _key(name, known)
    field = _levels(name, known)
    if len(field.levels) > (2 if wanted == "boolean" else MOST_LEVELS * 10):
        sentence = f'The column "{name}" is no {wanted}: it has {len(field.levels):,} different values'
        raise InputError(Code.OPTION, f"{sentence}, such as {field.levels[0]} and {field.levels[-1]}.")
    return field if wanted == "category" else msgspec.structs.replace(field, type="boolean")


def _levels(name: str, column: pa.ChunkedArray) -> Field:
    """A category: of a dictionary its own order, else by the alphabet, numbers by size."""
    if pa.types.is_dictionary(column.type):
        parts = column.unify_dictionaries()
        found = parts.chunk(0).dictionary if parts.num_chunks else pa.array([], pa.string())
    else:
        found = pc.unique(column)
        numeric = _text(found.type) and all(map(is_number, found.to_pylist()))
        found = found.take(pc.sort_indices(numbers_of(found) if numeric else found))
    levels = tuple(found.cast(pa.string()).to_pylist())
    return Field(name=name, type="category", arrow=str(column.type), levels=levels)


def _number(name: str, value: pa.ChunkedArray, known: pa.ChunkedArray, wanted: str | None) -> Field:
    """An integer or decimal, or the numbers of a key: ``value`` is what ``known`` spells."""
    arrow = str(known.type)
    x_N = value.to_numpy()
    finite = np.isfinite(x_N)
    if not finite.any():
        return Field(name=name, type="empty", arrow=arrow, missing=True)
    x_N, missing = x_N[finite], not finite.all()
    decimals = decimals_of(x_N)
    if wanted is None and decimals == 0 and keys.NAMES.search(name) and _is_key(x_N):
        last = pc.max(known).as_py() if pa.types.is_integer(known.type) else x_N.max()
        return _counted(name, arrow, int(last), missing=missing)
    return Field(
        name=name,
        type="integer" if decimals == 0 and not pa.types.is_decimal(known.type) else "decimal",
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
    near = 1e-12 * float(np.abs(x_N).max(initial=0))  # differences of numbers with decimals are a little beside them
    with np.errstate(over="ignore", invalid="ignore"):
        for decimals in range(MOST_DECIMALS + 1):
            if np.allclose(np.round(x_N, decimals), x_N, rtol=1e-12, atol=near):
                return decimals
    return None


def _spelt(name: str, known: pa.ChunkedArray, wanted: str | None) -> Field:
    """What strings spell."""
    step = max(1, len(known) // LOOKED)
    look = known.take(np.arange(0, len(known), step)) if step > 1 else known
    shown = look.unique().cast(pa.string()).to_pylist()[:2_000]
    if wanted not in TEMPORAL:
        numbers = sum(map(is_number, shown))
        labels = wanted is None and pc.any(pc.match_substring_regex(known, LABEL)).as_py()
        if not labels and (numbers == len(shown) or (len(shown) > 20 and numbers > 0.9 * len(shown))):
            field = _spelt_number(name, known, wanted)
            if field is not None:
                return field
    if {text.lower() for text in shown} in YES_NO:
        levels = tuple(sorted(known.unique().to_pylist(), key=str.lower))
        if len(levels) == 2:
            return Field(name=name, type="boolean", arrow=str(known.type), levels=levels)
    field = _spelt_time(name, known, shown) if wanted in (None, *TEMPORAL) else None
    return field or _strings(name, known, shown)


def _spelt_number(name: str, known: pa.ChunkedArray, wanted: str | None) -> Field | None:
    """Numbers in letters, and the few words that stand among them; None where these are many."""
    numeric = pc.match_substring_regex(known, NUMBER)
    words = tuple(sorted(pc.unique(known.filter(pc.invert(numeric))).cast(pa.string()).to_pylist()))
    if len(words) > MOST_WORDS:
        return None
    numbers = known.filter(numeric)
    field = _number(name, numbers_of(numbers), numbers, wanted)
    return msgspec.structs.replace(field, words=words) if words and field.type in ("integer", "decimal") else field


def is_number(text: str) -> bool:
    """Whether a string spells a number, a point before its decimals."""
    return re.match(NUMBER, text) is not None


def numbers_of(text: Any) -> Any:
    """What strings that are numbers spell, as float64."""
    return pc.replace_substring_regex(text, r"^\s*\+?|\s+$", "").cast(pa.float64())


def _spelt_time(name: str, known: pa.ChunkedArray, shown: Sequence[str]) -> Field | None:
    """Dates, times and spans in letters, and the few words that stand among them; None where they are none."""
    formats = formats_of(shown)
    if not formats:
        return None
    times = spelt_by(known, formats)
    words = tuple(sorted(pc.unique(known.filter(pc.is_null(times))).cast(pa.string()).to_pylist()))
    if len(words) > MOST_WORDS:
        return None
    return msgspec.structs.replace(_temporal(name, times.drop_null(), formats), arrow=str(known.type), words=words)


def _strings(name: str, known: pa.ChunkedArray, shown: Sequence[str]) -> Field:
    """Strings that spell nothing: a key, a text or levels."""
    distinct, count = pc.count_distinct(known).as_py(), len(known)
    if distinct == count >= keys.FEWEST and (keys.NAMES.search(name) or keys.form_of(known) is not None):
        return _key(name, known)
    long = sum(map(len, shown)) / len(shown) > LONG
    if distinct > MOST_LEVELS or (distinct > 50 and distinct > 0.5 * count) or (long and distinct > 0.1 * count):
        return Field(name=name, type="text", arrow=str(known.type))
    return _levels(name, known)


def _temporal(name: str, known: pa.ChunkedArray, formats: tuple[str, ...]) -> Field:
    if formats and formats[0] in CLOCKS:
        known = known.cast(pa.time64("us"))
    unit = unit_of(known)
    count_N = counted(known, unit)
    clock = pa.types.is_time(known.type)
    day = pa.types.is_date(known.type) or (bool(formats) and all(each in DAYS for each in formats))
    return Field(
        name=name,
        type="duration" if pa.types.is_duration(known.type) else "time" if clock else "date" if day else "datetime",
        arrow=str(known.type),
        decimals=0,
        formats=formats,
        unit=unit,
        low=float(count_N.min()),
        high=float(count_N.max()),
    )


def _key(name: str, known: pa.ChunkedArray) -> Field:
    arrow = str(known.type)
    if not _text(known.type):
        if not pa.types.is_integer(known.type):
            raise InputError(Code.OPTION, f'The column "{name}" is no key: it holds {known.type}, such as {known[0]}.')
        return _counted(name, arrow, int(pc.max(known).as_py()))
    return Field(name=name, type="key", arrow=arrow, form=keys.form_of(known) or keys.Form())


def _counted(name: str, arrow: str, last: int, *, missing: bool = False) -> Field:
    """A key that is a number: new ones go on where it ends."""
    form = keys.Form(start=last + 1, plain=True)
    return Field(name=name, type="key", arrow=arrow, form=form, missing=missing)


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
