"""How many positions may be computed at once without a row noticing: found out on this machine.

Sums of a matrix product may be taken in another order when the product has more rows, and then row 17 of 18 is not row
17 of 64. So positions are only ever computed in a few widths, padded, and only in those in which this machine gives the
same bits: all of the network but its attention is tried with one block, in each width. Wide ones cost about the same
as narrow ones where the weights have to be read from memory anyhow; narrow ones are for small networks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ilk.engines.gpt.model import Transformer

USUAL = 64  # positions; other widths are compared with this one
WIDTHS = (1, 4, 16, USUAL)
TRIES = 8  # parts of a narrow width that are compared


class Widths(NamedTuple):
    """Widths in which a row gets the same bits, wherever it stands; ascending."""

    body: tuple[int, ...]  # of the blocks
    head: tuple[int, ...]  # of the scores


_known: dict[Any, Widths] = {}


def widths(model: Transformer, dtype: torch.dtype) -> Widths:
    """What this machine computes alike in this network, with so many threads."""
    device = model.embedding.device
    key = (model.shape, model.final_norm is None, dtype, device, torch.get_num_threads())
    if key not in _known:
        _known[key] = _tried(model, dtype, device)
    return _known[key]


def fitting(count: int, among: tuple[int, ...]) -> int:
    """The smallest width for ``count`` positions."""
    return next((width for width in among if width >= count), among[-1])


class _NoAttention:
    """A store that gives back a query as it is."""

    def attend(self, layer: int, query_BHTC: Tensor, key_BKTC: Tensor, value_BKTC: Tensor) -> Tensor:  # noqa: ARG002
        return query_BHTC


@torch.inference_mode()
def _tried(model: Transformer, dtype: torch.dtype, device: torch.device) -> Widths:
    token_M = torch.arange(2 * USUAL, device=device) * 7919 % model.shape.vocabulary
    blocks, model.blocks = model.blocks, model.blocks[:1]

    def body(token_M: Tensor) -> Tensor:
        part = token_M[None]
        hidden: Tensor = model(part, dtype=dtype, positions_BT=part % 97, store=_NoAttention())
        return hidden[0]

    try:
        hidden_MD = torch.cat([body(token_M[:USUAL]), body(token_M[USUAL:])]).contiguous()
        return Widths(body=_alike(body, token_M), head=_alike(model.logits, hidden_MD))
    finally:
        model.blocks = blocks


def _alike(compute: Callable[[Tensor], Tensor], given_M: Tensor) -> tuple[int, ...]:
    """The widths in which ``compute`` gives the rows that it gives in the usual one."""
    usual = _parts(compute, given_M, USUAL)
    turned = _parts(compute, given_M.flip(0), USUAL)
    if any(not torch.equal(usual[place], turned[len(given_M) - 1 - place]) for place in usual):
        return (1,)
    return tuple(
        width
        for width in WIDTHS
        if all(torch.equal(row, usual[place]) for place, row in _parts(compute, given_M, width).items())
    )


def _parts(compute: Callable[[Tensor], Tensor], given_M: Tensor, width: int) -> dict[int, Tensor]:
    """Rows by place, computed ``width`` at a time; of narrow widths a few parts, evenly spread."""
    out: dict[int, Tensor] = {}
    every = max(1, len(given_M) // width // TRIES) * width
    for first in range(0, len(given_M), every):
        out.update(enumerate(compute(given_M[first : first + width]), first))
    return out
