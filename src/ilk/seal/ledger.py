"""What this machine made, in ``home/ledger.sqlite``: models, sampling calls, content hashes.

Two uses: to recall how a sample was made (``ilk sample --like``), and to recognise a sample whose
seal is gone, because a re-saved picture keeps its pixels. A content hash is the caller's: only a
kind knows what a file's content is. The ledger is a convenience: no output is ever lost because it
cannot be written, and it never leaves the machine.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from ilk.core.config import canonical_json
from ilk.seal.claim import now

MOST_CONTENTS = 2_000_000
_BATCH = 20_000
_SCHEMA = """
create table if not exists models (
  fingerprint text primary key, name text, path text, kind text, time text) without rowid;
create table if not exists calls (
  call text primary key, model text, seed integer, settings text, time text) without rowid;
create table if not exists contents (
  id integer primary key autoincrement, hash text unique, call text, number integer);
"""


class Call(msgspec.Struct, frozen=True):
    """A sampling call, as recalled."""

    call: str
    model: str  # fingerprint
    seed: int | None
    settings: dict[str, Any]
    time: str
    name: str | None  # of the model, when it was sampled
    path: str | None  # of the model, when it was sampled
    kind: str | None


class Known(msgspec.Struct, frozen=True):
    """A content that this machine made."""

    call: str
    index: int | None
    model: str
    name: str | None
    time: str


class Ledger:
    """The ledger, for writing. Every method does its best and raises nothing."""

    def __init__(self, home: Path) -> None:
        self._path = ledger_file(home)
        self._waiting: list[tuple[str, str, int | None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def model(self, fingerprint: str, name: str, path: Path | str, kind: str) -> None:
        """Remember a model and where it lies."""
        row = (fingerprint, name, str(path), kind, now())
        self._write(lambda db: db.execute("insert or replace into models values (?, ?, ?, ?, ?)", row))

    def call(self, call: str, model: str, seed: int | None, settings: Mapping[str, Any]) -> None:
        """Remember a sampling call with everything that it takes to repeat it."""
        row = (call, model, seed, canonical_json(dict(settings)).decode(), now())
        self._write(lambda db: db.execute("insert or replace into calls values (?, ?, ?, ?, ?)", row))

    def content(self, content: str, call: str, index: int | None) -> None:
        """Remember a content by its hash; written in batches."""
        self._waiting.append((content, call, index))
        if len(self._waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits, and forget the oldest contents past the cap."""
        rows, self._waiting = self._waiting, []
        if not rows:
            return

        def insert(db: sqlite3.Connection) -> None:
            db.executemany("insert or replace into contents (hash, call, number) values (?, ?, ?)", rows)
            db.execute("delete from contents where id <= (select max(id) from contents) - ?", (MOST_CONTENTS,))

        self._write(insert)

    def _write(self, action: Callable[[sqlite3.Connection], object]) -> None:
        try:
            self._attempt(action)
        except sqlite3.DatabaseError as error:
            if not isinstance(error, sqlite3.OperationalError):  # corrupt, rather than busy or full
                with contextlib.suppress(OSError, sqlite3.Error):
                    _move_aside(self._path)
                    self._attempt(action)
        except (OSError, OverflowError):
            pass

    def _attempt(self, action: Callable[[sqlite3.Connection], object]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.closing(sqlite3.connect(self._path, timeout=10)) as db:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = normal")
            db.executescript(_SCHEMA)
            with db:
                action(db)


class LedgerReader:
    """The ledger, for reading. Makes no file; a missing or damaged ledger knows nothing."""

    def __init__(self, home: Path) -> None:
        self._path = ledger_file(home)

    def find(self, content: str) -> Known | None:
        """The sample with this content, if this machine made it."""
        row = self._one(
            "select c.call, c.number, k.model, m.name, k.time from contents c "
            "join calls k on k.call = c.call left join models m on m.fingerprint = k.model where c.hash = ?",
            content,
        )
        return Known(*row) if row else None

    def recall(self, call: str) -> Call | None:
        """How a sampling call was made."""
        row = self._one(
            "select k.call, k.model, k.seed, k.settings, k.time, m.name, m.path, m.kind "
            "from calls k left join models m on m.fingerprint = k.model where k.call = ?",
            call,
        )
        if row is None:
            return None
        call, model, seed, settings, *rest = row
        try:
            return Call(call, model, seed, msgspec.json.decode(settings, type=dict[str, Any]), *rest)
        except msgspec.MsgspecError:
            return None

    def model_path(self, fingerprint: str) -> Path | None:
        """Where a model was when it was last sampled."""
        row = self._one("select path from models where fingerprint = ?", fingerprint)
        return Path(row[0]) if row else None

    def model_paths(self) -> list[Path]:
        """Where all models were when they were last sampled."""
        if not self._path.is_file():
            return []
        try:
            with contextlib.closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as db:
                return [Path(path) for (path,) in db.execute("select path from models where path != ''")]
        except (sqlite3.Error, UnicodeError):
            return []

    def _one(self, query: str, value: str) -> tuple[Any, ...] | None:
        if not self._path.is_file():
            return None
        try:
            with contextlib.closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as db:
                row = db.execute(query, (value,)).fetchone()
        except (sqlite3.Error, UnicodeError):
            return None
        return None if row is None else tuple(row)


def ledger_file(home: Path) -> Path:
    """Where the ledger is."""
    return home / "ledger.sqlite"


def _move_aside(path: Path) -> None:
    for part in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        if part.exists():
            part.replace(part.with_name(f"{part.name}.damaged-{time.time_ns()}"))
