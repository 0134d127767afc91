"""From a material and its label to the answer: compared, decided, and made ready.

Used by ``Augmenter`` (data in memory) and by ``source.py`` (files). It returns what is to be added, never adds it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from ilk.core import events
from ilk.core.config import Record
from ilk.core.device import one_thread
from ilk.core.errors import Code, InputError, suggest
from ilk.tasks.augment.advised import Advised, advise
from ilk.tasks.augment.candidates import BALANCED, ROWS, SHARES, STRONGER, WEIGHTS, Additions, chosen_from
from ilk.tasks.augment.compare import Compared, Question, compare, for_generator
from ilk.tasks.augment.decide import Decision, decide
from ilk.tasks.augment.fitting import check_model, fit_model, fit_with
from ilk.tasks.augment.labels import Label
from ilk.tasks.augment.material import Made, Material, UnableError
from ilk.tasks.augment.metrics import find_metric
from ilk.tasks.augment.words import explain, say, warn

FEWEST = 20  # rows
INSTEAD = ("logistic", "average", "three")  # models that a usual one is held against, where the material has them


class Wish(Record, frozen=True):
    """What the user asked for; see :class:`ilk.tasks.augment.estimator.Augmenter`."""

    model: Any = None
    scoring: Any = None
    candidates: Sequence[str] | None = None
    folds: int | None = None
    minutes: float = 3.0
    seed: int = 0


class Answer(msgspec.Struct):
    """What is to be done.

    Attributes:
        decision: all numbers.
        name: the candidate that is carried out, or ``stronger model``.
        says: the answer in one sentence.
        advice: what kind of gain it is, and what would do better.
        model: fitted as decided.
        made: what is to be added; None where nothing is.
        fingerprint: of the generator that made it; empty where none did.
    """

    decision: Decision
    name: str
    says: str
    advice: str
    model: Advised
    made: Made | None = None
    fingerprint: str = ""


def answer(material: Material, label: Label, wish: Wish, on: events.Sink) -> Answer:
    """Compare, decide, and fit what was decided on all rows.

    Raises:
        InputError: the model, the metric or a candidate is none, or there are too few rows.
    """
    with one_thread():
        return _answer(material, label, wish, on)


def _answer(material: Material, label: Label, wish: Wish, on: events.Sink) -> Answer:
    question, instead, called = ask(material, label, wish)
    compared = compare(question, on)
    decision = decide(compared, question.candidates, question.stronger, question.metric, label, wish.seed)
    if decision.stronger and instead:
        name = STRONGER
        model = Advised(fit_model(question.stronger[decision.stronger], _all(material), label.code_N, label), label)
        made, fingerprint = None, ""
    else:
        name = decision.name
        on(events.Stage(says=f"fitting the model on all rows ({name})"))
        model, made, fingerprint = carry_out(question, name, compared)
    says, advice = say(decision, label.name, model=called, instead=instead), explain(decision, instead=instead)
    if teller := material.teller(label):
        advice = f"{warn(teller, label.name)} {advice}".strip()
    return Answer(decision, name, says, advice, model, made, fingerprint)


def ask(material: Material, label: Label, wish: Wish) -> tuple[Question, bool, str]:
    """What is compared; whether a stronger model may be the answer; what the user's model is called."""
    if len(material) < FEWEST:
        raise InputError(Code.TOO_FEW, f"There are {len(material)} examples; to compare anything takes {FEWEST}.")
    if wish.minutes <= 0:
        raise InputError(Code.COUNT, f"minutes must be above 0, not {wish.minutes}.")
    if wish.folds is not None and not 2 <= wish.folds <= 20:
        raise InputError(Code.COUNT, f"folds must be from 2 to 20, not {wish.folds}.")
    metric, candidates = find_metric(wish.scoring), chosen_from(material.changed, wish.candidates)
    known: Mapping[str, Any] = material.models(wish.seed) if wish.model is None or isinstance(wish.model, str) else {}
    if isinstance(wish.model, str) and wish.model not in known:
        raise InputError(Code.OPTION, f'There is no model "{wish.model}"; {suggest(wish.model, known)}.')
    called = wish.model if isinstance(wish.model, str) else next(iter(known), type(wish.model).__name__)
    model = known[called] if known else wish.model
    check_model(model)
    stronger = {name: each for name, each in _reference(material, known, wish).items() if name != called}
    question = Question(
        material=material,
        label=label,
        model=model,
        stronger=stronger,
        candidates=candidates,
        metric=metric,
        folds=wish.folds or material.folds,
        seed=wish.seed,
        minutes=wish.minutes,
        since=time.monotonic(),
    )
    return question, wish.model is None, called


def _reference(material: Material, known: Mapping[str, Any], wish: Wish) -> Mapping[str, Any]:
    """The models that the user's is held against; none where these rows are nothing that usual models read."""
    try:
        models = known or material.models(wish.seed)
    except InputError:
        return {}
    return {name: models[name] for name in INSTEAD if name in models}


def carry_out(question: Question, name: str, compared: Compared) -> tuple[Advised, Made | None, str]:
    """The model refitted as decided, what is added to its rows, and by which generator."""
    material, label = question.material, question.label
    made, fingerprint = None, ""
    if question.candidates[name].tier == ROWS:
        rows = np.arange(len(material))
        additions = Additions(material, rows, label, question.seed + question.folds, for_generator(question))
        try:
            made = additions.of(name)
        except UnableError as error:
            raise InputError(Code.TOO_FEW, f"{name} was best, and on all rows {error}.") from None
        if name in SHARES or name == BALANCED:
            fingerprint = additions.maker.fingerprint
        fitted = fit_with(question.model, material, rows, made, label)
    else:
        fitted = fit_model(question.model, _all(material), label.code_N, label, weighted=name == WEIGHTS)
    return advise(name, fitted, compared, label, question.metric), made, fingerprint


def _all(material: Material) -> Any:
    return material.part(np.arange(len(material)))
