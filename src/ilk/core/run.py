"""The one learning loop, for any Learner: budget, checkpoints, signals, events, ranks.

It knows nothing of what is learned. A learner yields after each step; the loop owns everything that
happens between two steps: counting, telling, saving, stopping. Exact resume needs no more than
``learner.load_state`` and a budget that starts at the saved step, since no learner keeps a random
generator (``ilk.core.seeds``).

Under ``torchrun`` every rank runs this loop; rank 0 reads the clock for all and is the only one that
saves and tells.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Literal

import numpy as np

from ilk.core.events import Sink, Step
from ilk.core.plan import Budget
from ilk.core.protocol import Data, Learner

Ended = Literal["finished", "interrupted"]

TELL_EVERY = 0.25  # seconds between two Step events
# Seconds between two checkpoints, at least, and the share of the time that they take, at most.
_PACE: ContextVar[tuple[float, float]] = ContextVar("pace", default=(5.0, 0.02))


@contextmanager
def saving(every: float, share: float) -> Iterator[None]:
    """Fits in this context save at another pace: ``every`` so many seconds, for ``share`` of the time at most."""
    token = _PACE.set((every, share))
    try:
        yield
    finally:
        _PACE.reset(token)


def run(
    learner: Learner,
    data: Data,
    budget: Budget,
    *,
    checkpoint: Callable[[Budget, dict[str, float], str], None],
    on: Sink,
) -> Ended:
    """Learn until the budget is over or someone stops it; checkpoint at step 1, on the way and at the end.

    Args:
        learner: what learns; it may have been loaded from a checkpoint.
        data: encoded training examples.
        budget: the clock, at the step where learning goes on.
        checkpoint: saves the learner's state; called on rank 0 between two steps with the budget, the
            metrics and, at the end, how it ended.
        on: takes the events.

    Returns:
        Whether the budget was used up or a signal ended it; what was learned is saved either way.
    """
    writes = budget.plan.rank == 0
    smooth = _Smooth()
    told = saved = time.monotonic()
    every, share = _PACE.get()
    pause = every
    first = last_told = budget.step
    with _signals(budget) as caught:
        share_clock = _clock_of_rank_0(budget)
        share_clock()
        steps = learner.steps(data, budget) if not budget.over else iter(())
        for metrics in steps:
            budget.advance()
            smooth.add(metrics)
            now = time.monotonic()
            if writes and (now - told >= TELL_EVERY or budget.step == first + 1):
                on(_step(learner, budget, smooth.values()))
                told, last_told = now, budget.step
            if writes and (budget.step == 1 or now - saved >= pause):
                checkpoint(budget, smooth.values(), "")
                saved = time.monotonic()
                pause = max(every, (saved - now) / share)
            share_clock()
        ended: Ended = "interrupted" if caught else "finished"
        if writes and last_told != budget.step:
            on(_step(learner, budget, smooth.values()))
        if writes:
            checkpoint(budget, smooth.values(), ended)
    return ended


def _step(learner: Learner, budget: Budget, metrics: dict[str, float]) -> Step:
    return Step(
        step=budget.step,
        of=budget.plan.steps,
        seconds=round(budget.elapsed, 3),
        eta=budget.eta,
        progress=budget.progress,
        metrics=metrics,
        says=learner.describe(metrics) if metrics else "",
    )


class _Smooth:
    """Means of the last steps, so that one noisy batch does not make a number jump."""

    def __init__(self, share: float = 0.05) -> None:
        self._share = share
        self._values: dict[str, float] = {}

    def add(self, metrics: object) -> None:
        for name, value in dict(metrics).items():  # type: ignore[call-overload]
            old = self._values.get(name, float(value))
            self._values[name] = old + self._share * (float(value) - old)

    def values(self) -> dict[str, float]:
        return {name: round(value, 6) for name, value in self._values.items()}


@contextmanager
def _signals(budget: Budget) -> Iterator[list[int]]:
    """The first Ctrl-C or SIGTERM ends after the current step; a second one ends at once."""
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)
        budget.stop()

    old = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _clock_of_rank_0(budget: Budget) -> Callable[[], None]:
    """A call that gives all ranks rank 0's clock: one tiny broadcast, nothing with one process."""
    if budget.plan.world == 1:
        return lambda: None
    import torch
    import torch.distributed as dist

    cuda = dist.get_backend() == "nccl"
    clock = torch.zeros(2, dtype=torch.float64, device="cuda" if cuda else "cpu")  # kept: see GradientMean

    def share() -> None:
        clock.copy_(torch.tensor(budget.local(), dtype=torch.float64))
        dist.broadcast(clock, src=0)
        progress, over = clock.tolist()
        budget.share((progress, bool(over)))

    return share


def join_ranks() -> tuple[int, int]:
    """(rank, world) of this process; joins the group that ``torchrun`` announces in the environment."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return 0, 1
    import torch
    import torch.distributed as dist

    if not dist.is_initialized():
        # Its functions have the group as a default argument: imported later (by an optimiser's first step) it
        # would keep the group, and the group's threads, alive into the interpreter's end, which then aborts.
        import torch.distributed.nn.functional

        backend = "nccl" if torch.cuda.is_available() else "gloo"
        if backend == "nccl":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group(backend)
        atexit.register(_leave_ranks)  # a backend's threads must not outlive the interpreter
    return dist.get_rank(), dist.get_world_size()


def _leave_ranks() -> None:
    import torch.distributed as dist

    if dist.is_initialized():
        dist.destroy_process_group()


def meet_ranks(world: int) -> None:
    """All ranks meet here: rank 0 has written what the others read next."""
    if world > 1:
        import torch.distributed as dist

        dist.barrier()


def check_finite(state: dict[str, np.ndarray]) -> bool:
    """Whether all floats of a state are finite; a state that is not must not replace a good one."""
    return all(np.isfinite(array).all() for array in state.values() if array.dtype.kind == "f")
