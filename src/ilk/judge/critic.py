"""The critic: one small network that tells real from made, with error rates measured on held-out data.

It sees numbers, not objects: cheap features of the kind, and what the engine's own critic sees where the
engine has one; who puts them together is ``ilk.generator.critics``. It ranks samples and gives a file's
probability. It never grades: a report's grader is a fresh one.

Each member is ``f(v) = w_2 . relu(W_1 v + b_1) + u . v + b_2`` on standardised numbers v, and the critic's
logit is the mean over the members. Platt's sigmoid turns logits of data that no member saw into
probabilities. Learning needs torch; using it needs numpy alone.

    Platt, "Probabilistic Outputs for Support Vector Machines", 1999
    Lopez-Paz, Oquab, "Revisiting Classifier Two-Sample Tests", 2017
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ilk.core.errors import Code, FolderError
from ilk.core.protocol import Array
from ilk.core.seeds import stream

if TYPE_CHECKING:
    from torch import Tensor

HIDDEN = 64
FOLDS = 5  # members, each learned without a part of the examples
ENOUGH = 40  # held-out examples; with fewer, each member is measured on the part that it did not see
EPOCHS, BATCH, RATE, DECAY = 20, 128, 3e-3, 0.1
DROP = 0.2  # share of the numbers that a member does without at a step
FAR = 6.0  # standard deviations; what lies further out is no more telling
MOST = 2**20  # numbers kept of a calibration
Floats = npt.NDArray[np.float32]
_SHAPES = {
    "mean": "F", "scale": "F", "inner": "MFH", "inner_bias": "MH", "outer": "MH", "direct": "MF", "bias": "M",
    "slope": "", "shift": "", "real": "R", "made": "S", "held_out": "",
}  # fmt: skip


class Critic:
    """A fitted critic.

    Attributes:
        real, made: the sorted realness of the real and of the made examples that it was calibrated on.
        held_out: whether the model behind it had learned from none of these real examples.
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        """Keep checked arrays; :func:`load` is the door for a stranger's."""
        self._arrays = {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}
        self.real, self.made = self._arrays["real"], self._arrays["made"]
        self.held_out = bool(self._arrays["held_out"])

    def realness(self, features_NF: Array) -> Floats:
        """(N,) the probability of being real, where real and made are equally likely beforehand."""
        logit_N = self.logits(features_NF)
        scaled_N = self._arrays["slope"] * logit_N + self._arrays["shift"]
        return _sigmoid(scaled_N)

    def error_at(self, threshold: float) -> tuple[float, float]:
        """(false alarms, misses) where all with a realness of ``threshold`` or less are called made.

        Shares of the calibration's real and made examples. One is added to each count, so that no share
        is 0 only because few were looked at.
        """
        alarms = int(np.searchsorted(self.real, np.float32(threshold), side="right"))
        missed = len(self.made) - int(np.searchsorted(self.made, np.float32(threshold), side="right"))
        return (alarms + 1) / (len(self.real) + 1), min(1.0, (missed + 1) / (len(self.made) + 1))

    @property
    def calibrated_on(self) -> str:
        """``1,200 held-out real ones and 1,200 fresh samples``."""
        which = "held-out real ones" if self.held_out else "real ones that the model had learned from"
        return f"{len(self.real):,} {which} and {len(self.made):,} fresh samples"

    @property
    def size(self) -> int:
        """How many numbers it sees of each example."""
        return len(self._arrays["mean"])

    def arrays(self) -> dict[str, Array]:
        """All of it, for a safetensors file."""
        return dict(self._arrays)

    def logits(self, features_NF: Array) -> Floats:
        """(N,) the mean over the members, before calibration."""
        a = self._arrays
        seen_NF = np.clip((np.asarray(features_NF, np.float32) - a["mean"]) / a["scale"], -FAR, FAR)
        logits = [
            np.maximum(seen_NF @ a["inner"][m] + a["inner_bias"][m], 0) @ a["outer"][m]
            + seen_NF @ a["direct"][m]
            + a["bias"][m]
            for m in range(len(a["bias"]))
        ]
        mean: Floats = np.mean(logits, axis=0, dtype=np.float32)
        return mean


def load(arrays: Mapping[str, Array]) -> Critic:
    """A critic from arrays of a stranger's file.

    Raises:
        FolderError: an array is missing, strange, not finite, or does not fit the others.
    """
    sizes: dict[str, int] = {}
    if set(arrays) != set(_SHAPES):
        raise FolderError(Code.FOLDER_UNSAFE, "The critic's arrays are not those of a critic.")
    for name, shape in _SHAPES.items():
        array = arrays[name]
        fits = array.ndim == len(shape) and array.dtype == np.float32 and bool(np.isfinite(array).all())
        fits = fits and all(sizes.setdefault(axis, n) == n for axis, n in zip(shape, array.shape, strict=True))
        if not fits or not 0 < array.size <= 2**26:
            raise FolderError(Code.FOLDER_UNSAFE, f'The critic\'s array "{name}" does not fit the others.')
    sound = bool((arrays["scale"] > 0).all()) and float(arrays["slope"]) >= 0
    sound = sound and all((np.diff(arrays[name]) >= 0).all() and len(arrays[name]) <= MOST for name in ("real", "made"))
    if not sound:
        raise FolderError(Code.FOLDER_UNSAFE, "The critic's calibration is no calibration.")
    return Critic(arrays)


def fit(real_NF: Array, made_NF: Array, held_real_NF: Array, held_made_NF: Array, seed: int) -> Critic:
    """Learn to tell real from made.

    Args:
        real_NF: numbers of real examples to learn from.
        made_NF: of samples to learn from.
        held_real_NF: of real examples that nothing learned from, to calibrate on. With fewer than ``ENOUGH``
            those to learn from serve for both: each is measured by the member that did not see it.
        held_made_NF: of further samples, to calibrate on.
        seed: of the first weights, batches and folds.
    """
    x_NF, y_N = _joined(real_NF, made_NF)
    mean_F = x_NF.mean(0)
    scale_F = np.maximum(x_NF.std(0), 1e-6 + 1e-4 * np.abs(mean_F))
    seen_NF = np.clip((x_NF - mean_F) / scale_F, -FAR, FAR)
    fold_N = np.concatenate([_folds(len(real_NF), seed, "real"), _folds(len(made_NF), seed, "made")])
    members = [_member(seen_NF[fold_N != m], y_N[fold_N != m], seed, m) for m in range(FOLDS)]
    arrays: dict[str, Array] = {"mean": mean_F, "scale": scale_F, "slope": np.array(1.0), "shift": np.array(0.0)}
    arrays |= {name: np.stack([member[name] for member in members]) for name in members[0]}
    held_out = min(len(held_real_NF), len(held_made_NF)) >= ENOUGH
    arrays |= {"real": np.zeros(1), "made": np.zeros(1), "held_out": np.array(float(held_out))}
    if held_out:
        held_NF, y_N = _joined(held_real_NF, held_made_NF)
        logit_N = Critic(arrays).logits(held_NF)
    else:
        logit_N = np.empty(len(x_NF), np.float32)
        for m in range(FOLDS):
            alone = Critic({**arrays, **{name: arrays[name][m : m + 1] for name in members[0]}})
            logit_N[fold_N == m] = alone.logits(x_NF[fold_N == m])
    slope, shift = (np.float32(number) for number in platt(logit_N, y_N))
    realness_N = _sigmoid(slope * logit_N + shift)
    arrays |= {"slope": np.array(slope), "shift": np.array(shift)}
    arrays |= {"real": np.sort(realness_N[y_N == 1]), "made": np.sort(realness_N[y_N == 0])}
    return Critic(arrays)


def _joined(real_NF: Array, made_NF: Array) -> tuple[Floats, Floats]:
    """Rows of both sorts, and 1 for real, 0 for made."""
    x_NF = np.concatenate([real_NF, made_NF]).astype(np.float32)
    return x_NF, np.repeat(np.array([1, 0], np.float32), [len(real_NF), len(made_NF)])


def _folds(count: int, seed: int, name: str) -> Array:
    return stream(seed, "fold", name).permutation(count) % FOLDS


def _sigmoid(logit_N: Array) -> Floats:
    out: Floats = (1.0 / (1.0 + np.exp(-np.clip(logit_N, -30, 30)))).astype(np.float32)
    return out


def platt(logit_N: Array, y_N: Array, rounds: int = 50) -> tuple[float, float]:
    """Slope and shift of the sigmoid that fits best, by Newton's method on Platt's smoothed targets.

    Classes weigh the same, however many each has. A slope below 0 (worse than guessing) becomes 0.
    """
    x_N = np.asarray(logit_N, np.float64)
    real = np.asarray(y_N) > 0.5
    counts = {True: max(1, int(real.sum())), False: max(1, int((~real).sum()))}
    target_N = np.where(real, (counts[True] + 1) / (counts[True] + 2), 1 / (counts[False] + 2))
    weight_N = np.where(real, 0.5 / counts[True], 0.5 / counts[False])
    design_N2 = np.stack([x_N, np.ones_like(x_N)], axis=1)
    at = np.zeros(2)
    ridge = np.diag([1e-6, 1e-9])
    for _ in range(rounds):
        p_N = 1 / (1 + np.exp(-np.clip(design_N2 @ at, -30, 30)))
        slope_2 = design_N2.T @ (weight_N * (p_N - target_N)) + ridge @ at
        bend_22 = (design_N2 * (weight_N * np.maximum(p_N * (1 - p_N), 1e-6))[:, None]).T @ design_N2 + ridge
        step = np.linalg.solve(bend_22, slope_2)
        at = at - step * min(1.0, 4.0 / max(1e-12, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-7:
            break
    return max(0.0, float(at[0])), float(at[1]) if at[0] > 0 else 0.0


def _member(x_NF: Floats, y_N: Floats, seed: int, number: int) -> dict[str, Floats]:
    """One member, learned by AdamW with dropped inputs; the same bits for the same threads."""
    import torch
    from torch.nn import functional
    from torch.optim.adamw import adamw

    draw = stream(seed, "critic", number)
    width = x_NF.shape[1]
    start = {
        "inner": draw.normal(0, (2 / width) ** 0.5, (width, HIDDEN)),
        "inner_bias": np.zeros(HIDDEN),
        "outer": draw.normal(0, (1 / HIDDEN) ** 0.5, HIDDEN),
        "direct": np.zeros(width),
        "bias": np.zeros(()),
    }
    net: dict[str, Tensor] = {k: torch.tensor(v, dtype=torch.float32, requires_grad=True) for k, v in start.items()}
    weights = list(net.values())
    means, squares = ([torch.zeros_like(each) for each in weights] for _ in range(2))
    counts = [torch.zeros(()) for _ in weights]
    steps = max(60, EPOCHS * len(x_NF) // BATCH)
    for step in range(steps):
        rows = draw.integers(0, len(x_NF), BATCH)
        kept = (draw.random((BATCH, width), dtype=np.float32) >= DROP) / np.float32(1 - DROP)
        x_BF, y_B = torch.from_numpy(x_NF[rows] * kept), torch.from_numpy(y_N[rows])
        hidden_BH = functional.relu(x_BF @ net["inner"] + net["inner_bias"])
        logit_B = hidden_BH @ net["outer"] + x_BF @ net["direct"] + net["bias"]
        loss = functional.binary_cross_entropy_with_logits(logit_B, y_B)
        gradients = list(torch.autograd.grad(loss, weights))
        rate = RATE * min(1.0, 1.25 * (1 - step / steps))
        with torch.no_grad():  # torch.optim.AdamW does the same, but only after importing a compiler for 3 seconds
            adamw(weights, gradients, means, squares, [], counts, fused=True, amsgrad=False, beta1=0.9, beta2=0.999,
                  lr=rate, weight_decay=DECAY, eps=1e-8, maximize=False)  # fmt: skip
    return {name: value.detach().numpy().copy() for name, value in net.items()}
