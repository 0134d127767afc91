"""Pictures <-> arrays of a Grid: uint8 N x C x H x W in the cache, floats in [-1, 1] for the engine.

The codec knows the square, the channels and the names of the classes; it is one small JSON file in a
model folder. How it was chosen is told in ``choose.py``, what happens to a pixel in ``pixels.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from PIL import Image

from ilk.core.config import Record, read_json, to_json
from ilk.core.errors import Code, FolderError, InputError, suggest
from ilk.core.protocol import Arrays, Condition, Example, Given, Levels
from ilk.core.spaces import Grid
from ilk.kinds.image.options import Fit
from ilk.kinds.image.pixels import square

FILE = "codec.json"
OPEN = -1
"""The label of a sample whose class is left open, and of a picture whose class is unknown."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Name = Annotated[str, msgspec.Meta(max_length=1024)]


class ImageCodec(Record, frozen=True, kw_only=True):
    """Objects are Pictures or PIL images going in, PIL images (``L`` or ``RGB``) coming out.

    What was learnt from the data is all in its fields; ``save`` writes just them.
    """

    side: Annotated[int, msgspec.Meta(ge=1, le=1024, description="pixels a side; all grids are square")]
    channels: int
    fit: Fit
    count: Annotated[_Count, msgspec.Meta(description="pictures that it was fitted on")]
    condition: _Name = "class"  # what the data call their classes
    classes: Annotated[tuple[_Name, ...], msgspec.Meta(max_length=10_000)] = ()
    counts: tuple[_Count, ...] = ()

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, not {self.channels}")
        if len(set(self.classes)) != len(self.classes) or len(self.counts) != len(self.classes):
            raise ValueError("classes and counts do not fit together")

    @property
    def space(self) -> Grid:
        """What the engine learns."""
        return Grid(channels=self.channels, height=self.side, width=self.side)

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """``class`` (or what ``label`` named it), where the data had more than one."""
        return {self.condition: Levels(names=self.classes)} if self.classes else {}

    def encode(self, examples: Sequence[Example]) -> Arrays:
        """Decode pictures; safe in several threads at once.

        Returns:
            ``x`` (N, C, H, W) uint8 and, where there are classes, ``label`` (N,) int64.

        Raises:
            UnreadableError: one of them cannot be decoded; the sentence names it.
        """
        x = np.empty((len(examples), self.channels, self.side, self.side), np.uint8)
        for row, example in zip(x, examples, strict=True):
            row[...] = square(example.object, self.side, self.channels, self.fit)
        if not self.classes:
            return {"x": x}
        places = {name: place for place, name in enumerate(self.classes)}
        label = [places.get(str(example.given.get(self.condition)), OPEN) for example in examples]
        return {"x": x, "label": np.asarray(label, np.int64)}

    def to_space(self, arrays: Arrays) -> Arrays:
        """``x`` as float32 in [-1, 1]; whatever else there is, unchanged."""
        x = np.multiply(arrays["x"], 1 / 127.5, dtype=np.float32)
        return {**arrays, "x": np.subtract(x, 1, out=x)}

    def decode(self, arrays: Arrays) -> Sequence[Image.Image]:
        """PIL images of floats ``x`` (N, C, H, W) in [-1, 1]; what lies outside is clipped."""
        x = np.nan_to_num(np.asarray(arrays["x"], np.float32))
        pixels = ((x.clip(-1, 1) + 1) * 127.5).round().astype(np.uint8)
        flat = pixels[:, 0] if self.channels == 1 else np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
        return [Image.fromarray(picture) for picture in flat]

    def encode_given(self, given: Mapping[str, Any], n: int) -> Given:
        """``{"class": name}`` as ``label`` (n,) int64, -1 where the class is left open.

        Raises:
            InputError: there is no such class.
        """
        if not self.classes:
            return Given()
        label = OPEN
        if self.condition in given:
            name = str(given[self.condition])
            if name not in self.classes:
                raise InputError(
                    Code.GIVEN, f'"{name}" is no {self.condition} of this model; {suggest(name, self.classes)}.'
                )
            label = self.classes.index(name)
        return Given(labels={"label": np.full(n, label, np.int64)})

    def save(self, folder: Path) -> None:
        """Write ``codec.json``."""
        (folder / FILE).write_bytes(to_json(self))


def load_codec(folder: Path) -> ImageCodec:
    """Read what ``save`` wrote; a stranger's file is checked.

    Raises:
        FolderError: it is missing, damaged, or asks for more than ilk makes.
    """
    path = folder / FILE
    try:
        if path.stat().st_size > 2**24:
            raise FolderError(Code.FOLDER_UNSAFE, f"{path} is far too large for a codec.")
    except OSError as error:
        raise FolderError(Code.FOLDER_DAMAGED, f"{path} cannot be read ({error.strerror}).") from None
    return read_json(path, ImageCodec)
