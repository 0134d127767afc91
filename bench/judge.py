"""The judge of the picture benchmarks: a feature network and the numbers that are read off its features.

The network is a small 10-class classifier trained on the real training pictures for a fixed number of
steps on one core, kept under ``bench/out`` with its hash: numbers from two judges must not be compared.
It knows nothing of what it judges. A second network, wider, trained from another seed on harder variations,
says which class a made picture shows: it is not the one that measures distance. Fashion-MNIST is judged at
its own 28 x 28 pixels; whoever trains
at 32 by padding hands in the middle of the picture, so that a black border is nobody's credit.

    Frechet distance          Heusel et al., 2017 (here over our features, not Inception's)
    precision, recall         Kynkaanniemi et al., 2019
    density, coverage         Naeem et al., 2020
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pictures import OUT, Pictures, load
from torch import Tensor, nn
from torch.nn import functional

Floats = npt.NDArray[np.float32]
STEPS = {"fashion": 6000, "cifar": 3000, "photos": 500}
CLASSIFIER_STEPS = {"fashion": 1500, "cifar": 4500, "photos": 900}


def floats(x_NCHW: npt.NDArray[np.uint8]) -> Floats:
    """Pictures as the Space has them: [-1, 1]."""
    return (x_NCHW.astype(np.float32) / 127.5 - 1.0).astype(np.float32)


class Judge(nn.Module):
    """A classifier whose 128 last features measure distance between pictures."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.BatchNorm2d(64), nn.ReLU(),
            nn.Conv2d(64, 128, 3, stride=2, padding=1), nn.BatchNorm2d(128), nn.ReLU(),
            nn.Conv2d(128, 128, 3, stride=2, padding=1), nn.BatchNorm2d(128), nn.ReLU(),
            nn.Flatten(), nn.LazyLinear(128), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(128, 10)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(x_BCHW))
        return logits

    @torch.inference_mode()
    def features(self, x_NCHW: Floats) -> npt.NDArray[np.float64]:
        """(N, 128) features, in float32 arithmetic."""
        self.eval()
        parts = np.array_split(x_NCHW, max(1, len(x_NCHW) // 500))
        return np.concatenate([self.body(torch.from_numpy(part)).numpy() for part in parts]).astype(np.float64)

    @torch.inference_mode()
    def classes(self, x_NCHW: Floats) -> npt.NDArray[np.int64]:
        """(N,) the class that it sees."""
        self.eval()
        parts = np.array_split(x_NCHW, max(1, len(x_NCHW) // 500))
        return np.concatenate([self(torch.from_numpy(part)).argmax(1).numpy() for part in parts])


class Classifier(nn.Module):
    """A small residual network that says what a picture shows."""

    def __init__(self, channels: int, classes: int = 10, width: int = 32) -> None:
        super().__init__()

        def layer(a: int, b: int, stride: int = 1) -> list[nn.Module]:
            return [nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]

        w = width
        self.body = nn.Sequential(
            *layer(channels, w), *layer(w, 2 * w, 2), _Residual(2 * w), *layer(2 * w, 4 * w, 2), _Residual(4 * w),
            *layer(4 * w, 4 * w, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(4 * w, classes),
        )  # fmt: skip

    def forward(self, x_BCHW: Tensor) -> Tensor:
        logits: Tensor = self.body(x_BCHW)
        return logits

    @torch.inference_mode()
    def classes(self, x_NCHW: Floats) -> npt.NDArray[np.int64]:
        """(N,) the class that it sees."""
        self.eval()
        parts = np.array_split(x_NCHW, max(1, len(x_NCHW) // 500))
        return np.concatenate([self(torch.from_numpy(part)).argmax(1).numpy() for part in parts])


class _Residual(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(size, size, 3, padding=1, bias=False), nn.BatchNorm2d(size), nn.ReLU(),
            nn.Conv2d(size, size, 3, padding=1, bias=False), nn.BatchNorm2d(size),
        )  # fmt: skip

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return functional.relu(x_BCHW + self.body(x_BCHW))


def judge(name: str = "fashion") -> tuple[Judge, dict[str, Any]]:
    """The feature network: read from ``bench/out``, or trained first (80 to 200 s of one core)."""
    pictures = load(name)
    torch.manual_seed(0)
    model = Judge(pictures.x.shape[1])
    model(torch.zeros(2, *pictures.x.shape[1:]))
    return _kept(model, pictures, f"judge-{name}-{STEPS[name]}.pt", STEPS[name], 0, hard=False)


def classifier(name: str = "fashion") -> tuple[Classifier, dict[str, Any]]:
    """The network that names classes: read from ``bench/out``, or trained first (2 to 8 minutes of one core)."""
    pictures = load(name)
    torch.manual_seed(1)
    model = Classifier(pictures.x.shape[1])
    steps = CLASSIFIER_STEPS[name]
    model, says = _kept(model, pictures, f"classifier-{name}-{steps}.pt", steps, 1, hard=True)
    return model, {"classifier": says["judge"], "classifier_accuracy": says["judge_accuracy"]}


def _kept(
    model: Any, pictures: Pictures, file: str, steps: int, seed: int, *, hard: bool
) -> tuple[Any, dict[str, Any]]:
    path, seconds = OUT / file, 0.0
    if not path.exists():
        start = time.perf_counter()
        _train(model, pictures, steps, seed, hard=hard)
        seconds = time.perf_counter() - start
        torch.save(model.state_dict(), path)
    model.load_state_dict(torch.load(path, weights_only=True))
    accuracy = float((model.classes(floats(pictures.test_x)) == pictures.test_y).mean())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return model, {"judge": digest, "judge_accuracy": round(accuracy, 4), "judge_seconds": round(seconds, 1)}


def _train(model: nn.Module, pictures: Pictures, steps: int, seed: int, *, hard: bool, batch: int = 128) -> None:
    x, y = pictures.x, pictures.y
    draw = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=5e-2 if hard else 1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    for _ in range(steps):
        rows = draw.integers(0, len(x), batch)
        x_BCHW = torch.from_numpy(floats(x[rows]))
        flip = torch.from_numpy(draw.random(batch) < 0.5)
        x_BCHW[flip] = x_BCHW[flip].flip(3)
        if hard:
            x_BCHW = _harder(x_BCHW, draw)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(x_BCHW.to(memory_format=torch.channels_last))
        loss = functional.cross_entropy(logits.float(), torch.from_numpy(y[rows]), label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()


def _harder(x_BCHW: Tensor, draw: np.random.Generator) -> Tensor:
    """The batch moved by up to an eighth and in other colours."""
    batch, _, height, width = x_BCHW.shape
    by = height // 8
    framed = functional.pad(x_BCHW, (by, by, by, by), mode="reflect")
    places = draw.integers(0, 2 * by + 1, (batch, 2))
    moved = torch.stack([framed[i, :, a : a + height, b : b + width] for i, (a, b) in enumerate(places)])
    shade = torch.from_numpy(draw.uniform(-0.15, 0.15, (2, batch, 1, 1, 1)).astype(np.float32))
    return moved * (1 + shade[0]) + shade[1]


def frechet(a_NF: npt.NDArray[np.float64], b_NF: npt.NDArray[np.float64]) -> float:
    """``|m_a - m_b|^2 + tr(A + B - 2 (A B)^(1/2))`` for means m and covariances A, B.

    The trace of the root is the sum of the roots of the eigenvalues of ``A^(1/2) B A^(1/2)``: symmetric,
    so no complex root and no singular warning.
    """
    cov_a, cov_b = np.cov(a_NF.T), np.cov(b_NF.T)
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    between = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cov_b @ root), 0)).sum()
    shift = a_NF.mean(0) - b_NF.mean(0)
    return float(shift @ shift + np.trace(cov_a) + np.trace(cov_b) - 2 * between)


def _distances(a_NF: npt.NDArray[np.float64], b_MF: npt.NDArray[np.float64]) -> Floats:
    return torch.cdist(torch.from_numpy(a_NF).float(), torch.from_numpy(b_MF).float()).numpy()


def numbers(model: Judge, made_NCHW: Floats, real_NCHW: Floats, train_NCHW: Floats, k: int = 5) -> dict[str, float]:
    """Frechet distance, precision, recall, density, coverage, nearest ratio; ``made`` and ``real`` equally many.

    ``nearest`` is the median feature distance of the made pictures to their nearest training picture over
    that of the real ones: 1 as real ones, well below 1 copies, above 1 off the manifold.
    """
    made, real, train = model.features(made_NCHW), model.features(real_NCHW), model.features(train_NCHW)
    real_made = _distances(real, made)
    radius_real = np.partition(_distances(real, real), k, axis=1)[:, k]  # k-th without itself
    radius_made = np.partition(_distances(made, made), k, axis=1)[:, k]
    inside = real_made <= radius_real[:, None]
    nearest = np.median(_distances(made, train).min(1)) / np.median(_distances(real, train).min(1))
    return {
        "frechet": round(frechet(made, real), 4),
        "precision": round(float(inside.any(0).mean()), 4),
        "recall": round(float((real_made <= radius_made[None, :]).any(1).mean()), 4),
        "density": round(float(inside.sum(0).mean() / k), 4),
        "coverage": round(float(inside.any(1).mean()), 4),
        "nearest": round(float(nearest), 3),
    }


def sheet(x_NCHW: Floats, path: Path, columns: int = 16) -> None:
    """A contact sheet to look at."""
    from PIL import Image

    rows = len(x_NCHW) // columns
    n, c, h, w = x_NCHW[: rows * columns].shape
    pixels = ((x_NCHW[:n] + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
    grid = pixels.reshape(rows, columns, c, h, w).transpose(0, 3, 1, 4, 2).reshape(rows * h, columns * w, c)
    Image.fromarray(grid.squeeze()).resize((columns * w * 2, rows * h * 2), Image.Resampling.NEAREST).save(path)
