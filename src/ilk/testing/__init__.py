"""The contract suites: what every kind, engine and Generator promises, as checks that anyone can run.

    from ilk.testing import check_engine, check_generator, check_kind
    assert check_kind(my_kind, "examples/") == 40
    assert check_engine(MySettings(), Vector(size=3)) == 28
    assert check_generator("mine", "examples/") == 27

Each function returns how many checks ran, so that a test can assert that none was lost on the way. An
exception is declared with its reason, ``expected_failures={"check_draw_shows_objects": "no drawing
yet"}``, and is strict: a check that is declared to fail must fail. ``kind_checks``, ``engine_checks``
and ``generator_checks`` give the single checks to ``pytest.mark.parametrize``. ``bad_input.py`` is the
list of wrong sources that all kinds must answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ilk.core.protocol import Arrays, Condition, Kind, Settings
from ilk.core.spaces import Space
from ilk.testing import (
    engine_latent,
    engine_learn,
    engine_sample,
    generator_estimator,
    generator_model,
    generator_output,
    kind_codec,
    kind_objects,
    kind_source,
)
from ilk.testing.bad_input import BAD_INPUT, BadInput, bad_inputs
from ilk.testing.engine_case import EngineCase
from ilk.testing.generator_case import GeneratorCase
from ilk.testing.kind_case import KindCase
from ilk.testing.suite import Bound, bind, run_checks

__all__ = [
    "BAD_INPUT",
    "BadInput",
    "bad_inputs",
    "check_engine",
    "check_generator",
    "check_kind",
    "engine_checks",
    "generator_checks",
    "kind_checks",
]


def kind_checks(kind: Kind, source: Any, *, options: Any = None) -> Iterator[Bound]:
    """The checks of a kind as (name, callable); see :func:`check_kind`."""
    checks = (*kind_source.CHECKS, *kind_codec.CHECKS, *kind_objects.CHECKS)
    return bind(checks, KindCase(kind, source, options))


def check_kind(kind: Kind, source: Any, *, options: Any = None, expected_failures: Mapping[str, str] = {}) -> int:
    """Check everything that a kind promises.

    Args:
        kind: the kind.
        source: at least 12 different readable examples; a path where the kind reads paths.
        options: the kind's options record; the defaults if not given.
        expected_failures: name of a check -> why it fails. Strict: it must really fail.

    Returns:
        How many checks ran.

    Raises:
        AssertionError: which promises are broken, a sentence each.
    """
    return run_checks(kind_checks(kind, source, options=options), expected_failures)


def engine_checks(
    settings: Settings,
    space: Space,
    *,
    conditions: Mapping[str, Condition] | None = None,
    data: Arrays | None = None,
    steps: int = 5,
    device: str = "cpu",
) -> Iterator[Bound]:
    """The checks of an engine as (name, callable); see :func:`check_engine`."""
    case = EngineCase(settings, space, conditions=conditions, data=data, steps=steps, device=device)
    return bind((*engine_learn.CHECKS, *engine_sample.CHECKS, *engine_latent.CHECKS), case)


def check_engine(
    settings: Settings,
    space: Space,
    *,
    conditions: Mapping[str, Condition] | None = None,
    data: Arrays | None = None,
    steps: int = 5,
    device: str = "cpu",
    expected_failures: Mapping[str, str] = {},
) -> int:
    """Check everything that an engine promises.

    Args:
        settings: the engine's settings; small ones, so that a step takes milliseconds.
        space: the Space to learn.
        conditions: as a codec gives them; with levels, labels are asked for.
        data: named arrays in terms of the Space, ``x`` first. Random ones for a built-in Space.
        steps: steps of a whole fit.
        device: where to learn.
        expected_failures: name of a check -> why it fails. Strict: it must really fail.

    Returns:
        How many checks ran.

    Raises:
        AssertionError: which promises are broken, a sentence each.
    """
    checks = engine_checks(settings, space, conditions=conditions, data=data, steps=steps, device=device)
    return run_checks(checks, expected_failures)


def generator_checks(kind: str | None, source: Any, **params: Any) -> Iterator[Bound]:
    """The checks of ``ilk.Generator`` on a source as (name, callable); see :func:`check_generator`."""
    checks = (*generator_estimator.CHECKS, *generator_model.CHECKS, *generator_output.CHECKS)
    return bind(checks, GeneratorCase(kind, source, params))


def check_generator(kind: str | None, source: Any, *, expected_failures: Mapping[str, str] = {}, **params: Any) -> int:
    """Check everything that ``ilk.Generator`` promises, on examples of one kind.

    Args:
        kind: the kind's registered name, or None where it is to be recognised.
        source: examples; enough to learn from.
        expected_failures: name of a check -> why it fails. Strict: it must really fail.
        **params: parameters of the Generator, such as ``engine`` with small settings.

    Returns:
        How many checks ran.

    Raises:
        AssertionError: which promises are broken, a sentence each.
    """
    return run_checks(generator_checks(kind, source, **params), expected_failures)
