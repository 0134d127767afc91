"""Pictures: folders, zips and arrays of them in, PIL images out; learnt on a Grid.

The kind itself: what ``ilk`` asks of pictures, each answer in a file of its own. ``read.py`` (with
``listing.py``, ``arrays.py``, ``picture.py``) finds them, ``choose.py`` picks resolution and colour,
``codec.py`` (with ``pixels.py``) turns them into arrays and back, ``write.py``, ``film.py``, ``draw.py``,
``check.py``, ``carrier.py``, ``features.py`` and ``encoder.py`` do what they are called. Importing this loads no
image library, so that recognition is cheap; it never imports torch before something is to be learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from ilk.core.config import Record
from ilk.core.plan import Plan
from ilk.core.protocol import (
    Array,
    Base,
    Codec,
    Encoder,
    Example,
    Exhibit,
    Features,
    Format,
    Measure,
    Problem,
    Settings,
)
from ilk.kinds.image.formats import WRITTEN
from ilk.kinds.image.options import Options, SampleOptions
from ilk.kinds.image.recognise import DEMOS, recognise

if TYPE_CHECKING:
    from ilk.kinds.image.codec import ImageCodec

__all__ = ["ImageKind", "kind"]


class ImageKind:
    """Pictures. What each member promises is written in ``ilk.core.protocol.Kind``."""

    name: str = "image"
    extra: str = ""
    Options: type[Record] = Options
    SampleOptions: type[Record] = SampleOptions
    measures: tuple[Measure, ...] = ()  # the report card brings them
    formats: tuple[Format, ...] = WRITTEN
    demos: Mapping[str, str] = DEMOS

    def recognise(self, source: Any) -> float:
        return recognise(source)

    def read(self, source: Any, options: Any) -> Iterator[Example | Problem]:
        from ilk.kinds.image.read import read

        return read(source, options)

    def stamp(self, source: Any, options: Any) -> str:
        from ilk.kinds.image.stamp import stamp

        return stamp(source, options)

    def fit_codec(self, examples: Iterable[Example], options: Any, plan: Plan, base: Base | None) -> Codec:  # noqa: ARG002
        from ilk.kinds.image.choose import fit_codec

        return fit_codec(examples, options, plan)

    def load_codec(self, folder: Path) -> Codec:
        from ilk.kinds.image.codec import load_codec

        return load_codec(folder)

    def engine(self, codec: Codec, plan: Plan, base: Base | None) -> Settings:  # noqa: ARG002
        from ilk.engines.gan import default_settings

        chosen = cast("ImageCodec", codec)
        present = bool(chosen.conditions)
        return default_settings(chosen.space, conditions_present=present, count=chosen.count, plan=plan)

    def sketch(self, codec: Codec, plan: Plan) -> Settings | None:  # noqa: ARG002
        from ilk.engines.mixture import sketch_settings

        return sketch_settings(cast("ImageCodec", codec).space)

    def fit_features(self, examples: Iterable[Example], plan: Plan) -> Features:
        from ilk.kinds.image.features import fit_features

        return fit_features(examples, plan)

    def fit_encoder(self, examples: Sequence[Example], holdout: Sequence[Example], plan: Plan) -> Encoder:
        from ilk.kinds.image.encoder import fit_encoder

        return fit_encoder(examples, holdout, plan)

    def load_features(self, folder: Path) -> Features:
        from ilk.kinds.image.features import load_features

        return load_features(folder)

    def write(self, objects: Sequence[Any], file: BinaryIO, format: str, note: Mapping[str, str]) -> None:
        from ilk.kinds.image.write import write

        write(objects, file, format, note)

    def draw(self, objects: Sequence[Any]) -> Exhibit:
        from ilk.kinds.image.draw import draw

        return draw(objects)

    def identify(self, object: Any) -> str:
        from ilk.kinds.image.check import identify

        return identify(object)

    def check(self, object: Any) -> list[str]:
        from ilk.kinds.image.check import check

        return check(object)

    def carrier(self, object: Any) -> Array | None:
        from ilk.kinds.image.carrier import carrier

        return carrier(object)

    def with_carrier(self, object: Any, array: Array) -> Any:
        from ilk.kinds.image.carrier import with_carrier

        return with_carrier(object, array)

    def tiles(self, object: Any) -> int:
        from ilk.kinds.image.film import tiles

        return tiles(object)

    def mosaic(self, objects: Sequence[Any]) -> Any:
        from ilk.kinds.image.film import mosaic

        return mosaic(objects)


kind = ImageKind()
