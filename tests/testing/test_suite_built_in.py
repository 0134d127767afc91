"""Every registered kind and engine keeps every promise; how many checks said so is asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from ilk import Gan
from ilk.core.protocol import Levels
from ilk.core.registry import get_kind, kind_names
from ilk.core.spaces import Grid
from ilk.testing import check_engine, check_generator, check_kind, engine_checks, kind_checks

# How many checks each kind must have passed: a suite that loses checks must not stay green.
KIND, ENGINE, GENERATOR = 37, 24, 27
KINDS = {"image": KIND}
TESTS = Path(__file__).resolve().parents[1]
SMALL = Gan(width=4, latent=8, batch=8)
LEVELS = {"class": Levels(names=("a", "b", "c"))}
# Declared and strict: when one of these is mended, its test fails until the line goes.
NOT_YET_KIND = {"check_answers_bad_input": "the stamp of a list of None and numbers is an AttributeError"}
NOT_YET_ENGINE = {
    "check_bad_state_is_refused": "load_state takes frequencies of any shape",
    "check_process_is_left_alone": "steps sets flush_denormal for the whole process and leaves it so",
    "check_bad_weights_are_refused": "load_weights takes complex arrays and frequencies of any shape",
}
NOT_YET_GENERATOR = {"check_bad_sources_are_refused": NOT_YET_KIND["check_answers_bad_input"]}


def test_every_built_in_kind_is_counted():
    """Here, or in a test of its own as ``scripts/add_kind.py`` writes it."""
    own = {name for name in kind_names() if (TESTS / "kinds" / name / f"test_{name}_contract.py").exists()}
    assert set(kind_names()) == set(KINDS) | own


@pytest.mark.parametrize("name", KINDS)
def test_kind_keeps_its_promises(name, pictures):
    assert check_kind(get_kind(name), pictures, expected_failures=NOT_YET_KIND) == KINDS[name]


@pytest.mark.parametrize("name", [name for name in KINDS if get_kind(name).demos])
def test_kind_keeps_its_promises_on_its_demo(name):
    kind = get_kind(name)
    assert check_kind(kind, f"demo:{next(iter(kind.demos))}", expected_failures=NOT_YET_KIND) == KINDS[name]


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
    assert check_engine(settings, space, conditions=conditions, expected_failures=NOT_YET_ENGINE) == ENGINE


def test_generator_keeps_its_promises_on_pictures(pictures):
    params = {"engine": SMALL, "options": {"resolution": 8}}
    assert check_generator(None, pictures, expected_failures=NOT_YET_GENERATOR, **params) == GENERATOR


def test_single_checks_can_be_parametrized(pictures):
    checks = dict(kind_checks(get_kind("image"), pictures))
    assert len(checks) == KIND
    assert all(name.startswith("check_") and check.__doc__ for name, check in checks.items())
    checks["check_kind_is_complete"]()
    assert len(dict(engine_checks(SMALL, Grid(channels=1, height=8, width=8)))) == ENGINE
