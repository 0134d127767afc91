"""Decoding: cached steps are the network's own, rows know no neighbours, finished ones make room."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ilk.core.errors import InputError
from ilk.core.spaces import Tokens
from ilk.engines.gpt import Gpt, SampleSettings
from ilk.engines.gpt.cache import places
from ilk.engines.gpt.engine import shape_of
from ilk.engines.gpt.model import Transformer, causal_mask
from ilk.engines.gpt.session import Session
from ilk.engines.gpt.widths import USUAL, widths

VOCABULARY, END = 61, 1
FREE = SampleSettings(length=40, temperature=1.0, min_p=0.0)
GREEDY = SampleSettings(length=40, temperature=0.0)


def network(window: int = 512, *, heads: int = 4, key_heads: int = 2, width: int = 64, layers: int = 2) -> Transformer:
    settings = Gpt(width=width, layers=layers, heads=heads, key_heads=key_heads, head_size=16, hidden=96, window=window)
    torch.manual_seed(0)
    model = Transformer(shape_of(settings, Tokens(vocabulary=VOCABULARY, length=window, start=0, end=END)))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model.requires_grad_(requires_grad=False)


def session(model: Transformer, window: int = 512, end: int = END, rows: int = 64, **more) -> Session:
    return Session(model, start=0, end=end, window=window, rows=rows, **more)


def run(session: Session) -> dict[int, list[int]]:
    made: dict[int, list[int]] = {}
    while not session.idle:
        for row, token, _ in session.step():
            made.setdefault(row, []).append(token)
    return made


def slowly(model: Transformer, prompt: list[int], count: int, window: int) -> list[int]:
    """Greedy tokens without a cache: every layer sees a band of ``window`` positions."""
    tokens = [0, *prompt]
    for _ in range(count):
        size = len(tokens)
        mask = causal_mask(size, torch.float32, torch.device("cpu"))
        far = torch.ones(size, size, dtype=torch.bool).tril(-window)
        hidden = model(torch.tensor([tokens]), mask=mask.masked_fill(far, float("-inf")))
        tokens.append(int(model.logits(hidden[0, -1]).argmax()))
    return tokens[1 + len(prompt) :]


@pytest.mark.parametrize("window", [512, 24])
@pytest.mark.parametrize("prompt", [[], [5], list(range(2, 20))])
def test_cached_steps_are_those_of_the_whole_network(window, prompt):
    model = network(window)
    one = session(model, window, end=-1)
    one.submit(prompt, GREEDY, 0)
    assert next(iter(run(one).values())) == slowly(model, prompt, 40, window)


def test_long_prompts_are_computed_in_pieces():
    model, prompt = network(), np.random.default_rng(0).integers(2, VOCABULARY, 300).tolist()
    one = session(model, end=-1)
    one.submit(prompt, SampleSettings(length=6, temperature=0), 0)
    assert next(iter(run(one).values())) == slowly(model, prompt, 6, 512)


def test_row_17_is_the_same_for_every_number_of_rows():
    model = network()
    made = {}
    for count in (18, 64, 40, 19):
        several = session(model)
        names = [several.submit([7, 8], FREE, 3, index=index) for index in range(count)]
        made[count] = run(several)[names[17]]
    alone = session(model)
    alone.submit([7, 8], FREE, 3, index=17)
    assert [made[count] for count in made] == [run(alone)[0]] * len(made)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("threads", [1, 2])
def test_rows_know_no_neighbours_whatever_they_are(dtype, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        model = network(heads=9, key_heads=3, width=576, layers=1).to(dtype)
        random, few_tokens = np.random.default_rng(1), SampleSettings(length=12, temperature=1.0, min_p=0.0)
        prompts = [random.integers(2, VOCABULARY, random.integers(0, 90)).tolist() for _ in range(24)]
        together = session(model, dtype=dtype)
        names = [together.submit(prompt, few_tokens, 5, index=index) for index, prompt in enumerate(prompts)]
        made = run(together)
        for index in (0, 5, 23):
            for rows in (1, 3):
                few = session(model, dtype=dtype, rows=rows)
                own = few.submit(prompts[index], few_tokens, 5, index=index)
                few.submit([9], few_tokens, 6)
                few.submit(prompts[index][:40], few_tokens, 6, index=1)
                assert run(few)[own] == made[names[index]], (index, rows)
    finally:
        torch.set_num_threads(before)


def test_finished_rows_make_room_for_those_that_wait():
    model = network()
    few, many = session(model, rows=3), session(model, rows=64)
    for each in (few, many):
        for index in range(12):
            each.submit([3, 4], FREE, 2, index=index)
    most, made = 0, {}
    while not few.idle:
        drawn = few.step()
        most = max(most, len(drawn))
        for row, token, _ in drawn:
            made.setdefault(row, []).append(token)
    assert most == 3
    assert made == run(many)


def test_a_row_ends_with_end_or_its_most_tokens():
    made = run_some(SampleSettings(length=30, temperature=1.0, min_p=0.0))
    ended = [row for row in made if row[-1] == END]
    assert ended
    assert all(END not in row[:-1] for row in made)
    assert all(len(row) == 30 for row in made if row[-1] != END)


def run_some(settings: SampleSettings) -> list[list[int]]:
    several = session(network())
    for index in range(30):
        several.submit([], settings, 1, index=index)
    return list(run(several).values())


def test_logprobs_are_the_networks_own():
    model = network()
    one = session(model, end=-1)
    one.submit([4, 5], SampleSettings(length=5, temperature=0.5, top_k=3), 0)
    tokens, told = [0, 4, 5], []
    while not one.idle:
        (drawn,) = one.step()
        hidden = model(torch.tensor([tokens]), mask=causal_mask(len(tokens), torch.float32, torch.device("cpu")))
        told.append((drawn.logprob, float(model.logits(hidden[0, -1]).log_softmax(-1)[drawn.token])))
        tokens.append(drawn.token)
    np.testing.assert_allclose(*zip(*told, strict=True), atol=1e-4)


def test_a_cancelled_row_changes_nobody():
    model = network()
    with_it, without = session(model, end=-1), session(model, end=-1)
    gone = with_it.submit([9, 9], FREE, 4, index=9)
    for each in (with_it, without):
        for index in range(3):
            each.submit([3], FREE, 4, index=index)
    with_it.step()
    with_it.cancel(gone)
    with_it.cancel(gone)
    rest = run(with_it)
    assert gone not in rest
    whole = run(without)
    assert [rest[name][-20:] for name in sorted(rest)] == [whole[name][-20:] for name in sorted(whole)]


def test_a_prompt_that_is_too_long_is_refused_with_the_limit():
    with pytest.raises(InputError, match="has 16 tokens and the model sees 15"):
        session(network(16), 16).submit([2] * 16, FREE, 0)
    one = session(network(16), 16)
    one.submit([2] * 15, FREE, 0)
    assert len(next(iter(run(one).values()))) > 0


def test_memory_grows_with_what_is_there():
    model = network(100_000)
    one = session(model, 100_000, end=-1)
    one.submit([2] * 10, SampleSettings(length=80), 0)
    run(one)
    assert tuple(one._cache.keys[0].shape[:3]) == (1, 2, 128)


def test_places_double_up_to_the_window():
    assert [places(count, 200) for count in (1, 64, 65, 129, 5000)] == [64, 64, 128, 200, 200]


def test_widths_always_have_the_usual_one_or_compute_alone():
    for found in widths(network(), torch.float32):
        assert USUAL in found or found == (1,)
