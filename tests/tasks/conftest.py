"""Small data sets whose answers are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def rare() -> tuple[pd.DataFrame, pd.Series]:
    """240 rows of which one in eight is ill, told by two of four columns, one of them a category."""
    draw = np.random.default_rng(0)
    count = 240
    ill = np.arange(count) < count // 8
    frame = pd.DataFrame(
        {
            "fever": np.where(ill, draw.normal(38.4, 0.8, count), draw.normal(37.0, 0.8, count)).round(1),
            "pulse": draw.integers(50, 110, count),
            "cough": pd.Categorical(np.where(draw.random(count) < np.where(ill, 0.8, 0.3), "yes", "no")),
            "town": draw.choice(["Ulm", "Graz", "Bern"], count),
        }
    )
    order = draw.permutation(count)
    label = pd.Series(np.where(ill, "ill", "well"), name="state")
    return frame.iloc[order].reset_index(drop=True), label.iloc[order].reset_index(drop=True)


@pytest.fixture(scope="session")
def rare_file(rare, tmp_path_factory):
    """The same as a CSV."""
    path = tmp_path_factory.mktemp("augment") / "patients.csv"
    frame, label = rare
    frame.assign(state=label).to_csv(path, index=False)
    return path
