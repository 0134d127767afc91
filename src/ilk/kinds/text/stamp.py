"""A cheap hash of a source that changes when its content does: the key of the cache.

Files count by name, size and modification time, what lies in memory by its characters. No file is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from ilk.core import files
from ilk.core.config import canonical_json
from ilk.core.errors import Code, InputError
from ilk.kinds.text import read as reading
from ilk.kinds.text.listing import Entry, as_path, is_text, list_path, list_paths
from ilk.kinds.text.options import Options
from ilk.kinds.text.passage import as_passage
from ilk.kinds.text.recognise import DEMO_PREFIX, is_column, paths_in

VERSION = 1
"""To be raised when the same source would be read or cut differently."""


def stamp(source: Any, options: Options) -> str:
    """64 hex digits.

    Raises:
        InputError: as ``read`` would.
    """
    digest = hashlib.sha256(canonical_json(["text", VERSION, options]))
    if isinstance(source, str) and source.startswith(DEMO_PREFIX):
        path = reading.demo_path(source)
        _add_entries(digest, [Entry(path.name, path)])
    elif isinstance(source, str) and is_text(source):
        _add_strings(digest, [source])
    elif isinstance(source, list | tuple) or is_column(source):
        items = list(source)
        if paths_in(items):
            _add_entries(digest, list_paths(items))
        else:
            _add_strings(digest, items)
    else:
        path_ = as_path(source)
        if path_ is None:
            raise InputError(Code.SOURCE_UNKNOWN, f"Text cannot be read from a {type(source).__name__}.")
        _add_entries(digest, list_path(path_, tables=options.field is not None))
    return digest.hexdigest()


def _add_entries(digest: Any, entries: Iterable[Entry]) -> None:
    for entry in entries:
        size, changed = files.facts(entry.path)
        digest.update(f"{entry.name}\x00{size}\x00{changed}\n".encode())


def _add_strings(digest: Any, items: Iterable[Any]) -> None:
    for item in items:
        if not isinstance(item, str):
            raise InputError(Code.SOURCE_UNKNOWN, f"Text cannot be read from a list that holds {item!r:.40}.")
        facts = as_passage(item)
        raw = item.encode("utf-8", "surrogatepass")
        digest.update(f"{len(raw)} {facts.piece} {facts.ends} {facts.learn} {facts.marks}\n".encode() + raw)
