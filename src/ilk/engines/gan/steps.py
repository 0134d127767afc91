"""Training: what happens in one step of the adversarial pair.

One step shows the critic a real and a made batch, then asks it about the same made batch again to
teach the generator, then moves the average. Losses are in ``losses.py``; counting, saving and
stopping belong to ``ilk.core.run``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ilk.core.errors import BugError, Code
from ilk.core.plan import Budget
from ilk.core.protocol import Data, Metrics
from ilk.core.seeds import batch_indices, stream
from ilk.engines.common.ema import decay_after, move_average
from ilk.engines.common.optim import set_rate
from ilk.engines.common.ranks import mean_over_ranks
from ilk.engines.common.schedule import hold_then_fall
from ilk.engines.gan.augment import adapted, draws, vary
from ilk.engines.gan.losses import CRITIC, GENERATOR

if TYPE_CHECKING:
    from ilk.engines.gan.engine import GanEngine

LEAST_STEPS = 1_500  # before which a pair has learned nothing that it could repeat
READ_EVERY = {"cpu": 1, "cuda": 20}  # steps; reading a number from a GPU waits for all that it has to do


def learn(engine: GanEngine, data: Data, budget: Budget) -> Iterator[Metrics]:
    """Learn until the budget is over; yields ``critic_loss``, ``generator_loss`` and ``fooled``.

    ``fooled`` is the share of made pictures that the critic takes for real; with augmentation ``varied`` is the
    probability of each variation.

    Raises:
        BugError: a loss is no longer a number; the last checkpoint is still good.
    """
    if engine.classes:
        counts = np.bincount(data.column("label"), minlength=engine.classes)
        engine.frequencies_K = counts / counts.sum()
    if engine.settings.passes:
        batch = engine.settings.batch * engine.plan.world
        budget.cap(max(LEAST_STEPS, engine.settings.passes * len(data) // batch))
    every = READ_EVERY.get(engine.device.type, 1)
    metrics: dict[str, float] = {}
    while not budget.over:
        with _no_denormals():
            numbers = _step(engine, data, budget)
        if not metrics or budget.step % every == 0:
            values = torch.stack(numbers).tolist()
            if not all(map(math.isfinite, values)):
                raise BugError(Code.BUG, f"Learning diverged at step {budget.step}; a lower rate helps.")
            metrics = dict(zip(("critic_loss", "generator_loss", "fooled"), values, strict=True))
            if engine.settings.augment:
                metrics["varied"] = float(engine.augmented)
        yield metrics


@contextmanager
def _no_denormals() -> Iterator[None]:
    """Numbers too small to matter become 0; for the step alone, since the setting is the whole process's.

    Where the hinge is satisfied gradients fade into denormal numbers, on which a CPU is ten times slower.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _step(engine: GanEngine, data: Data, budget: Budget) -> list[Tensor]:
    settings = engine.settings
    rate = settings.rate * hold_then_fall(budget.progress)
    set_rate(engine.generator_adam, rate)
    set_rate(engine.critic_adam, rate * settings.critic_rate)
    real_BCHW, label_B = real_batch(engine, data, budget.step)
    made, critic_loss = _teach_critic(engine, real_BCHW, label_B, noise(engine, budget.step), budget.step)
    # The critic has moved on, but its opinion of the same pictures is as good a lesson as that of new
    # ones, and saves a third of the generator's work.
    generator_loss, fooled = _teach_generator(engine, made, label_B, budget.step)
    decay = decay_after(budget.step, settings.ema)
    move_average(list(engine.averaged.parameters()), list(engine.generator.parameters()), decay)
    engine.measured = False
    return [critic_loss, generator_loss, fooled]


def _teach_critic(
    engine: GanEngine, real_BCHW: Tensor, label_B: Tensor | None, z_BL: Tensor, step: int
) -> tuple[dict[int, Tensor], Tensor]:
    """One lesson on a real and a made batch; the made slices by their first row, and the loss."""
    made: dict[int, Tensor] = {}

    varied = [_varied(engine, step, name) for name in ("real", "made")]

    def losses(part: slice) -> tuple[Tensor, ...]:
        label = None if label_B is None else label_B[part]
        with engine.autocast():
            made[part.start] = engine.generator(z_BL[part], label)
            # One pass: nothing in the critic mixes the rows of a batch.
            both = torch.cat([varied[0](real_BCHW[part], part), varied[1](made[part.start].detach(), part)])
            score_B, logits_BK = engine.critic.judged(both, None if label is None else torch.cat([label, label]))
        real_B, made_B = score_B.chunk(2)
        loss = CRITIC[engine.settings.loss](real_B, made_B)
        if label is not None and logits_BK is not None:  # it learns the labels from real pictures alone
            loss = loss + engine.settings.classify * functional.cross_entropy(logits_BK[: len(label)], label)
        return loss, real_B.detach().sign().mean()

    engine.critic.iterate()
    loss, sure = engine.workers.backward(losses, len(real_BCHW), list(engine.critic.parameters()))
    engine.critic_mean()
    engine.critic_adam.step()
    if engine.settings.augment:
        world = engine.plan.world
        sure = mean_over_ranks(sure, world)
        engine.augmented = adapted(engine.augmented, sure, len(real_BCHW) * world, engine.settings.augment)
    return made, loss


def _teach_generator(
    engine: GanEngine, made: dict[int, Tensor], label_B: Tensor | None, step: int
) -> tuple[Tensor, Tensor]:
    varied = _varied(engine, step, "lesson")

    def losses(part: slice) -> tuple[Tensor, ...]:
        label = None if label_B is None else label_B[part]
        with engine.autocast():
            made_B, logits_BK = engine.critic.judged(varied(made[part.start], part), label)
        loss = GENERATOR[engine.settings.loss](made_B)
        if label is not None and logits_BK is not None:
            loss = loss + engine.settings.classify * functional.cross_entropy(logits_BK, label)
        return loss, (made_B.detach() > 0).float().mean()

    rows = sum(map(len, made.values()))
    loss, fooled = engine.workers.backward(losses, rows, list(engine.generator.parameters()))
    engine.generator_mean()
    engine.generator_adam.step()
    return loss, fooled


def _varied(engine: GanEngine, step: int, use: str) -> Callable[[Tensor, slice], Tensor]:
    """What shows the critic a slice of a batch: as it is, or varied where the settings say so."""
    if not engine.settings.augment:
        return lambda x_BCHW, _: x_BCHW
    u_BD = draws(engine.plan, step, use, engine.settings.batch)
    return lambda x_BCHW, part: vary(x_BCHW, u_BD[part], engine.augmented)


def real_batch(engine: GanEngine, data: Data, step: int) -> tuple[Tensor, Tensor | None]:
    """This rank's pictures ``x_BCHW`` and their labels at ``step``."""
    plan = engine.plan
    rows = batch_indices(plan.seed, step, engine.settings.batch, len(data), plan.rank, plan.world)
    arrays = data.take(rows)
    x_BCHW = torch.from_numpy(np.array(arrays["x"], dtype=np.float32)).to(engine.device)
    if not engine.classes:
        return x_BCHW, None
    return x_BCHW, torch.from_numpy(np.array(arrays["label"], dtype=np.int64)).to(engine.device)


def noise(engine: GanEngine, step: int) -> Tensor:
    """This rank's slice of the whole batch's noise ``z_BL`` at ``step``: any split into ranks sees the same."""
    plan, batch = engine.plan, engine.settings.batch
    whole = stream(plan.seed, "z", step).standard_normal((batch * plan.world, engine.settings.latent), dtype=np.float32)
    return torch.from_numpy(whole[plan.rank * batch : (plan.rank + 1) * batch]).to(engine.device)
