"""What a report rests on: features that see what pictures show, rated on pictures that were not learned from."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from PIL import Image

from ilk.core.plan import Plan
from ilk.core.protocol import Example
from ilk.kinds.image import encoder as module
from ilk.kinds.image import kind

PLAN = Plan(steps=1, seed=3)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.setattr(module, "PICTURES", 12_000)


def discs_and_bars(count: int, side: int = 16, *, colour: bool = False, seed: int = 0, given: bool = True):
    """Pictures of two things, anywhere, on a noisy ground of any brightness."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    out = []
    for number in range(count):
        at, thing = draw.uniform(side * 0.3, side * 0.7, 2), "disc" if number % 2 else "bar"
        far = (x - at[0]) ** 2 + (y - at[1]) ** 2 if thing == "disc" else (x - at[0]) ** 2 * 4
        pixels = draw.uniform(0, 100) + (far < (side / 5) ** 2) * 110 + draw.normal(0, 10, (side, side))
        image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        out.append(Example(image.convert("RGB") if colour else image, f"{number}", {"class": thing} if given else {}))
    return out


def separation(features, examples) -> float:
    """How often the nearest other picture shows the same thing."""
    rows, things = features([e.object for e in examples]), np.arange(len(examples)) % 2
    far = ((rows[:, None] - rows[None]) ** 2).sum(2)
    np.fill_diagonal(far, np.inf)
    return float((things[far.argmin(1)] == things).mean())


def test_classes_teach_it_and_its_accuracy_is_measured_on_unseen_pictures():
    held = discs_and_bars(60, seed=9)
    found = kind.fit_encoder(discs_and_bars(240), held, PLAN)
    share, count = re.search(r"names the class of (\d+) % of (\d+) held-out pictures", found.about).groups()
    assert (int(share) >= 85, count) == (True, "60")
    assert "2 classes of 240 pictures" in found.about
    assert "cannot be compared with Inception FID" in found.about
    rows = found([e.object for e in held])
    assert rows.shape[0] == 60
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert separation(found, held) > 0.8


def test_without_classes_it_still_sees_things_and_says_how_well_it_knows_a_picture_again():
    found = kind.fit_encoder(
        discs_and_bars(240, colour=True, given=False), discs_and_bars(60, colour=True, seed=9, given=False), PLAN
    )
    share = int(re.search(r"among 60 held-out pictures it finds (\d+) % again", found.about)[1])
    assert share > 100 / 60 * 3
    assert "without classes" in found.about
    assert separation(found, discs_and_bars(60, colour=True, seed=9, given=False)) > 0.6


def test_few_pictures_get_principal_components_and_it_is_said():
    found = kind.fit_encoder(discs_and_bars(20), discs_and_bars(4, seed=9), PLAN)
    assert "principal components of the 20 pictures" in found.about
    assert "cannot be compared" in found.about
    assert found([e.object for e in discs_and_bars(3, side=40)]).shape == (3, 20)


def test_same_seed_same_features_and_neighbours_do_not_matter():
    learn, held = discs_and_bars(200), [e.object for e in discs_and_bars(9, seed=9)]
    first, second = kind.fit_encoder(learn, [], PLAN), kind.fit_encoder(learn, [], PLAN)
    assert np.array_equal(first(held), second(held))
    assert np.array_equal(first(held)[4:6], first(held[4:6]))
    assert "no held-out pictures" in first.about
    torch.manual_seed(17)  # nor does what the user does with torch
    before = torch.random.get_rng_state()
    third = kind.fit_encoder(learn, [], PLAN)
    assert torch.equal(before, torch.random.get_rng_state())
    assert np.array_equal(first(held), third(held))


@pytest.mark.parametrize("side", [5, 17, 90])
def test_any_size_works(side):
    found = kind.fit_encoder(discs_and_bars(200, side=side, given=False), [], PLAN)
    objects = [Image.new("RGB", (31, 200)), Image.new("L", (3, 3)), discs_and_bars(1)[0].object]
    assert found(objects).shape == (3, module.FEATURES)
    assert np.isfinite(found(objects)).all()


def test_a_class_of_the_holdout_that_was_never_learned_is_not_counted():
    strange = [Example(e.object, e.name, {"class": "sphinx"}) for e in discs_and_bars(5, seed=9)]
    found = kind.fit_encoder(discs_and_bars(200), [*discs_and_bars(10, seed=9), *strange], PLAN)
    assert "of 10 held-out pictures" in found.about


def test_saved_weights_are_safetensors(tmp_path):
    from safetensors.numpy import load_file

    kind.fit_encoder(discs_and_bars(200), [], PLAN).save(tmp_path)
    arrays = load_file(tmp_path / "encoder.safetensors")
    assert {"head.weight", "body.0.weight"} <= set(arrays)
