"""What stands in a model folder beside the model: history, preview, card and seal.

None of it is needed to load the model, so none of it is named in ``ilk.json``; each is written after
the commit it belongs to.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import msgspec

import ilk
from ilk.core import events
from ilk.core.folder import HEADER, disk_error
from ilk.core.home import ilk_home, write_atomic
from ilk.core.protocol import Exhibit
from ilk.generator.model import Model, describe_plan
from ilk.seal.claim import Claim
from ilk.seal.sealer import seal_file

PREVIEW_COUNT, PREVIEW_SEED = 64, 1
MODEL_SEAL = "seal.json"
_SUFFIX = {"image/png": "png", "image/svg+xml": "svg", "audio/wav": "wav", "text/plain": "txt"}


class History:
    """The numbers of the fit, a JSON line each; written behind a commit, so never ahead of the model."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def tee(self, on: events.Sink) -> events.Sink:
        """A sink that remembers the steps and passes all events on."""

        def take(event: events.Event) -> None:
            if isinstance(event, events.Step):
                self._lines.append(msgspec.json.encode(event) + b"\n")
            on(event)

        return take

    def write(self, path: Path) -> None:
        """Append what was remembered since the last commit."""
        try:
            with (path / "history.jsonl").open("ab") as file:
                file.write(b"".join(self._lines))
        except OSError as error:
            raise disk_error(error, path) from None
        self._lines.clear()


def write_preview(path: Path, model: Model) -> Path:
    """A sealed exhibit of a few samples, always of the same seed, so that one sees it learn."""
    _, settings = model.sample_settings({})
    exhibit: Exhibit = model.kind.draw(model.draw(0, PREVIEW_COUNT, {}, PREVIEW_SEED, settings))
    target = path / f"preview.{_SUFFIX.get(exhibit.media_type, 'bin')}"
    try:
        sealed, _ = seal_file(exhibit.data, exhibit.media_type, new_claim(model, PREVIEW_SEED), ilk_home())
        write_atomic(target, sealed)
    except OSError as error:
        raise disk_error(error, path) from None
    return target


def new_claim(model: Model, seed: int | None, call: str | None = None) -> Claim:
    """What a seal says of something that this model makes now."""
    return Claim(
        ilk=ilk.__version__,
        kind=model.kind.name,
        model=model.header.fingerprint,
        seed=seed,
        call=call or secrets.token_hex(8),
        time=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def unseal(path: Path) -> None:
    """Take the seal off before a commit: a model must never stand under an older model's seal."""
    (path / MODEL_SEAL).unlink(missing_ok=True)


def seal_model(path: Path, model: Model) -> None:
    """Sign ``ilk.json``, which holds the hash of every file of the model."""
    try:
        _, sidecar = seal_file((path / HEADER).read_bytes(), "application/json", new_claim(model, None), ilk_home())
        if sidecar is not None:
            write_atomic(path / MODEL_SEAL, sidecar)
    except OSError as error:
        raise disk_error(error, path) from None


def write_card(path: Path, model: Model) -> None:
    """``CARD.md``: the model in words, for whoever gets the folder."""
    header = model.header
    lines = [
        f"# {path.name.removesuffix('.ilk')}",
        "",
        f"A generator of kind **{header.kind}** (engine `{header.engine}`), made with ilk {header.ilk}.",
        "",
        f"- Learned from {header.data.count - header.data.holdout:,} examples;"
        f" {header.data.holdout:,} more were kept from learning; {header.data.unreadable:,} could not be read.",
        f"- {header.step:,} steps in {header.seconds:.0f} s, planned: {describe_plan(header.plan)};"
        f" {header.ended or 'still learning'}.",
        f"- Model fingerprint `{header.fingerprint}`; data fingerprint `{header.data.fingerprint}`.",
        "- No training example is stored in this folder. `state/` holds what resuming needs and the path of the"
        " data; it may be deleted, and an export leaves it out.",
        "- What it makes is signed as synthetic. A missing seal never means that something is real.",
        "",
        f"```console\n$ ilk sample {path.name} -n 64 -o out/\n```",
        "",
    ]
    try:
        write_atomic(path / "CARD.md", "\n".join(lines).encode())
    except OSError as error:
        raise disk_error(error, path) from None
