"""``ilk verify --model``: how likely files of unknown origin were made by a model, with its measured error rates."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

import ilk as package
from ilk.generator import origin


@pytest.fixture(scope="module")
def files(pictures, model, tmp_path_factory):
    """Four sets of the same size: real and made, as PNG and as JPEG; nothing is sealed."""
    root = tmp_path_factory.mktemp("files")
    sets = {
        "real": [Image.open(path) for path in sorted(pictures.rglob("*.png"))[:12]],
        "made": list(package.load(model).sample(12, seed=99)),
    }
    for name, images in sets.items():
        for suffix in ("png", "jpg"):
            (root / f"{name}-{suffix}").mkdir()
            for number, image in enumerate(images):
                image.convert("L").save(root / f"{name}-{suffix}" / f"{number:02}.{suffix}", quality=90)
    return root


def test_made_ones_are_found_whatever_their_format_and_real_ones_stay_unknown(ilk, files, model):
    for suffix in ("png", "jpg"):
        made = ilk("verify", "--model", model, files / f"made-{suffix}", "--json")
        assert made.code == 1
        states = [one["state"] for one in made.json["files"]]
        assert states.count("unsealed-likely-generated") >= 10
        assert {one["synthetic"] for one in made.json["files"] if one["state"] != "unknown"} == {"likely"}
        real = ilk("verify", "--model", model, files / f"real-{suffix}", "--json")
        assert real.code == 1  # never trusted: that is for seals
        assert [one["state"] for one in real.json["files"]].count("unknown") >= 10


def test_a_probability_never_comes_without_its_error_rates(ilk, files, model):
    one = ilk("verify", "--model", model, files / "made-png" / "00.png", "--json").json["files"][0]
    critic = one["critic"]
    assert critic["probability"] > 0.5
    assert 0 < critic["false_alarm_rate"] <= 0.05
    assert 0 < critic["miss_rate"] <= 1
    assert "fresh samples" in critic["calibrated_on"]
    assert critic["model"] == model.name


def test_what_a_person_reads(ilk, files, model):
    made = ilk("verify", "--model", model, files / "made-png" / "00.png").out
    assert f"the critic of {model.name} gives it" in made
    assert "to be generated, by that model or one like it" in made
    assert "of 100 real ones" in made
    real = ilk("verify", "--model", model, files / "real-png" / "00.png").out
    assert "cannot tell where it comes from, or whether it is real; the critic of" in real
    assert "is real;" not in real.replace("whether it is real;", "")


def test_without_model_nothing_is_guessed(ilk, files):
    one = ilk("verify", files / "made-png" / "00.png", "--json").json["files"][0]
    assert (one["state"], one["critic"]) == ("unknown", None)


def test_a_sealed_file_needs_no_opinion(ilk, model, tmp_path):
    ilk("sample", model, "-n", 2, "-o", tmp_path / "out")
    found = ilk("verify", "--model", model, tmp_path / "out", "--json")
    assert found.code == 0
    assert all(one["critic"] is None for one in found.json["files"])


def test_files_that_it_cannot_read_keep_their_verdict_and_say_why(ilk, files, model, tmp_path):
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "cut.png").write_bytes((files / "real-png" / "00.png").read_bytes()[:60])
    np.savez(tmp_path / "many.npz", images=np.zeros((3, 8, 8), np.uint8))
    (tmp_path / "empty.png").write_bytes(b"")
    shutil.copy(files / "made-png" / "00.png", tmp_path / "made.png")
    found = {
        one["file"].rpartition("/")[2]: one for one in ilk("verify", "--model", model, tmp_path, "--json").json["files"]
    }
    for name in ("notes.txt", "cut.png", "many.npz"):
        assert (found[name]["state"], found[name]["critic"]) == ("unknown", None)
        assert "can read none here" in " ".join(found[name]["problems"])
    assert found["empty.png"]["state"] == "unknown"
    assert found["made.png"]["state"] == "unsealed-likely-generated"


def test_files_are_looked_at_together(files, model, monkeypatch):
    """Not a forward pass a file."""
    calls = []
    real = origin.Model.load(model).engine.__class__.represent

    def counted(self, arrays):
        calls.append(len(arrays["x"]))
        return real(self, arrays)

    monkeypatch.setattr(origin.Model.load(model).engine.__class__, "represent", counted)
    assert len(origin.verify(files / "made-png", files / "real-jpg", model=model)) == 24
    assert len(calls) == 1


def test_bad_models_are_one_sentence(ilk, files, model, tmp_path):
    one = files / "made-png" / "00.png"
    missing = ilk("verify", "--model", tmp_path / "none.ilk", one)
    assert missing.code == 2
    older = package.load(model)
    older.model_.critic = None
    older.save(tmp_path / "older.ilk")
    without = ilk("verify", "--model", tmp_path / "older.ilk", one)
    assert without.code == 2
    assert "older.ilk has no critic" in without.err
