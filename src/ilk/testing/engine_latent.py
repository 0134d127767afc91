"""Promises about a latent space, where an engine offers one: vectors make rows, and rows lead back to vectors.

An engine that is not :class:`ilk.core.offers.Latent` passes these checks without being asked anything.
"""

from __future__ import annotations

import numpy as np

from ilk.core.offers import Latent
from ilk.core.protocol import Array, Arrays, Given
from ilk.core.rows import pick
from ilk.generator.model import sample_record
from ilk.testing.arrays import differing, same
from ilk.testing.engine_case import EngineCase

ROWS = 24


def check_latents_render_the_samples(case: EngineCase) -> None:
    """The vectors and labels of samples, rendered, are the samples, in any order and in any part."""
    engine, settings = case.learned, sample_record(case.settings)()
    if not isinstance(engine, Latent):
        return
    wanted = case.sample(engine, range(ROWS), seed=5)
    z_NL = engine.latents(np.arange(ROWS), 5, settings)
    assert z_NL.dtype == np.float32, f"vectors are float32, not {z_NL.dtype}"
    assert z_NL.ndim == 2, f"vectors are (N, L), not {z_NL.shape}"
    for rows in (np.arange(ROWS), np.array([7, 2, 21, 2]), np.array([ROWS - 1])):
        assert np.array_equal(engine.latents(rows, 5, settings), z_NL[rows]), f"the vectors of rows {rows} differ"
        made = engine.render(z_NL[rows], _labels(case, wanted, rows), settings)
        assert same(made, pick(wanted, rows)), f"rows {rows} differ in {differing(made, pick(wanted, rows))}"


def check_shares_of_levels_mix_them(case: EngineCase) -> None:
    """A level as its whole share is that level; between two levels lies something else than either."""
    engine, settings = case.learned, sample_record(case.settings)()
    names = dict(case.label_names())
    if not isinstance(engine, Latent) or not names:
        return
    z_NL = np.repeat(engine.latents(np.arange(1), 5, settings), 3, axis=0)
    for name, levels in names.items():
        shares = np.eye(levels, dtype=np.float32)[[0, 1, 0]]
        shares[2, :2] = 0.5
        mixed = engine.render(z_NL, Given(labels={name: shares}), settings)["x"]
        plain = engine.render(z_NL[:2], Given(labels={name: np.array([0, 1])}), settings)["x"]
        assert np.array_equal(mixed[:2], plain), f"a whole share of a {name} is not that {name}"
        if not np.array_equal(plain[0], plain[1]):
            assert not np.array_equal(mixed[2], plain[0]), f"half of each {name} is the first one"


def check_projection_leads_back(case: EngineCase) -> None:
    """A sample's projection is nearer to it than other samples, the same again, and keeps the label asked for."""
    engine, settings = case.learned, sample_record(case.settings)()
    if not isinstance(engine, Latent):
        return
    wanted = pick(case.sample(engine, range(ROWS), seed=6), np.arange(2))
    told: list[float] = []
    before = case.learned.state()
    z_NL, given = engine.project(wanted, 3, told.append)
    assert same(case.learned.state(), before), "looking for a vector changes the engine"
    assert told, "project tells no progress"
    assert told == sorted(told), "progress goes back"
    assert 0 <= told[0] <= told[-1] == 1, f"progress goes from 0 to 1, not from {told[0]} to {told[-1]}"
    again, _ = engine.project(wanted, 3, lambda _: None)
    assert np.array_equal(again, z_NL), "the same row and seed give another vector"
    for name, _ in case.label_names():
        assert np.array_equal(given.labels[name], wanted[name]), f"the {name} that was asked for is lost"
    near = _distances(wanted["x"], engine.render(z_NL, given, settings)["x"])
    others = case.sample(engine, range(200), seed=8, given=None)["x"]
    for row in range(2):
        share = float((_distances(wanted["x"][row], others) < near[row]).mean())
        assert share < 0.1, f"{share:.0%} of random samples come nearer than the projection"


def _labels(case: EngineCase, arrays: Arrays, rows: Array) -> Given:
    return Given(labels={name: arrays[name][rows] for name, _ in case.label_names()})


def _distances(a: Array, b: Array) -> Array:
    out: Array = np.sqrt(((a - b) ** 2).mean(axis=tuple(range(1, b.ndim))))
    return out


CHECKS = (
    check_latents_render_the_samples,
    check_shares_of_levels_mix_them,
    check_projection_leads_back,
)
