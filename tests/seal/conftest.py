"""A home of one's own, a claim, and one tiny file of every format."""

import io
import struct
import wave

import numpy as np
import pytest
from PIL import Image

from ilk.seal import keys
from ilk.seal.claim import Claim

MODEL = "3f2a" * 16


@pytest.fixture(autouse=True)
def no_key_from_outside(monkeypatch):
    monkeypatch.delenv("ILK_KEY", raising=False)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture(scope="session")
def claim():
    return Claim(ilk="0.1.0", kind="image", model=MODEL, seed=7, index=3, call="c0ffee", time="2026-11-24T10:00:00Z")


@pytest.fixture(scope="session")
def someone():
    """An identity outside of any home."""
    return keys.make("Someone")


@pytest.fixture(scope="session")
def tiny():
    """Media type to the bytes of a small file."""
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (4, 4, 3), dtype=np.uint8))
    files = {}
    for name in ("PNG", "JPEG", "WEBP", "GIF", "TIFF"):
        out = io.BytesIO()
        image.save(out, name)
        files[f"image/{name.lower()}"] = out.getvalue()
    sound = io.BytesIO()
    with wave.open(sound, "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", ""))
        writer.writeframes(bytes(range(64)))
    files["audio/wav"] = sound.getvalue()

    def box(kind, payload):
        return struct.pack(">I", 8 + len(payload)) + kind + payload

    matrix = struct.pack(">9I", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    header = bytes(12) + struct.pack(">IIIH", 1000, 1000, 65536, 256) + bytes(10) + matrix + bytes(24) + b"\0\0\0\2"
    movie = box(b"moov", box(b"mvhd", header))
    files["video/mp4"] = box(b"ftyp", b"isom\0\0\2\0isommp41") + movie + box(b"mdat", bytes(range(64)))
    return files


TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/tiff", "audio/wav", "video/mp4"]


@pytest.fixture(params=TYPES)
def media_type(request):
    return request.param
