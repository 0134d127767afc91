"""Samples of a text model as somebody asks for them: prompts, ends, forms of output, one row at a time."""

from __future__ import annotations

import json
import random

import pytest

import ilk as package
from ilk.engines.gpt import Gpt

SMALL = Gpt(width=32, layers=1, heads=2, key_heads=2, head_size=16, hidden=32, window=48, batch=8)
WORDS = ("the", "tide", "comes", "in", "and", "goes", "out", "again", "while", "boats", "wait", "for", "wind")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of characters that has learned a little."""
    draw = random.Random(1)
    text = "\n\n".join(" ".join(draw.choices(WORDS, k=30)) + "." for _ in range(60))
    path = tmp_path_factory.mktemp("sea") / "sea.ilk"
    package.Generator(kind="text", engine=SMALL, steps=60, options={"tokens": "chars"}, threads=1).fit(
        text, save_to=path
    )
    return path


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_sample_is_prompt_and_continuation(ilk, model, tmp_path):
    done = ilk("sample", model, "-n", 3, "--given", "prompt=boats wait", "--length", 20, "-o", tmp_path / "a.jsonl")
    assert done.code == 0
    texts = [row["text"] for row in lines(tmp_path / "a.jsonl")]
    assert len(texts) == 3
    assert all(text.startswith("boats wait") for text in texts)
    assert all(len("boats wait") < len(text) <= len("boats wait") + 20 for text in texts)


@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "folder"])
def test_every_form_of_output_is_signed(ilk, model, tmp_path, name):
    assert ilk("sample", model, "-n", 3, "--length", 20, "--seed", 1, "-o", tmp_path / name).code == 0
    target = tmp_path / name
    files = sorted(target.glob("0*.txt")) if target.is_dir() else [target]
    assert len(files) == (3 if name == "folder" else 1)
    found = ilk("verify", *files, "--json").json
    assert {each["state"] for each in found["files"]} == {"sealed-in-manifest" if name == "folder" else "sealed"}
    files[0].write_text(files[0].read_text("utf-8").replace("e", "i"), "utf-8")
    assert ilk("verify", files[0], "--json").json["files"][0]["state"] == "altered"


def test_a_row_is_the_same_in_a_short_and_a_long_call(ilk, model, tmp_path):
    for count in (18, 64):
        ilk("sample", model, "-n", count, "--length", 30, "--seed", 9, "-o", tmp_path / f"{count}.jsonl")
    few, many = (lines(tmp_path / f"{count}.jsonl") for count in (18, 64))
    assert [row["text"] for row in few] == [row["text"] for row in many[:18]]
    assert len({row["text"] for row in many}) > 32


def test_a_prompt_that_is_longer_than_the_context_is_refused_with_the_limit(ilk, model, tmp_path):
    done = ilk("sample", model, "--given", "prompt=" + "the tide " * 20, "-o", tmp_path / "a.jsonl")
    assert done.code == 2
    assert "47" in done.err or "48" in done.err
    assert not (tmp_path / "a.jsonl").exists()


def test_characters_that_the_model_never_saw_stay_in_the_prompt(ilk, model, tmp_path):
    done = ilk("sample", model, "-n", 1, "--given", "prompt=boats Ω 漢", "--length", 5, "-o", tmp_path / "a.jsonl")
    assert done.code == 0, done.err
    assert lines(tmp_path / "a.jsonl")[0]["text"].startswith("boats Ω 漢")


def test_a_stop_word_ends_a_sample_and_one_that_never_comes_does_no_harm(ilk, model, tmp_path):
    words = ("sample", model, "-n", 6, "--seed", 3, "--length", 40)
    ilk(*words, "-o", tmp_path / "plain.jsonl")
    assert ilk(*words, "--stop", "never met", "-o", tmp_path / "never.jsonl").code == 0
    assert ilk(*words, "--stop", " t", "-o", tmp_path / "stop.jsonl").code == 0
    plain, never, stop = ([r["text"] for r in lines(tmp_path / f"{n}.jsonl")] for n in ("plain", "never", "stop"))
    assert never == plain
    assert stop == [text.split(" t")[0] for text in plain]
    assert stop != plain


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--length", 0), "length cannot be 0: it must be a whole number of at least 1."),
        (("--length", "long"), "length cannot be long: it must be a whole number"),
        (("--temperature", -1), "temperature cannot be -1: it must be a number of at least 0"),
        (("--top-p", 2), "top-p cannot be 2: it must be a number of at most 1"),
        (("--schema", "missing.json"), "missing.json"),
        (("--regex", "(unclosed"), "regular expression"),
        (("--backend", "cuda"), "backend cannot be cuda: it must be one of ilk, llama.cpp."),
        (("--given", "class=shirt"), "class"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(ilk, model, tmp_path, words, says):
    done = ilk("sample", model, *words, "-o", tmp_path / "a.jsonl")
    assert done.code == 2
    assert says in done.err
    assert not (tmp_path / "a.jsonl").exists()


def test_a_schema_that_nothing_meets_is_refused(ilk, model, tmp_path):
    (tmp_path / "s.json").write_text('{"type": "integer", "minimum": 5, "maximum": 2}')
    done = ilk("sample", model, "--schema", tmp_path / "s.json", "-o", tmp_path / "a.jsonl")
    assert done.code == 2
    assert "schema" in done.err


def test_a_stream_is_the_sample_of_its_seed_and_saved_where_it_is_told(ilk, model, tmp_path):
    words = (model, "--seed", 5, "--length", 30, "--given", "prompt=the wind")
    streamed = ilk("sample", *words, "--stream")
    assert streamed.code == 0
    assert "not saved" in streamed.err
    ilk("sample", *words, "-n", 1, "-o", tmp_path / "a.jsonl")
    (row,) = lines(tmp_path / "a.jsonl")
    assert streamed.out.rstrip("\n") == row["text"].rstrip("\n")
    assert ilk("sample", *words, "--stream", "-o", tmp_path / "b.txt").code == 0
    assert (tmp_path / "b.txt").read_text("utf-8").rstrip("\n") == row["text"].rstrip("\n")
    assert ilk("verify", tmp_path / "b.txt", "--json").json["files"][0]["state"] == "sealed"
    refused = ilk("sample", *words, "--stream", "-n", 2)
    assert refused.code == 2
    assert "--stream shows one sample" in refused.err


def test_a_field_of_a_csv_is_learnt_as_text_though_tables_own_csv(ilk, tmp_path):
    rows = [f'{number},"the film was good, and number {number} is long enough to be learnt"' for number in range(60)]
    (tmp_path / "reviews.csv").write_text("\n".join(["id,review", *rows]) + "\n")
    model = tmp_path / "reviews.ilk"
    done = ilk("fit", str(tmp_path / "reviews.csv"), "--field", "review", "--steps", "2", "-o", str(model))
    assert done.code == 0, done.err
    assert json.loads((model / "ilk.json").read_text())["kind"] == "text"
