"""The sentence at the end of a fit where the critic knows its examples by heart."""

from types import SimpleNamespace

import numpy as np
import pytest

from ilk.generator.by_heart import by_heart


class Opinionated:
    """An engine whose critic thinks of an example what stands in it."""

    def represent(self, arrays):
        return arrays["x"]

    def opinion(self, arrays):
        return arrays["x"][:, 0]


class Rows:
    """Encoded examples."""

    def __init__(self, values):
        self.values = np.asarray(values, np.float32)[:, None]

    def __len__(self):
        return len(self.values)

    def take(self, rows):
        return {"x": self.values[rows]}


def told(train, holdout, engine=None):
    model = SimpleNamespace(engine=engine or Opinionated(), header=SimpleNamespace(plan=SimpleNamespace(seed=0)))
    return by_heart(model, SimpleNamespace(train=Rows(train), holdout=Rows(holdout)))


def test_a_critic_that_knows_its_examples_is_told():
    draw = np.random.default_rng(0)
    says = told(draw.normal(2, 1, 90), draw.normal(0, 1, 10))
    assert "by heart" in says
    assert "90 examples" in says


@pytest.mark.parametrize("holdout", [np.random.default_rng(2).normal(0, 1, 300), []])
def test_one_that_does_not_or_cannot_be_asked_is_not(holdout):
    assert told(np.random.default_rng(1).normal(0, 1, 900), holdout) == ""


def test_an_engine_without_a_critic_is_not_asked():
    assert told([5.0] * 50, [0.0] * 50, engine=object()) == ""
