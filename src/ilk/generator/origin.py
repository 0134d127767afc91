"""Where does a file come from: its verdict, and the way back from a sample to model, seed and settings.

The seal carries the model's fingerprint, the seed and the index; what may be private (where the model
lies, the conditions asked for) is only in this machine's ledger.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ilk.core.errors import Code, IlkError, InputError
from ilk.core.folder import HEADER, open_model, read_header
from ilk.core.home import ilk_home
from ilk.core.protocol import Array, Example, Kind
from ilk.core.registry import recognise
from ilk.seal.ledger import LedgerReader
from ilk.seal.verdict import Verdict
from ilk.seal.verify import verify as examine


def verify(*paths: str | Path) -> list[Verdict]:
    """Tell where files come from and whether they are unchanged; nothing is written or fetched.

    Args:
        *paths: files, model folders, or folders of samples with their manifest.

    Returns:
        A verdict a file: ``state``, ``says``, ``seal``, ``problems``. A missing seal never means "real".

    Raises:
        InputError: a path does not exist.
    """
    verdicts: list[Verdict] = []
    for path in map(Path, paths):
        if not path.exists():
            raise InputError(Code.SOURCE_MISSING, f"{path} does not exist.")
        if (path / HEADER).is_file():
            verdicts.append(_verify_model(path))
        else:
            verdicts += examine([path], ilk_home(), content_hash=content_hash, carrier=carrier)
    return verdicts


def _verify_model(path: Path) -> Verdict:
    """A model folder: the seal of its ``ilk.json``, and the hashes in there of all its files."""
    verdict = msgspec.structs.replace(examine([path / HEADER], ilk_home())[0], file=str(path))
    try:
        open_model(path)
    except InputError as error:
        return msgspec.structs.replace(verdict, state="altered", problems=(*verdict.problems, error.sentence))
    return verdict


def content_hash(path: Path, data: bytes) -> str | None:  # noqa: ARG001
    """The kind's hash of what a file holds, so that a sample is known again without its seal."""
    found = _first(path)
    return found and found[0].identify(found[1])


def carrier(path: Path, data: bytes) -> Array | None:  # noqa: ARG001
    """The pixels of a file in which a watermark may be; None where its kind has none."""
    found = _first(path)
    return found and found[0].carrier(found[1])


def _first(path: Path) -> tuple[Kind, Any] | None:
    """The kind of a file and the first object in it, if it can be read."""
    try:
        kind = recognise(str(path))
        for item in kind.read(str(path), kind.Options()):
            return (kind, item.object) if isinstance(item, Example) else None
    except IlkError:
        return None
    return None


HELD = ("sealed", "sealed-in-manifest", "sealed-by-stranger", "expired")  # states in which the claims are the signer's


class Recall(msgspec.Struct, frozen=True):
    """A sampling call."""

    model: Path
    seed: int
    count: int
    index: int | None
    given: dict[str, Any]
    options: dict[str, Any]


def recall(file: Path, model: Path | None = None) -> Recall:
    """Read how ``file`` was made.

    Args:
        file: a sealed sample.
        model: its model folder, where this machine's ledger does not know it.

    Raises:
        InputError: no seal, no seed, another model, or a model that cannot be found.
    """
    verdict = verify(file)[0]
    claims = verdict.seal.claims if verdict.seal else {}
    seed, fingerprint = claims.get("seed"), str(claims.get("model", ""))
    if seed is None or verdict.state not in HELD:
        raise InputError(Code.RECALL, f"{file} carries no seal that says how it was made ({verdict.state}).")
    ledger = LedgerReader(ilk_home())
    call = ledger.recall(str(claims.get("call", "")))
    path = model or ledger.model_path(fingerprint)
    if path is None or not path.exists():
        raise InputError(Code.RECALL, f"{file} was made by model {fingerprint[:12]}, which is not known here: name it.")
    if read_header(path).fingerprint != fingerprint:
        sentence = f"{file} was made by model {fingerprint[:12]}, and {path} is another one (or has learned since)."
        raise InputError(Code.RECALL, sentence)
    settings = call.settings if call else {}
    index = claims.get("index")
    count = int(settings.get("count", (index or 0) + 1))
    return Recall(path, int(seed), count, index, settings.get("given", {}), settings.get("options", {}))
