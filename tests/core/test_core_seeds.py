"""Randomness without state: a number depends on the seed and on where it is used, on nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ilk.core.seeds import batch_indices, by_chunks, fresh_seed, stream

SIZES = st.integers(1, 40)


@given(st.integers(0, 10), SIZES, SIZES)
def test_every_example_comes_once_an_epoch(seed, batch, count):
    steps = -(-3 * count // batch)
    drawn = np.concatenate([batch_indices(seed, step, batch, count) for step in range(steps)])
    for epoch in range(3):
        assert sorted(drawn[epoch * count : (epoch + 1) * count]) == list(range(count))


@given(st.integers(0, 10), st.integers(0, 30), st.integers(1, 16), SIZES, st.sampled_from([2, 3, 4]))
def test_ranks_together_see_what_one_process_with_the_whole_batch_sees(seed, step, batch, count, world):
    whole = batch_indices(seed, step, batch * world, count)
    parts = [batch_indices(seed, step, batch, count, rank, world) for rank in range(world)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_batches_need_no_history():
    alone = batch_indices(5, 1000, 8, 50)
    for step in range(1000):
        batch_indices(5, step, 8, 50)
    assert np.array_equal(batch_indices(5, 1000, 8, 50), alone)
    assert not np.array_equal(batch_indices(6, 1000, 8, 50), alone)


def test_streams_of_other_names_or_seeds_are_others():
    numbers = {
        tuple(stream(seed, *names).integers(0, 2**60, 2))
        for seed in (0, 1)
        for names in ((), ("a",), ("a", 1), ("a", "1"), ("a", 1, 1), ("b",), ("a1",))
    }
    assert len(numbers) == 14


def test_streams_never_change():
    assert stream(7, "noise", 3).integers(0, 1000, 4).tolist() == [59, 759, 946, 844]


@given(st.lists(st.integers(0, 200), min_size=1, max_size=30), st.integers(1, 16))
def test_a_row_made_in_chunks_is_the_same_however_it_is_asked_for(rows, chunk):
    def make(first, _rows):
        return np.arange(first, first + chunk) ** 2

    indices = np.array(rows)
    assert np.array_equal(by_chunks(indices, chunk, make), indices**2)


def test_chunks_are_always_whole_and_aligned():
    firsts = []

    def make(first, rows):
        firsts.append(first)
        return np.zeros((8, 2))

    assert by_chunks(np.array([17, 3, 18]), 8, make).shape == (3, 2)
    assert firsts == [0, 16]
    with pytest.raises(ValueError, match="no indices"):
        by_chunks(np.array([], dtype=np.int64), 8, make)


def test_a_fresh_seed_can_be_typed():
    seeds = {fresh_seed() for _ in range(50)}
    assert len(seeds) > 45
    assert all(0 <= seed < 2**31 for seed in seeds)
