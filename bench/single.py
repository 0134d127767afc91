"""One sequence at a time through llama.cpp, beside llama.cpp's own figure. One JSON line.

    .venv/bin/python bench/single.py --new 128 --turns 5

A network of SmolLM2-135M's size with random weights, as llama.cpp's eight-bit numbers, continues a random prompt at
temperature 1 among the 50 likeliest. ``ilk`` is by the clock, from the first token that a session gives to the last
one; ``llama.cpp`` is what the library says of itself (``timings.predicted_per_second``) when it is asked for the same
without ilk. They take turns on the same loaded file; the median of each counts. ``torch`` is ilk without llama.cpp.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
from decode import SMOL, VOCABULARY

from ilk.core.plan import Plan
from ilk.core.spaces import Tokens
from ilk.engines.gpt import SampleSettings
from ilk.engines.gpt.llama_cpp import ORDER, _server


def run_ours(engine: Any, prompt: list[int], settings: SampleSettings, seed: int) -> float:
    """Tokens a second after the first one."""
    session = engine.session(settings, rows=1, logprobs=False)
    session.submit(prompt, settings, seed)
    session.step()
    began, count = time.perf_counter(), 0
    while not session.idle:
        count += len(session.step())
    return count / (time.perf_counter() - began)


def run_theirs(server: Any, prompt: list[int], settings: SampleSettings, seed: int) -> float:
    """What llama.cpp says of itself."""
    request = {
        "prompt": [0, *prompt],
        "max_tokens": settings.length,
        "temperature": settings.temperature,
        "top_k": settings.top_k,
        "min_p": settings.min_p,
        "top_p": settings.top_p,
        "samplers": ORDER,
        "seed": seed,
    }
    return float(server.handle_completions(request)["timings"]["predicted_per_second"])


def main() -> None:
    """Take turns, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--new", type=int, default=128)
    parser.add_argument("--prompt", type=int, default=32)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    space = Tokens(vocabulary=VOCABULARY, length=2048, start=0, end=0)
    engine = SMOL.build(space, {}, Plan(steps=1, threads=options.threads))
    prompt = np.random.default_rng(0).integers(1, VOCABULARY, options.prompt).tolist()
    drawn: dict[str, Any] = {"length": options.new, "temperature": 1.0, "top_k": 50, "min_p": 0.0}
    llama, torch = SampleSettings(**drawn, backend="llama.cpp"), SampleSettings(**drawn)
    found: dict[str, list[float]] = {"ilk": [], "llama.cpp": [], "torch": []}
    for turn in range(options.turns + 1):
        found["ilk"].append(run_ours(engine, prompt, llama, turn))
        found["llama.cpp"].append(run_theirs(_server(engine, 2048), prompt, llama, turn))
        found["torch"].append(run_ours(engine, prompt, torch, turn))
    medians = {name: float(np.median(each[1:])) for name, each in found.items()}
    line = {"bench": "single", **vars(options), **{name: round(each, 1) for name, each in medians.items()}}
    print(json.dumps(line | {"ratio": round(medians["ilk"] / medians["llama.cpp"], 3)}))


if __name__ == "__main__":
    main()
