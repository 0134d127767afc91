"""The pair's latent space: vectors of samples, rows from vectors, and the way back from a row."""

from __future__ import annotations

import numpy as np
import pytest
from gan_data import CLASSES, SMALL, Shades, grid, learn

from ilk.core.offers import Latent
from ilk.core.plan import Plan
from ilk.core.protocol import Given

PLAN = Plan(steps=40)


def built(conditions=CLASSES):
    engine = SMALL.build(grid(), conditions, PLAN)
    learn(engine, Shades(grid()), PLAN)
    return engine


@pytest.fixture(scope="module")
def engine():
    return built()


def rms(a, b):
    return float(np.sqrt(((a - b) ** 2).mean()))


def test_the_pair_has_a_latent_space(engine):
    assert isinstance(engine, Latent)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_a_samples_vector_and_label_render_the_sample(engine, temperature):
    settings = SMALL.Sample(temperature=temperature)
    rows = np.array([700, 3, 0, 3])
    wanted = engine.sample(rows, Given(), 7, settings)
    found = engine.render(engine.latents(rows, 7, settings), Given(labels={"label": wanted["label"]}), settings)
    assert np.array_equal(found["x"], wanted["x"])
    assert np.array_equal(found["label"], wanted["label"])


def test_a_row_does_not_depend_on_those_rendered_with_it(engine):
    z = engine.latents(np.arange(60), 1)
    labels = np.arange(60) % 2
    whole = engine.render(z, Given(labels={"label": labels}))["x"]
    rows = np.array([41, 2, 2, 17])
    assert np.array_equal(engine.render(z[rows], Given(labels={"label": labels[rows]}))["x"], whole[rows])


def test_shares_mix_the_classes_and_the_whole_share_is_the_class(engine):
    z = np.repeat(engine.latents(np.array([5]), 1), 3, axis=0)
    shares = np.array([[1, 0], [0.5, 0.5], [0, 1]], np.float32)
    dark, between, light = engine.render(z, Given(labels={"label": shares}))["x"]
    ends = engine.render(z[:2], Given(labels={"label": np.array([0, 1])}))["x"]
    assert np.array_equal(dark, ends[0])
    assert np.array_equal(light, ends[1])
    assert dark.mean() < between.mean() < light.mean()


def test_projection_finds_a_sample_of_its_own(engine):
    wanted = engine.sample(np.arange(4), Given(), 11)
    told = []
    z, given = engine.project({"x": wanted["x"]}, 0, told.append)
    found = engine.render(z, given)["x"]
    others = engine.sample(np.arange(1000, 2000), Given(), 5)["x"]
    for row in range(4):
        assert rms(found[row], wanted["x"][row]) < min(rms(other, wanted["x"][row]) for other in others)
    right = given.labels["label"] == wanted["label"]
    assert right.mean() >= 0.75, "a neighbour of the other class may come as near"
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_projection_keeps_a_class_that_is_asked_for(engine):
    dark = engine.sample(np.arange(2), Given(labels={"label": np.array([0, 0])}), 1)["x"]
    _, given = engine.project({"x": dark, "label": np.array([1, -1])}, 0, lambda _: None)
    assert given.labels["label"].tolist() == [1, 0]


def test_projection_is_repeatable_and_leaves_no_trace(engine):
    x = engine.sample(np.arange(1), Given(), 3)["x"]
    before = engine.state()
    first, _ = engine.project({"x": x}, 4, lambda _: None)
    again, _ = engine.project({"x": x}, 4, lambda _: None)
    assert np.array_equal(first, again)
    assert all(np.array_equal(array, before[name]) for name, array in engine.state().items())
    networks = (engine.generator, engine.critic, engine.averaged)
    assert all(p.grad is None or not p.grad.any() for p in engine.averaged.parameters())
    assert networks[1].training == networks[0].training


def test_without_classes_and_without_a_critic_it_projects_by_pixels():
    engine = built({})
    engine.judges = False
    wanted = engine.sample(np.arange(1), Given(), 2)["x"]
    z, given = engine.project({"x": wanted}, 0, lambda _: None)
    others = engine.sample(np.arange(100, 600), Given(), 5)["x"]
    assert given.labels == {}
    assert rms(engine.render(z, given)["x"][0], wanted[0]) < min(rms(other, wanted[0]) for other in others)
