"""Passages that follow each other, as one text again. The other way is ``cut.py``'s."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ilk.kinds.text.passage import Passage, as_passage


class Run(NamedTuple):
    """Passages without a gap: their places among what was given, and what they are together."""

    places: range
    text: Passage


def wholes(texts: Iterable[str]) -> list[Passage]:
    """Texts in which passages that follow each other are one, as far as they are there; none of them says it ends."""
    return [run.text for run in runs(list(texts), ())]


def runs(texts: Sequence[str], names: Sequence[str]) -> Iterator[Run]:
    """The longest runs of passages that follow each other.

    Args:
        texts: passages in the order in which they were read; some may be missing.
        names: ``FILE#NUMBER`` of each, where they are known: of a long text, piece 4 may stand behind piece 3 of
            another one when what was between is missing.
    """
    first = 0
    for place in range(1, len(texts) + 1):
        if place == len(texts) or not _follows(texts, names, place):
            yield Run(range(first, place), _joined(texts[first:place]))
            first = place


def _follows(texts: Sequence[str], names: Sequence[str], place: int) -> bool:
    before, after = as_passage(texts[place - 1]), as_passage(texts[place])
    if before.ends or after.piece != before.piece + 1:
        return False
    if len(names) != len(texts):
        return True
    (file, _, number), (next_file, _, next_number) = (names[each].rpartition("#") for each in (place - 1, place))
    return file == next_file and number.isdigit() and next_number == str(int(number) + 1)


def _joined(texts: Sequence[str]) -> Passage:
    marks: list[tuple[int, int]] = []
    at = 0
    for text in texts:
        marks += [(at + a, at + b) for a, b in as_passage(text).marks]
        at += len(text)
    return Passage("".join(texts), as_passage(texts[0]).piece, ends=False, marks=tuple(marks))
