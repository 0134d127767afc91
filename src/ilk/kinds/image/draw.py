"""A contact sheet: many pictures on one page, large enough to look at. Knows no model and writes no file."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from ilk.core.protocol import Exhibit
from ilk.kinds.image.pixels import upright

MOST_TILES = 100
TILE = 96
"""Small pictures are enlarged by a whole factor up to about this side; larger ones than ``LARGEST`` are shrunk."""
LARGEST = 160
GAP = 4
GROUND = (52, 56, 64)  # slate: neither the white nor the black that pictures often end in


def draw(objects: Sequence[Any]) -> Exhibit:
    """A near-square sheet of the first 100 pictures as PNG."""
    shown = [upright(item) for item in objects[:MOST_TILES]]
    if not shown:
        shown = [Image.new("L", (TILE, TILE), 128)]
    side = _side([image.size for image in shown])
    columns = math.ceil(math.sqrt(len(shown)))
    rows = math.ceil(len(shown) / columns)
    pitch = side + GAP
    sheet = Image.new("RGB", (columns * pitch + GAP, rows * pitch + GAP), GROUND)
    for place, image in enumerate(shown):
        tile = _tile(image, side)
        left = GAP + place % columns * pitch + (side - tile.width) // 2
        top = GAP + place // columns * pitch + (side - tile.height) // 2
        sheet.paste(tile, (left, top))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", compress_level=6)
    more = f" of {len(objects):,}" if len(objects) > len(shown) else ""
    return Exhibit(media_type="image/png", data=buffer.getvalue(), caption=f"{len(shown)}{more} pictures")


def _side(sizes: Sequence[tuple[int, int]]) -> int:
    """A tile's side: a whole multiple of the pictures' own, where that is possible."""
    own = int(np.median([max(size) for size in sizes]))
    return own * max(1, TILE // own) if own <= LARGEST else LARGEST


def _tile(image: Image.Image, side: int) -> Image.Image:
    long = max(image.size)
    if long == side:
        return image
    if side % long == 0:
        return image.resize((image.width * side // long, image.height * side // long), Image.Resampling.NEAREST)
    size = (max(1, image.width * side // long), max(1, image.height * side // long))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
