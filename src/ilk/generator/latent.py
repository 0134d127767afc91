"""Samples by their place in the latent space: like a given object, between two, on a walk.

Here objects meet the noise vectors of an engine that is :class:`ilk.core.offers.Latent`. A given object is either
a sample of this model, whose vector is known exactly, or anything else of the kind, which is *projected*: its
nearest vector is looked for. What is done with vectors after that is in ``paths.py``; how the engine finds and
renders them is its own business.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ilk.core import events
from ilk.core.conditions import check_given
from ilk.core.errors import Code, InputError
from ilk.core.folder import read_header
from ilk.core.offers import Filmed, Latent
from ilk.core.protocol import Array, Example, Format, Given, Kind, Problem
from ilk.core.samples import KEEP, Samples
from ilk.core.seeds import fresh_seed
from ilk.engines.common.inputs import count_classes
from ilk.generator import paths
from ilk.generator.model import Model
from ilk.generator.origin import Recall, recall
from ilk.generator.output import save_samples
from ilk.generator.paths import Point, Track

if TYPE_CHECKING:
    from ilk.generator.estimator import Generator

CHUNK = 256  # rows rendered together
FRAMES = 10  # frames of a film rendered together
LONGEST = 3600.0  # seconds of a walk


class Asked(NamedTuple):
    """What is asked for beside the place: conditions, options, the seed, and who listens."""

    given: Mapping[str, Any]
    options: Mapping[str, Any]
    seed: int
    on: events.Sink = events.ignore


class Wanted(NamedTuple):
    """The same before it is known whether a recalled call fills in what is missing."""

    given: Mapping[str, Any]
    options: Mapping[str, Any]
    seed: int | None
    candidates: int
    on: events.Sink


def from_latent(generator: Generator, count: int, source: Any, ends: Any, wanted: Wanted) -> Samples:
    """``Generator.sample`` with ``like`` or ``between``.

    Raises:
        InputError: both, or with ``best_of``; else as :func:`like` and :func:`between`.
    """
    model = generator.model_
    if source is not None and ends is not None:
        raise InputError(Code.OPTION, "--like and --between do not go together; choose one.")
    asked = Asked(wanted.given, wanted.options, fresh_seed() if wanted.seed is None else wanted.seed, wanted.on)
    past, why = find_past(model, source)
    if past is not None and past.latent is None:
        given, options = {**past.given, **wanted.given}, {**past.options, **wanted.options}
        if wanted.candidates > 1:
            options["best_of"] = wanted.candidates
        seed = past.seed if wanted.seed is None else wanted.seed
        return generator.sample(count, given=given, seed=seed, **options)
    if wanted.candidates > 1:
        sentence = "--best-of chooses among random samples; leave it out with --between or with a file of your own."
        raise InputError(Code.OPTION, sentence)
    if past is not None:
        seed = past.seed if wanted.seed is None else wanted.seed
        return _again(model, past, count, Asked(past.given, {**past.options, **wanted.options}, seed, wanted.on))
    return like(model, count, source, asked, why) if ends is None else between(model, count, ends, asked)


def film(
    model: Model,
    seconds: float,
    seed: int,
    *,
    given: Mapping[str, Any] | None = None,
    format: str | None = None,
    tiles: int | None = None,
    **options: Any,
) -> Samples:
    """``Generator.walk``: see :func:`walk`.

    Raises:
        InputError: no such film format; else as :func:`walk`.
    """
    engine_of(model, "--walk")
    asked = Asked(check_given(given or {}, model.codec.conditions), options, seed)
    _settings(model, asked)
    return walk(model, seconds, film_format(model.kind, format), asked, tiles)


def like(model: Model, count: int, source: Any, asked: Asked, why: str = "") -> Samples:
    """The object's nearest row first, then its neighbours; temperature 0.5 stays nearer, 2 goes further.

    Args:
        model: one whose engine has a latent space.
        count: how many.
        source: a path, or an object of the kind.
        asked: seed, conditions and options.
        why: the reason why it is no sample of this model, to be told.

    Raises:
        InputError: the engine has no latent space, or the source is no readable object of the kind.
    """
    engine_of(model, "--like with a file that is no sample of this model")
    return _along(model, _track(model, "near", [_projected(model, source, asked, why)], count, asked), asked)


def between(model: Model, count: int, sources: Sequence[Any], asked: Asked) -> Samples:
    """``count`` steps from one object to another, both ends included.

    Raises:
        InputError: as :func:`like`, or there are not two ends or steps.
    """
    engine_of(model, "--between")
    if len(sources) != 2:
        raise InputError(Code.OPTION, f"--between takes two files, not {len(sources)}.")
    if count < 2:
        raise InputError(Code.COUNT, f"--between takes at least 2 steps, its two ends, not {count}.")
    points = [_located(model, source, asked) for source in sources]
    return _along(model, _track(model, "between", points, count, asked), asked)


def walk(model: Model, seconds: float, form: Format, asked: Asked, tiles: int | None = None) -> Samples:
    """The frames of a film: a few samples side by side that change slowly and end where they began.

    Args:
        model: one whose engine has a latent space and whose kind can be watched.
        seconds: how long.
        form: the format that it is for; its rate says how many frames that makes.
        asked: seed, conditions and options.
        tiles: how many samples side by side; the kind's choice by default.

    Raises:
        InputError: the model has no latent space or no films, or the seconds are out of range.
    """
    engine = engine_of(model, "--walk")
    if not math.isfinite(seconds) or not 0 < seconds <= LONGEST:
        raise InputError(Code.COUNT, f"--walk takes seconds, more than 0 and at most {LONGEST:,.0f}, not {seconds:g}.")
    kind: Any = model.kind
    if not isinstance(kind, Filmed):
        raise InputError(Code.OPTION, f"--walk makes films, and the kind {kind.name} has none.")
    settings = _settings(model, asked)
    tiles = tiles or kind.tiles(model.draw(0, 1, asked.given, asked.seed, settings)[0])
    loops = [
        paths.Loop(asked.seed, tile, seconds, _size(engine, settings), getattr(settings, "temperature", 1.0))
        for tile in range(tiles)
    ]
    labels = _labels(model, np.arange(tiles), asked, settings)

    def make(start: int, stop: int) -> list[Any]:
        times = np.arange(start, stop) / form.rate
        z_FTL = np.stack([loop(times) for loop in loops], axis=1)
        given = Given(labels={name: np.tile(array, stop - start) for name, array in labels.items()})
        objects = model.codec.decode(engine.render(z_FTL.reshape(-1, z_FTL.shape[2]), given, settings))
        return [kind.mosaic(objects[place : place + tiles]) for place in range(0, len(objects), tiles)]

    recipe = {"form": "walk", "seconds": seconds, "tiles": tiles}
    return _samples(model, max(2, round(seconds * form.rate)), make, recipe, asked, frames=True)


def find_past(model: Model, source: Any) -> tuple[Recall | None, str]:
    """The call that made a file, where it is a sample of the model; else None, and the reason in words.

    Raises:
        InputError: the file does not exist.
    """
    if not isinstance(source, str | Path):
        return None, ""
    try:
        past = recall(Path(source), model.path)
    except InputError as error:
        if error.code != Code.RECALL:
            raise
        return None, error.sentence.rstrip(".")
    if read_header(past.model).fingerprint != model.header.fingerprint:
        return None, f"{source} was made by another model"
    return past, ""


def engine_of(model: Model, what: str) -> Latent:
    """The engine, as one with a latent space.

    Raises:
        InputError: it has none.
    """
    if not isinstance(model.engine, Latent):
        sentence = f"{what} needs a model with a latent space, and the engine {model.header.engine} has none."
        raise InputError(Code.OPTION, sentence)
    return model.engine


def film_format(kind: Kind, name: str | None) -> Format:
    """The film format of a name or suffix; the kind's first one for None.

    Raises:
        InputError: the kind has no films, or none of this name.
    """
    films = [form for form in kind.formats if form.rate]
    if not films:
        raise InputError(Code.OPTION, f"--walk makes films, and the kind {kind.name} has none.")
    found = films if name is None else [form for form in films if form.suffix == name.lower().lstrip(".")]
    if not found:
        names = " or ".join(f".{form.suffix}" for form in films)
        raise InputError(Code.OUTPUT, f'A walk is a film: name a file that ends in {names}, not "{name}".')
    return found[0]


def _settings(model: Model, asked: Asked) -> Any:
    return model.sample_settings(asked.options)[1]


def _size(engine: Latent, settings: Any) -> int:
    return int(engine.latents(np.zeros(1, dtype=np.int64), 0, settings).shape[1])


def _labels(model: Model, indices: Array, asked: Asked, settings: Any) -> dict[str, Array]:
    """The labels that samples have, drawn where they are left open."""
    given = model.codec.encode_given(asked.given, len(indices))
    arrays = model.engine.sample(indices, given, asked.seed, settings)
    return {name: array for name, array in arrays.items() if name in given.labels}


def _track(model: Model, form: str, points: list[Point], count: int, asked: Asked) -> Track:
    levels = count_classes(model.codec.conditions)
    spread = getattr(_settings(model, asked), "temperature", 1.0)
    return Track(form, points, count, asked.seed, spread, levels)


def _again(model: Model, past: Recall, count: int, asked: Asked) -> Samples:
    """Samples as a recalled call made them from the latent space."""
    recipe = past.latent or {}
    if recipe.get("form") == "walk":
        form = film_format(model.kind, None)
        return walk(model, float(recipe["seconds"]), form, asked, int(recipe["tiles"]))
    return _along(model, _remembered(model, past, count, asked), asked)


def _remembered(model: Model, past: Recall, count: int, asked: Asked) -> Track:
    """The track of a recalled call."""
    recipe = past.latent or {}
    points = paths.read_points(recipe)
    if not points:
        raise InputError(Code.RECALL, "What this machine remembers of that call cannot be read.")
    return _track(model, str(recipe["form"]), points, count, asked)


def _along(model: Model, track: Track, asked: Asked) -> Samples:
    """The samples at a track's places."""
    engine, settings = engine_of(model, "--like"), _settings(model, asked)

    def make(start: int, stop: int) -> Sequence[Any]:
        z_NL, labels = track.at(np.arange(start, stop))
        return model.codec.decode(engine.render(z_NL, Given(labels=labels), settings))

    return _samples(model, track.places, make, track.recipe(), asked)


def _samples(
    model: Model, count: int, make: Any, recipe: Mapping[str, Any], asked: Asked, *, frames: bool = False
) -> Samples:
    return Samples(
        count,
        asked.seed,
        make=make,
        chunk=FRAMES if frames else CHUNK,
        draw=model.kind.draw,
        save=lambda samples, path, format_, unsealed, one_file: save_samples(
            model,
            samples,
            path,
            format_,
            unsealed=unsealed,
            one_file=one_file,
            given=asked.given,
            options=asked.options,
            latent=recipe,
        ),
        keep=0 if frames else KEEP,
    )


def _located(model: Model, source: Any, asked: Asked) -> Point:
    """The exact place of a sample of this model, the nearest place of anything else."""
    past, why = find_past(model, source)
    if past is None or past.index is None or past.options.get("best_of"):
        return _projected(model, source, asked, why)
    given = check_given(past.given, model.codec.conditions)
    at = Asked(given, past.options, past.seed)
    settings, index = _settings(model, at), np.array([past.index])
    if past.latent is None:
        z_NL = engine_of(model, "--between").latents(index, past.seed, settings)
        return Point(z_NL[0], _labels(model, index, at, settings))
    z_NL, labels = _remembered(model, past, past.count, at).at(index)
    return Point(z_NL[0], labels)


def _projected(model: Model, source: Any, asked: Asked, why: str) -> Point:
    """The place whose row comes nearest to an object."""
    obj = _only(model, source)
    if why:
        asked.on(events.Note(says=f"{why}; so its nearest place in the latent space is looked for"))
    arrays = model.codec.to_space(model.codec.encode([Example(object=obj, given=dict(asked.given))]))
    what = "looking for the nearest place in the latent space"

    def on(progress: float) -> None:
        asked.on(events.Stage(says=what, done=round(100 * progress), of=100))

    z_NL, given = engine_of(model, "--like").project(arrays, asked.seed, on)
    return Point(z_NL[0], given.labels)


def _only(model: Model, source: Any) -> Any:
    """The one object that a source holds.

    Raises:
        InputError: it cannot be read, or holds none or several.
    """
    is_path = isinstance(source, str | Path)
    items = list(islice(model.kind.read(str(source) if is_path else [source], model.options), 2))
    if len(items) != 1:
        raise InputError(Code.SOURCE_UNKNOWN, f"{source} holds {'several' if items else 'no'} examples; name one file.")
    item = items[0]
    if isinstance(item, Problem):
        raise InputError(Code.UNREADABLE, f"{source} cannot be read: {item.reason}.")
    return item.object
