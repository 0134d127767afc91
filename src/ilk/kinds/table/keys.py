"""Keys: what tells a row from all others and says nothing of it. Fresh ones are made by form, never copied.

A form is what stands around a number that counts (``C-{:06d}``), the signs that each place may have, or a UUID.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Sequence
from math import gcd, prod
from string import ascii_lowercase, ascii_uppercase, digits

import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.config import Record

NAMES = re.compile(r"(^|[_ ])(id|uuid|guid|key|index|no|nr|number)$|Id$|ID$|^(unnamed: 0|rowid)$", re.IGNORECASE)
"""Columns of these names are keys where each value comes once."""
FEWEST = 20  # values; fewer may differ by chance
ROOM = 1_000  # possible keys for each one that there is
MOST_LENGTH = 64
_CLASSES = (digits, f"{digits}abcdef", f"{digits}ABCDEF", ascii_lowercase, ascii_uppercase)


class Form(Record, frozen=True):
    """What keys look like.

    Attributes:
        start: the first number that no key has yet.
        before: what stands before the number.
        after: what stands behind it.
        digits: how many it has at least; 0 where none counts.
        plain: whether it is a number and nothing else.
        places: the signs of each place, of keys that have no number that counts.
    """

    start: int = 0
    before: str = ""
    after: str = ""
    digits: int = 0
    plain: bool = False
    places: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(self.places) or not 0 <= self.digits <= MOST_LENGTH:
            raise ValueError("no key looks like that")

    def fresh(self, name: str, number: int) -> str:
        """The key of sample ``number`` in a column."""
        if self.digits:
            return f"{self.before}{self.start + number:0{self.digits}d}{self.after}"
        if self.places:
            return "".join(self._scattered(name, number))
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {number}"))

    def _scattered(self, name: str, number: int) -> list[str]:
        """Another key for each number: far apart, and all of them before one comes again."""
        room = prod(map(len, self.places))
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")
        stride = seed % room | 1
        while gcd(stride, room) != 1:
            stride += 2
        left, signs = (seed // 7 + number * stride) % room, list[str]()
        for place in reversed(self.places):
            left, sign = divmod(left, len(place))
            signs.append(place[sign])
        return signs[::-1]


def form_of(known: pa.ChunkedArray) -> Form | None:
    """The form that all of some strings have; None where they have none."""
    parts = pc.extract_regex(known, r"^(?P<before>.*?)(?P<digits>\d{1,15})(?P<after>\D*)$")
    before, after = (pc.unique(pc.struct_field(parts, side)).to_pylist() for side in ("before", "after"))
    if len(before) == len(after) == 1 and before[0] is not None and len(before[0]) < MOST_LENGTH:
        number = pc.struct_field(parts, "digits")
        width = pc.min(pc.utf8_length(number)).as_py()
        start = int(pc.max(number.cast(pa.int64())).as_py()) + 1
        return Form(start=start, before=before[0], after=after[0], digits=width)
    length = pc.unique(pc.utf8_length(known)).to_pylist()
    if len(length) != 1 or not 4 <= length[0] <= MOST_LENGTH:
        return None
    places = tuple(_place(known, at) for at in range(length[0]))
    wide = sum(len(place) > 1 for place in places)
    if any(not place for place in places) or not wide or prod(map(len, places)) < ROOM * len(known):
        return None
    return Form(places=_alike(places))


def _place(known: pa.ChunkedArray, at: int) -> str:
    """The signs that a place may have: the one that it always has, or digits, or letters; nothing where it is free."""
    seen = set(pc.unique(pc.utf8_slice_codeunits(known, at, at + 1)).to_pylist())
    if len(seen) == 1:
        return str(seen.pop())
    return next((each for each in _CLASSES if seen <= set(each)), "")


def _alike(places: Sequence[str]) -> tuple[str, ...]:
    """Places of digits among places of hexadecimal ones are these by chance, unless few of them are others."""
    hexes = {place for place in places if place in _CLASSES[1:3]}
    few = len(hexes) == 1 and sum(place in hexes for place in places) >= len(places) / 2
    return tuple(hexes.copy().pop() if few and place == _CLASSES[0] else place for place in places)
