"""Fitting a user's scikit-learn model: on rows, on rows and more rows, with weights of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import has_fit_parameter

from ilk.core.errors import Code, InputError
from ilk.core.protocol import Array
from ilk.tasks.augment.labels import Label
from ilk.tasks.augment.material import Made, Material, UnableError


def check_model(model: Any) -> None:
    """Refuse what gives no probabilities.

    Raises:
        InputError: it is no classifier of scikit-learn's manners, or it gives none.
    """
    if not hasattr(model, "fit") or not hasattr(model, "get_params"):
        raise InputError(Code.OPTION, f"model takes a scikit-learn classifier, not a {type(model).__name__}.")
    if not hasattr(model, "predict_proba"):
        sentence = f"{type(model).__name__} gives no probabilities; wrap it in sklearn's CalibratedClassifierCV."
        raise InputError(Code.OPTION, sentence)


def fit_model(model: Any, X: Any, code_N: Array, label: Label, *, weighted: bool = False) -> Any:
    """A clone of the model, fitted.

    Raises:
        UnableError: it takes no weights, and these are asked for.
        InputError: it cannot learn such examples.
    """
    fitted = clone(model)
    more: dict[str, Any] = {}
    if weighted:
        more[_weights_of(fitted)] = compute_sample_weight("balanced", code_N)
    try:
        return fitted.fit(X, label.levels[code_N], **more)
    except (ValueError, TypeError) as error:
        says = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InputError(Code.OPTION, f"{type(model).__name__} cannot learn these examples: {says}.") from error


def _weights_of(model: Any) -> str:
    """What ``fit`` calls the weights of rows, through pipelines within pipelines.

    Raises:
        UnableError: the last step takes none.
    """
    if isinstance(steps := getattr(model, "steps", None), list):  # a pipeline's
        name, last = steps[-1]
        return f"{name}__{_weights_of(last)}"
    if not has_fit_parameter(model, "sample_weight"):
        raise UnableError(f"{type(model).__name__} takes no weights")
    return "sample_weight"


def fit_with(model: Any, material: Material, rows: Array, made: Made, label: Label) -> Any:
    """A clone of the model, fitted on rows and on what was made beside them."""
    X = material.join(material.part(rows), made.X)
    return fit_model(model, X, np.concatenate([label.code_N[rows], made.code_N]), label)


def probabilities(fitted: Any, X: Any, label: Label) -> Array:
    """(N, K) float64 in the order of the label's levels."""
    p_NC = np.asarray(fitted.predict_proba(X), np.float64)
    classes = np.asarray(fitted.classes_)
    if len(classes) == len(label.levels):
        return p_NC
    p_NK = np.zeros((len(p_NC), len(label.levels)))
    p_NK[:, np.searchsorted(label.levels, classes)] = p_NC
    return p_NK
