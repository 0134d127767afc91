"""The latent space of the pair on Fashion-MNIST: how near projections come, what the temperature trades. One JSON line.

    .venv/bin/python bench/latent.py --seconds 60

The model is fitted once (core-seconds of training, as in ``dcgan.py``) and kept under ``bench/out``.
*Projection*: held-out test pictures against their projections and, for comparison, against the nearest of
5,000 random samples, each by pixels and by the judge's features (root mean square). *Temperature*: precision
and recall of 5,000 samples against 5,000 test pictures, for noise scaled by t, and for the other way to
truncate: each number drawn again until it lies within a bound that gives the same spread (``clip``; Brock et al.,
"Large Scale GAN Training", 2019).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from typing import Any

import numpy as np
import torch
from dcgan import CoreBudget
from dcgan import Pictures as Training
from pictures import OUT, load

from ilk.core.folder import pack, unpack
from ilk.core.plan import Plan
from ilk.core.protocol import Given, Levels
from ilk.core.seeds import stream
from ilk.core.spaces import Grid
from ilk.engines.gan import default_settings
from judge import Floats, floats, judge, numbers, sheet

TEMPERATURES = (0.5, 0.7, 0.85, 1.0)
BOUNDS = {0.5: 0.92, 0.7: 1.4, 0.85: 1.86, 1.0: np.inf}  # of a clipped normal with this spread
GRID = Grid(channels=1, height=28, width=28)


def model(seconds: float, seed: int) -> Any:
    """The engine, fitted or read."""
    pictures = load("fashion")
    plan = Plan(seconds=seconds, seed=seed, threads=1, dtype="bfloat16")
    settings = default_settings(GRID, conditions_present=True, count=60_000, plan=plan)
    engine = settings.build(GRID, {"class": Levels(names=pictures.classes)}, plan)
    which = hashlib.sha256(repr(settings).encode()).hexdigest()[:8]
    path = OUT / f"latent-{seconds:g}s-{seed}-{which}.safetensors"
    if path.exists():
        engine.load_weights(unpack(path.read_bytes(), str(path)))
        return engine
    budget = CoreBudget(plan)
    for _ in engine.steps(Training(pictures.x, pictures.y), budget):
        budget.advance()
    path.write_bytes(pack(engine.weights()))
    return engine


def distances(a_NF: Any, b_MF: Any) -> Floats:
    """(N, M) root mean square differences."""
    far = torch.cdist(torch.from_numpy(np.asarray(a_NF, np.float32)), torch.from_numpy(np.asarray(b_MF, np.float32)))
    out: Floats = far.numpy() / np.sqrt(a_NF.shape[1])
    return out


def projection(engine: Any, net: Any, count: int) -> dict[str, Any]:
    """Held-out pictures, their projections, and the nearest of 5,000 samples.

    By pixels and by the judge's features; the nearest sample is chosen by pixels, and by what is measured itself (the
    judge, which the projection does not know, then picks its own favourite of 5,000).
    """
    real = floats(load("fashion").test_x[:count])
    made = engine.sample(np.arange(5000), Given(), 1, None)["x"]
    start = time.process_time()
    z, given = engine.project({"x": real}, 0, lambda _: None)
    together = (time.process_time() - start) / count
    start = time.process_time()
    for row in range(3):
        engine.project({"x": real[row : row + 1]}, 0, lambda _: None)
    found = engine.render(z, given, None)["x"]
    out: dict[str, Any] = {
        "core_seconds_alone": round((time.process_time() - start) / 3, 2),
        "core_seconds_of_many": round(together, 3),
        "length": round(float(np.sqrt((z**2).mean(1)).mean()), 3),
    }
    flat = [x.reshape(len(x), -1) for x in (real, found, made)]
    nearest = distances(flat[0], flat[2]).argmin(1)
    for name, (a, b, c) in {"pixels": flat, "features": [net.features(x) for x in (real, found, made)]}.items():
        ours = distances(a, b).diagonal()
        by_pixels, best = distances(a, c[nearest]).diagonal(), distances(a, c).min(1)
        out[name] = {
            "projected": round(float(ours.mean()), 4),
            "nearest_sample_by_pixels": round(float(by_pixels.mean()), 4),
            "nearest_sample_by_this": round(float(best.mean()), 4),
            "share_nearer_than_that_by_pixels": round(float((ours < by_pixels).mean()), 3),
        }
    sheet(np.stack([real, found], 1).reshape(-1, 1, 28, 28)[:128], OUT / "latent-projection.png")
    return out


def drawn(engine: Any, seed: int, count: int, temperature: float, form: str) -> Floats:
    """Samples whose noise is scaled by ``temperature``, or clipped to the same spread."""
    z = stream(seed, "bench z").standard_normal((count, engine.settings.latent)).astype(np.float32)
    if form == "scale":
        z *= np.float32(temperature)
    else:
        draw = stream(seed, "bench again")
        while (out := np.abs(z) > BOUNDS[temperature]).any():
            z[out] = draw.standard_normal(int(out.sum()))
    labels = stream(seed, "bench label").choice(engine.classes, count, p=engine.frequencies_K)
    x: Floats = engine.render(z, Given(labels={"label": labels}), None)["x"]
    return x


def temperatures(engine: Any, net: Any) -> dict[str, Any]:
    """Precision and recall at each temperature, by both ways to truncate."""
    pictures = load("fashion")
    real, near = floats(pictures.test_x[:5000]), floats(pictures.x[:5000])
    out: dict[str, Any] = {}
    for form in ("scale", "clip"):
        for temperature in TEMPERATURES if form == "scale" else TEMPERATURES[:-1]:
            made = drawn(engine, 3, 5000, temperature, form)
            out[f"{form}_{temperature:g}"] = numbers(net, made, real, near)
            sheet(made[:64], OUT / f"latent-{form}-{temperature:g}.png")
    return out


def main() -> None:
    """Fit or read the model, measure, print."""
    words = argparse.ArgumentParser()
    words.add_argument("--seconds", type=float, default=60)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--count", type=int, default=64)
    words.add_argument("--only", choices=["projection", "temperature"])
    asked = words.parse_args()
    torch.set_num_threads(1)
    net, about = judge()
    engine = model(asked.seconds, asked.seed)
    out: dict[str, Any] = {"bench": "latent", "seconds": asked.seconds, "seed": asked.seed, **about}
    if asked.only != "temperature":
        out["projection"] = projection(engine, net, asked.count)
    if asked.only != "projection":
        out["temperature"] = temperatures(engine, net)
    print(json.dumps(out))


if __name__ == "__main__":
    main()
