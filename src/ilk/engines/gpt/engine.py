"""The engine: the network, its optimiser, the best weights so far, and all of it as arrays.

Training is in ``steps.py``, likelihoods in ``score.py``, drawing in ``sample.py``. No random generator is kept: weights
start from (seed, name), windows come from (seed, step), samples from (seed, index).
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ilk.core.errors import Code, InputError
from ilk.core.offers import Export
from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Array, Arrays, Base, Data, Given, Metrics
from ilk.core.rows import LENGTH, ragged
from ilk.core.seeds import stream
from ilk.core.sequences import Session
from ilk.core.spaces import Tokens
from ilk.engines.common.optim import from_arrays, to_arrays
from ilk.engines.common.ranks import GradientMean
from ilk.engines.common.workers import FEWEST, Workers
from ilk.engines.gpt.adapters import add_adapters
from ilk.engines.gpt.model import Shape, Transformer
from ilk.engines.gpt.optim import Optimiser
from ilk.engines.gpt.settings import Gpt, SampleSettings

EMBEDDING = 0.02  # standard deviation of the first embedding
BETAS = (0.9, 0.95)
GLANCE = 96  # tokens that are enough to see what a sample is like


class GptEngine:
    """Learns a distribution over Tokens (see :class:`ilk.core.protocol.Engine`).

    Attributes:
        model: the network that learns, and that samples.
        learned: its parameters that learn, by name: all of them, or the adapters beside a base.
        best: the weights that were best on the validation rows, and their loss; empty until there is a reason to look.
        looked: how often it was validated.
        calm: what the rates are multiplied by: halved each time that learning went astray.
        based: whether it has a base's weights.
    """

    def __init__(self, settings: Gpt, space: Tokens, plan: Plan) -> None:
        self.settings, self.space, self.plan = settings, space, plan
        self.device = torch.device(plan.device)
        self.model = Transformer(shape_of(settings, space))
        if settings.norms:
            self.model.learn_norms()
        if settings.adapter:  # the rest comes from a base
            add_adapters(self.model, settings.adapter, plan.seed)
        else:
            self._first_weights()
        self.model.to(self.device)
        self.learned = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        self.optimiser = self._optimiser()
        # A row beside a base is work enough for a thread.
        self.workers = Workers(plan.threads, settings.batch, self.device.type, 1 if settings.adapter else FEWEST)
        self.gradient_mean = GradientMean(self.learned.values(), plan.world)
        self.best: dict[str, Tensor] = {}
        self.best_loss, self.looked, self.calm = float("inf"), 0, 1.0
        self.based = False
        self._drawn: tuple[dict[str, Tensor], nn.Module] | None = None

    @property
    def dtype(self) -> torch.dtype:
        """What is computed in while it learns; weights stay as they are."""
        return torch.bfloat16 if self.plan.dtype == "bfloat16" else torch.float32

    def _first_weights(self) -> None:
        """First weights from (seed, name); those that write into the stream start smaller, as there are many."""
        deep = (2 * self.settings.layers) ** -0.5
        for name, parameter in self.model.named_parameters():
            if parameter.ndim < 2:
                continue
            spread = EMBEDDING if name in ("embedding", "head") else 0.5 * parameter.shape[1] ** -0.5
            if name.endswith(("out.weight", "down.weight")):
                spread *= deep
            draw = stream(self.plan.seed, "init", name)
            start = draw.standard_normal(tuple(parameter.shape), dtype=np.float32) * np.float32(spread)
            parameter.data.copy_(torch.from_numpy(start))

    def _optimiser(self) -> Optimiser:
        muon = self.settings.matrix_rate > 0 and not self.settings.adapter
        matrices = {name: p for name, p in self.learned.items() if muon and p.ndim == 2 and name.startswith("blocks.")}
        others = {name: p for name, p in self.learned.items() if name not in matrices}
        return Optimiser(matrices, others, betas=BETAS, threads=self.plan.threads)

    def load_base(self, base: Base) -> None:
        """Take a base's weights; see :func:`ilk.engines.gpt.bases.load_base`."""
        from ilk.engines.gpt.bases import load_base

        load_base(self, base)

    def steps(self, data: Data, budget: Budget) -> Iterator[Metrics]:
        """Learn; see :func:`ilk.engines.gpt.steps.learn`."""
        from ilk.engines.gpt.steps import learn

        if self.settings.adapter and not self.based:
            raise InputError(Code.OPTION, "An adapter is learned beside a base, and there is none; give one by --base.")
        return learn(self, data, budget)

    def describe(self, metrics: Metrics) -> str:
        """``1.52 nats a token``, and on examples that it did not learn from where it looked at these."""
        says = f"{metrics['loss']:.2f} nats a token"
        if "validation" in metrics:
            says += f", {metrics['validation']:.2f} on unseen ones"
        return says

    def sample(self, indices: Array, given: Given, seed: int, settings: Any = None) -> Arrays:
        """``x`` (N, L) int64 and ``length`` (N,) int32: what was given and how it goes on."""
        from ilk.engines.gpt.sample import draw

        return draw(self, np.asarray(indices, dtype=np.int64), given, seed, settings or SampleSettings())

    def session(self, settings: Any = None, *, rows: int = 64, logprobs: bool = True) -> Session:
        """Rows made token by token, by ``session.py`` or ``llama_cpp.py``; see :class:`ilk.core.sequences.Session`."""
        from ilk.engines.gpt.sample import open_session

        return open_session(self, settings, rows=rows, logprobs=logprobs)

    def prefix(self, given: Given, row: int) -> list[int]:
        """The tokens that a row begins with."""
        from ilk.engines.gpt.sample import prefix

        return prefix(given, row)

    def log_score(self, arrays: Arrays, context: int | None = None) -> Array:
        """(N,) float64 nats; see :func:`ilk.engines.gpt.score.log_score`."""
        from ilk.engines.gpt.score import log_score

        return log_score(self, arrays, context)

    @property
    def glance(self) -> dict[str, Any]:
        """A line or two; beside a base half of it, since that takes seconds."""
        return {"length": GLANCE // 2 if self.settings.adapter else GLANCE}

    @property
    def together(self) -> int:
        """Few beside a base: so many glances take it a second or two."""
        return 32 if self.settings.adapter else 512

    def beginning(self, arrays: Arrays) -> Arrays:
        """The first tokens of each row."""
        most = self.glance["length"]
        cut = {name: arrays[name][:, :most] for name in ragged(arrays)}
        return {**arrays, **cut, **({LENGTH: np.minimum(arrays[LENGTH], most)} if LENGTH in arrays else {})}

    def represent(self, arrays: Arrays) -> Array:
        """(N, F) float32: what the last block knows, mean and spread over a row's places."""
        from ilk.engines.gpt.score import represent

        return represent(self, arrays)

    def opinion(self, arrays: Arrays) -> Array:
        """(N,) float32: the mean log-likelihood of a row's tokens."""
        from ilk.engines.gpt.score import opinion

        return opinion(self, arrays)

    @property
    def exports(self) -> Mapping[str, str]:
        """Formats that other programs read."""
        from ilk.engines.gpt.export import FORMATS

        return FORMATS

    def export(self, wanted: Export) -> None:
        """Write one of :attr:`exports`; see :func:`ilk.engines.gpt.export.export`."""
        from ilk.engines.gpt.export import export

        export(self, wanted)

    def state(self) -> dict[str, Array]:
        """All that the next step depends on."""
        return {
            **to_arrays(self.learned.items(), "model"),
            **self.optimiser.arrays("optimiser"),
            **to_arrays((self.best or self.learned).items(), "best"),
            "best_loss": np.array(self.best_loss if self.best else -1.0, dtype=np.float64),
            "looked": np.array(self.looked, dtype=np.int64),
            "calm": np.array(self.calm, dtype=np.float64),
        }

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Put :meth:`state` back.

        Raises:
            FolderError: an array is missing or has the wrong shape.
        """
        from_arrays(self.learned.items(), state, "model")
        self.optimiser.load_arrays(state, "optimiser")
        best = {name: torch.empty_like(parameter) for name, parameter in self.learned.items()}
        from_arrays(best.items(), state, "best")
        loss = float(np.reshape(state["best_loss"], ()))
        self.best, self.best_loss = (best, loss) if loss >= 0 else ({}, float("inf"))
        self.looked = int(np.reshape(state["looked"], ()))
        self.calm = float(np.reshape(state["calm"], ()))

    def weights(self) -> dict[str, Array]:
        """The best weights: all, or the adapters beside a base."""
        return to_arrays((self.best or self.learned).items(), "model")

    def mark(self) -> int:
        """A number that changes with :meth:`weights`, by which what was made of others is made anew."""
        mark = 0
        for array in self.weights().values():
            mark = zlib.crc32(np.ascontiguousarray(array).data.cast("B"), mark)
        return mark

    def load_weights(self, weights: Mapping[str, Array]) -> None:
        """Put :meth:`weights` back; enough to sample, not to go on learning.

        Raises:
            FolderError: an array is missing or has the wrong shape.
        """
        from_arrays(self.learned.items(), weights, "model")
        self.best = {}

    def at_best(self) -> nn.Module:
        """The network with the weights that :meth:`weights` gives: for drawing and scoring."""
        if not self.best:
            return self.model
        if self._drawn is None or self._drawn[0] is not self.best:
            frozen = {id(p): p for p in self.model.parameters() if not p.requires_grad}
            other = copy.deepcopy(self.model, memo=frozen)  # what does not change is not copied
            for name, parameter in other.named_parameters():
                if name in self.best:
                    parameter.data = self.best[name]
            self._drawn = self.best, other
        return self._drawn[1]


def shape_of(settings: Gpt, space: Tokens) -> Shape:
    """The sizes of the weights."""
    s = settings
    return Shape(
        vocabulary=space.vocabulary,
        width=s.width,
        layers=s.layers,
        heads=s.heads,
        key_heads=s.key_heads,
        hidden=s.hidden,
        head_size=s.head_size,
        theta=s.theta,
        epsilon=s.epsilon,
        tied=s.tied,
    )
