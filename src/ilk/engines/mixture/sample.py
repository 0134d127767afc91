"""Drawing: a label, one of its Gaussians, a point in it, and the row that the point stands for.

Row i is a function of (weights, label, seed, i) alone: what is drawn comes from (seed, index), a point is
computed for each row by itself, and rows are made in whole chunks aligned to the index, since floating
point sums depend on the shape of a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ilk.core.protocol import Array, Arrays, Given
from ilk.core.seeds import Indices, by_chunks, stream
from ilk.engines.common.draws import labels, pick, turns, uniform
from ilk.engines.mixture.settings import SampleSettings

if TYPE_CHECKING:
    from ilk.engines.mixture.engine import MixtureEngine

CHUNK = 64  # rows made together


def draw(engine: MixtureEngine, indices: Indices, given: Given, seed: int, settings: SampleSettings) -> Arrays:
    """Rows ``indices``: ``x`` (N, C, H, W) float32 in [-1, 1], and ``label`` (N,) with classes.

    ``given.labels["label"]`` holds the asked classes, -1 where any will do: then the class is drawn
    with the frequencies of the training data, or among ``given.allowed["label"]``.
    """
    grid = engine.grid
    share_CK = engine.density.shares_G.double().cpu().numpy().reshape(max(1, engine.classes), -1)
    label = labels(share_CK.sum(axis=1), indices, given, seed) if engine.classes else np.zeros_like(indices)
    within = pick(share_CK[label], uniform("gaussian", indices, seed))
    place = label * share_CK.shape[1] + within
    x_NCHW = np.empty((len(indices), grid.channels, grid.height, grid.width), dtype=np.float32)
    for rows in turns(indices):
        x_NCHW[rows] = _rows(engine, indices[rows], place[rows], seed, settings).reshape(-1, *x_NCHW.shape[1:])
    return {"x": x_NCHW, "label": label} if engine.classes else {"x": x_NCHW}


@torch.inference_mode()
def _rows(engine: MixtureEngine, indices: Indices, place_N: Indices, seed: int, settings: SampleSettings) -> Array:
    density = engine.density

    def make(first: int, rows: Indices) -> Array:
        place = np.zeros(CHUNK, dtype=np.int64)
        place[indices[rows] - first] = place_N[rows]
        place_B = torch.from_numpy(place).to(engine.device)
        factor_BRR = density.factors_QRR[place_B if len(density.factors_QRR) > 1 else place_B * 0]
        e_BR1 = _normal(engine, seed, "z", first, density.basis_RD.shape[0])[:, :, None]
        z_BR = density.means_GR[place_B] + settings.temperature * torch.bmm(factor_BRR, e_BR1)[:, :, 0]
        x_BD = density.mean_D + z_BR @ density.basis_RD
        if settings.noise:
            e_BD = _normal(engine, seed, "noise", first, density.basis_RD.shape[1])
            e_BD -= (e_BD @ density.basis_RD.T) @ density.basis_RD
            x_BD += settings.noise * density.noise_1.sqrt() * e_BD
        made: Array = x_BD.clamp(-1, 1).cpu().numpy()
        return made

    return by_chunks(indices, CHUNK, make)


def _normal(engine: MixtureEngine, seed: int, name: str, first: int, size: int) -> Tensor:
    drawn = stream(seed, name, first).standard_normal((CHUNK, size), dtype=np.float32)
    return torch.from_numpy(drawn).to(engine.device)
