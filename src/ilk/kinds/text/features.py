"""Numbers in which distance means difference in wording: cheap, and kept in a model folder.

Counts of letters and words (``counts.py``) are projected on the directions in which the fitted texts differ most
(latent semantic analysis). They know no meaning beyond wording. What a report rests on is told in ``encoder.py``.

Deerwester et al., "Indexing by latent semantic analysis", 1990; Halko, Martinsson, Tropp, "Finding structure with
randomness", 2011.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ilk.core.errors import Code, FolderError, InputError
from ilk.core.folder import pack, read_floats
from ilk.core.plan import Plan
from ilk.core.protocol import Example
from ilk.kinds.text.counts import WIDTH, count

FILE = "features.safetensors"
MOST_TEXTS = 4_000
MOST_DIRECTIONS = 64
MOST_KEPT = 128
"""Directions of a file that is read."""
_CHUNK = 512
Floats = npt.NDArray[np.float32]


class TextFeatures:
    """Texts -> (N, F) float32 of length 1, or 0 for an empty one."""

    def __init__(self, weight: Floats, directions: Floats) -> None:
        """Keep the projection.

        Args:
            weight: (WIDTH,) what each count is worth.
            directions: (F, WIDTH) orthonormal, the widest first.
        """
        self.weight = weight
        self.directions = directions

    def __call__(self, objects: Sequence[Any]) -> Floats:
        """Coordinates of texts (N, F)."""
        out = np.empty((len(objects), len(self.directions)), np.float32)
        for start in range(0, len(objects), _CHUNK):
            texts = [str(item) for item in objects[start : start + _CHUNK]]
            rows = _weighed(count(texts), self.weight) @ self.directions.T
            out[start : start + len(texts)] = _unit(rows)
        return out

    def save(self, folder: Path) -> None:
        """Write ``features.safetensors``."""
        (folder / FILE).write_bytes(pack({"weight": self.weight, "directions": self.directions}))


def fit_features(examples: Iterable[Example], plan: Plan) -> TextFeatures:
    """Directions of the first 4,000 texts.

    Raises:
        InputError: there is none.
    """
    texts = [str(example.object) for example in islice(examples, MOST_TEXTS)]
    return TextFeatures(*fitted(texts, MOST_DIRECTIONS, plan.seed))


def load_features(folder: Path) -> TextFeatures:
    """Read what ``save`` wrote; a stranger's file is checked.

    Raises:
        FolderError: it is missing or damaged.
    """
    path = folder / FILE
    weight, directions = read_floats(path, ("weight", "directions"))
    fits = weight.shape == (WIDTH,) and directions.ndim == 2 and directions.shape[1] == WIDTH
    if not fits or not 1 <= len(directions) <= MOST_KEPT:
        raise FolderError(Code.FOLDER_UNSAFE, f"{path} has arrays of the wrong shape.")
    return TextFeatures(weight, directions)


def fitted(texts: Sequence[str], most: int, seed: int, *, rare: bool = False) -> tuple[Floats, Floats]:
    """What each count is worth, and the directions in which texts differ most."""
    from sklearn.utils.extmath import randomized_svd

    if not texts:
        raise InputError(Code.TOO_FEW, "There are no texts to take features from.")
    counts = count(texts)
    weight = np.ones(WIDTH, np.float32)
    if rare:
        found = np.bincount(counts.indices, minlength=WIDTH)
        weight = (np.log((1 + len(texts)) / (1 + found)) + 0.1).astype(np.float32)
    rows = _weighed(counts, weight)
    wanted = min(most, *rows.shape)
    _, _, directions = randomized_svd(rows, wanted, n_iter=2, random_state=seed % 2**32)
    return weight, np.ascontiguousarray(directions, np.float32)


def _weighed(counts: Any, weight: Floats) -> Any:
    """Rows of log(1 + count) by weight, each of length 1."""
    from scipy import sparse

    rows = counts.log1p().multiply(weight[None, :]).tocsr()
    norm = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).reshape(-1))
    scale = np.divide(1, norm, out=np.zeros(len(norm), np.float32), where=norm > 0)
    return (sparse.diags(scale) @ rows).astype(np.float32)


def _unit(rows: Any) -> Floats:
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    out: Floats = np.divide(rows, norm, out=np.zeros(rows.shape, np.float32), where=norm > 0)
    return out
