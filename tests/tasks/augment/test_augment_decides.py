"""What wins, and what is said about it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import ilk
from ilk.core import events


@pytest.fixture(scope="module")
def noise():
    draw = np.random.default_rng(1)
    return draw.normal(size=(160, 3)), draw.integers(0, 2, 160)


def test_labels_that_nothing_foretells_are_not_augmented(noise):
    sampler = ilk.Augmenter(HistGradientBoostingClassifier(max_iter=20), folds=2)
    X, y = sampler.fit_resample(*noise)
    assert X is noise[0]
    assert y is noise[1]
    assert sampler.decision_ == "nothing"
    assert sampler.says_.startswith("Do not augment: nothing here foretells class (the best AUC is 0.")
    assert not sampler.made_.any()


@pytest.mark.parametrize("seed", range(4))
def test_shuffled_labels_are_never_augmented(rare, seed):
    frame, label = rare
    mixed = label.sample(frac=1.0, random_state=seed).reset_index(drop=True)
    free = ("recalibration", "prior shift", "threshold", "class weights", "smote")
    sampler = ilk.Augmenter("boosting", candidates=free, folds=3, random_state=seed)
    sampler.fit_resample(frame, mixed)
    assert sampler.decision_ == "nothing"


def test_a_rare_class_is_met_by_a_threshold_before_rows_are_made(rare):
    sampler = ilk.Augmenter("logistic", scoring="balanced_accuracy", folds=3)
    X, y = sampler.fit_resample(*rare)
    assert X is rare[0]
    assert y is rare[1]
    assert sampler.decision_ in ("prior shift", "threshold")
    assert "which is free, takes the balanced accuracy from" in sampler.says_
    assert "threshold gains" in sampler.advice_
    assert "ranking is the same" in sampler.advice_
    found = sampler.model_.predict(rare[0]) == "ill"
    assert found.sum() > (sampler.model_.estimator_.predict(rare[0]) == "ill").sum()


def test_rows_are_added_where_they_win(rare):
    frame, label = rare
    sampler = ilk.Augmenter("logistic", scoring="balanced_accuracy", candidates=["made balanced"], folds=3)
    X, y = sampler.fit_resample(frame, label)
    assert sampler.decision_ == "made balanced"
    assert sampler.says_.startswith("Augment (made balanced): it takes the balanced accuracy from 0.")
    assert y.value_counts().nunique() == 1
    assert sampler.made_.sum() == len(X) - len(frame) == sampler.sampling_strategy_["ill"]
    pd.testing.assert_frame_equal(X[~sampler.made_], frame)
    assert X.dtypes.equals(frame.dtypes)
    assert (y[sampler.made_] == "ill").all()
    assert X[sampler.made_].fever.mean() > 37.7


def test_a_model_of_nobodys_choice_may_be_answered_by_a_stronger_one():
    draw = np.random.default_rng(0)
    X = draw.normal(size=(160, 6))
    y = (X.sum(1) + draw.normal(size=160) > 0).astype(int)
    sampler = ilk.Augmenter(candidates=["class weights"])
    rows, _ = sampler.fit_resample(X, y)
    assert rows is X
    assert sampler.decision_ == "stronger model"
    assert sampler.says_.startswith("Use a stronger model instead: ")
    named = ilk.Augmenter("boosting", candidates=["class weights"]).fit(X, y)
    assert named.decision_ != "stronger model"
    assert "A stronger model gets further: " in named.advice_


def test_recalibration_is_offered_to_a_model_that_is_too_sure(rare):
    frame = rare[0][["fever", "pulse"]]
    sampler = ilk.Augmenter(DecisionTreeClassifier(max_depth=6, random_state=0), candidates=["recalibration"])
    sampler.fit_resample(frame, rare[1])
    assert sampler.decision_ == "recalibration"
    assert sampler.model_.temperature > 1
    sure = sampler.model_.estimator_.predict_proba(frame).max(1)
    assert (sampler.model_.predict_proba(frame).max(1) <= sure + 1e-9).all()


def test_numbers_come_with_intervals_and_absent_ones_with_reasons(rare):
    frame, label = rare
    frame = frame.assign(pulse=frame.pulse.astype(float).where(frame.pulse > 55))
    sampler = ilk.Augmenter("boosting", candidates=["smote", "class weights"], folds=3).fit(frame, label)
    table = pd.DataFrame(sampler.results_).set_index("name")
    assert table.loc["smote", "absent"] == "SMOTE takes no missing numbers"
    weighed = table.loc["class weights"]
    assert weighed.log_loss_low < weighed.log_loss < weighed.log_loss_high
    assert weighed.log_loss_gain == pytest.approx(table.loc["nothing", "log_loss"] - weighed.log_loss)
    assert weighed.log_loss_gain_error > 0
    assert {"logistic", "average"} <= set(table.index)


def test_the_same_seed_gives_the_same_rows_and_another_one_others(rare):
    def made(seed: int) -> pd.DataFrame:
        wanted = {"scoring": "balanced_accuracy", "candidates": ["made balanced"], "folds": 2}
        sampler = ilk.Augmenter("logistic", random_state=seed, **wanted)
        X, _ = sampler.fit_resample(*rare)
        return X[sampler.made_].reset_index(drop=True)

    first, again, other = made(3), made(3), made(4)
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_little_time_means_fewer_folds_and_says_so(rare, monkeypatch):
    said = []
    clock = iter(range(0, 10_000, 20))
    monkeypatch.setattr("ilk.tasks.augment.compare.time.monotonic", lambda: float(next(clock)))
    sampler = ilk.Augmenter(LogisticRegression(), candidates=["class weights"], minutes=2)
    sampler.fit_resample(rare[0][["fever", "pulse"]], rare[1], on=said.append)
    notes = [event.says for event in said if isinstance(event, events.Note)]
    assert notes == ["time for 1 of 5 folds; --minutes gives more"]
