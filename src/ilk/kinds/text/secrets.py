"""What looks like a secret in a text: long numbers, addresses, keys; and others of its form that could stand there.

Only forms are known here. How much a model knows of a secret is told in ``exposure.py``. Dates, years, round numbers
and counts are no secrets, and neither is what is only counted up: of a form that others share, what they begin with
alike is no part of the secret.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

Sort = Literal["number", "address", "key"]
FEWEST_BITS = 13.0
"""A secret that could be one of fewer than eight thousand is none."""
_SWITCHES = 3
"""Times that letters and digits change places in a key; in words with a year behind them they do so once."""
_FEWEST_WORDS = 50
_RUN = 3

_ADDRESS = re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@[\w-]+(?:\.[\w-]+)+")
_KEY = re.compile(r"(?<![\w+/=-])[A-Za-z0-9_+/-]{16,200}={0,2}(?![\w+/=-])")
_NUMBER = re.compile(r"(?<![\w.,:@-])[+(]?\d(?:[ ()./-]{0,2}\d){5,24}(?![\w@]|[.,:]\d)")
_DATE = re.compile(
    r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:\d{4}|\d{2})|"
    r"(?:1[0-9]|20)\d\d ?[-/] ?(?:1[0-9]|20)\d\d)(?!\d)"
)
_DECIMAL = re.compile(r"\d+\.\d+")
_RANGE = re.compile(r"\(?(?!\d{3}-\d{4}$)\d{1,4} ?[-/] ?\d{1,4}")
"""Pages from and to, a fraction; three digits and four are a telephone number."""
_WORD = re.compile(r"[A-Za-z]+")
_HEX = frozenset("0123456789abcdef")
_CLASSES = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Secret(NamedTuple):
    """Something that looks like one.

    Attributes:
        value: its characters.
        sort: what it looks like.
        times: how often it stands in the texts.
        text, place: where it stands first.
    """

    value: str
    sort: Sort
    times: int
    text: int
    place: int

    @property
    def form(self) -> tuple[str, str]:
        """What it shares with others of its form."""
        if self.sort == "number":
            return self.sort, re.sub(r"\d", "0", self.value)
        return self.sort, str(len(self.value)) if self.sort == "key" else self.value.rpartition("@")[2]


class Form(NamedTuple):
    """What may stand at each part of a secret: one thing where it is fixed."""

    parts: tuple[Sequence[str], ...]

    @property
    def bits(self) -> float:
        """How many could stand there, as a power of two."""
        return sum(math.log2(len(part)) for part in self.parts)

    def draw(self, count: int, random: np.random.Generator) -> list[str]:
        """Some of them at random."""
        columns = [np.asarray(part, dtype=object)[random.integers(0, len(part), count)] for part in self.parts]
        return ["".join(row) for row in zip(*columns, strict=True)]


def find(texts: Sequence[str]) -> list[Secret]:
    """What looks like a secret, each value once, in the order in which they come."""
    found: dict[str, Secret] = {}
    for number, text in enumerate(texts):
        for value, sort, place in sorted(_in(text), key=lambda each: each[2]):
            known = found.get(value)
            found[value] = known._replace(times=known.times + 1) if known else Secret(value, sort, 1, number, place)
    return list(found.values())


def _in(text: str) -> list[tuple[str, Sort, int]]:
    """What looks like a secret in one text; what is part of an address or a key is no number as well."""
    out: list[tuple[str, Sort, int]] = []
    if "@" in text:
        out += [(match[0], "address", match.start()) for match in _ADDRESS.finditer(text)]
    out += [(match[0], "key", match.start()) for match in _KEY.finditer(text) if _is_key(match[0])]
    taken = [(place, place + len(value)) for value, _, place in out]
    for match in _NUMBER.finditer(text):
        inside = any(a < match.end() and match.start() < b for a, b in taken)
        if not inside and _is_number(match[0]):
            out.append((match[0], "number", match.start()))
    return out


def _alike(a: str, b: str) -> int:
    """How many characters two strings begin with alike."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(a), len(b)))


def _is_key(value: str) -> bool:
    plain = re.sub(r"[^A-Za-z0-9]", "", value)
    switches = sum(a.isdigit() != b.isdigit() for a, b in itertools.pairwise(plain))
    long = len(plain) >= (16 if set(plain.lower()) <= _HEX else 20)
    return long and switches >= _SWITCHES and len(set(plain)) > _RUN


def _is_number(value: str) -> bool:
    groups = re.findall(r"\d+", value)
    listed = len(groups) > 1 and max(map(len, groups)) < _RUN and not value.startswith(("0", "+"))
    plain = not (_DATE.match(value) or _DECIMAL.fullmatch(value) or _RANGE.fullmatch(value))
    return plain and not listed and len(set("".join(groups))) > 2


def forms(secrets: Sequence[Secret], texts: Sequence[str]) -> dict[str, Form]:
    """What else could stand where each secret stands; secrets that could be guessed are left out."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in secrets:
        alike[each.form].append(each.value)
    shared = {value: count for values in alike.values() for value, count in _shared(values).items()}
    letters = frozenset().union(*map(frozenset, texts))
    vocabulary = _vocabulary(texts) if any(each.sort == "address" for each in secrets) else {}
    out = {}
    for each in secrets:
        if each.sort == "address":
            form = _of_address(each.value, vocabulary)
        else:
            form = _of_signs(each, shared[each.value], letters)
        if form.bits >= FEWEST_BITS:
            out[each.value] = form
    return out


def _shared(values: Sequence[str]) -> dict[str, int]:
    """How many characters each value begins with as another one does: with a neighbour in their order."""
    ordered = sorted(values)
    common = [_alike(*pair) for pair in itertools.pairwise(ordered)]
    return {value: max(left, right) for value, left, right in zip(ordered, [0, *common], [*common, 0], strict=True)}


def _of_signs(secret: Secret, fixed: int, letters: frozenset[str]) -> Form:
    """Numbers and keys: other digits (and letters of the same sorts) that the text knows; the rest stands."""
    classes = _CLASSES[:1] if secret.sort == "number" else [each for each in _CLASSES if set(each) & set(secret.value)]
    if set(re.sub(r"[^A-Za-z0-9]", "", secret.value).lower()) <= _HEX:
        classes = ["".join(char for char in each if char.lower() in _HEX) for each in classes]
    pool = [char for char in "".join(classes) if char in letters]
    return Form(tuple(pool if place >= fixed and char in pool else (char,) for place, char in enumerate(secret.value)))


def _of_address(value: str, vocabulary: Mapping[int, Sequence[str]]) -> Form:
    """Addresses: other words of the text of the same lengths, other digits; what comes after the @ stands.

    Random letters would be no rivals for a name: any model knows what words look like.
    """
    local, _, domain = value.rpartition("@")
    parts: list[Sequence[str]] = []
    for piece in re.findall(r"[A-Za-z]+|\d|[^A-Za-z\d]+", local):
        words = vocabulary.get(len(piece), ())
        if piece.isdigit():
            parts.append(_CLASSES[0])
        elif len(piece) >= _RUN and len(words) >= _FEWEST_WORDS:
            parts.append(words)
        else:
            parts.append((piece,))
    return Form((*parts, (f"@{domain}",)))


def _vocabulary(texts: Sequence[str]) -> dict[int, list[str]]:
    """The words of the texts by their length."""
    found = {word.lower() for text in texts for word in _WORD.findall(text)}
    out: dict[int, list[str]] = defaultdict(list)
    for word in sorted(found):
        out[len(word)].append(word)
    return out
