"""What rules have in common: those that are held by construction, and those that rows can only be checked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from ilk.core.config import Record
from ilk.core.protocol import Array
from ilk.kinds.table.rule_measure import checked


class Held(Record, frozen=True, kw_only=True):
    """A column that others tell is taken out, or a rest of it kept, and put back; so rows that are made obey the rule.

    Attributes:
        name: the column that is replaced or removed.
        kind: its Arrow type.
    """

    constructive: ClassVar[bool] = True
    """Whether rows that are made obey it by construction, and not by being thrown away."""

    name: str
    kind: str

    if TYPE_CHECKING:

        @property
        def reads(self) -> tuple[str, ...]:
            """The columns that ``encode`` and ``decode`` need beside it."""

    def __post_init__(self) -> None:
        checked(self.kind)

    @property
    def takes(self) -> str:
        """The column that ``encode`` replaces or removes; empty where it leaves the table as it is."""
        return self.name

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the rule speaks of."""
        return (self.name, *self.reads)


class Checked(Record, frozen=True, kw_only=True):
    """Rows that break it have to be thrown away."""

    constructive: ClassVar[bool] = False
    takes: ClassVar[str] = ""

    if TYPE_CHECKING:

        @property
        def columns(self) -> tuple[str, ...]:
            """All columns that the rule speaks of."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that it speaks of."""
        return self.columns

    def encode(self, table: pa.Table) -> pa.Table:
        """The table as it is."""
        return table

    def decode(self, table: pa.Table, rows: Array | None = None) -> pa.Table:  # noqa: ARG002
        """The table as it is."""
        return table
