"""A seal beside a file, ``NAME.ilk.json``: for formats that C2PA has no place in (MIDI, CSV, text).

It signs the SHA-256 of the raw bytes, never of what a parser makes of them: a parser that
normalises would let changes through. The signed file itself is ``signed.py``'s.
"""

from __future__ import annotations

import hashlib

from ilk.seal.claim import Claim, read_claim
from ilk.seal.signed import DamagedError, Reading, Signing, open_json, seal_json

SUFFIX = ".ilk.json"
FORMAT = "ilk-sidecar/1"
LIMIT = 64 * 1024


def make(data: bytes, claim: Claim, identity: Signing) -> bytes:
    """The sidecar of a file with these bytes."""
    body = {"format": FORMAT, "claim": claim.fields(), "sha256": hashlib.sha256(data).hexdigest()}
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
