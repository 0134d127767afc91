"""What the checks of an engine look at: its settings, a Space, data, and ways to let it learn a little."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Array, Arrays, Condition, Engine, Given, Metrics, Settings
from ilk.core.rows import LENGTH, PIECE
from ilk.core.spaces import Space
from ilk.generator.model import sample_record
from ilk.testing.arrays import ArrayData, random_data
from ilk.testing.suite import Case


class EngineCase(Case):
    """An engine's settings and what it is to learn.

    Attributes:
        settings: the settings under test; small ones, so that a step takes milliseconds.
        space: the Space it learns.
        conditions: as a codec gives them.
        data: encoded examples in terms of the Space.
        plan: of ``steps`` steps, on one thread.
    """

    def __init__(
        self,
        settings: Settings,
        space: Space,
        *,
        conditions: Mapping[str, Condition] | None = None,
        data: Arrays | None = None,
        steps: int = 5,
        device: str = "cpu",
    ) -> None:
        if steps < 3:
            raise ValueError("a suite needs at least 3 steps, to stop in the middle of them")
        self.settings = settings
        self.space = space
        self.conditions = dict(conditions or {})
        self.data = random_data(space, self.conditions) if data is None else ArrayData(data)
        self.plan = Plan(steps=steps, device=device)

    @property
    def steps(self) -> int:
        """How many steps a whole fit has here."""
        return self.plan.steps or 0

    @cached_property
    def learned(self) -> Engine:
        """An engine that learned all steps without a break. Checks must not let it learn on."""
        engine = self.build()
        self.learn(engine, self.steps)
        return engine

    def build(self, seed: int = 0) -> Engine:
        """A new engine."""
        plan = msgspec.structs.replace(self.plan, seed=seed)
        return self.settings.build(self.space, self.conditions, plan)

    def learn(
        self,
        engine: Engine,
        count: int | None,
        *,
        first: int = 0,
        seed: int = 0,
        data: ArrayData | None = None,
        after: Callable[[], object] | None = None,
    ) -> list[Metrics]:
        """Let it learn from step ``first``; ``after`` is called after each step.

        ``count`` steps are taken; where it is None, all that the engine takes by itself, up to a few
        more than the plan has, so that one that never ends is found out.
        """
        budget = Budget(msgspec.structs.replace(self.plan, seed=seed), step=first)
        most = self.steps - first + 3 if count is None else count
        told: list[Metrics] = []
        steps = engine.steps(self.data if data is None else data, budget)
        for metrics in steps:
            budget.advance()
            told.append(dict(metrics))
            if after is not None:
                after()
            if len(told) >= most:
                break
        close = getattr(steps, "close", None)
        if close is not None:
            close()
        return told

    def sample(self, engine: Engine, rows: Any, seed: int = 7, given: Given | None = None) -> Arrays:
        """Rows of what it makes, with default settings."""
        settings = sample_record(self.settings)()
        return engine.sample(np.asarray(rows, dtype=np.int64), given or Given(), seed, settings)

    def label_names(self) -> Iterator[tuple[str, int]]:
        """(array, number of levels) of the labels in the data: whole numbers, one an example."""
        for name, array in self.data.arrays.items():
            if name not in ("x", LENGTH, PIECE) and array.ndim == 1 and array.dtype.kind in "iu":
                yield name, int(array.max()) + 1

    def asked(self, name: str, labels: Array) -> Given:
        """The condition that array ``name`` has these labels."""
        return Given(labels={name: labels.astype(np.int64)})
