"""What the network thinks of sequences that are there: likelihoods, and what its last block knows of them.

Likelihoods are computed in float32, in batches of rows of one length. What a critic goes by, beside a frozen base, is
computed in the type of the base's weights: to turn these into float32 takes longer than to look. Nothing here changes
the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor

from ilk.core.protocol import Array, Arrays
from ilk.core.rows import LENGTH, PIECE
from ilk.engines.gpt.losses import next_token_losses
from ilk.engines.gpt.model import Transformer, causal_mask

if TYPE_CHECKING:
    from ilk.engines.gpt.engine import GptEngine

TOGETHER = 16_384  # tokens computed at once


def log_score(engine: GptEngine, arrays: Arrays, context: int | None = None) -> Array:
    """(N,) float64: log-likelihood of each row's tokens, in nats.

    Every token of a row counts, its ``end`` as well. Where a row is longer than the context, it is seen through windows
    that overlap by half, and each token is scored in the first window that shows it: it is known from at least half of
    the context. A row that begins a sequence is known to do so.

    Args:
        engine: its network.
        arrays: ``x`` (N, L), ``length`` (N,), and ``piece`` where a row may be a later part.
        context: most tokens that one is known from; the engine's window by default, and at most.
    """
    return np.array([float(each.sum()) for each in token_scores(engine, arrays, context)], dtype=np.float64)


@torch.no_grad()
def token_scores(
    engine: GptEngine, arrays: Arrays, context: int | None = None, dtype: torch.dtype = torch.float32
) -> list[Array]:
    """The log-likelihood of every token, (length,) float64 a row; see :func:`log_score`."""
    most = engine.settings.attended
    window = min(context or most, most)
    model = cast("Transformer", engine.at_best())
    out = [np.zeros(int(count), dtype=np.float64) for count in arrays[LENGTH]]
    for width, jobs in _by_width(_jobs(arrays, window)):
        for batch in _batches(jobs, max(1, TOGETHER // width)):
            tokens = np.stack([_tokens(engine, arrays, row, first, width) for row, first, _ in batch])
            scores = _scores(model, torch.from_numpy(tokens).to(engine.device), dtype).cpu().numpy()
            for (row, first, new), score in zip(batch, scores, strict=True):
                out[row][new : first + width] = score[new - first :]
    return out


Job = tuple[int, int, int]  # row, first token of the window, first token that is scored in it


def _jobs(arrays: Arrays, window: int) -> dict[int, list[Job]]:
    """Windows by how many tokens they predict; the last one of a row ends with the row."""
    jobs: dict[int, list[Job]] = {}
    for row, count in enumerate(int(length) for length in arrays[LENGTH]):
        done = 0
        while done < count:
            first = 0 if done == 0 else max(0, min(done - window // 2, count - window))
            width = min(window, count - first)
            jobs.setdefault(width, []).append((row, first, done))
            done = first + width
    return jobs


def _by_width(jobs: dict[int, list[Job]]) -> Iterator[tuple[int, list[Job]]]:
    yield from sorted(jobs.items())


def _batches(jobs: list[Job], size: int) -> Iterator[list[Job]]:
    for first in range(0, len(jobs), size):
        yield jobs[first : first + size]


def _tokens(engine: GptEngine, arrays: Arrays, row: int, first: int, width: int) -> Array:
    """``width`` tokens and the one before them, which is the start where there is none."""
    x = np.asarray(arrays["x"][row], np.int64)
    before = x[first - 1] if first else engine.space.start
    return np.concatenate([[before], x[first : first + width]])


def _scores(model: Transformer, tokens_BT: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """(B, T-1) log-likelihood of each token but the first."""
    mask = causal_mask(tokens_BT.shape[1] - 1, dtype, tokens_BT.device)
    known = model(tokens_BT[:, :-1], dtype=dtype, mask=mask)
    return -next_token_losses(model, known, tokens_BT[:, 1:]).double()


def _quick(engine: GptEngine) -> torch.dtype:
    """What a critic's looks are computed in."""
    return engine.dtype if engine.settings.adapter else torch.float32


def opinion(engine: GptEngine, arrays: Arrays) -> Array:
    """(N,) float32: mean log-likelihood of a row's tokens; only the order means something."""
    given = _with_lengths(arrays, engine)
    scores = [each.sum() for each in token_scores(engine, given, dtype=_quick(engine))]
    return (np.array(scores, np.float64) / np.maximum(1, given[LENGTH])).astype(np.float32)


@torch.no_grad()
def represent(engine: GptEngine, arrays: Arrays) -> Array:
    """(N, 2 D) float32: mean and spread of what the last block knows, over the places of a row."""
    given = _with_lengths(arrays, engine)
    model, window, dtype = cast("Transformer", engine.at_best()), engine.settings.window, _quick(engine)
    length = torch.from_numpy(np.maximum(1, np.asarray(given[LENGTH], np.int64)))
    sums = torch.zeros(2, len(length), engine.settings.width, dtype=torch.float64)
    for first in range(0, max(1, int(length.max())), window):
        rows = torch.nonzero(length > first)[:, 0]
        width = min(window, int(length.max()) - first)
        for some in torch.split(rows, max(1, TOGETHER // width)):
            tokens = np.stack([_padded(_tokens(engine, given, row, first, width), width + 1) for row in some.tolist()])
            mask = causal_mask(width, dtype, engine.device)
            known = model(torch.from_numpy(tokens[:, :-1]).to(engine.device), dtype=dtype, mask=mask).cpu().double()
            known[first + torch.arange(width) >= length[some, None]] = 0.0
            sums[:, some] += torch.stack([known.sum(1), known.square().sum(1)])
    mean = sums / length[:, None]
    spread = (mean[1] - mean[0].square()).clamp_min(0).sqrt()
    return torch.cat([mean[0], spread], dim=1).numpy().astype(np.float32)


def _padded(tokens: Array, count: int) -> Array:
    return np.pad(tokens, (0, count - len(tokens)))


def _with_lengths(arrays: Arrays, engine: GptEngine) -> Arrays:
    """The arrays; rows without a length end with their first ``end``."""
    if LENGTH in arrays:
        return arrays
    ended = arrays["x"] == engine.space.end
    length = np.where(ended.any(axis=1), ended.argmax(axis=1) + 1, arrays["x"].shape[1])
    return {**arrays, LENGTH: length.astype(np.int64), PIECE: np.zeros(len(length), np.int64)}
