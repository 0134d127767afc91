"""Text: files, documents, conversations and strings in, passages out; learnt as Tokens.

The kind itself: what ``ilk`` asks of text, each answer in a file of its own. ``read.py`` (with ``listing.py``,
``decoding.py``, ``extract.py``, ``records.py``, ``turns.py``) finds and reads it, ``cut.py`` cuts it into passages
(``passage.py``), ``copies.py`` keeps near-copies together, ``choose.py`` picks what it is made of, ``codec.py`` (with
``tokenizer.py``, ``pretrained.py``) turns passages into rows and back; ``write.py``, ``draw.py``, ``check.py`` and
``features.py`` (with ``counts.py``) do what they are called. Importing this loads no library, so that recognition is
cheap; it never imports torch before something is to be learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from ilk.core.config import Record
from ilk.core.plan import Plan
from ilk.core.protocol import (
    Base,
    Codec,
    Encoder,
    Example,
    Exhibit,
    Features,
    Finding,
    Format,
    Measure,
    Problem,
    Settings,
    Witness,
)
from ilk.kinds.text.formats import WRITTEN
from ilk.kinds.text.options import Options, SampleOptions
from ilk.kinds.text.passage import Passage
from ilk.kinds.text.recognise import DEMOS, recognise

if TYPE_CHECKING:
    from ilk.kinds.text.codec import TextCodec

__all__ = ["Passage", "TextKind", "kind"]


class TextKind:
    """Text. What each member promises is written in ``ilk.core.protocol.Kind`` and ``Extending``."""

    name: str = "text"
    extra: str = ""
    Options: type[Record] = Options
    SampleOptions: type[Record] = SampleOptions
    formats: tuple[Format, ...] = WRITTEN
    demos: Mapping[str, str] = DEMOS

    @property
    def measures(self) -> tuple[Measure, ...]:
        from ilk.kinds.text.measures import MEASURES

        return MEASURES

    def measure(self, witness: Witness) -> tuple[Finding, ...]:
        from ilk.kinds.text.measures import measure

        return measure(witness)

    def recognise(self, source: Any) -> float:
        return recognise(source)

    def read(self, source: Any, options: Any) -> Iterator[Example | Problem]:
        from ilk.kinds.text.read import read

        return read(source, options)

    def stamp(self, source: Any, options: Any) -> str:
        from ilk.kinds.text.stamp import stamp

        return stamp(source, options)

    def open_base(self, name: str) -> Base:
        from ilk.kinds.text.pretrained import open_base

        return open_base(name)

    def fit_codec(self, examples: Iterable[Example], options: Any, plan: Plan, base: Base | None) -> Codec:
        from ilk.kinds.text.choose import fit_codec

        return fit_codec(examples, options, plan, base)

    def load_codec(self, folder: Path) -> Codec:
        from ilk.kinds.text.codec import load_codec

        return load_codec(folder)

    def engine(self, codec: Codec, plan: Plan, base: Base | None) -> Settings:
        from ilk.engines.gpt import default_settings

        chosen = cast("TextCodec", codec)
        return default_settings(chosen.space, tokens=chosen.tokens, plan=plan, base=base)

    def sketch(self, codec: Codec, plan: Plan) -> Settings | None:  # noqa: ARG002
        return None  # text that was learned in seconds is no preview of anything

    def fit_features(self, examples: Iterable[Example], plan: Plan) -> Features:
        from ilk.kinds.text.features import fit_features

        return fit_features(examples, plan)

    def fit_encoder(self, examples: Sequence[Example], holdout: Sequence[Example], plan: Plan) -> Encoder:
        from ilk.kinds.text.features import fit_encoder

        return fit_encoder(examples, holdout, plan)

    def load_features(self, folder: Path) -> Features:
        from ilk.kinds.text.features import load_features

        return load_features(folder)

    def write(self, objects: Sequence[Any], file: BinaryIO, format: str, note: Mapping[str, str]) -> None:
        from ilk.kinds.text.write import write

        write(objects, file, format, note)

    def draw(self, objects: Sequence[Any]) -> Exhibit:
        from ilk.kinds.text.draw import draw

        return draw(objects)

    def identify(self, object: Any) -> str:
        from ilk.kinds.text.check import identify

        return identify(object)

    def check(self, object: Any) -> list[str]:
        from ilk.kinds.text.check import check

        return check(object)

    def carrier(self, object: Any) -> None:  # noqa: ARG002
        return None  # no pixels that a watermark could hide in

    def with_carrier(self, object: Any, array: Any) -> Any:  # noqa: ARG002
        return object


kind = TextKind()
