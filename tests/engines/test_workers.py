"""Slices of a batch on threads of their own: the same gradient, the same bits each time."""

import numpy as np
import pytest
import torch
from gan_data import SMALL, Shades, grid

from ilk.core.plan import Budget, Plan
from ilk.engines.common.workers import Workers


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_gradient_is_that_of_the_whole_batch(threads):
    torch.manual_seed(0)
    x, layer = torch.randn(32, 5), torch.nn.Linear(5, 1)
    layer(x).square().mean().backward()
    wanted = [parameter.grad.clone() for parameter in layer.parameters()]
    workers = Workers(threads, batch=32, device="cpu")
    assert workers.count == threads
    losses = workers.backward(
        lambda part: (layer(x[part]).square().mean(), x[part].mean()), len(x), list(layer.parameters())
    )
    for parameter, gradient in zip(layer.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    torch.testing.assert_close(losses[0], layer(x).square().mean().detach())
    torch.testing.assert_close(losses[1], x.mean())


def test_a_small_batch_gets_fewer_workers_and_a_gpu_one():
    assert Workers(8, batch=20, device="cpu").count == 2
    assert Workers(8, batch=3, device="cpu").count == 1
    assert Workers(8, batch=512, device="cuda").count == 1


def test_two_workers_learn_the_same_bits_twice():
    plan = Plan(steps=4, seed=3, threads=2)
    states = []
    for _ in range(2):
        engine = SMALL.build(grid(), {}, plan)
        budget = Budget(plan)
        for _ in engine.steps(Shades(grid()), budget):
            budget.advance()
        states.append(engine.state())
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])
