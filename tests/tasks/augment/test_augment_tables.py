"""Rows of every sort survive: what is added has the dtypes, levels and ranges of what came."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.datasets import make_classification

import ilk
from ilk.tasks.augment.labels import read_label
from ilk.tasks.augment.material import UnableError
from ilk.tasks.augment.tables import Tables


@pytest.fixture(scope="module")
def mixed() -> tuple[pd.DataFrame, pd.Series]:
    draw = np.random.default_rng(0)
    count = 240
    rare = np.arange(count) % 8 == 0
    frame = pd.DataFrame(
        {
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(draw.integers(0, 300, count), unit="D"),
            "visits": pd.array(draw.integers(0, 9, count), dtype="Int64"),
            "paid": draw.random(count) < 0.5,
            "size": pd.Categorical(draw.choice(["S", "M", "L"], count), categories=["S", "M", "L"], ordered=True),
            "city": draw.choice(["Ulm", "Graz", "Bern"], count),
            "weight": (draw.normal(70, 9, count) + 14 * rare).round(1).astype(np.float32),
        }
    )
    frame.loc[::10, "visits"] = pd.NA
    frame.loc[5::10, "city"] = None
    return frame, pd.Series(rare, name="returns")


def test_mixed_dtypes_survive(mixed):
    frame, label = mixed
    sampler = ilk.Augmenter("logistic", scoring="balanced_accuracy", candidates=["made balanced"], folds=2, mark="made")
    X, y = sampler.fit_resample(frame, label)
    assert sampler.decision_ == "made balanced"
    made = X[X.made].drop(columns="made")
    assert X.drop(columns="made").dtypes.equals(frame.dtypes)
    assert y.dtype == bool
    assert made["size"].cat.ordered
    assert made.day.between(frame.day.min(), frame.day.max()).all()
    assert set(made.city.dropna()) <= {"Ulm", "Graz", "Bern"}
    assert made.weight.between(frame.weight.min(), frame.weight.max()).all()
    assert sampler.model_.predict(frame).dtype == bool


def test_smote_keeps_levels_whole_numbers_and_missing_levels(mixed):
    frame, label = mixed
    frame = frame.drop(columns="visits").assign(age=np.arange(len(frame)) % 50)
    material, known = Tables(frame, {}), read_label(label, "returns")
    rows = np.arange(len(frame))
    made = material.change(rows, known, 0)
    assert len(made.X) == 180
    assert set(made.code_N.tolist()) == {1}
    assert made.X.dtypes.equals(frame.dtypes)
    assert set(made.X["size"]) <= {"S", "M", "L"}
    assert set(made.X.city.dropna()) <= {"Ulm", "Graz", "Bern"}
    assert made.X.age.between(0, 49).all()
    with pytest.raises(UnableError, match="SMOTE takes no missing numbers"):
        Tables(mixed[0], {}).change(rows, known, 0)


@pytest.mark.parametrize("columns", [["city"], ["weight"], ["city", "weight"]])
def test_smote_of_levels_of_numbers_and_of_both(mixed, columns):
    material = Tables(mixed[0][columns], {})
    made = material.change(np.arange(len(material)), read_label(mixed[1], "returns"), 0)
    assert made.X.shape == (180, len(columns))


def test_balanced_classes_are_told_and_not_made():
    X, y = make_classification(60, random_state=0)
    sampler = ilk.Augmenter("logistic", candidates=["smote", "made balanced"], folds=2).fit(X, y)
    reasons = {row["name"]: row["absent"] for row in sampler.results_}
    assert reasons["smote"] == reasons["made balanced"] == "the classes are balanced already"


def test_the_first_of_more_made_rows_are_the_same(mixed):
    material = Tables(mixed[0], {})
    label = read_label(mixed[1], "returns")
    maker = material.maker(np.arange(len(material)), label, 0, 1.0)
    few, many = maker.draw(10, seed=3), maker.draw(30, seed=3)
    pd.testing.assert_frame_equal(few.X, many.X.iloc[:10])
    assert (few.code_N == many.code_N[:10]).all()
    assert len(maker.draw_class(1, 7, seed=3)) == 7


def test_an_arrow_table_and_a_label_whose_name_a_column_has(mixed):
    table = pa.table({"returns": mixed[0]["weight"].to_numpy(), "x": np.arange(240.0) ** 2})
    wanted = {"scoring": "balanced_accuracy", "candidates": ["made balanced"], "folds": 2}
    X, y = ilk.Augmenter("logistic", label="returns", **wanted).fit_resample(table, mixed[1])
    assert X.schema == table.schema
    assert X.num_rows == len(y) > 240


def test_the_kinds_options_are_heard(mixed):
    frame = pd.DataFrame({"zip": [10_000 + place % 40 for place in range(240)], "weight": mixed[0].weight})
    levels = Tables(frame, {"column": ["zip=category"]}).codec.space.columns[0].categories
    assert levels == 40
    assert Tables(frame, {}).codec.space.columns[0].categories == 0


def test_a_column_that_gives_the_label_away_is_named(mixed):
    frame, y = mixed
    again = pd.Series(y).map({value: f"it was {value}" for value in pd.unique(pd.Series(y))}).to_numpy()
    told = ilk.Augmenter("logistic", candidates=["threshold"], folds=2).fit(frame.assign(later=again), y)
    assert told.advice_.startswith("later alone tells returns in every row")
    assert "alone tells" not in ilk.Augmenter("logistic", candidates=["threshold"], folds=2).fit(frame, y).advice_
