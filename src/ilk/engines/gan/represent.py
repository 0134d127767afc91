"""What the trained critic sees in pictures: its maps, pooled, and its score.

The critic learned to tell real from made while the generator learned to fool it; what it looks at
is worth keeping for whoever ranks or judges afterwards. This file only reads the network (``model.py``);
what is made of the numbers is decided in ``ilk.judge.critic``. Rows are computed in chunks of one fixed
shape, so that a row's numbers do not depend on how many were asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ilk.core.errors import Code, InputError
from ilk.core.protocol import Array, Arrays
from ilk.engines.gan.sample import chunk_rows

if TYPE_CHECKING:
    from ilk.engines.gan.engine import GanEngine


def represent(engine: GanEngine, arrays: Arrays) -> Array:
    """(N, F) float32: of every map its mean and its spread over the cells. Labels play no part.

    Args:
        engine: one whose critic is there.
        arrays: ``x`` (N, C, H, W) floats in [-1, 1].
    """

    def pooled(x_BCHW: Tensor, _: Tensor | None) -> Tensor:
        maps = engine.critic.maps(x_BCHW)
        parts = [part for x in maps for part in (x.float().mean((2, 3)), x.float().std((2, 3), correction=0))]
        return torch.cat(parts, dim=1)

    return _by_chunks(engine, arrays, pooled)


def opinion(engine: GanEngine, arrays: Arrays) -> Array:
    """(N,) float32: the critic's score; where a label is missing or -1, the mean over the labels by their shares.

    Measured on Fashion-MNIST, test pictures against samples without their labels: the mean tells them apart
    with an AUC of 0.74, the best label's score with 0.68, the logarithm of the mean likelihood with 0.72 (with
    the true labels it is 0.87).
    """
    share_K1 = torch.from_numpy(engine.frequencies_K.astype(np.float32)).to(engine.device)[:, None]

    def score(x_BCHW: Tensor, label_B: Tensor | None) -> Tensor:
        if label_B is None:
            plain_B: Tensor = engine.critic(x_BCHW)
            return plain_B
        every_BK = engine.critic.scores(x_BCHW)
        return torch.where(
            label_B < 0, (every_BK @ share_K1)[:, 0], every_BK.gather(1, label_B.clamp(min=0)[:, None])[:, 0]
        )

    return _by_chunks(engine, arrays, score)


@torch.inference_mode()
def _by_chunks(engine: GanEngine, arrays: Arrays, look: Callable[[Tensor, Tensor | None], Tensor]) -> Array:
    """``look`` at all rows, a chunk at a time; the last one is filled up with its first row."""
    if not engine.judges:
        raise InputError(Code.NOT_FITTED, "This model was saved without its critic, so it has no opinion; fit it anew.")
    x_NCHW = np.asarray(arrays["x"], dtype=np.float32)
    labels = np.asarray(arrays.get("label", np.full(len(x_NCHW), -1)), dtype=np.int64) if engine.classes else None
    chunk = chunk_rows(engine)
    parts = []
    for start in range(0, len(x_NCHW), chunk):
        rows = np.arange(start, start + chunk)
        rows[rows >= len(x_NCHW)] = start
        x_BCHW = torch.from_numpy(x_NCHW[rows]).to(engine.device)
        label_B = None if labels is None else torch.from_numpy(labels[rows]).to(engine.device)
        with engine.autocast():
            part: Array = look(x_BCHW, label_B).float().cpu().numpy()
        parts.append(part[: len(x_NCHW) - start])
    return np.concatenate(parts) if parts else np.zeros((0,), np.float32)
