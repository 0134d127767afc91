"""``Generator.report`` in Python: of data in memory, as an object, in a notebook."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import ilk
from ilk.core import events
from ilk.core.errors import InputError, NotFittedError


def pictures(count: int, seed: int) -> np.ndarray:
    """Bright squares at random places (N, 16, 16)."""
    draw = np.random.default_rng(seed)
    out = draw.integers(0, 40, (count, 16, 16)).astype(np.uint8)
    for picture, (top, left) in zip(out, draw.integers(2, 8, (count, 2)), strict=True):
        picture[top : top + 6, left : left + 6] += 180
    return out


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, list[str]]:
    return pictures(80, 0), ["left", "right"] * 40


@pytest.fixture(scope="module")
def fitted(data):
    return ilk.Generator(steps=4, threads=1, holdout=0.3).fit(*data)


@pytest.fixture(scope="module")
def card(fitted):
    return fitted.report(n=60)


def test_data_in_memory_are_judged_where_they_were_fitted(card):
    assert card.record.counts == {"train": 56, "holdout": 24, "samples": 60}
    assert not card.absent
    number = card.numbers["real.precision"]
    assert 0 <= number.value <= 1
    assert number.ceiling > 0.5  # real pictures look real
    assert {row.name for answer in card.record.answers for row in answer.rows} == {"left", "right"}


def test_a_saved_model_wants_the_data_again(fitted, data, card, tmp_path):
    fitted.save(tmp_path / "squares.ilk")
    loaded = ilk.load(tmp_path / "squares.ilk")
    assert set(loaded.report(n=60).absent) >= {"new", "useful", "private"}
    again = loaded.report(*data, n=60)
    assert again.numbers["new.memorised"] == card.numbers["new.memorised"]


def test_data_without_their_labels_are_not_the_same_data(fitted, data):
    with pytest.raises(InputError, match="What was given as data"):
        fitted.report(data[0], n=60)


def test_a_pickle_carries_no_examples(fitted, data):
    assert data[0][0].tobytes() not in pickle.dumps(fitted)


def test_another_generator_is_a_second_column(fitted):
    card = fitted.report(n=60, against=fitted)
    assert card.numbers["real.precision"].other == card.numbers["real.precision"].value


def test_other_pictures_in_memory_are_a_holdout(fitted):
    assert fitted.report(n=60, holdout=pictures(50, 7)).record.counts["holdout"] == 50


def test_training_examples_in_the_holdout_are_taken_out_and_told(fitted, data):
    mixed = np.concatenate([pictures(50, 7), data[0]])
    record = fitted.report(n=60, holdout=mixed).record
    assert record.counts["holdout"] == 50 + 24
    assert "56 of 130 holdout examples are training examples too and were taken out." in record.skipped


def test_a_card_is_a_page_a_file_and_a_notebook_cell(card, tmp_path):
    page = card.save(tmp_path / "card.html")
    assert page.read_text() == card.html
    assert "srcdoc" in card._repr_html_()
    assert "Real?" in repr(card)
    assert ilk.verify(page)[0].state == "sealed"


def test_a_model_in_no_folder_wants_a_file_for_its_report(card):
    with pytest.raises(InputError, match=r"card\.html"):
        card.save()


def test_whoever_watches_is_told_what_is_done(fitted):
    seen: list[str] = []
    fitted.report(n=20, on=lambda event: seen.append(event.says) if isinstance(event, events.Stage) else None)
    assert "drawing samples" in seen
    assert len(set(seen)) >= 5


def test_nothing_is_reported_before_it_is_fitted():
    with pytest.raises(NotFittedError):
        ilk.Generator().report()
