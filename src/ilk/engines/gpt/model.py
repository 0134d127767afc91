"""The network: a decoder-only transformer as Llama has it, so that weights travel.

RMSNorm before each part (Zhang & Sennrich, 2019), rotary positions in half-split form (Su et al., 2021), SwiGLU
(Shazeer, 2020), grouped-query attention (Ainslie et al., 2023), input and output embedding tied unless the shape
says otherwise. Query, key and value are one matrix, and so are gate and up: fewer, larger products. It knows no
vocabulary, no training and no file; how its weights are called elsewhere is told by ``state_dict_adapter.py``.

Names of axes: B rows, T positions, S positions that are attended to, D width, H query heads, K key heads, C size of a
head, V vocabulary.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from ilk.core.config import Record

FEW, LARGE = 64, 2**17  # rows and numbers of a matrix, see ``product``
SHORT = 256  # positions up to which plain products beat torch's fused attention on a CPU (docs/log.md)


class Shape(Record, frozen=True):
    """All that the sizes of the weights depend on."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    key_heads: int
    hidden: int
    head_size: int
    theta: float = 10_000.0  # base of the rotary frequencies
    epsilon: float = 1e-5  # of the norms
    tied: bool = True


class Store(Protocol):
    """Where attention finds what came before (``cache.py``)."""

    def attend(self, layer: int, query_BHTC: Tensor, key_BKTC: Tensor, value_BKTC: Tensor) -> Tensor:
        """Put new keys and values in, and attend to all that each query may see: (B, H, T, C)."""
        ...


class _Norm(torch.autograd.Function):
    """``x / sqrt(mean(x^2) + epsilon)`` over the last axis, in two passes over x instead of autograd's many."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, epsilon: float) -> Tensor:
        size = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        scale = (size.square_() / x.shape[-1] + epsilon).rsqrt_().to(x.dtype)
        y: Tensor = x * scale
        ctx.save_for_backward(y, scale)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        y, scale = ctx.saved_tensors
        along = (gradient * y).mean(-1, keepdim=True)
        return torch.addcmul(gradient, y, along, value=-1).mul_(scale), None


class _Rotate(torch.autograd.Function):
    """Rotary positions of (B, T, heads, C); the gradient is turned back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _turned(x, cos, sin)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return _turned(gradients[0].contiguous(), cos, -sin), None, None


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.addcmul(x * cos, torch.cat([second, first], dim=-1), sin)


def norm(x: Tensor, weight: Tensor | None, epsilon: float) -> Tensor:
    """RMSNorm; without ``weight`` it is 1."""
    y: Tensor = _Norm.apply(x, epsilon)  # type: ignore[no-untyped-call]
    return y if weight is None else y * weight.to(y.dtype)


def product(x: Tensor, weight: Tensor) -> Tensor:
    """``x W^T``, computed in the type of x.

    A few rows in bfloat16 on a CPU are computed as ``(W x^T)^T``: the large matrix is then read as it lies, which takes
    half the time, and a row gets the same bits beside 3 others as beside 63 (bench/decode.py).
    """
    weight = weight.to(x.dtype)
    few = x.numel() <= FEW * x.shape[-1] and weight.numel() >= LARGE
    if few and x.dtype is torch.bfloat16 and x.device.type == "cpu" and not torch.is_grad_enabled():
        return functional.linear(weight, x.reshape(-1, x.shape[-1])).T.contiguous().view(*x.shape[:-1], -1)
    return functional.linear(x, weight)


class Dropout:
    """Numbers that are left out at random, the others enlarged in proportion (Srivastava et al., 2014).

    One belongs to one pass of one slice of a batch: its random numbers are those of a generator of its own.
    """

    def __init__(self, share: float, seed: int, device: torch.device) -> None:
        self._kept = 1.0 - share
        self._random = torch.Generator(device).manual_seed(seed)

    def __call__(self, x: Tensor) -> Tensor:
        """``x`` without some of it."""
        return x * torch.empty_like(x).bernoulli_(self._kept, generator=self._random).mul_(1 / self._kept)


class Linear(nn.Module):
    """A matrix without bias, computed in the type of its input; ``adapter`` is what LoRA adds to it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.adapter: nn.Module | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.adapter is not None:
            y: Tensor = self.adapter(x, self.weight)
            return y
        return product(x, self.weight)


class Attention(nn.Module):
    """Causal grouped-query attention."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.qkv = Linear(shape.width, (shape.heads + 2 * shape.key_heads) * shape.head_size)
        self.out = Linear(shape.heads * shape.head_size, shape.width)

    def forward(
        self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Tensor | None, store: Store | None, layer: int
    ) -> Tensor:
        s = self.shape
        B, T, _ = x.shape
        qkv = self.qkv(x).view(B, T, s.heads + 2 * s.key_heads, s.head_size)
        turned: Tensor = _Rotate.apply(qkv[:, :, : s.heads + s.key_heads], *turn)  # type: ignore[no-untyped-call]
        q, k = turned.transpose(1, 2).tensor_split([s.heads], dim=1)
        v = qkv[:, :, s.heads + s.key_heads :].transpose(1, 2)
        seen = attend(q, k, v, mask) if store is None else store.attend(layer, q, k, v)
        y: Tensor = self.out(seen.transpose(1, 2).reshape(B, T, s.heads * s.head_size))
        return y


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax attention of (B, H, T, C) to (B, K, S, C).

    ``mask`` (1 or B, 1, T, S) is added to the scores: 0 where a position may be seen, -inf where not. Without one all
    T = S positions see themselves and what came before.
    """
    groups = q.shape[1] // k.shape[1]
    if mask is not None and k.shape[2] <= SHORT and q.device.type == "cpu":
        if groups > 1:
            k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        return torch.softmax(scores + mask, dim=-1) @ v
    return functional.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=mask is None, enable_gqa=groups > 1
    )


class Block(nn.Module):
    """Attention and a gated feed-forward part, each added to what came in."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.epsilon = shape.epsilon
        self.attention_norm: nn.Parameter | None = None
        self.hidden_norm: nn.Parameter | None = None
        self.attention = Attention(shape)
        self.gate_up = Linear(shape.width, 2 * shape.hidden)
        self.down = Linear(shape.hidden, shape.width)

    def forward(
        self,
        x: Tensor,
        turn: tuple[Tensor, Tensor],
        mask: Tensor | None,
        store: Store | None,
        layer: int,
        dropout: Dropout | None = None,
    ) -> Tensor:
        seen = self.attention(norm(x, self.attention_norm, self.epsilon), turn, mask, store, layer)
        x = torch.add(x, seen if dropout is None else dropout(seen))
        gate, up = self.gate_up(norm(x, self.hidden_norm, self.epsilon)).chunk(2, dim=-1)
        more = self.down(functional.silu(gate) * up)
        return torch.add(x, more if dropout is None else dropout(more))


class Transformer(nn.Module):
    """Tokens (B, T) -> what is known at each position (B, T, D); ``logits`` makes scores of the next token of it.

    The norms' weights are 1 and not learned unless ``learn_norms`` was called (or a base brings its own).
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Parameter(torch.empty(shape.vocabulary, shape.width))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.final_norm: nn.Parameter | None = None
        self.head = self.embedding if shape.tied else nn.Parameter(torch.empty(shape.vocabulary, shape.width))
        self._turns: dict[tuple[torch.dtype, torch.device], tuple[Tensor, Tensor]] = {}

    def learn_norms(self) -> None:
        """Give every norm a weight, 1 at first."""

        def ones() -> nn.Parameter:
            return nn.Parameter(torch.ones(self.shape.width, device=self.embedding.device))

        for block in self.blocks:
            block.attention_norm, block.hidden_norm = ones(), ones()
        self.final_norm = ones()

    def forward(
        self,
        tokens_BT: Tensor,
        *,
        dtype: torch.dtype = torch.float32,
        mask: Tensor | None = None,
        positions_BT: Tensor | None = None,
        store: Store | None = None,
        dropout: Dropout | None = None,
    ) -> Tensor:
        """Hidden states (B, T, D) of type ``dtype``.

        Args:
            tokens_BT: whole numbers.
            dtype: what is computed in.
            mask: see :func:`attend`.
            positions_BT: of the tokens; 0, 1, ... by default.
            store: attends in place of :func:`attend`, to what came before as well; then no mask is needed.
            dropout: of what each part of a block adds, in learning.
        """
        turn = self._turn(tokens_BT.shape[1], positions_BT, dtype)
        x = functional.embedding(tokens_BT, self.embedding).to(dtype)
        for layer, block in enumerate(self.blocks):
            x = block(x, turn, mask, store, layer, dropout)
        return norm(x, self.final_norm, self.shape.epsilon)

    def logits(self, hidden: Tensor) -> Tensor:
        """(..., V) scores of the next token, float32."""
        return functional.linear(hidden, self.head.to(hidden.dtype)).float()

    def _turn(self, count: int, positions_BT: Tensor | None, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Cosine and signed sine, (1 or B, T, 1, C)."""
        device = self.embedding.device
        most = count if positions_BT is None else int(positions_BT.max()) + 1
        known = self._turns.get((dtype, device))
        if known is None or len(known[0]) < most:
            known = self._turns[dtype, device] = self._table(max(256, 2 * most), dtype, device)
        if positions_BT is None:
            return known[0][None, :count], known[1][None, :count]
        return known[0][positions_BT], known[1][positions_BT]

    def _table(self, count: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
        half = torch.arange(0, self.shape.head_size, 2, dtype=torch.float64) / self.shape.head_size
        angle = torch.outer(torch.arange(count, dtype=torch.float64), self.shape.theta**-half)
        cos, sin = angle.cos(), angle.sin()
        cos, sin = torch.cat([cos, cos], dim=-1), torch.cat([-sin, sin], dim=-1)
        return cos[:, None].to(device, dtype), sin[:, None].to(device, dtype)


def causal_mask(count: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(1, 1, T, T): 0 for a position itself and those before it, -inf for later ones."""
    return torch.full((count, count), float("-inf"), dtype=dtype, device=device).triu_(1)[None, None]


def segment_mask(segment_BT: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, 1, T, T): causal, and never across the border of two sequences that were packed into one row."""
    same = segment_BT[:, None, :, None] == segment_BT[:, None, None, :]
    count = segment_BT.shape[1]
    seen = same & torch.ones(count, count, dtype=torch.bool, device=segment_BT.device).tril_()
    return torch.zeros(seen.shape, dtype=dtype, device=segment_BT.device).masked_fill_(~seen, float("-inf"))
