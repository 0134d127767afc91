"""What is wrong with a sample as a row, and which row it is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
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


def _plain(value: Any) -> str:
    """A value as any file would have it: a number by its value, a date and time without needless zeros."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "" if value is None else str(value)
    try:
        return repr(float(text))
    except ValueError:
        pass
    found = MOMENT.fullmatch(text)
    if found is None:
        return "" if text in NULLS else text.lower() if text.lower() in ("true", "false") else text
    clock = found["clock"] if found["clock"] and found["clock"].strip("0:") else ""
    return f"{found['day']} {clock} {(found['part'] or '').rstrip('0')} {(found['zone'] or '').replace('Z', '+00:00')}"
