"""What predictions are worth: nine metrics of three families, with the noise of each from reweighted rows.

    ranking      roc_auc, average_precision                     does the order of the rows say something?
    calibration  log_loss, brier, balanced_log_loss             are the probabilities right?
    threshold    accuracy, balanced_accuracy, f1                is the class that is named the right one?

Every metric takes a matrix of weights, a row for each bootstrap draw, and answers for all draws at once. The
first draw weighs each row once: the metric itself; the others draw rows with Poisson counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ilk.core.config import Record
from ilk.core.errors import Code, InputError, suggest
from ilk.core.protocol import Array
from ilk.core.seeds import stream

DRAWS = 200
RANKING, CALIBRATION, THRESHOLD = "ranking", "calibration", "threshold"


class Metric(Record, frozen=True):
    """A metric: its name, its family, and whether more of it is better."""

    name: str
    says: str
    family: str
    higher: bool = True

    @property
    def sign(self) -> float:
        """1 where more is better, else -1."""
        return 1.0 if self.higher else -1.0


METRICS = {
    metric.name: metric
    for metric in (
        Metric("log_loss", "log-loss", CALIBRATION, higher=False),
        Metric("brier", "Brier score", CALIBRATION, higher=False),
        Metric("balanced_log_loss", "balanced log-loss", CALIBRATION, higher=False),
        Metric("roc_auc", "AUC", RANKING),
        Metric("average_precision", "average precision", RANKING),
        Metric("accuracy", "accuracy", THRESHOLD),
        Metric("balanced_accuracy", "balanced accuracy", THRESHOLD),
        Metric("f1", "F1", THRESHOLD),
    )
}
ALSO = {"neg_log_loss": "log_loss", "neg_brier_score": "brier", "auc": "roc_auc", "brier_score": "brier"}


def find_metric(name: Any) -> Metric:
    """The metric of a name, scikit-learn's names of scorers included; log-loss where there is none.

    Raises:
        InputError: there is no such metric.
    """
    if name is None:
        return METRICS["log_loss"]
    if not isinstance(name, str):
        sentence = f"scoring takes the name of a metric ({', '.join(METRICS)}), not a {type(name).__name__}."
        raise InputError(Code.OPTION, sentence)
    wanted = ALSO.get(name, name)
    if wanted not in METRICS:
        raise InputError(Code.OPTION, f'There is no metric "{name}"; {suggest(name, METRICS)}.')
    return METRICS[wanted]


class Predicted(Record, frozen=True):
    """Predictions for rows that were not learned from.

    Attributes:
        p_NK: (N, K) float64, probabilities of the classes.
        class_N: (N,) the class that is named; mostly the likeliest.
    """

    p_NK: Array
    class_N: Array


def draws(rows: int, seed: int, count: int = DRAWS) -> Array:
    """(count + 1, rows) float32 weights of rows: each once, then Poisson draws."""
    weight_BN = stream(seed, "bootstrap").poisson(1.0, (count + 1, rows)).astype(np.float32)
    weight_BN[0] = 1.0
    return weight_BN


def measure(predicted: Predicted, y_N: Array, weight_BN: Array, positive: int) -> dict[str, Array]:
    """Every metric under every weighting.

    Args:
        predicted: what was predicted.
        y_N: (N,) the classes that are true, 0 to K - 1.
        weight_BN: (B, N) weights of the rows.
        positive: of two classes the one that is looked for, the rarer.

    Returns:
        By the metric's name (B,) float64.
    """
    p_NK, K = predicted.p_NK, predicted.p_NK.shape[1]
    rows = np.arange(len(y_N))
    surprise_N = -np.log(p_NK[rows, y_N].clip(np.finfo(np.float64).eps))
    square_N = ((p_NK - np.eye(K)[y_N]) ** 2).sum(1) / (2.0 if K == 2 else 1.0)
    right_N = (predicted.class_N == y_N).astype(np.float64)
    by_class = [(y_N == k).astype(np.float64) for k in range(K)]
    looked_for = [positive] if K == 2 else range(K)
    found = {
        "log_loss": _mean(surprise_N, weight_BN),
        "brier": _mean(square_N, weight_BN),
        "balanced_log_loss": np.mean([_mean(surprise_N, weight_BN, is_N) for is_N in by_class], axis=0),
        "accuracy": _mean(right_N, weight_BN),
        "balanced_accuracy": np.mean([_mean(right_N, weight_BN, is_N) for is_N in by_class], axis=0),
        "f1": np.mean([_f1(predicted.class_N == k, y_N == k, weight_BN) for k in looked_for], axis=0),
    }
    ranked = [_ranked(p_NK[:, k], y_N == k, weight_BN) for k in looked_for]
    found["roc_auc"] = np.mean([auc for auc, _ in ranked], axis=0)
    found["average_precision"] = np.mean([precision for _, precision in ranked], axis=0)
    return found


def _mean(value_N: Array, weight_BN: Array, among_N: Array | None = None) -> Array:
    """(B,) weighted means, among some of the rows."""
    among_N = np.ones(len(value_N)) if among_N is None else among_N
    return np.asarray((weight_BN @ (value_N * among_N)) / np.maximum(weight_BN @ among_N, 1e-12))


def _f1(named_N: Array, true_N: Array, weight_BN: Array) -> Array:
    hit, named, true = (weight_BN @ each.astype(np.float64) for each in (named_N & true_N, named_N, true_N))
    return np.asarray(2 * hit / np.maximum(named + true, 1e-12))


def _ranked(score_N: Array, true_N: Array, weight_BN: Array) -> tuple[Array, Array]:
    """(B,) areas under the ROC curve and average precisions; rows of one score count as tied."""
    order = np.argsort(-score_N, kind="stable")
    firsts = np.flatnonzero(np.diff(score_N[order], prepend=np.inf))
    sorted_BN = weight_BN[:, order].astype(np.float64)
    true_BG = np.add.reduceat(sorted_BN * true_N[order], firsts, axis=1)
    false_BG = np.add.reduceat(sorted_BN * ~true_N[order], firsts, axis=1)
    hits_BG, alarms_BG = true_BG.cumsum(1), false_BG.cumsum(1)
    trues, falses = hits_BG[:, -1], alarms_BG[:, -1]
    auc = 1.0 - (true_BG * (alarms_BG - false_BG / 2)).sum(1) / np.maximum(trues * falses, 1e-12)
    precision = (true_BG * hits_BG / np.maximum(hits_BG + alarms_BG, 1e-12)).sum(1) / np.maximum(trues, 1e-12)
    return auc, precision


def chance(y_N: Array, positive: int) -> float:
    """Standard error of the AUC of two classes, where nothing foretells them (Mann and Whitney, 1947)."""
    trues = int((y_N == positive).sum())
    falses = len(y_N) - trues
    return float(np.sqrt((trues + falses + 1) / (12.0 * max(trues, 1) * max(falses, 1))))


Scorer = Callable[[Predicted], float]


def scorer(metric: Metric, y_N: Array, positive: int) -> Scorer:
    """A metric as a function of predictions, more always better."""
    once_BN = np.ones((1, len(y_N)), np.float32)
    return lambda predicted: metric.sign * float(measure(predicted, y_N, once_BN, positive)[metric.name][0])
