"""A CSV as a stream of Arrow tables of strings: its encoding, delimiter and decimal sign are found out from its bytes.

A line that has other cells than the first is a Problem and left out. What the strings spell is told in ``types.py``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.compute as pc

from ilk.core import decoding
from ilk.core.errors import Code, InputError, UnreadableError
from ilk.core.protocol import Problem
from ilk.kinds.table.containers import check_names
from ilk.kinds.table.convert import blank
from ilk.kinds.table.formats import bare
from ilk.kinds.table.frame import TEXT, contained
from ilk.kinds.table.options import Options

LOOK = 2**18  # characters that delimiter and decimal sign are found from
LINES = 200
BLOCK = 2**21  # bytes
SIGNS = (",", ";", "\t", "|")
_MOST_ODD = 0.1  # share of lines that are cut otherwise

Tell = Callable[[Problem], None]


def opener(path: Path) -> BinaryIO:
    """A file's bytes, unpacked."""
    if path.suffix.lower() == ".gz":
        import gzip

        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb")


def read_csv(path: Path, options: Options, tell: Tell) -> Iterator[pa.Table]:
    """The rows of a CSV, a block at a time, all cells strings; missing ones are missing.

    Raises:
        InputError: it is empty or binary, its columns have no names, or another sign cuts it.
    """
    try:
        encoding, errors = decoding.encoding_of(lambda: opener(path), options.encoding)
    except UnreadableError as error:
        sentence = f"{path.name} cannot be read: {error.sentence.rstrip('.')}"
        hint = "" if options.encoding else "; if it is text, name its encoding by --encoding"
        raise InputError(Code.UNREADABLE, f"{sentence}{hint}.") from None
    look = _look(path, encoding, errors)
    if not look.strip():
        raise InputError(Code.TOO_FEW, f"{path.name} is empty.")
    delimiter = _delimiter(path, look, options)
    names = [name.strip() for name in next(csv.reader(io.StringIO(look), delimiter=delimiter))]
    if options.header:
        check_names(names, path.name)
    else:
        names = [f"x{place}" for place in range(len(names))]
    decimal = options.decimal or decimal_of(look, delimiter)

    def odd(row: Any) -> str:
        cells = f"it has {row.actual_columns} cells, and not {row.expected_columns}"
        tell(Problem(name=f"{path.name}: {row.text[:40]}", reason=cells))
        return "skip"

    with _Recoded(lambda: decoding.blocks(lambda: opener(path), encoding, errors)) as file:
        reader = _reader(file, names, delimiter, odd, skip=1 if options.header else 0)
        for batch in reader:
            table = pa.Table.from_batches([batch])
            yield contained(pa.table({name: _cell(table.column(name), decimal) for name in names}), TEXT)


def _reader(file: io.RawIOBase, names: list[str], delimiter: str, odd: Callable[[Any], str], skip: int) -> Any:
    from pyarrow import csv as arrow_csv

    kinds = dict.fromkeys(names, pa.string())
    return arrow_csv.open_csv(
        file,
        read_options=arrow_csv.ReadOptions(block_size=BLOCK, column_names=names, skip_rows=skip, use_threads=False),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=odd),
        convert_options=arrow_csv.ConvertOptions(column_types=kinds, strings_can_be_null=False),
    )


def _cell(column: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray:
    """Cells without what stands around them, missing ones as missing, decimals behind a point."""
    column = blank(pc.utf8_trim_whitespace(column))
    if decimal == ".":
        return column
    number = pc.match_substring_regex(column, r"^[+-]?\d{1,3}(\.\d{3})*,\d+$|^[+-]?\d+,\d+$")
    plain = pc.replace_substring(pc.replace_substring(column, ".", ""), ",", ".")
    return pc.if_else(number, plain, column)


def _look(path: Path, encoding: str, errors: str) -> str:
    """The beginning of a file, whole lines."""
    text = ""
    for block in decoding.blocks(lambda: opener(path), encoding, errors):
        text += block
        if len(text) >= LOOK:
            return text[:LOOK].rpartition("\n")[0] or text[:LOOK]
    return text


def _delimiter(path: Path, look: str, options: Options) -> str:
    """The sign between cells, as the user says or as it is found.

    Raises:
        InputError: the user's sign cuts nothing, and another would.
    """
    if options.delimiter is None:
        return "\t" if bare(path.name) == ".tsv" and "\t" in look.partition("\n")[0] else delimiter_of(look)
    if _even(look, options.delimiter) == 0.0 and _even(look, other := delimiter_of(look)) > 1 - _MOST_ODD:
        shown = {"\t": "a tab"}
        said, better = (shown.get(sign, f'"{sign}"') for sign in (options.delimiter, other))
        raise InputError(Code.OPTION, f"{path.name} has one column where {said} cuts it; {better} would give more.")
    return options.delimiter


def delimiter_of(look: str) -> str:
    """The sign that cuts the most lines into as many cells as the first, at least two."""
    return max(SIGNS, key=lambda sign: _even(look, sign))


def _even(look: str, sign: str) -> float:
    """The share of lines with as many cells as the first; 0 where that has one."""
    counts = [len(row) for row in csv.reader(io.StringIO(look), delimiter=sign) if row][:LINES]
    return sum(count == counts[0] for count in counts) / len(counts) if counts and counts[0] > 1 else 0.0


def decimal_of(look: str, delimiter: str) -> str:
    """A comma where more cells have one before their last digits than have a point."""
    if delimiter == ",":
        return "."
    cells = [cell for row in csv.reader(io.StringIO(look), delimiter=delimiter) for cell in row]
    commas = sum(re.fullmatch(r"[+-]?[\d.]*\d,\d+", cell) is not None for cell in cells)
    return "," if commas > sum(re.fullmatch(r"[+-]?\d+\.\d+", cell) is not None for cell in cells) else "."


class _Recoded(io.RawIOBase):
    """A file of text in any encoding as bytes of UTF-8."""

    def __init__(self, blocks: Any) -> None:
        self._blocks, self._left = iter(blocks()), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._left = block.encode("utf-8", "replace")
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count
