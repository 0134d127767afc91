"""Examples are read once, split by group, encoded in order and cached; what cannot be read is named."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds_for_tests import WordKind

from ilk.core import data as data_module
from ilk.core import events
from ilk.core.data import cache_size, prepare
from ilk.core.errors import Code, InputError, MachineError
from ilk.core.plan import Plan
from ilk.core.split import split

WORDS = [f"w{number:03d}" for number in range(300)]


def run(kind, home, *, stamp="stamp", holdout=0.1, seed=0, codec=None, on=events.ignore):
    plan = Plan(steps=1, seed=seed)
    return prepare(
        kind, None, plan, stamp=stamp, home=home, holdout=holdout, examples=kind.examples, base=None, codec=codec, on=on
    )


def words(data):
    return ["".join(map(chr, row)).strip() for row in data.column("x")]


def test_rows_come_in_the_order_of_the_source_and_none_is_lost(tmp_path):
    kind = WordKind(WORDS)
    prepared = run(kind, tmp_path)
    train, held = words(prepared.train), words(prepared.holdout)
    assert sorted(train + held) == WORDS
    assert train == sorted(train)
    assert len(held) == 30
    assert kind.fitted == 270, "the codec saw the holdout"


def test_take_keeps_the_order_of_the_indices_in_terms_of_the_space(tmp_path):
    data = run(WordKind(WORDS), tmp_path).train
    rows = data.take(np.array([5, 2, 5]))["x"]
    assert rows.dtype == np.float32
    assert np.array_equal(rows, data.column("x")[[5, 2, 5]])
    assert len(data) == 270


def test_the_second_time_nothing_is_read(tmp_path):
    kind = WordKind(WORDS)
    first = run(kind, tmp_path)
    readings = kind.readings
    second = run(kind, tmp_path)
    assert kind.readings == readings
    assert second.fingerprint == first.fingerprint
    assert words(second.train) == words(first.train)
    run(kind, tmp_path, stamp="another")
    assert kind.readings > readings


def test_a_resumed_fit_finds_its_rows_again(tmp_path):
    kind = WordKind(WORDS)
    first = run(kind, tmp_path, seed=4)
    again = run(kind, tmp_path, seed=4, codec=first.codec)
    assert again.fingerprint == first.fingerprint
    assert words(again.train) == words(first.train)


@given(
    st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.sampled_from(["x", "y"])), min_size=1, max_size=60),
    st.integers(0, 50).map(lambda percent: percent / 100),
    st.integers(0, 5),
)
def test_a_split_parts_no_group_and_loses_no_row(pairs, share, seed):
    known = [(group, {"class": level}) for group, level in pairs]
    train, held = split(known, share, seed)
    assert sorted([*train, *held]) == list(range(len(pairs)))
    assert not {known[row][0] for row in train} & {known[row][0] for row in held} - {""}
    again = split(known, share, seed)
    assert np.array_equal(again[1], held)


def test_a_split_is_even_over_the_classes():
    known = [("", {"class": "rare" if row % 10 == 0 else "common"}) for row in range(1000)]
    _, held = split(known, 0.1, 3)
    assert len(held) == 100
    assert sum(row % 10 == 0 for row in held) == 10
    assert not np.array_equal(held, split(known, 0.1, 4)[1])


def test_without_a_holdout_all_is_learned(tmp_path):
    prepared = run(WordKind(WORDS), tmp_path, holdout=0.0)
    assert len(prepared.holdout) == 0
    assert words(prepared.train) == WORDS


@pytest.mark.parametrize("bad", ["!", "?"], ids=["no example", "not decodable"])
def test_up_to_one_percent_unreadable_is_named_and_skipped(tmp_path, bad):
    kind = WordKind([*WORDS[:150], bad, *WORDS[150:], bad, WORDS[0]])
    prepared = run(kind, tmp_path)
    assert [problem.name for problem in prepared.problems] == ["word 150", "word 301"]
    assert sorted(words(prepared.train) + words(prepared.holdout)) == sorted([*WORDS, WORDS[0]])
    assert run(kind, tmp_path).problems == prepared.problems, "the cache forgets what could not be read"


@pytest.mark.parametrize("bad", ["!", "?"], ids=["no example", "not decodable"])
def test_more_than_one_percent_unreadable_is_refused(tmp_path, bad):
    kind = WordKind([*WORDS, *[bad] * 4])
    with pytest.raises(InputError, match=r"4 of 304 examples cannot be read; the first is word 300: ") as caught:
        run(kind, tmp_path)
    assert caught.value.code == Code.TOO_MANY_UNREADABLE
    assert cache_size(tmp_path) == 0, "a refused source leaves nothing in the cache"


def test_one_unreadable_among_few_is_skipped(tmp_path):
    assert len(run(WordKind([*WORDS[:8], "!"]), tmp_path).problems) == 1


def test_nothing_readable_is_refused(tmp_path):
    for bad in ("!", "?"):
        with pytest.raises(InputError, match=r"can be read|cannot be read"):
            run(WordKind([bad] * 20), tmp_path)


def test_examples_that_are_all_the_same_are_refused(tmp_path):
    with pytest.raises(InputError, match="All 300 examples are the same, so there is nothing to learn") as caught:
        run(WordKind(["same"] * 300), tmp_path)
    assert caught.value.code == Code.NO_VARIETY
    run(WordKind([*["same"] * 299, "else"]), tmp_path)


def test_the_cache_is_capped_and_forgets_what_was_used_longest_ago(tmp_path, monkeypatch):
    kind = WordKind(WORDS)
    run(kind, tmp_path, stamp="first")
    one = cache_size(tmp_path)
    monkeypatch.setenv("ILK_CACHE_GB", str(one * 2.5 / 2**30))
    run(kind, tmp_path, stamp="second")
    run(kind, tmp_path, stamp="first")  # used again
    for number in range(3):
        run(kind, tmp_path, stamp=f"more {number}")
        assert cache_size(tmp_path) <= one * 3.6
    readings = kind.readings
    run(kind, tmp_path, stamp="second")
    assert kind.readings > readings, "what was used longest ago is forgotten"


def test_a_build_that_dies_leaves_no_entry(tmp_path, monkeypatch):
    kind = WordKind(WORDS)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(data_module._Writer, "add", full)
    with pytest.raises(MachineError, match="The disk is full"):
        run(kind, tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []
    monkeypatch.undo()
    assert len(run(kind, tmp_path).train) == 270


def test_progress_is_told_in_examples(tmp_path):
    told = []
    run(WordKind(WORDS), tmp_path, on=told.append)
    reading = [event for event in told if event.says == "reading"]
    assert [event.done for event in reading] == [256, 300]
    assert {event.of for event in reading} == {300}


def test_the_cache_lies_in_the_users_folder(tmp_path):
    run(WordKind(WORDS), tmp_path / "deep" / "home")
    entries = list(Path(tmp_path, "deep", "home", "cache").iterdir())
    assert len(entries) == 1
    assert not entries[0].name.startswith(".")
