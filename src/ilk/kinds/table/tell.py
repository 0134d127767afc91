"""A table in a few lines: what each column was taken for, and what every row obeys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ilk.kinds.table.words import word_of

if TYPE_CHECKING:
    from ilk.kinds.table.codec import Facts
    from ilk.kinds.table.types import Field

SHOWN = 5
WHY = {
    "key": "new ones are made, none is copied",
    "text": "texts longer than a table learns; left empty",
    "empty": "nothing is there",
}


def described(facts: Facts) -> list[tuple[str, str]]:
    """(name, what it is) of each column, then the rules."""
    out = f" of {facts.out_of:,}, spread evenly" if facts.out_of else ""
    lines = [("rows", f"{facts.rows:,} looked at{out}")]
    lines += [(f"column {field.name}", _field(field)) for field in facts.source]
    lines += [("rule", f"{rule.written}   ({rule.says})") for rule in facts.rules]
    return lines


def left_out(facts: Facts) -> dict[str, str]:
    """Columns that are not learned and not made either."""
    return {field.name: WHY["text"] for field in facts.source if field.type == "text"}


def _field(field: Field) -> str:
    parts: list[str] = [field.type]
    if field.type in ("category", "boolean"):
        more = ", ..." if len(field.levels) > SHOWN else ""
        parts.append(f"{len(field.levels):,} levels: {', '.join(field.levels[:SHOWN])}{more}")
    elif field.type == "constant":
        parts.append(str(field.value))
    elif field.width:
        if field.type == "decimal" and field.decimals is not None:
            parts[0] += f" of {field.decimals} places"
        parts.append(f"{word_of(field, field.low)} to {word_of(field, field.high)}")
        if field.formats:
            parts.append(f"written {field.formats[0]}" + (", as others" if len(field.formats) > 1 else ""))
        if field.words:
            parts.append(f"or {', '.join(field.words[:SHOWN])}")
    elif field.type in WHY:
        parts.append(WHY[field.type])
    return ", ".join(parts) + (", may be missing" if field.missing and field.type != "empty" else "")
