"""``ilk score``: nats a character over whole files, whatever the tokens; realness where there is no likelihood."""

from __future__ import annotations

import json
import random

import pytest

import ilk as package
from ilk.engines.gpt import Gpt

SMALL = Gpt(width=32, layers=1, heads=2, key_heads=2, head_size=16, hidden=32, window=32, batch=8)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    words, draw = (
        ["the", "tide", "comes", "in", "and", "goes", "out", "again", "while", "boats", "wait"],
        random.Random(1),
    )
    return "\n\n".join(" ".join(draw.choices(words, k=30)) + "." for _ in range(60))


@pytest.fixture(scope="module", params=["chars", "bpe"])
def model(request, text, tmp_path_factory):
    path = tmp_path_factory.mktemp("score") / "tide.ilk"
    options = {"tokens": request.param} | ({"vocabulary": 300} if request.param == "bpe" else {})
    package.Generator(kind="text", engine=SMALL, steps=40, options=options, threads=1).fit(text, save_to=path)
    return path


def test_a_file_has_its_nats_a_character(ilk, model, text, tmp_path):
    path = tmp_path / "more.txt"
    path.write_text(text[:3000])
    done = ilk("score", model, path, "--json", "--context", 16)
    found = json.loads(done.out)
    (row,) = found["files"]
    assert row["characters"] == 3000
    assert found["nats_per_character"] == pytest.approx(found["nats"] / 3000)
    assert 0.3 < found["nats_per_character"] < 3.5
    assert found["context"] == 16
    wider = json.loads(ilk("score", model, path, "--json").out)
    assert wider["nats_per_character"] <= found["nats_per_character"] + 0.1


def test_python_says_the_same(model, text):
    loaded = package.load(model)
    each = loaded.score_samples([text[:500], text[500:900]])
    assert each.shape == (2,)
    assert (each < 0).all()


@pytest.mark.parametrize("words", [["--context", 0], ["missing.txt"]])
def test_what_cannot_be_scored_is_refused_in_a_sentence(ilk, model, tmp_path, words):
    path = tmp_path / "few.txt"
    path.write_text("the tide")
    done = ilk("score", model, *([] if words == ["missing.txt"] else [path]), *words)
    assert done.code == 2
    assert "ILK-INPUT" in done.err


def test_an_empty_file_is_refused(ilk, model, tmp_path):
    path = tmp_path / "empty.txt"
    path.write_text("")
    assert ilk("score", model, path).code == 2
