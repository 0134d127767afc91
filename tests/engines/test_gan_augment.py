"""Augmentation of what the critic sees: what it does to pictures, and that it follows the critic."""

import msgspec
import numpy as np
import torch
from gan_data import SMALL, Shades, grid

from ilk.core.plan import Budget, Plan
from ilk.engines.gan.augment import adapted, draws, vary

PLAN = Plan(steps=10, seed=1)


def pictures(count=16, channels=3, side=16):
    return torch.rand(count, channels, side, side) * 2 - 1


def test_probability_nought_changes_nothing_and_one_changes_all():
    x, u = pictures(), draws(PLAN, 0, "real", 16)
    torch.testing.assert_close(vary(x, u, torch.zeros(1)), x)
    varied = vary(x, u, torch.ones(1))
    assert varied.shape == x.shape
    assert (varied - x).abs().amax((1, 2, 3)).min() > 0.01


def test_gradients_flow_through_it():
    x = pictures(channels=1).requires_grad_()
    vary(x, draws(PLAN, 3, "made", 16), torch.ones(1)).square().sum().backward()
    assert (x.grad.abs().amax((1, 2, 3)) > 0).all()


def test_it_rises_while_the_critic_is_too_sure_and_falls_while_it_is_not():
    start = torch.full((1,), 0.5)
    assert adapted(start, torch.tensor(0.9), 64, 1.0) > start
    assert adapted(start, torch.tensor(0.1), 64, 1.0) < start
    assert adapted(torch.ones(1), torch.tensor(0.9), 64, 0.8) <= 0.8


def test_a_fit_tells_how_much_is_varied_and_resumes_with_it():
    settings = msgspec.structs.replace(SMALL, augment=1.0)
    engine, budget = settings.build(grid(), {}, PLAN), Budget(PLAN)
    engine.augmented = torch.full((1,), 0.3)
    told = []
    for metrics in engine.steps(Shades(grid()), budget):
        told.append(dict(metrics))
        budget.advance()
    metrics = told[-1]
    assert 0.2 < metrics["varied"] < 0.4
    assert "varied" in engine.describe(metrics)
    other = settings.build(grid(), {}, PLAN)
    other.load_state(engine.state())
    assert np.array_equal(other.state()["augment.probability"], engine.state()["augment.probability"])
