"""Features of what pictures show, learned on the spot in seconds: what a report's numbers rest on.

A small convolutional network. Where the pictures have classes it learns to tell them; where not, it
learns in which of 100 clusters of similar pictures (by principal components) one lies, however it is
shifted, mirrored and recoloured. Its last layer before the answer is the features. With few pictures a
network learns them by heart; then the principal components serve (``features.py``). How good it is comes
from pictures that it did not learn from, and is said in ``about``.

Without classes, linear probes on hidden labels after 15 core-seconds (Fashion, CIFAR): principal
components 0.82, 0.37; clusters 0.85, 0.46; clusters anew from the learned features half-way -, 0.45;
contrastive 0.82, 0.47.

    clusters as targets  Caron et al., "Deep Clustering for Unsupervised Learning of Visual Features", 2018
    contrastive          Chen et al., "A Simple Framework for Contrastive Learning", 2020
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import save
from torch import Tensor, nn
from torch.nn import functional

from ilk.core.plan import Plan
from ilk.core.protocol import Example
from ilk.core.seeds import stream
from ilk.kinds.image.choose import choose_channels, choose_classes
from ilk.kinds.image.features import PcaFeatures, fit_features, principal
from ilk.kinds.image.picture import size_of
from ilk.kinds.image.pixels import Pixels, square

FILE = "encoder.safetensors"
MOST_SIDE, LEAST_SIDE = 64, 8
FEWEST = 200  # pictures that a network is worth
FEWEST_OF_CLASS = 10  # on average; with fewer the clusters teach more
WIDTH, FEATURES, BATCH = 32, 128, 128
RATE, DECAY = 2e-3, 1e-2
EPOCHS = 40  # at most; with few pictures
PICTURES = 100_000  # shown at 32 px a side; fewer of larger ones: about 15 seconds of two cores
CLUSTERS = 100
CHUNK = 256
COMPARED = 500  # pictures among which a copy is looked for
LIMITS = (
    "Its numbers cannot be compared with Inception FID, nor with a report that was made with another encoder or on"
    " other data."
)
Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Draw = np.random.Generator


class Network(nn.Module):
    """Pictures to ``FEATURES`` numbers, and these to answers: strided convolutions as in a critic."""

    def __init__(self, channels: int, side: int, answers: int) -> None:
        super().__init__()
        widths, cells = [channels, WIDTH], -(-side // 2)
        while cells > 4:
            widths.append(min(4 * WIDTH, 2 * widths[-1]))
            cells = -(-cells // 2)
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [nn.Conv2d(a, b, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
        layers += [nn.Flatten(), nn.Linear(widths[-1] * cells**2, FEATURES, bias=False), nn.BatchNorm1d(FEATURES)]
        self.body = nn.Sequential(*layers, nn.ReLU())
        self.head = nn.Linear(FEATURES, answers)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Logits (B, answers)."""
        answers: Tensor = self.head(self.body(x_BCHW))
        return answers


class ImageEncoder:
    """Objects -> (N, F) float32: what they show. Satisfies ``ilk.core.protocol.Encoder``.

    Attributes:
        about: which encoder, how good, and what its numbers cannot be compared with.
    """

    def __init__(self, network: Network, channels: int, side: int, dtype: str, about: str = "") -> None:
        self.network, self.channels, self.side, self.dtype, self.about = network, channels, side, dtype, about

    def __call__(self, objects: Sequence[Any]) -> Floats:
        """Features of pictures of any size."""
        parts = [objects[start : start + CHUNK] for start in range(0, len(objects), CHUNK)]
        found = [self.of_pixels(_pixels(part, self.side, self.channels)) for part in parts]
        return np.concatenate([np.zeros((0, FEATURES), np.float32), *found])

    @torch.inference_mode()
    def of_pixels(self, pixels_NCHW: Pixels, *, answers: bool = False) -> Floats:
        """Features, or answers, of uint8 squares; computed in float32 and in chunks of one shape."""
        self.network.eval()
        parts = []
        for start in range(0, len(pixels_NCHW), CHUNK):
            rows = np.minimum(np.arange(start, start + CHUNK), len(pixels_NCHW) - 1)
            x_BCHW = _floats(pixels_NCHW[rows]).to(memory_format=torch.channels_last)
            part = self.network(x_BCHW) if answers else self.network.body(x_BCHW)
            parts.append(part.numpy()[: len(pixels_NCHW) - start])
        return np.concatenate(parts)

    def save(self, folder: Path) -> None:
        """Write ``encoder.safetensors``."""
        tensors = {name: tensor.numpy().copy() for name, tensor in self.network.state_dict().items()}
        (folder / FILE).write_bytes(save(tensors))


class PcaEncoder:
    """The principal components, where there are too few pictures for a network."""

    def __init__(self, features: PcaFeatures, about: str) -> None:
        self.features, self.about = features, about

    def __call__(self, objects: Sequence[Any]) -> Floats:
        return self.features(objects)

    def save(self, folder: Path) -> None:
        self.features.save(folder)


def fit_encoder(examples: Sequence[Example], holdout: Sequence[Example], plan: Plan) -> ImageEncoder | PcaEncoder:
    """Learn features from examples and rate them on others.

    Args:
        examples: to learn from.
        holdout: to rate on; where there are too few, that is said instead of a number.
        plan: its seed, precision and device; threads are the caller's.

    Raises:
        InputError: there are no examples.
    """
    if len(examples) < FEWEST:
        return _components(examples, plan)
    objects = [example.object for example in examples]
    side = int(np.clip(np.median([min(size_of(item)) for item in objects]), LEAST_SIDE, MOST_SIDE))
    channels = choose_channels(objects)
    pixels = _pixels(objects, side, channels)
    held = _pixels([example.object for example in holdout], side, channels)
    condition, names, _ = choose_classes(examples)
    if names and len(examples) >= FEWEST_OF_CLASS * len(names):
        places = {name: place for place, name in enumerate(names)}
        labels, held_labels = (
            np.array([places.get(str(one.given.get(condition)), -1) for one in part], np.int64)
            for part in (examples, holdout)
        )
        encoder = _learn_classes(pixels, labels, len(names), plan)
        encoder.about = _about_classes(encoder, held, held_labels, len(names), len(examples))
    else:
        encoder = _learn_clusters(pixels, plan)
        encoder.about = _about_clusters(encoder, held, len(examples), plan.seed)
    return encoder


def _components(examples: Sequence[Example], plan: Plan) -> PcaEncoder:
    features = fit_features(examples, plan)
    says = (
        f"The features are the {len(features.components)} principal components of the {len(examples)} pictures, since"
        f" fewer than {FEWEST} do not teach a network: they see light, colour and coarse shape, not things. {LIMITS}"
    )
    return PcaEncoder(features, says)


def _learn_classes(pixels: Pixels, labels: Labels, count: int, plan: Plan) -> ImageEncoder:
    encoder = _new(pixels, count, plan)
    known = np.flatnonzero(labels >= 0)
    _fit(encoder, pixels[known], labels[known], _moved, plan)
    return encoder


def _learn_clusters(pixels: Pixels, plan: Plan) -> ImageEncoder:
    """Clusters of principal components teach it: which one a changed copy belongs to."""
    count = min(CLUSTERS, len(pixels) // 20)
    encoder = _new(pixels, count, plan)
    _fit(encoder, pixels, _clusters(_principal(pixels, plan.seed), count, plan.seed), _recoloured, plan)
    return encoder


def _new(pixels: Pixels, answers: int, plan: Plan) -> ImageEncoder:
    """A network whose first weights come from the plan's seed, as PyTorch draws them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        network = Network(pixels.shape[1], pixels.shape[2], answers)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return ImageEncoder(network, pixels.shape[1], pixels.shape[2], plan.dtype)


def _fit(
    encoder: ImageEncoder,
    pixels: Pixels,
    answers: Labels,
    change: Callable[[Tensor, Draw], Tensor],
    plan: Plan,
) -> None:
    """Cross entropy by AdamW, the rate falling along a cosine; batches and changes from (seed, step)."""
    network = encoder.network.train()
    shown = min(EPOCHS * len(pixels), int(PICTURES * min(1.0, 32**2 / encoder.side**2)))
    steps = max(20, shown // BATCH)
    adam = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 20) * 0.5 * (1 + np.cos(np.pi * step / steps))
        draw = stream(plan.seed, "encoder", step)
        rows = draw.integers(0, len(pixels), BATCH)
        x_BCHW = change(_floats(pixels[rows]), draw).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=plan.dtype == "bfloat16"):
            logits_BK = network(x_BCHW)
        loss = functional.cross_entropy(logits_BK.float(), torch.from_numpy(answers[rows]), label_smoothing=0.05)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()


def _moved(x_BCHW: Tensor, draw: Draw) -> Tensor:
    """Mirrored half of the time and shifted by up to an eighth: what no class minds."""
    x_BCHW = _mirrored(x_BCHW, draw)
    height, width = x_BCHW.shape[2:]
    most = max(1, height // 8)
    top, left = draw.integers(0, 2 * most + 1, 2)
    padded = functional.pad(x_BCHW, (most, most, most, most), mode="replicate")
    return padded[:, :, top : top + height, left : left + width]


def _recoloured(x_BCHW: Tensor, draw: Draw) -> Tensor:
    """Mirrored, cropped, stretched, and of another brightness, contrast and colour: still the same thing."""
    x_BCHW = _mirrored(x_BCHW, draw)
    count, channels = x_BCHW.shape[:2]
    zoom_B, stretch_B = draw.uniform(0.55, 1.0, count), draw.uniform(0.85, 1.18, count)
    where_B23 = np.zeros((count, 2, 3), np.float32)
    where_B23[:, 0, 0], where_B23[:, 1, 1] = zoom_B * stretch_B, zoom_B / stretch_B
    where_B23[:, :, 2] = draw.uniform(-1, 1, (count, 2)) * (1 - zoom_B)[:, None]
    grid = functional.affine_grid(torch.from_numpy(where_B23), list(x_BCHW.shape), align_corners=False)
    x_BCHW = functional.grid_sample(x_BCHW, grid, padding_mode="border", align_corners=False)

    def amount(low: float, high: float, of: int = 1) -> Tensor:
        return torch.from_numpy(draw.uniform(low, high, (count, of, 1, 1)).astype(np.float32))

    if channels == 3:
        grey_B1HW = x_BCHW.mean(1, keepdim=True)
        x_BCHW = (grey_B1HW + (x_BCHW - grey_B1HW) * amount(0.2, 1.4)) * amount(0.8, 1.2, 3)
    mean_B111 = x_BCHW.mean((1, 2, 3), keepdim=True)
    return (x_BCHW - mean_B111) * amount(0.6, 1.4) + mean_B111 + amount(-0.4, 0.4)


def _mirrored(x_BCHW: Tensor, draw: Draw) -> Tensor:
    flip_B = torch.from_numpy(draw.random(len(x_BCHW)) < 0.5)
    return torch.where(flip_B[:, None, None, None], x_BCHW.flip(3), x_BCHW)


def _clusters(rows: Floats, count: int, seed: int) -> Labels:
    from sklearn.cluster import MiniBatchKMeans

    means = MiniBatchKMeans(count, random_state=seed % 2**32, n_init=1, batch_size=1024)
    return np.asarray(means.fit_predict(rows), dtype=np.int64)


def _principal(pixels: Pixels, seed: int) -> Floats:
    """Coordinates along 32 principal components; the widest count less than they would."""
    rows = pixels.reshape(len(pixels), -1).astype(np.float32) / 127.5 - 1
    rows -= rows.mean(0)
    found = rows @ principal(rows[:5_000], min(32, *rows.shape), seed).T
    evened: Floats = (found / np.sqrt(found.std(0) + 1e-6)).astype(np.float32)
    return evened


def _pixels(objects: Sequence[Any], side: int, channels: int) -> Pixels:
    if not objects:
        return np.zeros((0, channels, side, side), np.uint8)
    return np.stack([square(item, side, channels, "crop") for item in objects])


def _floats(pixels: Pixels) -> Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1)


def _about_classes(encoder: ImageEncoder, held: Pixels, labels: Labels, count: int, learned: int) -> str:
    known = np.flatnonzero(labels >= 0)
    rated = "no held-out pictures were there to rate it"
    if len(known):
        right = float((encoder.of_pixels(held[known], answers=True).argmax(1) == labels[known]).mean())
        rated = f"it names the class of {right:.0%} of {len(known):,} held-out pictures".replace("%", " %")
    return (
        f"The features are those of a small network that learned here to tell the {count} classes of {learned:,}"
        f" pictures; {rated}. {LIMITS}"
    )


def _about_clusters(encoder: ImageEncoder, held: Pixels, learned: int, seed: int) -> str:
    rated = "too few held-out pictures were there to rate it"
    if len(held) >= 20:
        some = held[stream(seed, "rate").permutation(len(held))[:COMPARED]]
        right = _found_again(encoder, some, seed)
        rated = f"among {len(some):,} held-out pictures it finds {right:.0%} again from a cropped and recoloured copy"
        rated = rated.replace("%", " %")
    return (
        f"The features are those of a small network that learned here, without classes, from {learned:,} pictures;"
        f" {rated}. {LIMITS}"
    )


def _found_again(encoder: ImageEncoder, pixels: Pixels, seed: int) -> float:
    """The share of pictures whose nearest one, by the features of a changed copy, is the picture itself."""
    copies = _recoloured(_floats(pixels), stream(seed, "copies"))
    changed = ((copies.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).numpy()
    a, b = encoder.of_pixels(pixels), encoder.of_pixels(changed)
    spread = a.std(0) + 1e-6
    near = torch.cdist(torch.from_numpy(b / spread), torch.from_numpy(a / spread)).argmin(1).numpy()
    return float((near == np.arange(len(a))).mean())
