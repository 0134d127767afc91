"""The defaults as a table: what a budget, a size and a device lead to."""

from __future__ import annotations

import pytest
from gan_data import grid

from ilk.core.config import convert, fields
from ilk.core.errors import InputError
from ilk.core.plan import Plan
from ilk.engines.gan import Gan, SampleSettings, default_settings

TABLE = [
    # picture, count, plan, width, batch
    (28, 60_000, Plan(seconds=60), 32, 32),
    (28, 60_000, Plan(seconds=240), 48, 32),
    (28, 60_000, Plan(seconds=120, threads=2), 48, 64),
    (28, 60_000, Plan(seconds=1800, threads=2), 64, 64),
    (64, 3_000, Plan(seconds=600), 32, 32),
    (28, 60_000, Plan(steps=300), 32, 32),
    (28, 60_000, Plan(steps=20_000), 48, 32),
    (28, 60_000, Plan(seconds=60, size="large"), 64, 32),
    (28, 60_000, Plan(seconds=60, size="small"), 16, 32),
    (28, 20, Plan(seconds=60), 32, 20),
    (32, 60_000, Plan(seconds=60, device="cuda"), 96, 128),
]


@pytest.mark.parametrize(("size", "count", "plan", "width", "batch"), TABLE)
def test_defaults_follow_budget_size_and_device(size, count, plan, width, batch):
    settings = default_settings(grid(size), conditions_present=True, count=count, plan=plan)
    assert (settings.width, settings.batch) == (width, batch)
    assert settings.conditional


def test_defaults_without_labels_learn_none():
    assert not default_settings(grid(28), conditions_present=False, count=9, plan=Plan(steps=1)).conditional


def test_every_setting_says_what_it_is():
    assert all(field.help for record in (Gan, SampleSettings) for field in fields(record))


def test_a_misspelt_or_impossible_setting_is_refused():
    with pytest.raises(InputError, match='did you mean "width"'):
        convert({"widht": 3}, Gan, "setting of gan")
    with pytest.raises(InputError, match=r"rate cannot be -1: it must be a number above 0"):
        convert({"rate": "-1"}, Gan, "setting of gan")
