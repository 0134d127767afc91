"""Which files are pictures, by name and by first bytes, and which formats are written.

Light on purpose: recognition reads this file and must not load an image library. It does not know
how to decode anything; that is ``picture.py``.
"""

from __future__ import annotations

from ilk.core.protocol import Format

WRITTEN = (
    Format(suffix="png", media_type="image/png"),
    Format(suffix="jpg", media_type="image/jpeg"),
    Format(suffix="webp", media_type="image/webp"),
    Format(suffix="npz", media_type="application/zip", many=True, one=False),
    Format(suffix="mp4", media_type="video/mp4", many=True, one=False, rate=25),
    Format(suffix="gif", media_type="image/gif", many=True, one=False, rate=20),
)
SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
SPOKEN = "JPEG, PNG, WebP, GIF, BMP and TIFF"
PREFIX_BYTES = 16
_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
)


def sniff(prefix: bytes) -> str | None:
    """The picture format that a file's first ``PREFIX_BYTES`` announce, or None."""
    if prefix[:4] == b"RIFF" and prefix[8:12] == b"WEBP":
        return "WEBP"
    return next((name for magic, name in _MAGIC if prefix.startswith(magic)), None)
