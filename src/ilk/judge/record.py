"""What a report card is: questions with numbers, exhibits and sentences. Plain records, no computing.

``report.json`` is this record without the bytes of its exhibits; ``index.html`` is drawn from it.
"""

from __future__ import annotations

from typing import Any, Literal

from ilk.core.config import Record
from ilk.core.protocol import Exhibit

Name = Literal["real", "diverse", "new", "useful", "private"]
QUESTIONS: tuple[Name, ...] = ("real", "diverse", "new", "useful", "private")


class Number(Record, frozen=True):
    """One measured number, beside what real held-out data gets on the same test.

    ``ceiling`` is that reference (None where there is none); ``interval`` is 95 %; ``p`` the permutation p
    of a test; ``other`` the same number of what the report is held against (``--against``).
    """

    value: float
    ceiling: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    other: float | None = None


class Row(Record, frozen=True):
    """One row of a table: a class and its numbers, by the same keys."""

    name: str
    numbers: dict[str, Number]


class Answer(Record, frozen=True):
    """One question's answer.

    ``says`` is one plain sentence. ``absent`` is the reason where the question cannot be asked; then there
    are no numbers. Keys of ``numbers`` are ``QUESTION.NAME``, such as ``real.precision``.
    """

    question: Name
    says: str
    numbers: dict[str, Number] = {}
    exhibits: tuple[Exhibit, ...] = ()
    rows: tuple[Row, ...] = ()
    absent: str = ""


class Stage(Record, frozen=True):
    """What the model made at a moment of its fit: ``early``, ``middle``, ``late``."""

    name: str
    step: int
    exhibit: Exhibit


class Curve(Record, frozen=True):
    """A metric of the fit over its steps."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


class Report(Record, frozen=True):
    """A report card.

    Attributes:
        title: what is judged: the model's name.
        facts: short lines about model and data, label -> text.
        counts: how many examples each number rests on: ``train``, ``holdout``, ``samples``.
        encoder: which features the numbers come from, how good they are, what they cannot be compared with.
        against: what the column ``other`` is, empty without one.
        answers: the five questions, in order.
        samples: exhibits of samples and of real examples, for the eye.
        stages: what was made early, in the middle and late.
        curves: the fit's metrics.
        skipped: what was left out, and why.
    """

    title: str
    kind: str
    made: str  # ISO 8601, UTC
    ilk: str
    model: str  # fingerprint
    facts: dict[str, str]
    counts: dict[str, int]
    encoder: str
    answers: tuple[Answer, ...]
    against: str = ""
    samples: tuple[Exhibit, ...] = ()
    stages: tuple[Stage, ...] = ()
    curves: tuple[Curve, ...] = ()
    skipped: tuple[str, ...] = ()
    seconds: float = 0.0

    def numbers(self) -> dict[str, Number]:
        """All numbers by key."""
        return {key: number for answer in self.answers for key, number in answer.numbers.items()}


class Subject(Record, frozen=True):
    """What is judged, as the generator hands it over: three sets that went through the same codec.

    Attributes:
        kind: the kind of the objects.
        train, holdout, made: objects of the kind; ``made`` are samples drawn as the model draws by default.
        train_labels, holdout_labels, made_labels: a class for each object, or None without classes.
        opinions: the engine's own opinion how real (train, holdout) are: an attack on membership; or None.
        other: samples of what the model is held against, or None.
        seed: seed of all that is drawn in judging.
        names: a name for each training example (a file's), to show beside a near copy; may be empty.
        score: objects -> (N,) log-likelihood under the model in nats, or None where it has none.
        broken: objects -> which of them, (N,) bool, break which rule that all examples obey; None without rules.
    """

    kind: Any
    train: Any
    holdout: Any
    made: Any
    train_labels: Any = None
    holdout_labels: Any = None
    made_labels: Any = None
    opinions: Any = None
    other: Any = None
    seed: int = 0
    names: tuple[str, ...] = ()
    score: Any = None
    broken: Any = None
