"""A kind so small that the judge's tests can see through it: an object is a list of numbers."""

from __future__ import annotations

import hashlib

import numpy as np

from ilk.core.protocol import Exhibit
from ilk.judge.record import Subject


class Points:
    """Objects are tuples of floats; one with a negative first number is no proper one."""

    name = "points"

    def identify(self, item):
        return hashlib.sha256(np.asarray(item, dtype=np.float64).tobytes()).hexdigest()

    def check(self, item):
        return ["it is out of bounds"] if item[0] > 50 else []

    def draw(self, objects):
        return Exhibit(media_type="text/plain", data=repr(list(objects)).encode(), caption=f"{len(objects)} points")


def features(objects):
    return np.array([list(item) for item in objects], dtype=np.float32).reshape(len(objects), -1)


def points(count, seed, *, wide=12, scale=1.0, shift=0.0):
    """``count`` points of a Gaussian."""
    rows = np.random.default_rng(seed).normal(size=(count, wide)) * scale + shift
    return [tuple(row) for row in rows.tolist()]


def near(items, seed, noise=0.02):
    """The same points with a little noise."""
    rows = np.array(items)
    return [tuple(row) for row in (rows + np.random.default_rng(seed).normal(size=rows.shape) * noise).tolist()]


def subject(**given):
    """A subject with 360 training, 60 held-out examples and 200 samples, all of one Gaussian, unless given."""
    usual = {"train": points(360, 1), "holdout": points(60, 2), "made": points(200, 3)}
    return Subject(kind=Points(), **(usual | given))
