"""Diverse? Is all that there is among the examples also among the samples, and no sample made twice?"""

from __future__ import annotations

import numpy as np

from ilk.core.bootstrap import mean_interval, share_interval
from ilk.core.protocol import Array, Exhibit
from ilk.judge.case import Case
from ilk.judge.manifold import Overlap, gaps, overlap
from ilk.judge.questions.tell import absent, of_100, sheet
from ilk.judge.record import Answer, Number

FEWEST = 10
TWIN = 0.5
"""Twins are nearer to each other than this times the gap that all but 5 % of as many real examples keep."""
SHOWN = 16


def ask(case: Case) -> Answer:
    """The answer, with the real examples that nothing was made like."""
    numbers, found = _measure(case)
    if not numbers:
        return absent("diverse", "There are too few samples or examples to say whether all of yours are met.")
    exhibits: tuple[Exhibit, ...] = ()
    if found is not None and case.holdout is not None:
        missed = np.flatnonzero(~found.coverage & ~found.recall)[:SHOWN]
        exhibits = sheet(
            case.subject.kind, case.holdout.objects, missed.tolist(), "real examples that no sample comes near"
        )
    return Answer(question="diverse", says=_says(numbers), numbers=numbers, exhibits=exhibits)


def measure(case: Case) -> dict[str, Number]:
    """The numbers, by key."""
    return _measure(case)[0]


def _measure(case: Case) -> tuple[dict[str, Number], Overlap | None]:
    if case.train is None or case.size < FEWEST:
        return {}, None
    made, train, held = case.equal()
    found, real = (overlap(side.seen_NF, held.seen_NF) for side in (made, train))
    numbers = {
        "diverse.recall": _share(found.recall, real.recall),
        "diverse.coverage": _share(found.coverage, real.coverage),
        "diverse.density": Number(
            value=float(found.density.mean()),
            ceiling=float(real.density.mean()),
            interval=mean_interval(found.density, case.seed),
        ),
        "diverse.unique": _unique(made.near_NC, train.near_NC),
    }
    return numbers, found


def _share(values: Array, ceiling: Array) -> Number:
    return Number(
        value=float(values.mean()),
        ceiling=float(ceiling.mean()),
        interval=share_interval(float(values.sum()), len(values)),
    )


def _unique(made_NC: Array, train_NC: Array) -> Number:
    """Samples without a twin, beside as many training examples without one."""
    real = gaps(train_NC)
    twin = TWIN * float(np.quantile(real, 0.05))
    return _share(gaps(made_NC) > twin, real > twin)


def _says(numbers: dict[str, Number]) -> str:
    covered, unique = numbers["diverse.coverage"], numbers["diverse.unique"]
    return (
        f"Of 100 real examples, {of_100(covered.value)} have a sample close by, where real ones would reach "
        f"{of_100(covered.ceiling or 0.0)}; {of_100(unique.value)} of 100 samples have no twin among the samples."
    )
