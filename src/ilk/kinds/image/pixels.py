"""From a picture of any sort to a small upright square of 8-bit grey or colour.

Everything that decides what a pixel becomes is here: EXIF orientation, palettes, CMYK, 16 bits,
transparency, the square, the resampling. It does not know where a picture came from or which size
to choose (``choose.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from ilk.core.errors import Code, UnreadableError
from ilk.kinds.image.options import Fit
from ilk.kinds.image.picture import ArrayPicture, Picture

Pixels = npt.NDArray[np.uint8]

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112
_SHARPNESS = 2
"""A decoder may shrink a picture for speed down to this many times the side that is wanted."""


def square(item: Any, side: int, channels: int, fit: Fit) -> Pixels:
    """One picture as (C, side, side) uint8.

    Args:
        item: a Picture or a PIL image.
        side: pixels a side.
        channels: 1 for grey, 3 for colour.
        fit: what to do with a picture that is not square.

    Raises:
        UnreadableError: its pixels cannot be decoded.
    """

    def prepare(image: ImageFile.ImageFile) -> None:
        _shrink_while_decoding(image, side, channels, fit)

    image = fitted(_in_channels(upright(item, prepare), channels), side, fit)
    pixels = np.asarray(image)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def upright(item: Any, prepare: Any = None) -> Image.Image:
    """The picture as a person sees it, in mode ``L`` or ``RGB``, at its own size (or a shrunk one)."""
    if isinstance(item, Picture | ArrayPicture):
        image = item.open(prepare)
        name = item.name
    else:
        image, name = item, getattr(item, "filename", "") or "a picture"
    try:
        image.load()
        turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
        plain = eight_bit(image)
        return plain if turn is None else plain.transpose(turn)
    except Exception as error:  # a user's own lazy PIL image raises here what a damaged file raises
        raise UnreadableError(Code.UNREADABLE, f"{name} cannot be read: {error}.") from None


def eight_bit(image: Image.Image) -> Image.Image:
    """Any PIL image as ``L`` or ``RGB``.

    Transparency becomes white, in grey pictures too: most pictures with a transparent ground are
    drawn to lie on a page, and what hides under it (usually black) is nobody's intent.
    """
    mode = image.mode
    if mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if mode.startswith("I;16"):
        # 65535 must become 255 and 257 x v must become v. PIL's own convert clips at 255 instead.
        wide = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((wide * 255 + 32767) // 65535).astype(np.uint8))
    if mode in ("I", "F"):
        raise ValueError(f"pixels of mode {mode} have no fixed range, save it with 8 or 16 bits")
    if image.has_transparency_data:
        return _on_white(image)
    if mode == "1":
        return image.convert("L")
    return image.convert("RGB")


def fitted(image: Image.Image, side: int, fit: Fit) -> Image.Image:
    """A square of ``side`` pixels, antialiased. A square of that side comes back as it is."""
    width, height = image.size
    if fit == "pad" and width != height:
        return _letterbox(image, side)
    if (width, height) == (side, side):
        return image
    box = (0.0, 0.0, float(width), float(height))
    if fit == "crop":
        short = min(width, height)
        left, top = (width - short) / 2, (height - short) / 2
        box = (left, top, left + short, top + short)
    return image.resize((side, side), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)


def _in_channels(image: Image.Image, channels: int) -> Image.Image:
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _on_white(image: Image.Image) -> Image.Image:
    grey = image.mode in ("1", "L", "LA", "La")
    layers = image.convert("LA" if grey else "RGBA")
    alpha = layers.getchannel("A")
    flat = layers.convert("L" if grey else "RGB")
    ground = Image.new(flat.mode, flat.size, "white")
    return Image.composite(flat, ground, alpha)


def _letterbox(image: Image.Image, side: int) -> Image.Image:
    """The whole picture in a square; the bars take the typical colour of the picture's rim."""
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    pixels = np.asarray(small)
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    middle = np.median(rim, axis=0).round().astype(int)
    colour = int(middle) if small.mode == "L" else tuple(int(value) for value in middle)
    ground = Image.new(small.mode, (side, side), colour)
    ground.paste(small, ((side - size[0]) // 2, (side - size[1]) // 2))
    return ground


def _shrink_while_decoding(image: ImageFile.ImageFile, side: int, channels: int, fit: Fit) -> None:
    """Let libjpeg decode a half, quarter or eighth, which costs a fraction, and only the luma of grey."""
    if image.format != "JPEG":
        return
    enough = max(image.size) if fit == "pad" else min(image.size)
    shrink = max(1, enough // (_SHARPNESS * side))
    asked = (max(1, image.width // shrink), max(1, image.height // shrink))
    image.draft("L" if channels == 1 else None, asked)
