"""What a user of the gan engine would notice: exact resume, samples that stand alone, labels, sizes."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import numpy as np
import pytest
import torch
from gan_data import CLASSES, SMALL, Shades, grid, learn

from ilk.core.errors import FolderError, InputError
from ilk.core.plan import Plan
from ilk.core.protocol import Given
from ilk.core.spaces import Grid, Vector
from ilk.engines.gan import Gan, SampleSettings


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def fitted(steps: int = 3, size: int = 8, channels: int = 1, conditions=CLASSES, settings: Gan = SMALL):
    plan = Plan(steps=steps, seed=1)
    engine = settings.build(grid(size, channels), conditions, plan)
    learn(engine, Shades(grid(size, channels)), plan)
    return engine


def test_settings_do_not_import_torch():
    code = "import sys, ilk.engines.gan; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("conditions", [{}, CLASSES], ids=["plain", "labels"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_resumed_steps_equal_uninterrupted_steps(conditions, dtype):
    plan = Plan(steps=12, seed=3, dtype=dtype)
    data = Shades(grid())
    whole, first, second = (SMALL.build(grid(), conditions, plan) for _ in range(3))
    learn(whole, data, plan)
    learn(first, data, plan, last=5)
    first.weights()  # a checkpoint in between changes nothing
    second.load_state({name: array.copy() for name, array in first.state().items()})
    learn(second, data, plan, first=5)
    states = whole.state(), second.state()
    assert states[0].keys() == states[1].keys()
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])
    assert all(np.array_equal(whole.weights()[name], array) for name, array in second.weights().items())


def test_sample_i_does_not_depend_on_how_many_are_drawn():
    engine = fitted()
    many = engine.sample(np.arange(3000), Given(), 7, None)
    few = engine.sample(np.array([2999, 17, 0]), Given(), 7, None)
    assert np.array_equal(few["x"], many["x"][[2999, 17, 0]])
    assert np.array_equal(few["label"], many["label"][[2999, 17, 0]])
    assert many["x"].dtype == np.float32
    assert np.abs(many["x"]).max() <= 1
    assert not np.array_equal(engine.sample(np.arange(3), Given(), 8, None)["x"], many["x"][:3])


def test_saved_weights_make_the_same_samples():
    engine = fitted()
    fresh = SMALL.build(grid(), CLASSES, Plan(steps=1, seed=99))
    fresh.load_weights(engine.weights())
    one, other = (e.sample(np.arange(20), Given(), 5, None) for e in (engine, fresh))
    assert np.array_equal(one["x"], other["x"])
    assert np.array_equal(one["label"], other["label"])


def test_a_class_can_be_asked_for():
    engine = fitted(steps=600, settings=msgspec.structs.replace(SMALL, width=16, batch=16))
    asked = np.arange(64) % 2
    samples = engine.sample(np.arange(64), Given(labels={"label": asked}), 1, None)
    assert np.array_equal(samples["label"], asked)
    light = samples["x"].mean(axis=(1, 2, 3)) > 0
    assert (light == asked).mean() > 0.95


def test_one_index_can_be_drawn_with_two_labels():
    engine = fitted()
    both = engine.sample(np.array([4, 4]), Given(labels={"label": np.array([0, 1])}), 1, None)
    alone = engine.sample(np.array([4]), Given(labels={"label": np.array([1])}), 1, None)
    assert np.array_equal(both["x"][1], alone["x"][0])
    assert not np.array_equal(both["x"][0], both["x"][1])


def test_open_classes_come_as_often_as_in_the_data():
    engine = fitted()
    labels = engine.sample(np.arange(4000), Given(labels={"label": np.full(4000, -1)}), 1, None)["label"]
    assert abs(labels.mean() - 0.25) < 0.03
    only_light = Given(allowed={"label": np.tile([False, True], (9, 1))})
    assert engine.sample(np.arange(9), only_light, 1, None)["label"].tolist() == [1] * 9


def test_low_temperature_makes_samples_more_alike():
    engine = fitted(steps=60)
    dark = Given(labels={"label": np.zeros(200, int)})
    low, full = (engine.sample(np.arange(200), dark, 1, SampleSettings(temperature=t))["x"] for t in (0.3, 1.0))
    assert low.std(axis=0).mean() < 0.9 * full.std(axis=0).mean()


@pytest.mark.parametrize("size", [4, 8, 16, 20, 24, 28, 33, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_and_both_channels_work(size, channels):
    engine = fitted(steps=1, size=size, channels=channels, conditions={})
    samples = engine.sample(np.arange(2), Given(), 1, None)
    assert set(samples) == {"x"}
    assert samples["x"].shape == (2, channels, size, size)


def test_training_moves_towards_the_data():
    plan = Plan(steps=300, seed=0)
    engine = msgspec.structs.replace(SMALL, width=16, batch=16).build(grid(), {}, plan)
    metrics = learn(engine, Shades(grid()), plan)
    x = engine.sample(np.arange(400), Given(), 1, None)["x"].mean(axis=(1, 2, 3))
    assert np.abs(np.abs(x) - 0.7).mean() < 0.25  # dark or light and not grey, where it began
    assert set(metrics) == {"critic_loss", "generator_loss", "fooled"}


def test_progress_is_told_in_words():
    assert fitted().describe({"fooled": 0.314}) == "critic fooled 31 %"


def test_a_space_that_is_no_grid_is_refused_in_a_sentence():
    with pytest.raises(InputError, match="grids"):
        Gan().build(Vector(size=3), {}, Plan(steps=1))
    with pytest.raises(InputError, match="3 x 3 are too small"):
        Gan().build(grid(3), {}, Plan(steps=1))


def test_a_grid_need_not_be_square():
    space = Grid(channels=3, height=12, width=28)
    engine = SMALL.build(space, {}, Plan(steps=1))
    learn(engine, Shades(space), Plan(steps=1))
    assert engine.sample(np.arange(2), Given(), 1, None)["x"].shape == (2, 3, 12, 28)


def test_weights_of_another_shape_are_refused_in_a_sentence():
    with pytest.raises(FolderError, match="of shape"):
        Gan(width=8, latent=8).build(grid(), CLASSES, Plan(steps=1)).load_weights(fitted().weights())
