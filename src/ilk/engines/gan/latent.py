"""The generator's noise as a place to go to: vectors of samples, rows from vectors, and the way back.

``latents`` gives the noise of a sample, ``render`` makes rows of any noise, ``project`` finds the noise whose
row comes nearest to a given one. What is done with vectors (neighbours, paths, walks) is for ``ilk.generator``
to know; how the generator is built is in ``model.py``.

Going back is optimisation with restarts (Zhu et al., "Generative Visual Manipulation on the Natural Image
Manifold", 2016; Abdal et al., "Image2StyleGAN", 2019): many random vectors are looked at, the few nearest
are improved by Adam on the difference in pixels at several scales and in what the critic sees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ilk.core.protocol import Array, Arrays, Given
from ilk.core.seeds import Indices, by_chunks, stream
from ilk.engines.gan.sample import chunk_noise, chunk_rows
from ilk.engines.gan.settings import SampleSettings

if TYPE_CHECKING:
    from ilk.engines.gan.engine import GanEngine

LOOKS = 1024  # random vectors looked at before the best are improved
STARTS = 8  # of them, for each row
STEPS = 150
RATE = 0.1  # Adam's, at the start; a vector's numbers are of size 1
SMALLEST = 4  # cells a side of the smallest scale
FAR = 0.1  # weight of the distance to the shell on which nearly all noise lies


def latents(engine: GanEngine, indices: Indices, seed: int, settings: SampleSettings) -> Array:
    """(N, L) float32: the noise of samples ``indices``, as the generator gets it (temperature included)."""
    z_NL: Array = by_chunks(indices, chunk_rows(engine), lambda first, _: chunk_noise(engine, first, seed))
    return z_NL * np.float32(settings.temperature)


@torch.inference_mode()
def render(engine: GanEngine, z_NL: Array, given: Given) -> Arrays:
    """Rows of these vectors: ``x`` (N, C, H, W) float32 in [-1, 1], and ``label`` (N,) with classes.

    Args:
        engine: a model that can sample.
        z_NL: the noise.
        given: ``labels["label"]`` holds classes (N,), or shares of the classes (N, K), which mix them.
    """
    chunk, grid = chunk_rows(engine), engine.grid
    x_NCHW = np.empty((len(z_NL), grid.channels, grid.height, grid.width), dtype=np.float32)
    label = _labels(engine, given, len(z_NL))
    for start in range(0, len(z_NL), chunk):
        rows = np.arange(start, start + chunk)
        rows[rows >= len(z_NL)] = start  # every chunk is whole, so that sums do not depend on the number of rows
        z_BL = torch.from_numpy(np.asarray(z_NL, dtype=np.float32)[rows]).to(engine.device)
        label_B = None if label is None else torch.from_numpy(label[rows]).to(engine.device)
        with engine.autocast():
            made: Array = engine.averaged(z_BL, label_B).contiguous().cpu().numpy()
        x_NCHW[start : start + chunk] = made[: len(z_NL) - start]
    if label is None:
        return {"x": x_NCHW}
    return {"x": x_NCHW, "label": label if label.ndim == 1 else label.argmax(axis=1)}


def project(engine: GanEngine, arrays: Arrays, seed: int, on: Callable[[float], None]) -> tuple[Array, Given]:
    """Vectors and classes whose rows come nearest to the given ones.

    Args:
        engine: a model that can sample; with a critic it sees more than pixels.
        arrays: ``x`` (N, C, H, W) floats in [-1, 1]; ``label`` (N,) fixes the class where it is not -1.
        seed: of the vectors to begin from.
        on: takes progress from 0 to 1.

    Returns:
        ``z_NL`` float32, and the classes as ``labels["label"]``.
    """
    target_NCHW = torch.from_numpy(np.array(arrays["x"], dtype=np.float32)).to(engine.device)
    view = View(engine)
    z_MNL, label_MN = _looks(engine, view, target_NCHW, _asked(engine, arrays), seed)
    on(0.1)
    starts, count, size = z_MNL.shape
    z = z_MNL.flatten(0, 1).clone().requires_grad_()  # (M N, L): every start of every row at once
    label = None if label_MN is None else label_MN.flatten()
    with torch.no_grad():
        wanted = [part.repeat(starts, 1) for part in view(target_NCHW)]
    adam = torch.optim.Adam([z], lr=RATE, betas=(0.9, 0.99))
    best = torch.full((starts * count,), torch.inf, device=engine.device)
    best_z = z.detach().clone()
    for step in range(STEPS):
        adam.param_groups[0]["lr"] = RATE * min(1.0, 2.0 * (1.0 - step / STEPS))
        with engine.autocast():
            made = engine.averaged(z, label)
        loss = difference(view(made), wanted) + FAR * (z.square().mean(1) - 1.0).square()
        better = loss.detach() < best
        best = torch.where(better, loss.detach(), best)
        best_z = torch.where(better[:, None], z.detach(), best_z)
        (z.grad,) = torch.autograd.grad(loss.sum(), z)  # of z alone: no trace is left in the networks
        adam.step()
        on(0.1 + 0.9 * (step + 1) / STEPS)
    chosen = best.view(starts, count).argmin(0)
    rows = torch.arange(count, device=engine.device)
    found: Array = best_z.view(starts, count, size)[chosen, rows].cpu().numpy()
    if label_MN is None:
        return found, Given()
    return found, Given(labels={"label": label_MN[chosen, rows].cpu().numpy()})


class View:
    """A picture as it is compared: pixels at every scale, and the critic's maps where there is a critic.

    Each map's cells are scaled to one length over the channels (Zhang et al., "The Unreasonable Effectiveness of
    Deep Features as a Perceptual Metric", 2018): without, the maps' small numbers hardly count.
    """

    def __init__(self, engine: GanEngine) -> None:
        self._engine = engine
        self._weights = {name: w.detach() for name, w in engine.critic.normalised().items()} if engine.judges else None

    def __call__(self, x_BCHW: Tensor) -> list[Tensor]:
        """The parts, (B, F) float32 each; numbers of the order of 1."""
        parts, scale = [x_BCHW.flatten(1)], x_BCHW
        while min(scale.shape[2:]) >= 2 * SMALLEST:
            scale = functional.avg_pool2d(scale, 2)
            parts.append(scale.flatten(1))
        if self._weights is not None:
            with self._engine.autocast():
                maps = self._engine.critic.maps(x_BCHW, self._weights)
            parts += [_one_length(each.float()).flatten(1) for each in maps]
        return parts


def difference(a: list[Tensor], b: list[Tensor]) -> Tensor:
    """(B,) the mean squared difference of each part, summed over the parts."""
    return torch.stack([(x - y).square().mean(1) for x, y in zip(a, b, strict=True)]).sum(0)


def _one_length(x_BCHW: Tensor) -> Tensor:
    """Every cell's channels scaled to a mean square of 1; cells without a signal stay small."""
    length = x_BCHW.square().mean(1, keepdim=True).sqrt()
    return x_BCHW / (length + 1e-3)


@torch.no_grad()
def _looks(
    engine: GanEngine, view: View, target_NCHW: Tensor, asked: Tensor | None, seed: int
) -> tuple[Tensor, Tensor | None]:
    """The ``STARTS`` nearest of many random vectors for each row (M, N, L), and their classes (M, N)."""
    draw = stream(seed, "project")
    z_RL = torch.from_numpy(draw.standard_normal((LOOKS, engine.settings.latent), dtype=np.float32)).to(engine.device)
    label_R = None
    if asked is not None:
        drawn = np.arange(LOOKS) % engine.classes  # every class alike: a rare one may be what the picture shows
        label_R = torch.from_numpy(drawn).to(engine.device)
    wanted, chunk = view(target_NCHW), chunk_rows(engine)
    far_RN = []
    for start in range(0, LOOKS, chunk):
        rows = slice(start, start + chunk)
        with engine.autocast():
            made = engine.averaged(z_RL[rows], None if label_R is None else label_R[rows])
        parts = [torch.cdist(a, b).square() / a.shape[1] for a, b in zip(view(made), wanted, strict=True)]
        far_RN.append(torch.stack(parts).sum(0))
    far = torch.cat(far_RN)
    if asked is None or label_R is None:
        chosen_MN = far.topk(STARTS, dim=0, largest=False).indices
        return z_RL[chosen_MN], None
    closed = (asked >= 0)[None, :] & (label_R[:, None] != asked[None, :])
    chosen_MN = far.masked_fill(closed, torch.inf).topk(STARTS, dim=0, largest=False).indices
    return z_RL[chosen_MN], torch.where(asked >= 0, asked, label_R[chosen_MN])


def _asked(engine: GanEngine, arrays: Arrays) -> Tensor | None:
    """(N,) the classes that are fixed, -1 where any will do; None without classes."""
    if not engine.classes:
        return None
    label = np.asarray(arrays.get("label", np.full(len(arrays["x"]), -1)), dtype=np.int64)
    return torch.from_numpy(label.copy()).to(engine.device)


def _labels(engine: GanEngine, given: Given, count: int) -> Array | None:
    """Classes (N,) int64 or their shares (N, K) float32; the most frequent class where one is left open."""
    if not engine.classes:
        return None
    label = np.asarray(given.labels.get("label", np.full(count, -1)))
    if label.ndim == 2:
        return label.astype(np.float32)
    return np.where(label >= 0, label, int(engine.frequencies_K.argmax())).astype(np.int64)
