"""Tiny data for the engine's tests: two kinds of pictures, dark and light, with a little noise."""

from __future__ import annotations

import numpy as np

from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Levels
from ilk.core.spaces import Grid
from ilk.engines.gan import Gan

CLASSES = {"shade": Levels(names=("dark", "light"))}
SMALL = Gan(width=4, latent=8, batch=8)


class Shades:
    """Label 0 is dark, label 1 is light; three in four are dark."""

    def __init__(self, grid: Grid, count: int = 64) -> None:
        draw = np.random.default_rng(0)
        self.labels = (np.arange(count) % 4 == 0).astype(np.int64)
        noise = draw.normal(0, 0.1, (count, grid.channels, grid.height, grid.width))
        self.x = np.clip(noise + np.where(self.labels, 0.7, -0.7)[:, None, None, None], -1, 1).astype(np.float32)

    def __len__(self) -> int:
        return len(self.x)

    def take(self, indices):
        return {"x": self.x[indices], "label": self.labels[indices]}

    def column(self, name):
        return {"label": self.labels}[name]


def grid(size: int = 8, channels: int = 1) -> Grid:
    return Grid(channels=channels, height=size, width=size)


def learn(engine, data, plan: Plan, first: int = 0, last: int | None = None) -> dict[str, float]:
    """Steps ``first`` to ``last`` of the plan, as ``ilk.core.run`` takes them; the last step's numbers."""
    budget = Budget(plan, step=first)
    metrics: dict[str, float] = {}
    for numbers in engine.steps(data, budget):
        metrics = dict(numbers)
        budget.advance()
        if budget.step == last:
            break
    return metrics
