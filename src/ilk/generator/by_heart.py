"""Does a model know its examples by heart? Asked once, at the end of a fit.

A critic of few examples comes to know them, and then teaches the generator to repeat them; so does a network that has
read a text too often. Here the engine's opinion of examples that it learned from is held against its opinion of
held-out ones; whether samples are copies is for a report to say. Knows no kind and no engine.
"""

from __future__ import annotations

import numpy as np

from ilk.core.data import MappedData, Prepared
from ilk.core.offers import Brief, Opinionated
from ilk.core.protocol import Array
from ilk.generator.model import Model
from ilk.judge.membership import attack

MOST = 1_000  # examples of each sort
SURE, CHANCE = 0.75, 0.01  # told apart at least so well, and so rarely by chance


def by_heart(model: Model, prepared: Prepared) -> str:
    """One sentence where the engine knows its examples by heart, else nothing."""
    engine = model.engine
    if not isinstance(engine, Opinionated) or not len(prepared.holdout):
        return ""
    found = attack(_opinions(engine, prepared.train), _opinions(engine, prepared.holdout), model.header.plan.seed)
    if found.auc < SURE or found.p > CHANCE:
        return ""
    return (
        f"it knows its {len(prepared.train):,} examples by heart: it tells one of them from a held-out"
        f" one {found.auc:.0%} of the time. More examples or fewer minutes help; a report shows whether samples are"
        " copies"
    ).replace("%", " %")


def _opinions(engine: Opinionated, data: MappedData) -> Array:
    most = min(MOST, 2 * engine.together) if isinstance(engine, Brief) else MOST
    rows = np.unique(np.linspace(0, len(data) - 1, min(most, len(data))).astype(np.int64))
    arrays = data.take(rows)
    return engine.opinion(engine.beginning(arrays) if isinstance(engine, Brief) else arrays)
