"""Data parallelism in one class: all ranks apply the same averaged gradient.

Knows nothing of what is learned. Ranks start from the same weights (they have the same seed), see
their own slice of one batch, and meet here once an update.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class GradientMean:
    """Replaces each gradient by its mean over all ranks: one all-reduce of one flat buffer.

    With one process it does nothing. A loss that is a mean over the rank's equal share of the batch
    thus has the gradient that one process with the whole batch would get, up to rounding. The buffer is
    kept from update to update: a backend's thread may still hold it when the call returns.
    """

    def __init__(self, parameters: Iterable[Tensor], world: int) -> None:
        self._parameters = list(parameters)
        self._world = world
        self._flat: Tensor | None = None

    def __call__(self) -> None:
        """Average what the last backward pass left."""
        if self._world == 1:
            return
        import torch.distributed as dist

        gradients = [p.grad for p in self._parameters if p.grad is not None]
        parts = [gradient.reshape(-1) for gradient in gradients]
        flat = self._flat = torch.cat(parts) if self._flat is None else torch.cat(parts, out=self._flat)
        dist.all_reduce(flat)
        flat /= self._world
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()


def mean_over_ranks(value: Tensor, world: int) -> Tensor:
    """The mean of one number over all ranks."""
    if world == 1:
        return value
    import torch.distributed as dist

    total = value.clone()
    dist.all_reduce(total)
    return total / world
