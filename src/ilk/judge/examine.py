"""Ask the five questions about a model's samples. The one way in; open ``case.py`` next, then ``questions/``."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ilk.core.events import Sink, Stage, ignore
from ilk.core.protocol import Features
from ilk.judge.case import Case, prepare
from ilk.judge.own import join_own
from ilk.judge.questions import diverse, new, private, real, useful
from ilk.judge.record import Answer, Number, Subject

__all__ = ["Findings", "Subject", "examine"]

ASKED: tuple[tuple[str, Callable[[Case], Answer], Callable[[Case], dict[str, Number]]], ...] = (
    ("how real they are", real.ask, real.measure),
    ("how diverse they are", diverse.ask, diverse.measure),
    ("how new they are", new.ask, new.measure),
    ("what they are useful for", useful.ask, useful.measure),
    ("what they give away", private.ask, private.measure),
)


class Findings(NamedTuple):
    """What judging found: the five answers in order, and what was left out and why."""

    answers: tuple[Answer, ...]
    skipped: tuple[str, ...]


def examine(subject: Subject, encoder: Features, close: Features, on: Sink = ignore) -> Findings:
    """Judge samples beside what real held-out examples get on the same tests.

    Sets may be empty or None, features may be no numbers, a holdout may overlap the training examples: what cannot
    be answered is absent with its reason. The same subject and seed give the same answers.

    Args:
        subject: three sets of objects that went through the same codec, and what is known of them.
        encoder: features of what objects show: (N, F) floats.
        close: features in which near means a copy: (N, C) floats. Fit them to training and held-out examples
            alike: those that know the training examples alone bring the held-out ones nearer to everything.
        on: takes a stage for each part.
    """
    prepared = prepare(subject, encoder, close, on)
    answers = []
    for place, (says, ask, measure) in enumerate(ASKED):
        on(Stage(says=f"asking {says}", done=place, of=len(ASKED)))
        answer = ask(prepared.case)
        if prepared.other is not None and answer.numbers:
            answer = _beside(answer, measure(prepared.other))
        answers.append(answer)
    on(Stage(says="asking what is special to the kind", done=len(ASKED) - 1, of=len(ASKED)))
    return Findings(join_own(answers, subject, against=prepared.other is not None), prepared.skipped)


def _beside(answer: Answer, others: dict[str, Number]) -> Answer:
    """The answer with the other samples' numbers in their column."""
    numbers = {
        key: msgspec.structs.replace(number, other=others[key].value) if key in others else number
        for key, number in answer.numbers.items()
    }
    return msgspec.structs.replace(answer, numbers=numbers)
