"""A small signed JSON file: one canonical byte string, one certificate, one ES256 signature.

``{"body": {...}, "certificate": "<base64 DER>", "signature": "<hex>"}``. The signature covers the
body and the certificate. A file that is not byte for byte what this module would write is refused,
so there is no byte of it that can change unnoticed. Sidecars, manifests, exported keys and
revocations use it; what their bodies mean is theirs to know.
"""

from __future__ import annotations

import base64
import hashlib
import warnings
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ilk.core.config import canonical_json

ES256 = ec.ECDSA(hashes.SHA256())


class DamagedError(Exception):
    """Signed bytes that cannot be read or whose signature does not hold; the text says which."""


class Reading(NamedTuple):
    """What a seal of any format is worth, before asking who signed."""

    state: Literal["holds", "altered", "container-altered", "broken"]
    certificate: Certificate | None  # None: the signature is good for no key
    claim: dict[str, Any]  # cleaned
    problem: str = ""
    strict: bool = True  # every byte was checked; False: only what another program's seal covers


class Signing(Protocol):
    """What signs: an identity."""

    @property
    def leaf(self) -> bytes: ...
    def sign(self, message: bytes) -> bytes: ...


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file, decoded. Fields are written in this (alphabetical) order."""

    body: msgspec.Raw
    certificate: str
    signature: str


class Certificate:
    """The public half of a key, out of a certificate: who signed, as far as mathematics can tell."""

    def __init__(self, der: bytes) -> None:
        try:
            with warnings.catch_warnings():  # a stranger's odd certificate is our verdict, not a warning
                warnings.simplefilter("ignore")
                self.x509 = x509.load_der_x509_certificate(der)
                key = self.x509.public_key()
                names = [str(a.value) for a in self.x509.subject]
        except Exception as error:  # the parser raises many types; each means the same here
            raise DamagedError("the certificate cannot be read") from error
        self.der = der
        self.key = key
        self.name = names[0] if names else ""
        spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.fingerprint = hashlib.sha256(spki).hexdigest()

    def valid_at(self, moment: datetime) -> bool:
        """Whether the certificate had begun and not run out."""
        return self.x509.not_valid_before_utc <= moment <= self.x509.not_valid_after_utc

    def holds(self, signature: bytes, message: bytes) -> bool:
        """Whether this key made the raw (r, s) signature of the message."""
        if not isinstance(self.key, ec.EllipticCurvePublicKey) or self.key.curve.name != "secp256r1":
            return False
        if len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            self.key.verify(encode_dss_signature(r, s), message, ES256)
        except InvalidSignature:
            return False
        return True


def raw_signature(der: bytes) -> bytes:
    """The 64 bytes (r, s) of a DER signature: one length, one spelling."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def seal_json(body: dict[str, Any], identity: Signing) -> bytes:
    """The signed file for ``body``, whose ``format`` keeps one sort of file from passing as another."""
    certificate = base64.b64encode(identity.leaf).decode()
    encoded = canonical_json(body)
    signature = identity.sign(_message(encoded, certificate)).hex()
    return canonical_json({"body": msgspec.Raw(encoded), "certificate": certificate, "signature": signature})


def open_json(data: bytes, form: str) -> tuple[dict[str, Any], Certificate]:
    """The body and the signer of a signed file.

    Raises:
        DamagedError: it is not exactly what the signer wrote, or is another sort of file.
    """
    try:
        envelope = msgspec.json.decode(data, type=Envelope)
        body = msgspec.json.decode(envelope.body, type=dict[str, Any])
        der = base64.b64decode(envelope.certificate, validate=True)
        signature = bytes.fromhex(envelope.signature)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise DamagedError("it is no readable seal") from error
    again = {
        "body": body,
        "certificate": base64.b64encode(der).decode(),
        "signature": signature.hex(),
    }
    if canonical_json(again) != data:
        raise DamagedError("it is not written as ilk writes it")
    if body.get("format") != form:
        raise DamagedError(f"it is no {form}")
    certificate = Certificate(der)
    if not certificate.holds(signature, _message(bytes(envelope.body), envelope.certificate)):
        raise DamagedError("its signature does not hold")
    return body, certificate


def _message(body: bytes, certificate: str) -> bytes:
    return b"ilk signed json\x00" + certificate.encode() + b"\x00" + body
