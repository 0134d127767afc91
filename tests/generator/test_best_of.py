"""``best_of``: the critic chooses, a sample still stands alone, classes keep their shares, bad input is a sentence."""

from __future__ import annotations

import numpy as np
import pytest

import ilk
from ilk.core.errors import FolderError, InputError
from ilk.core.folder import open_model
from ilk.generator.critics import CRITIC, BestOf
from ilk.generator.origin import recall

SIDE, COUNT = 8, 80


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ILK_HOME", str(tmp_path_factory.mktemp("home")))
        yield


def shades(count: int = COUNT):
    """Dark pictures and, one in four, light ones, each with a brighter stripe."""
    draw = np.random.default_rng(0)
    light = np.arange(count) % 4 == 0
    pixels = draw.normal(0, 8, (count, SIDE, SIDE)) + np.where(light, 170, 50)[:, None, None]
    for row in range(count):
        pixels[row, :, draw.integers(0, SIDE)] += 50
    return pixels.clip(0, 255).astype(np.uint8), np.where(light, "light", "dark")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    x, y = shades()
    path = tmp_path_factory.mktemp("models") / "shades.ilk"
    small = ilk.Gan(width=4, latent=8, batch=8)
    ilk.Generator(steps=150, threads=1, engine=small, holdout=0.5).fit(x, y, save_to=path)
    return path


@pytest.fixture(scope="module")
def model(path):
    return ilk.load(path)


def pixels(samples) -> np.ndarray:
    return np.stack([np.asarray(sample) for sample in samples])


def test_a_fit_leaves_a_critic_with_measured_error_rates_in_the_folder(path, model):
    assert CRITIC in open_model(path).files
    judge = model.model_.critic.judge
    assert judge.calibrated_on == "40 held-out real ones and 40 fresh samples"
    alarms, misses = judge.error_at(0.5)
    assert 0 < alarms < 0.6
    assert 0 < misses < 0.6


def test_the_more_candidates_the_more_real_to_the_critic(model):
    plain = model.sample(64, seed=5)
    critic = model.model_.critic
    means = [critic.realness(model.model_, list(plain)).mean()]
    means += [np.mean(model.sample(64, seed=5, best_of=k).scores) for k in (2, 8)]
    assert means == sorted(means)
    assert means[2] > means[0] + 0.02


def test_scores_are_those_of_the_samples(model):
    samples = model.sample(20, seed=5, best_of=4)
    assert len(samples.scores) == 20
    assert np.allclose(model.model_.critic.realness(model.model_, list(samples)), samples.scores, atol=1e-4)
    assert model.sample(3, seed=5).scores is None


def test_sample_i_does_not_depend_on_how_many_are_drawn(model):
    many, few = model.sample(300, seed=5, best_of=3), model.sample(7, seed=5, best_of=3)
    assert np.array_equal(pixels(many[:7]), pixels(few))
    assert many.scores[:7] == few.scores
    middle = BestOf(model.model_, {}, 5, model.model_.sample_settings({})[1], 3)(201, 204)
    assert np.array_equal(pixels(middle), pixels(many[201:204]))


def test_each_sample_is_one_of_its_candidates(model):
    candidates, chosen = (
        model.model_.draw(0, 40, {"class": "dark"}, 5, None),
        model.sample(10, seed=5, given={"class": "dark"}, best_of=4),
    )
    for place, sample in enumerate(chosen):
        own = pixels(candidates[place * 4 : place * 4 + 4])
        assert (own == np.asarray(sample)).all((1, 2)).any()


def test_choosing_does_not_thin_out_a_class(model):
    inner = model.model_
    best = BestOf(inner, {}, 5, None, 6)
    first = inner.engine.sample(np.arange(100) * 6, inner.codec.encode_given({}, 100), 5, None)
    assert np.array_equal(best._best(0, 100)["label"], first["label"])
    assert 0 < first["label"].sum() < 100


def test_it_is_remembered_with_the_call_and_recalled(model, tmp_path):
    samples = model.sample(3, seed=5, best_of=4, temperature=0.9)
    saved = samples.save(tmp_path / "out")
    past = recall(saved_file(saved, 2))
    assert past.options == {"temperature": 0.9, "best_of": 4}
    again = ilk.load(past.model).sample(past.count, seed=past.seed, given=past.given, **past.options)
    assert np.array_equal(pixels(again), pixels(samples))


def saved_file(saved, number):
    from pathlib import Path

    return Path(saved.files[number])


def test_one_candidate_is_plain_sampling_and_needs_no_critic(model, tmp_path):
    assert np.array_equal(pixels(model.sample(5, seed=5, best_of=1)), pixels(model.sample(5, seed=5)))
    older = without_critic(model, tmp_path / "older.ilk")
    assert len(older.sample(2, best_of=1)) == 2
    with pytest.raises(InputError, match=r"older.ilk has no critic: .* fit it anew"):
        older.sample(2, best_of=2)
    with pytest.raises(InputError, match="saved without its critic"):
        older.model_.engine.opinion({"x": np.zeros((1, 1, SIDE, SIDE), np.float32)})


def without_critic(model, path):
    """A model as it was before there were critics."""
    other = ilk.load(model.model_.path)
    other.model_.critic, other.model_.engine.judges = None, False
    other.save(path)
    assert "critic" not in " ".join(open_model(path).files)
    return ilk.load(path)


@pytest.mark.parametrize("value", [0, -1, 10**9, 1.5, True, "4", None])
def test_a_bad_number_of_candidates_is_one_sentence(model, value):
    with pytest.raises(InputError, match="best-of takes a whole number from 1 to 1,000"):
        model.sample(2, best_of=value)


def test_a_damaged_critic_is_refused(model):
    from ilk.core.folder import Opened, pack, unpack
    from ilk.generator.model import Model

    opened = open_model(model.model_.path)
    arrays = unpack(opened.files[CRITIC], "")
    arrays["scale"] = -arrays["scale"]
    with pytest.raises(FolderError, match="critic"):
        Model.from_files(Opened(opened.header, {**opened.files, CRITIC: pack(arrays)}, opened.path))


def test_an_interrupted_fit_has_a_critic_too(tmp_path):
    import os
    import signal

    from ilk.core import events

    sent = []

    def stop(event):
        if isinstance(event, events.Step) and not sent:
            sent.append(event)
            os.kill(os.getpid(), signal.SIGINT)

    x, y = shades()
    small = ilk.Gan(width=4, latent=8, batch=8)
    path = tmp_path / "stopped.ilk"
    ilk.Generator(steps=50, threads=1, engine=small).fit(x, y, save_to=path, on=stop)
    loaded = ilk.load(path)
    assert loaded.ended_ == "interrupted"
    assert len(loaded.sample(2, best_of=3)) == 2


def test_few_examples_are_cross_fitted_and_a_handful_gets_none(tmp_path):
    x, _ = shades(16)
    small = ilk.Gan(width=4, latent=8, batch=8)
    fitted = ilk.Generator(steps=2, threads=1, engine=small).fit(x)
    assert "real ones that the model had learned from" in fitted.model_.critic.judge.calibrated_on
    fitted = ilk.Generator(steps=2, threads=1, engine=small, holdout=0.2).fit(x[:9])
    assert fitted.model_.critic is not None
