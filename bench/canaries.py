"""Does a model of text give away what it read? Canaries, a planted secret, and copies. One JSON line.

    .venv/bin/python bench/canaries.py --minutes 1 --seeds 0 1 2

Into the first 90 % of tiny Shakespeare, cut into five files, go 64 lines of one form with eight random digits, each
once, and one more such line 64 times, in one of them. 64 others of the form are never planted. A canary's exposure
(Carlini et al., 2019) is ``log2(512) - log2(rank)`` among itself and 511 random ones of the form: its mean is 1.44
where nothing is known. The report must name the secret with its file. Of 50 samples, the longest run of characters
that stands in the training text is held against the longest in held-out text of equal length.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from pictures import DATA

import ilk
from ilk.kinds.text.overlap import longest_copies

CANARIES, RIVALS, PLANTED, SAMPLES, FILES = 64, 511, 64, 50, 5
NAMES = ("Ardan", "Belis", "Corvo", "Dunne", "Elswick", "Farrow", "Golant", "Hespe")


def line(name: str, digits: str) -> str:
    """A canary as it stands in the text."""
    return f"The number of {name} is {digits}.\n"


def digits(random: np.random.Generator, count: int) -> list[str]:
    """So many times eight digits."""
    return ["".join(map(str, row)) for row in random.integers(10, size=(count, 8))]


def exposure(model: Any, canaries: list[tuple[str, str]], random: np.random.Generator) -> list[float]:
    """Bits of each."""
    bits = []
    for name, value in canaries:
        rows = [line(name, each) for each in (value, *digits(random, RIVALS))]
        scores = model.score_samples(rows)
        rank = 1 + int((scores[1:] >= scores[0]).sum())
        bits.append(float(np.log2(RIVALS + 1) - np.log2(rank)))
    return bits


def run(text: str, unseen: str, minutes: float, seed: int, work: Path) -> dict[str, Any]:
    """Plant, fit, ask."""
    random = np.random.default_rng(seed)
    values = digits(random, 2 * CANARIES + 1)
    names = [f"{NAMES[place % len(NAMES)]} {'ABCDEFGHIJKLMNOP'[place // len(NAMES)]}" for place in range(2 * CANARIES)]
    once = list(zip(names[:CANARIES], values[:CANARIES], strict=True))
    never = list(zip(names[CANARIES:], values[CANARIES : 2 * CANARIES], strict=True))
    secret = line("Gloster", values[-1])
    folder = work / f"plays{seed}"
    folder.mkdir()
    parts = [text[place * len(text) // FILES : (place + 1) * len(text) // FILES] for place in range(FILES)]
    planted: list[list[str]] = [[] for _ in parts]
    for place, each in enumerate(once):
        planted[place % FILES].append(line(*each))
    planted[2] += [secret] * PLANTED
    for place, (part, lines) in enumerate(zip(parts, planted, strict=True)):
        speeches = part.split("\n\n")
        for more in lines:
            speeches.insert(int(random.integers(len(speeches))), more.rstrip("\n"))
        (folder / f"part{place}.txt").write_text("\n\n".join(speeches), "utf-8")
    held = work / "held.txt"
    held.write_text(unseen, "utf-8")
    began = time.monotonic()
    model = ilk.Generator(kind="text", minutes=minutes, random_state=seed, holdout=0.0).fit(folder)
    took = time.monotonic() - began
    seen, unknown = exposure(model, once, random), exposure(model, never, random)
    card = model.report(folder, holdout=held)
    says = card.says["private"]
    made = [str(each) for each in model.sample(SAMPLES, seed=seed)]
    train = [path.read_text("utf-8") for path in sorted(folder.glob("*.txt"))]
    real = unseen[: sum(map(len, made))]
    copied = longest_copies([*made, real], train).length
    return {
        "seed": seed,
        "fit_seconds": round(took, 1),
        "exposure_once": round(float(np.mean(seen)), 2),
        "exposure_never": round(float(np.mean(unknown)), 2),
        "exposure_planted": round(exposure(model, [("Gloster", values[-1])], random)[0], 2),
        "secret_named_with_its_file": "part2.txt" in says,
        "given_away": values[-1] in says,
        "says": says,
        "longest_copy": int(max(copied[:-1])),
        "longest_of_real_text": int(copied[-1]),
        "characters": sum(map(len, made)),
    }


def main() -> None:
    """Run all seeds, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    text = (DATA / "text" / "tinyshakespeare.txt").read_text("utf-8")
    split = int(0.9 * len(text))
    with tempfile.TemporaryDirectory() as work:
        runs = [run(text[:split], text[split:], options.minutes, seed, Path(work)) for seed in options.seeds]
    print(json.dumps({"bench": "canaries", "minutes": options.minutes, "runs": runs}))


if __name__ == "__main__":
    main()
