"""Sets of pictures that real folders hold and that trip learners up."""

import numpy as np
import pytest

import ilk
from ilk.core import events


def noise(count, side=8, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 1), dtype=np.uint8)


def fit(x, y=None, **parameters):
    notes = []
    model = ilk.Generator(steps=4, threads=1, **parameters).fit(
        x, y, on=lambda event: notes.append(event.says) if isinstance(event, events.Note) else None
    )
    return model, notes


def test_a_class_of_one_picture_can_be_asked_for():
    model, _ = fit(noise(40), ["many"] * 39 + ["one"], holdout=0.0)
    assert len(model.sample(3, given={"class": "one"}, seed=1).data) == 3


def test_the_same_picture_in_two_classes_is_learned_in_both():
    x = noise(30)
    model, _ = fit(np.concatenate([x, x[:5]]), ["a"] * 30 + ["b"] * 5)
    assert model.conditions_["class"].names == ("a", "b")
    assert len(model.sample(2, given={"class": "b"}, seed=1).data) == 2


def test_forty_large_pictures_are_made_small_enough_for_the_budget():
    side = 2000
    rows = np.arange(side, dtype=np.uint8)
    x = [np.stack([np.tile(rows + 6 * i, (side, 1))] * 3, axis=-1) for i in range(40)]
    from PIL import Image

    model, _ = fit([Image.fromarray(picture) for picture in x])
    picture = model.sample(1, seed=1).data[0]
    assert max(picture.size) <= 256


def test_many_identical_pictures_and_a_few_others():
    x = np.concatenate([np.repeat(noise(1), 5000, axis=0), noise(10, seed=1)])
    model, _ = fit(x)
    assert len(model.sample(4, seed=1).data) == 4


@pytest.mark.parametrize("passes", [1, 0])
def test_few_pictures_end_a_fit_by_minutes_early_and_it_is_said(passes, monkeypatch):
    from ilk.engines.gan import steps

    monkeypatch.setattr(steps, "LEAST_STEPS", 5)
    notes = []
    settings = ilk.Gan(width=4, latent=4, batch=8, passes=passes)
    model = ilk.Generator(engine=settings, minutes=0.1, threads=1, holdout=0.0).fit(
        noise(40), on=lambda event: notes.append(event.says) if isinstance(event, events.Note) else None
    )
    said = any("would copy" in note for note in notes)
    assert said == bool(passes)
    assert (model.n_steps_ == 5) == bool(passes)
