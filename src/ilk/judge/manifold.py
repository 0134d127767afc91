"""Precision, recall, density and coverage: balls of the k-th neighbour around the points of two sets.

    precision, recall     Kynkaanniemi et al., "Improved precision and recall metric for assessing generative
                          models", NeurIPS 2019
    density, coverage     Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020

Knows only arrays. The sets must be equally many: a ball of the k-th neighbour shrinks as points are added.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ilk.core.distances import between, nearest
from ilk.core.protocol import Array

MANY = 100  # from so many points on, five neighbours; three below


class Overlap(NamedTuple):
    """How two sets lie over each other; each array holds what one point adds to the number.

    ``precision`` and ``density`` have one entry a made point, ``recall`` and ``coverage`` one a real point; the
    number is the mean.
    """

    precision: Array
    recall: Array
    density: Array
    coverage: Array


def neighbours(count: int) -> int:
    """How many neighbours a ball reaches to, for sets of ``count``."""
    return max(1, min(5 if count >= MANY else 3, count - 1))


def overlap(made_NF: Array, real_NF: Array) -> Overlap:
    """Compare two sets of equally many points, at least two each."""
    k = neighbours(len(real_NF))
    apart = between(real_NF, made_NF)  # (real, made)
    radius_real = nearest(real_NF, real_NF, k, same=True)[0][:, -1]
    radius_made = nearest(made_NF, made_NF, k, same=True)[0][:, -1]
    inside = apart <= radius_real[:, None]
    return Overlap(
        precision=np.asarray(inside.any(axis=0)),
        recall=np.asarray((apart <= radius_made[None, :]).any(axis=1)),
        density=inside.sum(axis=0) / k,
        coverage=np.asarray(inside.any(axis=1)),
    )


def gaps(points_NF: Array) -> Array:
    """(N,) the distance of each point to its nearest other one; at least two points."""
    return nearest(points_NF, points_NF, 1, same=True)[0][:, 0]
