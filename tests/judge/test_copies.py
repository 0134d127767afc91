"""Copies of training examples are found, and none are seen where there are none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from points_for_tests import Points, features, near, points

from ilk.judge.copies import ALARM, near_copies, share, tail, together
from ilk.judge.membership import attack, closeness
from ilk.judge.pool import pool


def real(train, holdout, seed=0):
    kind = Points()
    hashes = [kind.identify(each) for each in (*train, *holdout)]
    rows = np.arange(len(train)), np.arange(len(holdout))
    return pool(features(train), features(holdout), hashes, rows, seed)


def collapsed(seed, count=300, modes=15):
    centres = points(modes, seed)
    places = np.random.default_rng(seed).integers(0, modes, count)
    return near([centres[place] for place in places], seed)


def alarms(make, trials=40, sizes=(270, 30)):
    found = []
    for trial in range(trials):
        train, holdout = points(sizes[0], 1000 + trial), points(sizes[1], 2000 + trial)
        found.append(near_copies(features(make(trial, train)), real(train, holdout, trial)).p <= ALARM)
    return np.mean(found)


def planted(share):
    def make(trial, train):
        count = round(share * 400)
        return near(train[:count], trial) + points(400 - count, 3000 + trial)

    return make


def test_innocent_models_are_not_accused():
    assert alarms(lambda trial, _: points(300, 3000 + trial)) <= 0.05
    assert alarms(lambda trial, _: collapsed(3000 + trial)) <= 0.05


def test_innocent_models_are_not_accused_where_points_crowd():
    """In two dimensions everything is near to something."""

    def innocent(trial):
        train, held, made = (points(many, trial + add, wide=2) for many, add in ((90, 0), (10, 500), (400, 900)))
        return near_copies(features(made), real(train, held, trial)).p <= ALARM

    assert np.mean([innocent(trial) for trial in range(40)]) <= 0.05


@pytest.mark.parametrize("share", [0.02, 0.05])
def test_planted_copies_are_found(share):
    assert alarms(planted(share), trials=20) >= 0.9


def test_a_model_of_36_pictures_that_hands_them_back_is_found_with_4_held_out():
    train, holdout = points(36, 0), points(4, 1)
    made = near(train * 10, 2)
    found = near_copies(features(made), real(train, holdout))
    assert found.found == 36
    assert found.found_held == 0
    assert found.p == pytest.approx(1 / math.comb(40, 4))
    assert found.by_labels
    assert set(found.originals) == set(range(36))


def test_a_model_that_collapsed_onto_ten_of_36_is_found_too():
    train, holdout = points(36, 0), points(4, 1)
    found = near_copies(features(near(train[:10] * 30, 2)), real(train, holdout))
    assert not found.by_labels
    assert found.p < 1e-4


def test_a_model_that_hands_back_a_part_of_36_is_found():
    """One sample in seven is a copy, of 25 examples; the others lie between two training examples."""
    train, holdout = points(36, 0), points(4, 1)
    pairs = np.random.default_rng(3).choice(36, (340, 2))
    between = [tuple(np.mean([train[one], train[two]], axis=0)) for one, two in pairs if one != two]
    found = near_copies(features(near(train[:25] * 2, 2) + between), real(train, holdout))
    assert found.found >= 25
    assert found.p < 0.01


def test_two_weak_signs_make_a_strong_one_and_none_make_none():
    assert together(1.0, 1.0) == 1.0
    assert together(0.05, 0.05) == pytest.approx(0.0175, abs=1e-4)
    drawn = np.random.default_rng(0).random((4000, 2))
    assert np.mean([together(*pair) <= 0.05 for pair in drawn]) == pytest.approx(0.05, abs=0.01)


def test_copies_of_held_out_examples_accuse_nobody():
    train, holdout = points(100, 0), points(100, 1)
    found = near_copies(features(near(holdout, 2)), real(train, holdout))
    assert found.found_held == 100
    assert found.p == 1.0


def test_a_thousand_copies_of_one_example_are_one_example():
    train, holdout = points(200, 0), points(50, 1)
    found = near_copies(features(near(train[:1] * 20, 2) + points(300, 3)), real(train, holdout))
    assert found.found <= 2
    assert found.p > ALARM


def test_what_occurs_twice_or_on_both_sides_does_not_count():
    train = points(50, 0)
    holdout = [*points(20, 1), train[0]]
    found = real([*train, train[1]], holdout)
    assert (~found.single).sum() == 4
    assert found.repeated.tolist() == [20]
    handed = near_copies(features([train[0], train[1]] * 5), found)
    assert handed.found == 0


def test_an_example_saved_twice_is_the_same_example():
    train = points(60, 0)
    found = real([*train, *near(train[:3], 5, noise=1e-4)], points(20, 1))
    assert (~found.single).sum() == 6


def test_the_tail_is_that_of_drawing_without_replacement():
    assert tail(0, 5, 10, 10) == 1
    assert tail(5, 5, 5, 5) == pytest.approx(1 / math.comb(10, 5))
    assert tail(1, 1, 3, 1) == pytest.approx(0.75)
    assert tail(7, 5, 10, 10) == 0


def test_the_share_is_a_half_without_preference_whatever_the_sizes():
    for sizes in ((300, 300), (540, 60), (60, 540)):
        train, holdout = points(sizes[0], 0), points(sizes[1], 1)
        found = share(features(points(500, 2)), real(train, holdout), 0)
        assert found.value == pytest.approx(0.5, abs=0.1)
        assert found.interval[0] < found.value < found.interval[1]


def test_the_share_test_keeps_its_word_on_a_collapsed_model():
    def innocent(trial):
        train, holdout = points(200, 1000 + trial), points(200, 2000 + trial)
        return share(features(collapsed(3000 + trial)), real(train, holdout, trial), trial).p <= ALARM

    assert np.mean([innocent(trial) for trial in range(40)]) <= 0.125  # 5 of 40: binomial, far from the naive 10


def test_the_share_test_sees_a_model_that_is_near_to_what_it_saw():
    train, holdout = points(200, 0), points(200, 1)
    found = share(features(near(train, 2, noise=0.3)), real(train, holdout), 0)
    assert found.value > 0.9
    assert found.p <= 0.01


def test_membership_is_told_of_a_copier_and_of_nobody_else():
    train, holdout = points(300, 0), points(150, 1)
    found = real(train, holdout)
    for made, low, high in ((near(train, 2), 0.98, 1.0), (points(300, 3), 0.42, 0.58)):
        scores = closeness(found, features(made))
        told = attack(scores[found.trained], scores[~found.trained], 0)
        assert low <= told.auc <= high
        assert (told.p <= ALARM) == (low > 0.9)
        assert told.interval[0] <= told.auc <= told.interval[1]
    assert told.found is not None


def test_one_in_a_hundred_needs_a_hundred():
    told = attack(np.arange(50.0), np.arange(20.0), 0)
    assert told.found is None
    sure = attack(np.arange(1000.0) + 500, np.arange(1000.0), 0)
    assert sure.found == pytest.approx(0.51, abs=0.02)
