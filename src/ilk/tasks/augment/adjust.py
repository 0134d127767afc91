"""Corrections of predictions that cost no learning: recalibration, a prior shift, a threshold.

    recalibration   Guo et al., "On calibration of modern neural networks", 2017: one temperature
    prior shift     Saerens et al., "Adjusting the outputs of a classifier to new a priori probabilities", 2002
    threshold       the one that did best on predictions for rows that were not learned from

Each is chosen on rows that it is not applied to.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from ilk.core.protocol import Array
from ilk.tasks.augment.metrics import Metric, Predicted, scorer

SMALLEST = 1e-6  # probabilities are kept this far from 0 and 1 before they are made bolder or more careful
STEPS = 99  # thresholds that are tried


def likeliest(p_NK: Array) -> Predicted:
    """Predictions whose named class is the likeliest."""
    return Predicted(p_NK, p_NK.argmax(1))


def tempered(p_NK: Array, temperature: float) -> Array:
    """``softmax(log p / temperature)``: above 1 more careful, below 1 bolder."""
    if temperature == 1.0:
        return p_NK
    return np.asarray(softmax(np.log(p_NK.clip(SMALLEST)) / temperature, axis=1))


def fit_temperature(p_NK: Array, y_N: Array) -> float:
    """The temperature with the least log-loss."""
    rows = np.arange(len(y_N))

    def loss(log_temperature: float) -> float:
        return float(-np.log(tempered(p_NK, float(np.exp(log_temperature)))[rows, y_N].clip(1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 4.0), method="bounded", options={"xatol": 1e-3}).x))


def shifted(p_NK: Array, prior_K: Array) -> Array:
    """``p / prior``, normalised: as if all classes came equally often."""
    ratio_NK = p_NK / prior_K
    return np.asarray(ratio_NK / ratio_NK.sum(1, keepdims=True))


def named_from(p_NK: Array, threshold: float, positive: int) -> Predicted:
    """Of two classes ``positive`` is named from a probability on."""
    return Predicted(p_NK, np.where(p_NK[:, positive] >= threshold, positive, 1 - positive))


def fit_threshold(p_NK: Array, y_N: Array, positive: int, metric: Metric) -> float:
    """The threshold that does best by a metric of named classes."""
    score = scorer(metric, y_N, positive)
    tried = np.unique(np.quantile(p_NK[:, positive], np.linspace(0.005, 0.995, STEPS)))
    found = [score(named_from(p_NK, threshold, positive)) for threshold in tried]
    best = np.flatnonzero(np.asarray(found) >= max(found) - 1e-12)
    return float(tried[best[len(best) // 2]])
