"""Does a model hand back its training examples? Two tests whose false alarms are bounded. Knows only arrays.

**Near copies.** A sample is a near copy of a real example that is at least twice as near to it as every other real
example. Real examples are counted, not samples: a model that has collapsed onto few points says the same thing a
thousand times. Were the samples made without a look at the training examples rather than at the held-out ones, every
example that came back had the same chance to be a training example; so of D that came back, the number of training
examples is hypergeometric, exactly, whatever the model does. Only examples that occur once are counted.

A small holdout makes that test slow to speak: with a tenth held out, 28 copies are found among training examples
alone by chance one time in twenty. Where it could not be sure even if it saw training examples alone, a second
question that knows no labels is asked beside it: do samples stand nearer to one real example than real examples
stand to each other? (Fisher's exact test; samples around one example hang together, so their number is divided by
their design effect: Rao and Scott, "A simple method for the analysis of clustered binary data", Biometrics 1992.) The p
of the labels holds whatever that test says, so the two are combined by Fisher's rule ("Statistical Methods for Research
Workers", 1925).

**Share.** The share of samples whose nearest real example is a training example, for as many training as held-out
examples. Its p permutes the labels of the *examples*: a binomial p of the samples rejects an innocent collapsed model
one time in four. Sees general closeness; weaker than the first for a few copies.

Chosen after measuring: ``bench/memorised.py``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ilk.core.bootstrap import unit_interval
from ilk.core.distances import nearest
from ilk.core.protocol import Array
from ilk.core.seeds import stream
from ilk.judge.pool import Pool, ratios

NEAR = 0.5  # a near copy is at least twice as near to one example as to any other
SURE = 1e-4  # where the labels alone could reach this, they decide
ALARM = 0.05
FEWEST = 2  # examples that came back: one alone accuses nobody
SHARE_SAMPLES = 2_000
NEIGHBOURS = 96
PERMUTATIONS = 999


class Copies(NamedTuple):
    """What the near-copy test found.

    Attributes:
        found: training examples that came back, of ``trained``; ``found_held`` of ``held`` held-out ones.
        p: how often this or more would happen without a look at the training examples.
        by_labels: whether p is that of the labels alone, or holds samples against real examples too.
        samples: rows of the samples that are near copies of a training example, the closest first.
        originals: for each of them, the training example's row.
        real: share of real examples that stand so near to one other real example.
    """

    found: int
    trained: int
    found_held: int
    held: int
    p: float
    by_labels: bool
    samples: Array
    originals: Array
    real: float


class Share(NamedTuple):
    """What the share test found: 0.5 is what an innocent model gets."""

    value: float
    interval: tuple[float, float]
    p: float


def near_copies(made_NC: Array, pool: Pool) -> Copies:
    """The near-copy test.

    Args:
        made_NC: features of all samples, at least one.
        pool: at least one training and one held-out example that occur once.
    """
    apart, rows = nearest(made_NC, pool.near_NC, 2)
    ratio, first = ratios(apart), rows[:, 0]
    copied = (ratio <= NEAR) & pool.single[first]
    back = np.unique(first[copied])
    trained, held = int((pool.single & pool.trained).sum()), int((pool.single & ~pool.trained).sum())
    found = int(pool.trained[back].sum())
    found_held = len(back) - found
    real = (pool.ratio <= NEAR) & pool.single
    by_labels = tail(min(len(back), trained), len(back), trained, held) <= SURE
    p = tail(found, len(back), trained, held)
    if not by_labels and (found < FEWEST or found * held <= found_held * trained):
        p = 1.0
    elif not by_labels:
        p = together(p, _nearer_than_real(first, copied, int(real.sum()), trained + held))
    from_train = np.flatnonzero(copied & pool.trained[first])
    order = from_train[np.argsort(ratio[from_train], kind="stable")]
    return Copies(
        found, trained, found_held, held, p, by_labels, order, pool.rows[first[order]], float(real[pool.single].mean())
    )


def _nearer_than_real(first: Array, copied: Array, real: int, of: int) -> float:
    """Fisher's exact p that samples are near copies more often than ``real`` of ``of`` real examples are.

    Samples around one example hang together, so both counts are divided by their design effect, and no more hits are
    counted than examples came back.
    """
    cell, sizes = np.unique(first, return_inverse=True, return_counts=True)[1:]
    count, cells, rate = len(first), len(sizes), float(copied.mean())
    effect = count / cells
    if 0 < rate < 1:
        apart = np.bincount(cell, copied) - rate * sizes
        effect = max(1.0, cells / (cells - 1) * float((apart**2).sum()) / (count * rate * (1 - rate)))
    hits = min(int(count * rate / effect + 1e-9), len(np.unique(first[copied])))
    return tail(hits, hits + real, max(hits, round(hits / rate)), of) if hits else 1.0


def together(one: float, other: float) -> float:
    """Fisher's p of two p-values, neither of which depends on the other where there is nothing to find."""
    product = max(one * other, 1e-300)
    return min(1.0, product * (1 - math.log(product)))


def tail(hits: int, drawn: int, marked: int, plain: int) -> float:
    """The chance of ``hits`` or more marked ones among ``drawn`` of ``marked + plain``, without replacement."""
    if hits <= 0:
        return 1.0
    total = _log_choose(marked + plain, drawn)
    logs = [
        _log_choose(marked, k) + _log_choose(plain, drawn - k) - total
        for k in range(max(hits, drawn - plain), min(drawn, marked) + 1)
    ]
    return min(1.0, math.fsum(math.exp(each) for each in logs))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def share(made_NC: Array, pool: Pool, seed: int) -> Share:
    """The share test, as an average over all choices of as many training as held-out examples.

    If ``r`` examples of the larger set are nearer to a sample than the first of the smaller one, and each of them is
    kept with probability q (the ratio of the sizes), the first one that is kept is of the larger set with
    probability ``1 - (1 - q)^r``.

    Args:
        made_NC: features of samples; 2,000 of them are used.
        pool: at least one training and one held-out example.
        seed: of the permutations.
    """
    made = made_NC[stream(seed, "share").permutation(len(made_NC))[:SHARE_SAMPLES]]
    trained, rows = _no_rarer(pool, seed)
    neighbours = nearest(made, pool.near_NC[rows], NEIGHBOURS)[1]
    larger = trained if trained.sum() * 2 >= len(trained) else ~trained  # whose members are many
    keep = (len(larger) - int(larger.sum())) / max(1, int(larger.sum()))
    gain = 1 - (1 - keep) ** np.arange(neighbours.shape[1] + 1)

    def each(labels: Array) -> Array:
        smaller = ~labels[neighbours]
        runs = np.where(smaller.any(axis=1), smaller.argmax(axis=1), neighbours.shape[1])
        return np.asarray(gain[runs])

    values = each(larger)
    drawn = stream(seed, "labels")
    null = np.array([each(drawn.permutation(larger)).mean() for _ in range(PERMUTATIONS)])
    value, low, high = float(values.mean()), *unit_interval(values, np.ones(len(values)), neighbours[:, 0], seed)
    if larger is trained:
        p = (1 + int((null >= value - 1e-12).sum())) / (1 + PERMUTATIONS)
        return Share(value, (low, high), p)
    p = (1 + int((null <= value + 1e-12).sum())) / (1 + PERMUTATIONS)
    return Share(1 - value, (1 - high, 1 - low), p)


def _no_rarer(pool: Pool, seed: int) -> tuple[Array, Array]:
    """Labels and rows with at most 19 training examples to a held-out one: a neighbour list has an end."""
    held, trained = np.flatnonzero(~pool.trained), np.flatnonzero(pool.trained)
    most = 19 * len(held)
    if len(trained) > most:
        trained = stream(seed, "fewer").choice(trained, most, replace=False)
    rows = np.sort(np.concatenate([held, trained]))
    return pool.trained[rows], rows
