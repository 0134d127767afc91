"""New? Are samples more than training examples handed back? The tests are told in ``judge/copies.py``."""

from __future__ import annotations

import numpy as np

from ilk.core.bootstrap import share_interval, unit_interval
from ilk.core.distances import nearest
from ilk.core.protocol import Array, Exhibit
from ilk.judge.case import MOST, Case
from ilk.judge.copies import ALARM, Copies, near_copies, share
from ilk.judge.questions.tell import PAIRS, absent, of_100, pairs
from ilk.judge.record import Answer, Number

FEWEST_SINGLE = 5  # training examples that occur once
NAMED = 8


def why_not(case: Case) -> str:
    """Why copies cannot be told from new ones, or nothing."""
    if len(case.made.rows) == 0:
        return "There are no samples to judge."
    if len(case.whole_train.rows) == 0:
        return "The training examples are not here, so copies of them cannot be looked for."
    if case.pool is None:
        return "No examples were held out, so a copy cannot be told from a likeness."
    if not (case.pool.single & ~case.pool.trained).any():
        return "No held-out example is left that is not among the training examples, so nothing can be compared."
    if (case.pool.single & case.pool.trained).sum() < FEWEST_SINGLE:
        return "Nearly all training examples occur more than once, so that one comes again means nothing."
    return ""


def ask(case: Case) -> Answer:
    """The answer, with the nearest training example beside samples and, where there are copies, their pairs."""
    why = why_not(case)
    if why:
        return absent("new", why)
    found = _copies(case)
    numbers = _numbers(case, found)
    return Answer(question="new", says=_says(numbers, found), numbers=numbers, exhibits=_exhibits(case, found))


def measure(case: Case) -> dict[str, Number]:
    """The numbers, by key; none where they cannot be had."""
    return {} if why_not(case) else _numbers(case, _copies(case))


def _copies(case: Case) -> Copies:
    assert case.pool is not None
    return near_copies(case.made.near_NC, case.pool)


def _numbers(case: Case, found: Copies) -> dict[str, Number]:
    assert case.pool is not None
    made, count = case.made.near_NC, len(case.made.rows)
    units = nearest(made, case.pool.near_NC, 1)[1][:, 0]
    fresh = np.ones(count)
    fresh[found.samples] = 0
    groups = len(np.unique(units))
    alike = share_interval(fresh[0] * groups, groups) if fresh.min() == fresh.max() else None  # nothing to draw from
    shares = share(made, case.pool, case.seed)
    return {
        "new.memorised": Number(
            value=found.found / found.trained,
            ceiling=found.found_held / found.held,
            interval=share_interval(found.found, found.trained),
            p=found.p,
        ),
        "new.novel": Number(
            value=float(fresh.mean()),
            ceiling=1 - found.real,
            interval=alike or unit_interval(fresh, np.ones(count), units, case.seed),
        ),
        "new.share": Number(value=shares.value, ceiling=0.5, interval=shares.interval, p=shares.p),
        **_distance(case, made),
    }


def _distance(case: Case, made_NC: Array) -> dict[str, Number]:
    """How far samples are from the nearest training example, over how far held-out ones are (medians)."""
    assert case.pool is not None
    held = case.pool.near_NC[case.pool.single & ~case.pool.trained]
    to_made, to_held = (
        float(np.median(nearest(each, case.whole_train.near_NC, 1)[0])) for each in (made_NC[:MOST], held[:MOST])
    )
    return {"new.distance": Number(value=to_made / to_held, ceiling=1.0)} if to_held > 0 else {}


def _exhibits(case: Case, found: Copies) -> tuple[Exhibit, ...]:
    kind, train, made = case.subject.kind, case.whole_train, case.made
    some = np.arange(min(len(made.rows), 2 * PAIRS[-1]))[: PAIRS[-1]]
    beside = nearest(made.near_NC[some], train.near_NC, 1)[1][:, 0]
    shown: tuple[Exhibit, ...] = pairs(
        kind,
        (made.objects, made.rows[some]),
        (train.objects, train.rows[beside]),
        "each sample, and beside it the training example that is nearest to it",
    )
    copies, first = _one_each(found)
    if len(copies):
        names = case.subject.names
        told = [names[row] for row in first[:NAMED] if row < len(names)]
        caption = "the closest near copies, and beside each the training example"
        caption += f" ({', '.join(told)}{', ...' if len(first) > len(told) else ''})" if told else ""
        left, right = (made.objects, made.rows[copies]), (train.objects, first)
        shown = (*pairs(kind, left, right, caption), *shown)
    return shown


def _one_each(found: Copies) -> tuple[Array, Array]:
    """The closest sample of each training example that came back."""
    first = np.sort(np.unique(found.originals, return_index=True)[1])
    return found.samples[first], found.originals[first]


def _says(numbers: dict[str, Number], found: Copies) -> str:
    if found.found == 0:
        return f"No sample is a near copy of one of the {found.trained:,} training examples."
    held = f"and of {found.held:,} held-out ones, which it never saw, {found.found_held:,}"
    back = f"f {found.trained:,} training examples, {found.found:,} came back nearly unchanged in the samples, {held}"
    if found.p <= ALARM:
        told, real = of_100(1 - numbers["new.novel"].value), of_100(found.real)
        near = f"{told} of 100 samples are near copies, and {real} of 100 real ones as near to another"
        return f"It hands back training examples: {near}; o{back}."
    return f"O{back}: no more than chance explains, so there is no sign that it copies."
