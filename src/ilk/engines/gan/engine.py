"""The engine: the two networks, their optimisers, the averaged generator, and all of it as arrays.

Training is in ``steps.py``, drawing in ``sample.py``. No random generator is kept: weights start from
(seed, name), batches and noise come from (seed, step), samples from (seed, index).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ilk.core.errors import Code, FolderError
from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Array, Arrays, Condition, Data, Given, Metrics
from ilk.core.seeds import stream
from ilk.core.spaces import Grid
from ilk.engines.common.inputs import count_classes
from ilk.engines.common.optim import adam, adam_arrays, from_arrays, load_adam_arrays, to_arrays
from ilk.engines.common.ranks import GradientMean
from ilk.engines.common.workers import Workers
from ilk.engines.gan.model import Critic, Generator
from ilk.engines.gan.settings import Gan, SampleSettings

INIT = 0.02  # standard deviation of the first weights, as in DCGAN
CRITIC = "critic"  # what its arrays are called in state and weights
STEADY = 15  # rounds of power iteration before the first step, so that sigma is right from the start


class GanEngine:
    """Learns a distribution over a Grid with labels (see :class:`ilk.core.protocol.Engine`).

    Attributes:
        frequencies_K: share of each class in the training data; empty without labels.
        averaged: the generator that samples: an average of weights, with frozen statistics.
        judges: whether the critic's weights are its own: not after loading a model that was saved without.
    """

    def __init__(self, settings: Gan, grid: Grid, conditions: Mapping[str, Condition], plan: Plan) -> None:
        self.settings, self.grid, self.plan = settings, grid, plan
        self.classes = count_classes(conditions) if settings.conditional else 0
        self.frequencies_K = np.full(self.classes, 1.0 / max(1, self.classes))
        self.device = torch.device(plan.device)
        generator = Generator(grid, settings.width, settings.latent, self.classes, settings.norm)
        critic = Critic(grid, settings.critic_width or settings.width, self.classes)
        self.generator = self._place(generator, "generator")
        self.critic = self._place(critic, "critic")
        self.critic.iterate(STEADY)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(requires_grad=False).eval()
        betas = (settings.beta1, settings.beta2)
        self.generator_adam = adam(self.generator, settings.rate, betas)
        self.critic_adam = adam(self.critic, settings.rate * settings.critic_rate, betas)
        self.workers = Workers(plan.threads, settings.batch, self.device.type)
        self.generator_mean = GradientMean(self.generator.parameters(), plan.world)
        self.critic_mean = GradientMean(self.critic.parameters(), plan.world)
        self.measured = False  # whether the averaged generator's statistics belong to its weights
        self.judges = True
        self.augmented = torch.zeros(1, device=self.device)  # probability of each variation; see augment.py

    def _place(self, module: Any, name: str) -> Any:
        """First weights from (seed, name), on the device, channels last."""
        for path, parameter in module.named_parameters():
            if parameter.ndim > 1:
                draw = stream(self.plan.seed, "init", name, path)
                start = draw.normal(0.0, INIT, tuple(parameter.shape)).astype(np.float32)
                parameter.data.copy_(torch.from_numpy(start))
            elif path.endswith("bias"):
                parameter.data.zero_()
        return module.to(self.device).to(memory_format=torch.channels_last)

    def autocast(self) -> AbstractContextManager[Any]:
        """bfloat16 for the heavy operations where the plan found it faster; weights stay float32."""
        enabled = self.plan.dtype == "bfloat16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)

    def steps(self, data: Data, budget: Budget) -> Iterator[Metrics]:
        """Learn; see :func:`ilk.engines.gan.steps.learn`."""
        from ilk.engines.gan.steps import learn

        return learn(self, data, budget)

    def describe(self, metrics: Metrics) -> str:
        """``critic fooled 31 %``: the share of made pictures that the critic takes for real."""
        says = f"critic fooled {metrics['fooled']:.0%}"
        if metrics.get("varied", 0) > 0.005:
            says += f", shown {metrics['varied']:.0%} varied pictures"
        return says.replace("%", " %")

    def sample(self, indices: Array, given: Given, seed: int, settings: Any = None) -> Arrays:
        """``x`` (N, C, H, W) float32 in [-1, 1], and ``label`` (N,) int64 where there are classes."""
        from ilk.engines.gan.sample import draw, measure

        measure(self)
        return draw(self, np.asarray(indices, dtype=np.int64), given, seed, settings or SampleSettings())

    def latents(self, indices: Array, seed: int, settings: Any = None) -> Array:
        """(N, L) float32: the noise of samples; see :func:`ilk.engines.gan.latent.latents`."""
        from ilk.engines.gan.latent import latents

        return latents(self, np.asarray(indices, dtype=np.int64), seed, settings or SampleSettings())

    def render(self, z_NL: Array, given: Given, settings: Any = None) -> Arrays:  # noqa: ARG002  (one pass: nothing to set)
        """Rows of these vectors, as :meth:`sample` gives them; see :func:`ilk.engines.gan.latent.render`."""
        from ilk.engines.gan.latent import render
        from ilk.engines.gan.sample import measure

        measure(self)
        return render(self, z_NL, given)

    def project(self, arrays: Arrays, seed: int, on: Callable[[float], None]) -> tuple[Array, Given]:
        """The vectors whose rows come nearest; see :func:`ilk.engines.gan.latent.project`."""
        from ilk.engines.gan.latent import project
        from ilk.engines.gan.sample import measure

        measure(self)
        return project(self, arrays, seed, on)

    def represent(self, arrays: Arrays) -> Array:
        """(N, F) float32: what the critic sees; see :func:`ilk.engines.gan.represent.represent`."""
        from ilk.engines.gan.represent import represent

        return represent(self, arrays)

    def opinion(self, arrays: Arrays) -> Array:
        """(N,) float32: the critic's score; see :func:`ilk.engines.gan.represent.opinion`."""
        from ilk.engines.gan.represent import opinion

        return opinion(self, arrays)

    def state(self) -> dict[str, Array]:
        """All that the next step depends on."""
        return {
            **to_arrays(self.generator.named_parameters(), "generator"),
            **to_arrays(_without_counts(self.critic), "critic"),
            **to_arrays(self.averaged.named_parameters(), "average"),
            **adam_arrays(self.generator_adam, self.generator, "generator_adam"),
            **adam_arrays(self.critic_adam, self.critic, "critic_adam"),
            "frequencies": self.frequencies_K.copy(),
            **to_arrays([("probability", self.augmented)], "augment"),
        }

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Put :meth:`state` back.

        Raises:
            FolderError: an array is missing or has the wrong shape.
        """
        from_arrays(self.generator.named_parameters(), state, "generator")
        from_arrays(_without_counts(self.critic), state, "critic")
        from_arrays(self.averaged.named_parameters(), state, "average")
        load_adam_arrays(self.generator_adam, self.generator, state, "generator_adam")
        load_adam_arrays(self.critic_adam, self.critic, state, "critic_adam")
        self._load_frequencies(state)
        from_arrays([("probability", self.augmented)], state, "augment")
        self.measured, self.judges = False, True

    def weights(self) -> dict[str, Array]:
        """The averaged generator with its frozen statistics, the critic, and the classes' frequencies."""
        from ilk.engines.gan.sample import measure

        measure(self)
        critic = to_arrays(_without_counts(self.critic), CRITIC) if self.judges else {}
        generator = to_arrays(_without_counts(self.averaged), "generator")
        return {**generator, **critic, "frequencies": self.frequencies_K.copy()}

    def load_weights(self, weights: Mapping[str, Array]) -> None:
        """Put :meth:`weights` back; enough to sample, not to go on learning.

        Raises:
            FolderError: an array is missing or has the wrong shape.
        """
        from_arrays(_without_counts(self.averaged), weights, "generator")
        self.judges = any(name.startswith(f"{CRITIC}.") for name in weights)  # earlier models have none
        if self.judges:
            from_arrays(_without_counts(self.critic), weights, CRITIC)
        self._load_frequencies(weights)
        self.measured = True

    def _load_frequencies(self, arrays: Mapping[str, Array]) -> None:
        found = arrays.get("frequencies")
        sound = found is not None and found.shape == (self.classes,) and found.dtype.kind == "f"
        if not sound or found is None or not (np.isfinite(found).all() and (found >= 0).all()):
            sentence = f'The array "frequencies" is not the shares of {self.classes} classes.'
            raise FolderError(Code.FOLDER_DAMAGED, sentence)
        self.frequencies_K = np.array(found, dtype=np.float64)


def _without_counts(module: nn.Module) -> list[tuple[str, Tensor]]:
    """Parameters and buffers by name, without batch norm's counters, which nothing reads."""
    tensors = module.state_dict(keep_vars=True)
    return [(name, tensor) for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")]
