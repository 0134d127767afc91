"""Who signs: one ES256 (P-256) identity per user, made at first use and kept private.

``home/keys/identity.pem`` (0600, in a 0700 folder) holds the private key, its certificate and the
root that signed it. The root's private key is thrown away at once: it certifies this one leaf and
can never certify another. C2PA wants a root; ilk itself goes by the fingerprint of the public key
alone, and a name is never more than a claim. The keys of its watermarks (``watermark.py``) are derived
from the private key. Whom the user trusts: ``trust.py``.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from filelock import FileLock

from ilk.core.errors import Code, InputError, MachineError
from ilk.core.home import make_folder
from ilk.seal.signed import ES256, Certificate, DamagedError, raw_signature

YEARS = 10
MARKS = 64  # watermark keys of an identity: what many pictures of one key have in common would show
_LIMIT = 64 * 1024
_MARK_SUFFIX = ".watermark"
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Identity:
    """A private key with its certificate. Equal and hashed by its public part; never shown."""

    leaf: bytes  # DER
    root: bytes | None = field(compare=False)  # DER; ILK_KEY may come without one
    key: ec.EllipticCurvePrivateKey = field(compare=False, repr=False)

    @property
    def certificate(self) -> Certificate:
        return Certificate(self.leaf)

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint

    def sign(self, message: bytes) -> bytes:
        """The raw 64-byte ES256 signature of a message."""
        return raw_signature(self.key.sign(message, ES256))

    def key_pem(self) -> bytes:
        """The private key, unencrypted: for the signing library and for the key file only."""
        return self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def watermark_secret(self) -> bytes:
        """What the watermark keys come from: 32 bytes that tell nothing of the private key."""
        private = self.key.private_numbers().private_value.to_bytes(32, "big")
        return HKDF(hashes.SHA256(), 32, salt=None, info=b"ilk watermark 1").derive(private)

    def watermark_keys(self) -> tuple[bytes, ...]:
        """The keys that pictures are marked with. Only the owner can derive them, so only the owner can detect."""
        return _watermark_keys(self.watermark_secret())

    def chain_pem(self) -> bytes:
        """The certificates, leaf first."""
        ders = [self.leaf] if self.root is None else [self.leaf, self.root]
        return b"".join(x509.load_der_x509_certificate(der).public_bytes(_PEM) for der in ders)


def key_file(home: Path) -> Path:
    """Where the identity is: named by ``ILK_KEY`` (servers, CI), or in the user's home."""
    named = os.environ.get("ILK_KEY")
    return Path(named).expanduser() if named else home / "keys" / "identity.pem"


def identity(home: Path) -> Identity:
    """The user's identity; the first call makes it.

    Raises:
        InputError: the key file is damaged, or ``ILK_KEY`` names no key.
        MachineError: the home cannot be written, or others can read the key.
    """
    path = key_file(home)
    if not path.exists():
        if os.environ.get("ILK_KEY"):
            raise InputError(Code.KEY, f"ILK_KEY names {path}, which does not exist; name a PEM file with a key.")
        with lock(home):
            if not path.exists():  # another process may have made it while this one waited
                store(home, make())
    return load(path)


def load(path: Path) -> Identity:
    """Read an identity from a PEM bundle: private key, certificate, root certificate.

    Raises:
        InputError: it is no such bundle.
        MachineError: it cannot be read, or others can read it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_LIMIT)
    except OSError as error:
        raise MachineError(Code.HOME, f"The key file {path} cannot be read ({error.strerror}).") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise MachineError(Code.HOME, f"The key file {path} is readable by others; run chmod 600 on it.")
    try:
        key = serialization.load_pem_private_key(data, None)
        chain = x509.load_pem_x509_certificates(data)
        ders = [c.public_bytes(serialization.Encoding.DER) for c in chain]
        leaf = Certificate(ders[0])
    except (ValueError, TypeError, DamagedError):
        raise InputError(Code.KEY, f"{path} holds no unencrypted private key with its certificate.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != leaf.key or key.curve.name != "secp256r1":
        raise InputError(Code.KEY, f"The key in {path} is no P-256 key, or its certificate is another key's.")
    return Identity(ders[0], ders[1] if len(ders) > 1 else None, key)


def make(name: str | None = None, *, today: datetime.datetime | None = None) -> Identity:
    """A new identity, in memory. ``name`` is what its certificate claims.

    C2PA asks for: a root that is not the signer, digitalSignature only, an extended key usage it
    knows (emailProtection), and an organization in the name.
    """
    start = (today or datetime.datetime.now(datetime.UTC)) - datetime.timedelta(days=1)  # clocks differ
    end = start + datetime.timedelta(days=365 * YEARS + 3)
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = _name("ilk local root", "ilk")
    root = (
        _builder(root_name, root_name, root_key, start, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    claimed = (name or "ilk user")[:64]
    leaf = (
        _builder(_name(claimed, claimed), root_name, leaf_key, start, end - datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    der = serialization.Encoding.DER
    return Identity(leaf.public_bytes(der), root.public_bytes(der), leaf_key)


def store(home: Path, new: Identity) -> None:
    """Put an identity in the home, whole or not at all. Of an older one its watermark secret stays."""
    path = home / "keys" / "identity.pem"
    if path.exists():
        old = load(path)
        _write_secret(path.with_name(old.fingerprint + _MARK_SUFFIX), old.watermark_secret())
    _write_secret(path, new.key_pem() + new.chain_pem())


def watermark_keys(home: Path) -> dict[str, tuple[bytes, ...]]:
    """Fingerprint to watermark keys, of the user's identity and of earlier ones. Reads only; makes no key."""
    found = {}
    with contextlib.suppress(InputError, MachineError):
        own = load(key_file(home))
        found[own.fingerprint] = own.watermark_keys()
    for path in sorted((home / "keys").glob("*" + _MARK_SUFFIX)):
        with contextlib.suppress(OSError):
            secret = path.read_bytes()
            if len(secret) == 32:
                found[path.name.removesuffix(_MARK_SUFFIX)] = _watermark_keys(secret)
    return found


def _watermark_keys(secret: bytes) -> tuple[bytes, ...]:
    stream = HKDFExpand(hashes.SHA256(), 32 * MARKS, info=b"ilk watermark keys 1").derive(secret)
    return tuple(stream[start : start + 32] for start in range(0, len(stream), 32))


def _write_secret(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, never readable by others in between."""
    try:
        # mkstemp opens with O_EXCL and mode 0600, whatever the umask is.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def own_certificate(home: Path) -> Certificate | None:
    """The public half of the user's key, or None. Reads only; for verifying, which makes no key."""
    try:
        with key_file(home).open("rb") as file:
            chain = x509.load_pem_x509_certificates(file.read(_LIMIT))
        return Certificate(chain[0].public_bytes(serialization.Encoding.DER))
    except (OSError, ValueError, DamagedError):
        return None


def lock(home: Path) -> FileLock:
    """One process at a time makes or changes keys."""
    folder = make_folder(home / "keys")
    try:
        folder.chmod(0o700)
        guard = FileLock(folder / ".lock", timeout=60)
        guard.acquire()
        guard.release()
    except OSError as error:
        raise _unwritable(folder, error) from None
    return guard


def _unwritable(path: Path, error: OSError) -> MachineError:
    return MachineError(
        Code.HOME, f"{path} cannot be written ({error.strerror}); set ILK_HOME to a folder that you can write."
    )


def _name(common: str, organization: str) -> x509.Name:
    pairs = [(NameOID.COMMON_NAME, common), (NameOID.ORGANIZATION_NAME, organization)]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    start: datetime.datetime,
    end: datetime.datetime,
) -> x509.CertificateBuilder:
    public = key.public_key()
    # The serial is derived from the key: a random one would tell nothing more.
    serial = int.from_bytes(hashlib.sha256(public.public_bytes(_PEM, _SPKI)).digest()[:16], "big") | 1
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


_SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
