"""Sources for the contract suites: a folder of small pictures, a folder of throws, the dice package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dice import installed, throw_files
from PIL import Image


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """40 colour pictures of 16 x 16 in two folders, dark and light."""
    folder, draw = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for level, base in (("dark", 60), ("light", 190)):
        (folder / level).mkdir()
        for number in range(20):
            ramp = np.arange(16)[:, None, None] * draw.normal(0, 3)
            pixels = base + draw.normal(0, 20, (1, 1, 3)) + ramp + draw.normal(0, 8, (16, 16, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / level / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def throws(tmp_path_factory) -> Path:
    """120 throws of four dice in three files."""
    return throw_files(tmp_path_factory.mktemp("dice") / "throws")


@pytest.fixture
def dice():
    """The third party's package is installed."""
    with installed():
        yield
