"""What is compared: from nothing, over corrections that are free, to rows that are added.

A tier is tried only against what the cheaper ones got: made rows that gain no more than recalibration are not
worth making. Added rows come from :class:`Additions`, which sees the rows of one training part and no others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ilk.core.config import Record
from ilk.core.errors import Code, IlkError, InputError, suggest
from ilk.core.protocol import Array
from ilk.tasks.augment.labels import Label
from ilk.tasks.augment.material import Made, Maker, Material, UnableError

NOTHING, RECALIBRATION, PRIOR, THRESHOLD = "nothing", "recalibration", "prior shift", "threshold"
WEIGHTS, ONCE, THRICE, BALANCED = "class weights", "made 1x", "made 3x", "made balanced"
FREE, WEIGHTED, ROWS, STRONGER = "free", "weights", "rows", "stronger model"
TIERS = (FREE, WEIGHTED, ROWS)
EVEN = 1.05  # largest class over smallest, up to which classes count as balanced
FEWEST = 10  # rows to learn a generator from
SHARES = {ONCE: 1, THRICE: 3}


class Candidate(Record, frozen=True):
    """One of what is compared: its name, its tier, and in words what it does."""

    name: str
    tier: str
    says: str


def candidates_of(changed: str) -> dict[str, Candidate]:
    """All of a material whose changed examples are called ``changed``, in the order in which they are tried."""
    words = {"smote": "rows between neighbours of the rarer classes, until the classes are balanced (SMOTE)"}
    every = (
        Candidate(NOTHING, NOTHING, "the data as they are"),
        Candidate(RECALIBRATION, FREE, "all probabilities made bolder or more careful by one number"),
        Candidate(PRIOR, FREE, "recalibrated, and the odds rescaled as if all classes came equally often"),
        Candidate(THRESHOLD, FREE, "another probability from which on the rarer class is named"),
        Candidate(WEIGHTS, WEIGHTED, "rarer classes weigh more in learning"),
        Candidate(changed, ROWS, words.get(changed, "each example once more, moved, mirrored or cut at random")),
        Candidate(ONCE, ROWS, "as many generated examples as there are real ones, beside them"),
        Candidate(THRICE, ROWS, "three times as many generated examples as there are real ones, beside them"),
        Candidate(BALANCED, ROWS, "generated examples of the rarer classes, until the classes are balanced"),
    )
    return {candidate.name: candidate for candidate in every}


def chosen_from(changed: str, wanted: Sequence[str] | None) -> dict[str, Candidate]:
    """The candidates that the user wants compared; nothing is always among them.

    Raises:
        InputError: there is no such candidate.
    """
    known = candidates_of(changed)
    if wanted is None:
        return known
    names = [str(name).replace("_", " ") for name in wanted]
    for name in names:
        if name not in known:
            raise InputError(Code.OPTION, f'There is no candidate "{name}"; {suggest(name, known)}.')
    return {name: candidate for name, candidate in known.items() if name == NOTHING or name in names}


class Additions:
    """Rows to add to a training part: made and changed from the rows of this part alone.

    Args:
        material: all examples.
        rows: the training part.
        label: of all examples.
        seed: of generator and draws.
        minutes: a ceiling on the fit of the generator.
    """

    def __init__(self, material: Material, rows: Array, label: Label, seed: int, minutes: float) -> None:
        self._material, self._rows, self._label = material, rows, label
        self._seed, self._minutes = seed, minutes
        self._maker: Maker | None = None
        self._failed = ""

    @property
    def maker(self) -> Maker:
        """The generator of this part; fitted when it is first asked for.

        Raises:
            UnableError: it cannot be fitted.
        """
        if self._maker is None:
            if len(self._rows) < FEWEST and not self._failed:
                self._failed = f"a generator learns from {FEWEST} examples or more"
            if self._failed:
                raise UnableError(self._failed)
            try:
                self._maker = self._material.maker(self._rows, self._label, self._seed, self._minutes)
            except IlkError as error:
                self._failed = f"the generator could not be fitted: {error.sentence.rstrip('.')}"
                raise UnableError(self._failed) from None
        return self._maker

    def of(self, name: str) -> Made:
        """What a candidate adds.

        Raises:
            UnableError: nothing, and why.
        """
        if name in SHARES:
            return self.maker.draw(SHARES[name] * len(self._rows), self._seed)
        if name == BALANCED:
            return self._of_classes(self._short())
        return self._material.change(self._rows, self._label, self._seed)

    def _short(self) -> Array:
        """(K,) how many examples each class has fewer than the commonest."""
        count_K = np.bincount(self._label.code_N[self._rows], minlength=len(self._label.levels))
        return np.asarray(count_K.max() - count_K)

    def _of_classes(self, short_K: Array) -> Made:
        if not uneven(self._label, self._rows):
            raise UnableError("the classes are balanced already")
        X: Any = None
        codes: list[Array] = []
        for code, count in enumerate(short_K.tolist()):
            if not count:
                continue
            try:
                made = self.maker.draw_class(code, count, self._seed)
            except IlkError as error:
                raise UnableError(f"the generator made none of a class: {error.sentence.rstrip('.')}") from None
            X = made if X is None else self._material.join(X, made)
            codes.append(np.full(count, code))
        return Made(X, np.concatenate(codes))


def uneven(label: Label, rows: Array) -> bool:
    """Whether some class comes clearly more often than another."""
    count_K = np.bincount(label.code_N[rows], minlength=len(label.levels))
    return bool(count_K.max() > EVEN * count_K.min())
