"""A fresh grader: a classifier that learns to tell two sets apart, and is thrown away. Knows only arrays.

Its area under the ROC curve on examples that it did not learn from is a two-sample test (Lopez-Paz and Oquab,
"Revisiting classifier two-sample tests", ICLR 2017): 0.5 where it cannot tell, 1 where it always can. Two graders of
different sight are tried, a linear one and boosted trees; the sharper one counts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ilk.core.device import one_thread
from ilk.core.protocol import Array
from ilk.core.seeds import stream

FOLDS = 3
FEWEST = 2 * FOLDS  # rows of a set that are worth folding


class Grades(NamedTuple):
    """What a grader says of rows that it did not learn from: ``auc``, and its marks, higher for the first set."""

    auc: float
    first: Array
    second: Array


def auc(higher: Array, lower: Array) -> float:
    """The share of pairs in which a score of ``higher`` is above one of ``lower``; ties count half."""
    values, places = np.unique(np.concatenate([higher, lower]), return_inverse=True)
    above = np.bincount(places[: len(higher)], minlength=len(values))
    below = np.bincount(places[len(higher) :], minlength=len(values))
    beaten = np.cumsum(below) - below / 2
    return float((above * beaten).sum() / (len(higher) * len(lower)))


def linear(seed: int) -> Any:
    """A logistic regression on standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300, tol=1e-3, random_state=seed))


def boosted(seed: int) -> Any:
    """Gradient boosting of small trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.15, max_leaf_nodes=12, max_bins=64, early_stopping=False, random_state=seed
    )


GRADERS = (linear, boosted)


def grade(first_NF: Array, second_MF: Array, make: Any, seed: int) -> Grades:
    """Cross-fitted marks of one grader.

    Args:
        first_NF: at least ``FEWEST`` rows.
        second_MF: as many rows or so.
        make: one of ``GRADERS``.
        seed: of the folds.
    """
    rows = np.concatenate([first_NF, second_MF])
    truth = np.repeat([1, 0], [len(first_NF), len(second_MF)])
    folds = np.concatenate([_folds(len(part), seed) for part in (first_NF, second_MF)])
    marks = np.empty(len(rows))
    areas = []
    for fold in range(FOLDS):
        out = folds == fold
        with one_thread():
            model = _fitted(make(seed), rows[~out], truth[~out])
            marks[out] = model.predict_proba(rows[out])[:, 1]
        areas.append(auc(marks[out & (truth == 1)], marks[out & (truth == 0)]))
    return Grades(float(np.mean(areas)), marks[truth == 1], marks[truth == 0])


def sharpest(first_NF: Array, second_MF: Array, seed: int) -> tuple[Grades, Any]:
    """The grader with the larger area, and how to make another one like it."""
    tried = [(grade(first_NF, second_MF, make, seed), make) for make in GRADERS]
    return max(tried, key=lambda pair: pair[0].auc)


def classify(known_NF: Array, names: Array, asked_MF: Array, seed: int) -> Array:
    """(M,) the class that a classifier fitted on ``known`` sees; one class in ``names`` is answered at once."""
    if len(np.unique(names)) == 1:
        return np.full(len(asked_MF), names[0])
    return np.asarray(_fitted(linear(seed), known_NF, names).predict(asked_MF))


def _fitted(model: Any, rows: Array, truth: Array) -> Any:
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():  # a slope that is not quite at rest grades as well
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows, truth)


def _folds(count: int, seed: int) -> Array:
    return stream(seed, "folds", count).permutation(np.arange(count) % FOLDS)
