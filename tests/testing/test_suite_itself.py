"""The suites have teeth: a kind or an engine that breaks one promise is caught, by the check of that promise."""

from __future__ import annotations

import importlib
import pickle
import random
from itertools import count

import msgspec
import numpy as np
import pytest
from dice import installed

from ilk.core.errors import InputError
from ilk.core.protocol import Exhibit, Given, Levels
from ilk.testing import BAD_INPUT, bad_inputs, check_kind, engine_checks, kind_checks
from ilk.testing.safety import unsafe_files, watched
from ilk.testing.suite import refuses, run_checks

with installed():
    from ilk_dice import engine as faces
    from ilk_dice import kind as dice_kind
    from ilk_dice.codec import DiceCodec
    from ilk_dice.kind import DiceKind
    from ilk_dice.settings import Faces
    from ilk_dice.space import Throws

pytestmark = pytest.mark.usefixtures("dice")
NUMBERS = count()


class _Codec:
    """A codec that passes everything on; the saboteurs below override one thing."""

    def __init__(self, codec):
        self.codec = codec

    def __getattr__(self, name):
        return getattr(self.codec, name)


class _Neighbours(_Codec):
    def encode(self, examples):
        arrays = self.codec.encode(examples)
        return {**arrays, "x": arrays["x"] + np.uint8(len(examples) % 7)}


class _Moody(_Codec):
    def encode(self, examples):
        return {**self.codec.encode(examples), "mood": np.full(len(examples), next(NUMBERS))}


class _Wide(_Codec):
    def to_space(self, arrays):
        return {**arrays, "x": arrays["x"].astype(np.float64)}


class _Greedy(_Codec):
    def to_space(self, arrays):
        arrays["x"][:] = 1
        return self.codec.to_space(arrays)


class _Lossy(_Codec):
    def decode(self, arrays):
        return [(1,) * len(throw) for throw in self.codec.decode(arrays)]


class _Pickled(_Codec):
    def save(self, folder):
        (folder / "codec.json").write_bytes(pickle.dumps(msgspec.to_builtins(self.codec)))


class _Lenient(_Codec):
    def encode_given(self, given, n):
        return Given()


def _with(codec):
    return lambda kind, *a: codec(DiceKind().fit_codec(*a))


class _MoodyEncoder:
    about = "It sees something else each time that it is asked."

    def __call__(self, objects):
        return np.full((len(objects), 2), float(next(NUMBERS)))


def _careless(kind, folder):
    fields = msgspec.json.decode((folder / "codec.json").read_bytes())
    return DiceCodec(**fields)


def _shuffled(kind, source, options):
    items = list(DiceKind().read(source, options))
    random.shuffle(items)
    return iter(items)


BROKEN_KINDS = {
    "name": ("Dice!", "check_kind_is_complete"),
    "draw": (None, "check_kind_is_complete"),
    "formats": ((), "check_formats_are_clear"),
    "recognise": (lambda kind, source: 1.0, "check_recognises_nothing_foreign"),
    "read": (lambda kind, source, options: list(DiceKind().read(source, options)), "check_reads_as_a_stream"),
    "read shuffled": (_shuffled, "check_reads_in_the_same_order"),
    "stamp": (lambda kind, source, options: "same", "check_stamp_follows_the_content"),
    "stamp moody": (lambda kind, source, options: str(next(NUMBERS)), "check_stamp_is_stable"),
    "fit_codec neighbours": (_with(_Neighbours), "check_encode_knows_no_neighbours"),
    "fit_codec moody": (_with(_Moody), "check_encode_is_pure"),
    "fit_codec wide": (_with(_Wide), "check_to_space_fits_the_space"),
    "fit_codec greedy": (_with(_Greedy), "check_to_space_fits_the_space"),
    "fit_codec lossy": (_with(_Lossy), "check_decode_undoes_encode"),
    "fit_codec pickled": (_with(_Pickled), "check_codec_files_are_safe"),
    "fit_codec lenient": (_with(_Lenient), "check_encode_given_takes_each_level"),
    "load_codec": (_careless, "check_codec_refuses_damage"),
    "write": (lambda kind, objects, file, format, note: file.write(b"1 1 1 1"), "check_default_format_loses_nothing"),
    "write moody": (
        lambda kind, objects, file, format, note: file.write(f"{next(NUMBERS) % 6 + 1}".encode()),
        "check_writes_every_format",
    ),
    "identify": (lambda kind, obj: "same", "check_identify_names_the_object"),
    "identify by place": (lambda kind, obj: str(id(obj)), "check_identify_names_the_object"),
    "draw badly": (lambda kind, objects: Exhibit(media_type="image/png", data=b"no"), "check_draw_shows_objects"),
    "check": (lambda kind, obj: ["it is ugly"], "check_real_examples_are_sound"),
    "check nothing": (lambda kind, obj: [], "check_real_examples_are_sound"),
    "fit_features": (lambda kind, examples, plan: lambda objects: np.zeros(len(objects)), "check_features_are_numbers"),
    "fit_encoder": (lambda kind, *a: DiceKind().fit_features(a[0], a[2]), "check_encoder_says_what_it_is"),
    "fit_encoder moody": (lambda kind, *a: _MoodyEncoder(), "check_encoder_says_what_it_is"),
}


@pytest.mark.parametrize("what", BROKEN_KINDS)
def test_a_broken_kind_is_caught(what, throws, monkeypatch):
    value, name = BROKEN_KINDS[what]
    broken = type("BrokenKind", (DiceKind,), {what.split()[0]: value, "__module__": dice_kind.__name__})()
    monkeypatch.setattr(dice_kind, "broken", broken, raising=False)
    with pytest.raises((AssertionError, TypeError)):
        dict(kind_checks(broken, throws))[name]()


HEAVY = """
from ilk_dice.kind import DiceKind
class HeavyKind(DiceKind):
    def recognise(self, source):
        import sklearn
        return 0.0
kind = HeavyKind()
"""


def test_a_kind_that_loads_much_to_recognise_is_caught(throws, tmp_path, monkeypatch):
    (tmp_path / "heavy_kind.py").write_text(HEAVY)
    monkeypatch.syspath_prepend(tmp_path)
    heavy = importlib.import_module("heavy_kind").kind
    with pytest.raises(AssertionError, match="recognise loads sklearn"):
        dict(kind_checks(heavy, throws))["check_recognise_is_light"]()


def _patched_steps(change):
    real = faces.FacesEngine.steps

    def steps(self, data, budget):
        yield from change(self, real(self, data, budget), budget)

    return steps


def _endless(engine, steps, budget):
    yield from steps
    while True:
        yield {"surprise": 1.0}


def _silent(engine, steps, budget):
    for _ in steps:
        yield {"surprise": float("nan")}


REAL = faces.FacesEngine


def _sample_by_place(self, indices, given, seed, settings):
    return REAL_SAMPLE(self, np.arange(len(indices)), given, seed, settings)


def _sample_moved(self, indices, given, seed, settings):
    with faces.torch.no_grad():
        self.net.bias += 1e-3
    return REAL_SAMPLE(self, indices, given, seed, settings)


def _sample_any_seed(self, indices, given, seed, settings):
    return REAL_SAMPLE(self, indices, given, 0, settings)


def _sample_any_label(self, indices, given, seed, settings):
    return REAL_SAMPLE(self, indices, Given(), seed, settings)


REAL_SAMPLE = faces.FacesEngine.sample
BROKEN_ENGINES = {
    "steps endless": (_patched_steps(_endless), "check_steps_end_with_the_budget"),
    "steps silent": (_patched_steps(_silent), "check_steps_yield_numbers"),
    "describe": (lambda self, metrics: "", "check_steps_yield_numbers"),
    "state": (lambda self: self.weights(), "check_resumed_is_uninterrupted"),
    "load_state": (lambda self, state: None, "check_resumed_is_uninterrupted"),
    "load_weights": (lambda self, weights: None, "check_bad_weights_are_refused"),
    "weights": (lambda self: {"shares": self.shares_K}, "check_learning_changes_weights"),
    "sample by place": (_sample_by_place, "check_sample_does_not_depend_on_others"),
    "sample moved": (_sample_moved, "check_sampling_changes_nothing"),
    "sample any seed": (_sample_any_seed, "check_seeds_and_rows_differ"),
    "sample any label": (_sample_any_label, "check_given_labels_are_kept"),
}


@pytest.mark.parametrize("what", BROKEN_ENGINES)
def test_a_broken_engine_is_caught(what, monkeypatch):
    value, name = BROKEN_ENGINES[what]
    monkeypatch.setattr(faces.FacesEngine, what.split()[0], value)
    draw = np.random.default_rng(0)
    data = {"x": draw.integers(1, 7, (30, 2)).astype(np.float32), "label": np.arange(30) % 2}
    levels = {"die": Levels(names=("fair", "loaded"))}
    checks = dict(engine_checks(Faces(), Throws(size=2, sides=6), conditions=levels, data=data))
    with pytest.raises((AssertionError, InputError, KeyError)):
        checks[name]()


def _passes():
    """It holds."""


def _fails():
    """It does not hold."""
    raise AssertionError("broken")


def test_expected_failures_are_strict():
    both = [("check_good", _passes), ("check_bad", _fails)]
    assert run_checks(both, {"check_bad": "a reason"}) == 2
    with pytest.raises(
        AssertionError, match=r"1 of 2 checks:\n- check_bad \(It does not hold\): AssertionError: broken"
    ):
        run_checks(both, {})
    with pytest.raises(AssertionError, match=r"check_good was expected to fail \(a reason\), but passes"):
        run_checks(both, {"check_good": "a reason", "check_bad": "another"})
    with pytest.raises(AssertionError, match="check_typo is no check of this suite"):
        run_checks(both, {"check_bad": "a reason", "check_typo": "?"})


def test_a_source_that_is_too_small_is_said(tmp_path):
    (tmp_path / "few.dice").write_text("1 2\n3 4\n")
    with pytest.raises(AssertionError, match="a suite needs a source of at least 12 examples, not 2"):
        check_kind(dice_kind.kind, tmp_path)


def test_refuses_wants_a_sentence_of_the_right_kind():
    def accident():
        return 1 / 0

    with pytest.raises(AssertionError, match=r"dividing raised ZeroDivisionError .* instead of IlkError"):
        refuses(accident, "dividing")
    with pytest.raises(AssertionError, match="nothing was accepted; it must be refused"):
        refuses(_passes, "nothing")


def test_unpickling_is_seen(tmp_path):
    with watched() as events:
        pickle.loads(pickle.dumps(InputError("ILK-INPUT-001", "a sentence")))
    assert "pickle.find_class" in events
    (tmp_path / "a.json").write_bytes(pickle.dumps({}))
    (tmp_path / "b.safetensors").write_bytes(b"\x08")
    (tmp_path / "c.json").write_text("{}")
    assert unsafe_files(tmp_path) == ["a.json", "b.safetensors"]


def test_the_bad_input_list_makes_what_it_says(tmp_path):
    assert len(bad_inputs()) >= len(BAD_INPUT) - 2
    assert len({bad.name for bad in BAD_INPUT}) == len(BAD_INPUT)
    for place, bad in enumerate(bad_inputs()):
        folder = tmp_path / str(place)
        folder.mkdir()
        bad.make(folder, ".png")
