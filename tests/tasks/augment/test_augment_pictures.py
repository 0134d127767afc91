"""Pictures: arrays in memory, folders on the command line."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import ilk
from ilk.cli import main
from ilk.generator.origin import verify
from ilk.tasks.augment.labels import read_label
from ilk.tasks.augment.pictures import Pictures


@pytest.fixture(scope="module")
def shapes():
    """Bright bars, lying or standing, few of the latter."""
    draw = np.random.default_rng(0)
    x = draw.integers(0, 60, (96, 12, 12), dtype=np.uint8)
    y = np.array(["lying"] * 72 + ["standing"] * 24)
    for picture, name in zip(x, y, strict=True):
        at = draw.integers(2, 10)
        picture[(at, slice(None)) if name == "lying" else (slice(None), at)] = 220
    return x, y


def test_transforms_keep_class_size_and_dtype(shapes):
    x, y = shapes
    label = read_label(y, "class")
    made = Pictures(x, {}).change(np.arange(len(x)), label, 0)
    assert made.X.shape == x.shape
    assert made.X.dtype == np.uint8
    assert (made.code_N == label.code_N).all()
    assert (x != made.X).any(axis=(1, 2)).mean() > 0.9


@pytest.mark.parametrize("shape", [(12, 12), (12, 12, 3), (10, 14)])
def test_made_pictures_are_like_those_that_came(shapes, shape):
    x, y = shapes
    x = np.resize(x[..., None] if len(shape) == 3 else x, (len(x), *shape))
    label = read_label(y, "class")
    maker = Pictures(x, {}).maker(np.arange(len(x)), label, 0, 0.03)
    made = maker.draw(10, seed=1)
    assert made.X.shape == (10, *shape)
    assert made.X.dtype == np.uint8
    assert set(made.code_N.tolist()) <= {0, 1}
    assert maker.draw_class(1, 3, seed=1).shape == (3, *shape)


def test_arrays_are_decided_for(shapes):
    wanted = {"candidates": ["class weights", "transforms", "threshold"], "folds": 2}
    sampler = ilk.Augmenter("network", **wanted)
    X, y = sampler.fit_resample(*shapes)
    assert X.shape[1:] == (12, 12)
    assert len(X) == len(y) == len(sampler.made_)
    assert {row["name"] for row in sampler.results_} >= {"nothing", "class weights", "transforms", "three"}
    assert (sampler.model_.predict(shapes[0]) == shapes[1]).mean() > 0.9


def test_a_folder_of_made_pictures_is_sealed_as_made(shapes, tmp_path, monkeypatch, capfd):
    x, y = shapes
    for place, (picture, name) in enumerate(zip(x, y, strict=True)):
        (tmp_path / "bars" / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(tmp_path / "bars" / name / f"{place}.png")
    monkeypatch.setattr(
        "ilk.tasks.augment.decide._Table.beats", lambda self, name, over, tried: name == "made balanced"
    )
    words = ["augment", tmp_path / "bars", "--model", "network", "--candidate", "made balanced", "--folds", "2"]
    out = tmp_path / "more"
    assert main([*map(str, words), "--minutes", "0.25", "-o", str(out)]) == 0
    assert "48 examples, 48 of them made; sealed: c2pa and manifest" in capfd.readouterr().out
    made = sorted(out.rglob("made-*.png"))
    assert [path.parent.name for path in made] == ["standing"] * 48
    assert {verdict.state for verdict in verify(*made)} == {"sealed"}
    assert main([*map(str, words), "-o", str(out)]) == 2
    assert "exists and is not empty" in capfd.readouterr().err


def test_pictures_without_classes_are_refused(shapes, tmp_path, capfd):
    for place, picture in enumerate(shapes[0][:30]):
        Image.fromarray(picture).save(tmp_path / f"{place}.png")
    assert main(["augment", str(tmp_path)]) == 2
    assert "These pictures have no classes; put those of each class into a sub-folder" in capfd.readouterr().err
