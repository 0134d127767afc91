"""Small pictures of all sorts, made where the test runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ilk.core.plan import Plan
from ilk.core.protocol import Example, Problem
from ilk.kinds.image import kind
from ilk.kinds.image.options import Options

PLAN = Plan(steps=10)


def pictures(count, height=16, width=16, channels=3, seed=0):
    """(count, height, width, channels) smooth random colours."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, height, width, channels), dtype=np.uint8)


def save_all(folder: Path, arrays, suffix=".png", **options) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{place}{suffix}" for place in range(len(arrays))]
    for path, array in zip(paths, arrays, strict=True):
        Image.fromarray(array).save(path, **options)
    return paths


def read(source, **options):
    return list(kind.read(source, Options(**options)))


def examples(source, **options) -> list[Example]:
    found = read(source, **options)
    assert not [item for item in found if isinstance(item, Problem)]
    return found


def encode(source, **options):
    """All of a source through the codec that fits it."""
    found = examples(source, **options)
    codec = kind.fit_codec(found, Options(**options), PLAN, None)
    return codec, codec.encode(found)
