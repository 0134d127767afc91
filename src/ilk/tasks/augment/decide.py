"""Which candidate wins, and by how much it has to: more than noise, and more than the best of several gets by luck.

noise       bootstrap of the rows that were held out; variances grow by 1 + held out / learned from, since all folds'
            models share training rows (Nadeau and Bengio, "Inference for the generalization error", 2003)
luck        one standard error is demanded of one candidate; of m the same risk shared out among them (Bonferroni)
cost        a dearer tier has to beat what the cheaper ones got, not the data as they are
signal      where no model ranks better than chance nothing can be improved: made rows then only dull a model that
            learned noise, and the log-loss that this gains is the class frequencies' own
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import norm

from ilk.core.config import Record
from ilk.core.protocol import Array
from ilk.tasks.augment.candidates import NOTHING, STRONGER, TIERS, Candidate
from ilk.tasks.augment.compare import Compared
from ilk.tasks.augment.labels import Label
from ilk.tasks.augment.metrics import METRICS, Metric, chance, draws, measure

ONE = float(norm.sf(1.0))  # the risk that goes with one standard error
SIGNAL = 2.5  # standard errors that a ranking has to be better than chance
INTERVAL = 1.96


class Number(Record, frozen=True):
    """A metric with its interval of 95 %."""

    value: float
    low: float
    high: float


class Gain(Record, frozen=True):
    """How much better than the data as they are, more always better, and the standard error of that."""

    value: float
    error: float


class Result(Record, frozen=True):
    """What one candidate got, or why it could not be compared."""

    name: str
    tier: str
    says: str
    scores: dict[str, Number] = {}
    gains: dict[str, Gain] = {}
    seconds: float = 0.0
    absent: str = ""


class Decision(Record, frozen=True):
    """What wins.

    Attributes:
        name: the candidate.
        metric: by which it wins.
        results: of all candidates and stronger models.
        signal: whether anything foretells the label.
        auc: the best area under the ROC curve of any model without rows added.
        stronger: a model that, without rows added, beats the candidate; empty where none does.
        best: of the candidates that cost something the best loser; empty where there is none.
        needed: the gain that it would have needed over the winner.
        short: the gain that it had over the winner.
        folds: folds that were compared.
    """

    name: str
    metric: str
    results: tuple[Result, ...]
    signal: bool
    auc: float
    stronger: str
    best: str
    needed: float
    short: float
    folds: int

    def __getitem__(self, name: str) -> Result:
        return next(result for result in self.results if result.name == name)


def decide(
    compared: Compared,
    candidates: Mapping[str, Candidate],
    stronger: Mapping[str, object],
    metric: Metric,
    label: Label,
    seed: int,
) -> Decision:
    """The winner by the user's metric, and all numbers."""
    y_N = label.code_N[compared.row_N]
    weight_BN = draws(len(y_N), seed)
    found = {name: measure(each, y_N, weight_BN, label.rarest) for name, each in compared.predicted.items()}
    table = _Table(found, metric, float(np.sqrt(1.0 + compared.share)))
    auc, signal = _signal(table, [NOTHING, *stronger], y_N, label)
    name, tried = (NOTHING, 0)
    for tier in TIERS if signal else ():
        names = [each for each in candidates if candidates[each].tier == tier and each in found]
        tried += len(names)
        winners = [each for each in names if table.beats(each, name, tried)]
        name = max(winners, key=table.value) if winners else name
    better = [each for each in stronger if each in found and table.beats(each, name, max(1, len(stronger)))]
    losers = [each for each in candidates if each in found and each not in (NOTHING, name)]
    losers = [each for each in losers if candidates[each].tier in TIERS[1:]] or losers
    best = max(losers, key=table.value) if losers else ""
    return Decision(
        name=name,
        metric=metric.name,
        results=_results(table, compared, candidates, stronger),
        signal=signal,
        auc=auc,
        stronger=max(better, key=table.value) if better and signal else "",
        best=best,
        needed=table.needed(best, name, max(1, tried)) if best else 0.0,
        short=table.gain(best, name)[0] if best else 0.0,
        folds=compared.folds,
    )


class _Table:
    """All metrics of all candidates under all draws, more better."""

    def __init__(self, found: Mapping[str, Mapping[str, Array]], metric: Metric, wider: float) -> None:
        self.found, self.metric, self.wider = found, metric, wider

    def value(self, name: str) -> float:
        return self.metric.sign * float(self.found[name][self.metric.name][0])

    def gain(self, name: str, over: str, metric: Metric | None = None) -> tuple[float, float]:
        """(gain, its standard error) of one candidate over another."""
        metric = metric or self.metric
        gain_B = metric.sign * (self.found[name][metric.name] - self.found[over][metric.name])
        return float(gain_B[0]) + 0.0, float(gain_B[1:].std() * self.wider)

    def needed(self, name: str, over: str, tried: int) -> float:
        """The gain that luck does not give the best of so many."""
        return float(norm.isf(ONE / tried)) * self.gain(name, over)[1]

    def beats(self, name: str, over: str, tried: int) -> bool:
        gain = self.gain(name, over)[0]
        return gain > 1e-9 and gain > self.needed(name, over, tried)

    def gained(self, name: str, metric: Metric) -> Gain:
        value, error = self.gain(name, NOTHING, metric)
        return Gain(value=value, error=error)

    def number(self, name: str, metric: str) -> Number:
        value_B = self.found[name][metric]
        value, reach = float(value_B[0]), INTERVAL * float(value_B[1:].std() * self.wider)
        top = np.inf if metric.endswith("log_loss") else 1.0
        return Number(value=value, low=max(0.0, value - reach), high=min(top, value + reach))


def _signal(table: _Table, names: list[str], y_N: Array, label: Label) -> tuple[float, bool]:
    """The best ranking of any model, and whether it is better than chance."""
    here = [name for name in names if name in table.found]
    auc = {name: table.number(name, "roc_auc") for name in here}
    best = max(here, key=lambda name: auc[name].value)
    error = (auc[best].high - auc[best].value) / INTERVAL
    if len(label.levels) == 2:
        error = max(error, chance(y_N, label.rarest))
    return auc[best].value, auc[best].value > 0.5 + SIGNAL * error


def _results(
    table: _Table, compared: Compared, candidates: Mapping[str, Candidate], stronger: Mapping[str, object]
) -> tuple[Result, ...]:
    results = []
    for name in (*candidates, *stronger):
        tier, says = STRONGER, "the data as they are"
        if name in candidates:
            tier, says = candidates[name].tier, candidates[name].says
        if name not in table.found:
            results.append(Result(name=name, tier=tier, says=says, absent=compared.absent.get(name, "not compared")))
            continue
        scores = {metric: table.number(name, metric) for metric in METRICS}
        gains = {each.name: table.gained(name, each) for each in METRICS.values()}
        cost = compared.seconds.get(name, 0.0)
        results.append(Result(name=name, tier=tier, says=says, scores=scores, gains=gains, seconds=round(cost, 2)))
    return tuple(results)
