"""Films: pictures one after the other, as MP4 (H.264) or GIF, and several side by side as one frame.

Frames stream: one is in memory at a time, however long the film is. Small pictures are enlarged by a whole factor,
so that a pixel stays a square. What moves and how is not known here (``ilk.generator.latent``).
"""

from __future__ import annotations

import math
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from ilk.core.errors import Code, InputError
from ilk.kinds.image.formats import WRITTEN
from ilk.kinds.image.pixels import upright

LEAST = 256  # pixels a side that a film has at least: below, a player's window is a stamp
LOOKED_AT = 32  # frames from which a GIF's colours are chosen
GROUND = 56  # between pictures side by side: neither the white nor the black that pictures often end in
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # of ISO base media files, ISO 16684-1
RATES = {form.suffix: form.rate for form in WRITTEN if form.rate}
Pixels = npt.NDArray[np.uint8]


def write_film(objects: Sequence[Any], file: BinaryIO, name: str, packet: bytes) -> None:
    """The bytes of a film whose frames are the pictures.

    The film is made in a temporary file first: an MP4's index goes to the front at the end, and the note of a GIF
    before its last byte.

    Args:
        objects: PIL images of one size; may be a lazy sequence, it is walked once (and looked into, for a GIF).
        file: takes the bytes.
        name: ``mp4`` or ``gif``.
        packet: the note as XMP; empty for none.

    Raises:
        InputError: there is no picture, or they are of different sizes.
    """
    if not len(objects):
        raise InputError(Code.OUTPUT, "There is no picture to write.")
    encode, tail, noted = _HOW[name]
    with tempfile.TemporaryDirectory(prefix="ilk-") as folder:
        path = Path(folder, f"film.{name}")
        encode(objects, path)
        with path.open("r+b") as made:
            made.truncate(path.stat().st_size - len(tail))
            shutil.copyfileobj(made, file, 2**20)
    file.write((noted(packet) if packet else b"") + tail)


def tiles(image: Any) -> int:
    """How many pictures like this one go side by side into a frame: 16 small ones, 4, or 1 that is large."""
    side = max(image.size)
    return 16 if side <= 64 else 4 if side <= 256 else 1


def mosaic(images: Sequence[Any]) -> Image.Image:
    """Pictures of one size side by side, in a near-square, as one picture."""
    arrays = [np.asarray(image) for image in images]
    if len(arrays) == 1:
        return Image.fromarray(arrays[0])
    height, width = arrays[0].shape[:2]
    gap = max(1, max(height, width) // 28)
    columns = math.ceil(math.sqrt(len(arrays)))
    rows = math.ceil(len(arrays) / columns)
    shape = (rows * (height + gap) + gap, columns * (width + gap) + gap, *arrays[0].shape[2:])
    whole = np.full(shape, GROUND, dtype=np.uint8)
    for place, pixels in enumerate(arrays):
        top, left = gap + place // columns * (height + gap), gap + place % columns * (width + gap)
        whole[top : top + height, left : left + width] = pixels
    return Image.fromarray(whole)


def factor(width: int, height: int) -> int:
    """The whole factor that makes the shorter side ``LEAST`` pixels or more; 1 for what is large enough."""
    return max(1, math.ceil(LEAST / min(width, height)))


def _frames(objects: Sequence[Any]) -> Iterator[Image.Image]:
    """The pictures as ``L`` or ``RGB`` of one size."""
    size: tuple[int, int] | None = None
    for item in objects:
        image = upright(item)
        size = size or image.size
        if image.size != size:
            raise InputError(Code.OUTPUT, "A film takes pictures of one size.")
        yield image


def _enlarged(pixels: Pixels) -> Pixels:
    """Every pixel as a square."""
    times = factor(pixels.shape[1], pixels.shape[0])
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def _even(pixels: Pixels) -> Pixels:
    """An odd size gets its last row or column twice: H.264 halves the colours' resolution and wants even sizes."""
    odd = [(0, pixels.shape[0] % 2), (0, pixels.shape[1] % 2), *[(0, 0)] * (pixels.ndim - 2)]
    return np.pad(pixels, odd, mode="edge")


def _encode_mp4(objects: Sequence[Any], path: Path) -> None:
    """H.264 in yuv420p with its index in front: what every player and browser shows."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as film:
        stream = film.add_stream("libx264", rate=RATES["mp4"], options={"crf": "18", "preset": "fast"})
        stream.codec_context.thread_count = 1  # of several threads one in a hundred films has other bits
        for place, image in enumerate(_frames(objects)):
            pixels = _even(_enlarged(np.asarray(image.convert("RGB"))))
            if not place:
                stream.height, stream.width, stream.pix_fmt = *pixels.shape[:2], "yuv420p"
            film.mux(stream.encode(_timed(av.VideoFrame.from_ndarray(pixels, format="rgb24"), place, "mp4")))
        film.mux(stream.encode(None))


def _encode_gif(objects: Sequence[Any], path: Path) -> None:
    """A GIF that repeats for ever, in at most 256 colours that are chosen for the whole film; greys are exact."""
    with av.open(str(path), "w", format="gif", options={"loop": "0"}) as film:
        stream = film.add_stream("gif", rate=RATES["gif"])
        palette: Image.Image | None = None
        for place, image in enumerate(_frames(objects)):
            if not place and image.mode != "L":
                palette = _palette(objects)
            indices, colours = (np.asarray(image), GREYS) if palette is None else _in_palette(image, palette)
            pixels = _enlarged(indices)
            if not place:
                stream.height, stream.width, stream.pix_fmt = *pixels.shape[:2], "pal8"
            pair: Any = pixels, colours  # as the library takes pictures with a palette
            film.mux(stream.encode(_timed(av.VideoFrame.from_ndarray(pair, format="pal8"), place, "gif")))
        film.mux(stream.encode(None))


def _timed(frame: Any, place: int, name: str) -> Any:
    """The frame at its moment."""
    frame.pts, frame.time_base = place, Fraction(1, RATES[name])
    return frame


def _palette(objects: Sequence[Any]) -> Image.Image:
    """256 colours for a film, chosen from frames all over it."""
    places = np.unique(np.linspace(0, len(objects) - 1, LOOKED_AT).astype(int))
    seen = np.concatenate([np.asarray(upright(objects[int(place)]).convert("RGB")) for place in places])
    return Image.fromarray(seen).quantize(256, Image.Quantize.MEDIANCUT, kmeans=1)


def _in_palette(image: Image.Image, palette: Image.Image) -> tuple[Pixels, Pixels]:
    """Each pixel's number in the palette, and the palette as alpha, red, green, blue.

    Without dithering: its dots, enlarged and new in every frame, would swarm.
    """
    indices = np.asarray(image.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE))
    return indices, _opaque(np.array(palette.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3))


def _opaque(colours_K3: Pixels) -> Pixels:
    """A palette of 256 colours as alpha, red, green, blue."""
    whole = np.zeros((256, 4), dtype=np.uint8)
    whole[:, 0] = 255
    whole[: len(colours_K3), 1:] = colours_K3
    return whole


def _mp4_note(packet: bytes) -> bytes:
    """XMP as a box of its own at the end of the file (ISO 16684-1)."""
    return struct.pack(">I4s", 24 + len(packet), b"uuid") + _XMP_BOX + packet


def _gif_note(packet: bytes) -> bytes:
    """XMP as an application extension: the packet as it is, and a slide on which a reader of sub-blocks gets out."""
    return b"\x21\xff\x0bXMP DataXMP" + packet + b"\x01" + bytes(range(255, -1, -1)) + b"\x00"


GREYS = _opaque(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1))
_HOW: dict[str, tuple[Callable[[Sequence[Any], Path], None], bytes, Callable[[bytes], bytes]]] = {
    "mp4": (_encode_mp4, b"", _mp4_note),
    "gif": (_encode_gif, b"\x3b", _gif_note),
}
