"""``ilk sample`` and ``ilk verify``: same seed, same samples; every output signed; honest verdicts."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_first_samples_do_not_depend_on_how_many_are_made(ilk, model, tmp_path):
    ilk("sample", model, "-n", 64, "--seed", 7, "-o", tmp_path / "many")
    ilk("sample", model, "-n", 10, "--seed", 7, "-o", tmp_path / "few")
    for number in range(1, 11):
        name = f"{number:04d}.png"
        assert (pixels(tmp_path / "many" / name) == pixels(tmp_path / "few" / name)).all()


def test_sampling_twice_continues_the_numbering_and_the_manifest(ilk, model, tmp_path):
    out = tmp_path / "out"
    ilk("sample", model, "-n", 3, "-o", out)
    ilk("sample", model, "-n", 2, "-o", out)
    assert sorted(p.name for p in out.glob("0*.png")) == [f"000{n}.png" for n in range(1, 6)]
    ran = ilk("verify", out, "--json")
    assert ran.code == 0
    assert set(ran.json["counts"]) <= {"sealed", "sealed-in-manifest"}


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
def test_every_format_is_sealed(ilk, model, tmp_path, name):
    ran = ilk("sample", model, "-n", 2, "--format", name, "-o", tmp_path / "out", "--json")
    assert ran.json["seal"] == "c2pa and manifest"
    assert ilk("verify", tmp_path / "out").code == 0
    for file in ran.json["files"]:
        assert ilk("verify", file).code == 0


def test_npz_holds_all_samples_and_a_sidecar(ilk, model, tmp_path):
    ilk("sample", model, "-n", 5, "--seed", 1, "-o", tmp_path / "x.npz")
    ilk("sample", model, "-n", 5, "--seed", 1, "-o", tmp_path / "out")
    with np.load(tmp_path / "x.npz") as arrays:
        assert (arrays["images"][4] == pixels(tmp_path / "out" / "0005.png")).all()
    assert ilk("verify", tmp_path / "x.npz").code == 0


def test_like_recalls_seed_and_conditions(ilk, model, tmp_path):
    ilk("sample", model, "-n", 3, "--given", "class=small", "--temperature", "0.5", "-o", tmp_path / "a")
    ran = ilk("sample", "--like", tmp_path / "a" / "0002.png", "-o", tmp_path / "b")
    assert ran.code == 0
    for number in (1, 2, 3):
        assert (pixels(tmp_path / "a" / f"000{number}.png") == pixels(tmp_path / "b" / f"000{number}.png")).all()


def test_like_of_an_unsealed_file_says_so(ilk, model, tmp_path):
    Image.new("L", (16, 16)).save(tmp_path / "mine.png")
    assert "no seal" in ilk("sample", model, "--like", tmp_path / "mine.png").err


def test_a_stranger_is_a_stranger_until_trusted(ilk, model, tmp_path, monkeypatch):
    ilk("sample", model, "-n", 2, "-o", tmp_path / "out")
    ilk("keys", "export", "-o", tmp_path / "key.json", "--name", "Anna")
    monkeypatch.setenv("ILK_HOME", str(tmp_path / "other"))
    ran = ilk("verify", tmp_path / "out" / "0001.png", "--json")
    assert ran.code == 1
    assert ran.json["files"][0]["state"] == "sealed-by-stranger"
    assert ilk("keys", "trust", tmp_path / "key.json").code == 0
    assert ilk("verify", tmp_path / "out" / "0001.png").code == 0
    assert ilk("verify", tmp_path / "out").code == 0


def test_added_dropped_and_changed_files_are_named(ilk, model, tmp_path):
    ilk("sample", model, "-n", 3, "-o", tmp_path / "out")
    for damage in ("added", "dropped", "changed"):
        out = shutil.copytree(tmp_path / "out", tmp_path / damage)
        if damage == "added":
            Image.new("L", (4, 4)).save(out / "odd.png")
        elif damage == "dropped":
            (out / "0002.png").unlink()
        else:
            data = bytearray((out / "0003.png").read_bytes())
            data[-20] ^= 1
            (out / "0003.png").write_bytes(data)
        ran = ilk("verify", out)
        assert ran.code == 1
        assert {"added": "odd.png", "dropped": "0002.png", "changed": "0003.png"}[damage] in ran.out


def test_a_resaved_sample_is_known_by_its_pixels_and_a_foreign_picture_is_unknown(ilk, model, tmp_path):
    ilk("sample", model, "-n", 1, "-o", tmp_path / "out")
    with Image.open(tmp_path / "out" / "0001.png") as image:
        image.save(tmp_path / "again.webp", lossless=True)
    Image.effect_noise((16, 16), 50).save(tmp_path / "mine.png")
    again = ilk("verify", tmp_path / "again.webp", "--json")
    mine = ilk("verify", tmp_path / "mine.png", "--json")
    assert (again.code, mine.code) == (1, 1)
    assert again.json["files"][0]["state"] == "unsealed-known"
    assert mine.json["files"][0]["state"] == "unknown"
    assert "real" not in ilk("verify", tmp_path / "mine.png").out.replace("whether it is real", "")


def test_unsealed_is_said_aloud_and_leaves_no_seal(ilk, model, tmp_path):
    ran = ilk("sample", model, "-n", 1, "-o", tmp_path / "out", "--unsealed")
    assert "not sealed" in ran.err
    assert not (tmp_path / "out" / "ilk-seal.json").exists()
    assert ilk("verify", tmp_path / "out" / "0001.png").code == 1


def test_conditions_are_honoured_and_typos_suggested(ilk, model, tmp_path):
    assert ilk("sample", model, "-n", 1, "--given", "class=small", "-o", tmp_path / "a").code == 0
    ran = ilk("sample", model, "-n", 1, "--given", "class=smal", "-o", tmp_path / "b")
    assert ran.code == 2
    assert 'did you mean "small"' in ran.err
    ran = ilk("sample", model, "-n", 1, "--given", "clas=small", "-o", tmp_path / "b")
    assert 'did you mean "class"' in ran.err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    "words",
    [("-n", "0"), ("-n", "-3"), ("-n", "x"), ("--seed", "-1"), ("--format", "bmpp"), ("--temperatur", "1"),
     ("--temperature", "-1"), ("--given", "class"), ("-o", "x.xyz")],
)  # fmt: skip
def test_bad_words_are_one_sentence(ilk, model, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    assert ilk("sample", model, *words).code == 2
    assert list(tmp_path.iterdir()) == []


def test_missing_and_newer_models_are_one_sentence(ilk, model, tmp_path):
    assert ilk("sample", tmp_path / "no.ilk").code == 2
    newer = shutil.copytree(model, tmp_path / "newer.ilk")
    text = (newer / "ilk.json").read_text()
    (newer / "ilk.json").write_text(text.replace('"format": 1', '"format": 2, "surprise": true'))
    assert "newer" in ilk("sample", newer).err


def test_output_file_is_never_overwritten(ilk, model, tmp_path):
    (tmp_path / "x.npz").write_bytes(b"mine")
    assert ilk("sample", model, "-n", 2, "-o", tmp_path / "x.npz").code == 2
    assert (tmp_path / "x.npz").read_bytes() == b"mine"
