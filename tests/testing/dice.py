"""The third party's package as if it were installed, and throws for it to read."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ilk.core import registry

THIRD_PARTY = Path(__file__).resolve().parents[1] / "third_party"


@contextmanager
def installed() -> Iterator[None]:
    """Put the package's folder on the path: its entry points are found, as after pip install."""
    sys.path.insert(0, str(THIRD_PARTY))
    importlib.invalidate_caches()
    registry._points.cache_clear()
    try:
        yield
    finally:
        sys.path.remove(str(THIRD_PARTY))
        registry._points.cache_clear()


def throw_files(folder: Path, lines: int = 120) -> Path:
    """A folder of three ``.dice`` files: fair throws, and loaded ones whose dice all show the same."""
    folder.mkdir(parents=True)
    draw = random.Random(0)
    for number in range(3):
        throws = [_throw(draw) for _ in range(lines // 3)]
        (folder / f"{number}.dice").write_text("\n".join(throws) + "\n")
    return folder


def _throw(draw: random.Random) -> str:
    if draw.random() < 0.5:
        return "fair: " + " ".join(str(draw.randint(1, 6)) for _ in range(4))
    return "loaded: " + " ".join([str(draw.randint(1, 6))] * 4)
