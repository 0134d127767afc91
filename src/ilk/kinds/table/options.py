"""What a user may choose about tables. The help text of the command line is derived from here."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ilk.core.config import Record
from ilk.core.errors import Code, InputError


class Options(Record, frozen=True, kw_only=True):
    """How a table is read, and what it holds."""

    column: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1)], ...],
        msgspec.Meta(description="NAME=TYPE of a column, where it is not what it was taken for; may be repeated"),
    ] = ()
    rule: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1)], ...],
        msgspec.Meta(description="what holds in every row, such as 'end >= start'; may be repeated"),
    ] = ()
    delimiter: Annotated[
        str | None, msgspec.Meta(description="sign between the cells of a CSV; by default found out")
    ] = None
    decimal: Annotated[str | None, msgspec.Meta(description="sign before decimals, . or ,; by default found out")] = (
        None
    )
    header: Annotated[
        bool, msgspec.Meta(description="whether the first line of a CSV holds the names of its columns")
    ] = True
    encoding: Annotated[
        str | None, msgspec.Meta(description="encoding of a CSV, such as utf-8 or cp1252; by default found out")
    ] = None
    rows: Annotated[
        int, msgspec.Meta(ge=2, description="most rows that are learned from, spread over the whole table")
    ] = 1_000_000
    share: Annotated[
        bool, msgspec.Meta(description="larger leaves, which tell less of who was in the data: for a file to give away")
    ] = False

    def __post_init__(self) -> None:
        for text in self.column:
            if "=" not in text:
                raise InputError(Code.OPTION, f'column takes NAME=TYPE, not "{text}"')
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise InputError(Code.OPTION, f'delimiter takes one sign, not "{self.delimiter}"')
        if self.decimal not in (None, ".", ","):
            raise InputError(Code.OPTION, f'decimal takes . or ,, not "{self.decimal}"')


class SampleOptions(Record, frozen=True, kw_only=True):
    """How rows are written, beside the engine's settings."""

    formulas: Annotated[
        bool, msgspec.Meta(description="put a ' before cells of a CSV that a spreadsheet would run as formulas")
    ] = False
