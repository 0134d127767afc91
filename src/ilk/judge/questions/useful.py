"""Useful? Could samples stand in for real examples where a classifier learns from them?

Train on synthetic, test on real: Esteban, Hyland, Raetsch, "Real-valued (medical) time series generation with
recurrent conditional GANs", 2017.
"""

from __future__ import annotations

import numpy as np

from ilk.core.bootstrap import share_interval
from ilk.judge.case import Case, Side, take
from ilk.judge.grader import classify
from ilk.judge.questions.tell import absent, of_100
from ilk.judge.record import Answer, Number

FEWEST = 10


def why_not(case: Case) -> str:
    """Why the question cannot be asked, or nothing."""
    if case.subject.train_labels is None:
        return "The examples have no classes, so there is nothing that a classifier could learn from the samples."
    if case.samples.labels is None:
        return "The samples have no classes, so a classifier cannot learn from them."
    if case.train is None or case.holdout is None or case.holdout.labels is None:
        return "There are too few examples with a class to test a classifier on."
    made, train, held = (_known(side) for side in (case.samples, case.train, case.holdout))
    if min(len(side.objects) for side in (made, train, held)) < FEWEST:
        return "There are too few examples or samples with a class to test a classifier on."
    if min(len(np.unique(np.asarray(side.labels))) for side in (train, held)) < 2:
        return "All examples are of one class, so there is nothing to tell apart."
    return ""


def ask(case: Case) -> Answer:
    """The answer."""
    why = why_not(case)
    if why:
        return absent("useful", why)
    numbers = measure(case)
    right = numbers["useful.train_synthetic_test_real"]
    says = (
        f"A classifier that learned from samples alone is right about {of_100(right.value)} of 100 real examples; one "
        f"that learned from as many real ones, about {of_100(right.ceiling or 0.0)}."
    )
    return Answer(question="useful", says=says, numbers=numbers)


def measure(case: Case) -> dict[str, Number]:
    """The numbers, by key; none where they cannot be had."""
    if why_not(case):
        return {}
    assert case.train is not None
    assert case.holdout is not None
    made, train, held = (_known(side) for side in (case.samples, case.train, case.holdout))
    count = min(len(made.objects), len(train.objects))
    right = [
        classify(side.seen_NF[:count], np.asarray(side.labels)[:count], held.seen_NF, case.seed) == held.labels
        for side in (made, train)
    ]
    hits = float(right[0].sum())
    return {
        "useful.train_synthetic_test_real": Number(
            value=float(right[0].mean()), ceiling=float(right[1].mean()), interval=share_interval(hits, len(right[0]))
        )
    }


def _known(side: Side) -> Side:
    """Those that have a class."""
    labels = np.asarray(side.labels)
    keep = np.flatnonzero(labels != "")
    return Side(take(side.objects, keep), side.seen_NF[keep], side.near_NC[keep], labels[keep])
