"""The closed-form mixture on the benchmark's data and judge, with labels and without: one JSON line.

    .venv/bin/python bench/mixture.py --seeds 0 1 2

What a model gets that is fitted in seconds: the floor that whatever trains for minutes must pass. Seconds are
core-seconds of the whole fit, as in ``dcgan.py``; samples and judge are the same. ``nats_per_value`` is the mean of
``log p(x | label) / 784`` (without labels: ``log p(x) / 784``) over the test pictures; higher is better.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import torch
from dcgan import SAMPLES, Pictures
from pictures import FASHION, OUT, fashion

from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Condition, Given, Levels
from ilk.core.spaces import Grid
from ilk.engines.mixture import Mixture, SampleSettings
from judge import floats, judge, numbers, sheet


def main() -> None:
    """Fit, sample, judge, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--components", type=int, default=Mixture().components)
    parser.add_argument("--gaussians", type=int, default=Mixture().gaussians)
    parser.add_argument("--examples", type=int, default=Mixture().examples)
    parser.add_argument("--noise", type=float, default=SampleSettings().noise)
    options = parser.parse_args()
    torch.set_num_threads(1)
    network, result = judge()
    x, labels = fashion("train")
    test, test_labels = fashion("t10k")
    known, real = floats(x[:20_000]), floats(test[:SAMPLES])
    data = Pictures(x, labels)
    settings = Mixture(components=options.components, gaussians=options.gaussians, examples=options.examples)
    runs: list[dict[str, Any]] = []
    for seed in options.seeds:
        for labelled in (True, False):
            conditions: dict[str, Condition] = {"class": Levels(names=FASHION)} if labelled else {}
            plan = Plan(seconds=600, seed=seed)
            budget = Budget(plan)
            start = time.process_time()
            engine = settings.build(Grid(channels=1, height=28, width=28), conditions, plan)
            for _ in engine.steps(data, budget):
                budget.advance()
            fitted = time.process_time() - start
            start = time.process_time()
            made = engine.sample(np.arange(SAMPLES), Given(), 1, SampleSettings(noise=options.noise))["x"]
            rate = SAMPLES / (time.process_time() - start)
            scores = engine.log_score({"x": real, "label": test_labels[:SAMPLES]})
            sheet(made[:256], OUT / f"mixture-{'labels' if labelled else 'plain'}-{seed}.png")
            run = {"seed": seed, "labels": labelled, **numbers(network, made, real, known), "core_seconds": fitted}
            run |= {"samples_per_core_s": round(rate), "nats_per_value": float(scores.mean()) / real[0].size}
            runs.append({name: round(value, 4) if isinstance(value, float) else value for name, value in run.items()})
    asked = {name: value for name, value in vars(options).items() if name != "seeds"}
    print(json.dumps({"bench": "mixture", **asked, **result, "runs": runs}))


if __name__ == "__main__":
    main()
