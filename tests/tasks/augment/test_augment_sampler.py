"""A sampler as imbalanced-learn and scikit-learn want one."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import estimator_checks_generator
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

import ilk

ILK = ilk.Augmenter(
    "logistic", scoring="balanced_accuracy", candidates=["class weights", "smote"], folds=2, random_state=0
)
MADE = {"scoring": "balanced_accuracy", "candidates": ["made balanced"], "folds": 2}


@pytest.mark.parametrize(("estimator", "check"), list(estimator_checks_generator(ILK)))
def test_imbalanced_learn_checks(estimator, check, monkeypatch):
    monkeypatch.setattr("ilk.tasks.augment.answer.INSTEAD", ())  # the checks are about manners, not about answers
    check(estimator)


def test_it_works_in_a_pipeline_and_in_cross_validation(rare):
    frame, label = rare[0][["fever", "pulse"]], rare[1]
    model = LogisticRegression()
    pipeline = make_pipeline(ilk.Augmenter(model, **MADE), model)
    scores = cross_val_score(pipeline, frame, label, cv=3, scoring="balanced_accuracy")
    assert scores.mean() > cross_val_score(model, frame, label, cv=3, scoring="balanced_accuracy").mean() + 0.1


def test_it_can_be_searched_over(rare):
    frame, label = rare[0][["fever", "pulse"]], rare[1]
    model = LogisticRegression()
    pipeline = make_pipeline(ilk.Augmenter(model, scoring="balanced_accuracy", folds=2), model)
    grid = {"augmenter__candidates": [["nothing"], ["smote"]]}
    search = GridSearchCV(pipeline, grid, cv=2, scoring="balanced_accuracy").fit(frame, label)
    assert search.best_params_ == {"augmenter__candidates": ["smote"]}


def test_clone_and_pickle_keep_what_was_asked_and_what_was_found(rare):
    sampler = ilk.Augmenter("logistic", candidates=["threshold"], scoring="f1", folds=2)
    assert clone(sampler).get_params() == sampler.get_params()
    sampler.fit(*rare)
    again = pickle.loads(pickle.dumps(sampler))
    assert again.says_ == sampler.says_
    assert (again.model_.predict(rare[0]) == sampler.model_.predict(rare[0])).all()


def test_arrays_come_back_as_arrays_of_their_dtype(rare):
    X = rare[0][["fever", "pulse"]].to_numpy(np.float32)
    y = (rare[1] == "ill").to_numpy(np.int8)
    more, label = ilk.Augmenter("logistic", **MADE).fit_resample(X, y)
    assert isinstance(more, np.ndarray)
    assert (more.dtype, label.dtype) == (np.float32, np.int8)
    assert len(more) == len(label) > len(X)
    assert (more[: len(X)] == X).all()
    assert set(more[:, 1].astype(float)) <= set(map(float, range(50, 110))), "whole numbers stay whole"


def test_polars_frames_come_back_as_polars(rare):
    X = pl.from_pandas(rare[0])
    y = pl.Series("state", rare[1].tolist(), dtype=pl.Categorical)
    more, label = ilk.Augmenter("logistic", mark="made", **MADE).fit_resample(X, y)
    assert more.columns == [*X.columns, "made"]
    assert more.drop("made").schema == X.schema
    assert label.dtype == pl.Categorical
    assert label.name == "state"
    assert more["made"].sum() == len(more) - len(X) > 0


def test_lists_come_back_as_lists(rare):
    X, y = rare[0][["fever", "pulse"]].to_numpy().tolist(), rare[1].tolist()
    more, label = ilk.Augmenter("logistic", **MADE).fit_resample(X, y)
    assert type(more) is type(label) is list
    assert len(more) == len(label) > len(X)
    assert more[: len(X)] == X


def test_a_users_own_model_gets_rows_in_his_own_container(rare):
    class Seeing(LogisticRegression):
        seen = set()

        def fit(self, X, y, sample_weight=None):
            self.seen.add((type(X), tuple(X.dtypes)))
            return super().fit(X[["fever", "pulse"]], y, sample_weight)

        def predict_proba(self, X):
            return super().predict_proba(X[["fever", "pulse"]])

    ilk.Augmenter(Seeing(), **MADE).fit_resample(*rare)
    assert Seeing.seen == {(pd.DataFrame, tuple(rare[0].dtypes))}


@pytest.mark.parametrize("mark", ["made", "is new"])
def test_made_rows_are_marked_on_request(rare, mark):
    sampler = ilk.Augmenter("logistic", mark=mark, **MADE)
    X, _ = sampler.fit_resample(*rare)
    assert X[mark].dtype == bool
    assert (X[mark].to_numpy() == sampler.made_).all()
    unchanged, _ = ilk.Augmenter("logistic", mark=mark, candidates=["nothing"], folds=2).fit_resample(*rare)
    assert not unchanged[mark].any()
