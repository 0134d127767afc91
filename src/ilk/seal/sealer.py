"""The one door for whoever writes samples: bytes in, sealed bytes out.

``seal_file`` seals a single output; ``folder_seal`` seals a folder of them, each file by C2PA while
they are few, all of them by the folder's manifest. Knows no kind and writes no sample itself; what
a seal is made of is in ``c2pa.py``, ``sidecar.py`` and ``manifest.py``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from filelock import FileLock

from ilk.core.errors import Code, InputError, MachineError
from ilk.core.home import make_folder
from ilk.seal import c2pa, containers, manifest, sidecar
from ilk.seal.claim import Claim
from ilk.seal.ledger import Ledger
from ilk.seal.manifest import Manifest
from ilk.seal.signed import DamagedError
from ilk.seal.trust import Keyring, signing_identity

FEW = 1_000  # files of a call that get a seal inside; more would cost longer than making them


class SealedFile(NamedTuple):
    """A single output, and its sidecar where its format has no place for a seal."""

    data: bytes
    sidecar: bytes | None  # goes beside it as NAME + sidecar.SUFFIX


def seal_file(data: bytes, media_type: str | None, claim: Claim, home: Path) -> SealedFile:
    """Seal one file: inside it where its format allows, else beside it."""
    identity = signing_identity(home)
    if media_type is not None and _fits(data, media_type):
        return SealedFile(c2pa.embed(data, media_type, claim, identity), None)
    return SealedFile(data, sidecar.make(hashlib.sha256(data).hexdigest(), claim, identity))


def _fits(data: bytes, media_type: str) -> bool:
    """Whether a seal goes inside: by type and by first bytes, which leave out cousins such as BigTIFF."""
    return c2pa.supports(media_type) and containers.sniff(data[:32]) == media_type


class FolderSeal:
    """Seals the files of one sampling call into a folder; a context manager.

    However the ``with`` ends, the files added so far are in the manifest.

    Args:
        folder: where the files go; an ``ilk-seal.json`` in it grows.
        home: the user's ilk folder.
        claim: of the call; each file's own is ``claim.at(index)``.
        count: how many files the call will write.
        ledger: where to remember contents; None: nowhere.

    Raises:
        InputError: the folder's manifest is damaged or somebody else's.
        MachineError: the home cannot be written.
    """

    def __init__(self, folder: Path, home: Path, claim: Claim, count: int, ledger: Ledger | None = None) -> None:
        self._folder, self._home, self._claim, self._ledger = folder, home, claim, ledger
        self._identity = signing_identity(home)
        self._inside = count <= FEW
        self._new: list[tuple[str, str, int | None]] = []
        self._older()  # refuse before anything is written

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:  # a file may have been announced and not have made it to the disk
            self._new = [row for row in self._new if (self._folder / row[0]).is_file()]
        try:
            self._write()
        except Exception as second:
            if error is None:
                raise
            error.add_note(f"The files written so far could not be sealed: {second}")
        finally:
            if self._ledger is not None:
                self._ledger.flush()

    def file(self, data: bytes, media_type: str | None, index: int | None) -> bytes:
        """The bytes to write: with the seal inside where the files are few and the format allows."""
        if self._inside and media_type is not None and _fits(data, media_type):
            return c2pa.embed(data, media_type, self._claim.at(index), self._identity)
        return data

    def add(self, name: str, sha256: str, index: int | None, content: str | None = None) -> None:
        """Put a written file into the manifest.

        Args:
            name: relative to the folder, with slashes.
            sha256: hex digest of the bytes that were written.
            index: of the sample; None for what is no sample.
            content: the kind's hash of the decoded content, for the ledger.
        """
        if not manifest.safe_name(name):
            raise InputError(Code.OUTPUT, f'"{name}" is no file name inside {self._folder}.')
        self._new.append((name, sha256, index))
        if content is not None and self._ledger is not None:
            self._ledger.content(content, self._claim.call, index)

    def wrote(self, name: str, data: bytes, index: int | None, content: str | None = None) -> None:
        """``add`` for a caller who still has the bytes."""
        self.add(name, hashlib.sha256(data).hexdigest(), index, content)

    def _write(self) -> None:
        if not self._new:
            return
        path = self._folder / manifest.NAME
        try:
            locks = make_folder(self._home / "locks")
            lock = hashlib.sha256(str(self._folder.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
            with FileLock(locks / f"{lock}.lock", timeout=60):
                whole = self._older()  # again: another process may have grown it meanwhile
                call = whole.call(self._claim)
                for name, sha256, index in self._new:
                    whole.add(name, sha256, index, call)
                whole.write(path, self._identity)
        except OSError as error:
            raise MachineError(Code.HOME, f"The seal {path} cannot be written ({error.strerror or error}).") from None

    def _older(self) -> Manifest:
        """The folder's manifest so far. It is signed anew as a whole, so it has to be one's own."""
        path = self._folder / manifest.NAME
        try:
            older = manifest.read(path)
        except FileNotFoundError:
            return Manifest()
        except DamagedError as error:
            sentence = f"The seal {path} is damaged ({error}); write to another folder, or remove it."
            raise InputError(Code.OUTPUT, sentence) from None
        if older.certificate is None or not Keyring(self._home).is_own(older.certificate):
            sentence = f"The seal {path} was not made with your key; write to another folder."
            raise InputError(Code.OUTPUT, sentence)
        return older


def folder_seal(folder: Path, home: Path, claim: Claim, count: int, ledger: Ledger | None = None) -> FolderSeal:
    """Seal the files of a call into a folder.

    ::

        with folder_seal(folder, home, claim, count=64) as seal:
            data = seal.file(data, "image/png", 0)
            (folder / "0000.png").write_bytes(data)
            seal.wrote("0000.png", data, 0)
    """
    return FolderSeal(folder, home, claim, count, ledger)
