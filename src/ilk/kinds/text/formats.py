"""Which files hold text, by name, and which formats are written. Recognition reads this file: it loads no library."""

from __future__ import annotations

from ilk.core import files
from ilk.core.protocol import Format

WRITTEN = (
    Format(suffix="txt", media_type="text/plain", many=True),
    Format(suffix="md", media_type="text/markdown"),
    Format(suffix="jsonl", media_type="application/jsonl", many=True),
)
SEPARATOR = "<|endoftext|>"
"""A line of its own between the documents of one ``.txt`` file, as corpora for language models have it."""

PLAIN = (".txt", ".text", ".md", ".markdown", ".txt.gz")
PAGES = (".html", ".htm")
RECORDS = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv")
BINARY = (".docx", ".pdf")
SUFFIXES = (*PLAIN, *PAGES, *BINARY)
"""Files that are surely text; of ``RECORDS`` and ``TABLES`` it depends on what is in them."""
SPOKEN = "TXT, Markdown, HTML, JSONL, DOCX and PDF"


def suffix(name: str) -> str:
    """The suffix in lower case, with what a packed file held: ``.txt.gz`` of ``a/B.txt.gz``.

    >>> [suffix(name) for name in ("a/B.TXT", "b.txt.gz", ".hidden", "no")]
    ['.txt', '.txt.gz', '', '']
    """
    tail = files.suffix(name)
    return files.suffix(name[: -len(tail)]) + tail if tail == ".gz" else tail
