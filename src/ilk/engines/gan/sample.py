"""Drawing: pictures from the averaged generator, each a function of (weights, label, seed, index).

Pictures are computed in whole chunks aligned to the index, since floating point sums depend on the
shape of a batch; what a caller gets never depends on how many were asked for. Batch statistics are
frozen, so that no picture depends on its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from ilk.core.protocol import Array, Arrays, Given
from ilk.core.seeds import Indices, by_chunks, stream
from ilk.engines.common.draws import labels, turns
from ilk.engines.gan.settings import SampleSettings

if TYPE_CHECKING:
    from ilk.engines.gan.engine import GanEngine

CHUNK_PIXELS = 128 * 32 * 32  # a chunk fits the cache of a core
MEASURE_BATCHES = 16  # of one chunk each


def draw(engine: GanEngine, indices: Indices, given: Given, seed: int, settings: SampleSettings) -> Arrays:
    """Rows ``indices``: ``x`` (N, C, H, W) float32 in [-1, 1], and ``label`` (N,) with classes.

    ``given.labels["label"]`` holds the asked classes, -1 where any will do: then the class is drawn
    with the frequencies of the training data, or among ``given.allowed["label"]``.
    """
    grid = engine.grid
    x_NCHW = np.empty((len(indices), grid.channels, grid.height, grid.width), dtype=np.float32)
    label_N = labels(engine.frequencies_K, indices, given, seed) if engine.classes else None
    for rows in turns(indices):
        part = None if label_N is None else label_N[rows]
        x_NCHW[rows] = _pictures(engine, indices[rows], part, seed, settings.temperature)
    return {"x": x_NCHW} if label_N is None else {"x": x_NCHW, "label": label_N}


def chunk_rows(engine: GanEngine) -> int:
    """Pictures a chunk: 128 at 32 px, fewer for larger ones."""
    return max(4, CHUNK_PIXELS // (engine.grid.height * engine.grid.width))


def chunk_noise(engine: GanEngine, first: int, seed: int) -> Array:
    """(B, L) float32: the noise of the chunk that begins at index ``first``."""
    shape = (chunk_rows(engine), engine.settings.latent)
    noise: Array = stream(seed, "z", first).standard_normal(shape, dtype=np.float32)
    return noise


@torch.inference_mode()
def _pictures(engine: GanEngine, indices: Indices, label_N: Indices | None, seed: int, temperature: float) -> Array:
    chunk = chunk_rows(engine)

    def make(first: int, rows: Indices) -> Array:
        z_BL = chunk_noise(engine, first, seed)
        label_B = None
        if label_N is not None:
            asked = np.zeros(chunk, dtype=np.int64)
            asked[indices[rows] - first] = label_N[rows]
            label_B = torch.from_numpy(asked).to(engine.device)
        with engine.autocast():
            x_BCHW = engine.averaged(torch.from_numpy(z_BL * np.float32(temperature)).to(engine.device), label_B)
        made: Array = x_BCHW.contiguous().cpu().numpy()
        return made

    return by_chunks(indices, chunk, make)


@torch.no_grad()
def measure(engine: GanEngine) -> None:
    """Freeze the averaged generator's batch statistics as they are over fixed noise.

    The average of weights has no statistics of its own: those of the last weights do not fit it.
    """
    if engine.measured:
        return
    norms = [m for m in engine.averaged.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    engine.averaged.train()
    chunk = chunk_rows(engine)
    for batch in range(MEASURE_BATCHES if norms else 0):
        z_BL = stream(0, "measure", batch).standard_normal((chunk, engine.settings.latent), dtype=np.float32)
        label_B = None
        if engine.classes:
            drawn = stream(0, "measure label", batch).choice(engine.classes, chunk, p=engine.frequencies_K)
            label_B = torch.from_numpy(drawn.astype(np.int64)).to(engine.device)
        with engine.autocast():
            engine.averaged(torch.from_numpy(z_BL).to(engine.device), label_B)
    engine.averaged.eval()
    engine.measured = True
