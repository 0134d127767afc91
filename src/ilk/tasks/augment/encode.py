"""Rows as numbers for models that know nothing else, and the models that are usual for rows.

boosting    histogram gradient boosting, categories and missing values as they are
logistic    logistic regression on scaled numbers and one column a level
forest      200 trees, each on its own draw of the rows
average     of the probabilities of these three
"""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ilk.core.protocol import Array
from ilk.kinds.table.codec import TableCodec
from ilk.tasks.augment.shell import arrow_of

MOST_LEVELS = 250  # of a column whose levels boosting splits as levels; of more it splits the places
TREES = 200
BOOSTING, LOGISTIC, FOREST, AVERAGE = "boosting", "logistic", "forest", "average"


class Numbers(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Rows to (N, F) float64: numbers, places of levels, NaN where one is missing or new.

    Args:
        codec: what each column holds; nothing is learned in ``fit``.
    """

    def __init__(self, codec: TableCodec) -> None:
        self.codec = codec

    def fit(self, X: Any, y: Any = None) -> Numbers:  # noqa: ARG002
        """Nothing to learn."""
        return self

    def transform(self, X: Any) -> Array:
        """The numbers of rows."""
        return self.codec.numbers(arrow_of(X))

    def __sklearn_is_fitted__(self) -> bool:
        return True


def models(codec: TableCodec, seed: int) -> dict[str, Any]:
    """The usual models by their names, the most usual first."""
    seed %= 2**32
    columns = codec.space.columns
    as_levels = [2 < column.categories <= MOST_LEVELS for column in columns]
    levels = [place for place, column in enumerate(columns) if column.categories]
    numbers = [place for place, column in enumerate(columns) if not column.categories]
    scaled = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    by_level = OneHotEncoder(handle_unknown="ignore", sparse_output=False, max_categories=MOST_LEVELS)
    spread = ColumnTransformer([("levels", by_level, levels), ("numbers", scaled, numbers)])
    parts = {
        BOOSTING: HistGradientBoostingClassifier(categorical_features=as_levels, random_state=seed),
        LOGISTIC: make_pipeline(spread, LogisticRegression(max_iter=1000)),
        FOREST: RandomForestClassifier(TREES, min_samples_leaf=2, random_state=seed),
    }
    parts[AVERAGE] = VotingClassifier(list(parts.items()), voting="soft")
    return {name: make_pipeline(Numbers(codec), model) for name, model in parts.items()}
