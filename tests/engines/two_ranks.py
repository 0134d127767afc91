"""A script for torchrun: learn a few steps as one of several ranks; rank 0 writes the weights."""

from __future__ import annotations

import sys

import msgspec
import numpy as np
import torch
from gan_data import SMALL, Shades, grid

from ilk.core.plan import Budget, Plan
from ilk.core.run import join_ranks, run

STEPS = 6


def learn_as_a_rank(batch: int) -> dict[str, np.ndarray]:
    torch.set_num_threads(1)
    rank, world = join_ranks()
    plan = Plan(steps=STEPS, seed=5, rank=rank, world=world)
    # Without batch norm, whose statistics are each rank's own, the split must not matter.
    engine = msgspec.structs.replace(SMALL, batch=batch, norm="none").build(grid(), {}, plan)
    run(engine, Shades(grid()), Budget(plan), checkpoint=lambda *_: None, on=lambda _: None)
    return engine.state()


if __name__ == "__main__":
    state = learn_as_a_rank(int(sys.argv[2]))
    if join_ranks()[0] == 0:
        np.savez(sys.argv[1], **state)
