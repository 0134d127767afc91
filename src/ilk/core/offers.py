"""What kinds and engines may offer beyond what ``ilk.core.protocol`` asks of all of them.

Nobody has to make an offer. Who can use one asks by ``isinstance`` and does without where it is not there. What is made
one token after the other has its offers in ``ilk.core.sequences``, counting in ``ilk.core.units``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from ilk.core.protocol import Array, Arrays, Base, Example, Finding, Given, Witness


@runtime_checkable
class Based(Protocol):
    """What an engine offers whose settings name a base: its own weights are then what was learned beside it."""

    def load_base(self, base: Base) -> None:
        """Take the base's weights; called once, before learning and before ``load_weights``.

        Raises:
            FolderError: they are damaged or do not fit the settings.
        """
        ...


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What of a model another program is to read, and where it goes."""

    format: str
    path: Path
    """A file or a folder that is not there yet."""
    type: str = "f32"
    """Of the numbers: f32, f16, q8_0, ..., where the format has them."""
    merge: bool = False
    """Whether what was learned beside a base goes into the base's weights."""
    codec: Mapping[str, bytes] = {}
    """The files of the codec's folder, by their names."""
    facts: Mapping[str, str] = {}
    """What may be told of the model: its ``name``, ``fingerprint``, ``base``, ``license``."""


@runtime_checkable
class Exporting(Protocol):
    """What an engine offers whose weights other programs can read."""

    @property
    def exports(self) -> Mapping[str, str]:
        """Each format and, in a line, what it is."""
        ...

    def export(self, wanted: Export) -> None:
        """Write it.

        Raises:
            InputError: this model cannot be written like that; the sentence says why.
        """
        ...


@runtime_checkable
class Scored(Protocol):
    """What an engine offers that knows the likelihood of an example."""

    def log_score(self, arrays: Arrays, context: int | None = None) -> Array:
        """(N,) float64: log-likelihood of each row in nats, exact; of a row in parts, given nothing before it.

        Args:
            arrays: rows of the Space, as long as they like.
            context: the most of a row that may be known before what is scored; as much as the engine can by default.
        """
        ...


@runtime_checkable
class Opinionated(Protocol):
    """What an engine offers that thinks something of examples: by a critic of its own, or by a likelihood."""

    def represent(self, arrays: Arrays) -> Array:
        """(N, F) float32: what it sees in rows of the Space (``x``, and ``label`` where there is one)."""
        ...

    def opinion(self, arrays: Arrays) -> Array:
        """(N,) float32: how real, or how likely, it finds them; only the order means something."""
        ...


@runtime_checkable
class Latent(Protocol):
    """What an engine offers whose samples are a continuous function of a noise vector, standard normal in L numbers."""

    def latents(self, indices: Array, seed: int, settings: Any) -> Array:
        """(N, L) float32: the noise of samples ``indices``, with all that ``settings`` (its spread) do to it."""
        ...

    def render(self, z_NL: Array, given: Given, settings: Any) -> Arrays:
        """Rows made from exactly these vectors; row i depends on its own vector and conditions alone.

        ``given.labels`` may hold for each row the (N, K) shares of the K levels instead of one of them: they
        are mixed. ``latents`` and the labels that ``sample`` gave, rendered, are the sample.
        """
        ...

    def project(self, arrays: Arrays, seed: int, on: Callable[[float], None]) -> tuple[Array, Given]:
        """Noise (N, L) and conditions whose rows come nearest to the given ones; ``on`` takes progress 0 to 1.

        A label in ``arrays`` that is not -1 is kept, and the same row and seed give the same vector.
        """
        ...


@runtime_checkable
class Extending(Protocol):
    """What a kind offers that can start from something pretrained."""

    def open_base(self, name: str) -> Base:
        """The base of that name: an asset, a folder, a file, another model.

        Raises:
            InputError: it is nothing that this kind can start from.
            MachineError: it is not on this machine; the sentence has the line that gets it.
        """
        ...


@runtime_checkable
class Measuring(Protocol):
    """What a kind offers that has numbers of its own for a report."""

    def measure(self, witness: Witness) -> tuple[Finding, ...]:
        """Each of the kind's ``measures`` that can be had; those that cannot are left out."""
        ...


@runtime_checkable
class Containing(Protocol):
    """What a codec offers whose objects come in something that is no sequence of them: the rows of a data frame."""

    @property
    def together(self) -> int:
        """How many of them are best made at once."""
        ...

    def contain(self, objects: Sequence[Any]) -> Any:
        """Objects in what the examples came in."""
        ...


@runtime_checkable
class Describing(Protocol):
    """What a codec offers that found out more about the data than its Space says."""

    def describe(self) -> Sequence[tuple[str, str]]:
        """(name, words) of what was found, a line each."""
        ...

    def left_out(self) -> Mapping[str, str]:
        """Which parts of the examples are not learned, and why, in words for a report."""
        ...


@runtime_checkable
class Ruling(Protocol):
    """What a codec offers that knows rules which all examples obey."""

    def broken(self, objects: Sequence[Any]) -> Mapping[str, Array]:
        """(N,) bool by rule, in words: which objects break it."""
        ...


@runtime_checkable
class Refusing(Protocol):
    """What a codec offers that knows more of its objects than the Space can say: rules, sums, what others tell."""

    def refused(self, arrays: Arrays, given: Given) -> Mapping[str, Array]:
        """Which rows must not be, (N,) bool, by what they break in words; nothing where nothing could be broken.

        Args:
            arrays: rows of the engine.
            given: what ``encode_given`` made for them.
        """
        ...


@runtime_checkable
class Completing(Protocol):
    """What a codec offers whose objects may have holes that the engine can fill."""

    def every(self, options: Any) -> Any:
        """The kind's options, so that all examples of a source are read: as many come back as came."""
        ...

    def encode_holes(self, examples: Sequence[Example]) -> Given:
        """What is known of each example, as ``known`` and ``mask``, and what its holes may be.

        Raises:
            UnreadableError: an example is none that could be completed.
        """
        ...

    def completed(
        self, arrays: Arrays, examples: Sequence[Example], *, usual: bool = False
    ) -> tuple[Sequence[Any], Mapping[str, Array]]:
        """The examples with their holes filled from rows of the engine; which of them, (N,) bool, break what.

        With ``usual``, what is filled in has to be as usual as in the data, too.
        """
        ...


@runtime_checkable
class Filmed(Protocol):
    """What a kind offers whose objects can be watched: one of its formats has a rate."""

    def tiles(self, object: Any) -> int:
        """How many objects like this one go side by side into a frame."""
        ...

    def mosaic(self, objects: Sequence[Any]) -> Any:
        """Objects side by side, as one object: a frame."""
        ...


@runtime_checkable
class Brief(Protocol):
    """What an engine offers whose samples take long, and whose beginnings tell enough."""

    @property
    def glance(self) -> Mapping[str, Any]:
        """Sampling options of samples that are only looked at: by a person on the way, or by the critic."""
        ...

    @property
    def together(self) -> int:
        """How many glances are looked at together: few where each is dear."""
        ...

    def beginning(self, arrays: Arrays) -> Arrays:
        """Of rows as much as a glance has."""
        ...
