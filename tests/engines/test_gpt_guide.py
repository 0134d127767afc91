"""Guides: what a grammar allows and nothing else, words that end a text, and what of it is certain on the way."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch

from ilk.core.errors import InputError
from ilk.core.plan import Plan
from ilk.core.protocol import Given
from ilk.core.sequences import Guide
from ilk.core.spaces import Tokens
from ilk.engines.gpt import Gpt, SampleSettings
from ilk.engines.gpt.guide import Grammar
from ilk.kinds.text.guide import TextGuide
from ilk.kinds.text.options import SampleOptions
from ilk.kinds.text.passage import Passage
from ilk.kinds.text.tokenizer import byte_tokenizer, char_tokenizer, trained_tokenizer

END = "<|endoftext|>"
TEXTS = ['Hello world, the quick brown fox. {"name": "Bob", "age": 12, "tags": ["a"]} aé€'] * 50
TOKENIZERS = {
    "pieces": trained_tokenizer(TEXTS, 320, [END]),
    "characters": char_tokenizer(set("".join(TEXTS)), [END]),
    "bytes": byte_tokenizer([END]),
}
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "kind": {"enum": ["cat", "dog"]},
    },
    "required": ["name", "age", "kind"],
    "additionalProperties": False,
}
SETTINGS = SampleSettings(length=150, temperature=1.0, min_p=0.0)


def made(tokenizer, guide, rows: int = 6, settings: SampleSettings = SETTINGS) -> list[tuple[str, bool]]:
    """Texts of an untrained engine and whether they end."""
    space = Tokens(vocabulary=tokenizer.vocabulary, length=64, start=0, end=0)
    small = Gpt(width=32, layers=1, heads=2, key_heads=1, head_size=16, hidden=48, window=256)
    arrays = small.build(space, {}, Plan(steps=1)).sample(np.arange(rows), Given(guide=guide), 3, settings)
    out = []
    for row, length in zip(arrays["x"], arrays["length"], strict=True):
        ends = row[length - 1] == 0
        out.append((tokenizer.decode([row[: length - ends]])[0], bool(ends)))
    return out


def guide(tokenizer, prompt: str = "", **options) -> TextGuide:
    space = Tokens(vocabulary=tokenizer.vocabulary, length=64, start=0, end=0)
    return TextGuide(tokenizer, space, SampleOptions(**options), prompt)


@pytest.fixture
def schema(tmp_path):
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    return str(path)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_json_that_ends_meets_its_schema(name, schema):
    tokenizer = TOKENIZERS[name]
    steering = guide(tokenizer, schema=schema)
    assert isinstance(steering, Guide)
    found = made(tokenizer, steering)
    assert any(ends for _, ends in found)
    for text, ends in found:
        if ends:
            value = json.loads(text)
            assert set(value) == {"name", "age", "kind"}
            assert 0 <= value["age"] <= 120
            assert value["kind"] in ("cat", "dog")


def test_json_that_runs_out_of_length_has_no_end(schema):
    tokenizer = TOKENIZERS["bytes"]
    found = made(tokenizer, guide(tokenizer, schema=schema), settings=SampleSettings(length=9))
    assert [ends for _, ends in found] == [False] * 6


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_regular_expression_is_matched_whole(name):
    tokenizer = TOKENIZERS[name]
    for text, ends in made(tokenizer, guide(tokenizer, regex=r"[A-C]{2}-[0-9]{3}é?")):
        assert ends
        assert re.fullmatch(r"[A-C]{2}-[0-9]{3}é?", text)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_one_of_the_choices_is_made(name):
    tokenizer, choices = TOKENIZERS[name], ("yes", "no", 'may"be', "€5")
    found = made(tokenizer, guide(tokenizer, choices=choices), rows=30)
    assert {text for text, _ in found} <= set(choices)
    assert len({text for text, _ in found}) > 1
    assert all(ends for _, ends in found)


@pytest.mark.parametrize(
    ("form", "text", "says"),
    [
        ("schema", '{"type": "nonsense"}', "JSON schema cannot be used: Invalid type"),
        ("schema", '{"type": "string", "minLength": 5, "maxLength": 2}', "Unsatisfiable"),
        ("schema", "{", "JSON schema cannot be used"),
        ("schema", "[1]", "JSON schema cannot be used"),
        ("regex", "[a-", "regular expression cannot be used"),
        ("regex", "a(?=b)", "look-around"),
        ("choices", "[]", "list of choices cannot be used"),
        ("choices", '[""]', "empty choice"),
    ],
)
def test_what_cannot_be_met_is_refused_in_a_sentence(form, text, says):
    tokenizer = TOKENIZERS["bytes"]
    with pytest.raises(InputError, match=says) as caught:
        Grammar(tokenizer.json.decode(), tokenizer.vocabulary, 0, form, text)
    assert "\n" not in str(caught.value)


def test_files_and_pairs_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        guide(TOKENIZERS["bytes"], schema=str(tmp_path / "none.json"))
    with pytest.raises(InputError, match="do not go together"):
        guide(TOKENIZERS["bytes"], regex="a", choices=("b",))


def test_a_mask_allows_a_valid_answer_and_nothing_after_it():
    tokenizer = TOKENIZERS["pieces"]
    grammar = Grammar(tokenizer.json.decode(), 49_152, 0, "schema", json.dumps(SCHEMA))
    scores = torch.zeros(49_152)
    walk, tokens = grammar.processor(), []
    for token in tokenizer.encode(['{"name": "Bob", "age": 12, "kind": "cat"}'])[0].tolist():
        walk(tokens, scores.zero_())
        assert scores[token] == 0
        tokens = [*tokens, token]
    walk(tokens, scores.zero_())
    assert torch.nonzero(scores == 0)[:, 0].tolist() == [0]


@pytest.mark.parametrize("name", TOKENIZERS)
def test_stop_words_are_found_across_tokens_and_left_out(name):
    tokenizer = TOKENIZERS[name]
    plain = [text for text, _ in made(tokenizer, None, settings=SampleSettings(length=120, temperature=1.0))]
    words = (plain[0][20:23], "never in it")
    steering = guide(tokenizer, stop=words)
    settings = SampleSettings(length=120, temperature=1.0)
    cut = [steering.finish(text) for text, _ in made(tokenizer, steering, settings=settings)]
    assert cut[0] == plain[0][: plain[0].find(words[0])]
    for short, long in zip(cut, plain, strict=True):
        assert words[0] not in short
        assert long.startswith(short)
        assert short == long.split(words[0])[0]


def test_stop_words_in_the_prompt_count_for_nothing():
    steering = guide(TOKENIZERS["bytes"], prompt="a. b", stop=(".",))
    assert steering.finish("a. b c. d") == "a. b c"
    assert steering.finish("a. b c") == "a. b c"
    assert isinstance(steering.finish(Passage("a. b c. d", ends=True)), Passage)


def test_what_may_become_a_stop_word_is_not_certain_yet():
    steering = guide(TOKENIZERS["bytes"], prompt="x", stop=("\nQ:", "END"))
    assert [str(steering.certain(text)) for text in ("xab", "xab\n", "xab\nQ", "xab\nR", "xabE", "xab\nQ: c")] == [
        "xab", "xab", "xab", "xab\nR", "xab", "xab",
    ]  # fmt: skip
    assert steering.certain("x") == "x"
