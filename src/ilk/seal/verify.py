"""Where does this file come from, and is it unchanged? One verdict a file; a folder gets its own.

Evidence is gathered in order: the seal inside the file, the sidecar beside it, the folder's
manifest, this machine's ledger, a critic that the caller hands in. Read-only and offline; every
byte read may be hostile, so anything odd becomes a state and a problem, never a traceback. What a
seal is worth as bytes is for ``c2pa.py``, ``sidecar.py`` and ``manifest.py`` to say; here it meets
the keyring. The record and its sentences are in ``verdict.py``.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy.typing as npt

from ilk.seal import c2pa, containers, keys, manifest, sidecar, watermark
from ilk.seal.claim import clean, read_claim
from ilk.seal.ledger import LedgerReader
from ilk.seal.manifest import Manifest
from ilk.seal.signed import Certificate, DamagedError, Reading
from ilk.seal.trust import Keyring
from ilk.seal.verdict import CriticView, LedgerView, Seal, State, Verdict, Watermark, synthetic

LARGEST = 512 * 1024 * 1024  # a larger file is hashed, but not looked into
LIKELY, ALARMS = 0.5, 0.05  # a critic is heard above this probability and below this false-alarm rate
_LISTED = 20
_UP = 3  # folders above a file in which its manifest is looked for
T = TypeVar("T")

ContentHash = Callable[[Path, bytes], str | None]
Carrier = Callable[[Path, bytes], npt.NDArray[Any] | None]
Critic = Callable[[Path, bytes], CriticView | None]

# Of several seals on one file the first state in this order decides; the others become problems.
# A trusted signature over the whole file outweighs an odd seal inside it; a stranger's does not.
_ORDER: tuple[State, ...] = (
    "sealed",
    "sealed-in-manifest",
    "altered",
    "container-altered",
    "broken",
    "revoked",
    "expired",
    "sealed-by-stranger",
)


class Found(NamedTuple):
    """One seal of a file, judged."""

    state: State
    seal: Seal
    problem: str


class Folder(NamedTuple):
    """A folder's manifest, or why it cannot be used."""

    path: Path
    manifest: Manifest | None
    problem: str


def verify(
    paths: Iterable[Path],
    home: Path,
    *,
    content_hash: ContentHash | None = None,
    carrier: Carrier | None = None,
    critic: Critic | None = None,
    at: datetime | None = None,
) -> list[Verdict]:
    """Verify files and folders.

    Args:
        paths: files; a folder stands for the files in it.
        home: the user's ilk folder; read, never written.
        content_hash: the kind's hash of a file's decoded content, to ask the ledger.
        carrier: the pixels of a file, (H, W, C) uint8, to look for a watermark in; None where it has none.
        critic: an opinion on a file without a seal.
        at: the time at which certificates must be valid; now by default.
    """
    verifier = _Verifier(home, content_hash, carrier, critic, at or datetime.now(UTC))
    return [verdict for path in paths for verdict in verifier.verdicts(Path(path))]


def hear(verdict: Verdict, critic: CriticView) -> Verdict:
    """The verdict on a file of unknown origin after a critic was heard."""
    likely = critic.probability >= LIKELY and critic.false_alarm_rate <= ALARMS
    state: State = "unsealed-likely-generated" if likely else "unknown"
    return msgspec.structs.replace(verdict, state=state, synthetic=synthetic(state, {}), critic=critic)


class _Verifier:
    """The keyring, the ledger and the manifests met so far, for one call of ``verify``."""

    def __init__(
        self,
        home: Path,
        content_hash: ContentHash | None,
        carrier: Carrier | None,
        critic: Critic | None,
        at: datetime,
    ) -> None:
        self._home, self._at = home, at
        self._ring = Keyring(home)
        self._ledger = LedgerReader(home)
        self._content_hash, self._carrier, self._critic = content_hash, carrier, critic
        self._folders: dict[Path, Folder | None] = {}
        self._digests: dict[Path, str | None] = {}
        self._standing: dict[bytes, tuple[State, str]] = {}

    def verdicts(self, path: Path) -> Iterator[Verdict]:
        """A file's verdict, or a folder's and then its files'."""
        try:
            if path.is_dir():
                yield from self._folder(path)
                return
        except OSError:
            pass
        if path.name == manifest.NAME and path.is_file():
            yield self._whole(path, self._open(path.parent), _files_below(path.parent))
            return
        subject = _subject(path)
        verdict = self._file(subject)
        yield verdict if subject is path else _about(verdict, path)

    def _folder(self, path: Path) -> Iterator[Verdict]:
        found = _files_below(path)
        opened = self._open(path)
        if opened is None:
            yield from (self._file(path / name) for name in found)
            return
        listed = opened.manifest.entries if opened.manifest else {}
        files = [self._file(path / name, opened) for name in sorted({*found, *listed} - {manifest.NAME})]
        yield self._whole(path / manifest.NAME, opened, found)
        yield from files

    def _whole(self, path: Path, opened: Folder | None, found: list[str]) -> Verdict:
        """The manifest's own verdict: do the files in the folder match its list?"""
        if opened is None or opened.manifest is None:
            return Verdict(_shown(path), "broken", "unknown", problems=(opened.problem if opened else "no manifest",))
        listed = opened.manifest.entries
        problems = [f"added: {clean(name)}" for name in found if name not in listed and name != manifest.NAME]
        for name, entry in listed.items():
            file = path.parent / name
            digest = self._digests[file] if file in self._digests else _read(file)[1]
            if digest != entry.sha256:
                problems.append(f"{'missing' if digest is None else 'changed'}: {clean(name)}")
        certificate = opened.manifest.certificate
        calls = opened.manifest.calls
        reading = Reading("holds", certificate, read_claim(calls[-1]) if calls else {})
        state, seal, why = self._judge(reading, "manifest")
        if problems:
            state = "altered"
        more = [f"and {len(problems) - _LISTED} more"] if len(problems) > _LISTED else []
        told = (*([why] if why else []), *problems[:_LISTED], *more)
        return Verdict(_shown(path), state, synthetic(state, seal.claims), seal, problems=told)

    def _file(self, path: Path, opened: Folder | None = None) -> Verdict:
        """One file, by all the evidence there is."""
        problems: list[str] = []
        opened = opened or self._nearest(path)
        entry = None
        if opened is not None and opened.manifest is not None:
            entry = opened.manifest.entries.get(_relative(path, opened.path))
        data, digest, problem = _read(path)
        self._digests[path] = digest
        if digest is None:
            state: State = "altered" if entry else "unknown"
            listed = ("missing: the folder's manifest lists it",) if entry else ()
            return Verdict(_shown(path), state, "unknown", problems=(*listed, problem))
        if problem:
            problems.append(problem)
        if path.name.endswith(sidecar.SUFFIX):
            problems.append("the file that this sidecar seals is not beside it")
        found = self._own_seals(path, data, digest)
        if entry is not None and opened is not None and opened.manifest is not None:
            found.append(self._judge(opened.manifest.reading(entry, digest), "manifest"))
        elif opened is not None:
            problems.append(opened.problem or "added: the folder's manifest does not list it")
        if opened is not None and opened.manifest is None and not found:
            return Verdict(_shown(path), "broken", "unknown", problems=tuple(problems))
        if found:
            return _decide(path, found, problems)
        return self._unsealed(path, data, problems)

    def _own_seals(self, path: Path, data: bytes, digest: str) -> list[Found]:
        """The seal inside the file and the one beside it."""
        found = []
        media_type = containers.sniff(data[:32])
        if media_type is not None and (reading := c2pa.read(data, media_type)) is not None:
            found.append(self._judge(reading, "c2pa"))
        if not path.name.endswith(sidecar.SUFFIX):
            beside, there, _ = _read(sidecar.beside(path), sidecar.LIMIT + 1)
            if there is not None:
                found.append(self._judge(sidecar.read(beside, digest), "sidecar"))
        return found

    def _judge(self, reading: Reading, form: str) -> Found:
        """A seal's bytes meet the keyring."""
        certificate = reading.certificate
        state: State = reading.state if reading.state != "holds" else "sealed"
        signer, problem = None, reading.problem
        if certificate is not None:
            standing, signer = self._stand(certificate)
            if reading.state == "holds":
                # Another program's seal leaves bytes unchecked, so even a trusted key does not make it hold.
                state = standing if reading.strict or standing != "sealed" else "container-altered"
            if standing == "revoked":
                revoked = self._ring.revoked[certificate.fingerprint]
                problem = f"revoked {revoked.date[:10]}: {revoked.reason}"
        elif state == "sealed":
            state = "broken"
        if state == "sealed" and form == "manifest":
            state = "sealed-in-manifest"
        seal = Seal(
            format=form,  # type: ignore[arg-type]
            key=certificate.fingerprint if certificate else None,
            claims=reading.claim,
            time_claimed=reading.claim.get("time"),
            signer=signer,
        )
        return Found(state, seal, problem)

    def _stand(self, certificate: Certificate) -> tuple[State, str]:
        """What a signature by this key is worth, and who the signer is to the user."""
        known = self._standing.get(certificate.der)
        if known is None:
            signer = self._ring.signer(certificate)
            state: State = "sealed" if signer else "sealed-by-stranger"
            if certificate.fingerprint in self._ring.revoked:
                state = "revoked"
            elif not certificate.valid_at(self._at):
                state = "expired"
            known = self._standing[certificate.der] = state, signer or f'claims to be "{clean(certificate.name, 64)}"'
        return known

    def _unsealed(self, path: Path, data: bytes, problems: list[str]) -> Verdict:
        """No seal: the ledger may know the content, a watermark be in it, a critic have an opinion."""
        shown, told = _shown(path), tuple(problems)
        content = _ask(self._content_hash, path, data)
        known = self._ledger.find(content) if content else None
        if known is not None:
            ledger = LedgerView(known.call, known.index, known.model, known.name and clean(known.name), known.time)
            return Verdict(shown, "unsealed-known", "yes", ledger=ledger, problems=told)
        mark, problem = self._watermark(path, data)
        if mark is not None and mark.p < watermark.FOUND:
            state: State = "unsealed-watermarked"
            return Verdict(shown, state, synthetic(state, {}), watermark=mark, problems=told)
        told += (problem,) if problem else ()
        critic = _ask(self._critic, path, data)
        if critic is None:
            return Verdict(shown, "unknown", "unknown", watermark=mark, problems=told)
        return hear(Verdict(shown, "unknown", "unknown", watermark=mark, problems=told), critic)

    def _watermark(self, path: Path, data: bytes) -> tuple[Watermark | None, str]:
        """What the search for one's own marks found, and what stood in its way."""
        pixels = _ask(self._carrier, path, data)
        if pixels is None:
            return None, ""
        problem = "" if watermark.can_carry(pixels) else "too small to carry a watermark"
        return watermark.detect(pixels, self._marks), problem

    @functools.cached_property
    def _marks(self) -> list[bytes]:
        """The user's watermark keys, earlier ones too; a revoked identity's mark may be anybody's."""
        own = keys.watermark_keys(self._home)
        return [key for fingerprint, of_one in own.items() if fingerprint not in self._ring.revoked for key in of_one]

    def _nearest(self, path: Path) -> Folder | None:
        """The manifest of the file's folder, or one further up that lists the file."""
        beside = self._open(path.parent)
        if beside is not None:
            return beside
        for folder in path.parent.parents[:_UP]:
            opened = self._open(folder)
            if opened is not None and opened.manifest and _relative(path, folder) in opened.manifest.entries:
                return opened
        return None

    def _open(self, folder: Path) -> Folder | None:
        """The manifest of a folder, read once; None where there is none."""
        if folder not in self._folders:
            opened: Folder | None
            try:
                opened = Folder(folder, manifest.read(folder / manifest.NAME), "")
            except FileNotFoundError:
                opened = None
            except DamagedError as error:
                opened = Folder(folder, None, f"the folder's manifest is broken: {error}")
            self._folders[folder] = opened
        return self._folders[folder]


def _decide(path: Path, found: list[Found], problems: list[str]) -> Verdict:
    """One verdict from several seals. The folder's manifest covers every byte: against it nothing holds."""
    ranked = sorted(found, key=lambda one: _ORDER.index(one.state))
    best = ranked[0]
    for one in found:
        if one.seal.format == "manifest" and one.state == "altered":
            best = one
    told = [best.problem, *(f"{one.seal.format}: {one.problem or one.state}" for one in ranked if one is not best)]
    held = [text for text in told if text and not text.endswith((": sealed", ": sealed-in-manifest"))]
    return Verdict(
        _shown(path), best.state, synthetic(best.state, best.seal.claims), best.seal, problems=(*held, *problems)
    )


def _ask(question: Callable[[Path, bytes], T | None] | None, path: Path, data: bytes) -> T | None:
    """Ask a kind or a critic about bytes that may be anything; a failure is no answer."""
    if question is None or not data:
        return None
    try:
        return question(path, data)
    except Exception:  # decoders raise every type there is on hostile bytes
        return None


def _subject(path: Path) -> Path:
    """The file that a sidecar is about, if it is there; else the path itself."""
    if not path.name.endswith(sidecar.SUFFIX) or path.name == sidecar.SUFFIX:
        return path
    other = path.with_name(path.name.removesuffix(sidecar.SUFFIX))
    return other if other.is_file() else path


def _about(verdict: Verdict, path: Path) -> Verdict:
    """The same verdict under the sidecar's name."""
    return msgspec.structs.replace(verdict, file=_shown(path))


def _files_below(folder: Path) -> list[str]:
    """Names relative to a folder, with slashes.

    Hidden files (``.DS_Store``) are the system's, and a sidecar belongs to its file.
    """
    names = []
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names += [_relative(Path(where) / name, folder) for name in files if not name.startswith(".")]
    return sorted(name for name in names if _subject(folder / name) == folder / name)


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _read(path: Path, limit: int = LARGEST) -> tuple[bytes, str | None, str]:
    """Bytes, SHA-256 and a problem. Too large a file gives no bytes but its hash."""
    try:
        with open(path, "rb", opener=_no_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return b"", None, "it is no regular file"
            if status.st_size > limit:
                return b"", hashlib.file_digest(file, "sha256").hexdigest(), "too large to look inside for a seal"
            data = file.read()
        return data, hashlib.sha256(data).hexdigest(), "" if data else "it is empty"
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        return b"", None, f"it cannot be read ({getattr(error, 'strerror', None) or 'no such name'})"


def _no_waiting(name: str, flags: int) -> int:
    """Open without waiting for a writer: a FIFO with a picture's name must not hang verify."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def _shown(path: Path) -> str:
    return clean(str(path), 4096)
