"""The C2PA manifest store, read by our own strict eyes: boxes, hashes and signature, byte for byte.

The C2PA library is lenient: it calls 15-27 % of single-byte changes in a signed file trusted,
because padding and box headers are covered by nothing. Here a store is taken apart, every hash and
the signature are checked again, and the store is **rebuilt from its parts**: if one byte differs,
it is not what the signer wrote. Where a store lies in a file: ``containers.py``. What the claim
means: ``c2pa.py``.

Structure (C2PA 2.x, section 11): ``jumb(c2pa)[ jumb(manifest)[ jumb(assertions)[...], jumb(claim),
jumb(signature) ] ]``; each box is a 32-bit length, a 4-byte type and a payload.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

import cbor2

from ilk.seal.signed import Certificate, DamagedError

_UUID = b"\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
STORE_MARK = b"jumdc2pa" + _UUID[:4]
MANIFEST_MARK = b"jumdc2ma" + _UUID[:4]
_LIMIT = 64 * 1024 * 1024
_BOXES = 10_000


class Store(NamedTuple):
    """The active manifest of a store, taken apart; nothing in it is checked yet."""

    label: bytes
    assertions: dict[str, bytes]  # label -> the assertion's box, header included
    claim: bytes
    signature: bytes  # COSE_Sign1
    certificate: Certificate

    def assertion(self, label: str) -> Any:
        """The decoded content of an assertion, or None."""
        box = self.assertions.get(label)
        content = box and _child(box[8:], b"cbor")
        return decode(content) if content else None


def decode(data: bytes) -> Any:
    """CBOR from a stranger."""
    try:
        return cbor2.loads(data)
    except Exception as error:  # its tags (dates, regular expressions, ...) raise whatever they like
        raise DamagedError("its CBOR cannot be read") from error


def parse(data: bytes) -> Store:
    """Take a store apart, leniently: any C2PA signer's.

    Raises:
        DamagedError: it is no manifest store, or has no readable signature.
    """
    if len(data) > _LIMIT:
        raise DamagedError("its manifest store is too large")
    outer = _boxes(data)
    if not outer or outer[0][0] != b"jumb":
        raise DamagedError("it has no manifest store")
    manifests = [box for kind, box in _boxes(outer[0][1][8:]) if kind == b"jumb"]
    if not manifests:
        raise DamagedError("its manifest store is empty")
    parts: dict[bytes, bytes] = {}
    for kind, box in _boxes(manifests[-1][8:]):  # the active manifest is the last
        if kind == b"jumb":
            parts[_label(box[8:])] = box[8:]
    claim = next((parts[name] for name in (b"c2pa.claim.v2", b"c2pa.claim") if name in parts), None)
    if claim is None or b"c2pa.signature" not in parts:
        raise DamagedError("its manifest has no claim or no signature")
    signature = _child(parts[b"c2pa.signature"], b"cbor")
    found = _boxes(parts.get(b"c2pa.assertions", b""))
    assertions = {_label(box[8:]).decode("utf-8", "replace"): box for kind, box in found if kind == b"jumb"}
    return Store(_label(manifests[-1][8:]), assertions, _child(claim, b"cbor"), signature, _signer(signature))


def check_signature(store: Store) -> None:
    """The signature covers the claim, and the claim names every assertion with its hash.

    Raises:
        DamagedError: one of these does not hold.
    """
    protected, _, _, signature = _cose(store.signature)
    message = cbor2.dumps(["Signature1", protected, b"", store.claim])
    if not store.certificate.holds(signature, message):
        raise DamagedError("its signature does not hold")
    claim = decode(store.claim)
    label = store.label.decode("ascii", "replace")
    if not isinstance(claim, dict) or claim.get("signature") != f"self#jumbf=/c2pa/{label}/c2pa.signature":
        raise DamagedError("its claim belongs to another manifest")
    named = claim.get("created_assertions")  # "gathered" ones are hearsay: our seals have none
    if "gathered_assertions" in claim or not isinstance(named, list) or len(named) != len(store.assertions):
        raise DamagedError("its claim does not name its assertions")
    for name, box in store.assertions.items():
        entry = {"url": f"self#jumbf=c2pa.assertions/{name}", "hash": hashlib.sha256(box[8:]).digest()}
        if entry not in named:
            raise DamagedError(f"its assertion {name} was changed")


def rebuild(store: Store) -> bytes:
    """The only bytes that a store with these parts may have.

    Raises:
        DamagedError: the signature box holds something else than zeros where it may only hold padding.
    """
    protected, header, payload, signature = _cose(store.signature)
    if payload is not None or not set(header) <= {"pad", "pad2"} or any(any(pad) for pad in header.values()):
        raise DamagedError("its padding was changed")
    cose = cbor2.dumps(cbor2.CBORTag(18, [protected, header, None, signature]))
    assertions = b"".join(_box(b"jumb", box[8:]) for box in store.assertions.values())
    manifest = (
        _described(b"c2as", b"c2pa.assertions", assertions)
        + _described(b"c2cl", b"c2pa.claim.v2", _box(b"cbor", store.claim))
        + _described(b"c2cs", b"c2pa.signature", _box(b"cbor", cose))
    )
    return _described(b"c2pa", b"c2pa", _described(b"c2ma", store.label, manifest))


def _cose(data: bytes) -> tuple[bytes, Mapping[str, bytes], Any, bytes]:
    """Protected header, unprotected header, payload and signature of a COSE_Sign1."""
    tagged = decode(data)
    parts = tagged.value if isinstance(tagged, cbor2.CBORTag) and tagged.tag == 18 else tagged
    if not isinstance(parts, list | tuple) or len(parts) != 4:
        raise DamagedError("its signature box cannot be read")
    protected, header, payload, signature = parts
    if not isinstance(protected, bytes) or not isinstance(signature, bytes) or not isinstance(header, Mapping):
        raise DamagedError("its signature box cannot be read")
    return protected, header, payload, signature


def _signer(signature: bytes) -> Certificate:
    """The leaf in the protected (signed) header; the issuer's name is never looked at."""
    protected, _, _, _ = _cose(signature)
    header = decode(protected)
    chain = header.get(33) if isinstance(header, dict) else None
    leaf = chain[0] if isinstance(chain, list | tuple) and chain else chain
    if not isinstance(leaf, bytes):
        raise DamagedError("its signature names no certificate")
    return Certificate(leaf)


def _boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """The boxes in a run of bytes: (type, the box with its 8-byte header)."""
    found: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(data):
        if at + 8 > len(data) or len(found) >= _BOXES:
            raise DamagedError("its boxes cannot be read")
        length, kind = struct.unpack_from(">I4s", data, at)
        if length < 8 or at + length > len(data):
            raise DamagedError("its boxes cannot be read")
        found.append((kind, data[at : at + length]))
        at += length
    return found


def _label(payload: bytes) -> bytes:
    """The label in the description box with which a superbox begins."""
    first = _boxes(payload)[:1]
    if not first or first[0][0] != b"jumd":
        raise DamagedError("a box has no description")
    label, end, _ = first[0][1][25:].partition(b"\x00")
    if not end:
        raise DamagedError("a box has no label")
    return label


def _child(payload: bytes, kind: bytes) -> bytes:
    """The content of the first child box of a kind."""
    for found, box in _boxes(payload):
        if found == kind:
            return box[8:]
    raise DamagedError(f"a {kind.decode()} box is missing")


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def _described(kind: bytes, label: bytes, payload: bytes) -> bytes:
    return _box(b"jumb", _box(b"jumd", kind + _UUID + b"\x03" + label + b"\x00") + payload)
