"""From a source to a stream of rows: CSV, Parquet, Arrow, JSON lines, data frames, arrays, the demos.

Rows come in batches of one Arrow table, and each Example looks into its batch. Cells of a CSV stay strings here; what
they spell is found out when all of them are known (``types.py``).
"""

from __future__ import annotations

import csv
import glob
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from ilk.core import decoding, files
from ilk.core.errors import Code, InputError, UnreadableError, suggest
from ilk.core.protocol import Example, Problem
from ilk.kinds.table.convert import blank
from ilk.kinds.table.formats import CSV, READ, RECORDS, bare
from ilk.kinds.table.frame import Row, contained
from ilk.kinds.table.options import Options
from ilk.kinds.table.recognise import DEMO_PREFIX, DEMOS, is_frame, is_matrix

BATCH = 16_384  # rows
LOOK = 2**18  # characters that delimiter and decimal sign are found from
MOST_CELL = 2**24  # bytes of a block of a CSV


def read(source: Any, options: Options) -> Iterator[Example | Problem]:
    """Stream the rows of a source, always in the same order.

    Raises:
        InputError: at once, if it is missing, empty or no table.
    """
    step = _step(source, options)
    at = taken = 0
    for name, table in tables(source, options):
        for place in range(table.num_rows):
            if at >= taken * step:
                taken += 1
                yield Example(object=Row(table, place), name=f"{name}:{place + 1}")
            at += 1


def _step(source: Any, options: Options) -> float:
    """Rows of the source for each one that is taken: 1 where all of them are."""
    if _is_files(source) and sum(path.stat().st_size for path in paths_of(source)) < 2 * options.rows:
        return 1.0  # a row has at least a sign and its end
    count = int(sum(table.num_rows for _, table in tables(source, options)))
    return max(1.0, count / options.rows)


def _is_files(source: Any) -> bool:
    if isinstance(source, list | tuple):
        return not (source and isinstance(source[0], Mapping))
    return isinstance(source, str | Path)


def tables(source: Any, options: Options) -> Iterator[tuple[str, pa.Table]]:
    """The batches of a source: a name, where it starts included, and a table."""
    if not isinstance(source, str | Path | list | tuple):
        table = of_frame(source)
        _check_names(table.column_names, "The table")
        for first in range(0, max(1, table.num_rows), BATCH):
            yield f"row {first}+", table.slice(first, BATCH)
        return
    if isinstance(source, list | tuple) and source and isinstance(source[0], Mapping):
        yield from tables(pa.Table.from_pylist([dict(row) for row in source]), options)
        return
    paths = paths_of(source)
    schema: pa.Schema | None = None
    for path in paths:
        at = 0
        for table in _file(path, options):
            if schema is not None and table.column_names != schema.names:
                known = ", ".join(schema.names[:8])
                sentence = f"{path.name} has other columns than {paths[0].name} ({known}); give tables of one form."
                raise InputError(Code.SOURCE_UNKNOWN, sentence)
            schema = schema or table.schema
            yield f"{path.name} {at}+", table
            at += table.num_rows


def paths_of(source: Any) -> list[Path]:
    """The files of a source, in order.

    Raises:
        InputError: there is none.
    """
    if isinstance(source, str) and source.startswith(DEMO_PREFIX):
        return [demo_path(source)]
    if isinstance(source, list | tuple):
        found = [path for item in source for path in paths_of(item)]
    else:
        path = files.as_path(source)
        if path is None:
            raise InputError(Code.SOURCE_UNKNOWN, f"A table cannot be read from a {type(source).__name__}.")
        if path.is_dir():
            found = [each for name, each in sorted(files.walk(path)) if bare(name) in READ]
        elif path.is_file():
            found = [path]
        else:
            matches = files.matches(str(path)) if glob.has_magic(str(path)) else ()
            found = sorted(match for match in matches if bare(match.name) in READ)
            if not found:
                raise InputError(Code.SOURCE_MISSING, f"There is no file or folder {str(path)!r}.")
    if not found:
        raise InputError(Code.SOURCE_MISSING, f"{source} holds no table; these are read: {', '.join(READ)}.")
    return found


def demo_path(source: str) -> Path:
    """The file of a bundled demo, ``demo:NAME``.

    Raises:
        InputError: there is no demo of that name.
    """
    name = source.removeprefix(DEMO_PREFIX)
    if name not in DEMOS:
        raise InputError(Code.SOURCE_MISSING, f'There is no demo "{name}" of tables; {suggest(name, DEMOS)}.')
    return Path(__file__).parent / "demo" / f"{name}.csv.gz"


def of_frame(source: Any) -> pa.Table:
    """An Arrow table of a data frame or an array.

    Raises:
        InputError: a column holds Python objects, or it is no table.
    """
    if isinstance(source, pa.Table):
        return contained(source, "pyarrow")
    if isinstance(source, pa.RecordBatch):
        return contained(pa.Table.from_batches([source]), "pyarrow")
    if is_matrix(source):
        names = source.dtype.names or [f"x{place}" for place in range(source.shape[1])]
        parts = [source[name] if source.dtype.names else source[:, place] for place, name in enumerate(names)]
        return pa.table(dict(zip(names, parts, strict=True)))
    if not is_frame(source):
        raise InputError(Code.SOURCE_UNKNOWN, f"A table cannot be read from a {type(source).__name__}.")
    import narwhals

    names = [str(name) for name in source.columns]
    _check_names(names, "The table")
    if not hasattr(source, "iloc"):
        return contained(narwhals.from_native(source).to_arrow(), "polars")
    try:
        found = pa.Table.from_pandas(source, preserve_index=False)  # narwhals would keep the index
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        sentence = f"The table has a column of mixed Python objects: {str(error).splitlines()[0][:150]}."
        raise InputError(Code.SOURCE_UNKNOWN, sentence) from None
    return contained(found.rename_columns(names), "pandas", [str(dtype) for dtype in source.dtypes])


def _check_names(names: list[str], shown: str) -> None:
    for name in names:
        if names.count(name) > 1:
            sentence = f'{shown} has {names.count(name)} columns called "{name}"; give each a name of its own.'
            raise InputError(Code.SOURCE_UNKNOWN, sentence)
        if not name.strip():
            raise InputError(Code.SOURCE_UNKNOWN, f"{shown} has a column without a name; give each one.")


def _file(path: Path, options: Options) -> Iterator[pa.Table]:
    tail = bare(path.name)
    try:
        if tail in CSV:
            yield from _csv(path, options)
        elif tail in RECORDS:
            yield from _jsonl(path)
        elif tail == ".parquet":
            import pyarrow.parquet as pq

            for batch in pq.ParquetFile(path).iter_batches(BATCH):
                yield pa.Table.from_batches([batch])
        elif tail in (".arrow", ".feather"):
            with pa.memory_map(str(path)) as file:
                for batch in _arrow_batches(file, path):
                    yield pa.Table.from_batches([batch])
        else:
            sentence = f"{path.name} is no table that can be read; these are: {', '.join(READ)}."
            raise InputError(Code.SOURCE_UNKNOWN, sentence)
    except (pa.ArrowException, OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, pa.ArrowException):
            raise InputError(Code.UNREADABLE, f"{path} cannot be read ({error.strerror}).") from None
        raise InputError(Code.UNREADABLE, f"{path.name} cannot be read: {_first_line(error)}.") from None


def _arrow_batches(file: Any, path: Path) -> Iterator[pa.RecordBatch]:
    """Batches of Arrow's file format, or of its stream format."""
    with path.open("rb") as head:
        is_file = head.read(6) == b"ARROW1"
    if not is_file:
        yield from pa.ipc.open_stream(file)
        return
    reader = pa.ipc.open_file(file)
    for place in range(reader.num_record_batches):
        yield reader.get_batch(place)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["it is damaged"])[0].rstrip(".")[:200]


def opener(path: Path) -> BinaryIO:
    """A file's bytes, unpacked."""
    if path.suffix.lower() == ".gz":
        import gzip

        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb")


def _csv(path: Path, options: Options) -> Iterator[pa.Table]:
    from pyarrow import csv as arrow_csv

    try:
        encoding, errors = decoding.encoding_of(lambda: opener(path), options.encoding)
    except UnreadableError as error:
        raise InputError(Code.UNREADABLE, f"{path.name} cannot be read: {error.sentence.rstrip('.')}.") from None
    look = _look(path, encoding, errors)
    if not look.strip():
        raise InputError(Code.TOO_FEW, f"{path.name} is empty.")
    delimiter = options.delimiter or ("\t" if bare(path.name) == ".tsv" else delimiter_of(look))
    names = next(csv.reader(io.StringIO(look), delimiter=delimiter))
    _check_names(names, path.name)
    decimal = options.decimal or decimal_of(look, delimiter)
    with _Recoded(lambda: decoding.blocks(lambda: opener(path), encoding, errors)) as file:
        reader = arrow_csv.open_csv(
            file,
            read_options=arrow_csv.ReadOptions(block_size=MOST_CELL // 8, column_names=names, skip_rows=1),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
        for batch in reader:
            table = pa.Table.from_batches([batch])
            yield pa.table({name: _cell(table.column(name), decimal) for name in names})


def _cell(column: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray:
    """Cells without what stands around them, missing ones as missing, decimals behind a point."""
    import pyarrow.compute as pc

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


def delimiter_of(look: str) -> str:
    """The sign that cuts the most lines into as many cells as the first, at least two."""
    best, found = 0.0, ","
    for sign in (",", ";", "\t", "|"):
        rows = [len(row) for row in csv.reader(io.StringIO(look), delimiter=sign) if row][:200]
        even = sum(count == rows[0] for count in rows) / len(rows) if rows and rows[0] > 1 else 0.0
        if even > best:
            best, found = even, sign
    return found


def decimal_of(look: str, delimiter: str) -> str:
    """A comma where more cells have one before their last digits than have a point."""
    import re

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


def _jsonl(path: Path) -> Iterator[pa.Table]:
    from pyarrow import json as arrow_json

    with opener(path) as file:
        table = arrow_json.read_json(file, read_options=arrow_json.ReadOptions(block_size=MOST_CELL))
    if "ilk" in table.column_names:  # the note of what was made
        table = table.drop_columns(["ilk"])
    for first in range(0, table.num_rows, BATCH):
        yield table.slice(first, BATCH)
