"""What the objects of a kind are made of, where everybody counts it alike: the contract, and nothing that counts.

Likelihoods of two models compare only over the same units: nats a character, not nats a token, of which each model has
its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from ilk.core.protocol import Array, Example


@runtime_checkable
class Counting(Protocol):
    """What a codec offers whose objects are made of units: characters, notes, frames."""

    def units(self, objects: Sequence[Any]) -> tuple[str, Array]:
        """What a unit is called, in the singular, and how many each object has, (N,) integers."""
        ...

    def wholes(self, examples: Iterable[Example]) -> Iterator[Any]:
        """Objects in which parts that follow each other are one again; only the one in hand is held.

        They are encoded without what would end them: a sign that no unit stands for has no share in their likelihood.
        """
        ...
