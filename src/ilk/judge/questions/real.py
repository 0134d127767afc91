"""Real? Does what was made look like the examples, by what it shows?

Precision (who is inside the real examples' surroundings), the Frechet distance (all of them together), a fresh
grader (what anything at all gives away), the kind's own check, and the class that was asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ilk.core.bootstrap import auc_interval, share_interval
from ilk.core.protocol import Array, Exhibit
from ilk.judge.case import MOST, Case, Side, take
from ilk.judge.frechet import directions, frechet
from ilk.judge.grader import FEWEST as FEWEST_GRADED
from ilk.judge.grader import Grades, classify, grade, sharpest
from ilk.judge.manifold import overlap
from ilk.judge.questions.tell import absent, of_100, sheet
from ilk.judge.record import Answer, Number, Row

MOST_CLASSES = 40
FEWEST_OF_CLASS = 10
SHOWN = 16


def ask(case: Case) -> Answer:
    """The answer, with class rows where there are classes."""
    if len(case.made.rows) == 0:
        return absent("real", "There are no samples to judge.")
    numbers, grades = _measure(case)
    exhibits: tuple[Exhibit, ...] = ()
    if grades is not None:
        worst = np.argsort(-grades.first, kind="stable")[:SHOWN]
        objects = case.samples.first(len(grades.first)).objects
        exhibits = sheet(case.subject.kind, objects, worst.tolist(), "samples that the grader finds least real")
    return Answer(
        question="real", says=_says(numbers, _rules(case)), numbers=numbers, exhibits=exhibits, rows=rows(case)
    )


def measure(case: Case) -> dict[str, Number]:
    """The numbers, by key."""
    return _measure(case)[0]


def _measure(case: Case) -> tuple[dict[str, Number], Grades | None]:
    numbers: dict[str, Number] = {}
    grades = None
    if case.train is not None and case.size >= FEWEST_OF_CLASS:
        made, train, held = case.equal()
        inside, ceiling = (overlap(side.seen_NF, held.seen_NF).precision for side in (made, train))
        numbers["real.precision"] = _share(inside, ceiling)
        basis = directions(train.seen_NF, case.size)
        numbers["real.frechet"] = Number(
            value=frechet(made.seen_NF, held.seen_NF, basis), ceiling=frechet(train.seen_NF, held.seen_NF, basis)
        )
        if case.size >= FEWEST_GRADED:
            numbers["real.critic_auc"], grades = _graded(made, train, held, case.seed)
    numbers["real.valid"] = _valid(case)
    agreement = _agreement(case)
    if agreement is not None:
        numbers["real.class_agreement"] = _share(*agreement)
    return numbers, grades


def _share(values: Array, ceiling: Array | None) -> Number:
    count = len(values)
    real = float(ceiling.mean()) if ceiling is not None and len(ceiling) else None
    return Number(value=float(values.mean()), ceiling=real, interval=share_interval(float(values.sum()), count))


def _graded(made: Side, train: Side, held: Side, seed: int) -> tuple[Number, Grades]:
    """The sharper grader's area, and what the same one gets from real against real."""
    found, make = sharpest(made.both, held.both, seed)
    real = grade(train.both, held.both, make, seed)
    count = len(made.objects)
    return Number(value=found.auc, ceiling=real.auc, interval=auc_interval(found.auc, count, count)), found


def _valid(case: Case) -> Number:
    check, broken = case.subject.kind.check, case.subject.broken

    def clean(objects: Any) -> Array:
        found = np.array([not check(each) for each in objects], dtype=bool)
        for rows in broken(objects).values() if broken is not None and len(found) else ():
            found &= ~rows
        return found

    made = clean(take(case.made.objects, case.made.rows[:MOST]))
    return _share(made, clean(case.holdout.objects) if case.holdout is not None else None)


def _agreement(case: Case) -> tuple[Array, Array | None] | None:
    """Whether a classifier of real examples sees the asked class, of samples and of held-out examples."""
    train, held, made = case.train, case.holdout, case.samples
    if train is None or held is None or train.labels is None or made.labels is None or not (made.labels != "").any():
        return None
    known = train.labels != ""
    if len(np.unique(train.labels[known])) < 2:
        return None
    asked = [side for side in (made, held) if side.labels is not None]
    rows = np.concatenate([side.seen_NF for side in asked])
    seen = classify(train.seen_NF[known], train.labels[known], rows, case.seed)
    parts = np.split(seen, [len(made.seen_NF)])
    right = [_right(part, side) for part, side in zip(parts, asked, strict=False)]
    return right[0], right[1] if len(right) > 1 else None


def _right(seen: Array, side: Side) -> Array:
    """Whether what was seen is the class, of those that have one."""
    labels = np.asarray(side.labels)
    return np.asarray((seen == labels)[labels != ""])


def rows(case: Case) -> tuple[Row, ...]:
    """A row for each class of the samples, at most 40, the most frequent ones."""
    agreed = _agreement(case)
    made, held, train = case.samples, case.holdout, case.train
    if agreed is None or held is None or train is None or made.labels is None:
        return ()
    asked, true = made.labels[made.labels != ""], None if held.labels is None else held.labels[held.labels != ""]
    names, counts = np.unique(asked, return_counts=True)
    kept = sorted(names[np.argsort(-counts, kind="stable")][:MOST_CLASSES].tolist())
    table = []
    for name in kept:
        real = None if true is None or agreed[1] is None else agreed[1][true == name]
        numbers = {"real.class_agreement": _share(agreed[0][asked == name], real)} | _of_class(name, made, train, held)
        table.append(Row(name=name, numbers=numbers))
    return tuple(table)


def _of_class(name: str, made: Side, train: Side, held: Side) -> dict[str, Number]:
    """Precision and coverage within a class; nothing where there are fewer than ten of it anywhere."""
    within = [side.seen_NF[side.labels == name] for side in (made, held, train) if side.labels is not None]
    count = min(len(part) for part in within)
    if len(within) < 3 or count < FEWEST_OF_CLASS:
        return {}
    found, real = (overlap(part[:count], within[1][:count]) for part in (within[0], within[2]))
    return {
        "real.precision": _share(found.precision, real.precision),
        "diverse.coverage": _share(found.coverage, real.coverage),
    }


def _rules(case: Case) -> str:
    """How samples keep the rules that all examples obey; empty where there are none."""
    made = take(case.made.objects, case.made.rows[:MOST])
    found = case.subject.broken(made) if case.subject.broken is not None and len(made) else {}
    worst = {rule: float(rows.mean()) for rule, rows in found.items() if rows.any()}
    if not found:
        return ""
    if not worst:
        return (
            f" Every sample keeps the {len(found)} rules that your examples keep."
            if len(found) > 1
            else (f" Every sample keeps the rule that your examples keep ({next(iter(found))}).")
        )
    rule = max(worst, key=lambda each: worst[each])
    return f" A rule that your examples keep is broken: {rule}, by {worst[rule]:.1%} of the samples."


def _says(numbers: dict[str, Number], rules: str) -> str:
    valid = numbers["real.valid"]
    if "real.precision" not in numbers:
        return (
            f"Of 100 samples, nothing is wrong with {of_100(valid.value)}; there are too few examples to say whether "
            f"they look like yours.{rules}"
        )
    looks = numbers["real.precision"]
    says = (
        f"Of 100 samples, {of_100(looks.value)} look like your examples to the judge; of 100 real ones it says so of "
        f"{of_100(looks.ceiling or 0.0)}."
    )
    if "real.critic_auc" in numbers:
        told = max(0.5, numbers["real.critic_auc"].value)
        says += f" A grader tells a sample from a real one {of_100(told)} times in 100, where 50 is a guess."
    return says + rules
