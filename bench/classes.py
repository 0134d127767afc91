"""Does a picture show the class that was asked for, and are a class's pictures as varied as real ones? One JSON line.

    .venv/bin/python bench/classes.py --data fashion --minutes 3 --threads 2
    .venv/bin/python bench/classes.py --data cifar --minutes 10 --threads 2
    .venv/bin/python bench/classes.py --data photos --minutes 10 --threads 2

The engine learns for so many minutes of the wall clock and then makes ``--each`` pictures of each class. A classifier
that knows only real pictures (``judge.py``; another network than the one that measures distance) names them: the
agreement stands beside what it gets on real test pictures. Spread is the mean distance between pictures of one class in
the judge's features, over that of as many real test pictures. The sheet is under ``bench/out``.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import torch
from dcgan import Pictures
from pictures import OUT, load

from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Given, Levels
from ilk.core.spaces import Grid
from ilk.engines.gan import default_settings
from judge import Floats, Judge, classifier, floats, judge, numbers, sheet


def spread(network: Judge, x_NCHW: Floats) -> float:
    """Mean distance between two pictures, in the judge's features."""
    features = torch.from_numpy(network.features(x_NCHW))
    return float(torch.pdist(features).mean())


def learn(data: Pictures, classes: tuple[str, ...], minutes: float, threads: int, seed: int) -> tuple[Any, Any, int]:
    """The engine after ``minutes`` of the wall clock, its settings, and its steps."""
    plan = Plan(seconds=minutes * 60, threads=threads, dtype="bfloat16", seed=seed)
    grid = Grid(channels=data.x.shape[1], height=data.x.shape[2], width=data.x.shape[3])
    settings = default_settings(grid, conditions_present=True, count=len(data), plan=plan)
    engine = settings.build(grid, {"class": Levels(names=classes)}, plan)
    budget = Budget(plan)
    for _ in engine.steps(data, budget):
        budget.advance()
    return engine, settings, budget.step


def main() -> None:
    """Learn, ask for each class, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=["fashion", "cifar", "photos"], default="fashion")
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--each", type=int, default=500, help="pictures a class")
    options = parser.parse_args()
    torch.set_num_threads(1)
    (network, known), (namer, names) = judge(options.data), classifier(options.data)
    pictures = load(options.data)
    data = Pictures(pictures.x, pictures.y)
    start = time.process_time()
    engine, settings, steps = learn(data, pictures.classes, options.minutes, options.threads, options.seed)
    seconds = time.process_time() - start
    rows: dict[str, Any] = {}
    shown = []
    for label, name in enumerate(pictures.classes):
        asked = Given(labels={"label": np.full(options.each, label)})
        made = engine.sample(np.arange(options.each), asked, 1, None)["x"]
        real = floats(pictures.test_x[pictures.test_y == label])
        count = min(len(real), options.each)
        rows[name] = {
            "agreement": round(float((namer.classes(made) == label).mean()), 3),
            "real": round(float((namer.classes(real) == label).mean()), 3),
            "spread": round(spread(network, made[:count]) / spread(network, real[:count]), 3),
        }
        shown.append(made[:16])
    sheet(np.concatenate(shown), OUT / f"classes-{options.data}-{options.minutes:g}min-{options.seed}.png")
    count = min(5000, len(pictures.test_x))
    drawn = engine.sample(np.arange(count), Given(), 2, None)["x"]
    whole = numbers(network, drawn, floats(pictures.test_x[:count]), floats(pictures.x[:20_000]))
    line = {"bench": "classes", "data": options.data, "minutes": options.minutes, "threads": options.threads}
    line |= {"seed": options.seed, "steps": steps, "core_seconds": round(seconds), "width": settings.width}
    line |= {"batch": settings.batch, **known, **names}
    line["agreement"] = round(float(np.mean([row["agreement"] for row in rows.values()])), 3)
    line["real"] = round(float(np.mean([row["real"] for row in rows.values()])), 3)
    line["least_spread"] = min(row["spread"] for row in rows.values())
    print(json.dumps({**line, **whole, "classes": rows}))


if __name__ == "__main__":
    main()
