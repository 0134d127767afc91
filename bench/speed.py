"""How fast the house is: start-up, sampling, writing sealed files, a kept budget, a second fit.

    python bench/speed.py

Each number is a whole command as a user types it, in a fresh process, the median of several runs; run it
on a free machine. Prints one JSON line. Sampling is measured inside one process after a first chunk.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def seconds(words: list[str], runs: int = 5) -> float:
    """Median wall seconds of a command."""
    took = []
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        took.append(time.perf_counter() - begin)
    return round(statistics.median(took), 3)


def start_up() -> dict[str, float]:
    """Seconds of ``python -c pass``, of importing ilk, of its help."""
    python = sys.executable
    return {
        "python": seconds([python, "-c", "pass"]),
        "import_ilk": seconds([python, "-c", "import ilk"]),
        "help": seconds([python, "-m", "ilk", "--help"]),
        "fit_help": seconds([python, "-m", "ilk", "fit", "--help"]),
    }


def sampling(model: Path, folder: Path, count: int) -> dict[str, float]:
    """Samples a second: made, made and written unsealed, made and written sealed; in turns, best of three."""
    import ilk

    generator = ilk.load(model)
    for _ in generator.sample(2048, seed=1).batches():
        pass
    begin = time.perf_counter()
    for _ in generator.sample(count, seed=2).batches():
        pass
    made = count / (time.perf_counter() - begin)
    sealed, unsealed = [], []
    for turn in range(3):
        unsealed.append(generator.sample(count, seed=3).save(folder / f"u{turn}", unsealed=True).seconds)
        sealed.append(generator.sample(count, seed=3).save(folder / f"s{turn}").seconds)
    return {
        "made_a_second": round(made),
        "written_unsealed_a_second": round(count / min(unsealed)),
        "written_sealed_a_second": round(count / min(sealed)),
        "sealing_share": round(min(sealed) / min(unsealed) - 1, 3),
    }


def budget(folder: Path, minutes: float) -> dict[str, float]:
    """Wall seconds of ``ilk fit demo:fashion --minutes M``, with an empty home and again with the cache."""
    fit = [sys.executable, "-m", "ilk", "fit", "demo:fashion", "--minutes", str(minutes), "-o"]
    first = seconds([*fit, str(folder / "first.ilk")], runs=1)
    second = seconds([*fit, str(folder / "second.ilk")], runs=1)
    return {"asked": minutes * 60, "first": first, "second": second}


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=1.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["ILK_HOME"] = str(folder / "home")
        result = {"bench": "speed", "start_up": start_up(), "budget": budget(folder, args.minutes)}
        result["sampling"] = sampling(folder / "second.ilk", folder, args.count)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
