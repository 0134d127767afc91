"""Private? Can one tell from the samples, or from the model, who was among the training examples?

Two attacks, each with a number of its own (``judge/membership.py``). A low number is no proof: a better attacker may
come, and the answer says what was tried, not that nothing leaks.
"""

from __future__ import annotations

import numpy as np

from ilk.core.protocol import Array
from ilk.judge.case import Case
from ilk.judge.copies import ALARM
from ilk.judge.membership import ACCUSED, Attack, attack, closeness
from ilk.judge.questions.new import why_not
from ilk.judge.questions.tell import absent, of_100
from ilk.judge.record import Answer, Number


def ask(case: Case) -> Answer:
    """The answer."""
    why = why_not(case)
    if why:
        return absent("private", why)
    numbers = measure(case)
    return Answer(question="private", says=_says(numbers), numbers=numbers)


def measure(case: Case) -> dict[str, Number]:
    """The numbers, by key; none where they cannot be had."""
    if why_not(case):
        return {}
    assert case.pool is not None
    pool = case.pool
    members, others = pool.single & pool.trained, pool.single & ~pool.trained
    scores = closeness(pool, case.made.near_NC)
    numbers = _numbers("membership", attack(scores[members], scores[others], case.seed))
    inside = _opinions(case)
    if inside is not None:
        inner, outer = inside[0][pool.rows[members]], inside[1][pool.rows[others]]
        if np.isfinite(inner).any() and np.isfinite(outer).any():
            numbers |= _numbers("opinion", attack(inner, outer, case.seed))
    return numbers


def _opinions(case: Case) -> tuple[Array, Array] | None:
    """The engine's opinion of all training and held-out examples, where it gave one for each."""
    given = case.subject.opinions
    if given is None:
        return None
    train, held = (np.asarray(part, dtype=np.float64).reshape(-1) for part in given)
    fits = len(train) == len(case.subject.train) and len(held) == len(case.subject.holdout)
    return (train, held) if fits else None


def _numbers(name: str, found: Attack) -> dict[str, Number]:
    numbers = {f"private.{name}_auc": Number(value=found.auc, ceiling=0.5, interval=found.interval, p=found.p)}
    if found.found is not None:
        numbers[f"private.{name}_tpr"] = Number(value=found.found, ceiling=ACCUSED, interval=found.found_interval)
    return numbers


def _says(numbers: dict[str, Number]) -> str:
    areas = {key: number for key, number in numbers.items() if key.endswith("_auc")}
    strongest = max(areas, key=lambda key: areas[key].value)
    number, who = areas[strongest], "the samples" if "membership" in strongest else "the model itself"
    told = of_100(max(0.5, number.value))
    says = f"An attacker with {who} tells training from held-out examples {told} times in 100, where 50 is a guess"
    if (number.p or 0.0) * len(areas) <= ALARM:  # the best of two was picked
        return f"{says}: something of who was in leaks out."
    return f"{says}: these attacks find nothing, which does not prove that none could."
