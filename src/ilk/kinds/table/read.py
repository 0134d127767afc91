"""From a source to a stream of rows: CSV, Parquet, Arrow, JSON lines, data frames, arrays, the demos.

Rows come in batches of one Arrow table, and each Example looks into its batch. Cells of a CSV stay strings here; what
they spell is found out when all of them are known (``types.py``).
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ilk.core import files
from ilk.core.errors import Code, InputError, suggest
from ilk.core.protocol import Example, Problem
from ilk.kinds.table.containers import check_names, is_records, of_frame, plain
from ilk.kinds.table.csvs import Tell, opener, read_csv
from ilk.kinds.table.formats import CSV, READ, RECORDS, bare
from ilk.kinds.table.frame import Row, picked
from ilk.kinds.table.options import Options
from ilk.kinds.table.recognise import DEMO_PREFIX, DEMOS

BATCH = 16_384  # rows
MOST_CELL = 2**24  # bytes of a line of JSON


def read(source: Any, options: Options) -> Iterator[Example | Problem]:
    """Stream the rows of a source, always in the same order.

    Of a source with more than ``options.rows`` rows as many are picked, spread evenly; their tables say of how many.

    Raises:
        InputError: before the first row, if it is missing, empty or no table.
    """
    count = _many(source, options)
    step = max(1.0, count / options.rows)
    at = taken = 0
    problems: list[Problem] = []
    for name, table in tables(source, options, problems.append):
        yield from problems
        problems.clear()
        places = np.arange(table.num_rows)
        if step > 1:
            last = min(options.rows, taken + int(table.num_rows / step) + 2)
            due = np.ceil((np.arange(taken, last) * step - at).clip(0)).astype(np.int64)
            places = due[due < table.num_rows]
            at, taken = at + table.num_rows, taken + len(places)
            table = picked(table.take(places), count)  # so that nothing holds the rows that were left out
        for place, row in enumerate(places.tolist()):
            yield Example(object=Row(table, place), name=f"{name}:{row + 1}")
    yield from problems


def _many(source: Any, options: Options) -> int:
    """How many rows a source has, where these may be too many; else 0."""
    if not _is_files(source):
        count = len(source) if hasattr(source, "__len__") else 0
    else:
        paths = paths_of(source)
        plain_text = all(path.suffix.lower() in (*CSV, *RECORDS) for path in paths)
        if plain_text and sum(path.stat().st_size for path in paths) < 2 * options.rows:
            return 0  # a row has at least a sign and its end
        count = sum(_rows_of(path, options) for path in paths)
    return count if count > options.rows else 0


def _rows_of(path: Path, options: Options) -> int:
    if bare(path.name) == ".parquet":
        return int(_parquet(path).metadata.num_rows)
    return sum(table.num_rows for table in _file(path, options, _unheard))


def _parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(Code.UNREADABLE, f"{path.name} cannot be read: {_first_line(error)}.") from None


def _is_files(source: Any) -> bool:
    return isinstance(source, str | Path | list | tuple) and not is_records(source)


def _unheard(problem: Problem) -> None:
    """It is told another time."""


def tables(source: Any, options: Options, tell: Tell = _unheard) -> Iterator[tuple[str, pa.Table]]:
    """The batches of a source: a name, where it starts included, and a table; ``tell`` takes what cannot be read."""
    if not _is_files(source):
        table = of_frame(source)
        for first in range(0, max(1, table.num_rows), BATCH):
            yield f"row {first}+", table.slice(first, BATCH)
        return
    paths = paths_of(source)
    schema: pa.Schema | None = None
    for path in paths:
        at = 0
        for table in _file(path, options, tell):
            if schema is None:
                check_names(table.column_names, path.name)
            elif table.column_names != schema.names:
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


def _file(path: Path, options: Options, tell: Tell) -> Iterator[pa.Table]:
    tail = bare(path.name)
    try:
        if tail in CSV:
            yield from read_csv(path, options, tell)
        elif tail in RECORDS:
            yield from _jsonl(path)
        elif tail == ".parquet":
            for batch in _parquet(path).iter_batches(BATCH):
                yield _bare(batch)
        elif tail in (".arrow", ".feather"):
            with pa.memory_map(str(path)) as file:
                for batch in _arrow_batches(file, path):
                    yield _bare(batch)
        else:
            sentence = f"{path.name} is no table that can be read; these are: {', '.join(READ)}."
            raise InputError(Code.SOURCE_UNKNOWN, sentence)
    except (pa.ArrowException, OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, pa.ArrowException):
            raise InputError(Code.UNREADABLE, f"{path} cannot be read ({error.strerror}).") from None
        raise InputError(Code.UNREADABLE, f"{path.name} cannot be read: {_first_line(error)}.") from None


def _bare(batch: pa.RecordBatch) -> pa.Table:
    """A batch as a table, without what its file says beside: a stranger wrote that."""
    return plain(pa.Table.from_batches([batch]).replace_schema_metadata(None))


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


def _jsonl(path: Path) -> Iterator[pa.Table]:
    table = _json_table(path, pa.schema([]))
    dates = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    if dates:  # as they are spelt, so that made ones can be
        table = _json_table(path, pa.schema([pa.field(name, pa.string()) for name in dates])).select(table.column_names)
    if "ilk" in table.column_names:  # the note of what was made
        table = table.drop_columns(["ilk"])
    for first in range(0, table.num_rows, BATCH):
        yield table.slice(first, BATCH)


def _json_table(path: Path, schema: pa.Schema) -> pa.Table:
    from pyarrow import json as arrow_json

    with opener(path) as file:
        return arrow_json.read_json(
            file,
            read_options=arrow_json.ReadOptions(block_size=MOST_CELL),
            parse_options=arrow_json.ParseOptions(explicit_schema=schema),
        )
