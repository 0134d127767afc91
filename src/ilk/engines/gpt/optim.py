"""The optimiser: Muon for the matrices inside the blocks, AdamW for the rest; its state as arrays and back.

Muon (Jordan et al., 2024) moves a matrix along the orthogonal part of its momentum, found by a few Newton-Schulz steps;
matrices of one shape are turned together, in one product instead of many. AdamW as in Loshchilov & Hutter, 2019. Knows
parameters by name, no network.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor, nn

from ilk.core.protocol import Array
from ilk.engines.common.optim import from_arrays, to_arrays

NEWTON_SCHULZ = (
    (4.0848, -6.8946, 2.9270),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
)
"""Coefficients of five steps, each the best for where the one before leaves the singular values (You, 2025)."""


class Muon:
    """Momentum, made orthogonal; for matrices."""

    def __init__(self, parameters: Mapping[str, nn.Parameter], momentum: float, threads: int = 1) -> None:
        self.momentum = momentum
        self.moments = {
            name: torch.zeros_like(p, memory_format=torch.contiguous_format) for name, p in parameters.items()
        }
        self._parameters = dict(parameters)
        alike: dict[torch.Size, list[str]] = {}
        for name, parameter in self._parameters.items():
            alike.setdefault(parameter.shape, []).append(name)
        # The largest first: threads that take one group after the other then end at about the same time.
        self._alike = sorted(alike.items(), key=lambda group: -group[0].numel() * len(group[1]))
        self._pool = ThreadPoolExecutor(threads) if threads > 1 and len(alike) > 1 else None

    def step(self, rate: float, decay: float) -> None:
        """One step along the orthogonal momentum; ``decay`` is AdamW's, as a share of the rate."""
        each = self._pool.map if self._pool is not None else map
        list(each(lambda group: self._move(group[0], group[1], rate, decay), self._alike))

    @torch.no_grad()
    def _move(self, shape: torch.Size, names: list[str], rate: float, decay: float) -> None:
        parameters: list[Tensor] = [self._parameters[name] for name in names]
        gradients = [p.grad for p in parameters if p.grad is not None]
        moments = [self.moments[name] for name in names]
        torch._foreach_lerp_(moments, gradients, 1 - self.momentum)
        ahead = torch.stack(list(torch._foreach_lerp(gradients, moments, self.momentum)))  # Nesterov's
        # Updates of every shape have entries of the same size as those of a square matrix.
        scale = max(1.0, shape[0] / shape[1]) ** 0.5
        if decay:
            torch._foreach_mul_(parameters, 1 - rate * decay)
        torch._foreach_add_(parameters, list(orthogonal(ahead).unbind(0)), alpha=-rate * scale)


def orthogonal(matrix_NRC: Tensor) -> Tensor:
    """The nearest matrices whose singular values are all about 1."""
    x = matrix_NRC.bfloat16() if matrix_NRC.shape[-1] >= 64 else matrix_NRC
    wide = x.shape[-2] > x.shape[-1]
    x = x.mT if wide else x
    x = x / (torch.linalg.matrix_norm(x, keepdim=True) * 1.01 + 1e-7)
    for a, b, c in NEWTON_SCHULZ:
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    turned: Tensor = (x.mT if wide else x).to(matrix_NRC.dtype)
    return turned


class Optimiser:
    """Muon for ``matrices``, AdamW for ``others``; either may be empty.

    Rates are set anew in each step, since they follow the budget's progress.
    """

    def __init__(
        self,
        matrices: Mapping[str, nn.Parameter],
        others: Mapping[str, nn.Parameter],
        *,
        betas: tuple[float, float] = (0.9, 0.95),
        momentum: float = 0.95,
        threads: int = 1,
    ) -> None:
        self.muon = Muon(matrices, momentum, threads) if matrices else None
        self._others = dict(others)
        self.adam = (
            torch.optim.AdamW(self._others.values(), lr=0.0, betas=betas, eps=1e-10, fused=True) if others else None
        )

    def step(self, *, matrix_rate: float, rate: float, decay: float) -> None:
        """Move all parameters along their gradients."""
        if self.muon is not None:
            self.muon.step(matrix_rate, decay)
        if self.adam is not None:
            for group in self.adam.param_groups:
                group["lr"], group["weight_decay"] = rate, decay if self.muon is None else 0.0
            self.adam.step()

    def arrays(self, prefix: str) -> dict[str, Array]:
        """All that the next step depends on."""
        found: dict[str, Array] = {}
        if self.muon is not None:
            found |= to_arrays(self.muon.moments.items(), f"{prefix}.muon")
        for name, parameter in self._others.items():
            state = self.adam.state.get(parameter, {}) if self.adam is not None else {}
            for moment in ("exp_avg", "exp_avg_sq"):
                found |= to_arrays([(f"{name}.{moment}", state.get(moment, torch.zeros_like(parameter)))], prefix)
            found[f"{prefix}.{name}.step"] = np.array(float(state["step"]) if state else 0.0, dtype=np.float32)
        return found

    def load_arrays(self, arrays: Mapping[str, Array], prefix: str) -> None:
        """Put :meth:`arrays` back.

        Raises:
            FolderError: an array is missing or has another shape.
        """
        if self.muon is not None:
            from_arrays(self.muon.moments.items(), arrays, f"{prefix}.muon")
        for name, parameter in self._others.items():
            state = {
                "step": torch.zeros((), device=parameter.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
            from_arrays([(f"{name}.{key}", tensor) for key, tensor in state.items()], arrays, prefix)
            if self.adam is not None:
                self.adam.state[parameter] = state
