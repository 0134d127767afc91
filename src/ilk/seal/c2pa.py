"""A seal inside a file: C2PA Content Credentials, written by the C2PA library, read by it **and** by us.

``embed`` signs; ``read`` says what a file's seal is worth. For our own seals the library's word is
not enough (it overlooks changed padding and box headers), so ``jumbf.py`` and ``containers.py``
check every byte once more. Whether the signer is trusted is decided in ``verify.py``, by the key's
fingerprint. Nothing is fetched: no remote manifest, no OCSP, no time stamp.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
from typing import Any

import c2pa

from ilk.core.errors import BugError, Code
from ilk.seal import containers, jumbf
from ilk.seal.claim import Claim, read_claim
from ilk.seal.keys import Identity
from ilk.seal.signed import Certificate, DamagedError, Reading

TYPES = frozenset(
    {
        containers.PNG,
        containers.JPEG,
        containers.WEBP,
        containers.GIF,
        containers.TIFF,
        containers.WAV,
        containers.MP4,
    }
)
CLAIM_LABEL = "org.ilk.claim"

_SETTINGS = {
    "version": 1,
    # verify_trust stays on so that the library judges the certificate's form; whom to trust is ours.
    "verify": {"verify_after_sign": False, "remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
    "builder": {
        "thumbnail": {"enabled": False},  # a thumbnail takes 100 times as long as the seal
        "created_assertion_labels": ["c2pa.actions", "c2pa.actions.v2", CLAIM_LABEL],  # ours, not hearsay
    },
}
# What the library counts as failure and we judge ourselves: trust and expiry.
_OURS_TO_JUDGE = frozenset(
    {"signingCredential.untrusted", "signingCredential.expired", "claimSignature.outsideValidity"}
)
_CONTENT = ("assertion.dataHash.mismatch", "assertion.bmffHash.mismatch", "assertion.boxesHash.mismatch")
_NO_HASH = "0" * 64


def supports(media_type: str) -> bool:
    """Whether a seal can lie inside this sort of file."""
    return media_type in TYPES


def embed(data: bytes, media_type: str, claim: Claim, identity: Identity) -> bytes:
    """The file with a signed claim inside.

    Args:
        data: the whole file, as its kind wrote it.
        media_type: one that ``supports`` knows.
        claim: what to say about it.
        identity: who says so.
    """
    if media_type != containers.MP4:
        return _sign(data, media_type, claim, identity, {})
    # C2PA leaves boxes such as ftyp out of a video's hash. So the claim carries a hash of all the
    # rest, which is known only once the manifest is in: sign with a blank of the same length first.
    blank = _sign(data, media_type, claim, identity, {"rest": _NO_HASH})
    return _sign(data, media_type, claim, identity, {"rest": _rest(blank, containers.find(blank, media_type))})


def read(data: bytes, media_type: str) -> Reading | None:
    """What the seal inside a file is worth; None where there is none.

    Args:
        data: the whole file.
        media_type: what its first bytes say it is.
    """
    if not containers.has_trace(data):
        return None
    try:
        located = containers.find(data, media_type)
        store = jumbf.parse(located.store)
    except DamagedError as error:
        return _unparsed(data, media_type, str(error))
    if CLAIM_LABEL.encode() not in located.store:  # in the raw bytes: a bent label must not make it foreign
        return _foreign(data, media_type, store)
    try:
        jumbf.check_signature(store)
        content = store.assertion(CLAIM_LABEL)
        same = _same_content(data, media_type, located, store)
    except DamagedError as error:
        return Reading("broken", None, {}, str(error))
    claim = read_claim(content)
    if not same:
        return Reading("altered", store.certificate, claim, "the content was changed after it was sealed")
    if not located.canonical or not _is_canonical(located.store, store):
        return Reading("container-altered", store.certificate, claim, "bytes around the seal were changed")
    failures = _library(data, media_type)
    if failures is None or failures:  # we see nothing, the library does: believe the stricter one
        return _failed(failures, store.certificate, claim)
    return Reading("holds", store.certificate, claim)


def _sign(data: bytes, media_type: str, claim: Claim, identity: Identity, more: dict[str, str]) -> bytes:
    created = {"action": "c2pa.created", "digitalSourceType": claim.source_type}
    definition = {
        "claim_generator_info": [{"name": "ilk", "version": claim.ilk}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
            {"label": CLAIM_LABEL, "data": {**claim.fields(), **more}},
        ],
    }
    signer, context = _tools(identity, os.getpid())
    sealed = io.BytesIO()
    try:
        with c2pa.Builder(json.dumps(definition), context) as builder:
            builder.sign(signer, media_type, io.BytesIO(data), sealed)
    except c2pa.C2paError as error:
        raise BugError(Code.BUG, f"A {media_type} file could not be sealed: {error}.") from error
    return sealed.getvalue()


@functools.lru_cache(maxsize=4)
def _tools(identity: Identity, process: int) -> tuple[c2pa.Signer, c2pa.Context]:
    """Signer and context are kept: making them takes longer than a signature. A fork makes its own."""
    del process
    leaf_only = Identity(identity.leaf, None, identity.key).chain_pem()  # 0.5 kB less; a reader has the root
    info = c2pa.C2paSignerInfo(b"es256", leaf_only, identity.key_pem(), None)
    return c2pa.Signer.from_info(info), c2pa.Context.from_dict(_SETTINGS)


@functools.lru_cache(maxsize=1)
def _reading_context(process: int) -> c2pa.Context:
    del process
    return c2pa.Context.from_dict(_SETTINGS)


def _library(data: bytes, media_type: str) -> list[str] | None:
    """The failures that the C2PA library sees in the active manifest; None: it cannot read the file."""
    try:
        with c2pa.Reader(media_type, io.BytesIO(data), context=_reading_context(os.getpid())) as reader:
            report = json.loads(reader.json())
    except (c2pa.C2paError, ValueError, RecursionError):
        return None
    results = report.get("validation_results", {}).get("activeManifest", {})
    codes = [str(entry.get("code")) for entry in results.get("failure", [])]
    failures = [code for code in codes if code not in _OURS_TO_JUDGE]
    if not failures and report.get("validation_state") == "Invalid" and len(failures) == len(codes):
        return ["invalid"]
    return failures


def _unparsed(data: bytes, media_type: str, why: str) -> Reading:
    """A seal that our eyes cannot take apart; the library may tell a bent container from a broken seal."""
    failures = _library(data, media_type)
    if failures is None or failures:
        return Reading("broken", None, {}, why)
    return Reading("container-altered", None, {}, why)


def _foreign(data: bytes, media_type: str, store: jumbf.Store) -> Reading:
    """A seal of another program: the library's word, and only the source type as its claim."""
    failures = _library(data, media_type)
    claim: dict[str, Any] = {}
    try:
        actions = store.assertion("c2pa.actions.v2") or store.assertion("c2pa.actions")
    except DamagedError:
        actions = None
    listed = actions.get("actions") if isinstance(actions, dict) else None
    for action in listed if isinstance(listed, list) else []:
        if isinstance(action, dict) and "digitalSourceType" in action:
            claim = read_claim({"source_type": action["digitalSourceType"]})
            break
    if failures is None or failures:
        return _failed(failures, store.certificate, claim)
    return Reading("holds", store.certificate, claim, "not sealed by ilk, so its container is unchecked", strict=False)


def _failed(failures: list[str] | None, certificate: Certificate, claim: dict[str, Any]) -> Reading:
    if failures and all(code in _CONTENT for code in failures):
        return Reading("altered", certificate, claim, "the content was changed after it was sealed")
    return Reading("broken", None, {}, "the C2PA library finds its seal broken")


def _same_content(data: bytes, media_type: str, located: containers.Located, store: jumbf.Store) -> bool:
    """Whether the signed hash is that of the file without exactly the bytes that hold the seal."""
    if media_type == containers.MP4:  # its own hash is the library's to check
        content = store.assertion(CLAIM_LABEL)
        return isinstance(content, dict) and content.get("rest") == _rest(data, located)
    signed = store.assertion("c2pa.hash.data")
    if not isinstance(signed, dict) or signed.get("alg") != "sha256":
        raise DamagedError("it has no content hash")
    ranges = [{"start": start, "length": length} for start, length in located.excluded]
    if signed.get("exclusions") != ranges:
        return False
    return bool(signed.get("hash") == _digest(data, located).digest())


def _is_canonical(data: bytes, store: jumbf.Store) -> bool:
    try:
        return jumbf.rebuild(store) == data
    except DamagedError:
        return False


def _rest(data: bytes, located: containers.Located) -> str:
    return _digest(data, located).hexdigest()


def _digest(data: bytes, located: containers.Located) -> hashlib._Hash:
    digest, at = hashlib.sha256(), 0
    view = memoryview(data)
    for start, length in located.excluded:
        digest.update(view[at:start])
        at = start + length
    digest.update(view[at:])
    return digest
