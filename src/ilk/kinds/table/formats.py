"""Names of files that hold tables, and what is written."""

from __future__ import annotations

from ilk.core.files import suffix
from ilk.core.protocol import Format

CSV = (".csv", ".tsv")
RECORDS = (".jsonl", ".ndjson")
COLUMNS = (".parquet", ".arrow", ".feather")
READ = (*CSV, *RECORDS, *COLUMNS)
WRITTEN = (
    Format(suffix="csv", media_type="text/csv", many=True, one=False),
    Format(suffix="parquet", media_type="application/vnd.apache.parquet", many=True, one=False),
    Format(suffix="jsonl", media_type="application/jsonl", many=True, one=False),
    Format(suffix="arrow", media_type="application/vnd.apache.arrow.file", many=True, one=False),
    Format(suffix="tsv", media_type="text/tab-separated-values", many=True, one=False),
)


def bare(name: str) -> str:
    """The suffix of a file, of one that is packed the one before: ``.csv`` of ``a.csv.gz``."""
    return suffix(name.removesuffix(".gz"))
