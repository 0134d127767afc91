"""Tables keep every promise of a kind: from files, from data frames, from the demo."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ilk.kinds.table import kind
from ilk.testing import check_kind

CHECKS = 41


def people(count=60, seed=0):
    """A small table with one column of each sort."""
    random = np.random.default_rng(seed)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 400, count), unit="D")
    return pd.DataFrame(
        {
            "id": [f"P-{1000 + place}" for place in range(count)],
            "age": random.integers(18, 80, count),
            "pay": np.round(random.lognormal(8, 0.4, count), 2),
            "job": random.choice(["nurse", "teacher", "baker"], count),
            "member": random.random(count) < 0.3,
            "since": days,
            "score": np.where(random.random(count) < 0.2, np.nan, np.round(random.normal(50, 10, count), 1)),
        }
    )


@pytest.fixture
def csv(tmp_path):
    people().to_csv(tmp_path / "people.csv", index=False)
    return tmp_path / "people.csv"


def test_a_csv_keeps_its_promises(csv):
    assert check_kind(kind, csv) == CHECKS


def test_a_frame_keeps_its_promises():
    assert check_kind(kind, people()) == CHECKS


def test_a_polars_frame_keeps_its_promises():
    assert check_kind(kind, pl.from_pandas(people())) == CHECKS


@pytest.mark.parametrize("suffix", ["parquet", "feather", "jsonl", "tsv"])
def test_other_files_keep_their_promises(tmp_path, suffix):
    frame, path = people(), tmp_path / f"people.{suffix}"
    if suffix == "jsonl":
        frame.to_json(path, orient="records", lines=True, date_format="iso")
    elif suffix == "tsv":
        frame["since"] = frame["since"].dt.strftime("%d.%m.%Y")
        frame["score"] = frame["score"].astype(object).fillna("unknown")  # words among numbers
        frame.to_csv(path, index=False, sep="\t")
    else:
        getattr(frame, f"to_{suffix}")(path)
    assert check_kind(kind, path) == CHECKS


def test_records_keep_their_promises():
    assert check_kind(kind, people().drop(columns="since").to_dict("records")) == CHECKS


def test_the_demo_keeps_its_promises():
    assert check_kind(kind, "demo:penguins") == CHECKS
