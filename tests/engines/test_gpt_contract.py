"""The transformer keeps every promise of an engine."""

from __future__ import annotations

import pytest

from ilk.core.spaces import Tokens
from ilk.engines.gpt import Gpt
from ilk.testing import check_engine

ENGINE = 28
SMALL = Gpt(width=32, layers=2, heads=2, key_heads=1, head_size=16, hidden=48, window=16, batch=4)


@pytest.mark.parametrize("end", [0, 1], ids=["start is end", "start is not end"])
def test_gpt_keeps_its_promises(end):
    assert check_engine(SMALL, Tokens(vocabulary=40, length=24, start=0, end=end)) == ENGINE
