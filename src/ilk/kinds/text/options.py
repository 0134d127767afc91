"""What a user may choose about text. The help text of the command line is derived from here.

What ``auto`` means, and why, is told in ``choose.py``; this file only knows how to refuse what cannot be.
"""

from __future__ import annotations

import codecs
from typing import Annotated, Literal

import msgspec

from ilk.core.config import Record
from ilk.core.errors import Code, InputError

Each = Literal["file", "paragraph", "line"]
Tokens = Literal["auto", "chars", "bytes", "bpe"]
FEWEST_PIECES, MOST_PIECES = 258, 65_536
"""Bounds of a vocabulary of byte pairs: 256 bytes, an end and one pair at the least; two bytes a token at the most."""


class Options(Record, frozen=True, kw_only=True):
    """How text is read, and what it is made of."""

    each: Annotated[
        Each,
        msgspec.Meta(description="what one document is in a file of plain text: all of it, a paragraph, a line"),
    ] = "file"
    field: Annotated[
        str | None,
        msgspec.Meta(description="column of a CSV or field of a JSONL that holds the text; by default text"),
    ] = None
    encoding: Annotated[
        str | None,
        msgspec.Meta(description="encoding of the files, such as utf-8 or cp1252; by default found out for each file"),
    ] = None
    tokens: Annotated[
        Tokens,
        msgspec.Meta(description="what the model reads and writes: characters, bytes, or pieces of words (bpe)"),
    ] = "auto"
    vocabulary: Annotated[
        int | None,
        msgspec.Meta(description=f"number of pieces of words, {FEWEST_PIECES} to {MOST_PIECES}; implies bpe"),
    ] = None

    def __post_init__(self) -> None:
        if self.encoding is not None and not _is_text_encoding(self.encoding):
            raise InputError(Code.OPTION, f'there is no encoding "{self.encoding}"; try utf-8, utf-16 or cp1252')
        size = self.vocabulary
        if size is not None and not FEWEST_PIECES <= size <= MOST_PIECES:
            raise InputError(Code.OPTION, f"vocabulary takes {FEWEST_PIECES} to {MOST_PIECES}, not {size}")
        if size is not None and self.tokens in ("chars", "bytes"):
            raise InputError(Code.OPTION, f"vocabulary goes with tokens bpe, not with {self.tokens}")


class SampleOptions(Record, frozen=True, kw_only=True):
    """How text is made, beside the engine's settings: where it stops, and what it can only become."""

    stop: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1)], ...],
        msgspec.Meta(description="words that end a text and are left out of it; may be repeated"),
    ] = ()
    schema: Annotated[
        str | None,
        msgspec.Meta(description="file of a JSON schema: what is written is JSON that meets it"),
    ] = None
    regex: Annotated[
        str | None,
        msgspec.Meta(description="regular expression that all of what is written matches"),
    ] = None
    choices: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1)], ...],
        msgspec.Meta(description="what is written is one of these; may be repeated"),
    ] = ()


def _is_text_encoding(name: str) -> bool:
    try:
        return bool(codecs.lookup(name)._is_text_encoding)  # not rot13, not base64
    except (LookupError, ValueError):
        return False
