"""What is compared with what: the three sets as features, cleaned, of equal number, and what had to be left out.

Made once before the questions, which only read it. Knows objects through their kind, and nothing of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ilk.core.events import Sink, Stage
from ilk.core.protocol import Array, Features
from ilk.core.seeds import stream
from ilk.judge.frechet import kept
from ilk.judge.pool import Pool, pool
from ilk.judge.record import Subject

MOST = 2_000  # of each set, where every one is compared with every other
MOST_NEAR = {"train": 40_000, "holdout": 4_000, "made": 10_000, "other": 10_000}  # where copies are looked for
FEWEST = 20  # held-out examples that stand for real data on their own
FEWEST_REAL = 20  # real examples, below which nothing is compared
FEWEST_MADE = 10


class Near(NamedTuple):
    """A whole set by the features in which near means a copy; rows whose features are no numbers are gone."""

    objects: Any
    near_NC: Array
    rows: Array  # where each stood in what was handed in


class Side(NamedTuple):
    """At most 2,000 of a set: the objects, both features, and the class of each ("" where it has none)."""

    objects: Sequence[Any]
    seen_NF: Array
    near_NC: Array
    labels: Array | None

    def first(self, count: int) -> Side:
        """The first ``count``; sides come in random order."""
        labels = None if self.labels is None else self.labels[:count]
        return Side(take(self.objects, range(count)), self.seen_NF[:count], self.near_NC[:count], labels)

    @property
    def both(self) -> Array:
        """Both features beside each other."""
        return np.concatenate([self.seen_NF, self.near_NC], axis=1)


class Case(NamedTuple):
    """What the questions are asked about.

    Attributes:
        subject: what was handed in.
        made: all samples, as ``Near``.
        samples: of the samples, ``Side``; ``train`` and ``holdout`` of the real examples, or None where there are
            too few.
        size: how many of each side are compared where the numbers must be equal.
        halves: whether training examples had to stand for held-out ones.
        pool: all real examples, or None where none or all of them are held out.
        whole_train: the training examples that the pool's rows mean.
    """

    subject: Subject
    made: Near
    samples: Side
    train: Side | None
    holdout: Side | None
    size: int
    halves: bool
    pool: Pool | None
    whole_train: Near

    @property
    def seed(self) -> int:
        return self.subject.seed

    def equal(self) -> tuple[Side, Side, Side]:
        """Samples, training and held-out examples, equally many; only where there are such."""
        assert self.train is not None
        assert self.holdout is not None
        return self.samples.first(self.size), self.train.first(self.size), self.holdout.first(self.size)


class Prepared(NamedTuple):
    """The case of the samples, that of what they are held against, and what was left out in making them."""

    case: Case
    other: Case | None
    skipped: tuple[str, ...]


def take(objects: Any, rows: Any) -> Any:
    """Some of a kind's natural batch: of a list, an array, or a table that knows how to ``take``."""
    if isinstance(objects, np.ndarray):
        return objects[np.asarray(rows, dtype=np.int64)]
    if hasattr(objects, "take"):
        return objects.take(rows)
    return [objects[int(row)] for row in rows]


def prepare(subject: Subject, encoder: Features, close: Features, on: Sink) -> Prepared:
    """Features of everything that will be compared.

    Args:
        subject: the three sets; a set that is None or empty is no set.
        encoder: features of what objects show.
        close: features in which near means a copy.
        on: takes the stages.
    """
    skipped: list[str] = []
    on(Stage(says="looking for copies"))
    near = {name: _near(name, getattr(subject, name), close, subject.seed, skipped) for name in MOST_NEAR}
    real = _pool(subject, near["train"], near["holdout"], skipped)
    held = near["holdout"]
    if real is not None and len(real.repeated):
        keep = ~np.isin(held.rows, real.repeated)
        held = Near(held.objects, held.near_NC[keep], held.rows[keep])
        gone = len(real.repeated)
        skipped.append(
            f"{gone:,} held-out {'example' if gone == 1 else 'examples'} that also "
            f"{'stands' if gone == 1 else 'stand'} among the training examples, or twice, were taken out."
        )
    on(Stage(says="looking at what they show"))
    look = _looker(subject, encoder)
    samples = look("made", near["made"])
    train, holdout, halves = _real(look, near["train"], held, subject, skipped)
    other = look("other", near["other"]) if len(near["other"].rows) else None
    if other is not None and len(other.objects) < FEWEST_MADE:
        skipped.append(f"What it should be held against has {len(other.objects)} usable samples, which are too few.")
        other = None
    sizes = [len(side.objects) for side in (samples, train, holdout, other) if side is not None]
    case = Case(subject, near["made"], samples, train, holdout, min(sizes), halves, real, near["train"])
    skipped += _smaller(case, other)
    if other is None:
        return Prepared(case, None, tuple(skipped))
    outside = msgspec.structs.replace(subject, opinions=None)  # whose samples they are has no opinion here
    against = case._replace(subject=outside, samples=other, made=near["other"])
    return Prepared(case, against, tuple(skipped))


def _smaller(case: Case, other: Side | None) -> list[str]:
    """What the numbers of examples make coarser."""
    if case.train is None or case.holdout is None:
        return []
    said, wide = [], case.train.seen_NF.shape[1]
    if other is not None and len(other.objects) < min(len(case.samples.objects), len(case.holdout.objects)):
        said.append(f"Real and Diverse compare {case.size:,} of each, as many as what it is held against has.")
    if kept(case.size, wide) < wide:
        said.append(
            f"{case.size:,} of each are too few for a Fréchet distance in all {wide} features; it was taken in the "
            f"{kept(case.size, wide)} leading directions."
        )
    return said


def _near(name: str, objects: Any, close: Features, seed: int, skipped: list[str]) -> Near:
    """Close features of a set, of at most so many; those that are no finite numbers are told and left out."""
    count = 0 if objects is None else len(objects)
    rows = np.arange(count)
    if count > MOST_NEAR[name]:
        rows = np.sort(stream(seed, "most", name).choice(count, MOST_NEAR[name], replace=False))
        skipped.append(f"{MOST_NEAR[name]:,} of {count:,} {WORDS[name]} were looked at, drawn at random.")
    if count == 0:
        return Near(objects, np.zeros((0, 1)), rows)
    features = np.asarray(close(objects if len(rows) == count else take(objects, rows)))
    good = np.isfinite(features).all(axis=1)
    if not good.all():
        skipped.append(f"{int((~good).sum()):,} of {count:,} {WORDS[name]} have no finite features and were left out.")
    return Near(objects, features[good], rows[good])


WORDS = {
    "train": "training examples",
    "holdout": "held-out examples",
    "made": "samples",
    "other": "samples of what it is held against",
}


def _pool(subject: Subject, train: Near, held: Near, skipped: list[str]) -> Pool | None:
    if len(train.rows) < 2 or len(held.rows) < 1:
        return None
    identify = subject.kind.identify
    hashes = [identify(each) for part in (train, held) for each in take(part.objects, part.rows)]
    found = pool(train.near_NC, held.near_NC, hashes, (train.rows, held.rows), subject.seed)
    twice = int((found.trained & ~found.single).sum())
    if twice:
        skipped.append(f"{twice:,} training examples occur more than once; they do not count as copied.")
    return found


def _looker(subject: Subject, encoder: Features) -> Callable[[str, Near], Side]:
    """How a side is made of a set: a random part of it, seen by the encoder."""

    def look(name: str, near: Near) -> Side:
        order = stream(subject.seed, "side", name).permutation(len(near.rows))[:MOST]
        if len(order) == 0:
            return Side([], np.zeros((0, 1)), near.near_NC[:0], None)
        objects = take(near.objects, near.rows[order])
        seen = np.asarray(encoder(objects))
        good = np.isfinite(seen).all(axis=1)
        if not good.all():
            objects = take(objects, np.flatnonzero(good))
        labels = getattr(subject, f"{name}_labels", None)
        return Side(objects, seen[good], near.near_NC[order][good], _names(labels, near.rows[order][good]))

    return look


def _names(labels: Any, rows: Array) -> Array | None:
    """Classes as strings; an open one (None, -1) is empty."""
    if labels is None:
        return None
    return np.array(["" if labels[row] is None or labels[row] == -1 else str(labels[row]) for row in rows], dtype=str)


def _real(
    look: Callable[[str, Near], Side], train: Near, held: Near, subject: Subject, skipped: list[str]
) -> tuple[Side | None, Side | None, bool]:
    """Sides of training and held-out examples; both from halves of all of them where few are held out."""
    sides = [look("train", train), look("holdout", held)]
    if min(len(side.objects) for side in sides) >= FEWEST:
        return sides[0], sides[1], False
    total = sum(len(side.objects) for side in sides)
    if total < FEWEST_REAL:
        return None, None, False
    skipped.append(
        f"{len(sides[1].objects)} held-out examples are too few to stand for real data (at least {FEWEST}); for Real, "
        "Diverse and Useful, half of all examples stand in, most of which the model has learned from."
    )
    full = [side for side in sides if len(side.objects)]
    labelled = all(side.labels is not None for side in full)
    both = Side(
        [each for side in full for each in side.objects],
        np.concatenate([side.seen_NF for side in full]),
        np.concatenate([side.near_NC for side in full]),
        np.concatenate([np.asarray(side.labels) for side in full]) if labelled else None,
    )
    order = stream(subject.seed, "halves").permutation(total)
    parts = [order[: total // 2], order[total // 2 :]]
    first, second = (
        Side(take(both.objects, p), both.seen_NF[p], both.near_NC[p], None if both.labels is None else both.labels[p])
        for p in parts
    )
    return first, second, True
