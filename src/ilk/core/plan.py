"""What is decided once before learning: budget, size, device, threads, precision, seed, ranks.

``Plan`` is the record of it and goes into the model folder. ``Budget`` is the running clock that a
learner reads. There are two clocks: with ``steps`` progress is step / steps and the same plan gives
the same bits; with ``seconds`` progress is time and ends at a wall-clock deadline.
"""

from __future__ import annotations

import time
from typing import Literal

from ilk.core.config import Record
from ilk.core.errors import Code, InputError

Size = Literal["small", "medium", "large"]


class Plan(Record, frozen=True):
    """All decisions that a fit depends on beside the data and the settings."""

    seconds: float | None = None  # a ceiling on the wall clock of the whole call
    steps: int | None = None
    size: Size | None = None  # None: the kind decides from data and machine
    device: str = "cpu"
    threads: int = 1
    dtype: Literal["float32", "bfloat16"] = "float32"
    seed: int = 0
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.steps is None):
            raise InputError(Code.COUNT, "A plan takes either seconds or steps.")
        if self.steps is not None and self.steps < 1:
            raise InputError(Code.COUNT, f"--steps takes at least 1, not {self.steps}.")
        if self.seconds is not None and not self.seconds > 0:
            raise InputError(Code.COUNT, f"--minutes takes more than 0, not {self.seconds / 60:g}.")

    @property
    def core_seconds(self) -> float | None:
        """The budget in seconds of one core, the unit in which default settings are chosen."""
        return None if self.seconds is None else self.seconds * self.threads


class Budget:
    """The clock of one fit; counts on from where an interrupted fit stopped.

    Attributes:
        step: steps that are done, which is the number of the step that comes next.
        seconds: what is left of the plan's seconds for learning: start-up, cache and save take theirs
            (``overhead``), so that the whole call keeps the ceiling.
    """

    def __init__(self, plan: Plan, *, step: int = 0, elapsed: float = 0.0, overhead: float = 0.0) -> None:
        self.plan = plan
        self.step = step
        self.seconds = None if plan.seconds is None else max(plan.seconds - overhead, 0.05 * plan.seconds)
        self._first = step
        self._before = elapsed
        self._start = time.monotonic()
        self._stopped = False
        self._most: int | None = None
        self._shared: tuple[float, bool] | None = None

    @property
    def elapsed(self) -> float:
        """Seconds spent learning, earlier sittings included."""
        return self._before + time.monotonic() - self._start

    @property
    def progress(self) -> float:
        """0 at the start, 1 at the end: what every schedule reads."""
        return self._shared[0] if self._shared else self.local()[0]

    @property
    def over(self) -> bool:
        """Whether no further step may be taken."""
        return self._shared[1] if self._shared else self.local()[1]

    @property
    def eta(self) -> float | None:
        """Seconds that are left, as soon as a step tells how fast this is."""
        done = self.step - self._first
        spent = time.monotonic() - self._start
        steps = self.plan.steps or self._most
        by_steps = spent / done * max(0, steps - self.step) if steps and done else None
        if self.seconds is None:
            return by_steps
        left = max(0.0, self.seconds - self.elapsed)
        return left if by_steps is None else min(left, by_steps)

    def advance(self) -> None:
        """A step is done."""
        self.step += 1

    def cap(self, steps: int) -> None:
        """More than ``steps`` steps would do harm: time that is left is left. Steps that were asked for are made."""
        self._most = steps if self.plan.steps is None else None

    @property
    def capped(self) -> bool:
        """Whether a cap ended it, before its time."""
        return self._most is not None and self.step >= self._most

    def stop(self) -> None:
        """No further step: someone pressed Ctrl-C."""
        self._stopped = True

    def local(self) -> tuple[float, bool]:
        """Progress and end as this process sees them."""
        steps = self.plan.steps
        progress = self.step / steps if steps is not None else self.elapsed / (self.seconds or 1.0)
        if self._most:
            progress = max(progress, self.step / self._most)
        return min(1.0, progress), self._stopped or progress >= 1.0

    def share(self, clock: tuple[float, bool]) -> None:
        """What rank 0 reads on its clock: ranks that read different clocks would wait for ever."""
        self._shared = clock
