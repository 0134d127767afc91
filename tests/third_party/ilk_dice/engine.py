"""An autoregressive engine over Throws: the logits of a face are linear in the label and in the faces before it.

No batch statistics, so two ranks learn what one process with the doubled batch does. No generator is
kept: weights start at zero plus noise from the seed, batches come from (seed, step), rows from (seed, index).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Array, Arrays, Condition, Data, Given, Metrics
from ilk.core.seeds import batch_indices, by_chunks, stream
from ilk.engines.common.inputs import count_classes
from ilk.engines.common.optim import adam, adam_arrays, from_arrays, load_adam_arrays, set_rate, to_arrays
from ilk.engines.common.ranks import GradientMean
from ilk.engines.common.schedule import hold_then_fall
from ilk_dice.settings import Faces, SampleFaces
from ilk_dice.space import Throws

CHUNK = 256  # rows computed together, aligned to the index


class Net(nn.Module):
    """Logits of all faces: for each label a bias, and a table from each face before to each face after."""

    def __init__(self, space: Throws, labels: int, seed: int) -> None:
        super().__init__()
        count, sides = space.size, space.sides
        start = stream(seed, "init").normal(0.0, 0.01, (labels, count * sides)).astype(np.float32)
        self.bias = nn.Parameter(torch.from_numpy(start))
        self.table = nn.Parameter(torch.zeros(labels, count * sides, count * sides))
        place = torch.arange(count).repeat_interleave(sides)
        self.register_buffer("before", (place[:, None] < place[None, :]).float(), persistent=False)
        self.shape = (count, sides)

    def forward(self, onehot_BK: Tensor, label_B: Tensor) -> Tensor:
        """Logits (B, dice, sides); those of a die read only the dice before it."""
        tables_BKK = (self.table * self.before)[label_B]
        logits_BK = self.bias[label_B] + torch.einsum("bk,bkl->bl", onehot_BK, tables_BKK)
        return logits_BK.reshape(-1, *self.shape)


class FacesEngine:
    """Learns a distribution over Throws (see ``ilk.core.protocol.Engine``)."""

    def __init__(self, settings: Faces, space: Throws, conditions: Mapping[str, Condition], plan: Plan) -> None:
        self.settings, self.space, self.plan = settings, space, plan
        self.levels = count_classes(conditions)
        self.shares_K = np.full(max(1, self.levels), 1.0 / max(1, self.levels))
        self.net = Net(space, max(1, self.levels), plan.seed)
        self.adam = adam(self.net, settings.rate, (0.9, 0.99))
        self.mean_over_ranks = GradientMean(self.net.parameters(), plan.world)

    def steps(self, data: Data, budget: Budget) -> Iterator[Metrics]:
        if self.levels:
            counts = np.bincount(data.column("label"), minlength=self.levels)
            self.shares_K = counts / counts.sum()
        while not budget.over:
            yield {"surprise": self._step(data, budget)}

    def _step(self, data: Data, budget: Budget) -> float:
        plan, batch = self.plan, self.settings.batch
        arrays = data.take(batch_indices(plan.seed, budget.step, batch, len(data), plan.rank, plan.world))
        faces_BF = torch.from_numpy(np.asarray(arrays["x"]).round().astype(np.int64) - 1)
        label_B = torch.from_numpy(np.asarray(arrays["label"], np.int64) if self.levels else np.zeros(batch, np.int64))
        set_rate(self.adam, self.settings.rate * hold_then_fall(budget.progress))
        self.adam.zero_grad()
        logits_BFS = self.net(self._onehot(faces_BF), label_B)
        loss = nn.functional.cross_entropy(logits_BFS.flatten(0, 1), faces_BF.flatten())
        loss.backward()
        self.mean_over_ranks()
        self.adam.step()
        return float(loss.detach())

    def describe(self, metrics: Metrics) -> str:
        return f"a face comes as a surprise of {metrics['surprise']:.2f} nats"

    def state(self) -> dict[str, Array]:
        return {**self.weights(), **adam_arrays(self.adam, self.net, "adam")}

    def load_state(self, state: Mapping[str, Array]) -> None:
        self.load_weights(state)
        load_adam_arrays(self.adam, self.net, state, "adam")

    def weights(self) -> dict[str, Array]:
        return {**to_arrays(self.net.named_parameters(), "net"), "shares": self.shares_K.copy()}

    def load_weights(self, weights: Mapping[str, Array]) -> None:
        shares = weights["shares"]
        if shares.shape != self.shares_K.shape or any(array.dtype.kind != "f" for array in weights.values()):
            raise ValueError("the arrays are not those of this engine")
        from_arrays(self.net.named_parameters(), weights, "net")
        self.shares_K = np.array(shares, dtype=np.float64)

    def sample(self, indices: Array, given: Given, seed: int, settings: Any) -> Arrays:
        chosen = settings or SampleFaces()
        asked_N = given.labels.get("label", np.full(len(indices), -1))
        draws_ND = by_chunks(indices, CHUNK, lambda first, _: self._uniform(seed, first))
        label_N = self._labels(np.asarray(asked_N), draws_ND[:, -1])
        # Each row's sums are its own: a face picks rows of the table, and no product runs over the batch.
        bias_LK, table_LKK = (t.detach().numpy().astype(np.float64) for t in (self.net.bias, self.net.table))
        logits_NK = bias_LK[label_N]
        sides = self.space.sides
        faces_NF = np.empty((len(indices), self.space.size), np.float32)
        for die in range(self.space.size):
            here = slice(die * sides, (die + 1) * sides)
            spread_NS = np.exp(
                (logits_NK[:, here] - logits_NK[:, here].max(axis=1, keepdims=True)) / chosen.temperature
            )
            up_to_NS = np.cumsum(spread_NS, axis=1)
            face_N = (up_to_NS < (draws_ND[:, die] * up_to_NS[:, -1])[:, None]).sum(axis=1).clip(0, sides - 1)
            faces_NF[:, die] = face_N + 1
            logits_NK[:, here.stop :] += table_LKK[label_N, here.start + face_N, here.stop :]
        return {"x": faces_NF, "label": label_N} if self.levels else {"x": faces_NF}

    def _uniform(self, seed: int, first: int) -> Array:
        """A number in [0, 1) for each die and the label, for a whole chunk of rows."""
        return stream(seed, "throw", first).random((CHUNK, self.space.size + 1))

    def _labels(self, asked_N: Array, draw_N: Array) -> Array:
        drawn_N = (np.cumsum(self.shares_K)[None, :-1] <= draw_N[:, None]).sum(axis=1)
        return np.where(asked_N >= 0, asked_N, drawn_N).astype(np.int64)

    def _onehot(self, faces_BF: Tensor) -> Tensor:
        return nn.functional.one_hot(faces_BF, self.space.sides).float().flatten(1)
