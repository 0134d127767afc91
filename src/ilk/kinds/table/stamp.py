"""A cheap hash of a source that changes when its content does: the key of the cache. No file is read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa

from ilk.core import files
from ilk.core.config import canonical_json
from ilk.kinds.table.containers import is_records, of_frame
from ilk.kinds.table.options import Options
from ilk.kinds.table.read import paths_of

VERSION = 2
"""To be raised when the same source would be read differently."""


def stamp(source: Any, options: Options) -> str:
    """64 hex digits; files count by name, size and modification time, what lies in memory by its bytes.

    Raises:
        InputError: as ``read`` would.
    """
    digest = hashlib.sha256(canonical_json(["table", VERSION, options]))
    if isinstance(source, str | Path | list | tuple) and not is_records(source):
        for path in paths_of(source):
            size, changed = files.facts(path)
            digest.update(f"{path.name}\x00{size}\x00{changed}\n".encode())
        return digest.hexdigest()
    table = of_frame(source)
    sink = _Hashed(digest)
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), table.schema) as writer:
        writer.write_table(table)
    return digest.hexdigest()


class _Hashed:
    """A file that keeps no more than the hash of what is written."""

    closed = False

    def __init__(self, digest: Any) -> None:
        self._digest, self._at = digest, 0

    def write(self, data: Any) -> int:
        raw = memoryview(data)
        self._digest.update(raw)
        self._at += raw.nbytes
        return raw.nbytes

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True
