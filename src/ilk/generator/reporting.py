"""A model's report card: real examples found again, samples drawn, both handed to the judge.

The samples are drawn as the model draws by default and never chosen; real examples and samples went
through the same codec. ``evidence.py`` finds the examples, ``ilk.judge`` asks the questions, and
``report_card.py`` is what a user gets. Nothing here computes a number.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

import ilk
from ilk.core import events
from ilk.core.device import resolve_device, set_threads
from ilk.core.errors import InputError
from ilk.core.home import ilk_home
from ilk.core.offers import Describing, Opinionated, Ruling
from ilk.core.protocol import Array, Arrays, Example, Exhibit
from ilk.core.seeds import stream
from ilk.generator import evidence
from ilk.generator.drawing import draw_rows
from ilk.generator.evidence import Found
from ilk.generator.extras import new_claim, stages
from ilk.generator.fitting import Request, now
from ilk.generator.model import Model
from ilk.generator.report_card import ReportCard
from ilk.generator.scoring import scorer
from ilk.judge.record import Answer, Curve, Report, Stage, Subject
from ilk.seal.claim import COMPOSITE, TRAINED, Claim
from ilk.seal.sealer import seal_file

if TYPE_CHECKING:
    from ilk.judge.examine import Findings

FEWEST, MOST = 500, 2_000  # samples that are drawn, where nobody says how many
SHOWN = 64  # on a sheet
POINTS = 300  # of a curve
PLAIN = (
    "The numbers come from plain features of the kind, in which near means alike in detail; they know nothing of what "
    "the examples show, and cannot be compared with numbers from other features or other data."
)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked a report for."""

    data: Any = None
    y: Any = None
    holdout: Any = None
    against: Any = None
    count: int | None = None
    seed: int = 0
    request: Request | None = None  # what the model was fitted by, where that was in this process


def make_report(model: Model, asked: Asked, on: events.Sink) -> ReportCard:
    """Judge a model.

    Raises:
        InputError: its data have moved or changed, or what it is held against is of another kind.
    """
    began = time.monotonic()
    if resolve_device("auto") == "cpu":
        set_threads(model.header.plan.threads)
    on(events.Stage(says="finding the examples"))
    found = evidence.find(
        model,
        asked.request,
        data=asked.data,
        y=asked.y,
        holdout=asked.holdout,
        opinion=_opinion(model),
        seed=asked.seed,
        on=on,
    )
    if found.missing:
        on(events.Note(says=found.missing))
    count = asked.count or (MOST if len(found.train.objects) >= MOST else FEWEST)
    made, classes = _draw(model, count, asked.seed, on)
    other, against = None, ""
    if asked.against is not None:
        on(events.Stage(says="looking at what it is held against"))
        other, against = evidence.held_against(model, asked.against, count, asked.seed, on)
    subject = Subject(
        kind=model.kind,
        train=found.train.objects,
        holdout=found.holdout.objects,
        made=made,
        train_labels=found.train.classes,
        holdout_labels=found.holdout.classes,
        made_labels=classes,
        opinions=_both(found.train.opinions, found.holdout.opinions),
        other=other,
        seed=asked.seed,
        names=found.train.names,
        score=scorer(model),
        broken=model.codec.broken if isinstance(model.codec, Ruling) else None,
    )
    about, findings = _judge(model, found, subject, on)
    claim = msgspec.structs.replace(new_claim(model, asked.seed), source_type=COMPOSITE)
    on(events.Stage(says="writing the page"))
    report = Report(
        title=model.name.removesuffix(".ilk"),
        kind=model.kind.name,
        made=now(),
        ilk=ilk.__version__,
        model=model.header.fingerprint,
        facts=_facts(model, count, asked.seed),
        counts={"train": len(subject.train), "holdout": len(subject.holdout), "samples": len(made)},
        encoder=about,
        answers=tuple(_finished(each, found.missing, claim) for each in findings.answers),
        against=against,
        samples=_samples(model, subject, against, claim),
        stages=_stages(model),
        curves=_curves(model),
        skipped=(*found.skipped, *findings.skipped),
        seconds=round(time.monotonic() - began, 1),
    )
    return ReportCard(report, claim, model.path)


def _judge(model: Model, found: Found, subject: Subject, on: events.Sink) -> tuple[str, Findings]:
    """What the features are that the numbers rest on, and what the judge found."""
    from ilk.judge.examine import examine

    parts = evidence.classes_of(model)
    plan = msgspec.structs.replace(model.header.plan, seed=subject.seed, rank=0, world=1, device=resolve_device("auto"))
    train, holdout = found.train.listed(parts), found.holdout.listed(parts)
    if not train:  # other real examples stand for themselves, or nothing does
        half = len(holdout) // 2
        train, holdout = holdout[:half], holdout[half:]
    # On both sets: features fitted on one of them alone would find the other one farther from everything.
    known = [*train, *holdout] or [Example(object=item) for item in subject.made]
    order = stream(subject.seed, "judge").permutation(len(known))  # a kind may look at the first ones alone
    close = model.kind.fit_features([known[place] for place in order], plan)
    encoder, about = close, PLAIN
    if train:
        on(events.Stage(says="learning to look"))
        encoder = model.kind.fit_encoder(train, holdout, plan)
        about = encoder.about
    return about, examine(subject, encoder=encoder, close=close, on=on)


def _finished(answer: Answer, missing: str, claim: Claim) -> Answer:
    """An answer as it is shown: its exhibits sealed; with what cannot be asked, why the examples are not here."""
    absent = f"{answer.absent} {missing}".strip() if answer.absent and missing else answer.absent
    return msgspec.structs.replace(answer, absent=absent, exhibits=_sealed(answer.exhibits, claim))


def _draw(model: Model, count: int, seed: int, on: events.Sink) -> tuple[Sequence[Any], Array | None]:
    """Samples as the model draws them by default, and their classes."""
    on(events.Stage(says="drawing samples", done=0, of=count))
    _, settings = model.sample_settings({})
    rows = np.arange(count)
    arrays = draw_rows(model, rows, model.codec.encode_given({}, count), seed, settings)
    on(events.Stage(says="drawing samples", done=count, of=count))
    classes = evidence.classes_of(model)
    named = classes.of(arrays) if classes is not None and classes.array in arrays else None
    return model.codec.decode(arrays), named


def _opinion(model: Model) -> Callable[[Arrays], Array] | None:
    """The model's own critic, where the engine has one and the folder kept it."""
    engine = model.engine
    if not isinstance(engine, Opinionated):
        return None
    _, settings = model.sample_settings({})
    try:
        engine.opinion(model.engine.sample(np.arange(2), model.codec.encode_given({}, 2), 0, settings))
    except InputError:
        return None
    return engine.opinion


def _both(train: Array | None, holdout: Array | None) -> tuple[Array, Array] | None:
    return None if train is None or holdout is None else (train, holdout)


def _facts(model: Model, count: int, seed: int) -> dict[str, str]:
    """What a reader should know before the numbers."""
    header = model.header
    learned = header.data.count - header.data.holdout
    left = model.codec.left_out() if isinstance(model.codec, Describing) else {}
    return {
        "Learned from": f"{learned:,} examples",
        "Kept from learning": f"{header.data.holdout:,} examples",
        "Learned for": f"{header.step:,} steps, {header.seconds / 60:.1f} minutes",
        "Judged by": f"{count:,} samples, seed {seed}",
        **({"Left out": "; ".join(f"{name}: {why}" for name, why in left.items())} if left else {}),
    }


def _samples(model: Model, subject: Subject, against: str, claim: Claim) -> tuple[Exhibit, ...]:
    """Sheets for the eye: samples, real ones beside them, and the other column's."""
    own = msgspec.structs.replace(claim, source_type=TRAINED)
    sheets = _sealed((_sheet(model, subject.made, "the first samples that were drawn"),), own)
    if len(subject.holdout):
        sheets += (_sheet(model, subject.holdout, "real ones that nothing learned from"),)
    if subject.other is not None:
        sheets += (_sheet(model, subject.other, f"of {against}"),)
    return sheets


def _sheet(model: Model, objects: Sequence[Any], says: str) -> Exhibit:
    drawn = model.kind.draw(objects[:SHOWN])
    return msgspec.structs.replace(drawn, caption=f"{drawn.caption}: {says}")


def _sealed(exhibits: tuple[Exhibit, ...], claim: Claim) -> tuple[Exhibit, ...]:
    """Exhibits that carry the seal themselves, where their format can: whoever saves one has it."""

    def one(exhibit: Exhibit) -> Exhibit:
        sealed, sidecar = seal_file(exhibit.data, exhibit.media_type, claim, ilk_home())
        return exhibit if sidecar else msgspec.structs.replace(exhibit, data=sealed)

    return tuple(one(each) for each in exhibits)


def _stages(model: Model) -> tuple[Stage, ...]:
    """What the fit kept on its way; sealed when it was made."""
    kept = stages(model.path) if model.path else []
    return tuple(
        Stage(
            name=name, step=step, exhibit=Exhibit(media_type=media_type, data=data, caption=f"samples of step {step:,}")
        )
        for name, step, data, media_type in kept
    )


def _curves(model: Model) -> tuple[Curve, ...]:
    """The numbers of ``history.jsonl``, thinned out by means."""
    try:
        lines = (model.path / "history.jsonl").read_bytes().splitlines() if model.path else []
        steps = [msgspec.json.decode(line, type=events.Step) for line in lines]
    except (OSError, msgspec.DecodeError):
        return ()
    names = sorted({name for step in steps for name in step.metrics})
    out = []
    for name in names:
        kept = [(each.step, each.metrics[name]) for each in steps if math.isfinite(each.metrics.get(name, math.nan))]
        if len(kept) > 1:
            parts = np.array_split(np.array(kept), min(POINTS, len(kept)))
            means = [part.mean(axis=0) for part in parts]
            out.append(
                Curve(name=name, steps=tuple(round(m[0]) for m in means), values=tuple(float(m[1]) for m in means))
            )
    return tuple(out)
