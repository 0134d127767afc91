"""A kind's own numbers in the answers to the five questions. Knows keys and sentences, and nothing of what is measured.

A kind that is ``Measuring`` looks at the samples itself; each ``Finding`` becomes a number of the question that its key
begins with, its sentence is added to the answer's, its exhibits to the answer's. A question that could not be asked is
answered by what joins it, and still says why the rest is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ilk.core.errors import BugError, Code
from ilk.core.offers import Measuring
from ilk.core.protocol import Array, Finding, Witness
from ilk.judge.record import QUESTIONS, Answer, Number, Subject


def join_own(answers: Sequence[Answer], subject: Subject, *, against: bool) -> tuple[Answer, ...]:
    """The answers with the kind's own numbers.

    Args:
        answers: the five.
        subject: what is judged; its kind may have numbers of its own.
        against: whether what it is held against gets a column.
    """
    if not isinstance(subject.kind, Measuring):
        return tuple(answers)
    found = _measured(subject, subject.made, subject.score)
    # Whose samples they are has no likelihood here: what needs one has no second column.
    other = {each.key: each.value for each in _measured(subject, subject.other, None)} if against else {}
    return tuple(_joined(each, [f for f in found if f.key.startswith(f"{each.question}.")], other) for each in answers)


def _measured(subject: Subject, made: Any, score: Callable[[Sequence[Any]], Array] | None) -> Sequence[Finding]:
    """What the kind finds, each of it announced in its ``measures``.

    Raises:
        BugError: a number that the kind did not announce, or of no question.
    """
    kind = subject.kind
    if made is None or len(made) == 0:
        return ()
    train, holdout = ((() if each is None else each) for each in (subject.train, subject.holdout))
    witness = Witness(made=made, train=train, holdout=holdout, names=subject.names, score=score, seed=subject.seed)
    found: Sequence[Finding] = kind.measure(witness)
    known = {each.key for each in kind.measures}
    for each in found:
        if each.key not in known or each.key.partition(".")[0] not in QUESTIONS:
            sentence = f"The kind {kind.name} measured {each.key}, which it does not announce for one of the questions."
            raise BugError(Code.BUG, sentence)
    return found


def _joined(answer: Answer, found: Sequence[Finding], other: dict[str, float]) -> Answer:
    """The answer with what the kind found for its question."""
    if not found:
        return answer
    numbers = {
        each.key: Number(value=each.value, ceiling=each.ceiling, interval=each.interval, other=other.get(each.key))
        for each in found
    }
    own = [each.says for each in found if each.says]
    return msgspec.structs.replace(
        answer,
        says=" ".join(own if answer.absent and own else [answer.says, *own]),
        numbers={**answer.numbers, **numbers},
        exhibits=(*answer.exhibits, *(exhibit for each in found for exhibit in each.exhibits)),
        absent="",
    )
