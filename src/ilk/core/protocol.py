"""The contracts: what a kind, a codec, a data set, a learner and an engine promise each other.

Data flows one way: source -> Examples -> codec -> Space arrays -> engine -> arrays -> codec ->
objects -> bytes -> seal -> files. A *kind* knows what the objects are; an *engine* knows only the
Space; ``ilk.generator`` is the only place where they meet. ``ilk.testing`` checks every promise
written here. Nothing in this file imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from ilk.core.config import Record
from ilk.core.spaces import Space

if TYPE_CHECKING:
    from ilk.core.plan import Budget, Plan
    from ilk.core.sequences import Guide

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]
"""Named arrays with a common first axis (one row an example): ``x``, ``label``, ``weight``, side streams.

Where rows differ in length, ``length`` (N,) int32 says how many entries of the second axis of each longer array
count; the rest is padding, as long as the longest row beside it needs.
"""

Metrics: TypeAlias = Mapping[str, float]


LABEL = "class"
"""What a label is called as a condition, where neither the data nor the user name it."""


class Example(msgspec.Struct, frozen=True):
    """One example: an object of the kind and what is known of it.

    ``object`` may be lazy (a picture whose pixels are not decoded yet). ``given`` holds the values of
    its conditions, such as ``{"class": "shirt"}``. Examples of one ``group`` are never parted by a
    split (near-copies, frames of one film); the empty group means "its own".
    """

    object: Any
    name: str = ""
    given: dict[str, Any] = {}
    group: str = ""


class Problem(msgspec.Struct, frozen=True):
    """An example that could not be read: its name and the reason, a few words each."""

    name: str
    reason: str


class Levels(Record, frozen=True, tag="levels"):
    """A condition that takes one of these names; where ``several``, also some of them, ``a|b``."""

    names: tuple[str, ...]
    several: bool = False


class Number(Record, frozen=True, tag="number"):
    """A condition that takes a number in this range; where ``ranges``, also a range of them, ``2..5``.

    ``spelt`` holds low and high as people write them, where that is no number: dates, times. The codec reads them.
    """

    low: float
    high: float
    ranges: bool = False
    spelt: tuple[str, str] = ("", "")


class Text(Record, frozen=True, tag="text"):
    """A condition that takes free text, such as a prompt."""


Condition: TypeAlias = Levels | Number | Text


class Given(msgspec.Struct):
    """Conditions in terms of the Space, one row a sample (rows may differ).

    ``known`` holds values shaped like ``x`` and ``mask`` says which of them are fixed; ``labels``
    holds side arrays by the name that they have in the data (``label`` -> (N,) integers, -1 where it is
    left open); ``allowed`` holds for such a name the (N, K) truth table of the levels that may be drawn.
    ``guide`` steers rows on their way, where they are made token by token. ``low`` and ``high`` are bounds shaped like
    ``x``, NaN where there are none. ``beyond`` is what the Space cannot say, (N, ...): the codec reads it again when it
    refuses rows.
    """

    labels: dict[str, Array] = {}
    known: Array | None = None
    mask: Array | None = None
    allowed: dict[str, Array] = {}
    guide: Guide | None = None
    low: Array | None = None
    high: Array | None = None
    beyond: dict[str, Array] = {}

    def rows(self, rows: Array) -> Given:
        """The same conditions for some of the rows."""

        def pick(array: Array | None) -> Array | None:
            return None if array is None else array[rows]

        return Given(
            labels={name: array[rows] for name, array in self.labels.items()},
            known=pick(self.known),
            mask=pick(self.mask),
            allowed={name: array[rows] for name, array in self.allowed.items()},
            guide=self.guide,
            low=pick(self.low),
            high=pick(self.high),
            beyond={name: array[rows] for name, array in self.beyond.items()},
        )

    @staticmethod
    def joined(parts: Sequence[Given]) -> Given:
        """Conditions of the same columns, the rows of one part after those of the other."""

        def join(arrays: Sequence[Array | None]) -> Array | None:
            known = [array for array in arrays if array is not None]
            return np.concatenate(known) if known else None

        def join_all(tables: Sequence[dict[str, Array]]) -> dict[str, Array]:
            return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}

        return Given(
            labels=join_all([part.labels for part in parts]),
            known=join([part.known for part in parts]),
            mask=join([part.mask for part in parts]),
            allowed=join_all([part.allowed for part in parts]),
            guide=parts[0].guide,
            low=join([part.low for part in parts]),
            high=join([part.high for part in parts]),
            beyond=join_all([part.beyond for part in parts]),
        )


class Measure(Record, frozen=True):
    """A number of the kind's own in a report, ``real.text.bits_per_character``: key, words, direction."""

    key: str
    says: str
    better: str = "higher"


class Finding(Record, frozen=True):
    """One number of a kind's own in a report: its key, what real held-out data gets, and what there is to see.

    ``key`` is ``QUESTION.KIND.NAME`` and stands in the kind's ``measures``; ``says`` joins the question's sentence.
    """

    key: str
    value: float
    ceiling: float | None = None
    interval: tuple[float, float] | None = None
    says: str = ""
    exhibits: tuple[Exhibit, ...] = ()


class Witness(msgspec.Struct, frozen=True):
    """What a kind's own measures look at: samples, and the real examples where these are at hand."""

    made: Sequence[Any]
    train: Sequence[Any] = ()
    holdout: Sequence[Any] = ()
    names: tuple[str, ...] = ()  # of the training examples, where they are known
    score: Callable[[Sequence[Any]], Array] | None = None
    """Objects -> (N,) log-likelihood under the model, nats; None where the engine has none."""
    seed: int = 0


class Exhibit(Record, frozen=True):
    """What a person looks at in a report: bytes of one of the media types png, svg, wav or text."""

    media_type: str
    data: bytes
    caption: str = ""


class Format(Record, frozen=True):
    """A file format that a kind writes."""

    suffix: str  # without a dot: png
    media_type: str
    many: bool = False  # one file may hold many samples
    one: bool = True  # one file may hold one sample
    rate: int = 0  # of a film, whose frames the samples are: frames a second. A kind need not read it back


class Base(Record, frozen=True):
    """A pretrained start: a codec and weights, with licence and hash."""

    name: str  # as it was asked for, and how it is found again
    sha256: str  # of its weights
    licence: str = ""
    path: str = ""  # where it lies on this machine; not recorded in a model


class Codec(Protocol):
    """Objects of a kind <-> arrays of a Space. Pure: the same object always gives the same array."""

    @property
    def space(self) -> Space: ...

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """What ``--given`` takes, as found in the training data."""
        ...

    def encode(self, examples: Sequence[Example]) -> Arrays:
        """Arrays of the examples, ``x`` first; stored types may be narrower than the Space's.

        Raises:
            UnreadableError: an example cannot be decoded. The caller finds out which one.
        """
        ...

    def to_space(self, arrays: Arrays) -> Arrays:
        """Stored arrays (as :meth:`encode` gives them) as the engine wants them: floats in [-1, 1], ..."""
        ...

    def decode(self, arrays: Arrays) -> Sequence[Any]:
        """The kind's natural batch from arrays of the Space: a list of PIL images, an Arrow table."""
        ...

    def encode_given(self, given: Mapping[str, Any], n: int) -> Given:
        """Conditions for ``n`` samples in terms of the Space; values are already checked by name."""
        ...

    def save(self, folder: Path) -> None:
        """Write JSON and safetensors files into an empty folder."""
        ...


class Features(Protocol):
    """Objects -> (N, F) floats in which distance means difference. Fitted once and saved."""

    def __call__(self, objects: Sequence[Any]) -> Array: ...

    def save(self, folder: Path) -> None: ...


class Encoder(Features, Protocol):
    """Features that a report's numbers rest on: trained on the spot, or a pretrained one."""

    @property
    def about(self) -> str:
        """Which encoder, how good it is by a number on held-out data, and what its numbers cannot be compared with."""
        ...


class Data(Protocol):
    """Encoded examples: as long as the data, memory-mapped where that is large."""

    def __len__(self) -> int: ...

    def take(self, indices: Array) -> Arrays:
        """Rows in terms of the Space; the order of ``indices`` is kept."""
        ...

    def column(self, name: str) -> Array:
        """One whole stored array; small ones only, such as labels."""
        ...


class Learner(Protocol):
    """Anything that learns in steps: an engine, a critic, an encoder."""

    def steps(self, data: Data, budget: Budget) -> Iterator[Metrics]:
        """Learn one step, yield its numbers, go on until ``budget.over``.

        All schedules read ``budget.progress`` and all draws read ``budget.step``; nothing else counts.
        """
        ...

    def describe(self, metrics: Metrics) -> str:
        """The numbers in a few words that a person understands: ``critic fooled 31 %``."""
        ...

    def state(self) -> dict[str, Array]:
        """Everything that a step depends on, as named arrays: weights, averages, optimiser."""
        ...

    def load_state(self, state: Mapping[str, Array]) -> None: ...


class Engine(Learner, Protocol):
    """Learns a distribution over a Space. May offer ``log_score``, and be :class:`Opinionated` or :class:`Latent`."""

    def sample(self, indices: Array, given: Given, seed: int, settings: Any) -> Arrays:
        """Rows ``indices``; row i is a function of the weights, its conditions, ``seed`` and i alone."""
        ...

    def weights(self) -> dict[str, Array]:
        """What sampling needs and nothing more: the model file."""
        ...

    def load_weights(self, weights: Mapping[str, Array]) -> None: ...


class Settings(Protocol):
    """An engine's settings record: frozen, and able to build the engine that it sets."""

    @property
    def name(self) -> str:
        """The engine's name, as in the entry-point group ``ilk.engines``."""
        ...

    def build(self, space: Space, conditions: Mapping[str, Condition], plan: Plan) -> Engine: ...


class Kind(Protocol):
    """A kind of thing. One instance a kind, found by the entry-point group ``ilk.kinds``."""

    name: str
    extra: str
    """The extra of the ``ilk`` package that it needs (``molecules``), or an empty string."""
    Options: type[Record]
    SampleOptions: type[Record]
    measures: tuple[Measure, ...]
    formats: tuple[Format, ...]
    """What it writes; the first is the default."""
    demos: Mapping[str, str]
    """Bundled example data: ``demo:NAME`` -> one line about it."""

    def recognise(self, source: Any) -> float:
        """0 to 1, from names and first bytes only; imports nothing that needs an extra."""
        ...

    def read(self, source: Any, options: Any) -> Iterator[Example | Problem]:
        """Stream the examples; the same source gives the same order each time."""
        ...

    def stamp(self, source: Any, options: Any) -> str:
        """A cheap hash of the source that changes when its content does: the key of the cache."""
        ...

    def fit_codec(self, examples: Iterable[Example], options: Any, plan: Plan, base: Base | None) -> Codec: ...

    def load_codec(self, folder: Path) -> Codec: ...

    def engine(self, codec: Codec, plan: Plan, base: Base | None) -> Settings:
        """The engine and settings that win for this data and budget."""
        ...

    def sketch(self, codec: Codec, plan: Plan) -> Settings | None:
        """An engine that learns in seconds: it draws the first preview. None where there is none."""
        ...

    def fit_features(self, examples: Iterable[Example], plan: Plan) -> Features:
        """Cheap features in which near means alike as a thing, pixel by pixel: for critic, neighbours, copies."""
        ...

    def fit_encoder(self, examples: Sequence[Example], holdout: Sequence[Example], plan: Plan) -> Encoder:
        """Features of what the objects show, for a report; trained on ``examples`` in seconds, rated on ``holdout``."""
        ...

    def load_features(self, folder: Path) -> Features: ...

    def write(self, objects: Sequence[Any], file: BinaryIO, format: str, note: Mapping[str, str]) -> None:
        """Bytes of one file (a ``many`` format: of all objects) into ``file``; ``note`` goes in-band."""
        ...

    def draw(self, objects: Sequence[Any]) -> Exhibit:
        """One exhibit for a person: a contact sheet, a plot."""
        ...

    def identify(self, object: Any) -> str:
        """A hash of what the object is, whatever file it stands in: pixels, canonical SMILES, a row's values."""
        ...

    def check(self, object: Any) -> list[str]:
        """What is wrong with a sample as an object of this kind; empty when nothing is."""
        ...

    def carrier(self, object: Any) -> Array | None:
        """Pixels that a watermark can go into, (H, W, C) uint8 of any size; None where the object has none.

        How large they must be is the seal's to say. A kind without pixels always answers None.
        """
        ...

    def with_carrier(self, object: Any, array: Array) -> Any:
        """The object with other pixels, shaped as ``carrier`` gave them; asked only where it gave some."""
        ...


Progress: TypeAlias = Callable[[Any], None]
