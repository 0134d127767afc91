"""Exponential moving averages of weights.

Knows parameters, not networks. The average of a generator's weights makes better samples than the
last weights (Yazici et al., "The Unusual Effectiveness of Averaging in GAN Training", 2019).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def decay_after(step: int, share: float) -> float:
    """The decay after ``step`` steps whose half-life is ``share`` of the steps so far.

    A half-life that grows with training forgets the bad start at any budget:
    ``decay = 0.5 ** (1 / (share * step))``, and 0 at the start.
    """
    half_life = share * step
    return float(0.5 ** (1.0 / half_life)) if half_life > 0 else 0.0


@torch.no_grad()
def move_average(average: Sequence[Tensor], current: Sequence[Tensor], decay: float) -> None:
    """``average = decay * average + (1 - decay) * current``, in place, in one call for all tensors."""
    torch._foreach_lerp_(list(average), list(current), 1.0 - decay)
