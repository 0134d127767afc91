"""Which runs of characters and words of some texts stand word for word in others, exactly. Knows strings alone.

**Characters.** Known and asked texts are sorted together by what follows each of their places: ranks of eight or so
characters, doubled until all differ (Karp, Miller, Rosenberg, "Rapid identification of repeated patterns in strings,
trees and arrays", 1972; Manber, Myers, "Suffix arrays: a new method for on-line string searches", 1990). The longest
run from a place of an asked text that the known ones hold begins at one of its two known neighbours in that order. No
run goes over the end of a text.

**Words.** Runs of eight words are numbered by pairs of runs of four, these by pairs of two: equal numbers, equal
runs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

WORDS = 8
"""Words of a run that is looked for."""
Ints = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
_ENDS = 2  # the numbers 0 and 1 end known and asked texts, so that neither end equals the other
_WORD = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]|(?:(?![\u2e80-\u9fff\uf900-\ufaff])\w)+")
"""A word, or a sign of a script that has no spaces."""


class Copies(NamedTuple):
    """The longest run of each asked text that stands in a known one.

    Attributes:
        length: (N,) characters.
        start: (N,) where it begins in the asked text.
        text: (N,) in which known text it stands.
        place: (N,) where it begins there.
    """

    length: Ints
    start: Ints
    text: Ints
    place: Ints


def longest_copies(asked: Sequence[str], known: Sequence[str]) -> Copies:
    """The longest verbatim run of each asked text in the known ones.

    Args:
        asked: N texts.
        known: texts to look in; at least one.
    """
    codes, borders = _numbered(known, asked)
    split = borders[len(known)]  # where the asked texts begin
    order = _sorted_places(codes, max(map(len, asked), default=0))
    is_known = order < split
    before = np.maximum.accumulate(np.where(is_known, np.arange(len(order)), -1))
    after = np.minimum.accumulate(np.where(is_known, np.arange(len(order)), len(order))[::-1])[::-1]
    mine = np.flatnonzero(~is_known)
    places = order[mine]
    best, where = np.zeros(len(mine), np.int64), np.zeros(len(mine), np.int64)
    for side in (before[mine], after[mine]):
        there = (side >= 0) & (side < len(order))
        neighbour = order[np.where(there, side, 0)]
        length = np.where(there, _common(codes, places, neighbour, there), 0)
        where = np.where(length > best, neighbour, where)
        best = np.maximum(best, length)
    return _longest(places, best, where, borders, len(known))


def copied_words(asked: Sequence[str], known: Sequence[str]) -> tuple[int, int]:
    """How many runs of eight words of the asked texts stand in the known ones, and how many there are."""
    numbers: dict[str, int] = {}
    rows = [[numbers.setdefault(word, len(numbers)) for word in words(text)] for text in (*known, *asked)]
    ids = np.array([number for row in rows for number in row], dtype=np.int64)
    owner = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    width = 1
    while width < WORDS and len(ids) > width:
        pairs = ids[:-width].astype(np.uint64) << np.uint64(32) | ids[width:].astype(np.uint64)
        ids = np.unique(pairs, return_inverse=True)[1]
        width *= 2
    if width < WORDS or not len(ids):
        return 0, 0
    inside = owner[: len(ids)] == owner[WORDS - 1 :]
    mine = inside & (owner[: len(ids)] >= len(known))
    theirs = np.unique(ids[inside & ~mine])
    return int(np.isin(ids[mine], theirs).sum()), int(mine.sum())


def words(text: str) -> list[str]:
    """The words of a text in lower case, without signs."""
    found: list[str] = _WORD.findall(text.lower())
    return found


def _numbered(known: Sequence[str], asked: Sequence[str]) -> tuple[Ints, Ints]:
    """All texts as small numbers, each with its end behind it, and where each begins (and the whole ends)."""
    everything = "\0".join([*known, *asked, ""]).encode("utf-32-le", "surrogatepass")
    codes = np.unique(np.frombuffer(everything, np.uint32), return_inverse=True)[1] + _ENDS
    borders = np.cumsum([0, *(len(text) + 1 for text in (*known, *asked))])
    codes[borders[1:] - 1] = np.where(np.arange(len(borders) - 1) < len(known), 0, 1)
    return codes.astype(np.int64), borders


def _packed(codes: Ints) -> tuple[U64, int]:
    """The characters from each place on in one number, and how many these are."""
    bits = int(codes.max()).bit_length()
    width = max(1, 64 // bits)
    packed = np.zeros(len(codes), np.uint64)
    for ahead in range(width):
        packed <<= np.uint64(bits)
        packed[: max(0, len(codes) - ahead)] |= codes[ahead:].astype(np.uint64)
    return packed, width


def _sorted_places(codes: Ints, enough: int) -> Ints:
    """All places in the order of what follows them, as far as ``enough`` characters at the least."""
    packed, width = _packed(codes)
    order = np.argsort(packed)
    rank = np.empty(len(codes), np.int64)
    fresh = np.concatenate([[True], packed[order][1:] != packed[order][:-1]])
    first = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))  # of all that are alike so far
    rank[order] = first
    while True:
        alike = np.flatnonzero(~fresh | np.append(~fresh[1:], False))
        if not len(alike) or width >= enough:
            return order
        places = order[alike]
        ahead = np.where(places + width < len(codes), rank[np.minimum(places + width, len(codes) - 1)] + 1, 0)
        turn = np.lexsort((ahead, first[alike]))
        places, ahead, group = places[turn], ahead[turn], first[alike]
        order[alike] = places
        new = np.concatenate([[True], (group[1:] != group[:-1]) | (ahead[1:] != ahead[:-1])])
        fresh[alike] = new
        first[alike] = alike[np.maximum.accumulate(np.where(new, np.arange(len(alike)), 0))]
        rank[places] = first[alike]
        width *= 2


def _common(codes: Ints, one: Ints, other: Ints, wanted: npt.NDArray[np.bool_]) -> Ints:
    """How many characters from two places on are the same; ends stop it, as those of asked texts equal no known one."""
    packed, width = _packed(codes)
    length = np.zeros(len(one), np.int64)
    going = np.flatnonzero(wanted)
    last = len(codes) - 1
    while len(going):
        a, b = one[going] + length[going], other[going] + length[going]
        same = (a <= last) & (b <= last)
        same &= packed[np.minimum(a, last)] == packed[np.minimum(b, last)]
        length[going[same]] += width
        going = going[same]
    going = np.flatnonzero(wanted)
    while len(going):  # less than a whole number of characters is left
        a, b = one[going] + length[going], other[going] + length[going]
        same = (a <= last) & (b <= last)
        same &= codes[np.minimum(a, last)] == codes[np.minimum(b, last)]
        length[going[same]] += 1
        going = going[same]
    return length


def _longest(places: Ints, length: Ints, where: Ints, borders: Ints, known: int) -> Copies:
    """The longest run of each asked text."""
    owner = np.searchsorted(borders, places, side="right") - 1 - known
    count = len(borders) - 1 - known
    order = np.lexsort((places, -length, owner))
    firsts = order[np.searchsorted(owner[order], np.arange(count))]  # each text has a place, its end at the least
    text = np.searchsorted(borders, where[firsts], side="right") - 1
    return Copies(
        length[firsts], places[firsts] - borders[known + np.arange(count)], text, where[firsts] - borders[text]
    )


def shown(text: str, start: int, length: int, around: int) -> str:
    """A run between marks with what stands around it, on one line."""
    stop = start + length
    before, run, after = text[max(0, start - around) : start], text[start:stop], text[stop : stop + around]
    line = f"{'…' if start > around else ''}{before}»{run}«{after}{'…' if stop + around < len(text) else ''}"
    return line.replace("\r\n", "⏎").replace("\n", "⏎").translate(_SHOWN)


_SHOWN: dict[int, Any] = {code: 0x2400 + code for code in range(32)} | {0x7F: 0x2421}
"""Control characters by their pictures."""
