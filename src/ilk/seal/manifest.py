"""One seal for a folder, ``ilk-seal.json``: every file by name and SHA-256, one signature for all.

Cheap (a signature costs as much as four hashes, here it is paid once) and complete (an added, a
missing and a changed file are all found). The file is ``{"files": [[name, sha256, index, call],
...], "seal": {...}}``, sorted by name; the seal signs the Merkle root of the files, their count and
the claims of the sampling calls that made them. Hashing the files is the caller's; judging a folder
is ``verify.py``'s.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ilk.core.home import write_through
from ilk.seal.claim import Claim, read_claim
from ilk.seal.signed import Certificate, DamagedError, Reading, Signing, open_json, seal_json

NAME = "ilk-seal.json"
FORMAT = "ilk-manifest/1"
LIMIT = 1024 * 1024 * 1024

_encode = msgspec.json.Encoder().encode
_HEAD, _BETWEEN, _MIDDLE, _TAIL = b'{"files":[\n', b",\n", b'\n],"seal":', b"}\n"


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One file."""

    name: str  # relative, with slashes
    sha256: str
    index: int | None  # of the sample; None for what is no sample, such as a contact sheet
    call: int  # which of the manifest's calls made it


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    files: list[Entry]
    seal: msgspec.Raw


class Manifest:
    """The files and calls of a folder. New files are added to what an older manifest held."""

    def __init__(
        self,
        entries: Iterable[Entry] = (),
        calls: Sequence[dict[str, Any]] = (),
        certificate: Certificate | None = None,
    ) -> None:
        self.entries = {entry.name: entry for entry in entries}
        self.calls = list(calls)
        self.certificate = certificate

    def call(self, claim: Claim) -> int:
        """The number of a sampling call, added if it is new."""
        fields = claim.at(None).fields()
        if fields not in self.calls:
            self.calls.append(fields)
        return self.calls.index(fields)

    def add(self, name: str, sha256: str, index: int | None, call: int) -> None:
        """Add a file, or replace the one of that name."""
        self.entries[name] = Entry(name, sha256, index, call)

    def reading(self, entry: Entry, sha256: str) -> Reading:
        """What the manifest is worth for a file with this SHA-256 (hex)."""
        claim = read_claim({**self.calls[entry.call], "index": entry.index})
        if entry.sha256 != sha256:
            return Reading("altered", self.certificate, claim, f"the file is not the one that {NAME} lists")
        return Reading("holds", self.certificate, claim)

    def write(self, path: Path, identity: Signing) -> None:
        """Sign and write, whole or not at all.

        Raises:
            OSError: it cannot be written; an older manifest is untouched.
        """
        lines = [_encode(self.entries[file]) for file in sorted(self.entries)]
        seal = seal_json(_body(lines, self.calls), identity)
        with write_through(path) as file:
            for chunk in _pieces(lines, seal):
                file.write(chunk)


def read(path: Path) -> Manifest:
    """Read a manifest and check that it is exactly what its signer wrote.

    Raises:
        FileNotFoundError: there is none.
        DamagedError: it cannot be read, or its signature does not hold.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > LIMIT:
            raise DamagedError("it is no file, or too large")
        return parse(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        raise DamagedError("it cannot be read") from error


def parse(data: bytes) -> Manifest:
    """The manifest in a file's bytes.

    Raises:
        DamagedError: they are not what a signer wrote.
    """
    try:
        decoded = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise DamagedError("it cannot be read") from error
    body, certificate = open_json(bytes(decoded.seal), FORMAT)
    lines = [_encode(entry) for entry in decoded.files]
    if b"".join(_pieces(lines, bytes(decoded.seal))) != data:
        raise DamagedError("it is not written as ilk writes it")
    calls = body.get("calls")
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise DamagedError("it names no sampling calls")
    if body != _body(lines, calls):
        raise DamagedError("its files are not those that were sealed")
    _check(decoded.files, len(calls))
    return Manifest(decoded.files, calls, certificate)


def merkle_root(lines: Sequence[bytes]) -> str:
    """The root over the leaves, as in RFC 6962: leaves and nodes are hashed apart, order counts."""
    sha = hashlib.sha256
    level = [sha(b"\x00" + line).digest() for line in lines]
    if not level:
        return sha(b"").hexdigest()
    while len(level) > 1:
        above = [sha(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = above + level[len(above) * 2 :]
    return level[0].hex()


def safe_name(name: str) -> bool:
    """Whether a name stays inside its folder on every system."""
    parts = name.split("/")
    return (
        0 < len(name) <= 1000
        and not any(part in ("", ".", "..") for part in parts)
        and not any(c in name for c in "\\:\x00")
    )


def _check(entries: Sequence[Entry], calls: int) -> None:
    """What the signature cannot promise: a signer may be hostile."""
    before = ""
    for entry in entries:
        if not safe_name(entry.name) or entry.name <= before:
            raise DamagedError("it lists a file outside its folder, or one twice")
        if not 0 <= entry.call < calls:
            raise DamagedError("it lists a file of no sampling call")
        before = entry.name


def _body(lines: Sequence[bytes], calls: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"format": FORMAT, "calls": list(calls), "count": len(lines), "root": merkle_root(lines)}


def _pieces(lines: Sequence[bytes], seal: bytes) -> Iterable[bytes]:
    """The manifest in chunks of 10,000 files."""
    yield _HEAD
    for at in range(0, len(lines), 10_000):
        yield (_BETWEEN if at else b"") + _BETWEEN.join(lines[at : at + 10_000])
    yield _MIDDLE + seal + _TAIL
