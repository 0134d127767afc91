"""What cannot be augmented is refused in one sentence, before anything is fitted."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.svm import LinearSVC

import ilk

X = np.random.default_rng(0).normal(size=(40, 2))
Y = np.arange(40) % 2


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (np.zeros(40), r"The label class has one class \(0.0\)"),
        (np.arange(40) < 4, "The class True of class has 4 rows; each class needs 5"),
        (np.where(np.arange(40) < 3, None, "a"), "The label class is missing in 3 of 40 rows"),
        (np.where(np.arange(40) < 3, np.nan, Y), "The label class is missing in 3 of 40 rows"),
        (np.where(np.arange(40) < 3, " ", "a"), "The label class is missing in 3 of 40 rows"),
        (X[:, 0], "The label class is a number with 40 different values .* part it into ranges first"),
        (np.arange(40), "The label class is a number with 40 different values"),
        (Y[:30], "X has 40 examples and y has 30 values"),
        (np.stack([Y, Y], axis=1), "Multilabel and multioutput targets are not supported"),
        (None, "The label is missing: give y"),
    ],
)
def test_a_label_that_is_none(y, says):
    with pytest.raises(ilk.InputError, match=says):
        ilk.Augmenter("logistic").fit_resample(X, y)


def test_too_few_rows():
    with pytest.raises(ilk.InputError, match="There are 12 examples; to compare anything takes 20"):
        ilk.Augmenter("logistic").fit_resample(X[:12], Y[:12])


def test_numbers_with_few_values_are_classes():
    assert ilk.Augmenter("logistic", candidates=["nothing"], folds=2).fit(X, Y + 3.0).model_.classes_.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"scoring": "log_los"}, 'no metric "log_los"; did you mean "log_loss"'),
        ({"scoring": len}, "scoring takes the name of a metric"),
        ({"candidates": ["made 2x"]}, 'no candidate "made 2x"; did you mean "made'),
        ({"model": "bosting"}, 'no model "bosting"; did you mean "boosting"'),
        ({"model": 7}, "model takes a scikit-learn classifier, not a int"),
        ({"model": LinearSVC()}, "LinearSVC gives no probabilities; wrap it in sklearn's CalibratedClassifierCV"),
        ({"model": LinearRegression()}, "LinearRegression gives no probabilities"),
        ({"folds": 1}, "folds must be from 2 to 20"),
        ({"minutes": 0}, "minutes must be above 0"),
        ({"kind": "text"}, "Examples of kind text cannot be augmented yet; these can: table, image"),
        ({"mark": "made", "candidates": ["nothing"]}, "mark names a column, and arrays have none"),
        ({"random_state": -1}, "A seed is a whole number from 0"),
    ],
)
def test_a_wrong_parameter(wrong, says):
    with pytest.raises(ilk.InputError, match=says):
        ilk.Augmenter(**{"model": "logistic", "folds": 2, **wrong}).fit_resample(X, Y)
