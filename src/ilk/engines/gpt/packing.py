"""Which tokens a step sees: rows of a data set, packed one after the other into windows of equal length.

An epoch is all rows in a random order of *runs*: consecutive parts of one sequence, or a whole one. Each run begins
with the ``start`` token, and a window may hold the end of one and the beginning of the next; ``segment`` tells them
apart. The epoch is cut into as many lanes as a batch has rows, and each step moves every lane on by a window. So a
batch is a function of (seed, step), every token comes once an epoch, and only the rows in sight are read.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ilk.core.protocol import Array, Data
from ilk.core.rows import LENGTH, PIECE
from ilk.core.seeds import stream

RUN = 8  # parts of one long sequence that stay together in an epoch


class Windows(NamedTuple):
    """A batch: what is seen, what comes next, what counts, and where a new sequence begins."""

    x_BT: Array  # int64
    y_BT: Array  # int64
    weight_BT: Array  # float32
    segment_BT: Array  # int64
    mixed: bool  # whether any row holds more than one sequence


class _Epoch(NamedTuple):
    row_M: Array  # rows in their order
    begins_M: Array  # whether a run begins with this row
    at_M: Array  # where the row's first token (or its start) stands in the epoch
    total: int


class Packing:
    """Windows of some rows of a data set.

    Attributes:
        tokens: in an epoch, start tokens included.
    """

    def __init__(self, data: Data, rows: Array, *, start: int, window: int, lanes: int, seed: int) -> None:
        """See the top of this file.

        Args:
            data: with ``x`` and ``length``, and ``piece`` and ``weight`` where it has them.
            rows: which of it, in the order of the source.
            start: the token before each run.
            window: T.
            lanes: rows of a batch, of all ranks together.
            seed: of the order.
        """
        self._data, self._rows, self._start, self._seed = data, rows, start, seed
        self.window, self.lanes = window, lanes
        self._length = np.asarray(data.column(LENGTH), np.int64)[rows]
        self._follows = _follows(data, rows)
        self._known: tuple[int, _Epoch] | None = None
        self.tokens = int(self._length.sum() + (~self._follows).sum())
        self.steps_an_epoch = max(1, self.tokens // (lanes * window))

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Windows:
        """What rank ``rank`` sees at ``step``."""
        number, turn = divmod(step, self.steps_an_epoch)
        epoch = self._epoch(number)
        each = self.lanes // world
        lane_B = np.arange(rank * each, (rank + 1) * each)
        place_BT = (lane_B * epoch.total // self.lanes + turn * self.window)[:, None] + np.arange(self.window + 1)
        return self._gather(epoch, place_BT % epoch.total)

    def whole(self, most: int) -> list[Windows]:
        """All windows once, in the order of the rows and at most ``most`` tokens: what a validation looks at."""
        epoch = _ordered(np.arange(len(self._rows)), self._length, ~self._follows)
        count = max(1, min(most, epoch.total - 1) // self.window)
        place_NT = np.arange(count)[:, None] * self.window + np.arange(self.window + 1)
        return [
            self._gather(epoch, place_NT[first : first + self.lanes] % epoch.total)
            for first in range(0, count, self.lanes)
        ]

    def _epoch(self, number: int) -> _Epoch:
        if self._known is None or self._known[0] != number:
            random = stream(self._seed, "epoch", number)
            begins = ~self._follows
            # Long runs are cut anew in each epoch, so that no place is always the first one.
            run_first = np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))
            begins = begins | ((np.arange(len(begins)) - run_first + random.integers(RUN)) % RUN == 0)
            run = np.cumsum(begins) - 1
            order = random.permutation(int(run[-1]) + 1)
            place = np.empty_like(order)
            place[order] = np.arange(len(order))
            rows = np.argsort(place[run], kind="stable")
            self._known = number, _ordered(rows, self._length, begins)
        return self._known[1]

    def _gather(self, epoch: _Epoch, place_BT: Array) -> Windows:
        at = np.searchsorted(epoch.at_M, place_BT, side="right") - 1
        begins = epoch.begins_M[at]
        inside = place_BT - epoch.at_M[at] - begins
        seen, where = np.unique(epoch.row_M[at], return_inverse=True)
        arrays = self._data.take(self._rows[seen])
        where, safe = where.reshape(at.shape), np.maximum(inside, 0)
        is_start = inside < 0
        token = np.where(is_start, self._start, arrays["x"][where, safe]).astype(np.int64)
        weight = (~is_start).astype(np.float32)
        if "weight" in arrays:
            weight *= arrays["weight"][where, safe]
        segment = np.cumsum(is_start, axis=1)
        return Windows(
            x_BT=token[:, :-1],
            y_BT=token[:, 1:],
            weight_BT=weight[:, 1:],
            segment_BT=segment[:, :-1],
            mixed=bool(segment[:, -2].max(initial=0) > segment[:, 0].min(initial=0)),
        )


def noised(windows: Windows, share: float, start: int, seed: int, step: int, rank: int) -> Windows:
    """The windows with some of what is seen replaced by other tokens of the same window; what comes next stays.

    A model cannot lean on every token before, and many passes over a text teach more than its words by heart (Xie et
    al., "Data noising as smoothing in neural network language models", 2017). Start tokens stay where they are.
    """
    x_BT = windows.x_BT
    random = stream(seed, "noise", step, rank)
    other_BT = np.take_along_axis(x_BT, random.integers(x_BT.shape[1], size=x_BT.shape), axis=1)
    chosen_BT = (random.random(x_BT.shape) < share) & (x_BT != start) & (other_BT != start)
    return windows._replace(x_BT=np.where(chosen_BT, other_BT, x_BT))


def _follows(data: Data, rows: Array) -> Array:
    """Whether each row is the next part of the sequence in the row before it."""
    try:
        piece = np.asarray(data.column(PIECE), np.int64)[rows]
    except KeyError:
        return np.zeros(len(rows), dtype=bool)
    follows = np.zeros(len(rows), dtype=bool)
    follows[1:] = (piece[1:] > 0) & (piece[1:] == piece[:-1] + 1)
    return follows


def _ordered(rows: Array, length: Array, begins: Array) -> _Epoch:
    takes = length[rows] + begins[rows]
    at = np.concatenate([[0], np.cumsum(takes)])
    return _Epoch(rows, begins[rows], at[:-1], int(at[-1]))
