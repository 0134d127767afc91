"""Whose seals count: the trusted keys, the revoked keys, and the user's own, all in the home.

``home/trust/FINGERPRINT.json`` is an exported key that the user chose to trust;
``home/trust/revoked/FINGERPRINT.json`` a revocation, signed by the user's own key. A key is its
fingerprint; the name in an exported file is only what its owner claims. The private key itself is
made and read in ``keys.py``. Nothing here fetches anything.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from ilk.core.config import Record, canonical_json
from ilk.core.errors import Code, InputError, MachineError
from ilk.core.home import make_folder, write_atomic
from ilk.seal import keys
from ilk.seal.claim import clean, now, short
from ilk.seal.signed import Certificate, DamagedError, open_json, seal_json

KEY_FORMAT = "ilk-key/1"
REVOCATION_FORMAT = "ilk-revocation/1"
_LIMIT = 64 * 1024
_FILES = 10_000


class Trusted(Record, frozen=True):
    """A key other than the user's own that the user trusts."""

    fingerprint: str
    name: str  # the user's own word for it, or what its owner claims
    added: str
    own: bool = False  # the user's own, before a rotation


class Revoked(Record, frozen=True):
    """A key whose seals no longer count."""

    fingerprint: str
    reason: str
    date: str


class KeyInfo(Record, frozen=True):
    """What ``ilk keys show`` shows."""

    fingerprint: str | None  # None: no key made yet
    short: str | None
    name: str | None
    created: str | None
    expires: str | None
    trusted: tuple[Trusted, ...]
    revoked: tuple[Revoked, ...]


class Keyring:
    """The keys of one home as they are now: read once, without making or writing anything."""

    def __init__(self, home: Path) -> None:
        self.own = keys.own_certificate(home)
        self.trusted = {key.fingerprint: key for key in _read_trusted(home)}
        self.revoked = {key.fingerprint: key for key in _read_revoked(home)}

    def signer(self, certificate: Certificate) -> str | None:
        """Who this key is to the user: ``you``, ``you, earlier key``, ``trusted NAME``; None: a stranger."""
        if self.own is not None and certificate.fingerprint == self.own.fingerprint:
            return "you"
        known = self.trusted.get(certificate.fingerprint)
        if known is None:
            return None
        return "you, earlier key" if known.own else f"trusted {known.name}"

    def is_own(self, certificate: Certificate) -> bool:
        """Whether the key is the user's, now or before a rotation, and not revoked."""
        return self.signer(certificate) in ("you", "you, earlier key") and certificate.fingerprint not in self.revoked


def signing_identity(home: Path) -> keys.Identity:
    """The identity to seal with.

    Raises:
        InputError: the user revoked it, or its certificate does not hold today.
    """
    mine = keys.identity(home)
    certificate = mine.certificate
    fingerprint = certificate.fingerprint
    if not certificate.valid_at(datetime.now(UTC)):
        sentence = f"Your key {short(fingerprint)} is not valid today; check the clock, or run `ilk keys rotate`."
        raise InputError(Code.KEY, sentence)
    if _revocation(home, fingerprint).exists():
        raise InputError(Code.KEY, f"Your key {short(fingerprint)} is revoked; make a new one with `ilk keys rotate`.")
    return mine


def show(home: Path) -> KeyInfo:
    """The user's key and the keys that are trusted and revoked."""
    ring = Keyring(home)
    own = ring.own
    return KeyInfo(
        fingerprint=own.fingerprint if own else None,
        short=short(own.fingerprint) if own else None,
        name=clean(own.name) if own else None,
        created=own.x509.not_valid_before_utc.date().isoformat() if own else None,
        expires=own.x509.not_valid_after_utc.date().isoformat() if own else None,
        trusted=tuple(ring.trusted.values()),
        revoked=tuple(ring.revoked.values()),
    )


def export(home: Path, name: str | None = None) -> bytes:
    """The public file to give to others, signed with the key so that a damaged copy is refused."""
    return _public_file(keys.identity(home), name)


def trust(home: Path, file: Path, name: str | None = None) -> Trusted:
    """Trust the key in an exported file.

    Args:
        home: the user's ilk folder.
        file: what its owner exported.
        name: the user's own word for the key; by default the name that its owner claims.

    Raises:
        InputError: the file is missing, damaged, no exported key, or holds a key that was revoked here.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(_LIMIT + 1)
        body, certificate = _open_key(data)
    except OSError as error:
        raise InputError(Code.KEY, f"The key file {file} cannot be read ({error.strerror}).") from None
    except DamagedError as error:
        raise InputError(Code.KEY, f"{file} is no key that `ilk keys export` wrote: {error}.") from None
    if _revocation(home, certificate.fingerprint).exists():
        raise InputError(
            Code.KEY, f"The key {short(certificate.fingerprint)} in {file} was revoked here; its seals cannot count."
        )
    return _keep(home, data, certificate, clean(name or str(body.get("name", ""))), own=False)


def rotate(home: Path, name: str | None = None) -> keys.Identity:
    """Make a new identity; what the old one sealed stays trusted as the user's own.

    Raises:
        InputError: the key comes from ``ILK_KEY``, so it is not ilk's to change.
    """
    if keys.key_file(home) != home / "keys" / "identity.pem":
        raise InputError(Code.KEY, "ILK_KEY names your key; change that file, or unset ILK_KEY to rotate your own.")
    old = keys.identity(home)
    new = keys.make(name)
    with keys.lock(home):
        _keep(home, _public_file(old, None), old.certificate, "you, earlier key", own=True)
        keys.store(home, new)
    return new


def revoke(home: Path, fingerprint: str, reason: str) -> Revoked:
    """Declare that a key's seals no longer count, whoever trusted it.

    Args:
        home: the user's ilk folder.
        fingerprint: of the key, or at least 8 digits of its beginning (spaces allowed).
        reason: one line, shown by verify.

    Raises:
        InputError: no key, or more than one, has that fingerprint.
    """
    wanted = "".join(fingerprint.split()).lower()
    ring = Keyring(home)
    known = set(ring.trusted) | ({ring.own.fingerprint} if ring.own else set())
    found = [key for key in known if len(wanted) >= 8 and key.startswith(wanted)]
    if not found and len(wanted) == 64 and all(c in "0123456789abcdef" for c in wanted):
        found = [wanted]  # a key that was never trusted can be refused for good
    if len(found) != 1:
        what = "more than one key has" if found else "no key that you know has"
        raise InputError(Code.KEY, f'"{clean(fingerprint, 80)}": {what} this fingerprint; see `ilk keys show`.')
    record = Revoked(fingerprint=found[0], reason=clean(reason), date=now())
    signed = seal_json({"format": REVOCATION_FORMAT, **msgspec.structs.asdict(record)}, keys.identity(home))
    _write(_revocation(home, found[0]), signed)
    return record


def _public_file(identity: keys.Identity, name: str | None) -> bytes:
    certificate = identity.certificate
    body = {
        "format": KEY_FORMAT,
        "fingerprint": certificate.fingerprint,
        "name": clean(name or certificate.name, 64),
        "chain": identity.chain_pem().decode(),
        "created": certificate.x509.not_valid_before_utc.date().isoformat(),
    }
    return seal_json(body, identity)


def _open_key(data: bytes) -> tuple[dict[str, Any], Certificate]:
    if len(data) > _LIMIT:
        raise DamagedError("it is too large")
    body, certificate = open_json(data, KEY_FORMAT)
    if body.get("fingerprint") != certificate.fingerprint:
        raise DamagedError("its fingerprint is another key's")
    return body, certificate


def _keep(home: Path, data: bytes, certificate: Certificate, name: str, *, own: bool) -> Trusted:
    record = Trusted(fingerprint=certificate.fingerprint, name=name, added=now(), own=own)
    kept = {**msgspec.structs.asdict(record), "file": base64.b64encode(data).decode()}
    _write(home / "trust" / f"{record.fingerprint}.json", canonical_json(kept))
    return record


def _write(path: Path, data: bytes) -> None:
    make_folder(path.parent)
    try:
        write_atomic(path, data)
    except OSError as error:
        sentence = f"{path} cannot be written ({error.strerror}); set ILK_HOME to a folder that you can write."
        raise MachineError(Code.HOME, sentence) from None


def _read_trusted(home: Path) -> list[Trusted]:
    """The trusted keys; a damaged file counts as no trust."""
    found = []
    for path in _files(home / "trust"):
        try:
            kept = msgspec.json.decode(path.read_bytes())
            _, certificate = _open_key(base64.b64decode(kept.pop("file")))
            record = msgspec.convert(kept, Trusted)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, msgspec.MsgspecError, DamagedError):
            continue
        if record.fingerprint == certificate.fingerprint == path.stem:
            found.append(record)
    return found


def _read_revoked(home: Path) -> list[Revoked]:
    """The revoked keys; a damaged file still counts as a revocation: the safe side."""
    found = []
    for path in _files(home / "trust" / "revoked"):
        reason, date = "the record of why is damaged", ""
        try:
            body, _ = open_json(path.read_bytes(), REVOCATION_FORMAT)
            if body.get("fingerprint") == path.stem:
                reason, date = clean(str(body.get("reason", ""))), clean(str(body.get("date", "")))
        except (OSError, DamagedError):
            pass
        found.append(Revoked(fingerprint=path.stem, reason=reason, date=date))
    return found


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".json")[:_FILES]
    except OSError:
        return []


def _revocation(home: Path, fingerprint: str) -> Path:
    return home / "trust" / "revoked" / f"{fingerprint}.json"
