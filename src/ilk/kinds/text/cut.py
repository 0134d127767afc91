"""From a stream of text to passages: where a document ends, and where a long one is cut.

A document is cut greedily into passages of at most ``PASSAGE`` characters, at the last good border in the second half
of what fits. Nothing is lost: the passages of a document, joined, are the document. Only a block and a passage are
ever held, so a line of 200 MB is text like any other. How bytes become text is told in ``ilk.core.decoding``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from ilk.kinds.text.formats import SEPARATOR
from ilk.kinds.text.options import Each
from ilk.kinds.text.passage import Passage

PASSAGE = 1_000
"""The most characters of a passage."""
_LOW = PASSAGE // 2
_MARK_LINE = 100
"""A line longer than this is no separator, however many backslashes stand before it."""

Parts: TypeAlias = Iterator[tuple[str, bool]]
"""Pieces of documents in order, and whether the document ends with the piece."""

_SENTENCE = re.compile(r"""[.!?…]["'”’»)\]]*\s+|[。！？]["'”’」』）]*""")
_MARK = re.compile(rf"\\*{re.escape(SEPARATOR)}")
_ESCAPED = re.compile(rf"^\\(\\*{re.escape(SEPARATOR)})$", re.MULTILINE)
_BETWEEN = f"\n{SEPARATOR}\n"


def passages(blocks: Iterable[str], each: Each = "file") -> Iterator[Passage]:
    """The passages of a stream of text; blank documents are left out.

    Args:
        blocks: the text in blocks of any size.
        each: what one document is.
    """
    rest, piece = "", 0
    for chunk, last in _PARTS[each](iter(blocks)):
        text, at = rest + chunk, 0
        while len(text) - at > PASSAGE:
            stop = border(text, at)
            yield Passage(text[at:stop], piece, ends=False)
            at, piece = stop, piece + 1
        rest = text[at:]
        if last:
            if piece or not (rest.isspace() or not rest):
                yield Passage(rest, piece)
            rest, piece = "", 0


def cut(document: Passage) -> Iterator[Passage]:
    """The passages of a document that is in memory; spans and template signs stay whole."""
    at, piece = 0, document.piece
    while len(document) - at > PASSAGE:
        stop = border(document, at)
        inside = next((a for a, b in document.marks if a < stop < b), stop)
        stop = inside if inside > at else stop
        yield document.part(at, stop, piece)
        at, piece = stop, piece + 1
    if at or not (document.isspace() or not document):
        yield document.part(at, len(document), piece)


def border(text: str, at: int) -> int:
    """Where a passage that begins at ``at`` should end, of a text that goes on for more than ``PASSAGE`` characters."""
    low, high = at + _LOW, at + PASSAGE
    for sign in ("\n\n", "\n"):
        stop = text.rfind(sign, low, high) + len(sign)
        if stop >= low and not _joined(text, stop):
            return stop
    stop = max((found.end() for found in _SENTENCE.finditer(text, low, high)), default=0)
    if stop and not _joined(text, stop):
        return stop
    stop = text.rfind(" ", low, high) + 1
    if stop > low and not _joined(text, stop):
        return stop
    stop = next((place for place in range(high, low, -1) if not _joined(text, place)), high)
    return stop


def _joined(text: str, place: int) -> bool:
    """Whether the characters on both sides of a place are one sign: a letter and its accent, parts of an emoji."""
    after = text[place]
    if after < "\u0300":
        return False
    before = text[place - 1]
    return (
        unicodedata.category(after)[0] == "M"
        or after in "\u200d\u200c"
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= after <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff")
    )


def _files(blocks: Iterator[str]) -> Parts:
    """The whole stream is one document, unless lines of ``SEPARATOR`` part it."""
    held, first = "", True
    for block in blocks:
        text = held + block
        if first and len(text) > len(SEPARATOR):
            text, first = text.removeprefix(SEPARATOR + "\n"), False
        stop = _sure(text)
        held = text[stop:]
        yield from _parted(text[:stop])
    yield from _parted(held.removesuffix(_BETWEEN[:-1]))
    yield "", True


def _parted(text: str) -> Parts:
    parts = text.split(_BETWEEN)
    for place, part in enumerate(parts):
        yield (_ESCAPED.sub(r"\1", part) if SEPARATOR in part else part), place < len(parts) - 1


def _sure(text: str) -> int:
    """How much of a text can be told from what comes next: all, or up to the line break before an unfinished line.

    The line break that is cut at must not be the second one of a separator, hence the look at the line before it.
    """
    end = len(text)
    for _ in range(_MARK_LINE):  # a file of nothing but separators is not held as a whole
        at = text.rfind("\n", max(0, end - _MARK_LINE), end)
        if at < 0:
            return len(text) if end == len(text) else end
        if not _MARK.fullmatch(text, text.rfind("\n", max(0, at - _MARK_LINE), at) + 1, at):
            return at
        end = at
    return end


def _lines(blocks: Iterator[str]) -> Parts:
    for block in blocks:
        *whole, last = block.split("\n")
        for line in whole:
            yield line, True
        if last:
            yield last, False
    yield "", True


def _one_line_each(blocks: Iterator[str]) -> Parts:
    return (("", last) if last and line == SEPARATOR else (line, last) for line, last in _lines(blocks))


def _paragraphs(blocks: Iterator[str]) -> Parts:
    """Lines up to a blank one, without the line break at the end."""
    filled = inside = False  # whether the paragraph has a line, and whether a line has begun
    for line, last in _lines(blocks):
        if last and not inside and (not line or line.isspace() or line == SEPARATOR):
            if filled:
                yield "", True
            filled = False
            continue
        yield (f"\n{line}" if filled and not inside else line), False
        filled, inside = True, not last
    yield "", True


_PARTS = {"file": _files, "line": _one_line_each, "paragraph": _paragraphs}
