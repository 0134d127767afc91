"""More than one core for a small network: threads that each take a slice of the batch.

A small convolution does not keep two cores busy, and where something else runs on the machine the threads
inside an operation wait for each other far longer than they work. Whole slices of a batch, each forward and
backward on one thread, share nothing until their gradients are added, in the order of the slices: the same
number of slices always gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")
FEWEST = 8  # rows of a slice: below that the work around an operation costs more than the operation


class Workers:
    """Threads for slices of a batch.

    Attributes:
        count: slices, and threads; 1 works in the calling thread.
    """

    def __init__(self, threads: int, batch: int, device: str, fewest: int = FEWEST) -> None:
        """As many workers as threads and batch allow, of ``fewest`` rows at the least; a GPU is one worker."""
        self.count = 1 if device != "cpu" else max(1, min(threads, batch // fewest))
        if device == "cpu" and torch.get_num_threads() != max(1, threads // self.count):
            torch.set_num_threads(max(1, threads // self.count))
        self._pool: ThreadPoolExecutor | None = None

    def slices(self, rows: int) -> list[slice]:
        """``rows`` in ``count`` parts of nearly equal size, none of them empty."""
        count = min(self.count, rows)
        return [slice(rows * i // count, rows * (i + 1) // count) for i in range(count)]

    def each(self, work: Callable[[slice], T], rows: int) -> list[T]:
        """``work`` for every slice, side by side; the results in the order of the slices."""
        parts = self.slices(rows)
        if len(parts) == 1:
            return [work(parts[0])]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.count, initializer=torch.set_flush_denormal, initargs=(True,))
        return list(self._pool.map(work, parts))

    def backward(
        self, losses: Callable[[slice], tuple[Tensor, ...]], rows: int, parameters: Sequence[Tensor]
    ) -> list[Tensor]:
        """The gradient of the mean loss over ``rows`` goes into ``parameters``.

        Args:
            losses: the mean loss of a slice, which is differentiated, and other means to be told.
            rows: size of the batch.
            parameters: what the loss is differentiated by.

        Returns:
            The loss and the other means over the whole batch, detached.
        """

        def work(part: slice) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
            share = (part.stop - part.start) / rows
            means = losses(part)
            gradients = torch.autograd.grad(means[0] if share == 1 else means[0] * share, parameters)
            return tuple(mean.detach() * share for mean in means), gradients

        done = self.each(work, rows)
        for place, parameter in enumerate(parameters):
            total = done[0][1][place]
            for _, gradients in done[1:]:
                total = total.add_(gradients[place])
            parameter.grad = total
        return [torch.stack([means[place] for means, _ in done]).sum() for place in range(len(done[0][0]))]
