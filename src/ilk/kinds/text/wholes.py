"""Passages that follow each other, as one text again. The other way is ``cut.py``'s."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ilk.kinds.text.passage import Passage, as_passage


class Run(NamedTuple):
    """Passages without a gap: their places among what was given, and what they are together."""

    places: range
    text: Passage


def wholes(texts: Iterable[str]) -> Iterator[Passage]:
    """Texts in which passages that follow each other are one, as far as they are there; none of them says it ends."""
    return (run.text for run in runs(texts))


def runs(texts: Iterable[str], names: Sequence[str] | None = None) -> Iterator[Run]:
    """The longest runs of passages that follow each other; only the one in hand is held.

    Args:
        texts: passages in the order in which they were read; some may be missing.
        names: ``FILE#NUMBER`` of each, where they are known: of a long text, piece 4 may stand behind piece 3 of
            another one when what was between is missing.
    """
    part: list[str] = []
    first = 0
    for place, text in enumerate(texts):
        if part and not (_follows(part[-1], text) and (names is None or _in_order(names[place - 1], names[place]))):
            yield Run(range(first, place), _joined(part))
            first, part = place, []
        part.append(text)
    if part:
        yield Run(range(first, first + len(part)), _joined(part))


def _follows(text: str, next_text: str) -> bool:
    before, after = as_passage(text), as_passage(next_text)
    return not before.ends and after.piece == before.piece + 1


def _in_order(name: str, next_name: str) -> bool:
    (file, _, number), (next_file, _, next_number) = name.rpartition("#"), next_name.rpartition("#")
    return file == next_file and number.isdigit() and next_number == str(int(number) + 1)


def _joined(texts: Sequence[str]) -> Passage:
    marks: list[tuple[int, int]] = []
    at = 0
    for text in texts:
        marks += [(at + a, at + b) for a, b in as_passage(text).marks]
        at += len(text)
    return Passage("".join(texts), as_passage(texts[0]).piece, ends=False, marks=tuple(marks))
