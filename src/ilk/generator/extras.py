"""What stands in a model folder beside the model: history, previews, card and seal.

None of it is needed to load the model, so none of it is named in ``ilk.json``; each is written after
the commit it belongs to.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

import msgspec

import ilk
from ilk.core import events
from ilk.core.folder import HEADER, disk_error
from ilk.core.home import ilk_home, write_atomic
from ilk.core.offers import Brief
from ilk.core.plan import Budget
from ilk.core.protocol import Exhibit
from ilk.generator.model import Model, describe_plan
from ilk.seal.claim import Claim
from ilk.seal.sealer import seal_file

PREVIEW_COUNT, PREVIEW_SEED = 64, 1
GLANCES = 8  # samples of a preview, where they take long
MODEL_SEAL = "seal.json"
STAGES = "previews"
EARLY, MIDDLE = 0.03, 0.25  # progress from which on a preview is kept as such
LARGEST_STAGE = 64 * 2**20
_SUFFIX = {"image/png": "png", "image/svg+xml": "svg", "audio/wav": "wav", "text/plain": "txt"}
_MEDIA_TYPE = {suffix: media_type for media_type, suffix in _SUFFIX.items()}
_STAGE = re.compile(rf"(?P<name>early|middle|late)-(?P<step>\d{{1,15}})\.({'|'.join(_MEDIA_TYPE)})")


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


class Picture(msgspec.Struct, frozen=True):
    """A sealed exhibit of a few samples, always of the same seed, so that one sees it learn."""

    data: bytes
    media_type: str

    @property
    def suffix(self) -> str:
        """Of its file: ``png``."""
        return _SUFFIX.get(self.media_type, "bin")


def show_preview(path: Path, model: Model, clock: Budget, ended: str, first: Picture | None, on: events.Sink) -> None:
    """What the model makes now, as ``preview`` and among ``previews``; while it is raw, ``first`` stands."""
    picture = draw_preview(model)
    keep_stage(path, picture, step=clock.step, progress=clock.progress, ended=bool(ended))
    raw = not ended and clock.progress < EARLY
    if first is None or not raw:
        on(events.Preview(path=str(write_preview(path, picture))))
    elif clock.step == 1:
        on(events.Preview(path=str(write_preview(path, first))))


def draw_preview(model: Model) -> Picture:
    """What the model makes now."""
    brief = model.engine if isinstance(model.engine, Brief) else None
    _, settings = model.sample_settings(brief.glance if brief else {})
    count = GLANCES if brief else PREVIEW_COUNT
    exhibit: Exhibit = model.kind.draw(model.draw(0, count, {}, PREVIEW_SEED, settings))
    try:
        sealed, _ = seal_file(exhibit.data, exhibit.media_type, new_claim(model, PREVIEW_SEED), ilk_home())
    except OSError as error:
        raise disk_error(error, ilk_home()) from None
    return Picture(sealed, exhibit.media_type)


def write_preview(path: Path, picture: Picture) -> Path:
    """``preview.png``, or what the kind draws."""
    target = path / f"preview.{picture.suffix}"
    try:
        write_atomic(target, picture.data)
    except OSError as error:
        raise disk_error(error, path) from None
    return target


def keep_stage(path: Path, picture: Picture, *, step: int, progress: float, ended: bool) -> None:
    """Keep a preview of the fit's way as ``previews/early-120.png``, where this is one of its moments.

    Early is the first commit, and better the first one after 3 % of the budget; middle the first one after
    25 %; late the end, or the latest end of a fit that went on. So there are three files, and a resumed
    fit goes on where it was.
    """
    kept = {name: at for name, at, _ in _stage_files(path)}
    if ended:
        name = "late"
    elif step > 1 and progress >= MIDDLE:
        name = "" if "middle" in kept else "middle"
    else:
        raw = kept.get("early", 1) == 1 and progress >= EARLY
        name = "early" if raw or "early" not in kept else ""
    if not name or picture.media_type not in _SUFFIX:
        return
    try:
        (path / STAGES).mkdir(exist_ok=True)
        target = path / STAGES / f"{name}-{step}.{picture.suffix}"
        write_atomic(target, picture.data)
        for other, _, file in _stage_files(path):
            if other == name and file != target:
                file.unlink(missing_ok=True)
    except OSError as error:
        raise disk_error(error, path) from None


def stages(path: Path) -> list[tuple[str, int, bytes, str]]:
    """What a fit made on its way: (early | middle | late, step, bytes, media type), by step.

    A stranger's folder may hold anything: links, strange names and files above 64 MB are passed over.
    """
    found = []
    for name, step, file in _stage_files(path):
        try:
            found.append((name, step, file.read_bytes(), _MEDIA_TYPE[file.suffix[1:]]))
        except OSError:
            continue
    return found


def write_stages(path: Path, kept: list[tuple[str, int, bytes, str]]) -> None:
    """Put what :func:`stages` gave into a copy of the model: an export shows how it was learned."""
    try:
        for name, step, data, media_type in kept:
            (path / STAGES).mkdir(exist_ok=True)
            write_atomic(path / STAGES / f"{name}-{step}.{_SUFFIX[media_type]}", data)
    except OSError as error:
        raise disk_error(error, path) from None


def _stage_files(path: Path) -> list[tuple[str, int, Path]]:
    """(name, step, file) of the previews that were kept, by step."""
    folder = path / STAGES
    if folder.is_symlink() or not folder.is_dir():
        return []
    found = []
    for file in folder.iterdir():
        match = _STAGE.fullmatch(file.name)
        if match and not file.is_symlink() and file.is_file() and file.stat().st_size <= LARGEST_STAGE:
            found.append((match["name"], int(match["step"]), file))
    return sorted(found, key=lambda each: each[1])


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
    header, kept = model.header, getattr(type(model.settings), "KEEPS", "")
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
        f"- No training example is stored {kept or 'in this folder.'} `state/` holds what resuming needs and the path"
        " of the data; it may be deleted, and an export leaves it out.",
        "- What it makes is signed as synthetic. A missing seal never means that something is real.",
        "",
        f"```console\n$ ilk sample {path.name} -n 64 -o out/\n```",
        "",
    ]
    try:
        write_atomic(path / "CARD.md", "\n".join(lines).encode())
    except OSError as error:
        raise disk_error(error, path) from None
