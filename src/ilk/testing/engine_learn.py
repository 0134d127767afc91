"""Promises about how an engine learns: settings, steps, budget, the same bits again, exact resume."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import msgspec
import numpy as np

from ilk.core.config import Record, convert, fields
from ilk.core.errors import InputError
from ilk.core.folder import pack, unpack
from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Arrays
from ilk.core.registry import get_engine
from ilk.core.spaces import Space
from ilk.generator.model import sample_record
from ilk.testing.arrays import differing, same
from ilk.testing.engine_case import EngineCase
from ilk.testing.suite import refuses


class NoSpace(Space, frozen=True, tag="no-space"):
    """A Space that no engine learns."""


def check_settings_are_a_record(case: EngineCase) -> None:
    """Settings are a frozen Record, equal by value, the same after JSON; a typo is refused with a suggestion."""
    for settings, record in zip((case.settings, sample_record(case.settings)()), _records(case), strict=True):
        assert isinstance(settings, Record), f"{record.__qualname__} is no Record"
        assert record.__struct_config__.frozen, f"{record.__qualname__} must be frozen"
        plain = json.loads(msgspec.json.encode(settings))
        again = msgspec.convert(plain, record)
        assert again == settings, f"{record.__qualname__} changes on its way through JSON"
        names = [field.name for field in fields(record)]
        unknown = f"{names[0]}x" if names else "nothing"
        error = refuses(partial(convert, {unknown: 1}, record, "setting"), f"the unknown setting {unknown}")
        assert not names or f'did you mean "{names[0]}"' in str(error), f"no suggestion for {unknown}: {error}"


def check_settings_are_explained(case: EngineCase) -> None:
    """Every setting has a line of help."""
    for record in _records(case):
        silent = [field.name for field in fields(record) if not field.help]
        assert not silent, f"{record.__qualname__} has settings without help: {', '.join(silent)}"


def check_settings_have_bounds(case: EngineCase) -> None:
    """Every number among the settings has a bound, and what lies beyond is refused."""
    for record in _records(case):
        for name, meta in _numbers(record):
            beyond = [bound - 1 for bound in (meta.ge, meta.gt) if bound is not None]
            beyond += [bound + 1 for bound in (meta.le, meta.lt) if bound is not None]
            assert beyond, f"{name} has no bound: write Annotated[..., Meta(ge=...)]"
            for value in beyond:
                call = partial(convert, {name: value}, record, "setting")
                refuses(call, f"{name} = {value}", kinds=(InputError,))


def _records(case: EngineCase) -> tuple[type[msgspec.Struct], type[msgspec.Struct]]:
    """The records of the settings and of the sampling settings."""
    return typing.cast("type[msgspec.Struct]", type(case.settings)), sample_record(case.settings)


def _numbers(record: type[msgspec.Struct]) -> Iterator[tuple[str, msgspec.Meta]]:
    """The settings that are numbers, each with its bounds."""
    for name, hint in typing.get_type_hints(record, include_extras=True).items():
        bare = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
        if name in record.__struct_fields__ and bare in (int, float):
            metas = [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
            bounded = [m for m in metas if any(b is not None for b in (m.ge, m.gt, m.le, m.lt))]
            yield name, (bounded or [msgspec.Meta()])[0]


def check_settings_are_registered(case: EngineCase) -> None:
    """The engine's name finds its settings again: a model folder stores no more than that."""
    name = case.settings.name
    assert isinstance(case.settings, get_engine(name)), f'"{name}" is registered as another record'


def check_refuses_other_spaces(case: EngineCase) -> None:
    """A Space that the engine does not learn is refused in a sentence."""
    build = partial(case.settings.build, NoSpace(), case.conditions, case.plan)
    refuses(build, "a foreign Space", kinds=(InputError,))


def check_builds_the_same(case: EngineCase) -> None:
    """Building draws from the plan's seed alone: the same weights, or others for another seed."""
    first, second = case.build().state(), case.build().state()
    assert same(first, second), f"two new engines differ in {differing(first, second)}"


def check_steps_yield_numbers(case: EngineCase) -> None:
    """Each step yields finite numbers by name, and they can be said in words."""
    engine = case.build()
    for metrics in case.learn(engine, case.steps):
        assert isinstance(metrics, Mapping), f"a step yields a mapping, not a {type(metrics).__name__}"
        assert metrics, "a step yields no number"
        assert all(np.isfinite(float(value)) for value in metrics.values()), f"not finite: {metrics}"
        says = engine.describe(metrics)
        assert isinstance(says, str), "describe gives a string"
        assert says.strip(), "describe says nothing"


def check_steps_end_with_the_budget(case: EngineCase) -> None:
    """A plan of N steps takes exactly N, a budget that is over none, one that is stopped no further."""
    took = len(case.learn(case.build(), None))
    assert took == case.steps, f"a plan of {case.steps} steps took {took}"
    none = len(case.learn(case.build(), None, first=case.steps))
    assert none == 0, f"{none} steps were taken after the last one"
    budget = Budget(case.plan)
    steps = case.build().steps(case.data, budget)
    next(iter(steps))
    budget.advance()
    budget.stop()
    assert next(iter(steps), None) is None, "a step was taken after someone stopped the fit"


def check_steps_end_with_the_clock(case: EngineCase) -> None:
    """A plan of seconds ends when its time is up."""
    plan = Plan(seconds=0.3, device=case.plan.device)
    budget = Budget(plan)
    for _ in case.settings.build(case.space, case.conditions, plan).steps(case.data, budget):
        budget.advance()
        assert budget.step < 1_000_000, "learning goes on after the time is up"
    assert budget.step > 0, "not one step was taken"
    assert budget.elapsed < 30, f"0.3 seconds took {budget.elapsed:.0f}"


def check_same_seed_same_bits(case: EngineCase) -> None:
    """The same plan gives the same state, bit for bit; another seed gives another model."""
    again = case.build()
    case.learn(again, case.steps)
    first, second = case.learned.state(), again.state()
    assert same(first, second), f"two equal fits differ in {differing(first, second)}"
    other = case.build(seed=1)
    case.learn(other, case.steps, seed=1)
    assert not same(other.weights(), case.learned.weights()), "another seed learns the same weights"


def check_learning_changes_weights(case: EngineCase) -> None:
    """Learning moves what samples are made of."""
    before, after = case.build().weights(), case.learned.weights()
    assert before.keys() == after.keys(), f"learning adds or drops weights: {differing(before, after)}"
    assert not same(before, after), "the weights are the same after learning"


def check_resumed_is_uninterrupted(case: EngineCase) -> None:
    """Killed after any step, loaded into a new engine and gone on, it learns the same bits."""
    for stop in sorted({1, case.steps // 2, case.steps - 1}):
        state = _interrupted(case, stop)
        resumed = case.build()
        resumed.load_state(state)
        took = len(case.learn(resumed, None, first=stop))
        assert took == case.steps - stop, f"after {stop} of {case.steps} steps it took {took} more"
        first, second = resumed.state(), case.learned.state()
        assert same(first, second), f"resumed after step {stop} it differs in {differing(first, second)}"
        assert same(resumed.weights(), case.learned.weights()), f"resumed after step {stop} its weights differ"


def _interrupted(case: EngineCase, stop: int) -> Arrays:
    """The state after ``stop`` steps, as it comes back from a file."""
    killed = case.build()
    case.learn(killed, stop)
    return unpack(pack(killed.state()), "the state")


def check_state_is_whole(case: EngineCase) -> None:
    """State is named arrays that are finite, independent of what is learned later, and load to the same."""
    engine = case.build()
    case.learn(engine, 1)
    state = engine.state()
    assert all(isinstance(array, np.ndarray) for array in state.values()), "state holds something that is no array"
    bad = [name for name, array in state.items() if array.dtype.kind == "f" and not np.isfinite(array).all()]
    assert not bad, f"not finite after a step: {', '.join(bad)}"
    kept = {name: array.copy() for name, array in state.items()}
    other = case.build(seed=1)
    other.load_state(state)
    assert same(other.state(), kept), f"loading loses {differing(other.state(), kept)}"
    case.learn(other, 1, first=1)
    assert same(state, kept), "learning on changes arrays that were handed out or in: hand out copies"


def check_process_is_left_alone(case: EngineCase) -> None:
    """Learning and sampling leave torch and the processor's arithmetic as they were for the user's own work."""
    import torch

    torch.set_flush_denormal(False)
    before = _process()
    engine = case.build()
    case.learn(engine, None)
    case.sample(engine, range(3))
    after = _process()
    torch.set_flush_denormal(False)
    changed = [name for name in before if after[name] != before[name]]
    assert not changed, f"the process has other {', '.join(changed)} than before"


def _process() -> dict[str, Any]:
    """What an engine could change for everybody in this process."""
    import torch

    return {
        "threads": torch.get_num_threads(),
        "default type": torch.get_default_dtype(),
        "gradient mode": torch.is_grad_enabled(),
        "deterministic mode": torch.are_deterministic_algorithms_enabled(),
        "denormal numbers (set_flush_denormal)": bool((np.full(8, 1e-40, np.float32) * np.float32(0.5)).any()),
    }


def check_bad_state_is_refused(case: EngineCase) -> None:
    """A state that lacks an array or has one of another shape is refused."""
    refuse_damage(case.learned.state(), lambda state: case.build().load_state(state), "a state", types=False)


def refuse_damage(arrays: Arrays, load: typing.Callable[[Any], None], what: str, *, types: bool) -> None:
    """Each array in turn missing, reshaped and (``types``) of a type that cannot be meant."""
    kinds = (InputError, KeyError, ValueError)
    for name, array in arrays.items():
        left = {other: kept for other, kept in arrays.items() if other != name}
        refuses(partial(load, left), f"{what} without {name}", kinds=kinds)
        grown = np.zeros((*array.shape, 2), dtype=array.dtype)
        refuses(partial(load, {**arrays, name: grown}), f"{what} with another shape of {name}", kinds=kinds)
        if types and array.dtype.kind == "f":
            foreign = array.astype(np.complex64)
            refuses(partial(load, {**arrays, name: foreign}), f"{what} with complex {name}", kinds=kinds)


def check_learns_from_few(case: EngineCase) -> None:
    """Two examples, fewer than a batch, are enough to take steps."""
    engine = case.build()
    took = len(case.learn(engine, None, data=case.data.head(2)))
    assert took == case.steps, f"with two examples {took} of {case.steps} steps were taken"
    x = case.sample(engine, range(3))["x"]
    assert x.dtype.kind != "f" or np.isfinite(x).all(), "it then makes numbers that are not finite"


CHECKS = (
    check_settings_are_a_record,
    check_settings_are_explained,
    check_settings_have_bounds,
    check_settings_are_registered,
    check_refuses_other_spaces,
    check_builds_the_same,
    check_steps_yield_numbers,
    check_steps_end_with_the_budget,
    check_steps_end_with_the_clock,
    check_same_seed_same_bits,
    check_learning_changes_weights,
    check_resumed_is_uninterrupted,
    check_state_is_whole,
    check_bad_state_is_refused,
    check_learns_from_few,
    check_process_is_left_alone,
)
