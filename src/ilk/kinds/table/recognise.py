"""Whether a source looks like a table: from names, types and first bytes, a bounded look, no library."""

from __future__ import annotations

import glob
import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ilk.core import files
from ilk.kinds.table.formats import CSV, READ, RECORDS, bare

DEMO_PREFIX = "demo:"
DEMOS = {
    "adult": "32,561 people of the US census of 1994 with their jobs and incomes (CC BY 4.0)",
    "penguins": "344 penguins of three species and their measures (CC0)",
}
SURE, LIKELY, RECORD = 1.0, 0.9, 0.8
_FIRST = 2**16


def recognise(source: Any) -> float:
    """0 (certainly no table) to 1 (certainly one)."""
    if isinstance(source, str) and source.startswith(DEMO_PREFIX):
        return SURE if source.removeprefix(DEMO_PREFIX) in DEMOS else 0.0
    if is_frame(source):
        return SURE
    if is_matrix(source):
        return LIKELY
    if isinstance(source, list | tuple):
        if source and all(isinstance(item, Mapping) for item in source[: files.MOST_LOOKS]):
            return LIKELY if all(is_flat(item) for item in source[: files.MOST_LOOKS]) else 0.0
        paths = [files.as_path(item) for item in source[: files.MOST_LOOKS]]
        return _share([path for path in paths if path is not None]) if paths and all(paths) else 0.0
    path = files.as_path(source)
    if path is None:
        return 0.0
    try:
        if path.is_dir():
            return LIKELY * files.share(files.glance(path), lambda name: bare(name) in READ)
        if glob.has_magic(str(path)) and not path.exists():
            return LIKELY * files.share(
                (match.name for match in files.matches(str(path))), lambda name: bare(name) in READ
            )
        return _file(path) if path.is_file() else 0.0
    except (OSError, ValueError, RuntimeError):  # unreadable: reading will say why
        return 0.0


def is_frame(source: Any) -> bool:
    """Whether it is a data frame of pandas or polars, or a table of Arrow."""
    names = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(source).__mro__}
    return bool(names & {"pandas.DataFrame", "polars.DataFrame", "pyarrow.Table", "pyarrow.RecordBatch"})


def is_matrix(source: Any) -> bool:
    """Whether it is an array of rows: numbers in two axes, or one of named fields."""
    dtype, shape = getattr(source, "dtype", None), getattr(source, "shape", None)
    if dtype is None or shape is None or type(source).__module__.split(".")[0] != "numpy":
        return False
    return (len(shape) == 2 and dtype.kind in "fiub") or (len(shape) == 1 and dtype.names is not None)


def _share(paths: list[Path]) -> float:
    return LIKELY * sum(bare(path.name) in READ for path in paths) / len(paths)


def _file(path: Path) -> float:
    tail = bare(path.name)
    if tail in RECORDS:
        return RECORD if _begins_flat(path) else 0.0
    if tail in CSV:
        return LIKELY
    return SURE if tail in READ else 0.0


def _begins_flat(path: Path) -> bool:
    """Whether the first record of a JSONL is a row."""
    import msgspec

    with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as file:
        first = file.readline(_FIRST).removeprefix(b"\xef\xbb\xbf")
    try:
        record = msgspec.json.decode(first)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return isinstance(record, dict) and is_flat(record)


def is_flat(record: Mapping[Any, Any]) -> bool:
    """Whether a record is a row: its fields hold no others, and it is none that texts come in."""
    if not record or set(record) & {"text", "messages", "prompt"}:
        return False
    values = [value for name, value in record.items() if name != "ilk"]  # the note of what was made
    return bool(values) and not any(isinstance(value, Mapping | list | tuple | set) for value in values)
