"""What is drawn: the cuts, the draw itself, and rows that begin as they are told to."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from ilk.core.plan import Plan
from ilk.core.protocol import Given
from ilk.core.sequences import Sequential
from ilk.core.spaces import Tokens
from ilk.engines.gpt import Gpt, SampleSettings
from ilk.engines.gpt.model import causal_mask
from ilk.engines.gpt.processors import choose, knobs, repeated

SPACE = Tokens(vocabulary=40, length=24, start=0, end=1)
SMALL = Gpt(width=32, layers=2, heads=2, key_heads=1, head_size=16, hidden=48, window=32, batch=4)
LARGE = 6_000


def engine(space=SPACE):
    return SMALL.build(space, {}, Plan(steps=1))


def drawn(logits: list[float] | np.ndarray, count: int = 4000, **settings) -> Counter:
    row = torch.tensor(np.asarray(logits, np.float32)).expand(count, -1).contiguous()
    knob = knobs([SampleSettings(**{"min_p": 0.0, "temperature": 1.0, **settings})] * count)
    uniform = (np.arange(count) + 0.5) / count
    return Counter(choose(row, knob, uniform).tolist())


@pytest.mark.parametrize("wide", [0, LARGE])
def test_tokens_come_as_often_as_their_probability(wide):
    logits = np.full(4 + wide, -np.inf)
    logits[:4] = np.log([0.1, 0.2, 0.3, 0.4])
    found = drawn(logits)
    assert [found[token] for token in range(4)] == [400, 800, 1200, 1600]


def test_temperature_flattens_and_sharpens():
    found = drawn(np.log([0.2, 0.8]), temperature=0.5)
    assert found[1] == round(4000 * 0.64 / 0.68)
    assert drawn(np.log([0.2, 0.8]), temperature=0)[1] == 4000


@pytest.mark.parametrize("wide", [5, LARGE])
@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"top_k": 2}, 2),
        ({"top_k": 1}, 1),
        ({"top_p": 0.45}, 1),
        ({"top_p": 0.55}, 2),
        ({"min_p": 0.25}, 3),
        ({"top_k": 3, "top_p": 0.6}, 2),
        ({"top_k": 4, "min_p": 0.9}, 1),
    ],
)
def test_cuts_keep_the_likeliest(settings, kept, wide):
    share = np.full(wide, 1e-9)
    places = [4, 1, 3, 2]
    share[places] = 0.5, 0.25, 0.15, 0.1
    found = drawn(np.log(share), count=1000, **settings)
    assert set(found) == set(places[:kept])
    wanted = share[places[:kept]] / share[places[:kept]].sum()
    np.testing.assert_allclose([found[token] / 1000 for token in places[:kept]], wanted, atol=2e-3)


def test_top_p_reaches_far_into_a_flat_vocabulary():
    found = drawn(np.zeros(LARGE), count=1000, top_p=0.9)
    assert len(found) == 1000  # as many as were drawn: nothing was cut to a few


def test_a_row_with_other_settings_beside_it_draws_the_same():
    random = np.random.default_rng(0)
    logits = torch.tensor(random.normal(0, 3, (5, LARGE)), dtype=torch.float32)
    each = [
        SampleSettings(temperature=1.0, min_p=0.0),
        SampleSettings(top_k=7),
        SampleSettings(top_p=0.8, min_p=0.0),
        SampleSettings(temperature=0),
        SampleSettings(min_p=0.2),
    ]
    uniform = random.random(5)
    together = choose(logits, knobs(each), uniform)
    alone = [choose(logits[i : i + 1], knobs(each[i : i + 1]), uniform[i : i + 1])[0] for i in range(5)]
    assert together.tolist() == alone


def test_repetition_divides_positive_and_multiplies_negative_scores():
    logits = torch.tensor([2.0, -2.0, 1.0])
    repeated(logits, torch.tensor([0, 1]), 2.0)
    assert logits.tolist() == [1.0, -4.0, 1.0]


def test_repetition_makes_samples_less_repetitive():
    made = {
        penalty: engine().sample(np.arange(8), Given(), 1, SampleSettings(length=60, repetition=penalty))["x"]
        for penalty in (1.0, 10.0)
    }
    kinds = {penalty: np.mean([len(set(row)) for row in x]) for penalty, x in made.items()}
    assert kinds[10.0] > kinds[1.0]


def test_rows_begin_as_they_are_told_to():
    known = np.array([[5, 6, 7], [8, 0, 0], [0, 0, 0]])
    mask = np.array([[1, 1, 1], [1, 0, 0], [0, 0, 0]], bool)
    settings = SampleSettings(length=10, temperature=1.0)
    made = engine().sample(np.arange(3), Given(known=known, mask=mask), 7, settings)
    assert made["x"][0, :3].tolist() == [5, 6, 7]
    assert made["x"][1, 0] == 8
    for row, begun in zip(range(3), (3, 1, 0), strict=True):
        length = made["length"][row]
        ended = made["x"][row, length - 1] == SPACE.end
        assert length == begun + 10 or (ended and length <= begun + 10)
        assert (made["x"][row, length:] == 0).all()
    alone = engine().sample(np.array([1]), Given(known=known[1:2], mask=mask[1:2]), 7, settings)
    assert alone["x"][0].tolist() == made["x"][1, : alone["length"][0]].tolist()


def test_an_index_may_come_twice_with_two_prompts():
    known, mask = np.array([[5], [6]]), np.ones((2, 1), bool)
    made = engine().sample(np.array([3, 3]), Given(known=known, mask=mask), 7, SampleSettings(length=5))
    assert made["x"][:, 0].tolist() == [5, 6]


def test_types_are_those_of_the_space():
    made = engine().sample(np.arange(2), Given(), 7, SampleSettings(length=5))
    types = {name: array.dtype.name for name, array in made.items()}
    assert types == {"x": "int64", "length": "int32", "piece": "int64"}


def test_adapters_are_merged_and_follow_what_is_learned():
    settings = Gpt(width=32, layers=2, heads=2, key_heads=1, head_size=16, hidden=48, window=32, batch=4, adapter=4)
    learned = settings.build(SPACE, {}, Plan(steps=1))
    torch.manual_seed(0)
    for name, parameter in learned.model.named_parameters():
        if "adapter" not in name and parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    for _ in range(2):
        for name, parameter in learned.learned.items():
            if name.endswith("up"):
                torch.nn.init.normal_(parameter, std=0.3)
        made = learned.sample(np.arange(1), Given(), 1, SampleSettings(length=12, temperature=0))
        row = made["x"][0, : made["length"][0]]
        tokens = torch.tensor([[SPACE.start, *row[:-1].tolist()]])
        mask = causal_mask(tokens.shape[1], torch.float32, torch.device("cpu"))
        with torch.no_grad():
            assert learned.model.logits(learned.model(tokens, mask=mask))[0].argmax(-1).tolist() == row.tolist()


def test_an_engine_opens_sessions():
    made = engine()
    assert isinstance(made, Sequential)
    one = made.session(rows=1)
    one.submit(made.prefix(Given(known=np.array([[5, 6]]), mask=np.ones((1, 2), bool)), 0), SampleSettings(length=4), 7)
    tokens = []
    while not one.idle:
        tokens += [token for _, token, _ in one.step()]
    wanted = made.sample(
        np.arange(1), Given(known=np.array([[5, 6]]), mask=np.ones((1, 2), bool)), 7, SampleSettings(length=4)
    )
    assert [5, 6, *tokens] == wanted["x"][0, : wanted["length"][0]].tolist()
