"""A small network that tells pictures apart, in scikit-learn's manners: seconds of learning, always as many steps.

The layers are those of a report's encoder (``ilk.kinds.image.encoder``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from torch import Tensor
from torch.nn import functional

from ilk.core.protocol import Array
from ilk.core.seeds import batch_indices
from ilk.kinds.image.encoder import Network

BATCH = 64
RATE, DECAY = 2e-3, 1e-2
TOGETHER = 512


class Convnet(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Strided convolutions and a linear layer, learned by AdamW.

    Args:
        steps: of learning, whatever the number of pictures.
        networks: how many are averaged.
        seed: of weights and batches.

    Attributes:
        classes_: (K,) the classes.
        networks_: the networks.
    """

    def __init__(self, *, steps: int = 300, networks: int = 1, seed: int = 0) -> None:
        self.steps, self.networks, self.seed = steps, networks, seed

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Convnet:
        """Learn (N, H, W) or (N, H, W, C) uint8 and their classes."""
        self.classes_, code_N = np.unique(np.asarray(y), return_inverse=True)
        weight_N = np.ones(len(code_N)) if sample_weight is None else np.asarray(sample_weight)
        x_NCHW, target_N = _floats(X), torch.from_numpy(code_N.astype(np.int64))
        shares_N = torch.from_numpy((weight_N / weight_N.mean()).astype(np.float32))
        self.networks_ = [
            _learn(x_NCHW, target_N, shares_N, len(self.classes_), self.steps, self.seed + turn)
            for turn in range(self.networks)
        ]
        return self

    def predict_proba(self, X: Any) -> Array:
        """(N, K) float64 probabilities."""
        parts = []
        with torch.no_grad():
            for x_BCHW in torch.split(_floats(X), TOGETHER):
                p = [functional.softmax(network(x_BCHW).double(), 1) for network in self.networks_]
                parts.append(torch.stack(p).mean(0))
        return np.asarray(torch.cat(parts).numpy())

    def predict(self, X: Any) -> Array:
        """(N,) classes."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(1)])


def _floats(X: Any) -> Tensor:
    """(N, C, S, S) in [-1, 1], S the larger side: padded at the edges to a square."""
    x = np.asarray(X)
    x = x[..., None] if x.ndim == 3 else x
    high, wide = (max(x.shape[1:3]) - side for side in x.shape[1:3])
    x = np.pad(x, ((0, 0), (0, high), (0, wide), (0, 0)), mode="edge")
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)).astype(np.float32) / 127.5 - 1.0)


def _learn(x_NCHW: Tensor, target_N: Tensor, share_N: Tensor, classes: int, steps: int, seed: int) -> Network:
    count, batch = len(x_NCHW), min(BATCH, len(x_NCHW))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Network(x_NCHW.shape[1], x_NCHW.shape[2], classes)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for step in range(steps):
        rows = torch.from_numpy(batch_indices(seed, step, batch, count))
        loss_B = functional.cross_entropy(network(x_NCHW[rows]), target_N[rows], reduction="none")
        optimiser.zero_grad()
        (loss_B * share_N[rows]).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return network.eval()
