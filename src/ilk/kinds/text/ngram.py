"""What counting short runs of characters makes of a text: the yardstick beside a model's bits a character.

Interpolated modified Kneser-Ney (Chen and Goodman, "An empirical study of smoothing techniques for language modeling",
1998) over characters, orders 1 to 8, on tables of hashed runs. Each passage stands for itself: no run goes over its
end, and its first characters are known from a sign that it begins. Knows strings, and no tokens and no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

MOST_ORDER = 8
MOST_CHARACTERS = 5_000_000
"""Characters that are counted; of more text, passages spread over all of it."""
HELD = 20
"""Every so many-th passage of the training text chooses the order."""
_FACTOR, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xFF51AFD7ED558CCD)
U64 = npt.NDArray[np.uint64]
_EMPTY: U64 = np.zeros(1, np.uint64)
"""The hash of no character at all."""
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Stream(NamedTuple):
    """Passages one after the other: 0 begins each, then its characters by number from 1."""

    codes: U64
    depth: Ints  # characters since the beginning, 0 at it


class Table(NamedTuple):
    """Runs of one length: how often each comes, and what its context must leave to shorter runs."""

    keys: U64
    counts: Floats
    contexts: U64
    totals: Floats
    left: Floats  # the share of each context's mass that goes to shorter runs
    discounts: Floats  # of what came once, twice, more often


class Alphabet(NamedTuple):
    """The characters that were seen, sorted; any other one is the last number."""

    codes: npt.NDArray[np.uint32]

    @property
    def size(self) -> int:
        """Numbers that a character may have: those seen, and one for the rest."""
        return len(self.codes) + 1

    def stream(self, texts: Sequence[str]) -> Stream:
        """Passages as numbers."""
        raw = "".join(f"\0{text}" for text in texts).encode("utf-32-le", "surrogatepass")
        found = np.frombuffer(raw, np.uint32)
        begins = np.cumsum([0, *(len(text) + 1 for text in texts)], dtype=np.int64)
        place = np.searchsorted(self.codes, found)
        place[self.codes[np.minimum(place, len(self.codes) - 1)] != found] = len(self.codes)
        codes = (place + 1).astype(np.uint64)
        codes[begins[:-1]] = 0
        return Stream(codes, np.arange(len(codes)) - np.repeat(begins[:-1], np.diff(begins)))


class Ngram:
    """Probabilities of characters by the characters before them.

    Attributes:
        order: the length of the longest runs that are counted.
    """

    def __init__(self, alphabet: Alphabet, tables: Sequence[Table]) -> None:
        self._alphabet = alphabet
        self._tables = tables
        self.order = len(tables)

    def nats(self, texts: Sequence[str]) -> Floats:
        """(N,) what each text costs, its log-likelihood with the sign turned; characters never seen share one place."""
        stream = self._alphabet.stream(texts)
        chance = np.full(len(stream.codes), 1 / self._alphabet.size)
        for length, table in enumerate(self._tables, 1):
            chance = _better(table, length, stream, chance)
        cost = np.where(stream.depth > 0, -np.log(chance), 0.0)
        return np.add.reduceat(cost, np.flatnonzero(stream.depth == 0)) if len(texts) else np.zeros(0)


def fit_ngram(texts: Sequence[str]) -> Ngram:
    """Count a text; the order is what is best for a part of it that was not counted.

    Args:
        texts: passages, at least one character in all.
    """
    chosen = _bounded(texts)
    alphabet = _alphabet(chosen)
    held, kept = chosen[::HELD], [text for place, text in enumerate(chosen) if place % HELD]
    order = _best_order(alphabet, kept, held) if kept else 1
    return Ngram(alphabet, _tables(alphabet.stream(chosen), order))


def _bounded(texts: Sequence[str]) -> list[str]:
    """All passages, or as many as are counted, spread evenly."""
    stride = -(-sum(map(len, texts)) // MOST_CHARACTERS)
    return list(texts[:: max(1, stride)])


def _alphabet(texts: Sequence[str]) -> Alphabet:
    return Alphabet(np.unique(np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)))


def _best_order(alphabet: Alphabet, kept: Sequence[str], held: Sequence[str]) -> int:
    """The order that makes the held back passages likeliest: all are tried on one count."""
    train, test = alphabet.stream(kept), alphabet.stream(held)
    chance, costs = np.full(len(test.codes), 1 / alphabet.size), []
    shorter, runs = None, _runs(train, 1)
    for length in range(1, MOST_ORDER + 1):
        last = _better(_counted(runs, shorter, None), length, test, chance)
        costs.append(-float(np.log(last[test.depth > 0]).sum()))
        if length == MOST_ORDER or (length > 1 and costs[-1] > costs[-2]):
            break  # it only gets worse from here
        longer = _runs(train, length + 1)
        chance = _better(_counted(runs, shorter, longer), length, test, chance)
        shorter, runs = runs, longer
    return int(np.argmin(costs)) + 1


def _tables(stream: Stream, order: int) -> list[Table]:
    tables: list[Table] = []
    shorter, runs = None, _runs(stream, 1)
    for length in range(1, order + 1):
        longer = _runs(stream, length + 1) if length < order else None
        tables.append(_counted(runs, shorter, longer))
        if longer is not None:
            shorter, runs = runs, longer
    return tables


def _better(table: Table, length: int, stream: Stream, chance: Floats) -> Floats:
    """Each character's chance after a look at its run of ``length``, from what shorter runs say."""
    ends = np.flatnonzero(stream.depth >= max(1, length - 1))
    if not len(ends):
        return chance
    run, context = _hashes(stream, length)[ends], _hashes(stream, length - 1)[ends - 1]
    count = _lookup(table.keys, table.counts, run, 0.0)
    place = np.minimum(np.searchsorted(table.contexts, context), len(table.contexts) - 1)
    known = (table.contexts[place] == context) & (table.totals[place] > 0)
    mass = np.maximum(count - table.discounts[np.minimum(count, 3).astype(np.int64)], 0)
    out = chance.copy()
    seen = mass / np.maximum(table.totals[place], 1) + table.left[place] * chance[ends]
    out[ends] = np.where(known, seen, chance[ends])
    return out


class Runs(NamedTuple):
    """The different runs of one length in a stream, the sign of a beginning counted as a character of them."""

    length: int
    hashes: U64  # of the run that ends at each place; where none does, of no use
    keys: U64  # of the different ones, sorted
    counts: Ints
    ends: Ints  # a place where each ends


def _runs(stream: Stream, length: int) -> Runs:
    hashes = _hashes(stream, length)
    ends = np.flatnonzero(stream.depth >= length - 1)
    order = np.argsort(hashes[ends])
    ordered = hashes[ends][order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)])
    return Runs(length, hashes, ordered[first], np.diff(np.append(first, len(ordered))), ends[order[first]])


def _counted(runs: Runs, shorter: Runs | None, longer: Runs | None) -> Table:
    """The table of runs of one length: how often each comes; below the longest, after how many characters."""
    values = runs.counts.astype(np.float64)
    if longer is not None:
        kinds = np.bincount(np.searchsorted(runs.keys, runs.hashes[longer.ends]), minlength=len(values))
        values = np.where(kinds > 0, kinds, values)  # nothing stands before a run that begins a passage
    if shorter is None:
        values[runs.keys == runs.hashes[0]] = 0  # the sign of a beginning is given, never found
        contexts, owner = _EMPTY, np.zeros(len(values), np.int64)
    else:
        contexts = shorter.keys
        owner = np.searchsorted(contexts, shorter.hashes[runs.ends - 1])
    discounts = _discounts(values)
    totals = np.bincount(owner, values, len(contexts)).astype(np.float64)
    taken = np.bincount(owner, discounts[np.minimum(values, 3).astype(np.int64)], len(contexts)).astype(np.float64)
    return Table(runs.keys, values, contexts, totals, taken / np.maximum(totals, 1), discounts)


def _discounts(values: Floats) -> Floats:
    """What is taken from runs that came never, once, twice, more often (Chen and Goodman, equation 26)."""
    n1, n2, n3, n4 = (float((values == count).sum()) for count in (1, 2, 3, 4))
    if min(n1, n2, n3) == 0:  # a text so small, or so regular, that nothing can be estimated
        return np.array([0.0, 0.5, 0.75, 0.75])
    y = n1 / (n1 + 2 * n2)
    wanted = [0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    return np.clip(wanted, [0.0, 0.05, 0.05, 0.05], [0.0, 1.0, 2.0, 3.0])


def _hashes(stream: Stream, length: int) -> U64:
    """A hash of the run of this length that ends at each place; places where none does are of no use."""
    value = np.zeros(len(stream.codes), np.uint64)
    for back in range(length - 1, -1, -1):
        value *= _FACTOR
        value[back:] += stream.codes[: len(value) - back] + np.uint64(1)
    value ^= value >> np.uint64(29)
    value *= _MIX
    return value


def _lookup(keys: U64, values: Floats, wanted: U64, missing: float) -> Floats:
    if not len(keys):
        return np.full(len(wanted), missing)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], missing)
