"""Inner cross-validation: every candidate on the same folds, its predictions for the rows that were held out.

Whatever a candidate learns, it learns from the training part of a fold: the model, the generator, the neighbours of
SMOTE. Corrections of predictions (``adjust.py``) are chosen on the predictions of the other folds. Nothing here
decides.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
from sklearn.model_selection import StratifiedKFold

from ilk.core import events
from ilk.core.config import Record
from ilk.core.protocol import Array
from ilk.tasks.augment.adjust import fit_temperature, fit_threshold, likeliest, named_from, shifted, tempered
from ilk.tasks.augment.candidates import NOTHING, PRIOR, RECALIBRATION, ROWS, THRESHOLD, WEIGHTS, Additions, Candidate
from ilk.tasks.augment.fitting import fit_model, fit_with, probabilities
from ilk.tasks.augment.labels import Label
from ilk.tasks.augment.material import UnableError
from ilk.tasks.augment.metrics import METRICS, Metric, Predicted
from ilk.tasks.augment.metrics import THRESHOLD as NAMING

OPENING = 1 / 2  # share of the time after which the first fold tries no further candidate
MAKING = 0.4  # share of the time that generators may learn in, where theirs is counted in minutes
ENDING = 1.3  # folds' time that is kept for fitting generator and model on all rows


class Question(Record, frozen=True):
    """What is to be compared, and in how much time."""

    material: Any
    label: Label
    model: Any
    stronger: Mapping[str, Any]
    candidates: Mapping[str, Candidate]
    metric: Metric
    folds: int
    seed: int
    minutes: float
    since: float  # time.monotonic() at which it was asked


class Compared(msgspec.Struct):
    """Predictions for the rows that were held out.

    Attributes:
        row_N: (N,) these rows, in the order of the predictions.
        fold_N: (N,) the fold that held each out.
        share: rows held out over the rows of one training part; what one fold's gain says of another rests on it.
        predicted: by candidate, and by stronger model.
        absent: by candidate, why it could not be compared.
        seconds: by candidate, what it cost.
        folds: how many were done.
    """

    row_N: Array
    fold_N: Array
    share: float
    predicted: dict[str, Predicted]
    absent: dict[str, str]
    seconds: dict[str, float]
    folds: int


def compare(asked: Question, on: events.Sink) -> Compared:
    """Compare all candidates on the same folds, as many folds as the time allows."""
    label = asked.label
    count = max(2, min(asked.folds, int(label.counts.min())))
    splitter = StratifiedKFold(count, shuffle=True, random_state=asked.seed % 2**32)
    parts: list[tuple[Array, dict[str, Array]]] = []
    absent: dict[str, str] = {}
    seconds: dict[str, float] = {}
    longest, share = 0.0, 0.0
    for place, (train, test) in enumerate(splitter.split(np.zeros(len(label.code_N)), label.code_N)):
        left = asked.since + 60 * asked.minutes - time.monotonic()
        if parts and left < (1 + ENDING) * longest:
            on(events.Note(says=f"time for {place} of {count} folds; --minutes gives more"))
            break
        on(events.Stage(says="comparing", done=place, of=count))
        started = time.monotonic()
        found = _fold(asked, train, test, place, absent, seconds)
        longest = max(longest, time.monotonic() - started)
        parts.append((test, found))
        share += len(test) / len(train)
    return _joined(asked, parts, absent, seconds, share)


def _fold(
    asked: Question, train: Array, test: Array, place: int, absent: dict[str, str], seconds: dict[str, float]
) -> dict[str, Array]:
    """(n, K) predictions for the rows of one fold by each that learns."""
    material, label = asked.material, asked.label
    X_train, X_test, code = material.part(train), material.part(test), label.code_N[train]
    additions = Additions(material, train, label, asked.seed + place, for_generator(asked))
    started = time.monotonic()
    found: dict[str, Array] = {}
    for name in _learners(asked):
        if name in absent:
            continue
        begun = time.monotonic()
        if not place and found and begun - started > OPENING * 60 * asked.minutes:
            absent[name] = "no time was left"
            continue
        try:
            if name in asked.stronger:
                fitted = fit_model(asked.stronger[name], X_train, code, label)
            elif name in (NOTHING, WEIGHTS):
                fitted = fit_model(asked.model, X_train, code, label, weighted=name == WEIGHTS)
            else:
                fitted = fit_with(asked.model, material, train, additions.of(name), label)
        except UnableError as error:
            absent[name] = str(error)
            continue
        found[name] = probabilities(fitted, X_test, label)
        seconds[name] = seconds.get(name, 0.0) + time.monotonic() - begun
    return found


def for_generator(asked: Question) -> float:
    """Minutes of one fit of the generator: a share of all, over the folds and the fit on all rows."""
    return asked.minutes * MAKING / (asked.folds + 1)


def _learners(asked: Question) -> Iterator[str]:
    """What learns, cheap before dear: when the time ends, the cheap ones have been compared."""
    yield NOTHING
    yield from (name for name, each in asked.candidates.items() if name == WEIGHTS or each.tier == ROWS)
    yield from asked.stronger


def _joined(
    asked: Question,
    parts: list[tuple[Array, dict[str, Array]]],
    absent: dict[str, str],
    seconds: dict[str, float],
    share: float,
) -> Compared:
    row_N = np.concatenate([test for test, _ in parts])
    fold_N = np.concatenate([np.full(len(test), place) for place, (test, _) in enumerate(parts)])
    learned = [name for name in parts[0][1] if name not in absent]
    p = {name: np.concatenate([found[name] for _, found in parts]) for name in learned}
    predicted = {name: likeliest(p_NK) for name, p_NK in p.items()}
    predicted |= _adjusted(asked, p[NOTHING], row_N, fold_N, absent)
    order = [*asked.candidates, *asked.stronger]
    kept = {name: predicted[name] for name in order if name in predicted}
    return Compared(row_N, fold_N, share, kept, absent, seconds, len(parts))


def _adjusted(
    asked: Question, p_NK: Array, row_N: Array, fold_N: Array, absent: dict[str, str]
) -> dict[str, Predicted]:
    """The corrections that are free, each chosen on the other folds' predictions."""
    label, y_N = asked.label, asked.label.code_N[row_N]
    found: dict[str, Predicted] = {}
    for name in (RECALIBRATION, PRIOR, THRESHOLD):
        if name not in asked.candidates:
            continue
        if fold_N.max() < 1:
            absent[name] = "no time was left for a second fold"
        elif name == THRESHOLD and len(label.levels) != 2:
            absent[name] = "there are more than two classes"
        else:
            found[name] = _crossed(asked, name, p_NK, y_N, fold_N)
    return found


def _crossed(asked: Question, name: str, p_NK: Array, y_N: Array, fold_N: Array) -> Predicted:
    label = asked.label
    changed = Predicted(p_NK.copy(), p_NK.argmax(1))
    for fold in np.unique(fold_N):
        here, others = fold_N == fold, fold_N != fold
        if name == THRESHOLD:
            threshold = fit_threshold(p_NK[others], y_N[others], label.rarest, naming(asked.metric))
            part = named_from(p_NK[here], threshold, label.rarest)
        else:
            p_nK = tempered(p_NK[here], fit_temperature(p_NK[others], y_N[others]))
            part = likeliest(shifted(p_nK, label.counts / label.counts.sum()) if name == PRIOR else p_nK)
        changed.p_NK[here], changed.class_N[here] = part.p_NK, part.class_N
    return changed


def naming(metric: Metric) -> Metric:
    """The metric that a threshold is chosen by: the user's, where it looks at named classes."""
    return metric if metric.family == NAMING else METRICS["balanced_accuracy"]
