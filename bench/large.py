"""A large file of text: seconds until the first step, seconds beyond the minutes asked, and peak memory. One JSON line.

    .venv/bin/python bench/large.py --gigabytes 1 --minutes 2

``ilk fit FILE --minutes M -o MODEL`` in a process and an ``ILK_HOME`` of its own. The file is made for it and always
the same: words follow each other as they do in tiny Shakespeare, but one in four is drawn anew, and a number opens each
line; no part of it repeats another one. ``first_step`` is when the model folder appears, since there is one from step
1 on. ``peak_gb`` is ``ru_maxrss``, in which pages of files mapped into memory count too, as long as they are there;
``own_gb`` is the most that was the process's own (``RssAnon``, looked at ten times a second; Linux only).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from pictures import DATA

LANES, STEPS = 4_096, 64  # lines that are made together, and words of a line
ANEW = 0.25  # share of the words that do not follow from the one before
TARGET = 3.0  # GB
POLL = 0.1  # seconds


def write(path: Path, size: int, seed: int) -> None:
    """Write ``size`` bytes, block by block."""
    text = (DATA / "text" / "tinyshakespeare.txt").read_text("utf-8").split()
    words, place = np.unique(text, return_inverse=True)
    order = np.argsort(place[:-1], kind="stable")
    next_word, first = place[order + 1], np.searchsorted(place[order], np.arange(len(words)))
    count = np.bincount(place[:-1], minlength=len(words))
    spelled, random = words.tolist(), np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size:
            rows = np.empty((LANES, STEPS), np.int64)
            rows[:, 0] = place[random.integers(len(place), size=LANES)]
            for step in range(1, STEPS):
                before = rows[:, step - 1]
                follows = first[before] + (random.random(LANES) * count[before]).astype(np.int64)
                anew = (random.random(LANES) < ANEW) | (count[before] == 0)
                drawn = place[random.integers(len(place), size=LANES)]
                rows[:, step] = np.where(anew, drawn, next_word[np.minimum(follows, len(next_word) - 1)])
            numbers = random.integers(10**6, size=LANES).tolist()
            lines = zip(numbers, rows.tolist(), strict=True)
            file.writelines(f"{number} {' '.join([spelled[word] for word in row])}\n" for number, row in lines)
        file.truncate(size)


def own_bytes(process: int) -> int:
    """What is in memory and of no file, where the system tells."""
    try:
        found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:
        found = None
    return 1024 * int(found[1]) if found else 0


def fitted(path: Path, folder: Path, minutes: float) -> dict[str, Any]:
    """Fit in a process of its own, and watch it."""
    model = folder / "large.ilk"
    words = [sys.executable, "-m", "ilk", "fit", str(path), "--minutes", str(minutes), "-o", str(model), "--json"]
    began = time.monotonic()
    with subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, "ILK_HOME": str(folder / "home")}) as run:
        first, own = None, 0
        while run.poll() is None:
            first = first or (time.monotonic() - began if model.exists() else None)
            own = max(own, own_bytes(run.pid))
            time.sleep(POLL)
        seconds = time.monotonic() - began
        told = json.loads(run.stdout.read()) if run.stdout and not run.returncode else {}
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "exit": run.returncode,
        "first_step": first and round(first, 1),
        "seconds": round(seconds, 1),
        "over": round(seconds - 60 * minutes, 1),
        "steps": told.get("steps"),
        "learning": told.get("seconds"),
        "examples": told.get("examples"),
        "peak_gb": round(peak / 1e9, 3),
        "own_gb": round(own / 1e9, 3),
        "met": run.returncode == 0 and peak < TARGET * 1e9,
    }


def main() -> None:
    """Make the file, fit, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ilk-large-") as name:
        path = Path(name, "large.txt")
        began = time.monotonic()
        write(path, int(options.gigabytes * 1e9), options.seed)
        line = {"bench": "large", **vars(options), "writing": round(time.monotonic() - began, 1)}
        line |= fitted(path, Path(name), options.minutes)
        line["load"] = round(os.getloadavg()[0], 1)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
