"""Promises about a kind's codec: objects <-> arrays of a Space, and the files it is kept in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ilk.core.data import codec_bytes
from ilk.core.errors import InputError
from ilk.core.offers import Completing, Containing, Describing, Refusing, Ruling
from ilk.core.plan import Plan
from ilk.core.protocol import Codec, Example, Given, Levels, Number
from ilk.core.registry import get_engine
from ilk.core.rows import join, pick
from ilk.core.spaces import Columns, Grid, Space, Tokens, Vector
from ilk.generator.model import sample_record
from ilk.testing.arrays import differing, same, same_array
from ilk.testing.kind_case import KindCase
from ilk.testing.safety import unsafe_files, watched
from ilk.testing.suite import refuses

WRONG: tuple[Any, ...] = (None, "nonsense", -1, 10**30, [[]], {"a": 1})


def check_codec_has_a_space(case: KindCase) -> None:
    """A codec fitted on the examples has a Space, which is a record that survives JSON."""
    space = case.codec.space
    assert isinstance(space, Space), f"space is a {type(space).__name__}, not a Space"
    again = msgspec.json.decode(msgspec.json.encode(space), type=type(space))
    assert again == space, "the Space changes on its way through JSON"


def check_conditions_are_typed(case: KindCase) -> None:
    """Conditions have names, and levels that differ."""
    conditions = case.codec.conditions
    assert isinstance(conditions, Mapping), "conditions is a mapping of name to Condition"
    for name, condition in conditions.items():
        assert isinstance(name, str), f"{name!r} is no name"
        if isinstance(condition, Levels):
            assert condition.names, f"{name} has no levels"
            assert len(set(condition.names)) == len(condition.names), f"{name} has a level twice"
        if isinstance(condition, Number):
            assert condition.low <= condition.high, f"{name} has no range"


def check_encode_gives_named_arrays(case: KindCase) -> None:
    """Encoding gives named arrays, x first, one row an example, nothing that would be pickled."""
    arrays = case.arrays
    assert next(iter(arrays)) == "x", f"the first array is {next(iter(arrays))}, not x"
    for name, array in arrays.items():
        assert isinstance(array, np.ndarray), f"{name} is a {type(array).__name__}, not an array"
        assert len(array) == len(case.examples), f"{name} has {len(array)} rows for {len(case.examples)} examples"
        assert not array.dtype.hasobject, f"{name} holds Python objects"


def check_encode_is_pure(case: KindCase) -> None:
    """Encoding the same examples again gives the same bits."""
    again = case.codec.encode(case.examples)
    assert same(again, case.arrays), f"the second encoding differs in {differing(again, case.arrays)}"


def check_encode_knows_no_neighbours(case: KindCase) -> None:
    """Encoding 10 examples is encoding 3 and 7 of them, or each alone."""
    ten = case.examples[:10]
    whole = case.codec.encode(ten)
    split = join([case.codec.encode(ten[:3]), case.codec.encode(ten[3:])])
    alone = join([case.codec.encode([example]) for example in ten])
    for parts in (split, alone):
        assert same(parts, whole), f"an example's {differing(parts, whole)} depends on those encoded with it"


def check_encode_in_threads(case: KindCase) -> None:
    """Encoding in several threads at once gives the same bits."""
    with ThreadPoolExecutor(4) as pool:
        for arrays in pool.map(case.codec.encode, [case.examples] * 4):
            assert same(arrays, case.arrays), f"threads disagree in {differing(arrays, case.arrays)}"


def check_to_space_fits_the_space(case: KindCase) -> None:
    """Arrays for the engine have the shape, type and range that the Space says; the stored ones stay as they are."""
    before = {name: array.copy() for name, array in case.arrays.items()}
    arrays = case.codec.to_space(case.arrays)
    assert same(case.arrays, before), "to_space changes the stored arrays"
    assert set(arrays) >= {"x"}, "to_space loses x"
    assert all(len(array) == len(case.examples) for array in arrays.values()), "to_space changes the number of rows"
    wrong = misfit(case.codec.space, arrays["x"])
    assert not wrong, f"x does not fit {case.codec.space}: {wrong}"


def misfit(space: Space, x: Any) -> str:
    """Why ``x`` is no array of ``space``, in a few words; empty if it is or the Space is a stranger's."""
    row, types, low, high = x.shape[1:], "", -np.inf, np.inf
    if isinstance(space, Grid):
        shape: tuple[int, ...] = (space.channels, space.height, space.width)
        types, low, high = "f4", -1.0, 1.0
    elif isinstance(space, Vector):
        shape, types = (space.size,), "f4"
    elif isinstance(space, Columns):
        shape, types = (len(space.columns),), "f8"
    elif isinstance(space, Tokens):
        shape, low, high = (min(space.length, *row),), 0, space.vocabulary - 1
        if x.dtype.kind not in "iu":
            return f"its type is {x.dtype}, not whole numbers"
    else:
        return ""
    if row != shape:
        return f"a row is {row}, not {shape}"
    if types and x.dtype != np.dtype(types):
        return f"its type is {x.dtype}, not {np.dtype(types)}"
    if not isinstance(space, Columns) and not np.isfinite(x).all():
        return "not all numbers are finite"
    return f"it reaches from {x.min()} to {x.max()}" if x.min() < low or x.max() > high else ""


def check_decode_undoes_encode(case: KindCase) -> None:
    """What was decoded encodes to the same arrays again: nothing is lost beyond the first encoding."""
    assert len(case.objects) == len(case.examples), "decode gives another number of objects"
    again = [Example(obj, e.name, e.given) for obj, e in zip(case.objects, case.examples, strict=True)]
    arrays = case.codec.encode(again)
    assert arrays.keys() == case.arrays.keys(), "the decoded objects encode to other arrays"
    for name, array in arrays.items():
        stored = case.arrays[name]
        close = same_array(array, stored) or (array.dtype.kind == "f" and np.allclose(array, stored, 1e-6, 1e-6))
        assert close, f"{name} is another one after decoding and encoding again"


def check_decode_takes_what_engines_make(case: KindCase) -> None:
    """Decoding numbers that an untrained engine makes gives objects, not an error."""
    if isinstance(case.codec.space, Grid | Vector):
        x = case.codec.to_space(case.arrays)["x"][:5]
        for strange in (x * 3, -x, np.zeros_like(x), np.full_like(x, 1e6)):
            made = case.codec.decode({"x": strange.astype(x.dtype)})
            assert len(made) == len(strange), "decode drops objects"


def check_codec_is_kept(case: KindCase) -> None:
    """A saved and loaded codec has the same Space and conditions, encodes the same bits and saves the same bytes."""
    folder = case.folder()
    case.codec.save(folder)
    loaded = case.kind.load_codec(folder)
    assert loaded.space == case.codec.space, "the loaded codec has another Space"
    assert dict(loaded.conditions) == dict(case.codec.conditions), "the loaded codec has other conditions"
    arrays = loaded.encode(case.examples)
    assert same(arrays, case.arrays), f"the loaded codec encodes another {differing(arrays, case.arrays)}"
    assert codec_bytes(loaded) == codec_bytes(case.codec), "the loaded codec saves other bytes"


def check_codec_fits_the_same(case: KindCase) -> None:
    """Fitting a codec twice on the same examples gives the same codec."""
    again = case.kind.fit_codec(iter(case.examples), case.options, case.plan, None)
    assert codec_bytes(again) == codec_bytes(case.codec), "the second codec is another one"


def check_codec_files_are_safe(case: KindCase) -> None:
    """A codec is kept in JSON and safetensors; loading it unpickles nothing and starts nothing."""
    folder = case.folder()
    case.codec.save(folder)
    unsafe = unsafe_files(folder)
    assert not unsafe, f"neither JSON nor safetensors: {', '.join(unsafe)}"
    with watched() as events:
        case.kind.load_codec(folder)
    assert not events, f"loading a codec does {', '.join(events)}"


def check_codec_refuses_damage(case: KindCase) -> None:
    """A damaged or hostile codec is refused in a sentence: cut, foreign, unknown field, wrong type, missing."""
    for name, data in codec_bytes(case.codec).items():
        for what, hostile, must in _hostile(name, data):
            folder = _written(case, {**codec_bytes(case.codec), name: hostile})
            load = partial(case.kind.load_codec, folder)
            if must:
                refuses(load, f"{name}, {what},", kinds=(InputError,))
            else:
                _loads_or_refuses(load, f"{name}, {what},")
        left = {other: kept for other, kept in codec_bytes(case.codec).items() if other != name}
        folder = _written(case, left)
        refuses(partial(case.kind.load_codec, folder), f"a codec without {name}", kinds=(InputError,))


def _hostile(name: str, data: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """(what it is, bytes, whether it must be refused) of hostile versions of a file."""
    for length in {0, 1, len(data) // 2, len(data) - 2}:
        yield f"cut to {length} bytes", data[:length], True
    yield "noise", bytes(range(256)), True
    if not name.endswith(".json"):
        yield "with a header that lies about its length", (2**60).to_bytes(8, "little") + data[8:], True
        return
    yield "nested without end", b"[" * 100_000, True
    yield "a list", b"[]", True
    fields = msgspec.json.decode(data)
    if isinstance(fields, dict):
        yield "with an unknown field", msgspec.json.encode({**fields, "surely_unknown": 1}), True
        for field in fields:
            for value in WRONG:
                yield f"{field} = {value!r}", msgspec.json.encode({**fields, field: value}), False


def _written(case: KindCase, files: Mapping[str, bytes]) -> Path:
    folder = case.folder()
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def _loads_or_refuses(load: partial[Codec], what: str) -> None:
    """A changed value may still be a good one; what must not happen is an accident."""
    try:
        load()
    except InputError:
        return
    except Exception as error:
        raise AssertionError(f"{what} raised {type(error).__name__} ({error}) instead of an InputError") from error


def check_encode_given_takes_each_level(case: KindCase) -> None:
    """Conditions become rows in terms of the Space: open, each level, both ends of a range; no other level."""
    _given(case, {})
    for name, condition in case.codec.conditions.items():
        if isinstance(condition, Levels):
            for level in condition.names[:50]:
                _given(case, {name: level})
            wrong = partial(case.codec.encode_given, {name: "no such level here"}, 1)
            refuses(wrong, f"an unknown level of {name}", kinds=(InputError,))
        elif isinstance(condition, Number):
            for number in (condition.low, condition.high):
                _given(case, {name: number})
        else:
            _given(case, {name: "a few words"})


def _given(case: KindCase, given: Mapping[str, Any]) -> None:
    encoded = case.codec.encode_given(given, 3)
    assert isinstance(encoded, Given), f"encode_given gives a {type(encoded).__name__}, not a Given"
    for rows in (*encoded.labels.values(), *encoded.allowed.values(), encoded.known, encoded.mask):
        assert rows is None or len(rows) == 3, f"given {dict(given)}: {0 if rows is None else len(rows)} rows, not 3"
    assert all(name in case.arrays for name in encoded.labels), f"labels {list(encoded.labels)} are never encoded"
    one = encoded.rows(np.array([2]))
    assert same(one.labels, pick(encoded.labels, np.array([2]))), "Given.rows loses the labels"


def check_engine_can_learn_it(case: KindCase) -> None:
    """The kind's engine is a registered one, chosen for any budget, that builds on the codec's Space."""
    for plan in (Plan(steps=10), Plan(seconds=60.0), Plan(seconds=1800.0, threads=2), Plan(steps=10, size="large")):
        settings = case.kind.engine(case.codec, plan, None)
        assert isinstance(settings, get_engine(settings.name)), f'"{settings.name}" is not the registered engine'
        assert settings == case.kind.engine(case.codec, plan, None), "the choice is another one the second time"
    settings = case.kind.engine(case.codec, case.plan, None)
    engine = settings.build(case.codec.space, case.codec.conditions, case.plan)
    made = engine.sample(np.arange(3), case.codec.encode_given({}, 3), 0, sample_record(settings)())
    assert len(case.codec.decode(made)) == 3, "what the untrained engine draws does not decode"


def check_offers_are_kept(case: KindCase) -> None:
    """What a codec offers holds for the examples themselves: no rule is broken, none refused, nothing to complete."""
    codec: Any = case.codec
    objects, count = case.objects, len(case.objects)
    if isinstance(codec, Ruling):
        broken = [says for says, rows in codec.broken(objects).items() if np.asarray(rows).any()]
        assert not broken, f"examples break the rule {broken[0]}"
    if isinstance(codec, Refusing):
        refused = codec.refused(case.arrays, case.codec.encode_given({}, count))
        assert not any(np.asarray(rows).any() for rows in refused.values()), "examples are refused"
    if isinstance(codec, Describing):
        assert all(isinstance(part, str) for line in codec.describe() for part in line), "describe gives pairs of words"
        assert all(isinstance(why, str) for why in codec.left_out().values()), "left_out gives words"
    if isinstance(codec, Containing):
        assert len(codec.contain(objects)) == count, "contain loses objects"
        assert codec.together >= 1, f"{codec.together} objects cannot be made together"
    if isinstance(codec, Completing):
        given = codec.encode_holes(case.examples)
        assert given.known is not None, "what is known is told as known and mask"
        whole, _ = codec.completed(case.arrays, case.examples)
        again = case.codec.encode([Example(object=each) for each in whole])
        assert same(again, case.arrays), "an example without holes is another one when it is completed"


CHECKS = (
    check_codec_has_a_space,
    check_conditions_are_typed,
    check_encode_gives_named_arrays,
    check_encode_is_pure,
    check_encode_knows_no_neighbours,
    check_encode_in_threads,
    check_to_space_fits_the_space,
    check_decode_undoes_encode,
    check_decode_takes_what_engines_make,
    check_codec_is_kept,
    check_codec_fits_the_same,
    check_codec_files_are_safe,
    check_codec_refuses_damage,
    check_encode_given_takes_each_level,
    check_engine_can_learn_it,
    check_offers_are_kept,
)
