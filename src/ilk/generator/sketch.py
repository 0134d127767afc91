"""The first preview: an engine that learns in seconds draws it, while the engine that was asked for begins.

The kind names the engine (``Kind.sketch``) and this file fits it; it is shown and thrown away. Nothing of it
reaches the model: its randomness is its own, so a fit by steps gives the same bits with and without.
"""

from __future__ import annotations

import hashlib
import time

import msgspec

from ilk.core import events
from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Data
from ilk.generator.extras import Picture, draw_preview
from ilk.generator.model import Model

LEAST_SECONDS, LEAST_STEPS = 20.0, 200  # of a fit that is worth a sketch
SHARE, MOST_SECONDS = 0.05, 4.0  # of a fit's seconds; most sketches end by themselves before


def sketch(model: Model, data: Data, plan: Plan, on: events.Sink) -> Picture | None:
    """A preview by the kind's sketch, or None where there is none or the fit is too short for it.

    It is sealed as what it is: made by a model of its own, not by the one that is being fitted.

    Args:
        model: the model that is about to learn.
        data: what it learns from.
        plan: the fit's plan; a sketch takes at most a twentieth of its seconds.
        on: takes the events.
    """
    short = plan.steps < LEAST_STEPS if plan.steps is not None else (plan.seconds or 0.0) < LEAST_SECONDS
    settings = None if short else model.kind.sketch(model.codec, plan)
    if settings is None or settings.name == model.settings.name:
        return None
    start = time.monotonic()
    on(events.Stage(says="sketching a first preview"))
    seconds = min(MOST_SECONDS, SHARE * plan.seconds) if plan.seconds is not None else MOST_SECONDS
    own = Plan(seconds=seconds, device=plan.device, threads=plan.threads, seed=plan.seed)
    engine = settings.build(model.codec.space, model.codec.conditions, own)
    budget = Budget(own)
    for _ in engine.steps(data, budget):
        budget.advance()
    header = msgspec.structs.replace(model.header, engine=settings.name, settings=msgspec.to_builtins(settings))
    drawn = Model(header, model.kind, model.codec, settings, engine)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in drawn.files().items()}
    drawn.header = msgspec.structs.replace(header, files=digests)
    picture = draw_preview(drawn)
    took = time.monotonic() - start
    says = f"first preview in {took:.1f} s: a closed-form {settings.name}; what is being learned takes over"
    on(events.Note(says=says))
    return picture
