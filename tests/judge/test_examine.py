"""What a user reads in a report: five answers, whatever is handed in."""

from __future__ import annotations

import ast
import math

import numpy as np
import pytest
from points_for_tests import features, near, points, subject

from ilk.core.events import Stage
from ilk.judge.copies import ALARM
from ilk.judge.examine import examine
from ilk.judge.record import QUESTIONS
from ilk.judge.words import WORDS


def judged(**given):
    return examine(subject(**given), features, features)


def answers(**given):
    return {answer.question: answer for answer in judged(**given).answers}


def numbers(**given):
    return {key: number for answer in judged(**given).answers for key, number in answer.numbers.items()}


def classes(count, seed, levels=3):
    """Points in ``levels`` heaps far apart, and which heap each is of."""
    places = np.arange(count) % levels
    rows = np.random.default_rng(seed).normal(size=(count, 6)) + 8 * np.eye(6)[places]
    return [tuple(row) for row in rows.tolist()], [f"heap {place}" for place in places]


def test_five_answers_in_order_with_words_for_every_number():
    train, train_labels = classes(360, 1)
    holdout, holdout_labels = classes(120, 2)
    made, made_labels = classes(200, 3)
    opinions = (np.arange(360.0), np.arange(120.0))
    labels = {"train_labels": train_labels, "holdout_labels": holdout_labels, "made_labels": made_labels}
    given = {"train": train, "holdout": holdout, "made": made, "opinions": opinions, **labels}
    stages = []
    found = examine(subject(**given), features, features, stages.append)
    assert [answer.question for answer in found.answers] == list(QUESTIONS)
    assert not any(answer.absent for answer in found.answers)
    assert {key for answer in found.answers for key in answer.numbers} == set(WORDS)
    assert found.skipped == ()
    assert len(stages) >= 7
    assert all(isinstance(stage, Stage) for stage in stages)
    for answer in found.answers:
        assert answer.says.endswith(".")
        for key, number in answer.numbers.items():
            assert key.startswith(answer.question)
            assert math.isfinite(number.value)
            if number.interval is not None:
                assert number.interval[0] <= number.value <= number.interval[1], key


def test_the_same_subject_gives_the_same_numbers():
    assert judged() == judged()


def test_samples_like_real_ones_get_what_real_ones_get():
    found = numbers()
    for key in ("real.precision", "diverse.recall", "diverse.coverage", "diverse.unique", "new.novel", "real.valid"):
        assert found[key].value == pytest.approx(found[key].ceiling, abs=0.15), key
    assert found["real.critic_auc"].value < 0.65
    assert found["real.frechet"].value < 2 * found["real.frechet"].ceiling
    assert found["new.distance"].value == pytest.approx(1, abs=0.1)
    assert found["new.memorised"].p > ALARM
    assert 0.35 < found["private.membership_auc"].value < 0.65


def test_samples_that_look_otherwise_are_seen_through():
    found = answers(made=points(200, 3, shift=1.5))
    told = found["real"].numbers
    assert told["real.precision"].value < 0.5 * told["real.precision"].ceiling
    assert told["real.critic_auc"].value > 0.9
    assert told["real.frechet"].value > 3 * told["real.frechet"].ceiling
    assert found["real"].exhibits[0].caption == "samples that the grader finds least real"


def test_the_sentence_says_what_the_number_says():
    real = answers()["real"]
    value, ceiling = (
        round(100 * each) for each in (real.numbers["real.precision"].value, real.numbers["real.precision"].ceiling)
    )
    start = f"Of 100 samples, {value} look like your examples to the judge; of 100 real ones it says so of {ceiling}."
    assert real.says.startswith(start)


def test_a_collapsed_model_is_not_diverse_and_not_accused_of_copying():
    found = numbers(made=near(points(5, 9) * 40, 4))
    assert found["diverse.coverage"].value < 0.3
    assert found["diverse.unique"].value < 0.1 < 0.9 < found["diverse.unique"].ceiling
    assert found["new.memorised"].p > ALARM


def test_a_copier_is_named_with_its_pairs_and_files():
    train = points(360, 1)
    found = answers(train=train, made=near(train[:200], 4), names=tuple(f"{row}.png" for row in range(360)))
    new = found["new"]
    assert new.numbers["new.memorised"].p < 1e-6
    assert new.numbers["new.memorised"].value == pytest.approx(200 / 360, abs=0.02)
    assert new.numbers["new.novel"].value < 0.05
    assert new.numbers["new.distance"].value < 0.1
    assert new.says.startswith("It hands back training examples: 100 of 100 samples are near copies, and")
    pairs, nearest = new.exhibits
    assert ".png" in pairs.caption
    assert "nearest" in nearest.caption
    shown = ast.literal_eval(pairs.data.decode())
    assert len(shown) == 36
    assert all(math.dist(shown[row], shown[row + 1]) < 0.5 for row in range(0, 36, 2))
    assert found["private"].numbers["private.membership_auc"].value > 0.7
    assert "leaks" in found["private"].says


def test_forty_examples_get_a_verdict_and_are_told_what_stood_in():
    train, holdout = points(36, 1), points(4, 2)
    copied = judged(train=train, holdout=holdout, made=near(train * 5, 3))
    by_name = {answer.question: answer for answer in copied.answers}
    assert by_name["new"].numbers["new.memorised"].p < 1e-4
    assert by_name["real"].numbers["real.precision"].ceiling is not None
    assert any("4 held-out examples are too few" in line for line in copied.skipped)
    assert numbers(train=train, holdout=holdout, made=points(180, 3))["new.memorised"].p > ALARM


def test_a_holdout_that_overlaps_is_said_and_taken_out():
    train, fresh = points(360, 1), points(60, 2)
    found = judged(train=train, holdout=[*fresh, *train[:25]])
    assert any(
        line.startswith("25 held-out examples that also stand among the training examples") for line in found.skipped
    )
    told = {key: number for answer in found.answers for key, number in answer.numbers.items()}
    assert told["new.memorised"].p > ALARM
    assert told["real.precision"].ceiling < 1


def test_a_holdout_that_is_the_training_set_leaves_no_question_of_copies():
    train = points(100, 1)
    found = answers(train=train, holdout=train[:40])
    assert found["new"].absent.startswith("No held-out example is left")
    assert found["private"].absent == found["new"].absent


@pytest.mark.parametrize("name", ["train", "holdout", "made", "other"])
@pytest.mark.parametrize("count", [None, 0, 1, 2, 3, 12])
def test_few_or_none_of_anything_is_answered_in_sentences(name, count):
    found = judged(**{name: None if count is None else points(count, 7)})
    assert [answer.question for answer in found.answers] == list(QUESTIONS)
    for answer in found.answers:
        assert answer.says
        assert bool(answer.absent) == (not answer.numbers)
        for number in answer.numbers.values():
            assert math.isfinite(number.value)
            assert number.ceiling is None or math.isfinite(number.ceiling)
    if name in ("train", "holdout", "made") and not count:
        new = next(answer for answer in found.answers if answer.question == "new")
        assert new.absent


@pytest.mark.parametrize(
    "names", [("train",), ("holdout",), ("made",), ("train", "holdout"), ("train", "holdout", "made")]
)
def test_sets_of_one_thing_over_and_over_are_borne(names):
    found = judged(**{name: points(1, 5) * 60 for name in names})
    for answer in found.answers:
        assert all(math.isfinite(number.value) for number in answer.numbers.values())
        assert answer.says


def test_one_thing_5000_times_and_ten_others_are_borne():
    train = points(1, 5) * 900 + points(9, 6)
    found = answers(train=train, holdout=points(1, 5) * 100 + points(1, 8), made=points(1, 5) * 100 + points(3, 9))
    assert found["new"].absent or found["new"].numbers["new.memorised"].p > ALARM


def test_features_that_are_no_numbers_are_left_out_and_counted():
    bad = (math.nan,) * 12
    found = judged(made=[*points(200, 3), bad, bad], train=[bad, *points(360, 1)])
    assert any(line.startswith("2 of 202 samples have no finite features") for line in found.skipped)
    assert any(line.startswith("1 of 361 training examples") for line in found.skipped)
    assert all(not answer.absent for answer in found.answers if answer.question not in ("useful",))


def test_an_encoder_that_gives_no_numbers_at_all_leaves_the_other_questions():
    found = examine(subject(), lambda objects: np.full((len(objects), 3), np.nan), features)
    by_name = {answer.question: answer for answer in found.answers}
    assert by_name["diverse"].absent
    assert set(by_name["real"].numbers) == {"real.valid"}
    assert "new.memorised" in by_name["new"].numbers


def test_invalid_samples_are_counted():
    wrong = [(99.0, *row[1:]) for row in points(50, 8)]
    assert numbers(made=points(150, 3) + wrong)["real.valid"].value == 0.75


def test_classes_have_rows_and_a_class_of_one_is_not_lost():
    train, train_labels = classes(360, 1)
    holdout, holdout_labels = classes(90, 2)
    made, made_labels = classes(150, 3)
    train_labels[7] = made_labels[4] = "tiny"
    given = {"train": train, "holdout": holdout, "made": made}
    labels = {"train_labels": train_labels, "holdout_labels": holdout_labels, "made_labels": made_labels}
    found = answers(**given, **labels)
    rows = {row.name: row.numbers for row in found["real"].rows}
    assert set(rows) == {"heap 0", "heap 1", "heap 2", "tiny"}
    assert set(rows["tiny"]) == {"real.class_agreement"}
    assert rows["heap 0"]["real.class_agreement"].value > 0.95
    assert {"real.precision", "diverse.coverage"} <= set(rows["heap 1"])
    assert found["useful"].numbers["useful.train_synthetic_test_real"].value > 0.95


def test_labels_that_mean_nothing_agree_with_nothing():
    train, train_labels = classes(360, 1)
    holdout, holdout_labels = classes(90, 2)
    made, made_labels = classes(150, 3)
    wrong = made_labels[1:] + made_labels[:1]
    labels = {"train_labels": train_labels, "holdout_labels": holdout_labels, "made_labels": wrong}
    found = numbers(train=train, holdout=holdout, made=made, **labels)
    assert found["real.class_agreement"].value < 0.05 < 0.95 < found["real.class_agreement"].ceiling
    right = found["useful.train_synthetic_test_real"]
    assert right.value < 0.05 < 0.95 < right.ceiling


def test_without_classes_useful_is_absent_with_the_reason():
    assert "no classes" in answers()["useful"].absent
    one = {"train_labels": ["a"] * 360, "holdout_labels": ["a"] * 60, "made_labels": ["a"] * 200}
    assert "one class" in answers(**one)["useful"].absent
    open_ones = {**one, "made_labels": [None] * 200}
    assert answers(**open_ones)["useful"].absent


def test_an_opinion_that_knows_who_was_in_is_named():
    opinions = (np.random.default_rng(0).normal(size=360) + 2, np.random.default_rng(1).normal(size=60))
    private = answers(opinions=opinions)["private"]
    assert private.numbers["private.opinion_auc"].value > 0.85
    assert private.says.startswith("An attacker with the model itself")
    assert "leaks" in private.says
    silent = (np.full(360, np.nan), np.full(60, np.nan))
    assert "private.opinion_auc" not in answers(opinions=silent)["private"].numbers


def test_what_it_is_held_against_stands_beside_every_number_that_it_can_have():
    found = numbers(other=points(120, 3, shift=2.0))
    for key in ("real.precision", "real.frechet", "diverse.coverage", "new.memorised", "private.membership_auc"):
        assert found[key].other is not None, key
    assert found["real.precision"].other < 0.3 < found["real.precision"].value
    few = judged(other=points(4, 3))
    assert any("too few" in line for line in few.skipped)
    assert all(number.other is None for answer in few.answers for number in answer.numbers.values())


def test_more_columns_than_rows_allow_is_said():
    wide = {"train": points(300, 1, wide=64), "holdout": points(40, 2, wide=64), "made": points(100, 3, wide=64)}
    found = judged(**wide)
    assert any("20 leading directions" in line for line in found.skipped)
