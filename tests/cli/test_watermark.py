"""A sample whose seal was taken off is known by its watermark: to its maker, and to nobody else."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

import ilk as library
from cli.conftest import save_pictures
from ilk.cli import main
from ilk.core.home import ilk_home


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A model of pictures of 128 pixels, fitted for two steps."""
    folder = tmp_path_factory.mktemp("large")
    save_pictures(folder / "discs", 12, side=128)
    words = ["fit", folder / "discs", "-o", folder / "discs.ilk", "--resolution", 128, "--steps", 2, "--threads", 1]
    assert main([str(word) for word in words]) == 0
    return folder / "discs.ilk"


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture
def resaved(ilk, large, tmp_path):
    """Samples, saved anew by a program that knows nothing of seals."""
    assert ilk("sample", large, "-n", 3, "--seed", 7, "-o", tmp_path / "out").code == 0
    (tmp_path / "resaved").mkdir()
    for number in (1, 2, 3):
        image = Image.fromarray(pixels(tmp_path / "out" / f"000{number}.png"))
        image.save(tmp_path / "resaved" / f"{number}.jpg", quality=80)
    return tmp_path / "resaved"


def test_a_resaved_sample_is_watermarked_and_not_trusted(ilk, resaved):
    ran = ilk("verify", resaved, "--json")
    assert ran.code == 1
    assert ran.json["counts"] == {"unsealed-watermarked": 3}
    assert "carries your watermark" in ilk("verify", resaved / "1.jpg").out


def test_another_user_cannot_tell(ilk, resaved, tmp_path, monkeypatch):
    monkeypatch.setenv("ILK_HOME", str(tmp_path / "another"))
    assert ilk("keys", "rotate").code == 0
    assert ilk("verify", resaved, "--json").json["counts"] == {"unknown": 3}


def test_the_file_on_disk_is_what_the_seal_and_the_ledger_know(ilk, large, tmp_path):
    ilk("sample", large, "-n", 2, "--seed", 7, "-o", tmp_path / "out")
    assert ilk("verify", tmp_path / "out").code == 0
    Image.fromarray(pixels(tmp_path / "out" / "0002.png")).save(tmp_path / "copy.png")
    assert ilk("verify", tmp_path / "copy.png", "--json").json["counts"] == {"unsealed-known": 1}


def test_the_same_seed_gives_the_same_marked_pixels_in_a_folder_a_file_and_an_array(ilk, large, tmp_path):
    ilk("sample", large, "-n", 2, "--seed", 7, "-o", tmp_path / "a")
    ilk("sample", large, "-n", 2, "--seed", 7, "-o", tmp_path / "x.npz")
    ilk("sample", large, "-n", 1, "--seed", 7, "-o", tmp_path / "one.png")
    ilk("sample", "--like", tmp_path / "a" / "0001.png", "-o", tmp_path / "b")
    first, second = pixels(tmp_path / "a" / "0001.png"), pixels(tmp_path / "a" / "0002.png")
    assert np.array_equal(first, pixels(tmp_path / "one.png"))
    assert np.array_equal(second, pixels(tmp_path / "b" / "0002.png"))
    with np.load(tmp_path / "x.npz") as arrays:
        assert np.array_equal(arrays["images"], np.stack([first, second]))


def test_samples_in_memory_and_unsealed_files_are_unmarked(ilk, large, tmp_path):
    samples = library.load(large).sample(1, seed=7)
    plain = np.asarray(samples.data[0])
    samples.save(tmp_path / "unsealed.png", unsealed=True)
    samples.save(tmp_path / "sealed.png")
    assert np.array_equal(pixels(tmp_path / "unsealed.png"), plain)
    assert not np.array_equal(pixels(tmp_path / "sealed.png"), plain)
    Image.fromarray(plain).save(tmp_path / "plain.jpg", quality=80)
    assert ilk("verify", tmp_path / "plain.jpg", "--json").json["counts"] == {"unknown": 1}


def test_small_samples_are_unmarked_and_verify_says_why(ilk, model, tmp_path):
    ilk("sample", model, "-n", 1, "--seed", 7, "-o", tmp_path / "small.png")
    ilk("sample", model, "-n", 1, "--seed", 7, "-o", tmp_path / "plain.png", "--unsealed")
    assert np.array_equal(pixels(tmp_path / "small.png"), pixels(tmp_path / "plain.png"))
    Image.fromarray(pixels(tmp_path / "small.png")).save(tmp_path / "small.jpg", quality=80)
    assert "too small to carry a watermark" in ilk("verify", tmp_path / "small.jpg").out


def test_a_mark_stays_found_when_the_key_was_rotated(ilk, resaved, tmp_path, monkeypatch):
    home = ilk_home()
    shutil.copytree(home, tmp_path / "home")
    monkeypatch.setenv("ILK_HOME", str(tmp_path / "home"))
    assert ilk("keys", "rotate").code == 0
    assert ilk("verify", resaved, "--json").json["counts"] == {"unsealed-watermarked": 3}
