"""A sheet of rows as plain text in columns. Knows no model and writes no file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ilk.core.protocol import Exhibit
from ilk.kinds.table.frame import as_table

MOST = 12
WIDE = 18  # signs of a cell
ACROSS = 52  # signs of a line, so that two fit side by side on a page; wider tables go on below
_SHOWN = {code: 0x2400 + code for code in range(32)} | {0x7F: 0x2421}


def draw(objects: Sequence[Any]) -> Exhibit:
    """The first 12 rows, numbers to the right, under their names; a wide table in parts."""
    rows = [objects[place] for place in range(min(MOST, len(objects)))]
    table = as_table(rows)
    columns = [_column(name, table.column(name).to_pylist()) for name in table.column_names]
    blocks: list[list[list[str]]] = [[]]
    for column in columns:
        if blocks[-1] and sum(len(each[0]) + 2 for each in (*blocks[-1], column)) > ACROSS:
            blocks.append([])
        blocks[-1].append(column)
    lines = ["\n".join("  ".join(cells).rstrip() for cells in zip(*block, strict=True)) for block in blocks]
    more = f" of {len(objects):,}" if len(objects) > len(rows) else ""
    data = ("\n\n".join(lines) + "\n").encode("utf-8", "replace")
    return Exhibit(media_type="text/plain", data=data, caption=f"{len(rows)}{more} rows")


def _column(name: str, values: list[Any]) -> list[str]:
    cells = [_cell(name), *("" if value is None else _cell(value) for value in values)]
    width = max(map(len, cells))
    right = all(isinstance(value, int | float | None) and not isinstance(value, bool) for value in values)
    return [cell.rjust(width) if right else cell.ljust(width) for cell in cells]


def _cell(value: Any) -> str:
    text = (f"{value:.6g}" if isinstance(value, float) else str(value)).translate(_SHOWN)
    return text if len(text) <= WIDE else text[: WIDE - 1] + "…"
