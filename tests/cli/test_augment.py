"""``ilk augment``: the answer, the file and its seal."""

from __future__ import annotations

import json

import pandas as pd
import pytest

MADE = ("--model", "logistic", "--scoring", "balanced_accuracy", "--candidate", "made balanced", "--folds", "2")


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    import numpy as np

    draw = np.random.default_rng(0)
    ill = np.arange(240) % 8 == 0
    fever = np.where(ill, draw.normal(38.4, 0.8, 240), draw.normal(37.0, 0.8, 240)).round(1)
    town = draw.choice(["Ulm", "Graz"], 240)
    frame = pd.DataFrame({"fever": fever, "state": np.where(ill, "ill", "well"), "town": town, "age": range(20, 260)})
    path = tmp_path_factory.mktemp("augment") / "patients.csv"
    frame.to_csv(path, index=False)
    return path


def test_the_answer_is_a_table_and_a_sentence(ilk, patients):
    ran = ilk(
        "augment", patients, "--label", "state", "--model", "logistic", "--candidate", "class_weights", "--folds", 2
    )
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].split()[:2] == ["nothing", "log_loss"]
    assert any(line.startswith("Do not augment: ") for line in lines)


def test_made_rows_stand_below_those_that_came_marked_and_sealed_as_a_mixture(ilk, patients, tmp_path):
    out = tmp_path / "more.csv"
    ran = ilk("augment", patients, "--label", "state", *MADE, "--mark", "made", "-o", out, "--json")
    assert ran.json["decision"] == "made balanced"
    assert ran.json["written"] == {"path": str(out), "count": 420, "made": 180, "seal": "sidecar"}
    before, after = pd.read_csv(patients), pd.read_csv(out)
    assert list(after.columns) == [*before.columns, "made"]
    pd.testing.assert_frame_equal(after[~after.made].drop(columns="made"), before)
    assert (after[after.made].state == "ill").all()
    assert after.made.sum() == 180
    body = (tmp_path / "more.csv.ilk.json").read_text()
    assert "compositeWithTrainedAlgorithmicMedia" in body
    assert ilk("verify", out).code == 0
    out.write_text(out.read_text().replace("Ulm", "Rom", 1))
    assert ilk("verify", out).code == 1


def test_without_made_rows_the_file_holds_those_that_came_and_no_seal(ilk, patients, tmp_path):
    out = tmp_path / "same.csv"
    ran = ilk(
        "augment", patients, "--label", "state", "--model", "logistic", "--candidate", "smote", "--folds", 2, "-o", out
    )
    assert "240 examples as they came; none was made, so there is no seal" in ran.out
    assert out.read_text().replace('"', "") == patients.read_text()
    assert list(tmp_path.iterdir()) == [out]


def test_smote_is_sealed_as_mixed_without_a_generator(ilk, patients, tmp_path):
    words = [*MADE[:4], "--candidate", "smote", *MADE[6:]]
    out = tmp_path / "more.parquet"
    ran = ilk("augment", patients, "--label", "state", *words, "-o", out, "--json")
    assert ran.json["decision"] == "smote"
    assert json.loads((tmp_path / "more.parquet.ilk.json").read_text())
    assert len(pd.read_parquet(out)) == 420
    assert ilk("verify", out).code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "by --label NAME; it has fever, state, town, age"),
        (("--label", "stat"), 'patients.csv has no column "stat"; did you mean "state"?'),
        (("--label", "fever"), "The label fever is a number with"),
        (("--label", "age"), "The label age is a number with 240 different values"),
        (("--label", "state", "--mark", "town"), 'has a column "town" already'),
        (("--label", "state", "-o", "more.png"), 'table is not written as ".png"'),
        (("--label", "state", "--model", "svm"), 'There is no model "svm"'),
        (("--label", "state", "--column", "fever=cat"), 'There is no type "cat" of a column'),
        (("--label", "state", "--wrong", "1"), "wrong"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_fitted(ilk, patients, words, says):
    ran = ilk("augment", patients, *words)
    assert ran.code == 2
    assert says in ran.err


def test_nothing_is_overwritten(ilk, patients, tmp_path):
    out = tmp_path / "more.csv"
    out.write_text("mine")
    assert ilk("augment", patients, "--label", "state", "-o", out).code == 2
    assert out.read_text() == "mine"


def test_text_cannot_be_augmented_yet(ilk, tmp_path):
    (tmp_path / "a.txt").write_text("once upon a time " * 50)
    ran = ilk("augment", tmp_path / "a.txt", "--label", "x")
    assert "Examples of kind text cannot be augmented yet; these can: table, image" in ran.err
