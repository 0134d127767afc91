"""How surprised the network is by each next token.

Scores of a large vocabulary are by far the largest arrays there are (49,152 of them a token), so they are made for a
few tokens at a time and never kept: beside a frozen head the gradient of a token's loss with respect to what is known
there is one product more, made on the way. Knows the network, not where tokens come from.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ilk.engines.gpt.model import Transformer

TOGETHER = 2**22  # scores at a time: 16 MB of float32


def next_token_losses(
    model: Transformer, hidden_BTD: Tensor, next_BT: Tensor, weight_BT: Tensor | None = None
) -> Tensor:
    """(B, T) negative log-likelihood in nats, float32; 0 where the weight is 0."""
    if model.head.requires_grad and torch.is_grad_enabled():
        logits = model.logits(hidden_BTD)
        return functional.cross_entropy(logits.flatten(0, 1), next_BT.reshape(-1), reduction="none").view_as(next_BT)
    hidden, target = hidden_BTD.flatten(0, 1), next_BT.reshape(-1)
    if weight_BT is None:
        loss: Tensor = _Losses.apply(hidden, model.head, target)  # type: ignore[no-untyped-call]
        return loss.view_as(next_BT)
    counts = weight_BT.reshape(-1).nonzero()[:, 0]
    loss = _Losses.apply(hidden[counts], model.head, target[counts])  # type: ignore[no-untyped-call]
    return loss.new_zeros(len(target)).index_put((counts,), loss).view_as(next_BT)


class _Losses(torch.autograd.Function):
    """Cross-entropy of (N, D) times a frozen head (V, D), a few rows at a time."""

    @staticmethod
    def forward(ctx: Any, hidden_ND: Tensor, head_VD: Tensor, target_N: Tensor) -> Tensor:
        head, rows = head_VD.to(hidden_ND.dtype), max(1, TOGETHER // len(head_VD))
        wanted = ctx.needs_input_grad[0]
        losses, gradients = [], []
        for hidden, target in zip(torch.split(hidden_ND, rows), torch.split(target_N, rows), strict=True):
            scores = functional.log_softmax(hidden @ head.T, dim=-1, dtype=torch.float32)
            losses.append(-scores.gather(1, target[:, None])[:, 0])
            if wanted:
                share = scores.exp_()
                share.scatter_add_(1, target[:, None], share.new_full((len(target), 1), -1.0))
                gradients.append(share.to(head.dtype) @ head)
        if wanted:
            ctx.save_for_backward(torch.cat(gradients) if gradients else hidden_ND)
        return torch.cat(losses) if losses else hidden_ND.new_zeros(0, dtype=torch.float32)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (along,) = ctx.saved_tensors
        return along * gradients[0][:, None].to(along.dtype), None, None
