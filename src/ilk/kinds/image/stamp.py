"""A cheap hash of a source that changes when its content does: the key of the cache.

Files count by name, size and modification time, a zip by its directory (which has a CRC of every
file), what lies in memory by its bytes. No picture is decoded.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, cast

import numpy as np

from ilk.core.config import canonical_json
from ilk.core.errors import Code, InputError
from ilk.core.files import as_path, facts
from ilk.kinds.image import read as reading
from ilk.kinds.image.listing import Entry, list_paths
from ilk.kinds.image.options import Options
from ilk.kinds.image.recognise import DEMO_PREFIX

VERSION = 1
"""To be raised when the same source would be read or decoded differently."""


def stamp(source: Any, options: Options) -> str:
    """64 hex digits.

    Raises:
        InputError: as ``read`` would.
    """
    digest = hashlib.sha256(canonical_json(["image", VERSION, options]))
    if isinstance(source, str) and source.startswith(DEMO_PREFIX):
        _add_file(digest, reading.demo_path(source))
    elif hasattr(source, "dtype") and hasattr(source, "ndim"):
        _add_array(digest, source)
    elif isinstance(source, list | tuple):
        _add_list(digest, source)
    else:
        path = as_path(source)
        if path is None:
            raise InputError(Code.SOURCE_UNKNOWN, f"Pictures cannot be read from a {type(source).__name__}.")
        if path.suffix.lower() == ".npz" and path.is_file():
            _add_file(digest, path)
        else:
            _add_entries(digest, reading.list_files(path))
    return digest.hexdigest()


def _add_entries(digest: Any, entries: list[Entry]) -> None:
    for entry in entries:
        size, changed = entry.facts()
        digest.update(f"{entry.name}\x00{size}\x00{changed}\n".encode())


def _add_file(digest: Any, path: Path) -> None:
    size, changed = facts(path)
    digest.update(f"{path.name}\x00{size}\x00{changed}".encode())


def _add_array(digest: Any, array: Any) -> None:
    whole = np.asarray(array)
    digest.update(f"{whole.shape}{whole.dtype}".encode())
    for row in whole:  # row by row: a view need not be contiguous as a whole, and none is copied as a whole
        digest.update(np.ascontiguousarray(row))


def _add_list(digest: Any, items: Any) -> None:
    if items and all(as_path(item) is not None for item in items):
        _add_entries(digest, list_paths(items))
        return
    for item in items:
        if not hasattr(item, "mode"):
            raise InputError(Code.SOURCE_UNKNOWN, f"Pictures cannot be read from a list that holds {item!r:.40}.")
        digest.update(f"{item.mode}{item.size}".encode() + _bytes(item))


def _bytes(image: Any) -> bytes:
    try:
        return cast("bytes", image.tobytes())
    except Exception:  # a damaged lazy image: reading reports it
        return b"damaged"
