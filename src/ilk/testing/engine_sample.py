"""Promises about what an engine makes: row i is a function of weights, conditions, seed and i alone."""

from __future__ import annotations

from functools import partial

import msgspec
import numpy as np

from ilk.core.errors import InputError
from ilk.core.folder import pack, unpack
from ilk.core.offers import Opinionated
from ilk.core.protocol import Arrays, Given
from ilk.core.rows import LENGTH, pick
from ilk.core.spaces import Space, Tokens
from ilk.testing.arrays import differing, same, same_array
from ilk.testing.engine_case import EngineCase
from ilk.testing.engine_learn import refuse_damage
from ilk.testing.kind_codec import misfit
from ilk.testing.suite import refuses

ROWS = 40


def check_samples_fit_the_space(case: EngineCase) -> None:
    """Samples have the shape, type and range of the Space, one row an index, before and after learning."""
    for engine in (case.build(), case.learned):
        arrays = case.sample(engine, range(ROWS))
        assert "x" in arrays, "there is no x"
        assert all(len(array) == ROWS for array in arrays.values()), f"{ROWS} rows were asked for"
        wrong = misfit(_as_long(case.space, arrays), arrays["x"])
        assert not wrong, f"x does not fit {case.space}: {wrong}"
        trained = case.data.take(np.arange(1))["x"]
        if LENGTH in arrays:
            assert arrays["x"].ndim == trained.ndim, f"x has {arrays['x'].ndim} axes, not {trained.ndim}"
            wide = arrays["x"].shape[1]
            assert wide == arrays[LENGTH].max(initial=0), (
                f"the longest row counts {arrays[LENGTH].max()} of {wide} places"
            )
            continue
        assert arrays["x"].shape[1:] == trained.shape[1:], f"a row is {arrays['x'].shape[1:]}, not {trained.shape[1:]}"


def _as_long(space: Space, arrays: Arrays) -> Space:
    """The Space, of sequences as long as the samples: ``length`` is that of the parts that data are kept in."""
    return msgspec.structs.replace(space, length=arrays["x"].shape[1]) if isinstance(space, Tokens) else space


def check_sample_does_not_depend_on_others(case: EngineCase) -> None:
    """Row i is the same alone, among n, in any order, in any part, far away and after other draws."""
    whole = case.sample(case.learned, range(ROWS))
    for rows in ([0], [ROWS - 1], [3, 4, 5], list(range(10)), [7, 2, 31, 2, 0], list(range(ROWS))[::-1]):
        part = case.sample(case.learned, rows)
        wanted = pick(whole, np.array(rows))
        assert same(part, wanted), f"rows {rows} differ in {differing(part, wanted)} from those drawn with {ROWS}"
    far = [10_000_019, 5, 1023, 1024]
    alone = [case.sample(case.learned, [row]) for row in far]
    together = case.sample(case.learned, far)
    for place, one in enumerate(alone):
        assert same(one, pick(together, np.array([place]))), f"row {far[place]} depends on those drawn with it"


def check_seeds_and_rows_differ(case: EngineCase) -> None:
    """Another seed gives other rows, and rows are not all the same."""
    first, second = case.sample(case.learned, range(ROWS))["x"], case.sample(case.learned, range(ROWS), seed=8)["x"]
    assert not same_array(first, second), "seeds 7 and 8 give the same rows"
    assert len({row.tobytes() for row in first}) > 1, f"all {ROWS} rows are the same"


def check_sampling_changes_nothing(case: EngineCase) -> None:
    """Drawing samples leaves state and weights as they are, and learning goes on as if nothing was drawn."""
    before, weights = case.learned.state(), case.learned.weights()
    case.sample(case.learned, range(ROWS), seed=9)
    after = case.learned.state()
    assert same(before, after), f"sampling changes {differing(before, after)}"
    assert same(weights, case.learned.weights()), "sampling changes the weights"
    watched = case.build()
    case.learn(watched, case.steps, after=lambda: case.sample(watched, [0, 1]))
    learned = watched.state()
    assert same(learned, after), f"looking at samples while it learns changes {differing(learned, after)}"


def check_weights_are_enough(case: EngineCase) -> None:
    """A new engine with the weights alone, as they come back from a file, draws the same samples."""
    fresh = case.build(seed=3)
    fresh.load_weights(unpack(pack(case.learned.weights()), "the weights"))
    wanted, found = case.sample(case.learned, range(ROWS)), case.sample(fresh, range(ROWS))
    assert same(found, wanted), f"samples differ in {differing(found, wanted)}"
    weights = fresh.weights()
    assert same(weights, case.learned.weights()), f"the loaded weights differ: {differing(weights, fresh.weights())}"


def check_bad_weights_are_refused(case: EngineCase) -> None:
    """Weights that lack an array, or have one of another shape or of a foreign type, are refused."""
    weights = case.learned.weights()
    bad = [name for name, array in weights.items() if array.dtype.kind == "f" and not np.isfinite(array).all()]
    assert not bad, f"weights are not finite: {', '.join(bad)}"
    refuse_damage(weights, lambda arrays: case.build().load_weights(arrays), "weights", types=True)
    refuses(partial(case.build().load_weights, {}), "no weights", kinds=(InputError, KeyError, ValueError))


def check_given_labels_are_kept(case: EngineCase) -> None:
    """A label that is asked for comes out; an open one is drawn among the levels; rows may differ."""
    for name, levels in case.label_names():
        rows = np.arange(ROWS)
        asked = rows % levels
        made = case.sample(case.learned, rows, given=case.asked(name, asked))
        drawn = made.get(name)
        assert drawn is not None, f"the samples do not say their {name}"
        assert np.array_equal(drawn, asked), f"{name} is not what was asked for"
        some = np.where(rows % 2, asked, -1)
        half = case.sample(case.learned, rows, given=case.asked(name, some))
        assert np.array_equal(half[name][1::2], asked[1::2]), f"{name} is lost where others are open"
        assert ((half[name] >= 0) & (half[name] < levels)).all(), f"an open {name} is drawn outside of its levels"
        alone = case.sample(case.learned, rows[1:2], given=case.asked(name, some[1:2]))
        assert same(alone, pick(half, np.array([1]))), f"a row with {name} depends on its neighbours"


def check_open_labels_need_no_given(case: EngineCase) -> None:
    """Leaving a label open is the same as not speaking of it."""
    nothing = case.sample(case.learned, range(ROWS), given=Given())
    for name, _ in case.label_names():
        open_ = case.sample(case.learned, range(ROWS), given=case.asked(name, np.full(ROWS, -1)))
        assert same(open_, nothing), f"an open {name} gives other samples: {differing(open_, nothing)}"


def check_critic_sees_rows(case: EngineCase) -> None:
    """An engine with a critic of its own tells what it sees in a row, whatever stands beside it."""
    engine = case.learned
    if not isinstance(engine, Opinionated):
        return
    before = engine.state()
    rows = case.sample(engine, range(ROWS))
    loaded = case.build(seed=3)
    loaded.load_weights(unpack(pack(engine.weights()), "the weights"))
    assert isinstance(loaded, Opinionated), "the loaded engine has no critic"
    for name, ask, other in (
        ("represent", engine.represent, loaded.represent),
        ("opinion", engine.opinion, loaded.opinion),
    ):
        found = ask(rows)
        assert found.shape[0] == ROWS, f"{name} gives {found.shape[0]} rows for {ROWS}"
        assert found.ndim == (2 if name == "represent" else 1), f"{name} gives an array {found.shape}"
        assert found.dtype == np.float32, f"{name} gives {found.dtype}, not float32"
        assert np.isfinite(found).all(), f"{name} is not finite"
        assert np.allclose(ask(pick(rows, np.array([3, 30]))), found[[3, 30]], 1e-2, 1e-3), f"{name} sees neighbours"
        assert ask({"x": rows["x"]}).shape == found.shape, f"{name} needs a label"
        assert same_array(other(rows), found), f"{name} of the loaded engine is another"
    assert same(before, engine.state()), "looking changes the state"


CHECKS = (
    check_samples_fit_the_space,
    check_sample_does_not_depend_on_others,
    check_seeds_and_rows_differ,
    check_sampling_changes_nothing,
    check_weights_are_enough,
    check_bad_weights_are_refused,
    check_given_labels_are_kept,
    check_open_labels_need_no_given,
    check_critic_sees_rows,
)
