"""Pictures: folders, zips and arrays of them in, PIL images out; learnt on a Grid.

The kind itself: what ``ilk`` asks of pictures, each answer in a file of its own. ``read.py`` (with
``listing.py``, ``arrays.py``, ``picture.py``) finds them, ``choose.py`` picks resolution and colour,
``codec.py`` (with ``pixels.py``) turns them into arrays and back, ``write.py``, ``film.py``, ``draw.py``,
``check.py``, ``carrier.py``, ``features.py`` and ``encoder.py`` do what they are called. Importing this loads no
image library, so that recognition is cheap; it never imports torch before something is to be learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ilk.core.config import Record
from ilk.core.kind import FolderKind
from ilk.core.plan import Plan
from ilk.core.protocol import Array, Base, Codec, Format, Settings
from ilk.kinds.image.formats import WRITTEN
from ilk.kinds.image.options import Options, SampleOptions
from ilk.kinds.image.recognise import DEMOS

if TYPE_CHECKING:
    from ilk.kinds.image.codec import ImageCodec

__all__ = ["ImageKind", "kind"]


class ImageKind(FolderKind):
    """Pictures, which carry watermarks and can be watched as films."""

    name: str = "image"
    Options: type[Record] = Options
    SampleOptions: type[Record] = SampleOptions
    formats: tuple[Format, ...] = WRITTEN
    demos: Mapping[str, str] = DEMOS

    def engine(self, codec: Codec, plan: Plan, base: Base | None) -> Settings:  # noqa: ARG002
        from ilk.engines.gan import default_settings

        chosen = cast("ImageCodec", codec)
        present = bool(chosen.conditions)
        return default_settings(chosen.space, conditions_present=present, count=chosen.count, plan=plan)

    def sketch(self, codec: Codec, plan: Plan) -> Settings | None:  # noqa: ARG002
        from ilk.engines.mixture import sketch_settings

        return sketch_settings(cast("ImageCodec", codec).space)

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
