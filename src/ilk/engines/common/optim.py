"""Adam, and its state and a network's tensors as named numpy arrays and back.

Knows no engine. An optimiser's own ``state_dict`` numbers its parameters; here its moments carry the
parameters' names, so that a checkpoint is a flat folder of arrays that any reader understands and
that an inserted layer does not shift.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from ilk.core.errors import Code, FolderError
from ilk.core.protocol import Array

MOMENTS = ("exp_avg", "exp_avg_sq")


def adam(module: nn.Module, rate: float, betas: tuple[float, float]) -> torch.optim.Adam:
    """Adam (Kingma & Ba, 2015) over all parameters; fused: one kernel instead of ten per tensor."""
    return torch.optim.Adam(module.parameters(), lr=rate, betas=betas, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next step."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def to_arrays(tensors: Iterable[tuple[str, Tensor]], prefix: str) -> dict[str, Array]:
    """Copies of named tensors as contiguous numpy arrays ``prefix.name``."""
    copies = ((name, tensor.detach().to("cpu", copy=True)) for name, tensor in tensors)
    return {f"{prefix}.{name}": np.ascontiguousarray(copy.numpy()) for name, copy in copies}


@torch.no_grad()
def from_arrays(tensors: Iterable[tuple[str, Tensor]], arrays: Mapping[str, Array], prefix: str) -> None:
    """Fill named tensors in place from :func:`to_arrays`' output.

    Raises:
        FolderError: an array is missing, holds no floats or has another shape than its tensor.
    """
    for name, tensor in tensors:
        array = arrays.get(f"{prefix}.{name}")
        if array is None or array.shape != tuple(tensor.shape):
            found = "missing" if array is None else f"of shape {array.shape}"
            sentence = f'The array "{prefix}.{name}" is {found} where the model wants {tuple(tensor.shape)}.'
            raise FolderError(Code.FOLDER_DAMAGED, sentence)
        if array.dtype.kind != "f":
            sentence = f'The array "{prefix}.{name}" holds {array.dtype} where the model wants floats.'
            raise FolderError(Code.FOLDER_DAMAGED, sentence)
        tensor.copy_(torch.from_numpy(np.array(array)))


def adam_arrays(optimizer: torch.optim.Adam, module: nn.Module, prefix: str) -> dict[str, Array]:
    """Moments and step count of each parameter; zeros before the first step."""
    arrays: dict[str, Array] = {}
    for name, parameter in module.named_parameters():
        state = optimizer.state.get(parameter, {})
        for moment in MOMENTS:
            tensor = state[moment] if state else torch.zeros_like(parameter)
            arrays.update(to_arrays([(f"{name}.{moment}", tensor)], prefix))
        arrays[f"{prefix}.{name}.step"] = np.array(float(state["step"]) if state else 0.0, dtype=np.float32)
    return arrays


def load_adam_arrays(optimizer: torch.optim.Adam, module: nn.Module, arrays: Mapping[str, Array], prefix: str) -> None:
    """Put :func:`adam_arrays`' output back."""
    for name, parameter in module.named_parameters():
        # Moments take the parameter's memory layout, as Adam itself makes them: the same bits after a resume.
        moments = {moment: torch.zeros_like(parameter) for moment in MOMENTS}
        count = torch.zeros((), dtype=torch.float32, device=parameter.device)
        from_arrays([(f"{name}.{moment}", tensor) for moment, tensor in moments.items()], arrays, prefix)
        from_arrays([(f"{name}.step", count)], arrays, prefix)
        optimizer.state[parameter] = {"step": count, **moments}
