"""What a verb prints: one JSON object on one line with --json, else a few lines for a person.

Results go to stdout; progress, notes and errors go to stderr. Nothing else in ilk writes to either.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import msgspec


def emit_json(value: Any) -> None:
    """One JSON object on one line."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def emit(text: str) -> None:
    """A line for a person."""
    sys.stdout.write(text + "\n")


def pour(text: str) -> None:
    """A part of a text, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def say(text: str) -> None:
    """A line beside the result."""
    sys.stderr.write(text + "\n")


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Two aligned columns."""
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)


def seconds(value: float) -> str:
    """A duration as a person says it: ``8 s``, ``2:05 min``, ``1:02 h``."""
    if value < 60:
        return f"{value:.0f} s"
    if value < 3600:
        return f"{int(value // 60)}:{int(value % 60):02d} min"
    return f"{int(value // 3600)}:{int(value % 3600 // 60):02d} h"
