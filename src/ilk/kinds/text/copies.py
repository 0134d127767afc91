"""Which passages are near-copies of an earlier one: groups that a split may not part, found while reading.

Words are hashed, runs of five words (shingles) are hashed, and of a passage's shingles the least under each of twelve
hash functions is kept; the chance that two passages share a least one is the share of shingles that they share.
Three of them together are a band, and passages that agree in any of four bands go together: at four fifths of
shingles in common with 94 %, at a third with 14 %. What came first names the group. All is done by numpy for many
passages at a time, and the table of bands has an upper limit: past about four million passages, near-copies of the
later ones are missed.

Broder, "On the resemblance and containment of documents", 1997; Leskovec, Rajaraman, Ullman, "Mining of massive
datasets", chapter 3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from ilk.core.protocol import Example, Problem
from ilk.core.seeds import stream

BATCH = 256
WORDS = 5
"""Words of a shingle."""
FEWEST_WORDS = 8
"""A shorter passage is a copy only of one with the same words."""
BANDS, ROWS = 4, 3
_TRIES = 8
_SMALLEST, _LARGEST = 2**14, 2**24
"""Places of the table; each takes 12 bytes."""
_CJK = 0x2E80
"""From here on, a sign is a word: Chinese and Japanese have no spaces."""
_LETTERS = 0x3000
U64 = npt.NDArray[np.uint64]

_draw = stream(0, "near copies")
_HASHES: U64 = _draw.integers(0, 2**63, BANDS * ROWS, np.uint64) * np.uint64(2) + np.uint64(1)
_PLACES: U64 = _draw.integers(0, 2**63, WORDS, np.uint64) * np.uint64(2) + np.uint64(1)
_MIX_A, _MIX_B = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_WORD_SIGN = np.array([chr(code).isalnum() for code in range(_LETTERS)])


def grouped(items: Iterable[Example | Problem]) -> Iterator[Example | Problem]:
    """The same items in the same order, each example with its group: that of the first passage that it is a copy of."""
    copies = Copies()
    stream_ = iter(items)
    while batch := list(islice(stream_, BATCH)):
        examples = [item for item in batch if isinstance(item, Example)]
        groups = iter(copies.add([example.object for example in examples]))
        for item in batch:
            yield msgspec.structs.replace(item, group=f"{next(groups)}") if isinstance(item, Example) else item


class Copies:
    """The bands of all passages so far; says of each new one whose near-copy it is."""

    def __init__(self) -> None:
        self._count = 0
        self._filled = 0
        self._key: U64 = np.zeros(_SMALLEST, np.uint64)
        self._group: npt.NDArray[np.uint32] = np.zeros(_SMALLEST, np.uint32)

    def add(self, texts: Sequence[str]) -> list[int]:
        """A number for each passage, the same one for near-copies."""
        if not texts:
            return []
        keys = signatures(texts)
        known = self._find(keys.reshape(-1)).reshape(keys.shape)
        here: dict[int, int] = {}
        groups = []
        lists: Any = (keys.tolist(), known.tolist())
        for key, found in zip(*lists, strict=True):
            group = next((number for number in found if number >= 0), -1)
            if group < 0:
                group = next((here[band] for band in key if band in here), self._count)
            for band in key:
                here.setdefault(band, group)
            groups.append(group)
            self._count += 1
        self._keep(np.fromiter(here, np.uint64, len(here)), np.fromiter(here.values(), np.uint32, len(here)))
        return groups

    def _find(self, keys: U64) -> npt.NDArray[np.int64]:
        found = np.full(len(keys), -1, np.int64)
        for turn in range(_TRIES):
            place = self._places(keys, turn)
            hit = (self._key[place] == keys) & (found < 0)
            found[hit] = self._group[place[hit]]
        return found

    def _keep(self, keys: U64, groups: npt.NDArray[np.uint32]) -> None:
        if 2 * (self._filled + len(keys)) > len(self._key) and len(self._key) < _LARGEST:
            old_keys, old_groups = self._key, self._group
            self._key, self._group = np.zeros(4 * len(old_keys), np.uint64), np.zeros(4 * len(old_keys), np.uint32)
            self._put(old_keys[old_keys > 0], old_groups[old_keys > 0])
        self._put(keys, groups)
        self._filled += len(keys)

    def _put(self, keys: U64, groups: npt.NDArray[np.uint32]) -> None:
        """Put different keys into free places; a key that finds none within a few tries is forgotten."""
        for turn in range(_TRIES):
            place = self._places(keys, turn)
            free = self._key[place] == 0
            self._key[place[free]] = keys[free]  # of two keys for one place, the last one has it
            won = self._key[place] == keys
            self._group[place[won & free]] = groups[won & free]
            keys, groups = keys[~won], groups[~won]

    def _places(self, keys: U64, turn: int) -> npt.NDArray[np.int64]:
        return ((keys + np.uint64(turn)) & np.uint64(len(self._key) - 1)).astype(np.int64)


def signatures(texts: Sequence[str]) -> U64:
    """(N, BANDS) keys, none of them 0; passages that share one are near-copies, as likely as is told above."""
    lowered = [text.lower() for text in texts]
    codes = np.frombuffer("\n".join(lowered).encode("utf-32-le", "surrogatepass"), np.uint32)
    begins = np.concatenate([[0], np.cumsum([len(text) + 1 for text in lowered])])
    word_W, owner_W = _words(codes, begins)
    counts = np.bincount(owner_W, minlength=len(texts))
    keys = np.empty((len(texts), BANDS), np.uint64)
    long = counts >= FEWEST_WORDS
    if long.any():
        shingle_S, owner_S = _shingles(word_W, owner_W)
        shingle_S, owner_S = shingle_S[long[owner_S]], owner_S[long[owner_S]]
        first = np.searchsorted(owner_S, np.flatnonzero(long))
        least_HN = np.stack([np.minimum.reduceat(_mixed(shingle_S * factor), first) for factor in _HASHES])
        bands_BRN = least_HN.reshape(BANDS, ROWS, -1) * _HASHES.reshape(BANDS, ROWS, 1)
        keys[long] = _mixed(bands_BRN.sum(axis=1, dtype=np.uint64)).T
    for place in np.flatnonzero(~long):
        keys[place] = _exact(lowered[place])
    return np.maximum(keys, np.uint64(1))


def _words(codes: npt.NDArray[np.uint32], begins: npt.NDArray[np.int64]) -> tuple[U64, npt.NDArray[np.int64]]:
    """A hash of each word and the passage it is in."""
    alone = codes >= _CJK
    inside = _WORD_SIGN[np.minimum(codes, _LETTERS - 1)] | alone
    before = np.concatenate([[False], inside[:-1] & ~alone[:-1]])
    first = np.flatnonzero(inside & (alone | ~before))
    if not len(first):
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    length = np.diff(np.append(first, len(codes)))
    place = np.arange(first[0], len(codes)) - np.repeat(first, length)
    powers = _powers(int(length.max()))
    value = np.where(inside, codes, 0)[first[0] :].astype(np.uint64) * powers[place]
    word = _mixed(np.add.reduceat(value, first - first[0]))
    return word, np.searchsorted(begins, first, side="right") - 1


def _powers(count: int) -> U64:
    """1, p, p^2, ... modulo 2^64."""
    powers = np.full(count, 0x9E3779B97F4A7C15, np.uint64)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint64)


def _shingles(word_W: U64, owner_W: npt.NDArray[np.int64]) -> tuple[U64, npt.NDArray[np.int64]]:
    """A hash of each run of ``WORDS`` words within a passage, and the passage."""
    count = len(word_W) - WORDS + 1
    value = word_W[:count] * _PLACES[0]
    for place in range(1, WORDS):
        value = value + word_W[place : place + count] * _PLACES[place]
    whole = owner_W[:count] == owner_W[WORDS - 1 :]
    return _mixed(value[whole]), owner_W[:count][whole]


def _mixed(value: U64) -> U64:
    """Murmur3's finaliser: every bit depends on every bit."""
    value = (value ^ (value >> np.uint64(33))) * _MIX_A
    value = (value ^ (value >> np.uint64(33))) * _MIX_B
    mixed: U64 = value ^ (value >> np.uint64(33))
    return mixed


def _exact(lowered: str) -> int:
    """One key for all bands: of the words and signs, whatever stands between them."""
    digest = hashlib.blake2b(" ".join(lowered.split()).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
