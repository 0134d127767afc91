"""The engine: the tables of values, the trees, and all of it as arrays.

Learning is in ``steps.py``, drawing in ``sample.py``, likelihoods in ``score.py``; what is learned is in
``model.py``, made of ``values.py``, ``linear.py`` and ``forest.py``. The state is the model itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Array, Arrays, Data, Given, Metrics
from ilk.core.rows import EFFECTIVE
from ilk.core.spaces import Columns
from ilk.engines.columns.model import Drawn, pack, unpack
from ilk.engines.columns.settings import SampleSettings, Trees


class ColumnsEngine:
    """Learns a distribution over Columns (see :class:`ilk.core.protocol.Engine`).

    Attributes:
        order: the columns, in the order in which they are drawn; empty before the first step.
        drawn: how each is drawn, by its place in the table.
        version: another one whenever ``drawn`` has changed.
    """

    def __init__(self, settings: Trees, space: Columns, plan: Plan) -> None:
        self.settings, self.space, self.plan = settings, space, plan
        self.order: tuple[int, ...] = ()
        self.drawn: list[Drawn] = []
        self.version = 0
        self._scored: tuple[Array, int, Array] | None = None

    def steps(self, data: Data, budget: Budget) -> Iterator[Metrics]:
        """Learn; see :func:`ilk.engines.columns.steps.learn`."""
        from ilk.engines.columns.steps import learn

        return learn(self, data, budget)

    def describe(self, metrics: Metrics) -> str:
        """``38 % of what a column may be is told by the others``."""
        return f"{metrics['explained']:.0%} of what a column may be is told by the others"

    def sample(self, indices: Array, given: Given, seed: int, settings: Any = None) -> Arrays:
        """``x`` (N, F) float64, as ``given`` wants it; see :func:`ilk.engines.columns.sample.draw`.

        ``effective`` (N,) beside it says of how many candidates each row was chosen, in effect; NaN where it was drawn.
        """
        from ilk.engines.columns.sample import draw

        drawn = draw(self, np.asarray(indices, dtype=np.int64), given, seed, settings or SampleSettings())
        return {"x": drawn.x_NF, EFFECTIVE: drawn.effective_N}

    def log_score(self, arrays: Arrays, context: int | None = None) -> Array:  # noqa: ARG002
        """(N,) float64 nats; see :func:`ilk.engines.columns.score.log_score`."""
        return np.asarray(self._surprise(arrays).sum(axis=1))

    def represent(self, arrays: Arrays) -> Array:
        """(N, F) float32: how surprising each value is, given those before it."""
        return self._surprise(arrays).astype(np.float32)

    def _surprise(self, arrays: Arrays) -> Array:
        """(N, F) float64; the last answer is kept, since a critic wants both an opinion and what it is made of."""
        from ilk.engines.columns.score import log_score

        x = arrays["x"]
        if self._scored is None or self._scored[0] is not x or self._scored[1] != self.version:
            self._scored = x, self.version, log_score(self, np.asarray(x, np.float64))
        return self._scored[2]

    def opinion(self, arrays: Arrays) -> Array:
        """(N,) float32: the likelihood of a row."""
        return self.log_score(arrays).astype(np.float32)

    def state(self) -> dict[str, Array]:
        """All that the next step depends on."""
        return self.weights()

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Put :meth:`state` back.

        Raises:
            FolderError: an array is missing or does not fit the others.
        """
        self.load_weights(state)

    def weights(self) -> dict[str, Array]:
        """All columns; see :func:`ilk.engines.columns.model.pack`."""
        return pack(self.order, self.drawn)

    def load_weights(self, weights: Mapping[str, Array]) -> None:
        """Put :meth:`weights` back.

        Raises:
            FolderError: an array is missing or does not fit the others.
        """
        self.order, self.drawn = unpack(weights, self.space)
        self.version += 1
