"""What is wrong with a sample as a picture. Whether it is a good one is the report's question."""

from __future__ import annotations

import hashlib
from typing import Any

from PIL import Image


def check(item: Any) -> list[str]:
    """Problems in words; empty when there are none."""
    if not isinstance(item, Image.Image):
        return [f"it is a {type(item).__name__}, not a PIL image"]
    problems = []
    if item.mode not in ("L", "RGB"):
        problems.append(f"its mode is {item.mode}, not L or RGB")
    extrema = item.getextrema()
    bands = extrema if isinstance(extrema[0], tuple) else (extrema,)
    if all(low == high for low, high in bands):
        problems.append("it is one flat colour")
    return problems


def identify(item: Any) -> str:
    """SHA-256 over size and RGB pixels: the same for a lossless copy in whatever format.

    Args:
        item: a PIL image, or a picture that is not decoded yet.
    """
    image = item if isinstance(item, Image.Image) else item.open()
    pixels = image.convert("RGB")
    return hashlib.sha256(b"%dx%d " % pixels.size + pixels.tobytes()).hexdigest()
