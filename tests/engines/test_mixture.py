"""What a user of the mixture engine would notice: it learns in a few rounds, has a density, loses no class."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from gan_data import CLASSES, Shades, grid, learn

import ilk
from ilk.core.errors import FolderError, InputError
from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Given, Levels
from ilk.core.spaces import Grid, Vector
from ilk.engines.mixture import Mixture, SampleSettings, sketch_settings

SMALL = Mixture(components=8, gaussians=4)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


class Rows:
    """Data in memory: ``x`` and perhaps ``label``."""

    def __init__(self, x, label=None) -> None:
        self.arrays = {"x": np.asarray(x, np.float32)} | ({} if label is None else {"label": np.asarray(label)})

    def __len__(self) -> int:
        return len(self.arrays["x"])

    def take(self, indices):
        return {name: array[indices] for name, array in self.arrays.items()}

    def column(self, name):
        return self.arrays[name]


def blobs(count: int, seed: int = 0, side: int = 4):
    """Two clouds in a space of ``side`` x ``side`` values: broad along one direction, narrow along the others."""
    draw = np.random.default_rng(seed)
    which = draw.random(count) < 0.3
    x = draw.normal(0, 0.02, (count, side * side))
    x[:, 0] += np.where(which, 0.6, -0.6)
    x[:, 1] += draw.normal(0, 0.2, count) * np.where(which, 1, 0.3)
    return Rows(x.reshape(count, 1, side, side))


def fitted(data, space, settings=SMALL, conditions=None, steps=4, seed=0):
    plan = Plan(steps=steps, seed=seed)
    engine = settings.build(space, conditions or {}, plan)
    learn(engine, data, plan)
    return engine


def test_settings_do_not_import_torch():
    code = "import sys, ilk, ilk.engines.mixture; ilk.Mixture(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_samples_look_like_the_data():
    data = blobs(2000)
    x = fitted(data, grid(4)).sample(np.arange(2000), Given(), 1, None)["x"].reshape(2000, -1)
    real = data.arrays["x"].reshape(2000, -1)
    assert abs((x[:, 0] > 0).mean() - 0.3) < 0.05
    assert not (np.abs(x[:, 0]) < 0.3).any()  # two clouds, nothing between them
    right = x[:, 0] > 0
    assert abs(x[right, 1].std() / real[real[:, 0] > 0, 1].std() - 1) < 0.15
    assert abs(x[~right, 1].std() / real[real[:, 0] < 0, 1].std() - 1) < 0.15


def test_log_score_is_the_density_that_it_says():
    engine = fitted(blobs(500), grid(4), Mixture(components=3, gaussians=2))
    x = blobs(6, seed=1).arrays["x"]
    density = engine.density
    basis = density.basis_RD.double().numpy()
    outside = float(density.noise_1) * (np.eye(16) - basis.T @ basis)
    expected = np.zeros(6)
    for share, mean, factor in zip(density.shares_G, density.means_GR, density.factors_QRR, strict=True):
        covariance = basis.T @ (factor.double() @ factor.double().T).numpy() @ basis + outside
        far = x.reshape(6, -1) - density.mean_D.numpy() - mean.double().numpy() @ basis
        _, logdet = np.linalg.slogdet(2 * np.pi * covariance)
        inner = np.einsum("ni,ij,nj->n", far, np.linalg.inv(covariance), far)
        expected += float(share) * np.exp(-0.5 * (inner + logdet))
    np.testing.assert_allclose(engine.log_score({"x": x}), np.log(expected), rtol=1e-4)


def test_the_density_integrates_to_one():
    draw = np.random.default_rng(0)
    engine = fitted(Rows(draw.normal(0, 0.2, (400, 1, 1, 2)) * [1, 0.5]), Grid(channels=1, height=1, width=2))
    axis = np.linspace(-2, 2, 201)
    cells = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 1, 1, 2)
    assert abs(np.exp(engine.log_score({"x": cells})).sum() * (axis[1] - axis[0]) ** 2 - 1) < 0.01


def test_data_score_above_noise_and_rounds_of_em_raise_the_score():
    data = blobs(1000)
    told = []
    plan = Plan(steps=6)
    engine, budget = SMALL.build(grid(4), {}, plan), Budget(plan)
    for metrics in engine.steps(data, budget):
        told.append(metrics["surprise"])
        budget.advance()
    assert told[-1] < told[0]
    held_out = blobs(200, seed=5).arrays["x"]
    noise = np.random.default_rng(0).uniform(-1, 1, held_out.shape).astype(np.float32)
    assert engine.log_score({"x": held_out}).mean() > engine.log_score({"x": noise}).mean() + 100
    assert "nats" in engine.describe(metrics)


def test_a_label_can_be_asked_for_and_scored():
    engine = fitted(Shades(grid()), grid(), conditions=CLASSES)
    asked = np.arange(40) % 2
    made = engine.sample(np.arange(40), Given(labels={"label": asked}), 1, None)
    assert np.array_equal(made["label"], asked)
    assert np.array_equal(made["x"].mean(axis=(1, 2, 3)) > 0, asked == 1)
    right, wrong = (engine.log_score({"x": made["x"], "label": label}) for label in (asked, 1 - asked))
    assert (right > wrong).all()
    both = engine.sample(np.array([4, 4]), Given(labels={"label": np.array([0, 1])}), 1, None)["x"]
    assert np.array_equal(both[0], made["x"][4])
    assert both[1].mean() > 0 > both[0].mean()
    drawn = engine.sample(np.arange(4000), Given(), 1, None)["label"]
    assert abs(drawn.mean() - 0.25) < 0.03


def test_a_class_of_three_and_an_unknown_label_are_not_lost():
    draw = np.random.default_rng(0)
    label = np.r_[np.zeros(3000, np.int64), [1, 1, 1], np.full(20, -1)]
    x = draw.normal(0, 0.05, (len(label), 1, 8, 8))
    x[label == 1] += 0.5
    settings = Mixture(components=8, gaussians=4, examples=300)
    engine = fitted(Rows(x, label), grid(), settings, {"class": Levels(names=("many", "few", "none"))})
    asked = {name: np.full(50, at) for at, name in enumerate(("many", "few", "none"))}
    means = {n: engine.sample(np.arange(50), Given(labels={"label": a}), 1, None)["x"] for n, a in asked.items()}
    assert all(np.isfinite(made).all() for made in means.values())
    assert means["few"].mean() > means["many"].mean() + 0.2
    assert means["few"].std(axis=0).mean() > 0.5 * means["many"].std(axis=0).mean()  # no copies of the three
    assert engine.sample(np.arange(5000), Given(), 1, None)["label"].max() <= 1


def test_in_minutes_it_ends_by_itself_and_in_steps_it_does_not():
    data = Shades(grid())
    for plan, steps in ((Plan(seconds=60), SMALL.rounds), (Plan(steps=9), 9)):
        engine, budget = SMALL.build(grid(), {}, plan), Budget(plan)
        for _ in engine.steps(data, budget):
            budget.advance()
        assert budget.step == steps


def test_fewer_examples_than_components_do_not_become_copies():
    draw = np.random.default_rng(0)
    x = draw.uniform(-1, 1, (12, 1, 8, 8))
    engine = fitted(Rows(x), grid(), Mixture())
    made = engine.sample(np.arange(200), Given(), 1, None)["x"].reshape(200, -1)
    apart = np.linalg.norm(made[:, None] - x.reshape(1, 12, -1), axis=2).min()
    assert apart > 0.3 * np.linalg.norm(x[0] - x[1])
    assert np.isfinite(engine.log_score({"x": x})).all()


def test_noise_and_temperature_do_what_they_say():
    draw = np.random.default_rng(0)
    engine = fitted(Rows(draw.normal(0, 0.1, (500, 1, 8, 8))), grid(), Mixture(components=4, gaussians=1))

    def spread(**options: float) -> float:
        return engine.sample(np.arange(300), Given(), 1, SampleSettings(**options))["x"].std(axis=0).mean()

    assert spread() < 0.06  # four directions of 64
    assert abs(spread(noise=1.0) - 0.1) < 0.01
    assert abs(spread(temperature=0.5) / spread() - 0.5) < 0.01


def test_large_colour_pictures_and_many_classes_fit():
    space = Grid(channels=3, height=64, width=64)
    draw = np.random.default_rng(0)
    tint = draw.uniform(-0.7, 0.7, (300, 3, 1, 1))
    data = Rows(tint + draw.normal(0, 0.05, (300, 3, 64, 64)), np.arange(300) % 150)
    settings = Mixture(components=256)
    engine = fitted(data, space, settings, {"class": Levels(names=tuple(map(str, range(150))))}, steps=1)
    assert len(engine.density.factors_QRR) == 1  # 150 covariances of 256 x 256 would be too much: all share one
    assert engine.sample(np.arange(3), Given(labels={"label": np.array([0, 149, 7])}), 1, None)["x"].shape[1:] == (
        3,
        64,
        64,
    )


def test_a_sketch_looks_at_fewer_examples_where_they_are_large():
    assert sketch_settings(grid(28)).examples == 10_000
    assert sketch_settings(Grid(channels=3, height=64, width=64)).examples == 1365
    assert sketch_settings(Grid(channels=3, height=512, width=512)).examples == 500


def test_wrong_spaces_and_wrong_weights_are_refused_in_a_sentence():
    with pytest.raises(InputError, match="grids"):
        Mixture().build(Vector(size=3), {}, Plan(steps=1))
    engine = fitted(Shades(grid()), grid())
    for name, value in (("density.shares_G", 2.0), ("density.noise_1", 0.0), ("density.mean_D", np.nan)):
        weights = engine.weights()
        weights[name] = np.full_like(weights[name], value)
        with pytest.raises(FolderError, match="not those of a mixture"):
            SMALL.build(grid(), {}, Plan(steps=1)).load_weights(weights)


def test_the_generator_takes_it(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 255, (40, 16, 16), dtype=np.uint8)
    model = ilk.Generator(steps=3, threads=1, random_state=0, engine=ilk.Mixture(components=8, gaussians=2))
    model.fit(pictures, ["dark", "light"] * 20, save_to=tmp_path / "m.ilk")
    again = ilk.load(tmp_path / "m.ilk")
    for one, other in zip(model.sample(5, seed=3), again.sample(5, seed=3), strict=True):
        assert one.tobytes() == other.tobytes()
