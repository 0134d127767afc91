"""``ilk report``: a page and its numbers in the model folder; data found again; what is wrong in one sentence."""

from __future__ import annotations

import json
import shutil

import pytest
from PIL import Image

from cli.conftest import save_pictures
from ilk.cli import main
from ilk.core.events import ignore
from ilk.generator import evidence, load

CTRL_C = 130
QUESTIONS = {"real", "diverse", "new", "useful", "private"}


@pytest.fixture(scope="module")
def judged(pictures, tmp_path_factory):
    """A model and its data that a test may not change, with a report."""
    folder = tmp_path_factory.mktemp("judged")
    shutil.copytree(pictures, folder / "discs")
    model = folder / "discs.ilk"
    assert main(["fit", str(folder / "discs"), "-o", str(model), "--steps", "4", "--threads", "1", "--json"]) == 0
    assert main(["report", str(model), "-n", "60", "--json"]) == 0
    return model


@pytest.fixture
def model(judged, tmp_path):
    """A copy of the model, its data where they were, no report yet."""
    shutil.copytree(judged, tmp_path / "discs.ilk")
    shutil.rmtree(tmp_path / "discs.ilk" / "report")
    return tmp_path / "discs.ilk"


def numbers(model):
    return json.loads((model / "report" / "report.json").read_text())


def test_a_report_is_a_page_and_its_numbers_in_the_model_folder(ilk, judged):
    page = (judged / "report" / "index.html").read_text()
    assert page.startswith("<!doctype html>")
    found = numbers(judged)
    assert set(found["says"]) | set(found["absent"]) == QUESTIONS
    assert set(found["real.precision"]) >= {"value", "ceiling", "interval"}
    assert found["counts"] == {"train": 37, "holdout": 3, "samples": 60}  # a tenth of 24 and of 16
    assert "cannot be compared" in found["encoder"]
    assert ilk("verify", judged / "report" / "index.html").code == 0
    assert ilk("sample", judged, "-n", "1", "-o", judged.parent / "x.png").code == 0


def test_pictures_on_the_page_carry_a_seal_of_their_own(ilk, judged, tmp_path):
    import base64
    import re

    page = (judged / "report" / "index.html").read_text()
    first = re.search(r'src="data:image/png;base64,([^"]+)"', page)
    (tmp_path / "saved.png").write_bytes(base64.b64decode(first[1]))
    assert ilk("verify", tmp_path / "saved.png").code == 0


def test_it_says_five_sentences_and_where_the_page_is(ilk, model):
    ran = ilk("report", model, "-n", 60)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert [line.split()[0].strip("?").lower() for line in lines[1:6]] == [
        "real", "diverse", "new", "useful", "private",
    ]  # fmt: skip
    assert lines[6].endswith("discs.ilk/report/index.html")
    assert "## How good it is" in (model / "CARD.md").read_text()


def test_json_is_one_object_with_every_number(ilk, model, tmp_path):
    ran = ilk("report", model, "-n", 60, "-o", tmp_path / "card.html", "--json")
    assert ran.json["page"] == str(tmp_path / "card.html")
    assert ran.json["real.precision"]["value"] <= 1
    assert (tmp_path / "card.html").is_file()
    assert not (model / "report").exists()


def test_an_output_is_written_by_its_suffix_and_never_replaced(ilk, model, tmp_path):
    (tmp_path / "card.json").write_text("mine")
    assert "exists" in ilk("report", model, "-n", 60, "-o", tmp_path / "card.json").err
    assert (tmp_path / "card.json").read_text() == "mine"
    assert "card.pdf" in ilk("report", model, "-n", 60, "-o", tmp_path / "card.pdf").err
    assert ilk("report", model, "-n", 60, "-o", f"{tmp_path}/both/").code == 0
    assert {path.name for path in (tmp_path / "both").iterdir()} >= {"index.html", "report.json"}


def test_a_second_report_takes_the_place_of_the_first(ilk, model):
    ilk("report", model, "-n", 60)
    first = numbers(model)["made"], (model / "CARD.md").read_text()
    assert ilk("report", model, "-n", 61).code == 0
    assert numbers(model)["counts"]["samples"] == 61
    assert (model / "CARD.md").read_text().count("## How good it is") == first[1].count("## How good it is") == 1
    assert not [path for path in model.iterdir() if path.name.startswith(".report")]


def test_a_report_survives_a_resumed_fit_and_stays_out_of_an_export(ilk, model, tmp_path):
    ilk("report", model, "-n", 60)
    assert ilk("fit", "-o", model, "--resume", "--steps", 5).code == 0
    assert (model / "report" / "index.html").is_file()
    assert ilk("export", model, "-o", tmp_path / "share.ilk").code == 0
    assert not (tmp_path / "share.ilk" / "report").exists()


def test_the_same_seed_gives_the_same_numbers(ilk, judged, model):
    ilk("report", model, "-n", 60)
    one, two = numbers(judged), numbers(model)
    assert {k: v for k, v in one.items() if "." in k} == {k: v for k, v in two.items() if "." in k}


def test_a_report_that_is_interrupted_leaves_the_old_one(ilk, model, monkeypatch):
    ilk("report", model, "-n", 60)
    before = {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}
    monkeypatch.setattr("ilk.generator.report_card.ReportCard._put", _stopped)
    assert ilk("report", model, "-n", 61).code == CTRL_C
    assert {path: path.read_bytes() for path in model.rglob("*") if path.is_file()} == before


def test_the_first_report_that_is_interrupted_leaves_none(ilk, model, monkeypatch):
    monkeypatch.setattr("ilk.judge.examine.examine", _stopped)
    assert ilk("report", model, "-n", 60).code == CTRL_C
    assert not [path for path in model.iterdir() if "report" in path.name]


def _stopped(*_, **__):
    raise KeyboardInterrupt


def test_moved_data_are_named_with_data(ilk, pictures, tmp_path):
    shutil.copytree(pictures, tmp_path / "here")
    model = tmp_path / "moved.ilk"
    ilk("fit", tmp_path / "here", "-o", model, "--steps", 2, "--threads", 1)
    (tmp_path / "here").rename(tmp_path / "there")
    ran = ilk("report", model, "-n", 60)
    assert ran.code == 2
    assert "--data" in ran.err
    assert not (model / "report").exists()
    assert ilk("report", model, "-n", 60, "--data", tmp_path / "there").code == 0


def test_changed_data_are_refused(ilk, model, judged, tmp_path):
    shutil.copytree(judged.parent / "discs", tmp_path / "changed")
    Image.new("L", (16, 16), 200).save(tmp_path / "changed" / "big" / "000.png")
    ran = ilk("report", model, "--data", tmp_path / "changed")
    assert ran.code == 2
    assert "ILK-INPUT-018" in ran.err
    assert "--data" in ran.err


def test_a_model_without_state_is_reported_without_what_needs_its_data(ilk, judged, model, tmp_path):
    share = tmp_path / "share.ilk"
    ilk("export", model, "-o", share)
    ran = ilk("report", share, "-n", 60, "--json")
    assert ran.code == 0
    assert set(ran.json["absent"]) >= {"new", "useful", "private"}
    assert all("--data" in reason for reason in ran.json["absent"].values())
    assert "real.precision" not in ran.json
    found = ilk("report", share, "-n", 60, "--data", judged.parent / "discs", "--json").json
    assert found["new.memorised"] == numbers(judged)["new.memorised"]


def test_other_examples_alone_say_whether_samples_look_real(ilk, model, tmp_path):
    ilk("export", model, "-o", tmp_path / "share.ilk")
    other = save_pictures(tmp_path / "more", 60, seed=9)
    found = ilk("report", tmp_path / "share.ilk", "-n", 60, "--holdout", other, "--json").json
    assert "real.precision" in found
    assert set(found["absent"]) >= {"new", "private"}


def test_a_holdout_that_overlaps_is_told_and_taken_out(ilk, model, judged, tmp_path):
    other = save_pictures(tmp_path / "more", 30, seed=9)
    for number, path in enumerate(sorted((judged.parent / "discs" / "big").glob("*.png"))[:10]):
        shutil.copy(path, other / f"again-{number}.png")
    found = ilk("report", model, "-n", 60, "--holdout", other, "--json").json
    taken = [each for each in found["skipped"] if "training examples too" in each]
    assert len(taken) == 1
    count = int(taken[0].split()[0])
    assert 8 <= count <= 10  # one or two of them may have been held out
    assert found["counts"]["holdout"] == 40 - count


def test_a_holdout_of_nothing_but_training_examples_is_refused(ilk, model, tmp_path, judged):
    nothing = {"data": None, "y": None, "holdout": None, "opinion": None, "seed": 0, "on": ignore}
    learned = evidence.find(load(model).model_, None, **nothing).train.names
    assert len(learned) == 37
    (tmp_path / "same").mkdir()
    for number, name in enumerate(learned[:5]):
        shutil.copy(judged.parent / "discs" / name, tmp_path / "same" / f"{number}.png")
    ran = ilk("report", model, "-n", 60, "--holdout", tmp_path / "same")
    assert ran.code == 2
    assert "training examples too" in ran.err


def test_held_against_another_model_there_is_a_second_column(ilk, model, judged):
    found = ilk("report", model, "-n", 60, "--against", judged, "--json").json
    assert found["against"] == "discs.ilk"
    assert found["real.precision"]["other"] == found["real.precision"]["value"]  # the same model, the same seed
    assert '<span class="key-other">discs.ilk</span>' in (model / "report" / "index.html").read_text()


def test_held_against_files_there_is_a_second_column(ilk, model, tmp_path):
    other = save_pictures(tmp_path / "theirs", 60, seed=5, side=20)
    found = ilk("report", model, "-n", 60, "--against", other, "--json").json
    assert found["against"] == "theirs"
    assert found["real.precision"]["other"] > found["real.precision"]["value"]  # real discs, beside four steps' worth


def test_what_is_of_another_kind_or_nowhere_is_one_sentence(ilk, model, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("hello")
    for flag in ("--against", "--holdout"):
        assert ilk("report", model, flag, tmp_path / "notes").code == 2
        assert ilk("report", model, flag, tmp_path / "nowhere").code == 2
    assert ilk("report", tmp_path / "nowhere.ilk").code == 2
    assert ilk("report", model, "-n", 0).code == 2
