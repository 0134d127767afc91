"""Can one tell who was a training example? Attacks that end in a score, and what a score is worth. Knows only arrays.

The attack from outside (after Chen et al., "GAN-Leaks", CCS 2020): a training example has a sample nearer to it than
its surroundings would explain, so the score is the distance to the nearest other real example over that to the
nearest sample. The attack from inside takes the engine's own opinion. Carlini et al., "Membership inference attacks
from first principles", S&P 2022: the average says little, so the share of members that are found while one in a
hundred others is accused stands beside it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ilk.core.bootstrap import auc_interval, share_interval
from ilk.core.distances import nearest
from ilk.core.protocol import Array
from ilk.core.seeds import stream
from ilk.judge.grader import auc
from ilk.judge.pool import Pool

ACCUSED = 0.01
FEWEST = 100  # held-out examples, below which one in a hundred of them means nothing
PERMUTATIONS = 1_999


class Attack(NamedTuple):
    """What a score tells: area, its interval and permutation p; members found at 1 % of others accused, or None."""

    auc: float
    interval: tuple[float, float]
    p: float
    found: float | None
    found_interval: tuple[float, float] | None


def closeness(pool: Pool, made_NC: Array) -> Array:
    """(N,) the outside attack's score of each example of the pool: higher means a member."""
    to_made = nearest(pool.near_NC, made_NC, 1)[0][:, 0]
    tiny = 1e-9 * (1 + float(np.median(to_made)))
    return np.asarray(np.log(np.minimum(pool.gap, 1e30) + tiny) - np.log(to_made + tiny))


def attack(members: Array, others: Array, seed: int) -> Attack:
    """What scores (higher: more of a member) tell about two sets; at least one finite score each."""
    members, others = members[np.isfinite(members)], others[np.isfinite(others)]
    area = auc(members, others)
    found, found_interval = None, None
    if len(others) >= FEWEST:
        bar = np.sort(others)[len(others) - 1 - int(ACCUSED * len(others))]
        hits = int((members > bar).sum())
        found, found_interval = hits / len(members), share_interval(hits, len(members))
    interval = auc_interval(area, len(members), len(others))
    return Attack(area, interval, _p(members, others, seed), found, found_interval)


def _p(members: Array, others: Array, seed: int) -> float:
    """How often labels at random give the members as high a rank."""
    ranks = _ranks(np.concatenate([members, others]))
    seen, drawn = ranks[len(members) :].sum(), stream(seed, "attack")  # the rank sum of the fewer ones is cheap
    null = np.array([drawn.choice(ranks, len(others), replace=False).sum() for _ in range(PERMUTATIONS)])
    return (1 + int((null <= seen + 1e-9).sum())) / (1 + PERMUTATIONS)


def _ranks(values: Array) -> Array:
    """Ranks from 1; ties share theirs."""
    codes, counts = np.unique(values, return_inverse=True, return_counts=True)[1:]
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[codes])
