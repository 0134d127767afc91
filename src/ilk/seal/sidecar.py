"""A seal beside a file, ``NAME.ilk.json``: for formats that C2PA has no place in (MIDI, CSV, text).

It signs the SHA-256 of the raw bytes, never of what a parser makes of them: a parser that
normalises would let changes through. The signed file itself is ``signed.py``'s.
"""

from __future__ import annotations

from pathlib import Path

from ilk.seal.claim import Claim, read_claim
from ilk.seal.signed import DamagedError, Reading, Signing, open_json, seal_json

SUFFIX = ".ilk.json"
FORMAT = "ilk-sidecar/1"
LIMIT = 64 * 1024


def beside(path: Path) -> Path:
    """Where the sidecar of a file lies; a model folder's is ``seal.json`` and seals its ``ilk.json``."""
    return path.with_name("seal.json") if path.name == "ilk.json" else path.with_name(path.name + SUFFIX)


def make(sha256: str, claim: Claim, identity: Signing) -> bytes:
    """The sidecar of a file whose bytes have this SHA-256 (hex)."""
    body = {"format": FORMAT, "claim": claim.fields(), "sha256": sha256}
    return seal_json(body, identity)


def read(sidecar: bytes, sha256: str) -> Reading:
    """What a sidecar is worth for the file with this SHA-256 (hex)."""
    if len(sidecar) > LIMIT:
        return Reading("broken", None, {}, "its sidecar is too large")
    try:
        body, certificate = open_json(sidecar, FORMAT)
    except DamagedError as error:
        return Reading("broken", None, {}, f"its sidecar is broken: {error}")
    claim = read_claim(body.get("claim"))
    if body.get("sha256") != sha256:
        return Reading("altered", certificate, claim, "the file was changed after it was sealed")
    return Reading("holds", certificate, claim)
