"""Samples by their place: like a given picture, between two, on a walk; and the arithmetic of places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import ilk
from ilk import Gan
from ilk.core.errors import InputError
from ilk.generator import paths


def unit(seed: int, size: int = 64):
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


@given(st.integers(0, 99), st.floats(0.05, 4))
def test_neighbours_keep_the_length_and_their_distance(seed, spread):
    z = unit(seed)
    found = paths.neighbours(z, np.arange(8), 1, spread)
    assert np.array_equal(found[0], z)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), np.linalg.norm(z), rtol=1e-4)
    cosines = found[1:] @ z / (z @ z)
    np.testing.assert_allclose(cosines, np.cos(min(np.pi / 2, paths.SPREAD * spread)), atol=1e-4)
    few = paths.neighbours(z, np.array([5, 2]), 1, spread)
    assert np.array_equal(few, found[[5, 2]])


@given(st.integers(0, 99), st.floats(0.3, 3))
def test_the_arc_has_its_ends_and_never_shrinks(seed, longer):
    a, b = unit(seed), unit(seed + 1) * np.float32(longer)
    found = paths.arc(a, b, np.linspace(0, 1, 9))
    assert np.array_equal(found[0], a)
    assert np.array_equal(found[-1], b)
    lengths = np.linalg.norm(found, axis=1)
    np.testing.assert_allclose(lengths, np.linspace(lengths[0], lengths[-1], 9), rtol=1e-4)
    steps = np.linalg.norm(np.diff(found / lengths[:, None], axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-3)
    assert np.isfinite(paths.arc(a, a, np.linspace(0, 1, 5))).all()


@pytest.mark.parametrize("seconds", [0.2, 1, 5, 60, 600])
def test_a_walk_closes_is_smooth_and_looks_like_noise_at_every_moment(seconds):
    walks = [paths.Loop(3, tile, seconds, 64, 1.0) for tile in range(12)]
    times = np.linspace(0, seconds, 400, endpoint=False)
    z = np.stack([walk(times) for walk in walks])
    np.testing.assert_allclose(walks[0](np.array([seconds])), walks[0](np.array([0.0])), atol=1e-4)
    spread = z.std(axis=(0, 2))
    assert (abs(spread - 1) < 0.15).all()
    pace = np.linalg.norm(np.diff(z, axis=1), axis=2).mean() / 8 / (seconds / 400)
    if seconds / 400 < 0.5:
        assert 0.6 < pace < 1.1


def test_labels_are_kept_where_they_agree_and_mixed_where_not():
    same = paths.mixed(np.array([2]), np.array([2]), np.linspace(0, 1, 3), 4)
    assert same.tolist() == [2, 2, 2]
    way = paths.mixed(np.array([0]), np.array([3]), np.linspace(0, 1, 3), 4)
    assert way.tolist() == [[1, 0, 0, 0], [0.5, 0, 0, 0.5], [0, 0, 0, 1]]
    assert paths.mixed(np.array([0]), way[1:2], np.array([1.0]), 4).tolist() == [[0.5, 0, 0, 0.5]]


def discs(count: int, seed: int, side: int = 16):
    rng, (y, x) = np.random.default_rng(seed), np.mgrid[:side, :side]
    out = []
    for _ in range(count):
        cx, cy = rng.uniform(side * 0.3, side * 0.7, 2)
        out.append(Image.fromarray((((x - cx) ** 2 + (y - cy) ** 2 < 16) * 200 + 20).astype(np.uint8)))
    return out


@pytest.fixture(scope="module")
def model():
    labels = ["a", "b"] * 20
    return ilk.Generator(steps=60, threads=1, engine=Gan(width=8, latent=8, batch=16)).fit(discs(40, 0), labels)


def pixels(samples):
    return np.stack([np.asarray(one) for one in samples])


def test_like_begins_with_the_nearest_and_goes_on_with_neighbours(model):
    picture = discs(1, 9)[0]
    samples = model.sample(12, like=picture, seed=1)
    target = np.asarray(picture).astype(float)
    far = lambda made: np.sqrt(((made.astype(float) - target) ** 2).mean(axis=(1, 2)))  # noqa: E731
    near, random = far(pixels(samples)), far(pixels(model.sample(200, seed=5)))
    assert near[0] < random.min()
    assert near[0] == near.min()
    assert np.median(near) < np.median(random)
    assert (pixels(model.sample(3, like=picture, seed=1)) == pixels(samples)[:3]).all()
    wide = far(pixels(model.sample(12, like=picture, seed=1, temperature=2)))
    assert near[1:].mean() < wide[1:].mean()


def test_like_a_picture_of_another_size_and_colour_works(model):
    big = discs(1, 9)[0].resize((50, 40)).convert("RGB")
    assert model.sample(2, like=big)[0].size == (16, 16)


def test_like_keeps_a_class_that_is_given(model):
    assert len(model.sample(2, like=discs(1, 3)[0], given={"class": "b"})) == 2
    with pytest.raises(InputError, match="no class"):
        model.sample(2, like=discs(1, 3)[0], given={"class": "c"})


def test_between_two_samples_has_them_to_the_pixel_at_its_ends(model, tmp_path):
    model.sample(6, seed=4, temperature=0.8).save(tmp_path / "out")
    model.save(tmp_path / "m.ilk")
    loaded = ilk.load(tmp_path / "m.ilk")
    ends = tmp_path / "out" / "0002.png", tmp_path / "out" / "0005.png"
    way = pixels(loaded.sample(5, between=ends))
    for place, end in ((0, ends[0]), (-1, ends[1])):
        with Image.open(end) as image:
            assert (way[place] == np.asarray(image)).all()
    steps = np.abs(np.diff(way.astype(float), axis=0)).mean(axis=(1, 2))
    whole = np.abs(way[0].astype(float) - way[-1]).mean()
    assert steps.max() < whole


def test_what_was_saved_is_made_again_by_like(model, tmp_path):
    a, b = discs(2, 5)
    model.save(tmp_path / "m.ilk")
    loaded = ilk.load(tmp_path / "m.ilk")
    for name, samples in {
        "near": loaded.sample(3, like=a, temperature=0.7),
        "way": loaded.sample(4, between=(a, b)),
    }.items():
        samples.save(tmp_path / name)
        again = loaded.sample(len(samples), like=tmp_path / name / "0002.png")
        assert (pixels(again) == pixels(samples)).all()
        with Image.open(tmp_path / name / "0002.png") as image:
            image.save(tmp_path / f"{name}.webp", lossless=True)
        again = loaded.sample(len(samples), like=tmp_path / f"{name}.webp")
        assert (pixels(again) == pixels(samples)).all(), "known by its pixels, where the seal is gone"
    # a neighbour is a place like any other: the way from it begins with it
    way = loaded.sample(3, between=(tmp_path / "near" / "0003.png", tmp_path / "way" / "0002.png"))
    for place, file in ((0, "near/0003.png"), (2, "way/0002.png")):
        with Image.open(tmp_path / file) as image:
            assert (np.asarray(way[place]) == np.asarray(image)).all()


def test_a_machine_that_did_not_make_it_says_that_it_cannot_make_it_again(model, tmp_path, monkeypatch):
    model.save(tmp_path / "m.ilk")
    ilk.load(tmp_path / "m.ilk").sample(2, like=discs(1, 5)[0]).save(tmp_path / "out")
    monkeypatch.setenv("ILK_HOME", str(tmp_path / "elsewhere"))
    from ilk.generator.origin import recall

    with pytest.raises(InputError, match="only the machine on which it was made"):
        recall(tmp_path / "out" / "0001.png", tmp_path / "m.ilk")


def test_a_walk_is_a_film_that_closes_and_is_the_same_for_the_same_seed(model):
    frames = model.walk(1, seed=3)
    assert len(frames) == 25
    shown = pixels(frames)
    assert shown.shape[1] == shown.shape[2] > 64, "16 pictures side by side"
    steps = np.abs(np.diff(shown.astype(float), axis=0, append=shown[:1])).mean(axis=(1, 2))
    assert steps[-1] < 3 * np.median(steps), "the last step, back to the first frame, is a step like any other"
    assert 0 < np.median(steps) < 30
    assert (pixels(model.walk(1, seed=3)) == shown).all()
    assert len(model.walk(1, format="gif")) == 20
    assert len(model.walk(0.5, tiles=1, seed=3)[0].size) == 2


def test_frames_of_a_long_walk_are_not_kept(model):
    frames = model.walk(3000, seed=1)
    assert len(frames) == 75_000
    first = np.asarray(next(iter(frames)))
    assert frames._all is None
    assert (np.asarray(frames[0]) == first).all()


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e9])
def test_a_walk_of_no_or_endless_time_is_refused(model, seconds):
    with pytest.raises(InputError, match="--walk takes seconds"):
        model.walk(seconds)


def test_contradictions_are_refused(model):
    a, b = discs(2, 1)
    for words, wanted in (
        ({"like": a, "between": (a, b)}, "do not go together"),
        ({"between": (a,)}, "two files"),
        ({"between": (a, b), "n": 1}, "at least 2"),
        ({"like": object()}, "."),
        ({"like": a, "best_of": 4}, "best-of"),
    ):
        with pytest.raises(InputError, match=wanted):
            model.sample(**{"n": 4, **words})
