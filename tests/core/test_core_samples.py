"""Samples: a sequence that is made when it is looked at, in chunks, and kept only where it is small."""

from __future__ import annotations

import numpy as np
import pytest

from ilk.core.conditions import check_given
from ilk.core.errors import Code, InputError
from ilk.core.protocol import Exhibit, Given, Levels, Number, Text
from ilk.core.samples import KEEP, Samples, check_count, whole


def samples(count, chunk=10, exhibit=("text/plain", b"<tag>")):
    made = []

    def make(start, stop):
        made.append((start, stop))
        return list(range(start, stop))

    def draw(objects):
        return Exhibit(media_type=exhibit[0], data=exhibit[1])

    def save(samples, path, format, unsealed, one_file):
        return samples, path, format, unsealed, one_file

    return Samples(count, 7, make=make, chunk=chunk, draw=draw, save=save), made


def test_nothing_is_made_before_it_is_looked_at():
    many, made = samples(10**9)
    assert len(many) == 10**9
    assert repr(many) == "Samples(n=1000000000, seed=7)"
    assert made == []


def test_few_samples_are_made_once_and_kept():
    few, made = samples(25)
    assert list(few) == list(few) == few.data == list(range(25))
    assert few[-1] == 24
    assert few[3:7] == [3, 4, 5, 6]
    assert few[::-10] == [24, 14, 4]
    assert made == [(0, 25)]


def test_many_samples_stream_and_are_not_kept():
    many, made = samples(KEEP + 5, chunk=1000)
    assert sum(1 for _ in many) == KEEP + 5
    assert made == [(0, 1000), (1000, 2000), (2000, 3000), (3000, 4000), (4000, KEEP + 5)]
    assert many[KEEP] == KEEP
    assert made[-1] == (4000, KEEP + 5)


def test_batches_come_by_chunks():
    assert [len(batch) for batch in samples(25)[0].batches()] == [10, 10, 5]


def test_a_place_beyond_the_end_is_an_index_error():
    for place in (25, -26):
        with pytest.raises(IndexError):
            samples(25)[0][place]


def test_save_hands_on_what_was_asked_for(tmp_path):
    few, _ = samples(3)
    assert few.save(str(tmp_path), "png", unsealed=True) == (few, tmp_path, "png", True, False)
    assert few.save(tmp_path / "a.npz")[-1] is True
    assert few.save(f"{tmp_path}/v1.2/")[-1] is False


@pytest.mark.parametrize(
    ("exhibit", "shown"),
    [
        (("text/plain", b"<tag>"), "<pre>&lt;tag&gt;</pre>"),
        (("image/svg+xml", b"<svg/>"), "<svg/>"),
        (("image/png", b"abc"), '<img alt="3 samples" src="data:image/png;base64,YWJj">'),
    ],
)
def test_a_notebook_shows_the_exhibit(exhibit, shown):
    assert samples(3, exhibit=exhibit)[0]._repr_html_() == shown


@pytest.mark.parametrize("count", [0, -3, True, 1.5, "3", None, np.ones(2, int)])
def test_a_count_that_is_none_is_refused(count):
    with pytest.raises(InputError, match="must be a whole number of at least 1") as caught:
        check_count(count)
    assert caught.value.code == Code.COUNT


def test_numpy_counts_are_counts():
    assert type(check_count(np.int64(3))) is int
    assert whole(np.uint8(3)) == 3
    assert whole(3.0) is None


CONDITIONS = {"class": Levels(names=("shirt", "7")), "age": Number(low=0, high=9), "prompt": Text()}


def test_conditions_take_loose_words():
    assert check_given({"class": 7, "age": "3.5", "prompt": 1}, CONDITIONS) == {"class": "7", "age": 3.5, "prompt": "1"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"clas": "shirt"}, 'did you mean "class"'),
        ({"class": "shrit"}, 'did you mean "shirt"'),
        ({"age": "old"}, "age takes a number"),
        ({"age": "nan"}, "age takes a finite number"),
        ({"age": None}, "age takes a number"),
    ],
)
def test_unknown_conditions_and_levels_are_refused(given, says):
    with pytest.raises(InputError, match=says) as caught:
        check_given(given, CONDITIONS)
    assert caught.value.code == Code.GIVEN
    with pytest.raises(InputError, match="was fitted without conditions"):
        check_given(given, {})


def test_given_rows_are_picked_together():
    given = Given(labels={"label": np.arange(4)}, known=np.arange(8).reshape(4, 2), allowed={"label": np.eye(4)})
    part = given.rows(np.array([3, 1]))
    assert part.labels["label"].tolist() == [3, 1]
    assert part.known is not None
    assert part.known.tolist() == [[6, 7], [2, 3]]
    assert part.mask is None
    assert part.allowed["label"].argmax(axis=1).tolist() == [3, 1]


def test_walking_a_long_sequence_by_index_makes_each_chunk_once():
    many, made = samples(10_000, chunk=1000)
    assert [many[place] for place in range(2500)] == list(many)[:2500]
    assert len(made) == 3 + 10
