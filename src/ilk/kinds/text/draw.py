"""A sheet of samples as plain text: numbered, as they are, a rule between. Knows no model and writes no file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ilk.core.protocol import Exhibit

MOST = 20
MOST_CHARACTERS = 600
RULE = "─" * 32  # fits a phone
_SHOWN = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {0x7F: 0x2421}
"""Control characters by their pictures: a sheet is for a terminal too, which would obey them."""


def draw(objects: Sequence[Any]) -> Exhibit:
    """The first 20 texts, of long ones their beginning."""
    shown = [_cut(str(item)) for item in objects[:MOST]]
    sheet = "\n".join(f"{f'── {place} ':─<{len(RULE)}}\n{text}" for place, text in enumerate(shown, 1))
    data = f"{sheet}\n{RULE}\n".encode("utf-8", "replace")
    more = f" of {len(objects):,}" if len(objects) > len(shown) else ""
    return Exhibit(media_type="text/plain", data=data, caption=f"{len(shown)}{more} texts")


def _cut(text: str) -> str:
    short = text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS].rstrip() + " …"
    return short.translate(_SHOWN).strip("\n")
