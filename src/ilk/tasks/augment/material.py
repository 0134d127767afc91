"""What may be augmented: the interface that tables and pictures are given by, and other kinds will join.

A material knows how its examples are cut, joined, made and changed, and which models are usual for them. It does
not know what is compared with what (``candidates.py``), nor what wins (``decide.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from ilk.core.protocol import Array
from ilk.tasks.augment.labels import Label


class UnableError(Exception):
    """A candidate that cannot be had with these data; its words are the reason."""


class Made(NamedTuple):
    """Examples that were made, and their classes."""

    X: Any
    code_N: Array


class Maker(Protocol):
    """A generator, fitted on some of the examples."""

    @property
    def fingerprint(self) -> str:
        """Of its model, as a seal has it."""
        ...

    def draw(self, count: int, seed: int) -> Made:
        """Examples as they come; the first of more are the same."""
        ...

    def draw_class(self, code: int, count: int, seed: int) -> Any:
        """Examples of one class."""
        ...


class Material(Protocol):
    """Examples that a model is to learn from."""

    @property
    def changed(self) -> str:
        """What changing examples without a generator is called: ``smote``, ``transforms``."""
        ...

    @property
    def folds(self) -> int:
        """Parts of the inner cross-validation, where the user names none."""
        ...

    def __len__(self) -> int: ...

    def part(self, rows: Array) -> Any:
        """Some examples, in the user's own container."""
        ...

    def join(self, first: Any, second: Any) -> Any:
        """Two lots of examples as one, dtypes kept."""
        ...

    def maker(self, rows: Array, label: Label, seed: int, minutes: float) -> Maker:
        """A generator of the kind's default engine, fitted on these rows and no others.

        Raises:
            UnableError: it cannot be fitted on them.
        """
        ...

    def change(self, rows: Array, label: Label, seed: int) -> Made:
        """New examples from these rows by changing or mixing them.

        Raises:
            UnableError: these cannot be changed so.
        """
        ...

    def teller(self, label: Label) -> str:
        """The name of a part of every example that alone tells its class, as nothing should; empty where none does."""
        ...

    def models(self, seed: int) -> Mapping[str, Any]:
        """Classifiers with ``predict_proba`` by their names; the usual one of this kind is the first."""
        ...
