"""The model folder ``NAME.ilk/``: written so that it always loads, read so that it never harms.

``ilk.json`` is the commit point. It names every file that belongs to the model with its SHA-256. A
commit writes the changed files beside the old ones as ``NAME.new``, swaps ``ilk.json`` with one
atomic replace, and then renames the ``.new`` files; a process that dies at any moment leaves either
the old model or the new one. Opening finishes a commit that was cut after the swap (the ``.new`` file
has the recorded hash) and sweeps one that was cut before. A new folder is filled under a hidden name
and appears with one rename.

Reading trusts nothing: names stay inside the folder, links are refused, every byte is hashed before
it is parsed, and only JSON and safetensors are parsed. This file knows no kind and no engine.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from ilk.core.config import Record, canonical_json, to_json
from ilk.core.errors import Code, FolderError, InputError, MachineError
from ilk.core.plan import Plan
from ilk.core.protocol import Array, Base

FORMAT = 1
HEADER = "ilk.json"
LARGEST_HEADER = 16 * 2**20
STATE = "state/"  # what only --resume needs; may be deleted


class DataRecord(Record, frozen=True):
    """What the model was fitted on, without a path or a name."""

    fingerprint: str  # SHA-256 of the encoded examples
    count: int
    holdout: int  # of these, kept from learning
    split_seed: int
    unreadable: int = 0


class Header(Record, frozen=True):
    """``ilk.json``: all of a model but its arrays."""

    ilk: str
    kind: str
    engine: str
    space: dict[str, Any]
    settings: dict[str, Any]
    options: dict[str, Any]
    plan: Plan
    data: DataRecord
    step: int
    seconds: float
    ended: str  # "finished", "interrupted", or "" while it learns
    created: str
    saved: str
    base: Base | None = None
    versions: dict[str, str] = {}
    metrics: dict[str, float] = {}
    files: dict[str, str] = {}
    format: int = FORMAT

    @property
    def fingerprint(self) -> str:
        """The model's name in a seal: SHA-256 over everything that sampling depends on."""
        files = {name: digest for name, digest in self.files.items() if not name.startswith(STATE)}
        parts = [self.kind, self.engine, self.space, self.settings, self.options, files]
        return hashlib.sha256(canonical_json(parts)).hexdigest()


class Opened(msgspec.Struct, frozen=True):
    """A model as it was read: the header, and the bytes of the files that it names (state left out)."""

    header: Header
    files: dict[str, bytes]
    path: Path


def open_model(path: Path, *, state: bool = False) -> Opened:
    """Read and check a model folder; ``state`` reads what ``--resume`` needs as well.

    Raises:
        InputError: there is no model folder.
        FolderError: it is damaged, unsafe or newer than this ilk.
    """
    last: FolderError | None = None
    for _ in range(20):  # a fit may be swapping files under our eyes
        folder = standing(path)
        if not folder.is_dir():
            raise InputError(Code.MODEL_MISSING, f"There is no model folder {path}; `ilk models` lists those you have.")
        try:
            header = read_header(folder)
        except FolderError as error:
            if folder.is_dir():
                raise
            last = error  # it was replaced between the two lines above
            continue
        try:
            files = {
                name: _read_file(folder, name, digest)
                for name, digest in header.files.items()
                if state or not name.startswith(STATE)
            }
            return Opened(header, files, path)
        except FolderError as error:
            last = error
            if error.code != Code.FOLDER_DAMAGED:
                break
            time.sleep(0.02)
    raise last or FolderError(Code.FOLDER_DAMAGED, f"{path} cannot be read.")


def standing(path: Path) -> Path:
    """Where the model of this name lies: under its name, or aside if its replacer died between two renames."""
    aside = [] if path.exists() else sorted(path.parent.glob(f".{glob.escape(path.name)}.*.old"))
    return aside[-1] if aside else path


def read_header(path: Path) -> Header:
    """Read ``ilk.json``.

    Raises:
        FolderError: no JSON, a wrong field, an unsafe file name, or a newer format.
    """
    file = path / HEADER
    try:
        if file.stat().st_size > LARGEST_HEADER:
            raise FolderError(Code.FOLDER_UNSAFE, f"{file} is too large to be what it should be.")
        raw = file.read_bytes()
    except OSError as error:
        sentence = f"{path} is no model folder: {HEADER} cannot be read ({error.strerror})."
        raise FolderError(Code.FOLDER_DAMAGED, sentence) from None
    try:
        version = msgspec.json.decode(raw, type=_Version).format
        if version > FORMAT:
            sentence = f"{path} was written by a newer ilk (format {version}, this one reads {FORMAT}); update ilk."
            raise FolderError(Code.FOLDER_NEWER, sentence)
        header = msgspec.json.decode(raw, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InputError) as error:
        if isinstance(error, FolderError):
            raise
        raise FolderError(Code.FOLDER_DAMAGED, f"{file} is damaged: {error}.") from None
    for name in header.files:
        _check_name(path, name)
    return header


class _Version(msgspec.Struct):
    format: int


class ModelWriter:
    """The only writer of a model folder: holds its lock, commits whole states.

    Use as a context manager. A folder that does not exist yet, or is to be replaced, appears whole with
    the first commit; until then an old one stays.
    """

    def __init__(self, path: Path, *, replace: bool = False) -> None:
        self.path = path
        self._replace = replace
        self._staging: Path | None = None
        self._locks: list[FileLock] = []
        self._files: dict[str, str] = {}

    def __enter__(self) -> ModelWriter:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _sweep_staging(self.path)
            if self.path.exists():
                self._acquire(self.path)
            if self.path.exists() and not self._replace:
                recover(self.path)
                self._files = dict(read_header(self.path).files)
            else:
                self._staging = self.path.parent / f".{self.path.name}.{secrets.token_hex(4)}.new"
                self._staging.mkdir()
                self._acquire(self._staging)
        except OSError as error:
            raise disk_error(error, self.path) from None
        return self

    def __exit__(self, *_: object) -> None:
        for lock in self._locks:
            lock.release()
        if self._staging is not None:
            shutil.rmtree(self._staging, ignore_errors=True)

    def commit(self, header: Header, files: Mapping[str, bytes]) -> Header:
        """Make ``files`` the model, all of them or none; returns the header with their hashes.

        Raises:
            MachineError: the disk is full; the folder holds the model of the last commit.
            InputError: the folder cannot be written.
        """
        folder = self._staging or self.path
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        changed = [name for name in files if self._files.get(name) != digests[name]]
        header = msgspec.structs.replace(header, files=digests)
        try:
            for name in changed:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                _write_synced(folder / f"{name}.new", files[name])
            _write_synced(folder / f"{HEADER}.new", to_json(header))
            if self._staging is not None:  # nothing to keep: finish inside, then show the folder whole
                _finish(folder, changed)
                (folder / f"{HEADER}.new").replace(folder / HEADER)
                self._appear()
            else:
                (folder / f"{HEADER}.new").replace(folder / HEADER)
                _finish(folder, changed)
            _sync_folder(self.path)
        except OSError as error:
            for name in [*changed, HEADER]:
                (folder / f"{name}.new").unlink(missing_ok=True)
            raise disk_error(error, self.path) from None
        for name in set(self._files) - set(digests):
            (self.path / name).unlink(missing_ok=True)
        self._files = digests
        return header

    def _appear(self) -> None:
        """Show the staged folder under its name; an old one steps aside first, between two renames."""
        assert self._staging is not None
        aside = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.old")
        if self._replace and self.path.exists():
            self.path.rename(aside)
        try:
            self._staging.rename(self.path)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                sentence = f"{self.path} was made by another process meanwhile; choose another name."
                raise InputError(Code.EXISTS, sentence) from None
            raise
        shutil.rmtree(aside, ignore_errors=True)
        self._staging = None

    def _acquire(self, folder: Path) -> None:
        lock = FileLock(folder / ".lock", mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            sentence = f"{self.path} is being written by another process; wait for it or choose another name."
            raise FolderError(Code.FOLDER_BUSY, sentence) from None
        self._locks.append(lock)


def recover(path: Path) -> None:
    """Finish or sweep a commit that a dying process left; the caller holds the lock."""
    header = read_header(path)
    named = set(header.files)
    for file in list(path.rglob("*.new")):
        name = file.relative_to(path).as_posix().removesuffix(".new")
        if name in named and hashlib.sha256(file.read_bytes()).hexdigest() == header.files[name]:
            file.replace(path / name)
        else:
            file.unlink(missing_ok=True)


def disk_error(error: OSError, path: Path) -> Exception:
    """The sentence for a write that failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        kept = " what was saved before is kept" if path.exists() else " nothing was written"
        return MachineError(Code.DISK_FULL, f"The disk is full, so {path} could not be saved;{kept}.")
    return InputError(Code.OUTPUT, f"{path} cannot be written ({error.strerror}).")


def pack(arrays: Mapping[str, Array]) -> bytes:
    """Named arrays as the bytes of a safetensors file; equal arrays give equal bytes."""
    import numpy as np
    from safetensors.numpy import save

    return save({name: np.asarray(arrays[name], order="C") for name in sorted(arrays)})  # keeps shape ()


def unpack(data: bytes, where: str) -> dict[str, Array]:
    """The arrays of a safetensors file; header, sizes and offsets are checked first.

    Raises:
        FolderError: the bytes are not a whole, consistent safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise FolderError(Code.FOLDER_UNSAFE, f"{where} is not a sound safetensors file ({error}).") from None


def read_floats(path: Path, names: Sequence[str]) -> list[Array]:
    """The arrays of a safetensors file that holds these and no others, float32 and finite.

    Raises:
        FolderError: it is missing or damaged, or holds something else.
    """
    import numpy as np

    try:
        found = unpack(path.read_bytes(), str(path))
    except OSError as error:
        raise FolderError(Code.FOLDER_DAMAGED, f"{path} cannot be read ({error.strerror}).") from None
    if sorted(found) != sorted(names):
        raise FolderError(Code.FOLDER_UNSAFE, f"{path} does not hold {' and '.join(names)}.")
    if any(array.dtype != np.float32 or not np.isfinite(array).all() for array in found.values()):
        raise FolderError(Code.FOLDER_UNSAFE, f"{path} must hold finite float32 numbers.")
    return [found[name] for name in names]


def _check_name(path: Path, name: str) -> None:
    pure = PurePosixPath(name)
    bad = pure.is_absolute() or ".." in pure.parts or not pure.parts or "\\" in name or "\x00" in name or ":" in name
    if bad or pure.as_posix() != name or name == HEADER:
        raise FolderError(Code.FOLDER_UNSAFE, f"{path / HEADER} names a file outside of the folder: {name!r}.")


def _read_file(path: Path, name: str, digest: str) -> bytes:
    """The bytes of a named file that have the recorded hash; a commit may still have to rename it."""
    for candidate in (path / name, path / f"{name}.new"):
        if not candidate.is_file():
            continue
        if candidate.is_symlink() or not candidate.resolve().is_relative_to(path.resolve()):
            raise FolderError(Code.FOLDER_UNSAFE, f"{candidate} is a link; a model folder holds only its own files.")
        try:
            data = candidate.read_bytes()
        except OSError as error:
            raise FolderError(Code.FOLDER_DAMAGED, f"{candidate} cannot be read ({error.strerror}).") from None
        if hashlib.sha256(data).hexdigest() == digest:
            return data
    exists = (path / name).exists()
    reason = "does not match ilk.json: it was changed or damaged" if exists else "is missing"
    raise FolderError(Code.FOLDER_DAMAGED, f"{path / name} {reason}.")


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _finish(folder: Path, changed: list[str]) -> None:
    for name in changed:
        (folder / f"{name}.new").replace(folder / name)


def _sync_folder(path: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep_staging(path: Path) -> None:
    """Clear what dead fits left: folders never shown (their lock is free), an old model between two renames."""
    name = glob.escape(path.name)
    for old in path.parent.glob(f".{name}.*.old"):
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
        elif _is_free(old):
            old.rename(path)
    for old in path.parent.glob(f".{name}.*.new"):
        if _is_free(old):
            shutil.rmtree(old, ignore_errors=True)


def _is_free(folder: Path) -> bool:
    """Whether no living process writes the folder."""
    lock = FileLock(folder / ".lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return False
    lock.release()
    return True
