"""A picture that is decoded when it is needed: header now, pixels later, no file left open between.

``Picture`` is what ``read.py`` yields as an example's object. This file opens files safely (a few
formats only, a limit on pixels, nothing global touched) and hands out PIL images as they are stored;
turning them upright, grey or small is the business of ``pixels.py``. It does not know folders or zips:
whoever makes a Picture says how to open its bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from ilk.core.errors import Code, UnreadableError
from ilk.kinds.image.formats import PREFIX_BYTES, sniff

MOST_PIXELS = 2**27
"""134 megapixels, 400 MB when decoded: more than cameras make, less than a bomb."""

# The plugins are called directly: PIL.Image.open would try every format it knows, and its limit on
# pixels is a global that warns, which threads cannot change or silence safely.
_OPENERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
}

Prepare = Callable[[ImageFile.ImageFile], None]


class Picture:
    """A picture in a file (on disk, in a zip): known by its header, decoded on demand, in any thread.

    Attributes:
        name: what to call it in a sentence.
        size: width and height as stored, before an EXIF orientation turns them.
        mode: PIL's name of the stored pixels: ``L``, ``RGB``, ``P``, ``CMYK``, ``I;16``, ...
    """

    __slots__ = ("_open_file", "mode", "name", "size")

    def __init__(self, name: str, open_file: Callable[[], BinaryIO]) -> None:
        """Read the header.

        Args:
            name: what to call it.
            open_file: opens its bytes, seekable; called once now and once for each decoding.

        Raises:
            UnreadableError: it is no picture, damaged, or too large.
        """
        self.name = name
        self._open_file = open_file
        try:
            with open_file() as file:
                header = _open(file)
                self.size: tuple[int, int] = header.size
                self.mode: str = header.mode
        except Exception as error:  # damaged files raise anything: struct.error, KeyError, OSError, ...
            raise _unreadable(name, error) from None

    def open(self, prepare: Prepare | None = None) -> Image.Image:
        """The decoded picture as it is stored (of an animation: the first frame); its file is closed.

        Args:
            prepare: sees the picture before its pixels are decoded, to ask for fewer of them.

        Raises:
            UnreadableError: its pixels cannot be decoded.
        """
        try:
            with self._open_file() as file:
                image = _open(file)
                if prepare is not None:
                    prepare(image)
                image.load()
                return image
        except Exception as error:
            raise _unreadable(self.name, error) from None

    def __repr__(self) -> str:
        return f"<Picture {self.name!r} {self.size[0]}x{self.size[1]} {self.mode}>"


class ArrayPicture:
    """A picture that is rows of an array, (H, W) or (H, W, C) uint8; no copy until it is opened."""

    __slots__ = ("_pixels", "name")

    def __init__(self, name: str, pixels: npt.NDArray[np.uint8]) -> None:
        self.name = name
        self._pixels = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self._pixels.shape[1], self._pixels.shape[0]

    @property
    def mode(self) -> str:
        """PIL's name of the pixels."""
        return "L" if self._pixels.ndim == 2 else {2: "LA", 3: "RGB", 4: "RGBA"}[self._pixels.shape[2]]

    def open(self, prepare: Prepare | None = None) -> Image.Image:  # noqa: ARG002  (nothing to prepare)
        """The picture as a PIL image."""
        return Image.fromarray(np.ascontiguousarray(self._pixels))

    def __repr__(self) -> str:
        return f"<ArrayPicture {self.name!r} {self.size[0]}x{self.size[1]} {self.mode}>"


def size_of(item: Any) -> tuple[int, int]:
    """Width and height of a Picture or a PIL image, without decoding."""
    width, height = item.size
    return int(width), int(height)


def _open(file: BinaryIO) -> ImageFile.ImageFile:
    name = sniff(file.read(PREFIX_BYTES))
    if name is None:
        raise ValueError("it is no picture")
    file.seek(0)
    image = _OPENERS[name](file)
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise ValueError(f"it is too large, {width} x {height} pixels")
    return image


def _unreadable(name: str, error: Exception) -> UnreadableError:
    reason = error.sentence if isinstance(error, UnreadableError) else " ".join(str(error).split())[:120]
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning | MemoryError):
        reason = "it is too large"
    return UnreadableError(Code.UNREADABLE, f"{name} cannot be read: {reason or type(error).__name__}.")
