"""Data parallelism in one function: all ranks apply the same averaged gradient.

Knows nothing of what is learned. Ranks start from the same weights (they have the same seed), see
their own slice of one batch, and meet here once an update.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def average_gradients(parameters: Sequence[Tensor], world: int) -> None:
    """Replace each gradient by its mean over all ranks: one all-reduce of one flat buffer.

    With one process it does nothing. A loss that is a mean over the rank's equal share of the batch
    thus has the gradient that one process with the whole batch would get, up to rounding.
    """
    if world == 1:
        return
    import torch.distributed as dist

    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)
    flat /= world
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()
