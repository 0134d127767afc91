"""What each number is called and means to a reader who never heard of it. Knows no numbers.

A number is a ``share`` (0 to 1), a ``distance`` (0 is the same, no upper end), a ``ratio`` (1 is as real), or an
``area`` (0.5 is a guess, 1 is certain).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

from ilk.core.protocol import Measure
from ilk.core.registry import get_kind

Better = Literal["higher", "lower", "near"]


class Word(NamedTuple):
    """How a number is called, how it is read, which direction is good, and what it measures."""

    label: str
    explains: str
    better: Better
    measures: Literal["share", "distance", "ratio", "area"] = "share"


WORDS: dict[str, Word] = {
    "real.precision": Word(
        "Precision", "The share of samples that lie where real examples lie, by what they show.", "higher"
    ),
    "real.frechet": Word(
        "Fréchet distance",
        "How far the samples as a whole are from the real examples as a whole; only to be compared within one report.",
        "lower",
        "distance",
    ),
    "real.critic_auc": Word(
        "Told apart",
        "How often a fresh grader, given a real example and a sample, knows which is which: 0.5 is a guess.",
        "lower",
        "area",
    ),
    "real.valid": Word("Valid", "The share of samples with which nothing is wrong as a thing of their kind.", "higher"),
    "real.class_agreement": Word(
        "Class as asked",
        "How often a classifier that learned from real examples sees the class that was asked for.",
        "higher",
    ),
    "diverse.recall": Word("Recall", "The share of real examples that lie where samples lie.", "higher"),
    "diverse.coverage": Word(
        "Coverage", "The share of real examples that have a sample among their nearest neighbours.", "higher"
    ),
    "diverse.density": Word(
        "Density",
        "How thickly samples lie around real examples; above real, they crowd in a few places.",
        "near",
        "ratio",
    ),
    "diverse.unique": Word("Unique", "The share of samples that are not nearly the same as another sample.", "higher"),
    "new.memorised": Word(
        "Memorised", "The share of training examples that came back nearly unchanged; real is held-out ones.", "lower"
    ),
    "new.novel": Word("Novel", "The share of samples that are no near copy of a training example.", "higher"),
    "new.share": Word(
        "Nearer to training",
        "How often a sample is nearer to a training than to a held-out example, of as many: 0.5 is no preference.",
        "near",
        "area",
    ),
    "new.distance": Word(
        "Distance to training",
        "How far samples are from the nearest training example, as a multiple of what held-out ones are.",
        "near",
        "ratio",
    ),
    "useful.train_synthetic_test_real": Word(
        "Learned from samples",
        "How often a classifier that learned from samples alone is right about held-out real examples.",
        "higher",
    ),
    "private.membership_auc": Word(
        "Training example recognised",
        "How often an attacker with nothing but samples, given a training and a held-out example, tells them apart.",
        "lower",
        "area",
    ),
    "private.membership_tpr": Word(
        "Surely recognised",
        "The share of training examples that this attacker finds while he accuses one in a hundred others.",
        "lower",
    ),
    "private.opinion_auc": Word(
        "Recognised from inside",
        "The same for an attacker who has the model itself and asks how real or likely it finds them.",
        "lower",
        "area",
    ),
    "private.opinion_tpr": Word(
        "Surely recognised from inside",
        "The share of training examples that the attacker from inside finds while he accuses one in a hundred others.",
        "lower",
    ),
}


def words_of(kind: str) -> dict[str, Word]:
    """The words of every number in a report of this kind, the kind's own measures with them."""
    return WORDS | {each.key: _own(each) for each in get_kind(kind).measures}


def _own(measure: Measure) -> Word:
    label = measure.key.rpartition(".")[2].replace("_", " ")
    return Word(label[:1].upper() + label[1:], measure.says, cast("Better", measure.better), "distance")
