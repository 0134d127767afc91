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
from ilk.generator.critics import NO_CRITIC, opinions
from ilk.generator.model import Model
from ilk.seal.claim import clean
from ilk.seal.ledger import LedgerReader
from ilk.seal.verdict import CriticView, Verdict
from ilk.seal.verify import hear
from ilk.seal.verify import verify as examine


def verify(*paths: str | Path, model: str | Path | None = None) -> list[Verdict]:
    """Tell where files come from and whether they are unchanged; nothing is written or fetched.

    Args:
        *paths: files, model folders, or folders of samples with their manifest.
        model: a model folder whose critic gives its opinion on files of unknown origin: how probable it is that
            this model made them, or one like it.

    Returns:
        A verdict a file: ``state``, ``says``, ``seal``, ``critic``, ``problems``. A missing seal never means "real".

    Raises:
        InputError: a path does not exist, or the model has no critic.
    """
    judge = None if model is None else _critic_of(Path(model))
    asked: dict[str, Path] = {}
    verdicts: list[Verdict] = []
    for path in map(Path, paths):
        if not path.exists():
            raise InputError(Code.SOURCE_MISSING, f"{path} does not exist.")
        if (path / HEADER).is_file():
            verdicts.append(_verify_model(path))
        else:
            listen = None if judge is None else _Listener(asked)
            verdicts += examine([path], ilk_home(), content_hash=content_hash, carrier=carrier, critic=listen)
    return verdicts if judge is None else _heard(verdicts, judge, asked)


def _critic_of(path: Path) -> Model:
    """A model with a critic.

    Raises:
        InputError: it has none.
    """
    model = Model.load(path)
    if model.critic is None:
        raise InputError(Code.OPTION, NO_CRITIC.format(name=path))
    return model


class _Listener:
    """Notes which files a critic is asked about, so that it can look at them together."""

    def __init__(self, asked: dict[str, Path]) -> None:
        self._asked = asked

    def __call__(self, path: Path, data: bytes) -> None:  # noqa: ARG002
        self._asked[clean(str(path), 4096)] = path


def _heard(verdicts: list[Verdict], model: Model, asked: dict[str, Path]) -> list[Verdict]:
    """The verdicts after the model's critic was heard on all files that nothing else tells of."""
    found = dict(opinions(model, list(asked.values())))
    out = []
    for verdict in verdicts:
        path = asked.get(verdict.file)
        if path is None or model.critic is None or verdict.state != "unknown":
            out.append(verdict)
            continue
        real = found[path]
        if real is None:
            problem = f"the critic of {model.name} judges one {model.kind.name} a file, and can read none here"
            out.append(msgspec.structs.replace(verdict, problems=(*verdict.problems, problem)))
            continue
        alarms, misses = model.critic.judge.error_at(real)
        on = model.critic.judge.calibrated_on
        out.append(hear(verdict, CriticView(1.0 - real, alarms, on, misses, model.name)))
    return out


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
    """A sampling call, and which of its samples a file is. ``latent``: the recipe of one from the latent space."""

    model: Path
    seed: int
    count: int
    index: int | None
    given: dict[str, Any]
    options: dict[str, Any]
    latent: dict[str, Any] | None = None


def recall(file: Path, model: Path | None = None) -> Recall:
    """Read how ``file`` was made, from its seal, or from the ledger where its seal is gone and its content known.

    Args:
        file: a sample.
        model: its model folder, where this machine's ledger does not know it.

    Raises:
        InputError: no seal, no seed, another model, or a model that cannot be found.
    """
    verdict = verify(file)[0]
    claims = verdict.seal.claims if verdict.seal and verdict.state in HELD else {}
    known = verdict.ledger
    fingerprint, index = (known.model, known.index) if known else (str(claims.get("model", "")), claims.get("index"))
    ledger = LedgerReader(ilk_home())
    call = ledger.recall(known.call if known else str(claims.get("call", "")))
    if not fingerprint:
        raise InputError(Code.RECALL, f"{file} carries no seal that says how it was made ({verdict.state}).")
    seed = call.seed if call else claims.get("seed")
    if seed is None:
        sentence = f"{file} does not say how it was made; only the machine on which it was made can make it again."
        raise InputError(Code.RECALL, sentence)
    path = model or ledger.model_path(fingerprint)
    if path is None or not path.exists():
        raise InputError(Code.RECALL, f"{file} was made by model {fingerprint[:12]}, which is not known here: name it.")
    if read_header(path).fingerprint != fingerprint:
        sentence = f"{file} was made by model {fingerprint[:12]}, and {path} is another one (or has learned since)."
        raise InputError(Code.RECALL, sentence)
    settings = call.settings if call else {}
    count = int(settings.get("count", (index or 0) + 1))
    given, options = settings.get("given", {}), settings.get("options", {})
    return Recall(path, int(seed), count, index, given, options, settings.get("latent"))
