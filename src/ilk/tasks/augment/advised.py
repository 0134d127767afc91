"""The user's model as it was decided: refitted on the rows that it should have, its predictions corrected."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from ilk.core.protocol import Array
from ilk.tasks.augment.adjust import fit_temperature, fit_threshold, named_from, shifted, tempered
from ilk.tasks.augment.candidates import NOTHING, PRIOR, RECALIBRATION, THRESHOLD
from ilk.tasks.augment.compare import Compared, naming
from ilk.tasks.augment.fitting import probabilities
from ilk.tasks.augment.labels import Label
from ilk.tasks.augment.metrics import Metric


class Advised(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted model and the correction of its predictions that was decided.

    Args:
        fitted: the model.
        label: whose levels it tells apart.
        temperature: 1 leaves probabilities as they are.
        prior: (K,) shares of the classes that the odds are rescaled by; None leaves them.
        threshold: from which on the rarer of two classes is named; None names the likeliest.

    Attributes:
        classes_: (K,) the classes.
        estimator_: the fitted model alone.
    """

    def __init__(
        self,
        fitted: Any,
        label: Label,
        temperature: float = 1.0,
        prior: Array | None = None,
        threshold: float | None = None,
    ) -> None:
        self.fitted, self.label = fitted, label
        self.temperature, self.prior, self.threshold = temperature, prior, threshold

    @property
    def classes_(self) -> Array:
        """The classes."""
        return self.label.levels

    @property
    def estimator_(self) -> Any:
        """The model, without corrections."""
        return self.fitted

    def fit(self, X: Any, y: Any) -> Advised:  # noqa: ARG002
        """It is fitted already: fit the Augmenter anew."""
        return self

    def predict_proba(self, X: Any) -> Array:
        """(N, K) float64 probabilities."""
        p_NK = tempered(probabilities(self.fitted, X, self.label), self.temperature)
        return p_NK if self.prior is None else shifted(p_NK, self.prior)

    def predict(self, X: Any) -> Array:
        """(N,) classes."""
        p_NK = self.predict_proba(X)
        if self.threshold is None:
            named_N = p_NK.argmax(1)
        else:
            named_N = named_from(p_NK, self.threshold, self.label.rarest).class_N
        return np.asarray(self.classes_[named_N])

    def __sklearn_is_fitted__(self) -> bool:
        return True


def advise(name: str, fitted: Any, compared: Compared, label: Label, metric: Metric) -> Advised:
    """The model with the correction of that name, chosen on all predictions for rows that were held out."""
    p_NK, y_N = compared.predicted[NOTHING].p_NK, label.code_N[compared.row_N]
    if name == RECALIBRATION:
        return Advised(fitted, label, temperature=fit_temperature(p_NK, y_N))
    if name == PRIOR:
        return Advised(fitted, label, fit_temperature(p_NK, y_N), prior=label.counts / label.counts.sum())
    if name == THRESHOLD:
        return Advised(fitted, label, threshold=fit_threshold(p_NK, y_N, label.rarest, naming(metric)))
    return Advised(fitted, label)
