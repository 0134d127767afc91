"""``ilk fit``: what lands, what is refused, what survives."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.conftest import save_pictures
from ilk.core.folder import open_model

STEPS = ("--steps", "3", "--threads", "1")


def test_fit_leaves_a_model_a_preview_and_a_card(ilk, pictures, tmp_path):
    ran = ilk("fit", pictures, "-o", tmp_path / "a.ilk", *STEPS, "--json")
    assert ran.code == 0
    assert ran.json["examples"] + ran.json["holdout"] == 40
    assert ran.json["conditions"] == ["class"]
    folder = tmp_path / "a.ilk"
    with Image.open(folder / "preview.png") as preview:
        assert preview.size[0] > 100
    assert "No training example is stored" in (folder / "CARD.md").read_text()
    steps = [json.loads(line)["step"] for line in (folder / "history.jsonl").read_text().splitlines()]
    assert steps[-1] == 3


def test_model_is_named_after_the_source_by_default(ilk, pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ilk("fit", pictures, *STEPS).code == 0
    assert (tmp_path / "discs.ilk" / "ilk.json").exists()


def test_label_names_the_condition(ilk, pictures, tmp_path):
    ran = ilk("fit", pictures, "-o", tmp_path / "a.ilk", *STEPS, "--label", "size", "--json")
    assert ran.json["conditions"] == ["size"]
    assert ilk("sample", tmp_path / "a.ilk", "-n", 1, "-o", tmp_path / "out", "--given", "size=big").code == 0


def test_same_steps_and_seed_give_the_same_weights(ilk, pictures, tmp_path):
    for name in ("a", "b"):
        ilk("fit", pictures, "-o", tmp_path / f"{name}.ilk", *STEPS, "--seed", "5")
    first, second = ((tmp_path / f"{name}.ilk" / "weights.safetensors").read_bytes() for name in ("a", "b"))
    assert first == second


def test_existing_model_is_kept_without_force_and_replaced_with_it(ilk, pictures, model, tmp_path):
    path = shutil.copytree(model, tmp_path / "a.ilk")
    before = (path / "ilk.json").read_bytes()
    ran = ilk("fit", pictures, "-o", path, *STEPS)
    assert ran.code == 2
    assert "--resume" in ran.err
    assert "--force" in ran.err
    assert (path / "ilk.json").read_bytes() == before
    assert ilk("fit", pictures, "-o", path, *STEPS, "--seed", "9", "--force").code == 0
    assert (path / "ilk.json").read_bytes() != before
    assert [p.name for p in tmp_path.iterdir()] == ["a.ilk"]


def test_finished_fit_goes_on_with_more_steps(ilk, pictures, tmp_path):
    path = tmp_path / "a.ilk"
    ilk("fit", pictures, "-o", path, *STEPS)
    ran = ilk("fit", "-o", path, "--resume", "--steps", "5", "--json")
    assert ran.json["steps"] == 5
    assert ilk("fit", "-o", path, "--resume", "--steps", "5", "--json").json["steps"] == 5


def test_changed_data_cannot_be_resumed(ilk, tmp_path):
    source = save_pictures(tmp_path / "p", 20)
    path = tmp_path / "a.ilk"
    ilk("fit", source, "-o", path, *STEPS)
    save_pictures(tmp_path / "p", 21, seed=4)
    ran = ilk("fit", "-o", path, "--resume", "--steps", "6")
    assert ran.code == 2
    assert "changed" in ran.err
    assert open_model(path).header.step == 3


def test_interrupt_keeps_what_is_learned_and_resume_finishes(tmp_path, pictures):
    words = ["fit", str(pictures), "-o", str(tmp_path / "a.ilk"), "--steps", "100000", "--threads", "1"]
    process = start(*words)
    wait_for(tmp_path / "a.ilk" / "ilk.json")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    opened = open_model(tmp_path / "a.ilk", state=True)
    assert opened.header.ended == "interrupted"
    assert opened.header.step >= 1


@pytest.mark.parametrize("place", range(10))
def test_kill_at_a_random_moment_leaves_a_folder_that_loads_and_resumes(tmp_path, pictures, place):
    path = tmp_path / "a.ilk"
    words = ["fit", str(pictures), "-o", str(path), "--steps", "100000", "--threads", "1"]
    process = start(*words, saves=True)
    wait_for(path)
    time.sleep(0.03 * place + np.random.default_rng(place).uniform(0, 0.03))
    process.kill()
    process.wait()
    opened = open_model(path, state=True)
    again = start("fit", "-o", str(path), "--resume", "--steps", str(opened.header.step + 2))
    assert again.wait(60) == 0
    assert open_model(path).header.step == opened.header.step + 2


def test_killed_and_resumed_fit_equals_an_uninterrupted_one(tmp_path, pictures):
    words = ["--steps", "40", "--threads", "1", "--seed", "3"]
    assert start("fit", str(pictures), "-o", str(tmp_path / "a.ilk"), *words).wait(60) == 0
    path = tmp_path / "b.ilk"
    process = start("fit", str(pictures), "-o", str(path), *words, saves=True)
    wait_for(path)
    process.kill()
    process.wait()
    assert start("fit", str(pictures), "-o", str(path), *words, "--resume").wait(60) == 0
    first, second = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("a.ilk", "b.ilk"))
    assert first == second


def test_full_disk_is_one_sentence_and_keeps_the_last_good_model(tmp_path, pictures):
    path = tmp_path / "a.ilk"
    assert start("fit", str(pictures), "-o", str(path), *STEPS).wait(60) == 0

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = subprocess.run(
        [sys.executable, "-m", "ilk", "fit", "-o", str(path), "--resume", "--steps", "9"],
        preexec_fn=no_room, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert process.returncode == 3, process.stderr
    assert "disk is full" in process.stderr
    assert open_model(path, state=True).header.step == 3
    assert not list(path.rglob("*.new"))


def test_minutes_are_a_ceiling_for_the_whole_call(tmp_path, pictures):
    begin = time.monotonic()
    assert start("fit", str(pictures), "-o", str(tmp_path / "a.ilk"), "--minutes", "0.2").wait(60) == 0
    took = time.monotonic() - begin
    assert open_model(tmp_path / "a.ilk").header.step >= 1  # a very busy machine has time for one
    assert took < 60  # the exact bound is measured in bench/, on a quiet machine


def start(*words: str, saves: bool = False) -> subprocess.Popen[bytes]:
    """Start ``ilk`` in a process of its own; with ``saves`` it saves after nearly every step."""
    often = "from ilk.core.run import saving; from ilk.cli import main; saving(0.01, 0.9).__enter__(); main()"
    head = [sys.executable, "-c", often] if saves else [sys.executable, "-m", "ilk"]
    return subprocess.Popen([*head, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)


def wait_for(path: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.01)
