"""A small folder of pictures, a tiny model of it, and a way to run ``ilk`` as a shell would see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ilk.cli import main


@dataclass
class Ran:
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.out.count("\n") == 1, "--json prints exactly one line"
        return json.loads(self.out)


@pytest.fixture
def ilk(capfd):
    """Run ``ilk`` with these words; an error must be one sentence on stderr."""

    def run(*words: object) -> Ran:
        capfd.readouterr()
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        errors = [line for line in err.splitlines() if line.startswith("ilk: ")]
        assert len(errors) == (code in (2, 3, 4)), err
        assert "Traceback" not in err
        return Ran(code, out, err)

    return run


def save_pictures(folder: Path, count: int, *, side: int = 16, seed: int = 0) -> Path:
    """Bright discs at random places: pictures that have something in common."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    for number in range(count):
        cx, cy = rng.uniform(side * 0.3, side * 0.7, 2)
        disc = ((x - cx) ** 2 + (y - cy) ** 2 < (side / 4) ** 2) * 200 + rng.integers(0, 40)
        Image.fromarray(disc.astype(np.uint8)).save(folder / f"{number:03d}.png")
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """40 pictures in two classes."""
    folder = tmp_path_factory.mktemp("pictures") / "discs"
    save_pictures(folder / "big", 24, seed=1)
    save_pictures(folder / "small", 16, seed=2)
    return folder


@pytest.fixture(scope="session")
def model(pictures, tmp_path_factory) -> Path:
    """A model of the pictures, fitted for a moment."""
    path = tmp_path_factory.mktemp("models") / "discs.ilk"
    assert main(["fit", str(pictures), "-o", str(path), "--steps", "4", "--threads", "1", "--json"]) == 0
    return path
