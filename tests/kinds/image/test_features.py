"""Features: distances mean difference, nothing depends on luck, and a stranger's file is checked."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from ilk.core.errors import FolderError, InputError
from ilk.core.plan import Plan
from ilk.core.protocol import Example
from ilk.kinds.image import kind
from kinds.image.made import PLAN, pictures


def of(arrays):
    return [Example(object=Image.fromarray(array)) for array in arrays]


def fitted(count=40, seed=0):
    return kind.fit_features(of(pictures(count, 12, 12)), Plan(steps=1, seed=seed))


def test_features_keep_the_distances_of_few_pictures():
    arrays = pictures(30, 8, 8)
    features = kind.fit_features(of(arrays), PLAN)
    f = features([Image.fromarray(array) for array in arrays])
    assert f.dtype == np.float32
    flat = arrays.reshape(30, -1) / 127.5
    true = np.linalg.norm(flat[:, None] - flat[None], axis=-1)
    assert np.allclose(np.linalg.norm(f[:, None] - f[None], axis=-1), true, atol=1e-3)


def test_components_are_orthonormal_and_the_widest_come_first():
    features = fitted(200)
    basis = features.components.reshape(64, -1)
    assert np.allclose(basis @ basis.T, np.eye(64), atol=1e-4)
    spread = features([e.object for e in of(pictures(200, 12, 12))]).std(axis=0)
    assert spread[0] > spread[-1]
    rows = pictures(200, 12, 12).reshape(200, -1) / 127.5 - 1
    widest = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)[0] / np.sqrt(200)
    assert spread[0] == pytest.approx(widest, rel=0.03)


def test_the_same_data_and_seed_give_the_same_features():
    assert np.array_equal(fitted().components, fitted().components)


def test_features_take_pictures_of_any_size_and_sort():
    features = fitted()
    odd = [Image.new("L", (50, 20)), Image.new("CMYK", (9, 9)), Image.new("RGBA", (12, 12))]
    assert features(odd).shape == (3, 40)
    assert features([]).shape == (0, 40)


def test_unreadable_pictures_are_left_out():
    class Broken:
        size, mode = (12, 12), "RGB"

    assert kind.fit_features([*of(pictures(9, 12, 12)), Example(object=Broken())], PLAN).components.shape[0] == 9
    with pytest.raises(InputError):
        kind.fit_features([], PLAN)


def test_saved_features_are_the_same_features(tmp_path):
    features = fitted()
    features.save(tmp_path)
    objects = [example.object for example in of(pictures(5))]
    assert np.array_equal(kind.load_features(tmp_path)(objects), features(objects))


def test_hostile_features_are_refused_in_a_sentence(tmp_path):
    fitted().save(tmp_path)
    path = tmp_path / "features.safetensors"
    good = load_file(path)
    for change in [
        {"mean": good["mean"][0]},
        {"mean": good["mean"].astype(np.float64)},
        {"mean": np.full_like(good["mean"], np.nan)},
        {"components": good["components"][:, :, :5]},
        {"components": good["components"][:0]},
        {"more": good["mean"]},
    ]:
        save_file({name: np.ascontiguousarray(value) for name, value in {**good, **change}.items()}, path)
        with pytest.raises(FolderError):
            kind.load_features(tmp_path)
    for content in (b"", b"x" * 100, b"\xff" * 8 + b"{}"):
        path.write_bytes(content)
        with pytest.raises(FolderError):
            kind.load_features(tmp_path)
