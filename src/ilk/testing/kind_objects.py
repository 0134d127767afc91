"""Promises about what a kind does with its objects: write, read back, draw, name, check, measure."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ilk.core.errors import InputError
from ilk.core.offers import Filmed
from ilk.core.protocol import Example, Exhibit, Features, Format
from ilk.testing.kind_case import KindCase
from ilk.testing.safety import unsafe_files, watched
from ilk.testing.suite import refuses

NOTE = {"digitalSourceType": "trainedAlgorithmicMedia", "seed": "7", "index": "0", "model": "0123abcd"}
ODD_NOTE = {"creatorTool": 'a "quoted" <tag> & more\nthan one line', "index": "Žluťoučký \U0001f600", "seed": ""}
EXHIBITS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/svg+xml": b"<", "audio/wav": b"RIFF", "text/plain": b""}


def check_writes_every_format(case: KindCase) -> None:
    """Each format gives bytes, the same ones each time; only a format for many takes many objects."""
    for form in case.kind.formats:
        objects = case.objects[:5] if form.many else case.objects[:1]
        first = written(case, objects, form)
        assert first, f"{form.suffix}: nothing was written"
        assert first == written(case, objects, form), f"{form.suffix}: the second time other bytes were written"
        if not form.many:
            several = partial(written, case, case.objects[:2], form)
            refuses(several, f"two objects in one {form.suffix}", kinds=(InputError,))


def check_films_can_be_watched(case: KindCase) -> None:
    """A kind with a film format puts objects side by side as one object; one alone is itself."""
    films = [form for form in case.kind.formats if form.rate]
    if not films:
        return
    assert all(form.many for form in films), "a film holds many objects"
    kind: object = case.kind
    assert isinstance(kind, Filmed), "a kind with a film format has tiles and mosaic"
    first = case.objects[0]
    assert kind.tiles(first) >= 1, f"{kind.tiles(first)} objects go side by side"
    assert names(case, [kind.mosaic([first])]) == names(case, [first]), "one object alone is another one"
    frames = [kind.mosaic(case.objects[start : start + 4]) for start in (0, 4)]
    assert names(case, frames[:1]) != names(case, [first]), "several objects side by side are the first one"
    assert written(case, frames, films[0]), "such frames make no film"


def check_refuses_unknown_formats(case: KindCase) -> None:
    """A format that the kind does not write is refused in a sentence."""
    form = Format(suffix="unheard-of", media_type="text/plain")
    refuses(partial(written, case, case.objects[:1], form), "the format unheard-of", kinds=(InputError,))


def check_notes_do_no_harm(case: KindCase) -> None:
    """A note goes into the file or is left out: the object in it stays the same, whatever the note says."""
    for form in case.kind.formats:
        objects = case.objects[:3] if form.many else case.objects[:1]
        plain = read_back(case, written(case, objects, form), form)
        for note in (NOTE, ODD_NOTE):
            noted = read_back(case, written(case, objects, form, note), form)
            assert names(case, noted) == names(case, plain), f"{form.suffix}: the note changed the object"


def check_default_format_loses_nothing(case: KindCase) -> None:
    """What is written in the kind's first format is read back as the same object, by its name."""
    form = case.kind.formats[0]
    for number in range(min(5, len(case.objects))):
        one = case.objects[number : number + 1]
        found = read_back(case, written(case, one, form, NOTE), form)
        assert len(found) == 1, f"{form.suffix}: {len(found)} objects were read back, not 1"
        assert names(case, found) == names(case, one), f"{form.suffix}: another object was read back"


def check_every_format_is_read_back(case: KindCase) -> None:
    """A file of any format that the kind recognises, but a film, holds as many objects as were written."""
    for form in (form for form in case.kind.formats if not form.rate):
        objects = case.objects[:4] if form.many else case.objects[:1]
        path = case.folder() / f"file.{form.suffix.lstrip('.')}"
        path.write_bytes(written(case, objects, form))
        if case.kind.recognise(path) > 0:
            found = [item for item in case.kind.read(path, case.options) if isinstance(item, Example)]
            assert len(found) == len(objects), f"{form.suffix}: {len(found)} of {len(objects)} were read back"


def written(case: KindCase, objects: Sequence[Any], form: Format, note: Mapping[str, str] | None = None) -> bytes:
    """The bytes of one file."""
    file = io.BytesIO()
    case.kind.write(objects, file, form.suffix.lstrip("."), note or {})
    return file.getvalue()


def read_back(case: KindCase, data: bytes, form: Format) -> list[Any]:
    """The objects in a file of these bytes; none where the kind does not read the format."""
    path = Path(case.folder(), f"file.{form.suffix.lstrip('.')}")
    path.write_bytes(data)
    if case.kind.recognise(path) == 0:
        assert form is not case.kind.formats[0], f"the kind does not recognise its own {form.suffix}"
        return []
    read = islice(case.kind.read(path, case.options), 100)
    return [item.object for item in read if isinstance(item, Example)]


def names(case: KindCase, objects: Sequence[Any]) -> list[str]:
    """What each object is, whatever file it stands in."""
    return [case.kind.identify(obj) for obj in objects]


def check_identify_names_the_object(case: KindCase) -> None:
    """The name of an object is a string that depends on what it is: equal for equal ones, else another."""
    first = names(case, case.objects)
    assert all(isinstance(name, str) for name in first), "identify gives a string"
    assert all(first), "identify gives a string that is not empty"
    assert names(case, case.objects) == first, "the second time an object has another name"
    again = case.codec.decode(case.codec.to_space(case.arrays))
    assert names(case, again) == first, "an equal object has another name"
    different = {row.tobytes() for row in np.asarray(case.arrays["x"])}
    assert len(set(first)) >= len(different), "different objects have the same name"


def check_carrier_goes_in_and_out(case: KindCase) -> None:
    """Pixels for a watermark are bytes (H, W, C); other pixels put in come out again. A kind may carry none."""
    for obj in case.objects[:2]:
        pixels = case.kind.carrier(obj)
        if pixels is None:
            continue
        assert pixels.ndim == 3, f"carrier gives (H, W, C), not {pixels.shape}"
        assert pixels.dtype == np.uint8, f"carrier gives bytes, not {pixels.dtype}"
        assert case.kind.identify(case.kind.with_carrier(obj, pixels)) == case.kind.identify(obj), (
            "the same pixels put in make another object"
        )
        other = np.ascontiguousarray(255 - pixels)
        back = case.kind.carrier(case.kind.with_carrier(obj, other))
        assert back is not None, "an object with other pixels carries none"
        assert (back == other).all(), "other pixels than those put in come out"


def check_draw_shows_objects(case: KindCase) -> None:
    """An exhibit is PNG, SVG, WAV or text, the same each time, for one object and for many."""
    for count in (1, 2, len(case.objects)):
        exhibit = case.kind.draw(case.objects[:count])
        assert isinstance(exhibit, Exhibit), f"draw gives a {type(exhibit).__name__}, not an Exhibit"
        assert exhibit.media_type in EXHIBITS, f"nobody can look at {exhibit.media_type}"
        assert exhibit.data, "the exhibit is empty"
        assert exhibit.data.lstrip().startswith(EXHIBITS[exhibit.media_type]), "the bytes are of another type"
        assert case.kind.draw(case.objects[:count]) == exhibit, "the second exhibit is another one"


def check_real_examples_are_sound(case: KindCase) -> None:
    """Nothing is wrong with real examples, and something is with an object of another kind."""
    for example, obj in zip(case.examples, case.objects, strict=True):
        problems = case.kind.check(obj)
        assert isinstance(problems, list), f"check gives a list, not a {type(problems).__name__}"
        assert not problems, f"{example.name} is a real example, but {'; '.join(problems)}"
    problems = case.kind.check(object())
    assert problems, "check finds nothing wrong with a bare object()"
    assert all(isinstance(problem, str) for problem in problems), "a problem is a sentence"


def check_features_are_numbers(case: KindCase) -> None:
    """Features are (N, F) finite floats, one row an object, whatever stands beside it."""
    features = case.kind.fit_features(iter(case.examples), case.plan)
    found = features(case.objects)
    assert found.ndim == 2, f"features are (N, F), not {found.shape}"
    assert found.shape[0] == len(case.objects), f"{found.shape[0]} rows for {len(case.objects)} objects"
    assert found.shape[1] > 0, "there are no features"
    assert found.dtype.kind == "f", f"features are floats, not {found.dtype}"
    assert np.isfinite(found).all(), "a feature is not finite"
    alone = np.concatenate([features(case.objects[:3]), features(case.objects[3:10])])
    assert np.allclose(alone, found[:10], 1e-4, 1e-4), "an object's features depend on those around it"
    real = features([example.object for example in case.examples])
    assert real.shape == found.shape, "the examples as they were read have no features"


def check_encoder_says_what_it_is(case: KindCase) -> None:
    """A report's features are (N, F) finite floats, the same each time, and say in words what they are worth."""
    cut = len(case.examples) * 2 // 3
    parts = case.examples[:cut], case.examples[cut:]
    encoder, again = (case.kind.fit_encoder(*parts, case.plan) for _ in range(2))
    found = encoder(case.objects)
    assert found.shape[:1] == (len(case.objects),), f"{found.shape[0]} rows for {len(case.objects)} objects"
    assert found.ndim == 2, f"an encoder's features are (N, F), not {found.shape}"
    assert found.dtype.kind == "f", f"an encoder's features are floats, not {found.dtype}"
    assert np.isfinite(found).all(), "an encoder's feature is not finite"
    assert np.array_equal(again(case.objects), found), "the second encoder gives other features"
    about = getattr(encoder, "about", None)
    assert isinstance(about, str), "an encoder has a text about itself"
    assert len(about.split()) > 5, "an encoder says about itself what its numbers are worth"
    assert about == again.about, "the second encoder says something else"
    assert not unsafe_files(_saved(encoder, case.folder())), "an encoder saves JSON and safetensors"


def _saved(features: Features, folder: Path) -> Path:
    features.save(folder)
    return folder


def check_features_are_kept(case: KindCase) -> None:
    """Saved and loaded features are equal, in JSON and safetensors, without pickle; damage is refused."""
    features, folder = case.kind.fit_features(iter(case.examples), case.plan), case.folder()
    features.save(folder)
    unsafe = unsafe_files(folder)
    assert not unsafe, f"neither JSON nor safetensors: {', '.join(unsafe)}"
    with watched() as events:
        loaded = case.kind.load_features(folder)
    assert not events, f"loading features does {', '.join(events)}"
    assert np.array_equal(loaded(case.objects), features(case.objects)), "loaded features are others"
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        path.write_bytes(path.read_bytes()[:-2])
        refuses(partial(case.kind.load_features, folder), f"{path.name}, cut,", kinds=(InputError,))
        break


CHECKS = (
    check_writes_every_format,
    check_films_can_be_watched,
    check_refuses_unknown_formats,
    check_notes_do_no_harm,
    check_default_format_loses_nothing,
    check_every_format_is_read_back,
    check_identify_names_the_object,
    check_carrier_goes_in_and_out,
    check_draw_shows_objects,
    check_real_examples_are_sound,
    check_features_are_numbers,
    check_encoder_says_what_it_is,
    check_features_are_kept,
)
