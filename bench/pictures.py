"""The real pictures of the benchmarks, from the data beside the checkout; they are never shipped.

``fashion`` is Fashion-MNIST at 28 px, ``cifar`` 20,000 shuffled pictures of CIFAR-10 at 32 px, ``photos``
3,068 photographs of clothes cut square at 64 px. Files of the last two are sorted by class, so they are
shuffled with a fixed seed.
"""

from __future__ import annotations

import functools
import gzip
import io
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
OUT = ROOT / "bench" / "out"
FASHION = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")


class Pictures(NamedTuple):
    """Training and test pictures ``(N, C, H, W)`` uint8, their labels, and the names of the classes."""

    x: npt.NDArray[np.uint8]
    y: npt.NDArray[np.int64]
    test_x: npt.NDArray[np.uint8]
    test_y: npt.NDArray[np.int64]
    classes: tuple[str, ...]


@functools.cache
def load(name: str) -> Pictures:
    """The set ``fashion``, ``cifar`` or ``photos``."""
    OUT.mkdir(parents=True, exist_ok=True)
    if name == "fashion":
        return Pictures(*fashion("train"), *fashion("t10k"), FASHION)
    folder, side = {"cifar": ("cifar10", 32), "photos": ("photos", 64)}[name]
    kept = OUT / f"{name}-{side}.npz"
    if not kept.exists():
        parts = {part: _unzip(DATA / folder / f"{part}.zip", side) for part in ("train", "test")}
        order = np.random.default_rng(0).permutation(len(parts["train"][0]))
        train, test = parts["train"], parts["test"]
        np.savez(kept, x=train[0][order], y=train[1][order], tx=test[0], ty=test[1], names=np.array(train[2]))
    with np.load(kept) as file:
        return Pictures(file["x"], file["y"], file["tx"], file["ty"], tuple(map(str, file["names"])))


def fashion(part: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """``(N, 1, 28, 28)`` uint8 pictures and their labels; ``part`` is ``train`` or ``t10k``."""
    folder = DATA / "fashion_mnist"
    pictures = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    x_NCHW = np.frombuffer(pictures, dtype=np.uint8, offset=16).reshape(-1, 1, 28, 28)
    return x_NCHW, np.frombuffer(labels, dtype=np.uint8, offset=8).astype(np.int64)


def _unzip(path: Path, side: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], list[str]]:
    """Pictures of a zip whose folders are classes, cut square."""
    from PIL import Image, ImageOps

    pictures: list[Any] = []
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.lower().endswith(".jpg"))
        classes = sorted({name.split("/")[-2] for name in names})
        for name in names:
            image = ImageOps.exif_transpose(Image.open(io.BytesIO(archive.read(name)))).convert("RGB")
            square = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
            pictures.append(np.asarray(square).transpose(2, 0, 1))
    labels = np.array([classes.index(name.split("/")[-2]) for name in names], dtype=np.int64)
    return np.stack(pictures), labels, classes
