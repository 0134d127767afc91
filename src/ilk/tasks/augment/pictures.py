"""Pictures as a material: arrays of them, made by the kind's default engine, changed by random transforms.

The generator may learn another size than the pictures have; what it makes is brought to theirs. The model is a small
network that learns for a fixed number of steps, so that more pictures never mean more learning (``convnet.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from ilk.core.errors import Code, InputError
from ilk.core.protocol import LABEL, Array
from ilk.core.seeds import stream
from ilk.generator import Generator
from ilk.kinds.image import kind
from ilk.tasks.augment.labels import Label
from ilk.tasks.augment.material import Made

FLIP = 0.5  # share of pictures that are mirrored
SHIFT, CROP = 0.08, 0.12  # of the side, at most
PASSES, LEAST, MOST = 20, 120, 600  # how often a picture is seen by the network; steps at least and at most


class Pictures:
    """Pictures that a model is to learn from.

    Args:
        X: (N, H, W) or (N, H, W, C) uint8.
        options: the kind's options.
    """

    kind = kind.name
    changed = "transforms"
    folds = 3

    def __init__(self, X: Any, options: Mapping[str, Any]) -> None:
        self.x = np.asarray(X)
        if self.x.dtype != np.uint8 or self.x.ndim not in (3, 4):
            raise InputError(Code.SOURCE_UNKNOWN, "Pictures come as an array N x H x W or N x H x W x C of uint8.")
        self.options = dict(options)

    def __len__(self) -> int:
        return len(self.x)

    def part(self, rows: Array) -> Array:
        return np.asarray(self.x[rows])

    def join(self, first: Any, second: Any) -> Array:
        return np.concatenate([first, second])

    def teller(self, label: Label) -> str:  # noqa: ARG002
        """No part of a picture has a name."""
        return ""

    def models(self, seed: int) -> Mapping[str, Any]:
        from ilk.tasks.augment.convnet import BATCH, Convnet

        steps = int(np.clip(PASSES * len(self) / BATCH, LEAST, MOST))
        return {"network": Convnet(steps=steps, seed=seed), "three": Convnet(steps=steps, networks=3, seed=seed)}

    def maker(self, rows: Array, label: Label, seed: int, minutes: float) -> PictureMaker:
        words = [_word(code) for code in label.code_N[rows].tolist()]
        height, width = self.x.shape[1:3]
        options = self.options if height == width else {"fit": "stretch", **self.options}
        generator = Generator(
            kind=self.kind, minutes=minutes, label=LABEL, holdout=0.0, threads=1, options=options, random_state=seed
        )
        return PictureMaker(self, generator.fit(self.part(rows), words))

    def change(self, rows: Array, label: Label, seed: int) -> Made:
        """Each picture once more, mirrored, moved or cut at random."""
        draw = stream(seed, "transforms")
        return Made(np.stack([_changed(picture, draw) for picture in self.part(rows)]), label.code_N[rows])

    def fitted(self, pictures: Sequence[Image.Image]) -> Array:
        """Made pictures in the size and colours of these."""
        height, width = self.x.shape[1:3]
        mode = "L" if self.x.ndim == 3 or self.x.shape[3] == 1 else ("RGB" if self.x.shape[3] == 3 else "RGBA")
        sized = [picture.convert(mode).resize((width, height), Image.Resampling.BILINEAR) for picture in pictures]
        return np.stack([np.asarray(picture) for picture in sized]).reshape(-1, *self.x.shape[1:])


class PictureMaker:
    """The kind's default engine, fitted on the pictures of one training part and their classes.

    Args:
        pictures: the material.
        generator: fitted.
    """

    def __init__(self, pictures: Pictures, generator: Generator) -> None:
        self._pictures, self._generator = pictures, generator
        self._classes = [int(name[1:]) for name in generator.conditions_[LABEL].names]  # type: ignore[union-attr]

    @property
    def fingerprint(self) -> str:
        return str(self._generator.fingerprint_)

    def draw(self, count: int, seed: int) -> Made:
        """So many, the classes taking turns in the shares that they have among the real ones."""
        code_N = self._shares(count, seed)
        made = np.empty((count, *self._pictures.x.shape[1:]), np.uint8)
        for code in np.unique(code_N).tolist():
            here = np.flatnonzero(code_N == code)
            made[here] = self.draw_class(code, len(here), seed)
        return Made(made, code_N)

    def _shares(self, count: int, seed: int) -> Array:
        codec: Any = self._generator.model_.codec
        share_K = np.asarray(codec.counts, np.float64) / sum(codec.counts)
        return np.asarray(stream(seed, "classes").choice(self._classes, count, p=share_K))

    def draw_class(self, code: int, count: int, seed: int) -> Array:
        samples = self._generator.sample(count, given={LABEL: _word(code)}, seed=seed)
        return self._pictures.fitted([picture for batch in samples.batches() for picture in batch])


def _word(code: int) -> str:
    return f"c{code}"


def _changed(picture: Array, draw: np.random.Generator) -> Array:
    """One picture, mirrored, moved and cut: what comes in at an edge is the edge's own row."""
    height, width = picture.shape[:2]
    keep = 1.0 - draw.uniform(0, CROP)
    top, left = (draw.uniform(-SHIFT, SHIFT) * side + (1 - keep) / 2 * side for side in (height, width))
    row_H = (top + keep * np.arange(height)).round().astype(int).clip(0, height - 1)
    column_W = (left + keep * np.arange(width)).round().astype(int).clip(0, width - 1)
    found = picture[row_H][:, column_W]
    return np.asarray(found[:, ::-1] if draw.random() < FLIP else found)
