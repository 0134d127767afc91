"""Learning: what happens when a loss is no number, and what is left to chance and yet is the same each time."""

import msgspec
import numpy as np
import pytest
import torch
from gpt_small import codec_of, learn, rows_of

from ilk.core.errors import BugError
from ilk.core.plan import Budget, Plan
from ilk.engines.gpt import steps
from ilk.engines.gpt.packing import Packing, noised
from ilk.engines.gpt.settings import sized

SMALL = sized(32, layers=1, batch=4, window=32)


def built(count=8, **changes):
    codec = codec_of("chars")
    return msgspec.structs.replace(SMALL, **changes).build(codec.space, {}, Plan(steps=count)), rows_of(codec)


def failing(monkeypatch, when):
    """Let the loss of some calls be no number."""
    calls, real = [], steps.token_losses

    def wrong(*args):
        calls.append(None)
        return real(*args) * (torch.nan if when(len(calls)) else 1.0)

    monkeypatch.setattr(steps, "token_losses", wrong)


def test_a_step_that_is_no_number_is_taken_again_more_calmly(monkeypatch):
    engine, rows = built()
    failing(monkeypatch, lambda call: call == 4)
    losses = learn(engine, rows, 8)
    assert len(losses) == 8
    assert np.isfinite(losses).all()
    assert engine.calm == 0.5
    state = engine.state()
    assert all(np.isfinite(array).all() for array in state.values())
    again, _ = built()
    again.load_state(state)
    assert again.calm == 0.5


def test_a_gradient_that_is_no_number_moves_nothing(monkeypatch):
    engine, rows = built()
    before, real = engine.model.embedding.detach().clone(), steps.token_losses

    def broken(*args):
        loss = real(*args)
        return loss + ((loss - loss.detach()) * 1e38) * 1e38  # the same number; its gradient is none

    monkeypatch.setattr(steps, "token_losses", broken)
    with pytest.raises(BugError, match="Learning diverged at step 0"):
        learn(engine, rows, 8)
    assert torch.equal(engine.model.embedding, before)


def test_learning_that_goes_astray_each_time_ends_in_a_sentence(monkeypatch):
    engine, rows = built()
    failing(monkeypatch, lambda call: call > 2)
    with pytest.raises(BugError, match=r"Learning diverged at step 2; a lower rate helps\."):
        learn(engine, rows, 8)
    assert all(np.isfinite(array).all() for array in engine.state().values())


@pytest.mark.parametrize("changes", [{"dropout": 0.3}, {"noise": 0.3}])
def test_chance_in_learning_is_the_same_for_the_same_seed_and_after_a_break(changes):
    whole, rows = built(**changes)
    learn(whole, rows, 8)
    first, _ = built(**changes)
    budget = Budget(Plan(steps=8))
    for _ in zip(range(4), first.steps(rows, budget), strict=False):
        budget.advance()
    second, _ = built(**changes)
    second.load_state(first.state())
    budget = Budget(Plan(steps=8), step=budget.step)
    for _ in second.steps(rows, budget):
        budget.advance()
    plain, _ = built()
    learn(plain, rows, 8)
    one, two, other = (each.model.embedding.detach() for each in (whole, second, plain))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_noise_replaces_what_is_seen_by_tokens_of_its_window_and_nothing_that_comes_next():
    codec = codec_of("chars")
    rows = rows_of(codec)
    packing = Packing(rows, np.arange(len(rows)), start=codec.space.start, window=64, lanes=8, seed=0)
    before = packing.batch(3)
    after = noised(before, 0.25, codec.space.start, seed=0, step=3, rank=0)
    changed = after.x_BT != before.x_BT
    assert 0.1 < changed.mean() < 0.25
    assert np.array_equal(after.y_BT, before.y_BT)
    assert np.array_equal(after.x_BT == codec.space.start, before.x_BT == codec.space.start)
    assert all(set(row) <= set(old) for row, old in zip(after.x_BT, before.x_BT, strict=True))


def test_what_is_sampled_and_scored_leaves_nothing_out():
    engine, rows = built(dropout=0.5)
    learn(engine, rows, 3)
    arrays = rows.take(np.arange(1))
    assert np.array_equal(engine.log_score(arrays), engine.log_score(arrays))
