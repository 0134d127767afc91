"""A kind so small that the core's tests can see through it: words, encoded as the numbers of their letters."""

from __future__ import annotations

import numpy as np

from ilk.core.config import Record, read_json, to_json
from ilk.core.errors import Code, UnreadableError
from ilk.core.protocol import Example, Problem
from ilk.core.spaces import Vector


class WordCodec(Record, frozen=True):
    """Words of at most four letters."""

    seen: int

    @property
    def space(self):
        return Vector(size=4)

    @property
    def conditions(self):
        return {}

    def encode(self, examples):
        for example in examples:
            if "?" in example.object:
                raise UnreadableError(Code.UNREADABLE, f"{example.name} cannot be read: a question.")
        rows = [[ord(letter) for letter in example.object.ljust(4)[:4]] for example in examples]
        return {"x": np.array(rows, dtype=np.uint8)}

    def to_space(self, arrays):
        return {"x": arrays["x"].astype(np.float32)}

    def save(self, folder):
        (folder / "codec.json").write_bytes(to_json(self))


class WordKind:
    """Reads a list of words; ``!`` cannot be read at all, ``?`` cannot be decoded. It counts its readings."""

    name = "words"

    def __init__(self, words, given=None, groups=None):
        self.words = list(words)
        self.given = given or [{}] * len(self.words)
        self.groups = groups or [""] * len(self.words)
        self.readings = self.fitted = 0

    def examples(self):
        self.readings += 1
        for number, word in enumerate(self.words):
            if "!" in word:
                yield Problem(f"word {number}", "it shouts")
            else:
                yield Example(word, f"word {number}", self.given[number], self.groups[number])

    def fit_codec(self, examples, options, plan, base):
        self.fitted = len(list(examples))
        return WordCodec(seen=self.fitted)

    def load_codec(self, folder):
        return read_json(folder / "codec.json", WordCodec)
