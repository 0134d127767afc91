"""A script for torchrun: learn a few steps as one of several ranks; rank 0 writes the state."""

from __future__ import annotations

import sys
from collections.abc import Callable

import msgspec
import numpy as np
import torch
from gan_data import SMALL, Shades, grid
from gpt_small import codec_of, rows_of

from ilk.core.plan import Budget, Plan
from ilk.core.run import join_ranks, run
from ilk.engines.gpt.settings import sized

STEPS = 6


def gan(plan: Plan, batch: int):
    """The pair without batch norm, whose statistics are each rank's own, and what it learns from."""
    return msgspec.structs.replace(SMALL, batch=batch, norm="none").build(grid(), {}, plan), Shades(grid())


def gpt(plan: Plan, batch: int):
    """A small transformer and a text."""
    codec = codec_of("chars")
    settings = msgspec.structs.replace(sized(32, layers=2, batch=batch, window=32), noise=0.0, dropout=0.0)
    return settings.build(codec.space, {}, plan), rows_of(codec)


ENGINES: dict[str, Callable] = {"gan": gan, "gpt": gpt}


def plan_of(rank: int = 0, world: int = 1) -> Plan:
    """A few steps as one of the ranks."""
    return Plan(steps=STEPS, seed=5, rank=rank, world=world)


def learn_as_a_rank(name: str, batch: int) -> dict[str, np.ndarray]:
    """The state after a few steps."""
    torch.set_num_threads(1)
    plan = plan_of(*join_ranks())
    engine, data = ENGINES[name](plan, batch)
    run(engine, data, Budget(plan), checkpoint=lambda *_: None, on=lambda _: None)
    return engine.state()


if __name__ == "__main__":
    state = learn_as_a_rank(sys.argv[2], int(sys.argv[3]))
    if join_ranks()[0] == 0:
        np.savez(sys.argv[1], **state)
