"""How dates, times and spans of time are spelt in files of text, and the numbers that they are.

A *format* is one of ``strftime``, or of spans: ``h:m:s`` and ``days`` (``3 days 04:05:06``). Where zones differ from
row to row (``%z``), moments are told in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

DAYS = (
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y",
    "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y",
)  # fmt: skip
CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")
SPANS = ("h:m:s", "days")
UNITS = {"day": 86_400_000_000_000, "minute": 60_000_000_000, "second": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
"""Nanoseconds that a column may count in, the widest first."""
MOST_FORMATS = 3  # in one column
MOST_ODD = 0.05  # share of strings that are spelt like none of them
_SAMPLE = 50
_ZONE = re.compile(r"(?<=\d)(Z|[+-]\d\d:?\d\d)$")
_SPAN = {
    "h:m:s": r"^(?P<sign>-?)(?P<days>)(?P<hours>\d{1,6}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)(?P<part>)$",
    "days": r"^(?P<sign>)(?P<days>-?\d{1,6}) days? \+?(?P<hours>\d\d):(?P<minutes>\d\d):(?P<seconds>\d\d)"
    r"(?:\.(?P<part>\d{1,9}))?$",
}


def formats_of(strings: Sequence[str]) -> tuple[str, ...]:
    """How strings spell dates, times or spans: up to three formats that all but a few of them have; else none."""
    texts = [text for text in strings if any(letter.isdigit() for letter in text)]
    if len(texts) < (1 - MOST_ODD) * len(strings) or not texts:
        return ()
    spread = texts[:: max(1, len(texts) // _SAMPLE)]
    sample, column = pa.chunked_array([spread]), pa.chunked_array([list(strings)])
    left = np.ones(len(column), dtype=bool)
    open_ = [each for each in _candidates(spread) if spelt_times(sample, each).null_count < len(sample)]
    told = {each: spelt_times(column, each) for each in open_}
    found: list[str] = []
    while open_ and left.any() and len(found) < MOST_FORMATS:
        known = {each: np.asarray(told[each].is_valid().to_numpy()) & left for each in open_}
        best = max(open_, key=lambda each: (int(known[each].sum()), _same(column, told[each], each)))
        if known[best].sum() < max(1, MOST_ODD * len(column)):
            break
        found.append(best)
        left &= ~known[best]
        open_ = [each for each in open_ if each not in found and _together(each, found)]
    if not found or left.sum() > MOST_ODD * len(column):
        return ()
    return tuple(sorted(found, key=lambda each: "%H" not in each and "%I" not in each))  # the first one is written


def _candidates(texts: Sequence[str]) -> list[str]:
    """Formats that may be theirs, with the zone that all of them name."""
    zones = {found[1] for text in texts if ":" in text and (found := _ZONE.search(text))}
    tail = "" if not zones else zones.pop() if len(zones) == 1 else "%z"
    clocks = [*CLOCKS, "%H:%M:%S.%f"]
    both = [f"{day}{between}{clock}{tail}" for day in DAYS for between in (" ", "T") for clock in clocks]
    return [*DAYS, *both, *CLOCKS, *SPANS]


def _same(column: pa.ChunkedArray, times: pa.ChunkedArray, format: str) -> int:
    """How many strings come out as they went in."""
    return int(pc.sum(pc.equal(spelt_as(times, format), column)).as_py() or 0)


def _together(format: str, found: Sequence[str]) -> bool:
    """Whether it may stand in a column beside others: days beside days, none that tells month and day the other way."""

    def sort(each: str) -> str:
        return "span" if each in SPANS else "clock" if each in CLOCKS else "day"

    def order(each: str) -> tuple[bool, str]:
        return each.lower().find("%d") < each.find("%m"), each[2:3]

    return all(
        sort(format) == sort(each) and (order(format)[1] != order(each)[1] or order(format) == order(each))
        for each in found
    )


def spelt_times(known: pa.ChunkedArray, format: str) -> pa.ChunkedArray:
    """Timestamps (of 1900 where only a time is spelt) or durations, us; a string that spells none is missing."""
    if format in SPANS:
        return _spans(known, format)
    guard = r"^\d{8}(\D|$)" if format.startswith("%Y%m%d") else r"(^|\D)\d{4}(\D|$)" if "%Y" in format else ""
    if "%y" in format:
        guard = r"^\d\d?/\d\d?/\d\d(\D|$)|^\d\d\.\d\d\.\d\d(\D|$)"
    if guard:  # Arrow takes 20 for the year 20, and 1.2.3 for a day
        known = pc.if_else(pc.match_substring_regex(known, guard), known, pa.scalar(None, known.type))
    minutes: Any = None
    if format.endswith("%z"):
        parts = pc.extract_regex(known, r"^(?P<base>.*\d)(?P<sign>Z|[+-])(?P<hours>\d\d)?:?(?P<minutes>\d\d)?$")
        sign = pc.if_else(pc.equal(pc.struct_field(parts, "sign"), "-"), -1, 1)
        minutes = pc.multiply(sign, pc.add(pc.multiply(_int(parts, "hours"), 60), _int(parts, "minutes")))
        known, format = pc.struct_field(parts, "base"), format.removesuffix("%z")
    fraction: Any = None
    if ".%f" in format:
        parts = pc.extract_regex(known, r"^(?P<base>.*:\d\d)(?:\.(?P<part>\d{1,9}))?(?P<tail>[^.\d].*)?$")
        fraction = _int(parts, "part", digits=6)
        known = pc.binary_join_element_wise(pc.struct_field(parts, "base"), pc.struct_field(parts, "tail"), "")
        format = format.replace(".%f", "")
    found = pc.strptime(known, format=format, unit="us", error_is_null=True)
    if fraction is not None:
        found = pc.add(found, fraction.cast(pa.duration("us")))
    if minutes is not None:
        found = pc.subtract(found, pc.multiply(minutes.cast(pa.int64()), 60_000_000).cast(pa.duration("us")))
    return found


def _int(parts: pa.ChunkedArray, name: str, digits: int = 0) -> pa.ChunkedArray:
    """A part of strings as whole numbers, 0 where it is empty; of a fraction its first digits."""
    text = pc.struct_field(parts, name)
    if digits:
        text = pc.utf8_slice_codeunits(pc.utf8_rpad(pc.coalesce(text, pa.scalar("")), digits, "0"), 0, digits)
    return pc.if_else(pc.equal(text, ""), pa.scalar("0"), text).cast(pa.int64())


def _spans(known: pa.ChunkedArray, format: str) -> pa.ChunkedArray:
    parts = pc.extract_regex(known, _SPAN[format])
    clock = _int(parts, "seconds")
    for name, factor in (("minutes", 60), ("hours", 3600)):
        clock = pc.add(clock, pc.multiply(_int(parts, name), factor))
    whole = pc.add(pc.multiply(clock, 1_000_000), _int(parts, "part", digits=6))
    whole = pc.multiply(whole, pc.if_else(pc.equal(pc.struct_field(parts, "sign"), "-"), -1, 1))
    return pc.add(whole, pc.multiply(_int(parts, "days"), 86_400_000_000)).cast(pa.duration("us"))


def spelt_as(times: pa.ChunkedArray, format: str) -> pa.ChunkedArray:
    """Timestamps or durations as strings."""
    if format in SPANS:
        return _spelt_spans(times.cast(pa.duration("us")).cast(pa.int64()), format)
    unit = "us" if "%f" in format else "s"  # of "us", %S has the fraction too
    whole = pc.floor_temporal(times, unit="second") if unit == "s" else times
    return pc.strftime(whole.cast(pa.timestamp(unit)), format=format.replace(".%f", "").replace("%z", "Z"))


def _spelt_spans(count: pa.ChunkedArray, format: str) -> pa.ChunkedArray:
    made: list[str | None] = []
    for us in count.to_pylist():
        if us is None:
            made.append(None)
            continue
        days, rest = divmod(us, 86_400_000_000)
        seconds, part = divmod(rest if format == "days" else abs(us), 1_000_000)
        hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
        if format == "days":
            plus, tail = "+" if days < 0 else "", f".{part:06}" if part else ""
            made.append(f"{days} days {plus}{hours:02}:{minutes:02}:{seconds:02}{tail}")
        else:
            made.append(f"{'-' if us < 0 else ''}{hours}:{minutes:02}:{seconds:02}")
    return pa.chunked_array([pa.array(made, pa.string())])


def spelt_by(known: pa.ChunkedArray, formats: Iterable[str]) -> pa.ChunkedArray:
    """As :func:`spelt_times`, each string by the first format that it has."""
    parts = [spelt_times(known, format) for format in formats]
    return parts[0] if len(parts) == 1 else pc.coalesce(*parts)


def unit_of(known: pa.ChunkedArray) -> int:
    """Nanoseconds of the widest unit that loses nothing of dates, times and durations, which must not be missing."""
    ticks_N, tick = _ticks(known)
    return next(unit for unit in UNITS.values() if unit >= tick and not (ticks_N % (unit // tick)).any())


def counted(known: pa.ChunkedArray, unit: int) -> npt.NDArray[np.int64]:
    """(N,) int64 units of dates, times and durations, which must not be missing; what is left of one is dropped."""
    ticks_N, tick = _ticks(known)
    return ticks_N * (tick // unit) if tick >= unit else ticks_N // (unit // tick)


def _ticks(known: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], int]:
    """What Arrow counts, and how many nanoseconds each is; all of them together may be too many for 64 bits."""
    kind = known.type
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        ticks_N: npt.NDArray[np.int64] = known.cast(pa.int32()).to_numpy().astype(np.int64)
    else:
        ticks_N = known.cast(pa.int64()).to_numpy()
    if pa.types.is_date32(kind):
        return ticks_N, UNITS["day"]
    return ticks_N, {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[getattr(kind, "unit", "ms")]
