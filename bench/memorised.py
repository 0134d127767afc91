"""How surely the judge finds copies of training examples, and how often where there are none.

    python bench/memorised.py --settings small             # 1,000 training, 1,000 held-out pictures, 1,000 samples
    python bench/memorised.py --settings report            # 10,800, 1,200 and 2,000: a report of 12,000 pictures
    python bench/memorised.py --settings tiny --trials 200 # 36, 4 and 500: a report of 40 pictures

Every trial draws other pictures of Fashion-MNIST. Innocent samples are pictures that nobody trained on: all
different, or 30 of them over and over with a little noise, as a generator makes them that has collapsed. Guilty ones
are innocent ones with a share of them replaced by training pictures with noise of 0.05 a pixel (pixels from -1 to 1),
and, for few pictures, nothing but training pictures: all of them, or ten over and over. Features are the 64 principal
components of 5,000 other pictures. Prints one JSON line with shares of trials in which p is at most 0.05; wants the
real data beside the checkout.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent))
from pictures import fashion

from ilk.core.seeds import stream
from ilk.judge import copies, membership
from ilk.judge.pool import Pool, pool
from judge import floats

Floats = npt.NDArray[np.float32]
NOISE = 0.05
COMPONENTS = 64
MODES = 30
SETTINGS = {"small": (1000, 1000, 1000), "report": (10_800, 1200, 2000), "tiny": (36, 4, 500)}
PLANTED = (0.01, 0.02, 0.05)


class World:
    """All pictures as features, and the draws from them."""

    def __init__(self) -> None:
        pictures = np.concatenate([fashion("train")[0], fashion("t10k")[0]])
        rows = floats(pictures).reshape(len(pictures), -1)
        fitted = rows[:5000]
        self.mean = fitted.mean(axis=0)
        self.basis = np.linalg.svd(fitted - self.mean, full_matrices=False)[2][:COMPONENTS].T
        self.pixels = rows[5000:]

    def features(self, rows: Floats) -> Floats:
        return np.asarray((rows - self.mean) @ self.basis, dtype=np.float32)

    def draw(self, sizes: tuple[int, int, int], seed: int) -> tuple[Floats, Floats, Floats]:
        """Pixels of training, held-out and other pictures."""
        order = stream(seed, "world").permutation(len(self.pixels))[: sum(sizes)]
        train, held, other = np.split(self.pixels[order], np.cumsum(sizes)[:2])
        return train, held, other


def noisy(rows: Floats, drawn: np.random.Generator) -> Floats:
    """Pictures with a little noise."""
    return rows + NOISE * drawn.standard_normal(rows.shape, dtype=np.float32)


def collapsed(fresh: Floats, drawn: np.random.Generator) -> Floats:
    """Thirty of them over and over."""
    return noisy(fresh[drawn.integers(0, min(MODES, len(fresh)), len(fresh))], drawn)


def planted(share: float) -> Callable[..., Floats]:
    """A share of copies of training pictures among innocent ones."""

    def make(fresh: Floats, train: Floats, drawn: np.random.Generator) -> Floats:
        count = round(share * len(fresh))
        return np.concatenate([noisy(train[drawn.integers(0, len(train), count)], drawn), fresh[count:]])

    return make


def only(count: int) -> Callable[..., Floats]:
    """Nothing but copies of the first ``count`` training pictures."""

    def make(fresh: Floats, train: Floats, drawn: np.random.Generator) -> Floats:
        return noisy(train[drawn.integers(0, min(count, len(train)), len(fresh))], drawn)

    return make


CASES: dict[str, Callable[..., Floats]] = {
    "innocent": lambda fresh, _train, _drawn: fresh,
    "collapsed": lambda fresh, _train, drawn: collapsed(fresh, drawn),
    **{f"planted {share:.0%}": planted(share) for share in PLANTED},
    "all of them": only(10**9),
    "ten of them": only(10),
}

ALL_TESTS = ("innocent", "collapsed", "all of them")  # where the share and membership tests run as well
P_VALUES = ("copies", "share", "membership")


def one(world: World, sizes: tuple[int, int, int], seed: int) -> dict[str, dict[str, float]]:
    """One trial: p of each test in each case."""
    train, held, fresh = world.draw(sizes, seed)
    rows = np.arange(len(train)), np.arange(len(held))
    hashes = [hashlib.sha256(row.tobytes()).hexdigest() for row in np.concatenate([train, held])]
    real = pool(world.features(train), world.features(held), hashes, rows, seed)
    found = {}
    for name, make in CASES.items():
        made = world.features(make(fresh, train, stream(seed, "made", name)))
        found[name] = _copies(made, real)
        if name in ALL_TESTS:
            found[name] |= _others(made, real, seed)
    return found


def _copies(made: Floats, real: Pool) -> dict[str, float]:
    near = copies.near_copies(made, real)
    return {
        "copies": near.p,
        "by labels": near.by_labels,
        "found": near.found,
        "found held": near.found_held,
        "real": near.real,
    }


def _others(made: Floats, real: Pool, seed: int) -> dict[str, float]:
    scores = membership.closeness(real, made)[real.single]
    trained = real.trained[real.single]
    return {
        "share": copies.share(made, real, seed).p,
        "membership": membership.attack(scores[trained], scores[~trained], seed).p,
    }


def _shown(test: str, value: float) -> float:
    """A p-value as whether it rejects, and anything else as it is."""
    return float(value <= copies.ALARM) if test in P_VALUES else float(value)


def main() -> None:
    """Run the trials and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", choices=SETTINGS, default="small")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    world, start = World(), time.perf_counter()
    trials = [one(world, SETTINGS[asked.settings], asked.first + seed) for seed in range(asked.trials)]
    result: dict[str, Any] = {
        "bench": "memorised",
        "settings": asked.settings,
        "sizes": SETTINGS[asked.settings],
        "trials": asked.trials,
    }
    for name in CASES:
        result[name] = {
            test: round(float(np.mean([_shown(test, trial[name][test]) for trial in trials])), 5)
            for test in trials[0][name]
        }
    print(json.dumps(result | {"seconds": round(time.perf_counter() - start, 1)}))


if __name__ == "__main__":
    main()
