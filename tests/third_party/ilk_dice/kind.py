"""The kind ``dice``: what ilk asks of throws, each answer in a few lines or in a file of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, BinaryIO, ClassVar

import numpy as np
from msgspec import Meta

from ilk.core.config import Record, read_json, to_json
from ilk.core.plan import Plan
from ilk.core.protocol import Array, Base, Codec, Example, Exhibit, Format, Measure, Problem, Settings
from ilk_dice import codec, files
from ilk_dice.settings import Faces


class Options(Record, frozen=True):
    """How throws are read."""

    sides: Annotated[int, Meta(ge=0, le=255, description="sides of a die; 0: as many as the highest face")] = 0


class SampleOptions(Record, frozen=True):
    """How throws are written; nothing to choose."""


class DiceFeatures(Record, frozen=True):
    """A throw as numbers: its sum, and how often each face comes."""

    sides: Annotated[int, Meta(ge=2, le=255)]

    def __call__(self, objects: Sequence[Any]) -> Array:
        rows = [[sum(o), *(o.count(face) for face in range(1, self.sides + 1))] for o in objects]
        return np.array(rows, dtype=np.float64).reshape(len(objects), self.sides + 1)

    def save(self, folder: Path) -> None:
        (folder / "features.json").write_bytes(to_json(self))


class DiceEncoder(DiceFeatures, frozen=True):
    """The same numbers for a report: nothing about a throw is left out that a network could find."""

    about: ClassVar[str] = "The features are sums and counts of faces; they compare throws, and nothing else."


class DiceKind:
    """Throws of dice."""

    name: str = "dice"
    extra: str = ""
    Options: type[Record] = Options
    SampleOptions: type[Record] = SampleOptions
    measures: tuple[Measure, ...] = ()
    formats: tuple[Format, ...] = files.FORMATS
    demos: Mapping[str, str] = {}

    def recognise(self, source: Any) -> float:
        return files.recognise(source)

    def read(self, source: Any, options: Any) -> Iterator[Example | Problem]:
        return files.read(source)

    def stamp(self, source: Any, options: Any) -> str:
        return files.stamp(source)

    def fit_codec(self, examples: Iterable[Example], options: Any, plan: Plan, base: Base | None) -> Codec:
        return codec.fit_codec(examples, options.sides)

    def load_codec(self, folder: Path) -> Codec:
        return codec.load_codec(folder)

    def engine(self, codec: Codec, plan: Plan, base: Base | None) -> Settings:
        return Faces()

    def sketch(self, codec: Codec, plan: Plan) -> Settings | None:
        return None

    def fit_features(self, examples: Iterable[Example], plan: Plan) -> DiceFeatures:
        return DiceFeatures(sides=max(2, *(max(example.object) for example in examples)))

    def fit_encoder(self, examples: Sequence[Example], holdout: Sequence[Example], plan: Plan) -> DiceEncoder:
        return DiceEncoder(sides=self.fit_features(examples, plan).sides)

    def load_features(self, folder: Path) -> DiceFeatures:
        return read_json(folder / "features.json", DiceFeatures)

    def write(self, objects: Sequence[Any], file: BinaryIO, format: str, note: Mapping[str, str]) -> None:
        files.write(objects, file, format, note)

    def draw(self, objects: Sequence[Any]) -> Exhibit:
        rows = [" ".join(f"[{face}]" for face in throw) for throw in objects]
        return Exhibit(media_type="text/plain", data="\n".join(rows).encode(), caption=f"{len(rows)} throws")

    def identify(self, object: Any) -> str:
        return hashlib.sha256(repr(tuple(object)).encode()).hexdigest()

    def check(self, object: Any) -> list[str]:
        if not isinstance(object, tuple):
            return [f"it is a {type(object).__name__}, not a tuple of faces"]
        return [f"no die shows {face}" for face in object if not 1 <= face <= 255]

    def carrier(self, object: Any) -> Array | None:
        return None

    def with_carrier(self, object: Any, array: Array) -> Any:
        return object


kind = DiceKind()
