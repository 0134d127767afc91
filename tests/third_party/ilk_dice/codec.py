"""Throws <-> arrays of Throws: bytes in the cache, float32 for the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from ilk.core.config import Record, read_json, to_json
from ilk.core.errors import Code, InputError, suggest
from ilk.core.protocol import Arrays, Condition, Example, Given, Levels
from ilk_dice.space import Throws

FILE = "codec.json"


class DiceCodec(Record, frozen=True):
    """Objects are tuples of faces."""

    dice: Annotated[int, Meta(ge=1, le=1000)]
    sides: Annotated[int, Meta(ge=2, le=255)]
    levels: tuple[str, ...] = ()

    @property
    def space(self) -> Throws:
        return Throws(size=self.dice, sides=self.sides)

    @property
    def conditions(self) -> Mapping[str, Condition]:
        return {"die": Levels(names=self.levels)} if self.levels else {}

    def encode(self, examples: Sequence[Example]) -> Arrays:
        x = np.array([example.object for example in examples], dtype=np.uint8).reshape(len(examples), self.dice)
        if not self.levels:
            return {"x": x}
        label = [self.levels.index(example.given["die"]) for example in examples]
        return {"x": x, "label": np.array(label, dtype=np.int64)}

    def to_space(self, arrays: Arrays) -> Arrays:
        return {**arrays, "x": arrays["x"].astype(np.float32)}

    def decode(self, arrays: Arrays) -> Sequence[Any]:
        faces = np.clip(np.nan_to_num(arrays["x"]).round(), 1, self.sides).astype(int)
        return [tuple(row) for row in faces.tolist()]

    def encode_given(self, given: Mapping[str, Any], n: int) -> Given:
        if not self.levels:
            return Given()
        label = -1
        if "die" in given:
            if given["die"] not in self.levels:
                raise InputError(Code.GIVEN, f'No die is "{given["die"]}"; {suggest(given["die"], self.levels)}.')
            label = self.levels.index(given["die"])
        return Given(labels={"label": np.full(n, label, np.int64)})

    def save(self, folder: Path) -> None:
        (folder / FILE).write_bytes(to_json(self))


def fit_codec(examples: Iterable[Example], sides: int) -> DiceCodec:
    """How many dice, how many sides, which levels.

    Raises:
        InputError: no throw, or throws of different numbers of dice.
    """
    known = list(examples)
    lengths = {len(example.object) for example in known}
    if len(lengths) != 1:
        raise InputError(Code.TOO_FEW, f"All throws must be of the same number of dice, not {sorted(lengths)}.")
    most = max(max(example.object) for example in known)
    if sides and most > sides:
        raise InputError(Code.OPTION, f"A die of {sides} sides does not show {most}.")
    levels = tuple(sorted({example.given["die"] for example in known if "die" in example.given}))
    whole = all("die" in example.given for example in known)
    return DiceCodec(dice=lengths.pop(), sides=sides or max(2, most), levels=levels if whole else ())


def load_codec(folder: Path) -> DiceCodec:
    return read_json(folder / FILE, DiceCodec)
