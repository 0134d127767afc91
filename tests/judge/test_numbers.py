"""The numbers themselves, where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ilk.core.bootstrap import auc_interval, share_interval, unit_interval
from ilk.core.distances import between, nearest
from ilk.judge.frechet import directions, frechet
from ilk.judge.grader import FEWEST, auc, classify, grade, linear, sharpest
from ilk.judge.manifold import gaps, overlap


def normal(seed, count=400, wide=4, shift=0.0, scale=1.0):
    return np.random.default_rng(seed).normal(size=(count, wide)) * scale + shift


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 40), st.integers(1, 5))
def test_nearest_finds_what_all_distances_say(seed, many, others, k):
    a, b = normal(seed, many), normal(seed + 1, others)
    apart, rows = nearest(a, b, k)
    every = between(a, b)
    assert np.allclose(apart, np.sort(every, axis=1)[:, :k], atol=1e-9)
    assert np.allclose(np.take_along_axis(every, rows, axis=1), apart, atol=1e-9)


def test_nearest_in_blocks_is_nearest_at_once(monkeypatch):
    a, b = normal(0, 333), normal(1, 77)
    whole = nearest(a, b, 3)
    monkeypatch.setattr("ilk.core.distances.BLOCK", 500)
    assert all(np.array_equal(one, two) for one, two in zip(whole, nearest(a, b, 3), strict=True))
    assert np.array_equal(nearest(b, b, 1, same=True)[1], nearest(b, b, 2)[1][:, 1:])


def test_far_from_the_origin_copies_still_have_distance_zero():
    a = normal(0, 50, shift=1e4)
    assert np.diag(between(a, a)).max() == 0
    assert nearest(a, a, 1)[0].max() == 0


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (2.0, 1.0), (0.0, 3.0), (1.5, 0.5)])
def test_frechet_distance_of_gaussians_is_the_formula(shift, scale):
    found = frechet(normal(0, 40_000), normal(1, 40_000, shift=shift, scale=scale))
    assert found == pytest.approx(4 * shift**2 + 4 * (1 - scale) ** 2, abs=0.15)


def test_frechet_distance_bears_collapsed_and_few_rows(recwarn):
    same = np.ones((30, 8))
    assert frechet(same, same) == 0
    assert frechet(same, normal(0, 30, 8)) > 1
    few = normal(0, 10, 64)
    basis = directions(few, 10)
    assert basis.shape == (64, 5)
    assert np.isfinite(frechet(normal(1, 10, 64), few, basis))
    assert not recwarn.list


def test_one_distribution_twice_lies_inside_itself():
    found = overlap(normal(0), normal(1))
    for values, least in ((found.precision, 0.85), (found.recall, 0.85), (found.coverage, 0.9)):
        assert least < values.mean() <= 1
    assert found.density.mean() == pytest.approx(1, abs=0.15)


def test_a_narrow_model_is_precise_and_a_wide_one_has_recall():
    narrow, wide = overlap(normal(0, scale=0.3), normal(1)), overlap(normal(0, scale=3), normal(1))
    assert narrow.precision.mean() > 0.95 > 0.5 > narrow.recall.mean()
    assert wide.recall.mean() > 0.9 > 0.5 > wide.precision.mean()
    assert narrow.density.mean() > 1.1 > wide.density.mean()


def test_far_away_nothing_overlaps():
    found = overlap(normal(0, shift=50), normal(1))
    assert max(values.max() for values in found) == 0


def test_gaps_of_twins_are_nothing():
    assert gaps(np.repeat(normal(0, 5), 2, axis=0)).max() == 0


def test_auc_counts_pairs_and_halves_ties():
    assert auc(np.array([3.0, 4]), np.array([1.0, 2])) == 1
    assert auc(np.array([1.0, 1]), np.array([1.0, 1, 1])) == 0.5
    assert auc(np.array([1.0, 3]), np.array([2.0])) == 0.5


@pytest.mark.parametrize(
    ("other", "least", "most"),
    [(normal(1), 0.4, 0.6), (normal(1, shift=1), 0.9, 1.0), (normal(1, scale=2.5), 0.8, 1.0)],
    ids=["the same", "shifted", "wider, which no line can tell"],
)
def test_the_grader_tells_what_can_be_told(other, least, most):
    found, _ = sharpest(normal(0), other, 0)
    assert least <= found.auc <= most
    assert len(found.first) == len(found.second) == 400


def test_the_grader_is_a_function_of_its_seed_and_bears_few_rows():
    assert grade(normal(0), normal(1), linear, 5).auc == grade(normal(0), normal(1), linear, 5).auc
    assert 0 <= sharpest(normal(0, FEWEST), normal(1, FEWEST), 0)[0].auc <= 1


def test_a_classifier_of_one_class_knows_one_class():
    assert set(classify(normal(0, 9), np.array(["a"] * 9), normal(1, 5), 0)) == {"a"}


def test_intervals_cover_and_are_never_of_no_width():
    low, high = share_interval(0, 50)
    assert low == 0 < high < 0.1
    assert auc_interval(1.0, 36, 4)[0] < 0.95
    assert auc_interval(0.5, 1, 1) == (0, 1)
    hits = 0
    for seed in range(100):
        low, high = share_interval(np.random.default_rng(seed).binomial(60, 0.3), 60)
        hits += low <= 0.3 <= high
    assert hits >= 88


def test_an_interval_over_units_knows_that_copies_are_no_evidence():
    values = np.repeat(np.random.default_rng(0).random(10) < 0.5, 100).astype(float)
    alone = unit_interval(values, np.ones(1000), np.arange(1000), 0)
    together = unit_interval(values, np.ones(1000), np.repeat(np.arange(10), 100), 0)
    assert together[1] - together[0] > 4 * (alone[1] - alone[0])
