"""What is wrong with a sample as a text, and which text it is. Whether it is a good one is the report's question."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

_PLAIN = "\n\t\r\f"


def check(item: Any) -> list[str]:
    """Problems in words; empty when there are none."""
    if not isinstance(item, str):
        return [f"it is a {type(item).__name__}, not a string"]
    problems = []
    if not item.strip():
        problems.append("it is empty")
    if "\ufffd" in item:
        problems.append("it holds bytes that are no character")
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in _PLAIN for char in set(item)):
        problems.append("it holds control characters")
    return problems


def identify(item: Any) -> str:
    """SHA-256 of the text, whatever stands around it and however its accents are put together."""
    return hashlib.sha256(unicodedata.normalize("NFC", str(item)).strip().encode("utf-8", "surrogatepass")).hexdigest()
