"""``ilk show models export doctor keys`` and what holds for every verb."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from ilk.cli import VERBS


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_help_of_every_verb_has_an_example(ilk, verb):
    ran = ilk(verb, "--help")
    assert ran.code == 0
    assert "Example" in ran.out
    assert f"ilk {verb}" in ran.out


def test_help_lists_the_kinds_flags(ilk, model):
    assert "--resolution" in ilk("fit", "--help", "--kind", "image").out
    assert "--temperature" in ilk("sample", model, "--help").out


def test_unknown_verb_is_suggested(ilk):
    assert 'Did you mean "sample"' in ilk("smaple").err


def test_completion_is_offered():
    ran = subprocess.run([sys.executable, "-m", "ilk", "--help"], capture_output=True, text=True, check=True)
    assert "--install-completion" in ran.stdout


def test_show_tells_what_can_be_given(ilk, model):
    ran = ilk("show", model)
    assert "class=big|small" in ran.out
    facts = ilk("show", model, "--json").json
    assert facts["kind"] == "image"
    assert facts["conditions"]["class"]["names"] == ["big", "small"]


def test_models_are_listed_and_removed_only_when_meant(ilk, model, tmp_path):
    path = shutil.copytree(model, tmp_path / "mine.ilk")
    listed = ilk("models", "list", tmp_path, "--json").json["models"]
    assert str(path) in [each["path"] for each in listed]
    assert ilk("models", "remove", path).code == 2
    assert path.exists()
    assert ilk("models", "remove", path, "--yes").code == 0
    assert not path.exists()


def test_export_leaves_out_what_is_local_and_samples_the_same(ilk, model, tmp_path):
    assert ilk("export", model, "-o", tmp_path / "share.ilk").code == 0
    assert not (tmp_path / "share.ilk" / "state").exists()
    ilk("sample", model, "-n", 2, "--seed", 1, "-o", tmp_path / "a.npz")
    ilk("sample", tmp_path / "share.ilk", "-n", 2, "--seed", 1, "-o", tmp_path / "b.npz")
    assert (tmp_path / "a.npz").stat().st_size == (tmp_path / "b.npz").stat().st_size
    assert ilk("fit", "-o", tmp_path / "share.ilk", "--resume").code == 2
    assert ilk("export", model, "-o", tmp_path / "w.safetensors", "--format", "safetensors").code == 0
    assert ilk("export", model, "-o", tmp_path / "w.safetensors", "--format", "safetensors").code == 2
    assert ilk("export", model, "-o", model).code == 2


def test_exported_weights_are_plain_safetensors(ilk, model, tmp_path):
    from safetensors import safe_open

    ilk("export", model, "-o", tmp_path / "w.safetensors", "--format", "safetensors")
    with safe_open(tmp_path / "w.safetensors", "numpy") as file:
        assert file.metadata()["engine"] == "gan"
        assert list(file.keys())


def test_model_folder_is_sealed_and_a_change_is_seen(ilk, model, tmp_path):
    assert ilk("verify", model).code == 0
    changed = shutil.copytree(model, tmp_path / "changed.ilk")
    weights = bytearray((changed / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (changed / "weights.safetensors").write_bytes(weights)
    assert ilk("verify", changed).code == 1
    assert "changed or damaged" in ilk("sample", changed).err


def test_doctor_tells_facts(ilk):
    facts = ilk("doctor", "--json").json
    assert facts["kinds"]["image"] == "ready"
    assert facts["threads"] >= 1


def test_keys_are_shown_rotated_and_revoked(ilk, model, tmp_path, monkeypatch):
    monkeypatch.setenv("ILK_HOME", str(tmp_path / "home"))
    ilk("sample", model, "-n", 1, "-o", tmp_path / "out")
    old = ilk("keys", "show", "--json").json["fingerprint"]
    new = ilk("keys", "rotate", "--json").json["fingerprint"]
    assert old != new
    assert ilk("verify", tmp_path / "out" / "0001.png").code == 0
    assert ilk("keys", "revoke", old[:12], "--reason", "lost").code == 0
    ran = ilk("verify", tmp_path / "out" / "0001.png", "--json")
    assert ran.code == 1
    assert ran.json["files"][0]["state"] == "revoked"
    assert ilk("keys", "revoke", "nonsense", "--reason", "x").code == 2
    (tmp_path / "bad.json").write_text("{}")
    assert ilk("keys", "trust", tmp_path / "bad.json").code == 2


def test_errors_come_as_json_too(ilk, tmp_path):
    ran = ilk("show", tmp_path / "no.ilk", "--json")
    assert ran.code == 2
    assert ran.json["error"]["code"] == "ILK-INPUT-013"


def test_debug_shows_the_traceback(tmp_path):
    words = [sys.executable, "-m", "ilk", "show", str(tmp_path / "no.ilk"), "--debug"]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "Traceback" in ran.stderr
