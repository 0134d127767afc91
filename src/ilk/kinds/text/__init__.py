"""Text: files, documents, conversations and strings in, passages out; learnt as Tokens.

The kind itself. ``read.py`` (with ``listing.py``, ``extract.py``, ``records.py``, ``turns.py``) finds
and reads it, ``cut.py`` cuts it into passages (``passage.py``), ``copies.py`` keeps near-copies together, ``choose.py``
picks what it is made of, ``codec.py`` (with ``tokenizer.py``, ``pretrained.py``) turns passages into rows and back,
``guide.py`` steers what is written; the other files do what they are called. Importing this loads no library, so that
recognition is cheap; it never imports torch before something is to be learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from ilk.core.config import Record
from ilk.core.kind import FolderKind
from ilk.core.plan import Plan
from ilk.core.protocol import Base, Codec, Finding, Format, Measure, Settings, Witness
from ilk.kinds.text.formats import WRITTEN
from ilk.kinds.text.measures import MEASURES
from ilk.kinds.text.options import Options, SampleOptions
from ilk.kinds.text.passage import Passage
from ilk.kinds.text.recognise import DEMOS

if TYPE_CHECKING:
    from ilk.kinds.text.codec import TextCodec

__all__ = ["Passage", "TextKind", "kind"]


class TextKind(FolderKind):
    """Text, which starts from pretrained models as well and has numbers of its own in a report."""

    name: str = "text"
    Options: type[Record] = Options
    SampleOptions: type[Record] = SampleOptions
    measures: tuple[Measure, ...] = MEASURES
    formats: tuple[Format, ...] = WRITTEN
    demos: Mapping[str, str] = DEMOS

    def engine(self, codec: Codec, plan: Plan, base: Base | None) -> Settings:
        from ilk.engines.gpt import default_settings

        chosen = cast("TextCodec", codec)
        return default_settings(chosen.space, tokens=chosen.tokens, plan=plan, base=base)

    def open_base(self, name: str) -> Base:
        from ilk.kinds.text.pretrained import open_base

        return open_base(name)

    def measure(self, witness: Witness) -> tuple[Finding, ...]:
        from ilk.kinds.text.measure import measure

        return measure(witness)


kind = TextKind()
