"""``fit(X, y)``: y is one more thing that is known of each picture, and can be asked for."""

from __future__ import annotations

import numpy as np
import pytest

import ilk

PICTURES = np.random.default_rng(0).integers(0, 255, (24, 16, 16), dtype=np.uint8)


class Series(list):
    """A list with a name, as a column of a data frame has it."""

    name = "shade"


def fit(y, **params):
    return ilk.Generator(steps=2, threads=1, **params).fit(PICTURES, y)


def test_y_becomes_a_condition():
    model = fit(["dark", "light"] * 12)
    assert model.conditions_["class"].names == ("dark", "light")
    assert len(model.sample(3, given={"class": "dark"}, seed=1).data) == 3


def test_y_is_called_as_it_is_named():
    assert list(fit(Series(["dark", "light"] * 12)).conditions_) == ["shade"]
    assert list(fit(["dark", "light"] * 12, label="tone").conditions_) == ["tone"]


def test_numbers_as_labels_are_names():
    assert fit(np.array([3, 4] * 12)).conditions_["class"].names == ("3", "4")


def test_y_of_another_length_is_refused():
    with pytest.raises(ilk.InputError, match="24 examples and y has 3"):
        fit(["a", "b", "c"])


def test_other_labels_are_another_fit():
    first = fit(["dark", "light"] * 12)
    second = fit(["dark", "light", "dark"] * 8)
    assert first.fingerprint_ != second.fingerprint_
