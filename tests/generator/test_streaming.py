"""One sample as it is made is the sample that is drawn at once; what cannot be streamed says so."""

from __future__ import annotations

import pytest

import ilk
from ilk.core.errors import InputError
from ilk.core.samples import Samples
from ilk.engines.gpt import Gpt
from ilk.generator.streaming import _pieces

SMALL = Gpt(width=32, layers=1, heads=2, key_heads=1, head_size=16, hidden=48, window=32, batch=4)
TEXTS = [f"Das Café Nr. {number} öffnet früh, schließt spät — und kostet {number} €." for number in range(60)]


@pytest.fixture(scope="module")
def model():
    return ilk.Generator(kind="text", engine=SMALL, steps=4, options={"tokens": "bytes"}).fit(TEXTS)


@pytest.mark.parametrize(
    "options", [{}, {"stop": ("a", "e")}, {"regex": "[a-zé€]{12}"}], ids=["plain", "stop", "regex"]
)
def test_pieces_together_are_the_sample(model, options):
    stream = model.stream(given={"prompt": "Das"}, seed=5, length=60, temperature=1.0, **options)
    pieces = list(stream)
    whole = model.sample(1, given={"prompt": "Das"}, seed=5, length=60, temperature=1.0, **options)[0]
    assert "".join(pieces) == whole
    assert len(pieces) > 1 or options.get("stop")
    assert pieces[0].startswith("Das")


def test_a_character_comes_whole_or_not_at_all(model):
    pieces = list(model.stream(seed=1, regex="(é€ß){4}", length=60))
    assert "".join(pieces) == "é€ß" * 4
    assert all("\ufffd" not in piece for piece in pieces)


def test_stop_words_end_a_sample_and_are_left_out(model):
    plain = model.sample(8, seed=3, length=50, temperature=1.0)
    short = model.sample(8, seed=3, length=50, temperature=1.0, stop=("e", " "))
    for long, cut in zip(plain, short, strict=True):
        found = [place for word in ("e", " ") if (place := long.find(word)) >= 0]
        assert cut == (long[: min(found)] if found else long)
    assert list(model.sample(2, seed=3, length=50, temperature=1.0, stop="e"))  # one word needs no tuple


def test_choices_are_kept_with_the_best_of_several(model):
    assert set(model.sample(6, seed=1, choices=("yes", "no"))) <= {"yes", "no"}


def test_a_stream_is_saved_as_the_sample_that_it_was(model, tmp_path):
    stream = model.stream(seed=9, length=20)
    next(stream)
    samples = stream.samples()
    assert isinstance(samples, Samples)
    assert samples.seed == 9
    assert list(samples) == list(model.sample(1, seed=9, length=20))
    assert samples.save(tmp_path / "one.txt").count == 1


def test_without_a_seed_one_is_drawn_and_told(model):
    stream = model.stream(length=10)
    assert "".join(stream) == model.sample(1, seed=stream.seed, length=10)[0]


def test_a_prompt_that_is_too_long_is_refused(model):
    with pytest.raises(InputError, match="the model sees 31 before a new one"):
        model.stream(given={"prompt": "x" * 32}, seed=1)


def test_models_that_make_all_at_once_say_so(model):
    class AllAtOnce:
        engine, codec, kind = object(), object(), model.model_.kind

    with pytest.raises(InputError, match="makes a sample all at once"):
        _pieces(AllAtOnce(), {}, 1, {})


def test_bad_arguments_are_refused_before_the_first_piece(model):
    with pytest.raises(InputError, match="seed"):
        model.stream(seed=-1)
    with pytest.raises(InputError, match="lenght"):
        model.stream(lenght=3)
