"""LoRA: small matrices that are learned beside frozen ones (Hu et al., 2022).

``y = W x + (s / r) B A x`` with W frozen, A (r, inputs) drawn at random and B (outputs, r) zero at first, so that
learning starts from the base. Knows the network's matrices and nothing of bases.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ilk.core.seeds import stream
from ilk.engines.gpt.model import Linear, Transformer

SCALE = 2.0  # s / r: alpha is twice the rank


class _Adapted(torch.autograd.Function):
    """``x W^T + (x A^T) (S B)^T``, in a few products and without a gradient of W."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, down: Tensor, up: Tensor) -> Tensor:
        flat = x.flatten(0, -2)
        weight, down, up = weight.to(x.dtype), down.to(x.dtype), (up * SCALE).to(x.dtype)
        low = flat @ down.T
        ctx.save_for_backward(flat, weight, low, down, up)
        return (flat @ weight.T).addmm_(low, up.T).view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None, Tensor, Tensor]:
        flat, weight, low, down, up = ctx.saved_tensors
        g = gradients[0].flatten(0, -2)
        through = g @ up
        x = (g @ weight).addmm_(through, down) if ctx.needs_input_grad[0] else None
        grown = (g.T @ low).float().mul_(SCALE)
        return None if x is None else x.view(*gradients[0].shape[:-1], -1), None, (through.T @ flat).float(), grown


class Adapter(nn.Module):
    """What is added to a frozen matrix."""

    def __init__(self, inputs: int, outputs: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.empty(rank, inputs))
        self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """The product with the frozen matrix and what is added to it."""
        y: Tensor = _Adapted.apply(x, weight, self.down, self.up)  # type: ignore[no-untyped-call]
        return y

    def merged(self) -> Tensor:
        """What it adds, as a matrix (outputs, inputs)."""
        return self.up.float() @ self.down.float() * SCALE


def add_adapters(model: Transformer, rank: int, seed: int) -> None:
    """Freeze the network and put an adapter beside every matrix of its blocks; drawn from (seed, name)."""
    for parameter in model.parameters():
        parameter.requires_grad = False
    for name, module in model.named_modules():
        if isinstance(module, Linear):
            outputs, inputs = module.weight.shape
            module.adapter = Adapter(inputs, outputs, rank)
            draw = stream(seed, "adapter", name).standard_normal((rank, inputs), dtype=np.float32)
            module.adapter.down.data.copy_(torch.from_numpy(draw * np.float32(inputs**-0.5)))


def merge_adapters(model: Transformer) -> None:
    """Add every adapter to its matrix and drop it."""
    for module in model.modules():
        if isinstance(module, Linear) and isinstance(module.adapter, Adapter):
            module.weight.data += module.adapter.merged().to(module.weight.dtype)
            module.adapter = None
