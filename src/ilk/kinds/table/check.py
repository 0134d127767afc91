"""What is wrong with a sample as a row, and which row it is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

NULLS = ("nan", "NaT", "<NA>")
MOMENT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?:[T ](?P<clock>\d\d:\d\d(?::\d\d)?)(?:\.(?P<part>\d+))?(?P<zone>Z|[+-]\d\d:?\d\d)?)?"
)


def check(item: Any) -> list[str]:
    """Problems in words; empty when there are none."""
    if not isinstance(item, Mapping):
        return [f"it is a {type(item).__name__}, not a row"]
    return [] if len(item) else ["it has no columns"]


def identify(item: Any) -> str:
    """SHA-256 of the row's names and values, whatever file it stands in."""
    said = "\x1f".join(f"{name}\x1e{_plain(value)}" for name, value in item.items())
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _number(value: float) -> str:
    """A number as it is written shortest; of a narrow one (float32) what is written of it in a file of text."""
    import numpy as np

    if value != value:
        return ""
    with np.errstate(over="ignore"):
        narrow = np.float32(value)
    return repr(float(str(narrow)) if float(narrow) == value else value)


def _span(value: timedelta) -> str:
    """A span of time as files of text have it."""
    seconds, part = value.seconds, f".{value.microseconds:06}" if value.microseconds else ""
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{part}"
    return f"{value.days} days {'+' if value.days < 0 else ''}{clock}"


def _plain(value: Any) -> str:
    """A value as any file would have it: a number by its value, a date and time without needless zeros."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "" if value is None else _span(value) if isinstance(value, timedelta) else str(value)
    try:
        return _number(float(text))
    except ValueError:
        pass
    found = MOMENT.fullmatch(text)
    if found is None:
        return "" if text in NULLS else text.lower() if text.lower() in ("true", "false") else text
    clock = found["clock"] if found["clock"] and found["clock"].strip("0:") else ""
    return f"{found['day']} {clock} {(found['part'] or '').rstrip('0')} {(found['zone'] or '').replace('Z', '+00:00')}"
