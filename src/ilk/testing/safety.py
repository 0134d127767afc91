"""Whether reading a stranger's files stays reading: nothing is unpickled, no program is started.

Python's audit events say so from below, whatever library is used. An audit hook cannot be taken away
again, so there is one, and it listens only inside :func:`watched`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from ilk.core.errors import FolderError
from ilk.core.folder import unpack

UNSAFE = ("pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect")
_seen: list[list[str]] = []


@contextmanager
def watched() -> Iterator[list[str]]:
    """The unsafe things that happen inside, by the name of their audit event."""
    _hook()
    events: list[str] = []
    _seen.append(events)
    try:
        yield events
    finally:
        _seen.pop()


@cache
def _hook() -> None:
    def listen(event: str, _arguments: object) -> None:
        if _seen and event in UNSAFE:
            _seen[-1].append(event)

    sys.addaudithook(listen)


def unsafe_files(folder: Path) -> list[str]:
    """Files that are neither JSON nor sound safetensors, whatever they are called."""
    return [path.name for path in sorted(folder.rglob("*")) if path.is_file() and not _is_safe(path)]


def _is_safe(path: Path) -> bool:
    data = path.read_bytes()
    if path.suffix == ".json":
        try:
            json.loads(data)
        except ValueError:
            return False
        return True
    try:
        unpack(data, path.name)
    except FolderError:
        return False
    return path.suffix == ".safetensors"
