"""Fixtures for pictures."""

from __future__ import annotations

import pytest

from kinds.image.made import pictures, save_all


@pytest.fixture
def ten(tmp_path):
    """A folder of ten 16 x 16 colour PNGs and their pixels."""
    arrays = pictures(10)
    save_all(tmp_path / "ten", arrays)
    return tmp_path / "ten", arrays
