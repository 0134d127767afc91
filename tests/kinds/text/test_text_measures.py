"""What a report says of text: counting, copying, secrets. Each test knows the answer beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ilk.core.protocol import Witness
from ilk.kinds.text import kind
from ilk.kinds.text.measure import measure
from ilk.kinds.text.ngram import fit_ngram
from ilk.kinds.text.overlap import copied_words, longest_copies
from kinds.text.made import sentences

TRAIN = [sentences(12, seed) for seed in range(40)]
HELD = [sentences(12, seed) for seed in range(100, 120)]


def found(**changes):
    return {each.key: each for each in measure(Witness(**{"made": HELD, "train": TRAIN, "holdout": HELD, **changes}))}


def uniform(objects):
    return np.array([-len(each) * math.log(64) for each in objects])


def test_probabilities_of_characters_sum_to_one():
    model = fit_ngram(TRAIN)
    alphabet = sorted(set("".join(TRAIN)))
    for context in ("", "the ", "qz", "a one"):
        before = model.nats([context])[0]
        total = sum(math.exp(before - model.nats([context + sign])[0]) for sign in [*alphabet, "\u2603"])
        assert total == pytest.approx(1.0, abs=1e-9), context


def test_counting_knows_its_text_better_than_another_one():
    model = fit_ngram(TRAIN)
    own, other = model.nats(TRAIN[:5]).sum(), model.nats([text[::-1] for text in TRAIN[:5]]).sum()
    assert own < 0.5 * other


def test_bits_a_character_stand_beside_counting_and_zstd():
    numbers = found(score=uniform)
    assert numbers["real.text.bits_per_character"].value == pytest.approx(6.0)
    assert numbers["real.text.ngram_bits"].value < 3
    assert numbers["real.text.zstd_bits"].value < 6
    says = numbers["real.text.bits_per_character"].says
    assert says.startswith("It needs 6.00 bits for a character of text it never saw")


def test_without_a_likelihood_there_are_no_bits():
    assert not [key for key in found() if "bits" in key or "exposure" in key]


def test_the_longest_copy_is_exact_wherever_it_stands():
    asked = ["nothing of it", f"xx{TRAIN[7][30:95]}yy", "also nothing"]
    copies = longest_copies(asked, TRAIN)
    place, size = int(copies.place[1]), int(copies.length[1])
    assert size >= 65
    run = asked[1][int(copies.start[1]) : int(copies.start[1]) + size]
    assert TRAIN[int(copies.text[1])][place : place + size] == run
    brute = max(
        k
        for k in range(len(asked[0]) + 1)
        for i in range(len(asked[0]) - k + 1)
        if any(asked[0][i : i + k] in t for t in TRAIN)
    )
    assert int(copies.length[0]) == brute


def test_copied_runs_of_words_are_counted():
    words = TRAIN[3].split()
    assert copied_words([" ".join(words[2:14])], TRAIN) == (5, 5)
    assert copied_words(["not one of these words stands anywhere in that text ever"], TRAIN)[0] == 0


def test_a_sample_that_hands_back_a_passage_is_shown_with_its_file():
    numbers = found(made=[TRAIN[5]], names=tuple(f"letter-{n}.txt#1" for n in range(40)))
    longest = numbers["new.text.longest_copy"]
    assert longest.value >= len(TRAIN[5])
    assert longest.ceiling < longest.value
    assert b"letter-5.txt#1" in longest.exhibits[0].data


def test_a_sample_that_repeats_itself_is_told():
    loop = "and so it goes and so it goes " * 20
    looping, real = found(made=[loop] * 10), found()
    assert looping["diverse.text.repetition"].value > 0.9
    assert looping["diverse.text.distinct_2"].value < 0.1 * real["diverse.text.distinct_2"].value


def knows(secret: str):
    """The likelihoods of a model that finds a text with the secret likelier than any like it."""
    return lambda objects: (
        np.array([float(secret in str(each)) * 40 - 0.1 * len(each) for each in objects])
        + np.array([sum(map(ord, str(each))) % 97 / 97 for each in objects])
    )


def test_a_secret_that_was_planted_often_is_named_with_its_file_and_not_given_away():
    secret = "483-920-175-664"
    train = [text + (f" My number is {secret}." if n % 3 == 0 else "") for n, text in enumerate(TRAIN)]
    numbers = found(train=train, names=tuple(f"note-{n}.txt#1" for n in range(40)), score=knows(secret))
    exposure = numbers["private.text.exposure"]
    assert exposure.value > exposure.ceiling
    assert "knows 1 by heart" in exposure.says
    assert "note-0.txt" in exposure.says
    assert secret not in exposure.says


def test_a_secret_that_the_model_does_not_know_is_no_alarm():
    secret = "483-920-175-664"
    train = [text + f" My number is {secret}." for text in TRAIN]
    says = found(train=train, score=knows("999-999-999-999"))["private.text.exposure"].says
    assert "by heart" not in says


def test_text_without_secrets_has_no_exposure():
    assert "private.text.exposure" not in found(score=uniform)


def test_every_number_is_announced():
    announced = {each.key for each in kind.measures}
    assert set(found(score=uniform)) <= announced
