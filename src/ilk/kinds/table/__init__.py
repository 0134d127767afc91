"""Tables: CSV, Parquet, Arrow, JSON lines and data frames in, rows out; learnt as Columns.

The kind itself. ``read.py`` finds and reads it, ``types.py`` says what a column holds, ``rule_book.py`` what every
row obeys, ``choose.py`` makes a codec of both, ``codec.py`` (with ``convert.py`` and ``words.py``) turns rows into
numbers and back, ``measures.py`` says how good made rows are; the other files do what they are called. Importing this
loads no library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from ilk.core.config import Record
from ilk.core.kind import FolderKind
from ilk.core.plan import Plan
from ilk.core.protocol import Base, Codec, Finding, Format, Measure, Settings, Witness
from ilk.kinds.table.formats import WRITTEN
from ilk.kinds.table.measures import MEASURES
from ilk.kinds.table.options import Options, SampleOptions
from ilk.kinds.table.recognise import DEMOS

if TYPE_CHECKING:
    from ilk.kinds.table.codec import TableCodec

__all__ = ["TableKind", "kind"]


class TableKind(FolderKind):
    """Rows of a table."""

    name: str = "table"
    repeats: bool = True
    Options: type[Record] = Options
    SampleOptions: type[Record] = SampleOptions
    formats: tuple[Format, ...] = WRITTEN
    demos: Mapping[str, str] = DEMOS
    measures: tuple[Measure, ...] = MEASURES

    def engine(self, codec: Codec, plan: Plan, base: Base | None) -> Settings:  # noqa: ARG002
        from ilk.engines.columns import default_settings

        chosen = cast("TableCodec", codec)
        return default_settings(chosen.rows, share=chosen.facts.share)

    def measure(self, witness: Witness) -> tuple[Finding, ...]:
        from ilk.kinds.table.measure import measure

        return measure(witness)


kind = TableKind()
