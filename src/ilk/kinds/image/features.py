"""Numbers in which distance means difference: the pictures' principal components.

Each picture is made a small square and projected on the directions in which the fitted pictures vary
most. Knows no engine and needs no torch; saved as safetensors.

Halko, Martinsson, Tropp, "Finding structure with randomness", SIAM Review 53 (2011), algorithm 4.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ilk.core.errors import Code, FolderError, InputError, UnreadableError
from ilk.core.folder import pack, read_floats
from ilk.core.plan import Plan
from ilk.core.protocol import Example
from ilk.core.seeds import stream
from ilk.kinds.image.choose import choose_channels
from ilk.kinds.image.picture import size_of
from ilk.kinds.image.pixels import square

FILE = "features.safetensors"
MOST_PICTURES = 5_000
MOST_COMPONENTS = 64
MOST_SIDE = 32
_CHUNK = 512
Floats = npt.NDArray[np.float32]


class PcaFeatures:
    """Objects -> (N, F) float32, F at most 64: coordinates along the principal components."""

    def __init__(self, mean: Floats, components: Floats) -> None:
        """Keep the projection.

        Args:
            mean: (C, side, side) the mean picture, in [-1, 1].
            components: (F, C, side, side) orthonormal directions, the widest first.
        """
        self.mean = mean
        self.components = components

    def __call__(self, objects: Sequence[Any]) -> Floats:
        """Coordinates of pictures of any size (N, F)."""
        out = np.empty((len(objects), len(self.components)), np.float32)
        basis = self.components.reshape(len(self.components), -1).T
        for start in range(0, len(objects), _CHUNK):
            rows = _rows(objects[start : start + _CHUNK], self.mean.shape[1], self.mean.shape[0])
            out[start : start + len(rows)] = (rows - self.mean.reshape(-1)) @ basis
        return out

    def save(self, folder: Path) -> None:
        """Write ``features.safetensors``."""
        (folder / FILE).write_bytes(pack({"mean": self.mean, "components": self.components}))


def fit_features(examples: Iterable[Example], plan: Plan) -> PcaFeatures:
    """Principal components of the first 5,000 pictures that can be decoded.

    Raises:
        InputError: there is none.
    """
    items = [example.object for example in islice(examples, MOST_PICTURES)]
    if not items:
        raise InputError(Code.TOO_FEW, "There are no pictures to take features from.")
    side = min(MOST_SIDE, int(np.median([min(size_of(item)) for item in items])))
    channels = choose_channels(items)
    rows = np.concatenate([row for item in items if (row := _row_or_nothing(item, side, channels)) is not None])
    mean = rows.mean(axis=0)
    basis = principal(rows - mean, min(MOST_COMPONENTS, len(rows), rows.shape[1]), plan.seed)
    shape = (channels, side, side)
    return PcaFeatures(mean.reshape(shape), np.ascontiguousarray(basis).reshape(-1, *shape))


def load_features(folder: Path) -> PcaFeatures:
    """Read what ``save`` wrote; a stranger's file is checked.

    Raises:
        FolderError: it is missing or damaged.
    """
    path = folder / FILE
    mean, components = read_floats(path, ("mean", "components"))
    fits = mean.ndim == 3 and mean.shape[0] in (1, 3) and 1 <= mean.shape[1] == mean.shape[2] <= MOST_SIDE
    if not fits or components.shape != (len(components), *mean.shape) or not 1 <= len(components) <= MOST_COMPONENTS:
        raise FolderError(Code.FOLDER_UNSAFE, f"{path} has arrays of the wrong shape.")
    return PcaFeatures(mean, components)


def _rows(items: Sequence[Any], side: int, channels: int) -> Floats:
    """Pictures as (N, C * side * side) floats in [-1, 1]."""
    pixels = np.stack([square(item, side, channels, "crop") for item in items])
    return pixels.reshape(len(items), -1).astype(np.float32) / 127.5 - 1


def _row_or_nothing(item: Any, side: int, channels: int) -> Floats | None:
    try:
        return _rows([item], side, channels)
    except UnreadableError:  # counted where the pictures are encoded
        return None


def principal(rows: Floats, count: int, seed: int) -> Floats:
    """The first ``count`` right singular vectors (F, D), by a randomised range finder.

    A random projection, sharpened by power iterations, spans the leading directions; the exact SVD is
    taken within it. A full SVD of 5,000 x 3,072 takes a minute of one core, this takes a second.
    """
    width = min(count + 16, *rows.shape)
    span = rows @ stream(seed, "features").standard_normal((rows.shape[1], width), dtype=np.float32)
    for _ in range(2):
        span = rows @ (rows.T @ np.linalg.qr(span)[0])
    frame = np.linalg.qr(span)[0]
    basis = np.linalg.svd(frame.T @ rows, full_matrices=False)[2][:count]
    peaks = np.take_along_axis(basis, np.abs(basis).argmax(axis=1)[:, None], axis=1)
    return (basis * np.where(peaks < 0, -1, 1)).astype(np.float32)  # a sign that does not depend on the library
