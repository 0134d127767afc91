"""The engine: the density, what it scores, and all of it as arrays.

Learning is in ``steps.py``, drawing in ``sample.py``, the formula in ``model.py``. The state is the density
itself: a round of EM depends on nothing else, beside the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from ilk.core.errors import Code, FolderError
from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Array, Arrays, Condition, Data, Given, Metrics
from ilk.core.spaces import Grid
from ilk.engines.common.inputs import count_classes
from ilk.engines.common.optim import from_arrays, to_arrays
from ilk.engines.mixture.model import Density
from ilk.engines.mixture.settings import Mixture, SampleSettings

SCORED = 2048  # rows scored together


class MixtureEngine:
    """Learns a distribution over a Grid with labels (see :class:`ilk.core.protocol.Engine`), and has its density.

    Attributes:
        density: the parameters.
        frequencies_K: share of each class in the training data; empty without labels.
    """

    def __init__(self, settings: Mixture, grid: Grid, conditions: Mapping[str, Condition], plan: Plan) -> None:
        self.settings, self.grid, self.plan = settings, grid, plan
        self.classes = count_classes(conditions) if settings.conditional else 0
        self.frequencies_K = np.full(self.classes, 1.0 / max(1, self.classes))
        self.device = torch.device(plan.device)
        values = grid.channels * grid.height * grid.width
        per_class = max(1, settings.gaussians // max(1, self.classes))
        density = Density(values, min(settings.components, values), max(1, self.classes), per_class)
        self.density = density.to(self.device)

    def steps(self, data: Data, budget: Budget) -> Iterator[Metrics]:
        """Learn; see :func:`ilk.engines.mixture.steps.learn`."""
        from ilk.engines.mixture.steps import learn

        return learn(self, data, budget)

    def describe(self, metrics: Metrics) -> str:
        """``a value comes as a surprise of -1.23 nats``: the mean of -log p(x) / D; lower is better."""
        return f"a value comes as a surprise of {metrics['surprise']:.2f} nats"

    def sample(self, indices: Array, given: Given, seed: int, settings: Any = None) -> Arrays:
        """``x`` (N, C, H, W) float32 in [-1, 1], and ``label`` (N,) int64 where there are classes."""
        from ilk.engines.mixture.sample import draw

        return draw(self, np.asarray(indices, dtype=np.int64), given, seed, settings or SampleSettings())

    @torch.no_grad()
    def log_score(self, arrays: Arrays) -> Array:
        """(N,) float64: ``log p(x)`` in nats, or ``log p(x | label)`` where ``arrays`` has a label of 0 or more.

        The density is that of the whole model, white noise outside of the components included, before
        samples are clipped to [-1, 1].
        """
        x = np.asarray(arrays["x"])
        labels = np.asarray(arrays["label"]) if self.classes and "label" in arrays else np.full(len(x), -1)
        scores = np.empty(len(x))
        for label in np.unique(labels):
            where = self.density.gaussians(int(label))
            total = self.density.shares_G[where].double().sum().log() if label >= 0 else 0.0
            rows = np.flatnonzero(labels == label)
            for part in np.array_split(rows, -(-len(rows) // SCORED)):
                x_ND = torch.from_numpy(x[part].reshape(len(part), -1).astype(np.float64)).to(self.device)
                z_NR = self.density.project(x_ND)
                inside_N = self.density.joint(z_NR, where).logsumexp(dim=1) - total
                scores[part] = (inside_N + self.density.left_out(x_ND, z_NR)).cpu().numpy()
        return scores

    def state(self) -> dict[str, Array]:
        """All that the next step depends on."""
        return self.weights()

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Put :meth:`state` back.

        Raises:
            FolderError: an array is missing, has the wrong shape, or is no density's.
        """
        self.load_weights(state)

    def weights(self) -> dict[str, Array]:
        """The density's parameters."""
        return to_arrays(self.density.named_buffers(), "density")

    def load_weights(self, weights: Mapping[str, Array]) -> None:
        """Put :meth:`weights` back.

        Raises:
            FolderError: an array is missing, has the wrong shape, or is no density's.
        """
        from_arrays(self.density.named_buffers(), weights, "density")
        shares = self.density.shares_G
        sound = all(bool(array.isfinite().all()) for array in self.density.buffers())
        if not (sound and (shares >= 0).all() and abs(float(shares.sum()) - 1) < 1e-3 and self.density.noise_1 > 0):
            sentence = "The arrays are not those of a mixture: shares must sum to 1, noise be above 0, all be finite."
            raise FolderError(Code.FOLDER_DAMAGED, sentence)
