"""No row that a candidate is judged by has been seen by what made the rows that it learned from."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

import ilk
from ilk.core import events
from ilk.tasks.augment import tables
from ilk.tasks.augment.answer import Wish, ask
from ilk.tasks.augment.compare import compare
from ilk.tasks.augment.labels import read_label
from ilk.tasks.augment.material import Made
from ilk.tasks.augment.metrics import draws, measure
from ilk.tasks.augment.tables import Tables


class Memory:
    """A generator that hands back what it was fitted on: whatever leaks, leaks in full."""

    fingerprint = "memory"

    def __init__(self, material: Tables, rows, label) -> None:
        self.material, self.rows, self.label = material, rows, label

    def draw(self, count: int, seed: int) -> Made:
        rows = np.resize(self.rows, count)
        return Made(self.material.part(rows), self.label.code_N[rows])


class Honest(Tables):
    def maker(self, rows, label, seed, minutes):
        return Memory(self, rows, label)


class Leaking(Tables):
    """The planted leak: the generator is fitted on all rows, the held-out ones among them."""

    def maker(self, rows, label, seed, minutes):
        return Memory(self, np.arange(len(self)), label)


@pytest.fixture(scope="module")
def random_labels():
    draw = np.random.default_rng(3)
    return draw.normal(size=(300, 2)), draw.integers(0, 2, 300)


def auc_of(material: Tables, y) -> float:
    """Of made rows, on labels that nothing foretells."""
    label = read_label(y, "label")
    wish = Wish(model=KNeighborsClassifier(1), candidates=["made 1x", "made 3x"])
    question, _, _ = ask(material, label, wish)
    compared = compare(question, events.ignore)
    y_N = label.code_N[compared.row_N]
    found = measure(compared.predicted["made 3x"], y_N, draws(len(y_N), 0, 1), label.rarest)
    return float(found["roc_auc"][0])


def test_a_planted_leak_is_seen_and_there_is_none(random_labels):
    X, y = random_labels
    assert auc_of(Leaking(X, {}), y) > 0.95, "a leak would show"
    assert abs(auc_of(Honest(X, {}), y) - 0.5) < 0.1


def test_generators_are_fitted_on_training_folds_alone(rare, monkeypatch):
    frame, label = rare
    frame = frame.assign(number=np.arange(len(frame)) + 0.5)
    seen = []

    class Spy(ilk.Generator):
        def fit(self, X=None, *args, **more):
            seen.append(set(X.column("number").to_pylist()))
            return super().fit(X, *args, **more)

    monkeypatch.setattr(tables, "Generator", Spy)
    sampler = ilk.Augmenter("logistic", candidates=["made 1x", "made 3x"], folds=3).fit(frame, label)
    assert sampler.decision_ == "nothing"
    every = set(frame.number)
    held_out = [every - each for each in seen]
    assert len(seen) == 3, "one a fold, whatever is drawn from it"
    assert set.union(*held_out) == every
    assert sum(map(len, held_out)) == len(every), "each row is held out once, and that fold's generator never saw it"


def test_shuffled_labels_stay_at_chance_in_cross_validation(rare):
    from imblearn.pipeline import make_pipeline
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    frame, label = rare[0][["fever", "pulse"]], rare[1]
    model = LogisticRegression()
    scores = []
    for seed in range(3):
        mixed = label.sample(frac=1.0, random_state=seed).reset_index(drop=True)
        pipeline = make_pipeline(ilk.Augmenter(model, candidates=["smote", "class weights"], folds=2), model)
        folds = StratifiedKFold(3, shuffle=True, random_state=seed)
        scores.append(cross_val_score(pipeline, frame, mixed, cv=folds, scoring="roc_auc").mean())
    assert abs(np.mean(scores) - 0.5) < 0.08
