"""The pixels of a picture that a watermark can go into, and a picture of other pixels.

What a watermark is, and how large a picture must be for one, is the business of ``ilk.seal``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ilk.kinds.image.pixels import upright


def carrier(item: Any) -> npt.NDArray[np.uint8]:
    """(H, W, C) pixels as a person sees them, C of 1 or 3.

    Args:
        item: a PIL image, or a picture that is not decoded yet.
    """
    pixels = np.asarray(upright(item))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def with_carrier(item: Any, array: npt.NDArray[np.uint8]) -> Image.Image:  # noqa: ARG001 (a picture is its pixels)
    """The picture of these pixels, in mode ``L`` or ``RGB``."""
    return Image.fromarray(np.ascontiguousarray(array[..., 0] if array.shape[2] == 1 else array))
