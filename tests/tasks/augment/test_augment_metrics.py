"""Metrics are scikit-learn's, for two classes and more; corrections do what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from ilk.tasks.augment.adjust import fit_temperature, fit_threshold, likeliest, named_from, shifted, tempered
from ilk.tasks.augment.metrics import METRICS, draws, find_metric, measure


def predictions(seed: int, classes: int, rows: int = 80):
    draw = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), draw.integers(0, classes, rows - classes)])
    logits = draw.normal(size=(rows, classes)) + 1.5 * np.eye(classes)[y]
    p = np.exp(logits).round(1) + 0.1  # ties among them
    return y, p / p.sum(1, keepdims=True)


@given(st.integers(0, 10_000), st.booleans())
def test_two_classes_agree_with_scikit_learn(seed, weighted):
    y, p = predictions(seed, 2)
    weight = draws(len(y), seed, 1)[int(weighted)]
    weight[:2] = 1
    found = {name: each[0] for name, each in measure(likeliest(p), y, weight[None], 1).items()}
    named, more = p.argmax(1), {"sample_weight": weight}
    assert found["log_loss"] == pytest.approx(sk.log_loss(y, p, **more), abs=1e-5)
    assert found["brier"] == pytest.approx(sk.brier_score_loss(y, p[:, 1], **more), abs=1e-5)
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(y, p[:, 1], **more), abs=1e-5)
    assert found["average_precision"] == pytest.approx(sk.average_precision_score(y, p[:, 1], **more), abs=1e-5)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(y, named, **more), abs=1e-5)
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(y, named, **more), abs=1e-5)
    assert found["f1"] == pytest.approx(sk.f1_score(y, named, zero_division=0, **more), abs=1e-5)


def test_more_classes_agree_with_scikit_learn():
    y, p = predictions(0, 4)
    found = {name: float(each[0]) for name, each in measure(likeliest(p), y, draws(len(y), 0, 1), 0).items()}
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(y, p, multi_class="ovr"))
    assert found["average_precision"] == pytest.approx(sk.average_precision_score(np.eye(4)[y], p))
    assert found["f1"] == pytest.approx(sk.f1_score(y, p.argmax(1), average="macro"))
    assert found["brier"] == pytest.approx(sk.brier_score_loss(y, p))
    assert set(found) == set(METRICS)


def test_scikit_learns_names_are_known_too():
    assert find_metric("neg_log_loss").name == find_metric(None).name == "log_loss"
    assert find_metric("neg_brier_score").name == "brier"


def test_a_temperature_undoes_boldness():
    y, p = predictions(1, 3, 600)
    bold = tempered(p, 0.25)
    found = fit_temperature(bold, y)
    assert found == pytest.approx(4 * fit_temperature(p, y), rel=0.1)
    assert sk.log_loss(y, tempered(bold, found)) < sk.log_loss(y, bold)
    assert (tempered(bold, found).argmax(1) == bold.argmax(1)).all(), "nobody is called another class"


def test_a_prior_shift_makes_the_classes_even():
    p = np.array([[0.9, 0.1], [0.95, 0.05]])
    assert shifted(p, np.array([0.9, 0.1]))[0] == pytest.approx([0.5, 0.5])
    assert shifted(p, np.array([0.9, 0.1]))[1, 0] > 0.5


def test_a_threshold_is_the_best_one():
    y = np.array([0] * 90 + [1] * 10)
    p_one = np.concatenate([np.linspace(0, 0.25, 90), np.linspace(0.2, 0.45, 10)])
    p = np.stack([1 - p_one, p_one], axis=1)
    metric = find_metric("balanced_accuracy")
    chosen = named_from(p, fit_threshold(p, y, 1, metric), 1).class_N
    assert sk.balanced_accuracy_score(y, chosen) > 0.85 > sk.balanced_accuracy_score(y, p.argmax(1))
