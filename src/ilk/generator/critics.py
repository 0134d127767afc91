"""A model's critic: where kind, codec and engine meet the network of ``ilk.judge.critic``.

It is fitted when the learning is over, on real examples and fresh samples that went through the same
codec and the same files: a third of both is written and read back in each format of the kind, so that
"was a JPEG" is nothing that the network could learn. Then it ranks (``BestOf``) and gives opinions on
files (``origin.py``). It never grades a report.
"""

from __future__ import annotations

import functools
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.core.errors import Code, FolderError, IlkError, InputError, MachineError
from ilk.core.folder import pack, unpack
from ilk.core.offers import Brief, Opinionated
from ilk.core.plan import Plan
from ilk.core.protocol import Array, Arrays, Codec, Condition, Data, Example, Features, Given, Kind, Levels, Number
from ilk.core.rows import join, pick
from ilk.core.samples import whole
from ilk.core.seeds import stream
from ilk.core.sequences import Guide
from ilk.generator.drawing import draw_rows
from ilk.generator.guiding import finished, guided
from ilk.judge import critic as network

if TYPE_CHECKING:
    from ilk.generator.model import Model

CRITIC, FEATURES = "critic.safetensors", "features/"
SHARE, MOST_SECONDS = 0.06, 30.0  # of a fit's seconds
LEAST_SECONDS = 0.3  # what the smallest critic takes, of looks that are not dear
LOOKING = 0.65  # of these, for looking at examples; the rest is for learning from them
MOST = 2_000  # examples of each sort
STEPS_LEAST, STEPS_MOST = 256, 1_000  # the same for a fit by steps, whose bits must not depend on the clock
CHUNK = 128  # objects looked at together, at most
FEWEST = 8  # examples; a critic of fewer says nothing
SEED = 2**40  # of the samples that it learns from: none that a user types or is given
MOST_CANDIDATES = 1_000
NO_CRITIC = (
    "{name} has no critic: it was fitted by an earlier ilk, on too few examples or in too little time;"
    " fit it anew, or go on with it by --resume."
)
TOGETHER = 1_024  # candidates held in memory


class ModelCritic:
    """The critic of one model: the network and the kind's features that it was fitted with."""

    def __init__(self, judge: network.Critic, features: Features) -> None:
        self.judge, self.features = judge, features

    def realness(self, model: Model, objects: Sequence[Any], first: int = 0) -> Array:
        """(N,) the probability that each object is real; see :func:`look` for ``first``."""
        return self.judge.realness(look(model, self.features, objects, first))

    @functools.cached_property
    def files(self) -> dict[str, bytes]:
        """Its part of the model folder; made once, since features only know how to save themselves to a disk."""
        with tempfile.TemporaryDirectory(prefix="ilk-") as name:
            self.features.save(Path(name))
            found = sorted(path for path in Path(name).rglob("*") if path.is_file())
            saved = {FEATURES + path.relative_to(name).as_posix(): path.read_bytes() for path in found}
        return {CRITIC: pack(self.judge.arrays()), **saved}


def load_critic(kind: Kind, files: Mapping[str, bytes], where: Path) -> ModelCritic | None:
    """The critic in a model folder's checked files, None where there is none.

    Raises:
        FolderError: it is damaged.
        MachineError: there is no room for temporary files.
    """
    if CRITIC not in files:
        return None
    try:
        judge = network.load(unpack(files[CRITIC], str(where / CRITIC)))
    except FolderError as error:
        raise FolderError(error.code, f"{where / CRITIC}: {error.sentence}") from None
    try:
        with tempfile.TemporaryDirectory(prefix="ilk-") as folder:
            for name in (name for name in files if name.startswith(FEATURES)):
                target = Path(folder, *PurePosixPath(name).parts[1:])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(files[name])
            return ModelCritic(judge, kind.load_features(Path(folder)))
    except OSError as error:
        sentence = f"The disk is full or has no room for temporary files ({error.strerror}): {where} cannot be opened."
        raise MachineError(Code.DISK_FULL, sentence) from None


def look(model: Model, features: Features, objects: Sequence[Any], first: int = 0) -> Array:
    """(N, F) float32: what the network sees of objects, samples and what was read from files alike.

    All pass through the codec first. What a label would say is left out: a file has none.

    Args:
        model: its codec and engine.
        features: the kind's.
        objects: N of them.
        first: the number of the first one. Sums depend on the shape of a batch, so object i is always looked
            at in place i of a whole chunk, counted around, whatever else is looked at.
    """
    parts, chunk = [], _chunk(model)
    begin = -(first % chunk)
    for start in range(begin, len(objects), chunk):
        places = np.clip(np.arange(start, start + chunk), 0, len(objects) - 1)
        numbers = _look(model, features, [objects[place] for place in places])
        parts.append(numbers[max(0, -start) : len(objects) - start])
    return np.concatenate(parts)


def _chunk(model: Model) -> int:
    return min(CHUNK, model.engine.together) if isinstance(model.engine, Brief) else CHUNK


def _look(model: Model, features: Features, objects: Sequence[Any]) -> Array:
    arrays = encoded(model.codec, objects)
    if isinstance(model.engine, Brief):
        arrays = model.engine.beginning(arrays)
    seen = model.codec.decode(arrays)
    parts = [np.asarray(features(seen), np.float32)]
    if isinstance(model.engine, Opinionated):
        parts += [model.engine.represent(arrays), model.engine.opinion(arrays)[:, None]]
    return np.nan_to_num(np.concatenate(parts, axis=1), posinf=0.0, neginf=0.0).astype(np.float32)


def encoded(codec: Codec, objects: Sequence[Any]) -> Arrays:
    """Objects in terms of the Space, without what only a label could tell.

    Raises:
        UnreadableError: one cannot be decoded.
    """
    any_given = {name: _any_value(condition) for name, condition in codec.conditions.items()}
    stored = codec.encode([Example(object=obj, given=any_given) for obj in objects])
    labels = codec.encode_given({}, 1).labels
    return codec.to_space({name: array for name, array in stored.items() if name not in labels})


def _any_value(condition: Condition) -> Any:
    """A value that a condition takes; which one does not matter."""
    if isinstance(condition, Levels):
        return condition.names[0]
    return condition.low if isinstance(condition, Number) else ""


def critic_seconds(plan: Plan, before: float = 0.0) -> float | None:
    """Seconds that a fit keeps for its critic; None where it counts steps. ``before``: seconds of earlier sittings."""
    return None if plan.seconds is None else min(MOST_SECONDS, SHARE * max(0.0, plan.seconds - before))


def fit_critic(model: Model, train: Data, holdout: Data, seconds: float | None) -> ModelCritic | None:
    """Fit a model's critic; None with too few examples or too little time.

    Args:
        model: the fitted model.
        train: what it learned from; the network learns from these too.
        holdout: what nothing learned from; the probabilities and error rates come from these.
        seconds: how long it may take, see :func:`critic_seconds`. Without a limit the clock decides nothing.
    """
    began, plan = time.monotonic(), model.header.plan
    chunk = _chunk(model)
    if len(train) < FEWEST or (seconds is not None and seconds < LEAST_SECONDS * CHUNK / chunk):
        return None
    most = MOST if seconds is not None else min(STEPS_MOST, max(STEPS_LEAST, plan.steps or 0))
    ends = None if seconds is None else began + LOOKING * seconds
    turn = {"train": _order(train, plan.seed, "train", most), "holdout": _order(holdout, plan.seed, "holdout", most)}
    learn = min(most, len(turn["train"]))
    first = model.codec.decode(train.take(np.sort(turn["train"][:most])))
    features = model.kind.fit_features((Example(object=obj) for obj in first), plan)
    seen: dict[str, list[Array]] = {"real": [], "made": [], "held_real": [], "held_made": []}
    for start in range(0, learn, chunk):
        if start and ends is not None and time.monotonic() > ends:
            break
        here = slice(start, min(start + chunk, learn))
        seen["real"].append(_real(model, features, train, turn["train"][here]))
        seen["made"].append(_made(model, features, 2 * start, here.stop - start))
        rows = turn["holdout"][here]
        if len(rows):
            seen["held_real"].append(_real(model, features, holdout, rows))
            seen["held_made"].append(_made(model, features, 2 * start + chunk, len(rows)))
    width = seen["real"][0].shape[1]
    real, made, held_real, held_made = (
        np.concatenate([np.zeros((0, width), np.float32), *parts]) for parts in seen.values()
    )
    return ModelCritic(network.fit(real, made, held_real, held_made, plan.seed), features)


def _order(data: Data, seed: int, name: str, most: int) -> Array:
    return stream(seed, "critic", name).permutation(len(data))[:most]


def _real(model: Model, features: Features, data: Data, rows: Array) -> Array:
    return _through_files(model, features, model.codec.decode(data.take(rows)))


def _made(model: Model, features: Features, first: int, count: int) -> Array:
    _, settings = model.sample_settings(model.engine.glance if isinstance(model.engine, Brief) else {})
    return _through_files(model, features, model.draw(first, first + count, {}, SEED, settings))


def _through_files(model: Model, features: Features, objects: Sequence[Any]) -> Array:
    with written(model, objects) as read:
        return look(model, features, read)


@contextmanager
def written(model: Model, objects: Sequence[Any]) -> Iterator[list[Any]]:
    """The objects as they come back from files, each in one of the kind's formats, in turn.

    The kind's first format loses nothing (``ilk.testing`` holds it to that), so it needs no file. Formats
    for many objects are left out: what they lose, they lose of all alike.
    """
    forms = [form for form in model.kind.formats if form.one and not form.rate]
    options = model.options
    with tempfile.TemporaryDirectory(prefix="ilk-") as folder:
        out = []
        for place, obj in enumerate(objects):
            turn = place % max(1, len(forms))
            back = obj
            if turn:
                path = Path(folder, f"{place}.{forms[turn].suffix}")
                with path.open("wb") as file:
                    model.kind.write([obj], file, forms[turn].suffix, {})
                back = first_object(model.kind, options, path, obj)
            out.append(back)
        yield out


def first_object(kind: Kind, options: Any, path: Path, other: Any = None) -> Any:
    """The first object in a file, ``other`` where there is none that can be read."""
    try:
        return next((item.object for item in kind.read(str(path), options) if isinstance(item, Example)), other)
    except IlkError:
        return other


class BestOf:
    """Samples that are each the critic's favourite of K candidates.

    Candidate j of sample i is row ``i * K + j`` of the same stream. What the engine draws beside ``x`` for the
    first candidate (its label) is asked of the others too, so that no class gets rarer because the critic
    likes it less. So sample i is a function of model, settings, seed, K and i.
    """

    def __init__(
        self,
        model: Model,
        given: Mapping[str, Any],
        seed: int,
        settings: Any,
        candidates: int,
        guide: Guide | None = None,
    ) -> None:
        """Keep what the samples depend on.

        Raises:
            InputError: the model has no critic.
        """
        if model.critic is None:
            raise InputError(Code.OPTION, NO_CRITIC.format(name=model.name))
        self._critic: ModelCritic = model.critic
        self._model, self._given, self._seed, self._settings, self._k = model, given, seed, settings, candidates
        self._guide, self._scores = guide, dict[int, float]()

    def __call__(self, start: int, stop: int) -> Sequence[Any]:
        """Samples ``start`` to ``stop`` as objects of the kind."""
        step = max(1, TOGETHER // self._k)
        parts = [self._best(first, min(first + step, stop)) for first in range(start, stop, step)]
        return finished(self._model.codec.decode(join(parts)), self._guide)

    def scores(self, count: int) -> list[float]:
        """The realness of the first ``count`` samples; those not made yet are made."""
        for start in range(0, count, TOGETHER):
            if any(place not in self._scores for place in range(start, min(start + TOGETHER, count))):
                self(start, min(start + TOGETHER, count))
        return [self._scores[place] for place in range(count)]

    def _best(self, start: int, stop: int) -> Arrays:
        k, count, model = self._k, stop - start, self._model
        rows = np.arange(start * k, stop * k)
        samples = np.repeat(np.arange(start, stop), k)
        arrays = draw_rows(model, rows, self._asked(start, stop), self._seed, self._settings, samples)
        made = finished(model.codec.decode(arrays), self._guide)
        score_NK = self._critic.realness(model, made, start * k).reshape(count, k)
        best_N = score_NK.argmax(axis=1)
        self._scores |= dict(zip(range(start, stop), score_NK.max(axis=1).tolist(), strict=True))
        return pick(arrays, np.arange(count) * k + best_N)

    def _asked(self, start: int, stop: int) -> Given:
        """Conditions of all candidates: the first one's labels for its rivals."""
        k, codec = self._k, self._model.codec
        samples = np.arange(start, stop)
        asked = guided(codec, self._given, np.repeat(samples, k), self._guide)
        if not asked.labels:
            return asked
        wanted = guided(codec, self._given, samples, self._guide)
        drawn = self._model.engine.sample(samples * k, wanted, self._seed, self._settings)
        fixed = {name: np.repeat(array, k, axis=0) for name, array in drawn.items() if name in asked.labels}
        asked.labels = {**asked.labels, **fixed}
        return asked


def check_candidates(value: Any) -> int:
    """A number of candidates a sample.

    Raises:
        InputError: it is no whole number from 1 to 1,000.
    """
    number = whole(value)
    if number is None or not 1 <= number <= MOST_CANDIDATES:
        raise InputError(Code.COUNT, f"best-of takes a whole number from 1 to {MOST_CANDIDATES:,}, not {value}.")
    return number


def opinions(model: Model, paths: Sequence[Path]) -> Iterator[tuple[Path, float | None]]:
    """Files and the probability that each is real; None where a file is not one object of the model's kind."""
    options = model.options
    for start in range(0, len(paths), CHUNK):
        part = paths[start : start + CHUNK]
        found = [(path, obj) for path in part if (obj := only_object(model.kind, options, path)) is not None]
        good = []
        for path, obj in found:
            try:
                encoded(model.codec, [obj])
            except IlkError:
                continue
            good.append((path, obj))
        real = model.critic.realness(model, [obj for _, obj in good]).tolist() if good and model.critic else []
        known = dict(zip([path for path, _ in good], real, strict=True))
        yield from ((path, known.get(path)) for path in part)


def only_object(kind: Kind, options: Any, path: Path) -> Any:
    """The object in a file, None where it holds none or many, or is of another kind."""
    try:
        if kind.recognise(str(path)) <= 0:
            return None
        items = list(islice(kind.read(str(path), options), 2))
    except IlkError:
        return None
    return items[0].object if len(items) == 1 and isinstance(items[0], Example) else None
