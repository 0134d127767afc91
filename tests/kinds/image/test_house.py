"""The kind keeps the house's rules: a light door, no torch, the real data where they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ilk.core.protocol import Problem
from ilk.kinds.image import kind
from kinds.image.made import encode, examples, read

DATA = Path(__file__).parents[4] / "shared/data"


def modules_after(code: str) -> set[str]:
    script = f"{code}\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_recognition_loads_no_image_library(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    loaded = modules_after(f"from ilk.kinds.image import kind\nassert kind.recognise({str(tmp_path)!r}) == 1.0")
    assert not {"PIL", "torch", "safetensors"} & loaded


def test_reading_encoding_writing_and_drawing_load_no_torch():
    names = ["read", "codec", "write", "draw", "choose", "features", "check", "stamp"]
    assert "torch" not in modules_after("\n".join(f"import ilk.kinds.image.{name}" for name in names))


def test_the_demo_is_small_and_says_its_licence():
    demo = Path(sys.modules[type(kind).__module__].__file__).parent / "demo"
    assert (demo / "fashion.npz").stat().st_size < 8_000_000
    assert "MIT" in (demo / "LICENSE").read_text()
    assert set(kind.demos) == {"fashion"}


@pytest.mark.shared
def test_real_photos_in_a_zip():
    codec, stored = encode(str(DATA / "photos/test.zip"))
    assert (len(codec.classes), codec.channels, codec.side) == (10, 3, 32)
    assert stored["x"].shape == (372, 3, 32, 32)
    assert 30 < stored["x"].std() < 100
    assert set(stored["label"].tolist()) == set(range(10))


@pytest.mark.shared
def test_real_pictures_in_a_folder():
    found = read(DATA / "pictures")
    assert not [item for item in found if isinstance(item, Problem)]
    assert len(found) == 6


@pytest.mark.shared
def test_the_demo_is_from_the_training_split():
    import gzip

    import numpy as np

    test = gzip.decompress((DATA / "fashion_mnist/t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    held_out = {bytes(row) for row in np.frombuffer(test, np.uint8).reshape(-1, 784)}
    assert not any(example.object.open().tobytes() in held_out for example in examples("demo:fashion"))
