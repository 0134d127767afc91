"""Our pair against DCGAN as published, same data, same seconds, same process: one JSON line.

    .venv/bin/python bench/dcgan.py --data fashion --seconds 60 --seeds 0 1 2

The peer is Radford et al. (2016): width 64, batch 64, the logistic loss, Adam 2e-4 (0.5, 0.999), batch
norm in both networks, last weights without averaging; it gets our bfloat16 and channels_last, so that
what is compared is not arithmetic. It knows no labels; ours uses them, and ``--no-labels`` is the
control without. Its shape wants 32 px: at 28 px it trains on padded pictures and is judged by their middle;
ours trains at 28 px natively. Seconds are core-seconds of training alone (CPU time of the process), so that
whatever else runs on the machine does not decide. As many samples as there are test pictures (5,000 at
most) are held against them (see ``judge.py``).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pictures import OUT, load
from torch import nn
from torch.nn import functional

from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Condition, Given, Levels
from ilk.core.seeds import batch_indices
from ilk.core.spaces import Grid
from ilk.engines.gan import Gan, default_settings
from judge import Floats, classifier, floats, judge, numbers, sheet

SAMPLES = 5000
SIDE = 32  # of the peer's pictures


class Pictures:
    """Training data in memory, as a codec's cache would hand it out."""

    def __init__(self, x_NCHW: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> None:
        self.x, self.labels = x_NCHW, labels

    def __len__(self) -> int:
        return len(self.x)

    def take(self, indices: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        return {"x": floats(self.x[indices]), "label": self.labels[indices]}

    def column(self, name: str) -> npt.NDArray[Any]:
        return {"label": self.labels}[name]


class CoreBudget(Budget):
    """A budget that counts the CPU time of this process."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._began = time.process_time()

    @property
    def elapsed(self) -> float:
        return (time.process_time() - self._began) / self.plan.threads


def ours(data: Pictures, settings: Gan, plan: Plan, conditions: dict[str, Condition]) -> tuple[Any, dict[str, Any]]:
    """Train the engine; the engine and its speed."""
    channels, height, width = data.x.shape[1:]
    engine = settings.build(Grid(channels=channels, height=height, width=width), conditions, plan)
    budget = CoreBudget(plan)
    for _ in engine.steps(data, budget):
        budget.advance()
    return engine, {
        "steps": budget.step,
        "pictures_per_core_s": round(budget.step * settings.batch / budget.elapsed / plan.threads),
    }


def our_samples(engine: Any, count: int = SAMPLES) -> tuple[dict[str, Any], dict[str, Any]]:
    """Pictures (and labels) at seed 1 and how fast they came, statistics measured before the clock runs."""
    engine.sample(np.arange(1), Given(), 1, None)
    start = time.perf_counter()
    made = engine.sample(np.arange(count), Given(), 1, None)
    return made, {"samples_per_s": round(count / (time.perf_counter() - start))}


def _peer_networks(channels: int, width: int = 64, latent: int = 100) -> tuple[nn.Sequential, nn.Sequential]:
    def up(a: int, b: int, stride: int, padding: int) -> list[nn.Module]:
        return [nn.ConvTranspose2d(a, b, 4, stride, padding, bias=False), nn.BatchNorm2d(b), nn.ReLU()]

    def down(a: int, b: int) -> list[nn.Module]:
        return [nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]

    w = width
    generator = nn.Sequential(
        *up(latent, 4 * w, 1, 0), *up(4 * w, 2 * w, 2, 1), *up(2 * w, w, 2, 1),
        nn.ConvTranspose2d(w, channels, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    critic = nn.Sequential(
        nn.Conv2d(channels, w, 4, 2, 1), nn.LeakyReLU(0.2), *down(w, 2 * w), *down(2 * w, 4 * w),
        nn.Conv2d(4 * w, 1, 4), nn.Flatten(0),
    )  # fmt: skip
    for module in (*generator.modules(), *critic.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
    return generator, critic


def _batches(x_NCHW: npt.NDArray[np.uint8], seed: int, batch: int) -> Iterator[torch.Tensor]:
    step = 0
    while True:
        rows = batch_indices(seed, step, batch, len(x_NCHW))
        border = (SIDE - x_NCHW.shape[2]) // 2
        pictures = np.pad(
            floats(x_NCHW[rows]), ((0, 0), (0, 0), (border, border), (border, border)), constant_values=-1.0
        )
        yield torch.from_numpy(pictures).to(memory_format=torch.channels_last)
        step += 1


def peer(
    x_NCHW: npt.NDArray[np.uint8], seconds: float, seed: int, count: int = SAMPLES, batch: int = 64
) -> tuple[Floats, dict[str, Any]]:
    """Train DCGAN as published; its samples (their middle, batch statistics as there) and speed."""
    torch.manual_seed(seed)
    generator, critic = (m.to(memory_format=torch.channels_last) for m in _peer_networks(x_NCHW.shape[1]))  # type: ignore[call-overload]
    adams = [torch.optim.Adam(m.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True) for m in (generator, critic)]
    start, step = time.process_time(), 0
    for real in _batches(x_NCHW, seed, batch):
        if time.process_time() - start >= seconds:
            break
        with torch.autocast("cpu", dtype=torch.bfloat16):
            made = generator(torch.randn(batch, 100, 1, 1))
            scores = -critic(real).float(), critic(made.detach()).float()
        loss = functional.softplus(scores[0]).mean() + functional.softplus(scores[1]).mean()
        adams[1].zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adams[1].step()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = functional.softplus(-critic(made).float()).mean()
        adams[0].zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adams[0].step()
        step += 1
    speed = {"steps": step, "pictures_per_core_s": round(step * batch / (time.process_time() - start))}
    with torch.inference_mode():
        parts = [generator(torch.randn(100, 100, 1, 1)) for _ in range(-(-count // 100))]
    border = (SIDE - x_NCHW.shape[2]) // 2
    middle = torch.cat(parts)[:count, :, border : SIDE - border, border : SIDE - border]
    return middle.contiguous().numpy(), speed


def main() -> None:
    """Train both, judge both, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=["fashion", "cifar"], default="fashion")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--count", type=int, default=60_000, help="training pictures")
    parser.add_argument("--no-labels", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    network, result = judge(options.data)
    namer, known = classifier(options.data)
    pictures = load(options.data)
    count = min(SAMPLES, len(pictures.test_x))
    train, real = floats(pictures.x[:20_000]), floats(pictures.test_x[:count])
    data = Pictures(pictures.x[: options.count], pictures.y[: options.count])
    runs = []
    for seed in options.seeds:
        plan = Plan(seconds=options.seconds / options.threads, threads=options.threads, dtype="bfloat16", seed=seed)
        conditions: dict[str, Condition] = {} if options.no_labels else {"class": Levels(names=pictures.classes)}
        channels, height, width = data.x.shape[1:]
        grid = Grid(channels=channels, height=height, width=width)
        settings = default_settings(grid, conditions_present=bool(conditions), count=len(data), plan=plan)
        engine, speed = ours(data, settings, plan, conditions)
        made, rate = our_samples(engine, count)
        name = f"dcgan-{options.data}-{options.seconds:g}s-{seed}"
        sheet(made["x"][:256], OUT / f"{name}-ours.png")
        mine = {**numbers(network, made["x"], real, train), **speed, **rate}
        if conditions:
            mine["class_agreement"] = round(float((namer.classes(made["x"]) == made["label"]).mean()), 4)
        other, speed = peer(data.x, options.seconds, seed, count)
        sheet(other[:256], OUT / f"{name}-peer.png")
        theirs = {**numbers(network, other, real, train), **speed}
        ratio = round(mine["frechet"] / theirs["frechet"], 4)
        runs.append({"seed": seed, "ratio": ratio, "ilk": mine, "dcgan": theirs})
    median = round(float(np.median([run["ratio"] for run in runs])), 4)
    setting = {"bench": "dcgan", "data": options.data, "seconds": options.seconds, "threads": options.threads}
    setting |= {"count": len(data), "labels": not options.no_labels}
    print(json.dumps({**setting, "ratio_median": median, **result, **known, "runs": runs}))


if __name__ == "__main__":
    main()
