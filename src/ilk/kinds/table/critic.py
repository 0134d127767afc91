"""A critic of rows: gradient boosting that learns to tell two sets apart, and is thrown away. Knows only matrices.

Its area under the ROC curve on rows that it did not learn from is a two-sample test (Lopez-Paz and Oquab, "Revisiting
classifier two-sample tests", ICLR 2017). Which columns it used is told by putting one column after the other into a
random order (Breiman, "Random forests", 2001), again on rows that it did not learn from.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ilk.core.protocol import Array
from ilk.core.seeds import stream
from ilk.kinds.table.chances import Interval, auc, auc_interval

FOLDS = 5
TREES, LEAVES, RATE = 150, 31, 0.08
FEW = 1_000  # rows of a set, below which three critics are averaged
MOST_PERMUTED = 2_000  # rows of a fold on which columns are put into a random order


class Verdict(NamedTuple):
    """What a critic says of rows that it did not learn from.

    Attributes:
        marks: (N + M,) higher for the first set, whose rows come first.
        first: (N + M,) whether a row is of the first set.
        used: (C,) by how much its area falls when a column is in a random order; zeros where that was not asked.
    """

    marks: Array
    first: Array
    used: Array

    @property
    def auc(self) -> float:
        return auc(self.marks, self.first)

    def sure(self, seed: int) -> Interval:
        """Interval of the area: a bootstrap over rows, widened since critics of all folds learned from the same.

        By the correction of Nadeau and Bengio, "Inference for the generalization error", Machine Learning 2003; without
        it, real rows against real rows are told apart twice as often as the interval says.
        """
        wide = float(np.sqrt(1 + FOLDS / (FOLDS - 1)))
        low, high = (self.auc + wide * (end - self.auc) for end in auc_interval(self.marks, self.first, seed))
        return max(0.0, low), min(1.0, high)

    def within(self, keep_N: Array) -> Verdict:
        """What it says of some rows."""
        return Verdict(self.marks[keep_N], self.first[keep_N], self.used)


def judge(first_NC: Array, second_MC: Array, levels: Array, seed: int, *, used: bool = False) -> Verdict:
    """Cross-fitted marks of a critic.

    Args:
        first_NC: rows; at least ``2 * FOLDS``.
        second_MC: as many rows or so.
        levels: (C,) bool, which columns hold places of levels.
        seed: of the folds.
        used: whether to find out which columns it used.
    """
    rows = np.concatenate([first_NC, second_MC])
    first = np.arange(len(rows)) < len(first_NC)
    marks, fall = np.zeros(len(rows)), np.zeros(rows.shape[1])
    for turn in range(1 if min(len(first_NC), len(second_MC)) >= FEW else 3):
        fold = np.concatenate([_folds(len(part), seed, turn) for part in (first_NC, second_MC)])
        for each in range(FOLDS):
            out = fold == each
            model = booster(levels, int((~out).sum()), seed + turn).fit(rows[~out], first[~out])
            marks[out] += model.decision_function(rows[out])
            if used and turn == 0:
                fall += _fall(model, rows[out], first[out], seed) / FOLDS
    return Verdict(marks, first, fall)


def booster(levels: Array, rows: int, seed: int, *, number: bool = False, trees: int = TREES) -> Any:
    """Gradient boosting for so many rows: of two sorts or several, or of a number."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    make = HistGradientBoostingRegressor if number else HistGradientBoostingClassifier
    return make(
        max_iter=trees,
        learning_rate=RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=max(2, min(20, rows // 25)),
        categorical_features=levels,
        early_stopping=False,
        random_state=seed % 2**32,
    )


def _folds(count: int, seed: int, turn: int) -> Array:
    return stream(seed, "folds", count, turn).permutation(np.arange(count) % FOLDS)


def _fall(model: Any, rows_NC: Array, first_N: Array, seed: int) -> Array:
    """(C,) by how much the area falls when a column is in a random order."""
    random = stream(seed, "order")
    some = random.permutation(len(rows_NC))[:MOST_PERMUTED]
    rows_NC, first_N = rows_NC[some], first_N[some]
    whole = auc(model.decision_function(rows_NC), first_N)
    fall = np.zeros(rows_NC.shape[1])
    for place in range(len(fall)):
        changed = rows_NC.copy()
        changed[:, place] = random.permutation(changed[:, place])
        fall[place] = whole - auc(model.decision_function(changed), first_N)
    return fall
