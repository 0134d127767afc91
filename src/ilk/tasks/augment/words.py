"""The answer in a sentence, and what kind of gain it is in another."""

from __future__ import annotations

from ilk.tasks.augment.candidates import FREE, NOTHING, WEIGHTED, WEIGHTS
from ilk.tasks.augment.decide import Decision, Result
from ilk.tasks.augment.metrics import METRICS, Metric

FAMILIES = {"ranking": "roc_auc", "calibration": "log_loss", "threshold": "balanced_accuracy"}
CLEAR = 1.0  # standard errors from which on a family is said to gain or to lose


def say(decision: Decision, label: str, *, model: str, instead: bool) -> str:
    """The answer in one sentence.

    Args:
        decision: what won.
        label: the label's name.
        model: what the user's model is called.
        instead: whether the stronger model is the answer, since the user named none.
    """
    metric = METRICS[decision.metric]
    if not decision.signal:
        return (
            f"Do not augment: nothing here foretells {label} (the best AUC is {decision.auc:.2f}, and 0.5 is chance), "
            "so more rows of the same cannot help."
        )
    if decision.stronger and instead:
        return (
            f"Use a stronger model instead: {_model(decision.stronger)} without any added row gets "
            f"{_score(decision[decision.stronger], metric)}, {_model(model)} with its best candidate "
            f"({decision.name}) {_value(decision[decision.name], metric)}."
        )
    won = decision[decision.name]
    if decision.name == NOTHING:
        return f"Do not augment: {_loser(decision, metric)}."
    if won.tier == FREE:
        return f"Do not augment: {won.name}, which is free, {_change(decision, metric)}{_beside(decision, metric)}."
    if won.tier == WEIGHTED:
        return f"Do not add rows: {WEIGHTS} {_change(decision, metric)}{_beside(decision, metric)}."
    return f"Augment ({won.name}): it {_change(decision, metric)}."


def explain(decision: Decision, *, instead: bool) -> str:
    """Ranking, calibration and naming told apart, and what would do better; empty where there is nothing to tell."""
    said = []
    won = decision[decision.name]
    if decision.name != NOTHING:
        parts = [_family(won, family, name) for family, name in FAMILIES.items()]
        said.append(f"Of {won.name}, " + ", ".join(parts) + ".")
    if decision.stronger and not instead:
        metric = METRICS[decision.metric]
        got = _value(decision[decision.stronger], metric)
        said.append(f"A stronger model gets further: {_model(decision.stronger)} without any added row has {got}.")
    return " ".join(said)


def warn(teller: str, label: str) -> str:
    """That one column gives the label away."""
    return (
        f"{teller} alone tells {label} in every row: if it is only known once {label} is, leave it out, for these "
        "numbers mean nothing with it."
    )


def _family(won: Result, family: str, name: str) -> str:
    gain = won.gains[name]
    words = "is the same"
    if abs(gain.value) > 1e-9:
        clear = abs(gain.value) > CLEAR * gain.error
        words = ("gains" if gain.value > 0 else "loses") if clear else "is not clearly changed"
    sign = METRICS[name].sign
    return f"{family} {words} ({METRICS[name].says} {sign * gain.value:+.3f} ± {gain.error:.3f})"


def _loser(decision: Decision, metric: Metric) -> str:
    if not decision.best:
        return "nothing that was compared beats the data as they are"
    base, best = decision[NOTHING], decision[decision.best]
    return (
        f"no candidate beats the data as they are by more than luck ({_score(base, metric)}; {best.name} "
        f"{_value(best, metric)}, a gain of {decision.short:.3f} where {decision.needed:.3f} is needed)"
    )


def _beside(decision: Decision, metric: Metric) -> str:
    """What the best of the dearer ones got."""
    if not decision.best or decision[decision.best].tier == FREE:
        return ""
    return f"; with {decision.best} it is {_value(decision[decision.best], metric)}"


def _change(decision: Decision, metric: Metric) -> str:
    won = decision[decision.name]
    gain = won.gains[metric.name]
    before, after = _value(decision[NOTHING], metric), _value(won, metric)
    return f"takes the {metric.says} from {before} to {after} (± {gain.error:.3f})"


def _score(result: Result, metric: Metric) -> str:
    return f"{metric.says} {_value(result, metric)}"


def _value(result: Result, metric: Metric) -> str:
    return f"{result.scores[metric.name].value:.3f}"


def _model(name: str) -> str:
    words = {
        "average": "averaging forest, boosting and logistic regression",
        "logistic": "logistic regression",
        "three": "averaging three networks",
    }
    return words.get(name, name)
