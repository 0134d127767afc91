"""Likelihoods: exact, of each row alone, and of nothing that comes later."""

import msgspec
import numpy as np
import torch
from gpt_small import Rows, learn, learned, scores

from ilk.core.plan import Plan
from ilk.core.spaces import Tokens
from ilk.engines.gpt.settings import sized

ALPHABET = 16


def test_a_row_costs_what_its_tokens_cost_one_after_the_other():
    codec, engine = learned("bpe")
    tokens = codec.tokenizer.encode(["The quick brown fox jumps over"])[0].tolist()
    found = engine.log_score({"x": np.array([tokens]), "length": np.array([len(tokens)])})
    each = scores(engine, [codec.facts.start, *tokens[:-1]]).double()
    assert np.isclose(found[0], sum(float(each[at, token]) for at, token in enumerate(tokens)), atol=1e-3)


def test_a_row_knows_no_neighbours():
    codec, engine = learned("chars")
    rows = codec.tokenizer.encode(["The lazy dog.", "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich! " * 4])
    length = np.array([len(row) for row in rows])
    x = np.zeros((2, length.max()), np.int64)
    for place, row in enumerate(rows):
        x[place, : len(row)] = row
    both = engine.log_score({"x": x, "length": length})
    alone = [engine.log_score({"x": row[None].astype(np.int64), "length": np.array([len(row)])})[0] for row in rows]
    assert np.allclose(both, alone, atol=1e-3)


def test_nobody_can_foretell_what_is_left_to_chance():
    """Uniformly random letters cost ln(alphabet) each, or more; a network that saw the future would pay less."""
    random = np.random.default_rng(0)
    space = Tokens(vocabulary=ALPHABET + 1, length=64, start=ALPHABET, end=ALPHABET)

    def rows(count):
        x = random.integers(ALPHABET, size=(count, 64))
        return Rows({"x": x, "length": np.full(count, 64), "piece": np.zeros(count, np.int64)})

    settings = msgspec.structs.replace(sized(32, layers=2, batch=8, window=32), rate=1e-2)
    engine = settings.build(space, {}, Plan(steps=120))
    learn(engine, rows(200), 120)
    fresh = rows(300)
    nats = -engine.log_score({"x": fresh.arrays["x"], "length": fresh.arrays["length"]}).sum() / (300 * 64)
    # The mean cost of 19,200 fair draws differs from its expectation by far less than this.
    assert np.log(ALPHABET) - 0.01 < nats < np.log(ALPHABET) + 0.2
    later = {"x": fresh.arrays["x"][:2].copy(), "length": fresh.arrays["length"][:2]}
    with torch.no_grad():
        known = [scores(engine, [ALPHABET, *later["x"][row, :31].tolist()])[:16] for row in (0, 1)]
        later["x"][:, 16:] = (later["x"][:, 16:] + 1) % ALPHABET
        again = [scores(engine, [ALPHABET, *later["x"][row, :31].tolist()])[:16] for row in (0, 1)]
    assert all(torch.allclose(one, two, atol=1e-5) for one, two in zip(known, again, strict=True))
