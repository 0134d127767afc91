"""Training: what happens in one step, and the looks at rows that it does not learn from.

A few of the training rows are kept for validation (the holdout is the report's, and nothing chooses by it). They are
looked at as soon as tokens have come a few times, when a model can begin to learn them by heart; what samples are made
of are the weights that were best on them. Counting, saving and stopping belong to ``ilk.core.run``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ilk.core.errors import BugError, Code
from ilk.core.plan import Budget
from ilk.core.protocol import Array, Data, Metrics
from ilk.core.rows import LENGTH
from ilk.core.seeds import stream
from ilk.engines.common.ranks import mean_over_ranks
from ilk.engines.common.schedule import hold_then_fall
from ilk.engines.gpt.losses import next_token_losses
from ilk.engines.gpt.model import Dropout, causal_mask, segment_mask
from ilk.engines.gpt.packing import Packing, Windows, noised

if TYPE_CHECKING:
    from ilk.engines.gpt.engine import GptEngine

SHARE, MOST = 0.05, 32_768  # of the rows, and tokens, that are kept for validation
FEWEST = 40  # rows, below which none can be spared
LOOKS = 12  # at the validation rows, over a whole budget
FRESH = 3  # times that a token may come before it can be known by heart
LEAST_STEPS = 500  # before which a network has learned nothing that it could repeat
KEEP = 100  # steps, after which the state is kept, for the case that learning goes astray
TRIES = 3  # times in a row that a step that is no number is taken again, from the kept state and at half the rates


def learn(engine: GptEngine, data: Data, budget: Budget) -> Iterator[Metrics]:
    """Learn until the budget is over; yields ``loss`` and, where it looks at unseen rows, ``validation``.

    Raises:
        BugError: the loss is no longer a number, again and again; the last checkpoint is still good.
    """
    train, unseen = split(data, engine.plan.seed)
    packing = _packing(engine, data, train)
    seen = _packing(engine, data, unseen).whole(MOST) if len(unseen) else []
    if engine.settings.passes:
        budget.cap(max(LEAST_STEPS, engine.settings.passes * packing.steps_an_epoch))
    validation, good, failed = math.nan, engine.state(), 0
    while not budget.over:
        loss = _step(engine, _lesson(engine, packing, budget.step), budget)
        if not math.isfinite(loss):  # the step was not taken; what led to it is taken back
            failed += 1
            if failed > TRIES:
                raise BugError(Code.BUG, f"Learning diverged at step {budget.step}; a lower rate helps.")
            calm = engine.calm / 2
            engine.load_state(good)
            engine.calm = calm
            continue
        failed = 0
        due = int(budget.progress * LOOKS)
        if seen and due > engine.looked and budget.step + 1 >= FRESH * packing.steps_an_epoch:
            engine.looked = due
            validation = _look(engine, seen)
        if budget.step % KEEP == 0:
            good = engine.state()
        yield {"loss": loss} if math.isnan(validation) else {"loss": loss, "validation": validation}
    if seen and engine.best:
        _look(engine, seen)  # the last steps, at the smallest rates, are usually the best


def split(data: Data, seed: int) -> tuple[Array, Array]:
    """Rows to learn from, and rows to look at, in the order of the data."""
    count = len(data)
    length = np.asarray(data.column(LENGTH), np.int64)
    if count < FEWEST:
        return np.arange(count), np.arange(0)
    order = stream(seed, "validation").permutation(count)[: max(1, int(SHARE * count))]
    kept = np.sort(order[: max(1, int(np.searchsorted(np.cumsum(length[order]), MOST)))])
    mask = np.ones(count, dtype=bool)
    mask[kept] = False
    return np.flatnonzero(mask), kept


def _packing(engine: GptEngine, data: Data, rows: Array) -> Packing:
    settings, plan = engine.settings, engine.plan
    return Packing(
        data, rows, start=engine.space.start, window=settings.window, lanes=settings.batch * plan.world, seed=plan.seed
    )


def _lesson(engine: GptEngine, packing: Packing, step: int) -> Windows:
    plan, noise = engine.plan, engine.settings.noise
    windows = packing.batch(step, plan.rank, plan.world)
    return noised(windows, noise, engine.space.start, plan.seed, step, plan.rank) if noise else windows


def _step(engine: GptEngine, windows: Windows, budget: Budget) -> float:
    """One lesson; the mean loss of its tokens over all ranks, in nats. Not taken, and NaN, where a number is none."""
    settings = engine.settings
    warm = min(1.0, (budget.step + 1) / settings.warm) if settings.warm else 1.0
    now = engine.calm * warm * hold_then_fall(budget.progress, settings.hold)
    losses = _Losses(engine, windows, partial(_dropout, engine, budget.step) if settings.dropout else None)
    rows = len(windows.x_BT)
    (mean,) = engine.workers.backward(losses, rows, list(engine.learned.values()))
    loss = float(mean_over_ranks(mean, engine.plan.world))
    engine.gradient_mean()
    size = torch.stack(torch._foreach_norm([p.grad for p in engine.learned.values() if p.grad is not None])).sum()
    if not math.isfinite(loss) or not bool(torch.isfinite(size)):  # the same on all ranks: both are means over them
        return math.nan
    engine.optimiser.step(matrix_rate=settings.matrix_rate * now, rate=settings.rate * now, decay=settings.decay)
    return loss


class _Losses:
    """Mean loss of a slice of the batch, so weighted that slices of unequal weight add up to the batch's mean."""

    def __init__(self, engine: GptEngine, windows: Windows, dropout: Callable[[slice], Dropout] | None = None) -> None:
        self._engine, self._dropout, device = engine, dropout, engine.device
        self._x, self._y, self._weight, self._segment = (torch.from_numpy(a).to(device) for a in windows[:4])
        self._mixed = windows.mixed
        self._per_row = self._weight.sum().clamp_min(1.0) / len(self._x)

    def __call__(self, part: slice) -> tuple[Tensor, ...]:
        segment = self._segment[part] if self._mixed else None
        dropout = None if self._dropout is None else self._dropout(part)
        loss_BT = token_losses(self._engine, self._x[part], self._y[part], segment, self._weight[part], dropout)
        rows = part.stop - part.start
        return ((loss_BT * self._weight[part]).sum() / (self._per_row * rows),)


def _dropout(engine: GptEngine, step: int, part: slice) -> Dropout:
    """Of the rows of one slice in one step."""
    seed = int(stream(engine.plan.seed, "dropout", step, engine.plan.rank, part.start).integers(2**62))
    return Dropout(engine.settings.dropout, seed, engine.device)


def token_losses(
    engine: GptEngine,
    x_BT: Tensor,
    y_BT: Tensor,
    segment_BT: Tensor | None,
    weight_BT: Tensor | None = None,
    dropout: Dropout | None = None,
) -> Tensor:
    """(B, T) negative log-likelihood of each token, in nats; of those that have no weight it may be 0."""
    dtype = engine.dtype
    mask = causal_mask(x_BT.shape[1], dtype, x_BT.device)
    if segment_BT is not None:
        mask = segment_mask(segment_BT, dtype)
    return next_token_losses(engine.model, engine.model(x_BT, dtype=dtype, mask=mask, dropout=dropout), y_BT, weight_BT)


@torch.no_grad()
def _look(engine: GptEngine, seen: list[Windows]) -> float:
    """Mean loss of the unseen tokens; the weights are kept where they are the best so far."""
    total = weight = 0.0
    for windows in seen:
        loss = _Losses(engine, windows)
        counts = float(windows.weight_BT.sum())
        total += float(loss(slice(0, len(windows.x_BT)))[0]) * max(1.0, counts)
        weight += counts
    mean = total / max(1.0, weight)
    if mean < engine.best_loss:
        engine.best_loss, engine.best = mean, _copy(engine)
    return mean


def _copy(engine: GptEngine) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in engine.learned.items()}
