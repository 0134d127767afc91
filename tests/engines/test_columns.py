"""The trees over columns keep every promise of an engine, and draw what a user asks for."""

from __future__ import annotations

import numpy as np
import pytest

from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Given
from ilk.core.spaces import Column, Columns
from ilk.engines.columns import SampleSettings, Trees
from ilk.testing import check_engine

ENGINE = 28
MIXED = Columns(
    columns=(
        Column(name="sex", categories=2),
        Column(name="age", precision=0),
        Column(name="job", categories=5, missing=True),
        Column(name="pay", precision=2),
        Column(name="ratio"),
    )
)


class Rows:
    """A table in memory."""

    def __init__(self, x_NF) -> None:
        self.x = x_NF

    def __len__(self) -> int:
        return len(self.x)

    def take(self, indices):
        return {"x": self.x[indices]}

    def column(self, name):
        raise KeyError(name)


def people(count, seed=0):
    """Pay follows job and age; few of sex 1 have job 4; ratio is pay over age, and noise."""
    random = np.random.default_rng(seed)
    sex = random.integers(0, 2, count)
    job = np.where(random.random(count) < 0.2 * (1 + sex), random.integers(0, 5, count), 2 * sex).astype(float)
    age = np.round(20 + 40 * random.beta(2, 3, count))
    pay = np.round(1000 * (1 + job) + 20 * age + random.normal(0, 50, count), 2)
    ratio = pay / age + random.normal(0, 1, count)
    job[random.random(count) < 0.1 * (1 - sex)] = np.nan
    return np.stack([sex, age, job, pay, ratio], axis=1)


def learned(x_NF, space=MIXED, steps=15, **settings):
    plan = Plan(steps=steps)
    engine = Trees(leaf=5, **settings).build(space, {}, plan)
    budget = Budget(plan)
    for _ in engine.steps(Rows(x_NF), budget):
        budget.advance()
    return engine


@pytest.fixture(scope="module")
def engine():
    return learned(people(2_000))


def test_columns_keep_their_promises():
    assert check_engine(Trees(leaf=2), MIXED) == ENGINE


def test_what_goes_together_in_the_data_goes_together_in_rows(engine):
    real, made = people(4_000, seed=1), engine.sample(np.arange(4_000), Given(), 3)["x"]
    assert abs(np.corrcoef(made[:, 1], made[:, 3])[0, 1] - np.corrcoef(real[:, 1], real[:, 3])[0, 1]) < 0.1
    for sex in (0, 1):
        shares = [np.isnan(x[x[:, 0] == sex, 2]).mean() for x in (real, made)]
        assert abs(shares[0] - shares[1]) < 0.03
    assert np.array_equal(made[:, 3], np.round(made[:, 3], 2))
    assert np.array_equal(made[:, 1], np.round(made[:, 1]))


@pytest.mark.parametrize("rare", [0.0, 1.0], ids=["waited for", "weighed"])
def test_what_is_asked_for_holds_and_the_rest_follows_from_it(engine, rare):
    count = 600
    low, high = np.full((count, 5), np.nan), np.full((count, 5), np.nan)
    low[:, 1], high[:, 1] = 50, 58
    allowed = {"sex": np.tile([False, True], (count, 1))}
    given = Given(low=low, high=high, allowed=allowed)
    made = engine.sample(np.arange(count), given, 3, SampleSettings(rare=rare))["x"]
    assert (made[:, 0] == 1).all()
    assert ((made[:, 1] >= 50) & (made[:, 1] <= 58)).all()
    real = people(40_000, seed=1)
    real = real[(real[:, 0] == 1) & (real[:, 1] >= 50) & (real[:, 1] <= 58)]
    for column in (1, 3, 4):
        assert abs(made[:, column].mean() - real[:, column].mean()) < 0.25 * real[:, column].std()
    alone = engine.sample(np.array([7]), given.rows(np.array([7])), 3, SampleSettings(rare=rare))["x"]
    assert np.array_equal(alone[0], made[7]) or rare == 0.0


def test_holes_are_filled_from_what_is_known(engine):
    real = people(300, seed=2)
    known = real.copy()
    mask = np.ones(known.shape, bool)
    mask[:, 3] = False
    made = engine.sample(np.arange(300), Given(known=known, mask=mask), 3)["x"]
    assert np.array_equal(made[:, [0, 1, 2, 4]], real[:, [0, 1, 2, 4]], equal_nan=True)
    assert np.corrcoef(made[:, 3], real[:, 3])[0, 1] > 0.93


def test_what_does_not_belong_is_less_likely(engine):
    real = people(300, seed=3)
    odd = real.copy()
    odd[:, 3] = np.roll(odd[:, 3], 1)
    assert engine.log_score({"x": real}).mean() > engine.log_score({"x": odd}).mean() + 1
    assert np.isfinite(engine.log_score({"x": np.full((1, 5), np.nan)})).all()


def test_shares_of_all_values_sum_to_one():
    space = Columns(columns=(Column(name="a", categories=3, missing=True), Column(name="b", precision=0, missing=True)))
    random = np.random.default_rng(0)
    x = np.stack([random.integers(0, 3, 400), np.round(random.normal(0, 40, 400))], axis=1).astype(float)
    x[random.random(400) < 0.1, 1] = np.nan
    engine = learned(x, space, steps=6, frequent=6)
    numbers = np.r_[np.arange(-200, 201), np.nan]
    rows = np.stack([np.full(len(numbers), 1.0), numbers], axis=1)
    from ilk.engines.columns.score import log_score

    assert np.exp(log_score(engine, rows)[:, 1]).sum() == pytest.approx(1, abs=0.01)
