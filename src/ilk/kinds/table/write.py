"""Rows to bytes: CSV, TSV, JSON lines, Parquet, Arrow, all at once or as a stream.

The note goes into the schema's metadata of a Parquet or Arrow file, and as ``"ilk"`` into each line of a JSONL; of the
others it is in the sidecar that ``ilk.seal`` writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, BinaryIO

import pyarrow as pa

from ilk.core.errors import Code, InputError, suggest
from ilk.kinds.table.formats import WRITTEN
from ilk.kinds.table.frame import Rows, as_table
from ilk.kinds.table.letters import lettered, spans_spelt

BATCH = 16_384


def write(objects: Sequence[Any], file: BinaryIO, format: str, note: Mapping[str, str]) -> None:
    """One file's bytes.

    Args:
        objects: rows; may be a lazy sequence: it is walked once.
        file: takes the bytes.
        format: a suffix of ``formats.WRITTEN``.
        note: facts to keep in the file, where its format has a place for them.

    Raises:
        InputError: the format is unknown, or there are no rows.
    """
    name = format.lower().removeprefix(".")
    known = {written.suffix: written for written in WRITTEN}
    if name not in known:
        raise InputError(Code.OUTPUT, f'A table is not written as "{format}"; {suggest(name, known)}.')
    batches = _batches(objects)
    if name in ("csv", "tsv"):
        batches = map(lettered, batches)
    first = next(batches, None)
    if first is None:
        raise InputError(Code.OUTPUT, "There are no rows to write.")
    schema = first.schema.with_metadata({key: str(value) for key, value in note.items()} or None)
    if name == "jsonl":
        _jsonl(chain([first], batches), file, note)
        return
    with _writer(name, file, schema) as writer:
        writer.write_table(first.cast(schema))
        for batch in batches:
            writer.write_table(batch.select(schema.names).cast(schema))


def _batches(objects: Sequence[Any]) -> Iterator[pa.Table]:
    if isinstance(objects, Rows):
        yield objects.table
        return
    rows = iter(objects)
    while some := list(islice(rows, BATCH)):
        yield as_table(some)


def _writer(name: str, file: BinaryIO, schema: pa.Schema) -> Any:
    if name == "parquet":
        import pyarrow.parquet as pq

        return pq.ParquetWriter(file, schema)
    if name == "arrow":
        return pa.ipc.new_file(file, schema)
    from pyarrow import csv as arrow_csv

    options = arrow_csv.WriteOptions(delimiter="\t" if name == "tsv" else ",", quoting_style="needed")
    return arrow_csv.CSVWriter(file, schema, write_options=options)


def _jsonl(batches: Iterable[pa.Table], file: BinaryIO, note: Mapping[str, str]) -> None:
    import msgspec

    more = {"ilk": dict(note)} if note else {}
    encoder = msgspec.json.Encoder(enc_hook=str)
    for batch in batches:
        for row in spans_spelt(batch).to_pylist():
            file.write(encoder.encode({**row, **more}) + b"\n")
