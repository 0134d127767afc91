"""Every registered kind and engine keeps every promise; how many checks said so is asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from ilk import Gan, Mixture
from ilk.core.protocol import Levels
from ilk.core.registry import get_kind, kind_names
from ilk.core.spaces import Grid
from ilk.testing import check_engine, check_generator, check_kind, engine_checks, kind_checks

# How many checks each kind must have passed: a suite that loses checks must not stay green.
KIND, ENGINE, GENERATOR = 41, 28, 27
KINDS = {"image": KIND}
TESTS = Path(__file__).resolve().parents[1]
SMALL = Gan(width=4, latent=8, batch=8)
LEVELS = {"class": Levels(names=("a", "b", "c"))}
# Declared and strict: when one of these is mended, its test fails until the line goes.


def test_every_built_in_kind_is_counted():
    """Here, or in a test of its own as ``scripts/add_kind.py`` writes it."""
    own = {name for name in kind_names() if (TESTS / "kinds" / name / f"test_{name}_contract.py").exists()}
    assert set(kind_names()) == set(KINDS) | own


@pytest.mark.parametrize("name", KINDS)
def test_kind_keeps_its_promises(name, pictures):
    assert check_kind(get_kind(name), pictures) == KINDS[name]


@pytest.mark.parametrize("name", [name for name in KINDS if get_kind(name).demos])
def test_kind_keeps_its_promises_on_its_demo(name):
    kind = get_kind(name)
    assert check_kind(kind, f"demo:{next(iter(kind.demos))}") == KINDS[name]


@pytest.mark.parametrize(
    ("settings", "space", "conditions"),
    [
        (SMALL, Grid(channels=1, height=8, width=8), LEVELS),
        (SMALL, Grid(channels=3, height=12, width=12), {}),
        (Gan(width=4, latent=8, batch=8, norm="none", loss="logistic"), Grid(channels=1, height=8, width=8), LEVELS),
    ],
    ids=["grey with classes", "colour", "without normalisation"],
)
def test_gan_keeps_its_promises(settings, space, conditions):
    assert check_engine(settings, space, conditions=conditions) == ENGINE


@pytest.mark.parametrize(
    ("settings", "space", "conditions"),
    [
        (Mixture(components=8, gaussians=6), Grid(channels=1, height=8, width=8), LEVELS),
        (Mixture(), Grid(channels=3, height=12, width=12), {}),
    ],
    ids=["grey with classes", "colour"],
)
def test_mixture_keeps_its_promises(settings, space, conditions):
    assert check_engine(settings, space, conditions=conditions) == ENGINE


def test_generator_keeps_its_promises_on_pictures(pictures):
    params = {"engine": SMALL, "options": {"resolution": 8}}
    assert check_generator(None, pictures, **params) == GENERATOR


def test_single_checks_can_be_parametrized(pictures):
    checks = dict(kind_checks(get_kind("image"), pictures))
    assert len(checks) == KIND
    assert all(name.startswith("check_") and check.__doc__ for name, check in checks.items())
    checks["check_kind_is_complete"]()
    assert len(dict(engine_checks(SMALL, Grid(channels=1, height=8, width=8)))) == ENGINE
