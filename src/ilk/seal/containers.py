"""Where a C2PA manifest store lies in a file, and what a file is by its first bytes.

``find`` gives the store, the bytes around it that the format needs (chunk header, CRC, segment
length) as they must be, and the ranges that the signed content hash leaves out. Those bytes are the
only ones in a sealed file that the content hash does not cover, so checking them closes the circle.
Knows no signature and no claim; those are in ``jumbf.py`` and ``c2pa.py``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

from ilk.seal.jumbf import MANIFEST_MARK, STORE_MARK
from ilk.seal.signed import DamagedError

PNG, JPEG, WEBP, GIF, TIFF = "image/png", "image/jpeg", "image/webp", "image/gif", "image/tiff"
WAV, MP4 = "audio/wav", "video/mp4"

_UUID_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


class Located(NamedTuple):
    """A manifest store in a file."""

    store: bytes
    excluded: tuple[tuple[int, int], ...]  # (start, length) of what the content hash must leave out
    canonical: bool  # the bytes around the store are the only ones they may be


def sniff(head: bytes) -> str | None:
    """The media type by the first bytes, whatever the name says; None where C2PA has no say."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"WAVE"):
        return WEBP if head[8:12] == b"WEBP" else WAV
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return GIF
    if head[:4] in (b"II*\x00", b"MM\x00*"):
        return TIFF
    return MP4 if head[4:8] == b"ftyp" else None


def has_trace(data: bytes) -> bool:
    """Whether the bytes look as if a seal was ever in them: two marks, so that one change hides neither."""
    return STORE_MARK in data or MANIFEST_MARK in data or _UUID_BOX in data


def find(data: bytes, media_type: str) -> Located:
    """Find the store in a file.

    Raises:
        DamagedError: there is none where this format keeps it.
    """
    return _FINDERS[media_type](data)


def _start(data: bytes) -> tuple[int, int]:
    """Offset and length of the first store that lies in one piece."""
    at = data.find(STORE_MARK) - 12
    if at < 0:
        raise DamagedError("its manifest store cannot be found")
    length = int.from_bytes(data[at : at + 4], "big")
    if length < 8 or at + length > len(data):
        raise DamagedError("its manifest store is cut off")
    return at, length


def _png(data: bytes) -> Located:
    at, length = _start(data)
    store = data[at : at + length]
    chunk = b"caBX" + store
    whole = struct.pack(">I", length) + chunk + struct.pack(">I", zlib.crc32(chunk))
    start = at - 8
    return Located(store, ((start, len(whole)),), start > 0 and data[start : start + len(whole)] == whole)


def _riff(data: bytes) -> Located:
    at, length = _start(data)
    start = at - 8
    return Located(
        data[at : at + length],
        ((start, length + 8),),
        start > 0 and data[start:at] == b"C2PA" + struct.pack("<I", length),
    )


def _jpeg(data: bytes) -> Located:
    """APP11 segments: ``FFEB length "JP" instance sequence`` and then a piece of the store.

    Every piece after the first repeats the store's 8-byte header.
    """
    at, first, pieces = 2, -1, []
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at : at + 2 + length]
        if segment[1] == 0xEB and segment[4:6] == b"JP":
            first = at if first < 0 else first
            pieces.append(segment)
        elif pieces:
            break
        at += 2 + length
    if not pieces:
        raise DamagedError("its manifest store cannot be found")
    instance = pieces[0][6:8]
    store = pieces[0][12:] + b"".join(piece[20:] for piece in pieces[1:])
    again = b""
    for number, piece in enumerate(pieces, 1):
        body = piece[12:] if number == 1 else store[:8] + piece[20:]
        again += b"\xff\xeb" + struct.pack(">H", len(body) + 10) + b"JP" + instance + struct.pack(">I", number) + body
    canonical = instance == b"\x02\x11" and data[first : first + len(again)] == again
    return Located(store, ((first, len(again)),), canonical)


def _gif(data: bytes) -> Located:
    """An application extension: the store in sub-blocks of 255 bytes, each led by its length."""
    header = b"\x21\xff\x0bC2PA_GIF\x01\x00\x00"
    start = data.find(header)
    if start < 0:
        raise DamagedError("its manifest store cannot be found")
    at, pieces = start + len(header), []
    while at < len(data) and data[at]:
        pieces.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    store = b"".join(pieces)
    blocks = (store[i : i + 255] for i in range(0, len(store), 255))
    again = header + b"".join(bytes([len(block)]) + block for block in blocks) + b"\x00"
    return Located(store, ((start, len(again)),), data[start : start + len(again)] == again)


def _tiff(data: bytes) -> Located:
    """Tag 0xCD41 of an image directory points at the store; its count field is left out of the hash."""
    at, length = _start(data)
    order = "<" if data[:2] == b"II" else ">"
    entry = struct.pack(order + "HHII", 0xCD41, 7, length, at)
    found = data.find(entry)
    if found < 0:
        return Located(data[at : at + length], (), canonical=False)
    return Located(data[at : at + length], ((found + 4, 4), (at, length)), data.count(entry) == 1)


def _mp4(data: bytes) -> Located:
    """A top-level ``uuid`` box: version and flags, "manifest", an offset, the store."""
    at, length = _start(data)
    head = b"uuid" + _UUID_BOX + bytes(4) + b"manifest\x00" + bytes(8)
    start = at - len(head) - 4
    size = int.from_bytes(data[max(start, 0) : max(start, 0) + 4], "big")
    tail = data[at + length : start + size]
    canonical = start > 0 and data[start + 4 : at] == head and not any(tail) and len(tail) == start + size - at - length
    return Located(data[at : at + length], ((start, size),), canonical)


_FINDERS: dict[str, Callable[[bytes], Located]] = {
    PNG: _png,
    JPEG: _jpeg,
    WEBP: _riff,
    WAV: _riff,
    GIF: _gif,
    TIFF: _tiff,
    MP4: _mp4,
}
