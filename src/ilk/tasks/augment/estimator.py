"""``Augmenter``: a sampler in imbalanced-learn's manners that says whether more rows help, and adds them if they do.

It holds what the user asked for and shows what came out; what is done is told in ``answer.py``, beginning there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from imblearn.base import BaseSampler
from sklearn.utils.validation import _check_feature_names, _check_n_features

from ilk.core import events
from ilk.core.errors import Code, InputError
from ilk.core.protocol import Array
from ilk.core.samples import check_seed
from ilk.core.seeds import fresh_seed
from ilk.tasks.augment.answer import Wish, answer
from ilk.tasks.augment.choose import material_of
from ilk.tasks.augment.decide import Decision
from ilk.tasks.augment.labels import read_label
from ilk.tasks.augment.marks import with_mark
from ilk.tasks.augment.targets import joined, name_of, values_of


class Augmenter(BaseSampler):  # type: ignore[misc]
    """More training data, or not: compares what may help a model, and adds rows only where that helps clearly.

    By inner cross-validation it holds the data as they are against recalibration, a prior shift, another threshold,
    class weights, SMOTE (pictures: random transforms) and generated examples, 1x, 3x and to balance the classes. A
    candidate wins by more than a standard error, corrected for how many there are. Rows are made of the training parts
    alone. What rows cannot say (weights, thresholds, recalibration) is in ``model_``.

    Args:
        model: a scikit-learn classifier with ``predict_proba``, the name of a usual one (for tables ``"boosting"``,
            ``"logistic"``, ``"forest"``, ``"average"``), or None: boosting (for pictures a small network), and a
            stronger model may be the answer.
        scoring: the metric that decides: ``"log_loss"`` (the default), ``"brier"``, ``"balanced_log_loss"``,
            ``"roc_auc"``, ``"average_precision"``, ``"accuracy"``, ``"balanced_accuracy"`` or ``"f1"``.
        candidates: the names of those to compare, all by default.
        label: what the label is called; by default as ``y`` is.
        folds: parts of the inner cross-validation; 5, for pictures 3.
        minutes: a ceiling on the time of comparing; with less time fewer folds are compared.
        mark: the name of a boolean column to add to X, True for rows that were made.
        kind: ``"auto"``, ``"table"`` or ``"image"``.
        options: the kind's own, such as ``{"column": ["zip=category"]}``.
        random_state: the seed; None draws one.

    Attributes:
        decision_: the candidate that won, or ``"stronger model"``.
        says_: the answer in one sentence.
        advice_: whether ranking, calibration or the named classes gained, and what would do better.
        results_: a flat mapping for each candidate, for a data frame: metrics, intervals, gains, why it is absent.
        model_: the model, fitted as decided, with ``predict`` and ``predict_proba``.
        made_: (N,) which of the rows that came back were made.
        sampling_strategy_: rows made, by class.
        n_features_in_: columns of X.
        feature_names_in_: their names, where they have some.

    Examples:
        >>> import ilk
        >>> ilk.Augmenter("logistic", scoring="roc_auc").get_params()["scoring"]
        'roc_auc'
    """

    _sampling_type = "bypass"

    def __init__(
        self,
        model: Any = None,
        *,
        scoring: str | None = None,
        candidates: Sequence[str] | None = None,
        label: str | None = None,
        folds: int | None = None,
        minutes: float = 3.0,
        mark: str | None = None,
        kind: str = "auto",
        options: Mapping[str, Any] | None = None,
        random_state: int | None = 0,
    ) -> None:
        self.model = model
        self.scoring = scoring
        self.candidates = candidates
        self.label = label
        self.folds = folds
        self.minutes = minutes
        self.mark = mark
        self.kind = kind
        self.options = options
        self.random_state = random_state

    def fit(self, X: Any, y: Any, **more: Any) -> Augmenter:
        """Decide, and leave the rows as they are; ``model_`` is fitted as decided."""
        self.fit_resample(X, y, **more)
        return self

    def fit_resample(self, X: Any, y: Any, *, on: events.Sink = events.ignore) -> tuple[Any, Any]:
        """Decide, and give the rows back, with more of them where that is the decision.

        Args:
            X: (N, F) a data frame, an array or nested lists; or pictures, (N, H, W) or (N, H, W, C) uint8.
            y: (N,) the classes: names, or numbers of which there are few.
            on: takes the progress events.

        Returns:
            X and y in the containers and dtypes that they came in; the very same where no row is added.

        Raises:
            InputError: the label has one class, missing values, a class of fewer than 5 rows or is a quantity; there
                are too few rows, or X and y differ in length; no such model, metric or candidate.
        """
        seed = self._seed()
        label = read_label(values_of(y), name_of(y, self.label))
        data = np.asarray(X) if isinstance(X, list) else X
        material = material_of(data, self.kind, dict(self.options or {}))
        if len(material) != len(label.code_N):
            raise InputError(Code.COUNT, f"X has {len(material)} examples and y has {len(label.code_N)} values.")
        if len(getattr(data, "shape", ())) == 2:
            _check_n_features(self, data, reset=True)
            _check_feature_names(self, data, reset=True)
        wish = Wish(self.model, self.scoring, self.candidates, self.folds, self.minutes, seed)
        found = answer(material, label, wish, on)
        self.decision_, self.says_, self.advice_ = found.name, found.says, found.advice
        self.results_, self.model_ = flat(found.decision), found.model
        made = found.made
        count = 0 if made is None else len(made.code_N)
        self.made_: Array = np.arange(len(material) + count) >= len(material)
        made_K = np.bincount(made.code_N if made else np.zeros(0, int), minlength=len(label.levels))
        self.sampling_strategy_ = dict(zip(label.levels.tolist(), made_K.tolist(), strict=True))
        if made is not None:
            data, y = material.join(data, made.X), joined(y, label, made.code_N)
            X = data.tolist() if isinstance(X, list) else data
        return (with_mark(X, self.mark, self.made_) if self.mark else X), y

    def _fit_resample(self, X: Any, y: Any, **more: Any) -> tuple[Any, Any]:
        return self.fit_resample(X, y, **more)

    def _seed(self) -> int:
        state: Any = self.random_state
        if isinstance(state, np.random.RandomState):  # what scikit-learn's own tools set
            return int(state.randint(2**31 - 1))
        return fresh_seed() if state is None else check_seed(state)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "decision_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.string = tags.input_tags.allow_nan = True
        return tags


def flat(decision: Decision) -> list[dict[str, Any]]:
    """Results as rows of a table."""
    rows = []
    for result in decision.results:
        row: dict[str, Any] = {"name": result.name, "tier": result.tier, "says": result.says}
        for metric, number in result.scores.items():
            gain = result.gains[metric]
            row |= {metric: number.value, f"{metric}_low": number.low, f"{metric}_high": number.high}
            row |= {f"{metric}_gain": gain.value, f"{metric}_gain_error": gain.error}
        rows.append(row | {"seconds": result.seconds, "absent": result.absent})
    return rows
