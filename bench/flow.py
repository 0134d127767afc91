"""A flow-matching U-Net on the benchmark's data, seconds and judge: one JSON line.

    .venv/bin/python bench/flow.py --seconds 60 --seeds 0

The peer that is no adversary: a network of about a million parameters learns the velocity that carries noise
along straight lines to pictures, and 20 Euler steps follow it. Width 32, batch 64, AdamW 2e-3, an average of
weights. It gets what ours gets: labels, bfloat16 with channels last, and a rate that is held for half of the
seconds and then falls to 0; ``--no-labels`` is the control without. Seconds are core-seconds of training
alone, as in ``dcgan.py``; samples and judge are the same.

    flow matching      Lipman et al., "Flow Matching for Generative Modeling", 2023
    straight lines     Liu et al., "Flow Straight and Fast", 2023
    the U-Net's block  Ho et al., "Denoising Diffusion Probabilistic Models", 2020; labels as in Dhariwal & Nichol, 2021
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pictures import OUT, fashion
from torch import Tensor, nn
from torch.nn import functional

from ilk.core.seeds import batch_indices, stream
from ilk.engines.common.ema import decay_after, move_average
from ilk.engines.common.optim import set_rate
from ilk.engines.common.schedule import hold_then_fall
from judge import Floats, floats, judge, numbers, sheet

CLASSES, SAMPLES, EULER = 10, 5000, 20


class ChannelNorm(nn.LayerNorm):
    """Layer norm over a pixel's channels.

    The usual group norm took half of a step here: its bfloat16 kernel is ten times slower in channels last.
    """

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """As shaped, in the precision of ``x_BCHW``."""
        x_BHWC = x_BCHW.permute(0, 2, 3, 1)
        weight_C, bias_C = self.weight.to(x_BHWC.dtype), self.bias.to(x_BHWC.dtype)
        return functional.layer_norm(x_BHWC, self.normalized_shape, weight_C, bias_C).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Two convolutions around a sum; time and label scale and shift between them."""

    def __init__(self, a: int, b: int, embedding: int) -> None:
        super().__init__()
        last = nn.Conv2d(b, b, 3, padding=1)
        for parameter in last.parameters():
            nn.init.zeros_(parameter)
        self.norms = nn.ModuleList([ChannelNorm(a), ChannelNorm(b)])
        self.convolutions = nn.ModuleList([nn.Conv2d(a, b, 3, padding=1), last])
        self.embed = nn.Linear(embedding, 2 * b)
        self.skip = nn.Conv2d(a, b, 1) if a != b else nn.Identity()

    def forward(self, x_BCHW: Tensor, e_BE: Tensor) -> Tensor:
        h_BCHW = self.convolutions[0](functional.silu(self.norms[0](x_BCHW)))
        scale_BC11, shift_BC11 = self.embed(e_BE)[:, :, None, None].chunk(2, dim=1)
        h_BCHW = self.norms[1](h_BCHW) * (1 + scale_BC11) + shift_BC11
        made: Tensor = self.skip(x_BCHW) + self.convolutions[1](functional.silu(h_BCHW))
        return made


class UNet(nn.Module):
    """Velocity at (x, t, label): 28, 14 and 7 px with 1, 2 and 3 times the width, a block a side each, two between."""

    def __init__(self, width: int = 32, classes: int = CLASSES) -> None:
        super().__init__()
        a, b, c, e = width, 2 * width, 3 * width, 4 * width
        self.time = nn.Sequential(nn.Linear(2 * width, e), nn.SiLU(), nn.Linear(e, e))
        self.label = nn.Embedding(classes, e) if classes else None
        self.start = nn.Conv2d(1, a, 3, padding=1)
        self.down = nn.ModuleList([Block(a, a, e), Block(b, b, e), Block(c, c, e)])
        self.halve = nn.ModuleList([nn.Conv2d(a, b, 3, 2, 1), nn.Conv2d(b, c, 3, 2, 1)])
        self.middle = nn.ModuleList([Block(c, c, e), Block(c, c, e)])
        self.up = nn.ModuleList([Block(2 * c, b, e), Block(2 * b, a, e), Block(2 * a, a, e)])
        self.end = nn.Sequential(ChannelNorm(a), nn.SiLU(), nn.Conv2d(a, 1, 3, padding=1))
        self.frequencies = torch.exp(-math.log(1000.0) * torch.arange(width) / width) * 1000.0

    def forward(self, x_BCHW: Tensor, t_B: Tensor, label_B: Tensor | None) -> Tensor:
        """Velocities, float32."""
        angle_BW = t_B[:, None] * self.frequencies
        e_BE = self.time(torch.cat([angle_BW.sin(), angle_BW.cos()], dim=1))
        if self.label is not None:
            e_BE = e_BE + self.label(label_B)
        e_BE = functional.silu(e_BE)
        x_BCHW = self.start(x_BCHW)
        kept = []
        for level, block in enumerate(self.down):
            x_BCHW = block(x_BCHW, e_BE)
            kept.append(x_BCHW)
            if level < len(self.halve):
                x_BCHW = self.halve[level](x_BCHW)
        for block in self.middle:
            x_BCHW = block(x_BCHW, e_BE)
        for level, block in enumerate(self.up):
            x_BCHW = block(torch.cat([x_BCHW, kept[-1 - level]], dim=1), e_BE)
            if level < len(self.halve):
                x_BCHW = functional.interpolate(x_BCHW, scale_factor=2.0, mode="nearest")
        made: Tensor = self.end(x_BCHW)
        return made.float()


def train(
    x_NCHW: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], seconds: float, seed: int, classes: int
) -> tuple[UNet, dict[str, Any]]:
    """The averaged network after these core-seconds, and its speed."""
    torch.manual_seed(seed)
    batch, rate, step = 64, 2e-3, 0
    network = UNet(classes=classes).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = copy.deepcopy(network).requires_grad_(requires_grad=False)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-2, fused=True)
    start, spent = time.process_time(), 0.0
    while spent < seconds:
        rows = batch_indices(seed, step, batch, len(x_NCHW))
        real = torch.from_numpy(floats(x_NCHW[rows])).to(memory_format=torch.channels_last)
        label = torch.from_numpy(labels[rows]) if classes else None
        noise, t_B = torch.randn_like(real), torch.rand(batch)
        along = t_B[:, None, None, None]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            velocity = network(noise + along * (real - noise), t_B, label)
        loss = functional.mse_loss(velocity, real - noise)
        set_rate(optimizer, rate * min(1.0, (step + 1) / 50) * hold_then_fall(spent / seconds))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        move_average(list(averaged.parameters()), list(network.parameters()), decay_after(step, 0.05))
        step, spent = step + 1, time.process_time() - start
    return averaged, {
        "parameters": sum(p.numel() for p in network.parameters()),
        "steps": step,
        "pictures_per_core_s": round(step * batch / spent),
        "core_seconds": round(spent, 1),
        "loss": round(float(loss.detach()), 4),
    }


@torch.inference_mode()
def sample(
    network: UNet, shares_K: npt.NDArray[np.float64], seed: int, count: int, chunk: int = 250
) -> tuple[Floats, float]:
    """Pictures by Euler's method, classes as often as in the data, and how many came a core-second."""
    start, parts = time.process_time(), []
    draw = stream(seed, "flow")
    for _ in range(count // chunk):
        x = torch.from_numpy(draw.standard_normal((chunk, 1, 28, 28), dtype=np.float32))
        x = x.to(memory_format=torch.channels_last)
        label = torch.from_numpy(draw.choice(len(shares_K), chunk, p=shares_K)) if len(shares_K) else None
        for step in range(EULER):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                x = x + network(x, torch.full((chunk,), step / EULER), label) / EULER
        parts.append(x.clamp(-1, 1))
    made: Floats = torch.cat(parts).contiguous().numpy()
    return made, count / (time.process_time() - start)


def main() -> None:
    """Train, sample, judge, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--samples", type=int, default=SAMPLES, help="made and held against as many real ones")
    parser.add_argument("--no-labels", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    network, result = judge()
    x, labels = fashion("train")
    known, real = floats(x[:20_000]), floats(fashion("t10k")[0][: options.samples])
    classes = 0 if options.no_labels else CLASSES
    shares = np.bincount(labels, minlength=CLASSES)[:classes] / len(labels)
    runs = []
    for seed in options.seeds:
        flow, speed = train(x, labels, options.seconds, seed, classes)
        made, rate = sample(flow, shares, seed + 1, options.samples)
        sheet(made[:256], OUT / f"flow-{options.seconds:g}s-{seed}.png")
        runs.append({"seed": seed, **numbers(network, made, real, known), **speed, "samples_per_core_s": round(rate)})
    setting = {"bench": "flow", "seconds": options.seconds, "labels": bool(classes), "euler_steps": EULER}
    print(json.dumps({**setting, **result, "runs": runs}))


if __name__ == "__main__":
    main()
