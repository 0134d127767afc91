"""Drawing: sequences that begin as they are told to and go on until their end; row i is one of (seed, i) alone.

The work is the session's; this file hands rows to it and gathers what comes back.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from ilk.core.protocol import Array, Arrays, Given
from ilk.core.rows import LENGTH, PIECE
from ilk.engines.gpt.adapters import merge_adapters
from ilk.engines.gpt.model import Transformer
from ilk.engines.gpt.session import ROWS, Session
from ilk.engines.gpt.settings import SampleSettings

if TYPE_CHECKING:
    from ilk.engines.gpt.engine import GptEngine
    from ilk.engines.gpt.llama_cpp import LlamaSession

WIDE = 512  # numbers at each place, from which on a step keeps more than one core busy

_merged: weakref.WeakKeyDictionary[GptEngine, tuple[int, Transformer]] = weakref.WeakKeyDictionary()


def draw(engine: GptEngine, indices: Array, given: Given, seed: int, settings: SampleSettings) -> Arrays:
    """Rows ``indices``: ``x`` (N, L) int64 padded with 0, ``length`` (N,) int32, and ``piece`` (N,), 0.

    A row is what was given (``given.known`` where ``given.mask``, from the left) and how it goes on, its ``end``
    included; one without ``end`` has reached ``settings.length``.

    Raises:
        InputError: what was given is longer than what the network sees at once.
    """
    session = open_session(engine, settings, rows=min(ROWS, max(1, len(indices))), logprobs=False)
    made: dict[int, list[int]] = {}
    order = []
    for place, index in enumerate(indices):
        prompt = prefix(given, place)
        processors = [] if given.guide is None else given.guide.processors(place)
        row = session.submit(prompt, settings, seed, index=int(index), processors=processors)
        made[row] = prompt
        order.append(row)
    with _threads(engine):
        while not session.idle:
            for row, token, _ in session.step():
                made[row].append(token)
    length_N = np.array([len(made[row]) for row in order], dtype=np.int32)
    x_NL = np.zeros((len(order), int(length_N.max(initial=0))), dtype=np.int64)
    for place, row in enumerate(order):
        x_NL[place, : length_N[place]] = made[row]
    return {"x": x_NL, LENGTH: length_N, PIECE: np.zeros(len(order), dtype=np.int64)}


@contextmanager
def _threads(engine: GptEngine) -> Iterator[None]:
    """One thread for a small network: more gain nothing on a free machine, and wait for each other on a busy one."""
    before = torch.get_num_threads()
    if engine.device.type == "cpu" and engine.settings.width < WIDE and before > 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


def prefix(given: Given, row: int) -> list[int]:
    """The tokens that a row begins with: what is known up to the first place that is not."""
    if given.known is None:
        return []
    known = np.asarray(given.known[row], dtype=np.int64)
    mask = np.ones(len(known), dtype=bool) if given.mask is None else np.asarray(given.mask[row], dtype=bool)
    count = len(mask) if bool(mask.all()) else int(mask.argmin())
    return [int(token) for token in known[:count]]


def open_session(
    engine: GptEngine, settings: SampleSettings | None = None, *, rows: int = ROWS, logprobs: bool = True
) -> Session | LlamaSession:
    """A session over the engine's best weights; it must not learn before the session is over."""
    if settings is not None and settings.backend == "llama.cpp":
        from ilk.engines.gpt.llama_cpp import LlamaSession

        return LlamaSession(engine, logprobs=logprobs)
    model, dtype = decoder(engine)
    return Session(
        model,
        start=engine.space.start,
        end=engine.space.end,
        window=engine.settings.attended,
        dtype=dtype,
        rows=rows,
        logprobs=logprobs,
    )


def decoder(engine: GptEngine) -> tuple[Transformer, torch.dtype]:
    """The network as it is sampled from, and what it computes in: adapters are merged, weights are cast once."""
    if not engine.settings.adapter:
        return cast("Transformer", engine.at_best()), torch.float32
    dtype, mark = engine.dtype, engine.mark()
    known = _merged.get(engine)
    if known is None or known[0] != mark:
        model = copy.deepcopy(cast("Transformer", engine.at_best()))
        merge_adapters(model)
        known = _merged[engine] = mark, model.to(dtype)
    return known[1], dtype
