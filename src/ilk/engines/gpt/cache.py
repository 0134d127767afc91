"""Keys and values of what rows have seen, and attention to them: what the network calls a ``Store``.

A row has a slot, and its positions stand one after the other in it; where the network sees only a window of positions,
a new one takes the place of the oldest. Slots and places are allocated as they are needed. Two stores write into the
slots: ``Steps`` one token of each of several rows, ``Block`` several tokens of one row. Both attend in shapes that
depend on a row's own positions alone, so that the floating point sums of a row never depend on its neighbours.
Knows neither tokens nor weights; who gets which slot is the session's business.

Names of axes as in ``model.py``, and R slots, A active rows, G query heads that share a key head.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from ilk.engines.gpt.model import Shape

LEAST = 64  # places that are attended to at the least; beyond it a power of two


def places(count: int, window: int) -> int:
    """How many places are attended to where ``count`` are taken."""
    most = LEAST
    while most < count:
        most *= 2
    return min(most, window)


class Kept(NamedTuple):
    """Copies of a row's first positions, (layers, K, T, C) each."""

    key: Tensor
    value: Tensor


class Cache:
    """Keys and values (R, K, S, C) of every layer.

    Attributes:
        window: most positions that a token sees, itself included.
    """

    def __init__(self, shape: Shape, window: int, dtype: torch.dtype, device: torch.device) -> None:
        self.shape, self.window, self.dtype, self.device = shape, window, dtype, device
        self.keys = [self._empty(0, 0) for _ in range(shape.layers)]
        self.values = [self._empty(0, 0) for _ in range(shape.layers)]

    def _empty(self, rows: int, width: int) -> Tensor:
        s = self.shape
        return torch.zeros(rows, s.key_heads, width, s.head_size, dtype=self.dtype, device=self.device)

    def reserve(self, rows: int, count: int) -> None:
        """Make room for ``count`` positions of each of ``rows`` rows; what is there is kept."""
        has_rows, has_width = self.keys[0].shape[0], self.keys[0].shape[2]
        width = max(has_width, places(count, self.window))
        if rows <= has_rows and width == has_width:
            return
        rows = has_rows if rows <= has_rows else max(rows, 2 * has_rows)
        for arrays in (self.keys, self.values):
            for layer, old in enumerate(arrays):
                arrays[layer] = self._empty(rows, width)
                arrays[layer][:has_rows, :, :has_width] = old

    def move(self, source: int, target: int) -> None:
        """Put the row of one slot into another one."""
        for arrays in (self.keys, self.values):
            for array in arrays:
                array[target] = array[source]

    def copy(self, slot: int, count: int) -> Kept:
        """A row's first ``count`` positions."""
        key, value = (torch.stack([a[slot, :, :count] for a in arrays]) for arrays in (self.keys, self.values))
        return Kept(key, value)

    def paste(self, slot: int, kept: Kept) -> None:
        """Let a row begin with positions that another one had."""
        count = kept.key.shape[2]
        self.reserve(slot + 1, count)
        for arrays, new in ((self.keys, kept.key), (self.values, kept.value)):
            for layer, array in enumerate(arrays):
                array[slot, :, :count] = new[layer]


class _Run(NamedTuple):
    """Neighbouring slots that attend to as many places."""

    first: int
    last: int
    width: int
    mask_A11S: Tensor


class Steps:
    """The next token of the rows in slots 0 to A; the network sees them as one row of M >= A positions."""

    def __init__(self, cache: Cache, position_A: list[int]) -> None:
        """Make room.

        Args:
            cache: where it goes.
            position_A: of each row's token.
        """
        self._cache = cache
        self._count = len(position_A)
        cache.reserve(self._count, max(position_A) + 1)
        self._slot_A = torch.arange(self._count, device=cache.device)
        self._place_A = torch.tensor([p % cache.window for p in position_A], device=cache.device)
        self._runs = list(self._grouped([min(p + 1, cache.window) for p in position_A]))

    def _grouped(self, seen_A: list[int]) -> list[_Run]:
        cache, runs, first = self._cache, [], 0
        width_A = [places(seen, cache.window) for seen in seen_A]
        for last in range(1, self._count + 1):
            if last == self._count or width_A[last] != width_A[first]:
                seen = torch.tensor(seen_A[first:last], device=cache.device)[:, None, None, None]
                hidden = torch.arange(width_A[first], device=cache.device) >= seen
                mask = torch.zeros(hidden.shape, dtype=cache.dtype, device=cache.device)
                runs.append(_Run(first, last, width_A[first], mask.masked_fill_(hidden, float("-inf"))))
                first = last
        return runs

    def attend(self, layer: int, query_BHTC: Tensor, key_BKTC: Tensor, value_BKTC: Tensor) -> Tensor:
        """See :class:`ilk.engines.gpt.model.Store`; B is 1 and T is M."""
        keys, values = self._cache.keys[layer], self._cache.values[layer]
        keys[self._slot_A, :, self._place_A] = key_BKTC[0, :, : self._count].transpose(0, 1)
        values[self._slot_A, :, self._place_A] = value_BKTC[0, :, : self._count].transpose(0, 1)
        _, heads, width, size = query_BHTC.shape
        key_heads = keys.shape[1]
        # Query heads that share a key head stand side by side as positions: keys are read once for all of them.
        query_AHC = query_BHTC[0].transpose(0, 1)[: self._count].contiguous()
        query_AKGC = query_AHC.reshape(self._count, key_heads, heads // key_heads, size)
        out_MHC = query_BHTC.new_empty(width, heads, size)
        out_MHC[self._count :] = 0
        for first, last, seen, mask in self._runs:
            y = functional.scaled_dot_product_attention(
                query_AKGC[first:last], keys[first:last, :, :seen], values[first:last, :, :seen], attn_mask=mask
            )
            out_MHC[first:last] = y.flatten(1, 2)
        return out_MHC.transpose(0, 1)[None]


class Block:
    """``count`` tokens of the row in ``slot`` from position ``first`` on; the network sees M >= count positions."""

    def __init__(self, cache: Cache, slot: int, first: int, count: int, width: int) -> None:
        """Make room.

        Args:
            cache: where it goes; all positions of the row so far are in its window.
            slot: of the row.
            first: position of the first token.
            count: how many there are.
            width: M.
        """
        self._cache, self._slot, self._first, self._count = cache, slot, first, count
        cache.reserve(slot + 1, first + count)
        self._seen = places(first + width, max(cache.window, first + width))
        seen = torch.arange(self._seen, device=cache.device)
        hidden = seen > torch.arange(first, first + width, device=cache.device)[:, None]
        mask = torch.zeros(hidden.shape, dtype=cache.dtype, device=cache.device)
        self._mask_11TS = mask.masked_fill_(hidden, float("-inf"))[None, None]

    def attend(self, layer: int, query_BHTC: Tensor, key_BKTC: Tensor, value_BKTC: Tensor) -> Tensor:
        """See :class:`ilk.engines.gpt.model.Store`; B is 1 and T is M."""
        keys, values = self._cache.keys[layer], self._cache.values[layer]
        first, last = self._first, self._first + self._count
        keys[self._slot, :, first:last] = key_BKTC[0, :, : self._count]
        values[self._slot, :, first:last] = value_BKTC[0, :, : self._count]
        grouped = query_BHTC.shape[1] > keys.shape[1]
        return functional.scaled_dot_product_attention(
            query_BHTC, self._row(keys), self._row(values), attn_mask=self._mask_11TS, enable_gqa=grouped
        )

    def _row(self, array_RKSC: Tensor) -> Tensor:
        row = array_RKSC[self._slot, None, :, : self._seen]
        short = self._seen - row.shape[2]
        return functional.pad(row, (0, 0, 0, short)) if short > 0 else row
