"""Differentiable augmentation that adapts: what a critic of few pictures is shown instead of the pictures.

A critic that sees the same few pictures again and again learns them by heart, and then teaches nothing. So
it is shown varied pictures, real and made alike, through which gradients flow; each variation comes with
a probability that rises while the critic is too sure of the training pictures and falls while it is not.
Knows no network and no loss; all draws come from (seed, step).

    the variations     Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", 2020
    the adaptation     Karras et al., "Training Generative Adversarial Networks with Limited Data", 2020
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ilk.core.plan import Plan
from ilk.core.seeds import stream

DRAWS = 10  # numbers in [0, 1) that vary one picture
SHIFT = 8  # a picture moves by at most this part of its side
RAMP = 50_000  # pictures shown while the probability could go from 0 to 1
SURE = 0.6  # mean sign of the critic's scores of real pictures above which it is too sure (Karras et al.)


def draws(plan: Plan, step: int, name: str, batch: int) -> Tensor:
    """This rank's numbers ``u_BD`` of one use in one step: any split into ranks sees the same."""
    whole = stream(plan.seed, "augment", name, step).random((batch * plan.world, DRAWS), dtype=np.float32)
    return torch.from_numpy(whole[plan.rank * batch : (plan.rank + 1) * batch]).to(plan.device)


def vary(x_BCHW: Tensor, u_BD: Tensor, probability: Tensor) -> Tensor:
    """The pictures in other colours, moved, and with a hole: each of the three with ``probability``."""
    colour_B, move_B, hole_B = ((u_BD[:, place] < probability) for place in (0, 4, 7))
    x_BCHW = _colours(x_BCHW, u_BD[:, 1:4], colour_B.to(x_BCHW.dtype)[:, None, None, None])
    x_BCHW = _moved(x_BCHW, u_BD[:, 5:7], move_B)
    return x_BCHW * _holes(x_BCHW, u_BD[:, 8:10], hole_B)


def adapted(probability: Tensor, sure: Tensor, pictures: int, most: float) -> Tensor:
    """The probability after one more batch of ``pictures``.

    Args:
        probability: as it was.
        sure: mean sign of the critic's scores of the batch's real pictures, -1 to 1.
        pictures: size of the batch, all ranks together.
        most: what the probability may rise to.
    """
    return (probability + torch.sign(sure - SURE) * pictures / RAMP).clamp(0, most)


def _colours(x_BCHW: Tensor, u_B3: Tensor, on_B111: Tensor) -> Tensor:
    by_B111 = [(u_B3[:, place] - 0.5).to(x_BCHW.dtype)[:, None, None, None] * on_B111 for place in range(3)]
    x_BCHW = x_BCHW + by_B111[0]
    if x_BCHW.shape[1] > 1:
        grey_B1HW = x_BCHW.mean(1, keepdim=True)
        x_BCHW = grey_B1HW + (x_BCHW - grey_B1HW) * (1 + 2 * by_B111[1])
    level_B111 = x_BCHW.mean((1, 2, 3), keepdim=True)
    return level_B111 + (x_BCHW - level_B111) * (1 + by_B111[2])


def _moved(x_BCHW: Tensor, u_B2: Tensor, on_B: Tensor) -> Tensor:
    """Shifted by whole pixels; what comes in from outside is mid grey."""
    batch, _, height, width = x_BCHW.shape
    most = torch.tensor([max(1, height // SHIFT), max(1, width // SHIFT)], device=x_BCHW.device)
    by_B2 = ((u_B2 * (2 * most + 1)).long() - most) * on_B[:, None]
    rows_BH, columns_BW = (
        (torch.arange(size, device=x_BCHW.device) + by_B2[:, place, None]).clamp(-1, size) + 1
        for place, size in enumerate((height, width))
    )
    framed_BHWC = functional.pad(x_BCHW, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    picture_B11 = torch.arange(batch, device=x_BCHW.device)[:, None, None]
    return framed_BHWC[picture_B11, rows_BH[:, :, None], columns_BW[:, None, :]].permute(0, 3, 1, 2)


def _holes(x_BCHW: Tensor, u_B2: Tensor, on_B: Tensor) -> Tensor:
    """0 in a square of half a side around a point of the picture, 1 elsewhere (B, 1, H, W)."""
    inside = [
        (torch.arange(size, device=x_BCHW.device) - (u_B2[:, place, None] * (size + 1)).floor()).abs() < size / 4
        for place, size in enumerate(x_BCHW.shape[2:])
    ]
    hole_BHW = inside[0][:, :, None] & inside[1][:, None, :] & on_B[:, None, None]
    return (~hole_BHW).to(x_BCHW.dtype)[:, None]
