"""llama.cpp as what computes: the same tokens where nothing is left to chance, and one row at a time."""

import copy
import sys

import numpy as np
import pytest
import torch
from gpt_small import learned

from ilk.core.errors import InputError, MachineError
from ilk.core.protocol import Given
from ilk.engines.gpt import SampleSettings

GREEDY = {"temperature": 0.0, "min_p": 0.0, "length": 30}


def rows(engine, count=3, seed=5, **settings):
    settings = {"backend": "llama.cpp", "length": 30, **settings}
    return engine.sample(np.arange(count), Given(), seed, SampleSettings(**settings))


@pytest.mark.parametrize("tokens", ["chars", "bpe"])
def test_the_likeliest_tokens_are_the_same(tokens):
    """Each is a likeliest one of ours, given those before it: where two are as likely, rounding decides."""
    _, engine = learned(tokens)
    theirs, own = rows(engine, 1, **GREEDY)["x"][0], rows(engine, 1, **GREEDY, backend="ilk")["x"][0]
    assert theirs[:5].tolist() == own[:5].tolist()
    with torch.inference_mode():
        start = torch.tensor([[engine.space.start, *theirs[:-1].tolist()]])
        model = copy.deepcopy(engine.at_best()).float()
        scores_TV = model.logits(model(start))[0]
    behind_T = scores_TV.max(1).values - scores_TV.gather(1, torch.as_tensor(theirs)[:, None].long())[:, 0]
    assert behind_T.max() < 0.05


def test_a_seed_gives_the_same_rows_whatever_stands_beside_them():
    _, engine = learned("chars")
    many, few = rows(engine, 4), rows(engine, 2)
    assert many["x"][:2].tolist() == few["x"].tolist()
    assert many["x"][0].tolist() != many["x"][1].tolist()
    assert rows(engine, 1, seed=6)["x"].tolist() != few["x"][:1].tolist()


def test_a_session_tells_tokens_with_their_likelihood_and_forgets_what_is_cancelled():
    _, engine = learned("chars")
    settings = SampleSettings(backend="llama.cpp", length=6)
    session = engine.session(settings, rows=1)
    first, second = session.submit([], settings, 1), session.submit([], settings, 2)
    drawn = session.step()[0]
    assert drawn.id == first
    assert -20 < drawn.logprob <= 0
    session.cancel(first)
    ids = set()
    while not session.idle:
        ids |= {each.id for each in session.step()}
    assert ids == {second}


def test_what_it_cannot_do_is_refused():
    _, engine = learned("chars")
    with pytest.raises(InputError, match=r"--length can be 95 at most"):
        rows(engine, length=500)
    settings = SampleSettings(backend="llama.cpp", length=5)
    with pytest.raises(InputError, match=r"takes no stop, schema"):
        engine.session(settings).submit([], settings, 1, processors=[lambda _, scores: scores])


def test_without_the_library_the_line_that_gets_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    _, engine = learned("bytes")
    with pytest.raises(MachineError, match=r"pip install 'ilk\[llama\]'"):
        rows(engine)
