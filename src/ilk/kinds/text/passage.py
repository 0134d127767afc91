"""A passage: a string that knows which part of its document it is, and which of it is to be learned.

It is a ``str`` in every respect; a plain string is a passage that is a whole document. How documents are cut is
``cut.py``'s business, what a model makes of a passage is ``codec.py``'s.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Spans: TypeAlias = tuple[tuple[int, int], ...]
"""Half-open ranges of characters, in order, without overlap."""


class Passage(str):
    """A part of a document.

    Attributes:
        piece: which part of its document it is; 0 begins it.
        ends: whether the document ends with it.
        learn: the characters whose loss counts; None means all of them.
        marks: the characters that are control signs of a chat template, such as ``<|im_start|>``. The same
            letters anywhere else are just letters.
    """

    __slots__ = ("ends", "learn", "marks", "piece")

    piece: int
    ends: bool
    learn: Spans | None
    marks: Spans

    def __new__(
        cls,
        text: str = "",
        piece: int = 0,
        ends: bool = True,  # noqa: FBT001, FBT002  (a fact about the passage, not a switch)
        learn: Spans | None = None,
        marks: Spans = (),
    ) -> Passage:
        made = super().__new__(cls, text)
        made.piece, made.ends, made.learn, made.marks = piece, ends, learn, marks
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """What copying and pickling keep: the attributes too."""
        return type(self), (str(self), self.piece, self.ends, self.learn, self.marks)

    def part(self, start: int, stop: int, piece: int) -> Passage:
        """Characters ``start`` to ``stop`` as piece ``piece`` of the same document, with the spans that they have."""
        return Passage(
            self[start:stop],
            piece,
            self.ends and stop >= len(self),
            None if self.learn is None else within(self.learn, start, stop),
            within(self.marks, start, stop),
        )


def as_passage(text: str) -> Passage:
    """The string itself where it is a passage, otherwise a whole document of it."""
    return text if isinstance(text, Passage) else Passage(text)


def within(spans: Spans, start: int, stop: int) -> Spans:
    """The parts of spans that lie in ``start`` to ``stop``, counted from ``start``.

    >>> within(((0, 4), (6, 9)), 2, 8)
    ((0, 2), (4, 6))
    """
    clipped = ((max(a, start) - start, min(b, stop) - start) for a, b in spans)
    return tuple((a, b) for a, b in clipped if a < b)
