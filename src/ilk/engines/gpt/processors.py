"""What stands between the network's scores and the token that is drawn.

Scores of several rows are treated at once: repetition, temperature, top-k, top-p and min-p, then one draw a row by
inverting the cumulative distribution in float64. What a row gets never depends on the rows beside it. Whoever wants
something else for a single row hands in a processor (``ilk.core.sequences``). Knows neither the network nor what
tokens mean.

Names of axes: A rows, V vocabulary, J candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ilk.core.protocol import Array
from ilk.engines.gpt.settings import SampleSettings

COLD = 1e-4  # below this temperature the likeliest token is taken
GROUPS = 512  # of tokens, whose best scores tell where the likeliest ones of all begin
NUCLEUS = 256  # groups whose best scores are looked at first where top-p has to be found
BLOCK = 256  # probabilities that are summed before they are searched


class Knobs(NamedTuple):
    """Settings of several rows, (A,) each."""

    temperature: Array  # 1 where greedy
    top_k: Array  # 0: all
    top_p: Array
    min_p: Array
    greedy: Array


def knobs(settings_A: Sequence[SampleSettings]) -> Knobs:
    """The settings of rows side by side."""
    temperature, top_k, top_p, min_p = (
        np.array([getattr(each, name) for each in settings_A]) for name in ("temperature", "top_k", "top_p", "min_p")
    )
    greedy = temperature < COLD
    return Knobs(np.where(greedy, 1.0, temperature), top_k, top_p, min_p, greedy)


def repeated(logits_V: Tensor, seen: Tensor, penalty: float) -> None:
    """Make tokens that came before less likely, in place: positive scores are divided, negative ones multiplied.

    Keskar et al., "CTRL", 2019, as transformers has it.

    Args:
        logits_V: of one row.
        seen: the tokens, each once.
        penalty: 1 changes nothing.
    """
    score = logits_V[seen]
    logits_V[seen] = torch.where(score > 0, score / penalty, score * penalty)


def choose(logits_AV: Tensor, knobs: Knobs, uniform_A: Array) -> Array:
    """(A,) a token for each row.

    Args:
        logits_AV: scores, float32.
        knobs: of each row.
        uniform_A: one random number in (0, 1] for each row.
    """
    logits_AV = logits_AV.cpu()
    score_AV: Array = logits_AV.numpy()
    token_A = np.zeros(len(score_AV), dtype=np.int64)
    rows = np.flatnonzero(knobs.greedy)
    token_A[rows] = score_AV[rows].argmax(axis=1) if len(rows) else 0
    rows = np.flatnonzero(~knobs.greedy)
    if not len(rows):
        return token_A
    best_AG = _bests(logits_AV)
    top_A = best_AG.max(axis=1).astype(np.float64)
    bound_A = _bounds(best_AG, top_A, knobs)
    for part in (rows[bound_A[rows] == -np.inf], rows[bound_A[rows] > -np.inf]):
        if len(part):
            some = Knobs(*(column[part] for column in knobs))
            drawn = _all if bound_A[part[0]] == -np.inf and not (some.top_p < 1).any() else _some
            token_A[part] = drawn(score_AV[part], top_A[part], bound_A[part], some, uniform_A[part])
    return token_A


def _bests(logits_AV: Tensor) -> Array:
    """(A, G) the best scores of groups of tokens: each of the k best groups has one of the k best scores or better."""
    groups = min(GROUPS, logits_AV.shape[1])
    even = logits_AV.shape[1] // groups * groups
    best = logits_AV[:, :even].reshape(len(logits_AV), even // groups, groups).amax(1)
    bests: Array = torch.cat([best, logits_AV[:, even:]], dim=1).numpy()
    return bests


def _bounds(best_AG: Array, top_A: Array, knobs: Knobs) -> Array:
    """(A,) scores below which nothing can be drawn, or in top-p's case is likely to be; -inf where all can."""
    with np.errstate(divide="ignore"):
        low_A: Array = top_A + knobs.temperature * np.log(knobs.min_p) - 1e-3
    groups = best_AG.shape[1]
    wanted_A = np.where(knobs.top_k > 0, knobs.top_k, np.where(knobs.top_p < 1, NUCLEUS, groups))
    rows = np.flatnonzero(wanted_A < groups)
    if len(rows):
        ordered = -np.sort(-best_AG[rows], axis=1)
        low_A[rows] = np.maximum(low_A[rows], ordered[np.arange(len(rows)), wanted_A[rows] - 1])
    return low_A


def _all(score_AV: Array, top_A: Array, _: Array, knobs: Knobs, uniform_A: Array) -> Array:
    """A token among all of them, a few rows at a time."""
    token_A = np.zeros(len(score_AV), dtype=np.int64)
    for first in range(0, len(score_AV), 8):
        part = slice(first, first + 8)
        weight = np.exp((score_AV[part] - top_A[part, None]) / knobs.temperature[part, None])
        token_A[part] = _reached(weight, uniform_A[part])
    return token_A


def _some(score_AV: Array, top_A: Array, bound_A: Array, knobs: Knobs, uniform_A: Array) -> Array:
    """A token among those that are not below the bound and pass top-k, top-p and min-p, in this order."""
    rows, count = score_AV.shape
    flat = np.flatnonzero(score_AV >= bound_A[:, None].astype(np.float32))
    row, token = np.divmod(flat, count)
    few = np.bincount(row, minlength=rows)
    place = np.arange(len(row)) - np.repeat(np.cumsum(few) - few, few)
    weight_AJ: Array = np.zeros((rows, int(few.max())))
    token_AJ: Array = np.zeros(weight_AJ.shape, dtype=np.int64)
    weight_AJ[row, place] = np.exp((score_AV[row, token] - top_A[row]) / knobs.temperature[row])
    token_AJ[row, place] = token
    if (knobs.top_k > 0).any() or (knobs.top_p < 1).any():
        order = np.argsort(-weight_AJ, axis=1, kind="stable")
        weight_AJ, token_AJ = (np.take_along_axis(array, order, axis=1) for array in (weight_AJ, token_AJ))
        short = _cut(weight_AJ, score_AV, top_A, knobs) & (bound_A > -np.inf)
        if short.any():  # top-p reaches farther than it usually does
            out = token_AJ[np.arange(rows), _reached(np.where(short[:, None], 1.0, weight_AJ), uniform_A)]
            part = Knobs(*(column[short] for column in knobs))
            every = np.full(int(short.sum()), -np.inf)
            out[short] = _some(score_AV[short], top_A[short], every, part, uniform_A[short])
            return out
    weight_AJ[weight_AJ < knobs.min_p[:, None]] = 0.0
    drawn: Array = token_AJ[np.arange(rows), _reached(weight_AJ, uniform_A)]
    return drawn


def _cut(weight_AJ: Array, score_AV: Array, top_A: Array, knobs: Knobs) -> Array:
    """Set what top-k and top-p leave out to 0, weights going down; (A,) where the candidates do not reach top-p."""
    place = np.arange(weight_AJ.shape[1])
    weight_AJ[(knobs.top_k[:, None] > 0) & (place >= knobs.top_k[:, None])] = 0.0
    total_A = weight_AJ.sum(axis=1)
    for row in np.flatnonzero((knobs.top_k == 0) & (knobs.top_p < 1)):
        total_A[row] = np.exp((score_AV[row] - top_A[row]) / knobs.temperature[row]).sum()
    up_to = np.cumsum(weight_AJ, axis=1)
    wanted_A = np.where(knobs.top_p < 1, knobs.top_p * total_A, np.inf)
    lowest_A = np.where(weight_AJ > 0, weight_AJ, np.inf).min(axis=1)
    short: Array = (knobs.top_p < 1) & (knobs.top_k == 0) & (up_to[:, -1] < wanted_A) & (lowest_A > knobs.min_p)
    weight_AJ[up_to - weight_AJ >= wanted_A[:, None]] = 0.0
    return short


def _reached(weight_AJ: Array, uniform_A: Array) -> Array:
    """(A,) the first place up to which the weights sum to ``uniform`` of all; sums of blocks are searched first."""
    rows, count = weight_AJ.shape
    weight = np.pad(weight_AJ, ((0, 0), (0, -count % BLOCK))).reshape(rows, -1, BLOCK)
    up_to = np.cumsum(weight.sum(axis=2), axis=1)
    wanted = uniform_A * up_to[:, -1]
    block = np.minimum((up_to < wanted[:, None]).sum(axis=1), up_to.shape[1] - 1)
    every = np.arange(rows)
    inside = np.cumsum(weight[every, block], axis=1)
    before = np.where(block > 0, up_to[every, block - 1], 0.0)
    # Two ways of summing differ in the last bit: never beyond the last weight of the block that is not 0.
    left = np.minimum(wanted - before, inside[:, -1])
    reached: Array = block * BLOCK + (inside < left[:, None]).sum(axis=1)
    return reached
