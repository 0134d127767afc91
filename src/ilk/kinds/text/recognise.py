"""Whether a source looks like text: from names and first bytes, a bounded look, no library.

What is recognised here is read by ``read.py``. The answer is the share of what was looked at that is text, so that
another kind can win a mixed folder; a table may always claim more of what could be one.
"""

from __future__ import annotations

import glob
import os
from itertools import islice
from pathlib import Path
from typing import Any

from ilk.core import files
from ilk.kinds.text.formats import RECORDS, SUFFIXES, TABLES, suffix
from ilk.kinds.text.listing import as_path, is_text

DEMO_PREFIX = "demo:"
DEMOS = {"shakespeare": "1.0 million characters of Shakespeare's plays (public domain)"}
SURE, RECORD, TABLE = 1.0, 0.6, 0.3
_STRINGS = 0.9
"""A list of strings might be names of something else, such as molecules; who knows them better may claim more."""
_FIRST = 2**16


def recognise(source: Any) -> float:
    """0 (certainly no text) to 1 (certainly text)."""
    if isinstance(source, str) and source.startswith(DEMO_PREFIX):
        return SURE if source.removeprefix(DEMO_PREFIX) in DEMOS else 0.0
    if isinstance(source, str) and is_text(source):
        return SURE if source.strip() else 0.0
    if isinstance(source, list | tuple) or is_column(source):
        return _list(list(islice(iter(source), files.MOST_LOOKS)))
    path = as_path(source)
    if path is None:
        return 0.0
    try:
        return _path(path)
    except (OSError, ValueError, RuntimeError):  # unreadable: reading will say why
        return 0.0


def is_column(source: Any) -> bool:
    """Whether it is a column of strings: a pandas or polars Series, a numpy array of one axis."""
    names = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(source).__mro__}
    if names & {"pandas.Series", "polars.Series"}:
        return True
    return "numpy.ndarray" in names and source.ndim == 1 and source.dtype.kind in "UO"


def paths_in(items: list[Any]) -> bool:
    """Whether the items of a list are paths: path-likes, or strings that all look like names of files."""
    return bool(items) and all(
        isinstance(item, os.PathLike) or (isinstance(item, str) and _is_named_file(item)) for item in items
    )


def _is_named_file(text: str) -> bool:
    tail = suffix(text)
    if "\n" in text or len(text) > 4096 or tail not in (*SUFFIXES, *RECORDS, *TABLES):
        return False
    return " " not in text or Path(text).exists()


def _list(items: list[Any]) -> float:
    if paths_in(items):
        return files.share((str(item) for item in items), _is_text)
    texts = sum(isinstance(item, str) and not _is_other_file(item) for item in items)
    return _STRINGS * texts / len(items) if items and texts == len(items) else 0.0


def _is_other_file(text: str) -> bool:
    """A string that names a file of something else, such as ``a/b.png``."""
    tail = suffix(text)
    return 2 <= len(tail) <= 6 and not any(char.isspace() for char in text) and ("/" in text or Path(text).exists())


def _path(path: Path) -> float:
    if path.is_dir():
        return files.share(files.glance(path), _is_text)
    if path.is_file():
        return _file(path)
    if glob.has_magic(str(path)):
        return files.share((match.name for match in files.matches(str(path)) if match.suffix), _is_text)
    return 0.0


def _file(path: Path) -> float:
    tail = suffix(path.name)
    if tail in SUFFIXES:
        return SURE
    if tail in TABLES:
        return TABLE
    return RECORD if tail in RECORDS and _has_text(path) else 0.0


def _has_text(path: Path) -> bool:
    """Whether the first record of a JSONL is one that is read without being told a field."""
    import msgspec

    from ilk.kinds.text.records import shape

    with path.open("rb") as file:
        first = file.readline(_FIRST).removeprefix(b"\xef\xbb\xbf")
    try:
        return shape(msgspec.json.decode(first))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # A first record of more than 64 kB is cut, and no JSON any more; a long string in it is most likely text.
        return len(first) == _FIRST and any(sign in first[:200] for sign in (b'"text"', b'"messages"', b'"prompt"'))


def _is_text(name: str) -> bool:
    return suffix(name) in SUFFIXES
