"""A hundred pictures of one class: does the pair learn their kind, or copy them? One JSON line.

    .venv/bin/python bench/few.py --pictures 100 --seconds 60 240 --seeds 0 1 2

The pair learns from the first pictures of Fashion-MNIST's sneakers, without a label, in core-seconds. 1,500
samples are held against 1,500 sneakers that it never saw. ``copier`` is the Frechet distance that handing back
the training pictures would get (it rewards copying), ``ratio`` is ours over it; ``pixel_ratio`` and
``feature_ratio`` are the median distances of samples to their nearest training picture over those of unseen
pictures: well below 1 is copying.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import torch
from dcgan import CoreBudget, Pictures
from pictures import OUT, load

from ilk.core.plan import Plan
from ilk.core.protocol import Given
from ilk.core.spaces import Grid
from ilk.engines.gan import default_settings
from judge import Floats, floats, frechet, judge, numbers, sheet

SNEAKER = 7
UNSEEN = 1500


def nearest(a_NF: Floats, b_MF: Floats) -> float:
    """Median distance of the rows of a to the nearest row of b."""
    a, b = (torch.from_numpy(array.reshape(len(array), -1)).float() for array in (a_NF, b_MF))
    return float(torch.cdist(a, b).amin(1).median())


def one(network: Any, x: Any, seconds: float, seed: int, count: int) -> dict[str, Any]:
    """Learn ``count`` pictures for ``seconds`` and hold samples against unseen ones."""
    train, unseen, more = (
        floats(x[:count]),
        floats(x[1000 : 1000 + UNSEEN]),
        floats(x[1000 + UNSEEN : 1000 + 2 * UNSEEN]),
    )
    plan = Plan(seconds=seconds, threads=1, dtype="bfloat16", seed=seed)
    grid = Grid(channels=1, height=28, width=28)
    settings = default_settings(grid, conditions_present=False, count=count, plan=plan)
    engine = settings.build(grid, {}, plan)
    budget = CoreBudget(plan)
    varied = 0.0
    for metrics in engine.steps(Pictures(x[:count], np.zeros(count, np.int64)), budget):
        varied = metrics.get("varied", 0.0)
        budget.advance()
    made: Floats = engine.sample(np.arange(UNSEEN), Given(), 1, None)["x"]
    sheet(made[:160], OUT / f"few-{count}-{seconds:g}s-{seed}.png")
    seen = [network.features(pictures) for pictures in (made, unseen, train, more)]
    copies = seen[2][np.random.default_rng(0).integers(0, count, UNSEEN)]
    copier, ours = frechet(copies, seen[1]), frechet(seen[0], seen[1])
    result = {"seconds": seconds, "seed": seed, "steps": budget.step, "varied": round(varied, 2)}
    result |= {"frechet": round(ours, 3), "copier": round(copier, 3), "ratio": round(ours / copier, 3)}
    result |= {"real": round(frechet(seen[3], seen[1]), 3)}
    result["pixel_ratio"] = round(nearest(made, train) / nearest(unseen, train), 3)
    result["feature_ratio"] = round(nearest(seen[0], seen[2]) / nearest(seen[1], seen[2]), 3)
    found = numbers(network, made, unseen, train)
    return {**result, **{name: found[name] for name in ("precision", "recall", "coverage")}}


def main() -> None:
    """Learn a few pictures, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--seconds", type=float, nargs="+", default=[60])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    torch.set_num_threads(1)
    network, known = judge()
    pictures = load("fashion")
    x = pictures.x[pictures.y == SNEAKER]
    runs = [one(network, x, seconds, seed, options.pictures) for seconds in options.seconds for seed in options.seeds]
    print(json.dumps({"bench": "few", "pictures": options.pictures, **known, "runs": runs}))


if __name__ == "__main__":
    main()
