"""The real examples behind a report, found again: training data, holdout, and what a model is held against.

A model folder holds no example. ``state/source.json`` tells where they lay; the fingerprint tells
whether they are still the same; the split is a function of the seed. All of them go through the
model's codec, as its samples do: a judge must never tell real from made by their files. Nothing here
draws a sample or computes a number.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ilk.core import events
from ilk.core.config import convert
from ilk.core.data import MappedData, Prepared
from ilk.core.errors import Code, InputError
from ilk.core.folder import HEADER, open_model
from ilk.core.protocol import LABEL, Array, Arrays, Example, Levels
from ilk.core.registry import recognise
from ilk.core.seeds import stream
from ilk.generator import fitting
from ilk.generator.model import Model

MOST = 40_000  # training examples that a report looks at
MOST_HELD = 4_000
VALUES = 2**28  # numbers of decoded rows that are in memory at once
USUAL_HOLDOUT = 0.1  # what a fit keeps from learning, unless it is told otherwise
_CHUNK = 1024


class Classes(NamedTuple):
    """The one condition that parts examples into classes."""

    condition: str
    names: tuple[str, ...]
    array: str  # what the data call its numbers: ``label``

    def of(self, arrays: Arrays) -> Array:
        """The name of each row's class (N,); empty where it is unknown."""
        names = np.array([*self.names, ""], dtype=object)
        return names[np.asarray(arrays[self.array], dtype=np.int64)]


class Examples(NamedTuple):
    """Real examples as objects of the kind, through the codec and back."""

    objects: Sequence[Any]
    classes: Array | None
    opinions: Array | None = None  # of the model's own critic, where it is there
    names: tuple[str, ...] = ()

    def listed(self, classes: Classes | None) -> list[Example]:
        """The same as examples, for an encoder that is fitted to them."""
        if classes is None or self.classes is None:
            return [Example(object=item) for item in self.objects]
        return [
            Example(object=item, given={classes.condition: name} if name else {})
            for item, name in zip(self.objects, self.classes, strict=True)
        ]


NOTHING = Examples((), None)


class Found(NamedTuple):
    """What was found: both sets, what a reader should know of them, and why there are no training examples."""

    train: Examples
    holdout: Examples
    skipped: tuple[str, ...] = ()
    missing: str = ""


def classes_of(model: Model) -> Classes | None:
    """The classes of a model; None without any, or where several conditions part the data."""
    levels = [(name, each.names) for name, each in model.codec.conditions.items() if isinstance(each, Levels)]
    arrays = list(model.codec.encode_given({}, 1).labels)
    return Classes(*levels[0], arrays[0]) if len(levels) == 1 and len(arrays) == 1 else None


def find(
    model: Model,
    request: fitting.Request | None,
    *,
    data: Any,
    y: Any,
    holdout: Any,
    opinion: Callable[[Arrays], Array] | None,
    seed: int,
    on: events.Sink,
) -> Found:
    """Training and holdout examples of a fitted model.

    Args:
        model: the model.
        request: what it was fitted by, where that happened in this process.
        data: where its data lie now; None: where they lay.
        y: the labels that joined them, where they were given beside.
        holdout: other real examples to judge by; None: those that were kept from learning.
        opinion: the model's own critic.
        seed: of the draw, where there are more than a report looks at.
        on: takes the events.

    Returns:
        What was found. Where nobody knows where the data lie, ``train`` is empty and ``missing`` says why.

    Raises:
        InputError: the data have moved or changed, or the holdout is of another kind.
    """
    other = None if holdout is None else of_the_kind(model, holdout, on)
    source = _source(model, request, data, y)
    prepared = source if isinstance(source, str) else _prepared(model, source, named=data is not None, on=on)
    if isinstance(source, str) or isinstance(prepared, str):
        held = NOTHING if other is None else _decode(model, other, _some(len(other), _limit(other, MOST_HELD), seed))
        return Found(NOTHING, held, (str(prepared),), str(prepared))
    kept, shown = (prepared.holdout, "held-out") if other is None else (other, "holdout")
    fresh, skipped = _apart(prepared.train, kept, shown, repeats=getattr(model.kind, "repeats", False))
    trained, count = _some(len(prepared.train), _limit(prepared.train, MOST), seed), len(prepared.train)
    if len(trained) < count:
        says = f"{len(trained):,} of {count:,} training examples were looked at, drawn at random"
        skipped.append(f"{says}; copies of the others go unseen.")
    held_rows = fresh[_some(len(fresh), _limit(kept, MOST_HELD), seed)]
    if prepared.problems:
        first = prepared.problems[0]
        skipped.append(f"{len(prepared.problems)} files could not be read; the first is {first.name} ({first.reason}).")
    names = _names(model, source, prepared)
    train = _decode(model, prepared.train, trained, opinion)
    train = train._replace(names=tuple(names[row] for row in trained) if names else ())
    return Found(train, _decode(model, kept, held_rows, opinion), tuple(skipped))


def of_the_kind(model: Model, source: Any, on: events.Sink) -> MappedData:
    """Other examples, through the model's codec.

    Raises:
        InputError: there are none, or they are of another kind.
    """
    kind = model.kind
    if kind.recognise(source) <= 0:
        other = recognise(source)
        shown = repr(source) if isinstance(source, str | Path) else f"this {type(source).__name__}"
        sentence = f"{shown} is of the kind {other.name}, and {model.name} makes {kind.name}: they cannot be compared."
        raise InputError(Code.SOURCE_UNKNOWN, sentence)
    request = fitting.Request(source=source, holdout=0.0, since=time.monotonic())
    return _prepare(model, request, on).train


def objects_of(model: Model, data: MappedData, count: int, seed: int) -> Sequence[Any]:
    """At most ``count`` of the rows, drawn at random, as objects."""
    return model.codec.decode(data.take(_some(len(data), count, seed)))


def _source(model: Model, request: fitting.Request | None, data: Any, y: Any) -> fitting.Request | str:
    """What to read, and how it was split; or why that is not known."""
    record = _record(model)
    if data is not None:
        share, label = (request.holdout, request.label) if request else _guess(model)
        if record is not None:
            share, label = record.holdout, record.label
        return fitting.Request(source=data, y=y, holdout=share, label=label, since=time.monotonic())
    if request is not None and request.source is not None:
        return request
    if record is None:
        return f"{model.name} does not say where its training data lie (its state was deleted); name them with --data."
    if record.path is None:
        return f"{model.name} was fitted on data in memory, which are not at hand; give them again as data."
    return fitting.Request(source=record.path, holdout=record.holdout, label=record.label, since=time.monotonic())


def _record(model: Model) -> fitting.SourceRecord | None:
    """``state/source.json``, where it still is there."""
    if model.path is None or fitting.SOURCE not in model.header.files or not (model.path / fitting.SOURCE).is_file():
        return None
    return msgspec.json.decode((model.path / fitting.SOURCE).read_bytes(), type=fitting.SourceRecord)


def _guess(model: Model) -> tuple[float, str | None]:
    """Holdout and label of a fit whose state was deleted: from how many were held out of how many."""
    record, classes = model.header.data, classes_of(model)
    label = classes.condition if classes and classes.condition != LABEL else None
    ratio = record.holdout / max(1, record.count)
    for share in (USUAL_HOLDOUT, round(ratio, 2)):  # each class is rounded down
        if record.holdout <= record.count * share < record.holdout + (len(classes.names) if classes else 1):
            return share, label
    return ratio, label


def _prepared(model: Model, source: fitting.Request, *, named: bool, on: events.Sink) -> Prepared | str:
    """The encoded data, known again by their fingerprint; or why their split is not known."""
    try:
        prepared = _prepare(model, source, on)
    except InputError as error:
        if named:
            raise
        sentence = f"The data that {model.name} was fitted on cannot be read any more"
        raise InputError(error.code, f"{sentence} ({error.sentence.rstrip('.')}); name them with --data.") from None
    if prepared.fingerprint != model.header.data.fingerprint:
        where = source.source if isinstance(source.source, str | Path) else "What was given as data"
        sentence = f"{where} is not (or no longer) what {model.name} was fitted on"
        raise InputError(Code.SOURCE_CHANGED, f"{sentence}; name the same data with --data, or fit it anew.")
    if len(prepared.holdout) != model.header.data.holdout:
        return f"It is not known which examples were kept from {model.name}: its state was deleted."
    return prepared


def _prepare(model: Model, request: fitting.Request, on: events.Sink) -> Prepared:
    plan = msgspec.structs.replace(model.header.plan, rank=0, world=1, seed=model.header.data.split_seed)
    options = convert(model.header.options, model.kind.Options, f"option of {model.kind.name}")
    return fitting.prepare_data(model.kind, options, plan, request, codec=model.codec, on=on)


def _apart(train: MappedData, holdout: MappedData, shown: str, *, repeats: bool) -> tuple[Array, list[str]]:
    """Rows of the holdout that are no training example and come once, and what was taken out.

    Where equal examples are as natural as different ones (``repeats``: rows of a table), they stay.
    """
    seen = set(_digests(train))
    if repeats and (2 * len(seen) < len(train) or any(digest not in seen for digest in _digests(holdout))):
        return np.arange(len(holdout)), []
    fresh: list[int] = []
    doubled = overlap = 0
    own: set[bytes] = set()
    for row, digest in enumerate(_digests(holdout)):
        if digest in seen:
            overlap += 1
        elif digest in own:
            doubled += 1
        else:
            own.add(digest)
            fresh.append(row)
    said = []
    if overlap:
        said.append(f"{overlap:,} of {len(holdout):,} {shown} examples are training examples too and were taken out.")
    if doubled:
        said.append(f"{doubled:,} {shown} examples were there more than once and were counted once.")
    if len(holdout) and not fresh:
        sentence = f"All {len(holdout):,} {shown} examples are training examples too, so there is nothing to judge by"
        raise InputError(Code.TOO_FEW, f"{sentence}; name others with --holdout.")
    return np.array(fresh, dtype=np.int64), said


def _digests(data: MappedData) -> list[bytes]:
    """A hash of each row's first array, which is the object itself."""
    out: list[bytes] = []
    for start in range(0, len(data), _CHUNK):
        arrays = data.take(np.arange(start, min(start + _CHUNK, len(data))))
        rows = np.ascontiguousarray(next(iter(arrays.values())))
        out += [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows]
    return out


def _limit(data: MappedData, most: int) -> int:
    """How many rows of the data are looked at: what memory holds of them."""
    if not len(data):
        return 0
    values = next(iter(data.take(np.arange(1)).values())).size
    return max(1, min(most, VALUES // max(1, values)))


def _some(count: int, most: int, seed: int) -> Array:
    """All rows, or as many at random as are looked at."""
    return np.arange(count) if count <= most else np.sort(stream(seed, "report", count).permutation(count)[:most])


def _names(model: Model, source: fitting.Request, prepared: Prepared) -> list[str]:
    """The name of each training row; nothing where names cannot be told for certain."""
    options = convert(model.header.options, model.kind.Options, f"option of {model.kind.name}")
    unread = {problem.name for problem in prepared.problems}
    items = model.kind.read(source.source, options)
    names = [item.name for item in items if isinstance(item, Example) and item.name not in unread]
    if len(names) != len(prepared.train) + len(prepared.holdout):
        return []
    return [names[row] for row in prepared.train.rows]


def _decode(model: Model, data: MappedData, rows: Array, opinion: Callable[[Arrays], Array] | None = None) -> Examples:
    """Rows of encoded data as objects, with what is known of them."""
    if not len(rows):
        return NOTHING
    arrays, classes = data.take(rows), classes_of(model)
    return Examples(model.codec.decode(arrays), classes and classes.of(arrays), opinion and opinion(arrays))


def held_against(model: Model, against: Any, count: int, seed: int, on: events.Sink) -> tuple[Sequence[Any], str]:
    """What a model is held against: samples of another model, or files; and what it is called.

    Raises:
        InputError: it is of another kind, or cannot be read.
    """
    other = getattr(against, "model_", None)
    if other is None and isinstance(against, str | Path) and (Path(against) / HEADER).is_file():
        other = Model.from_files(open_model(Path(against)))
    if other is None:
        name = Path(against).name if isinstance(against, str | Path) else "other samples"
        return objects_of(model, of_the_kind(model, against, on), count, seed), name
    if other.kind.name != model.kind.name:
        sentence = f"{other.name} makes {other.kind.name} and {model.name} makes {model.kind.name}"
        raise InputError(Code.SOURCE_UNKNOWN, f"{sentence}: they cannot be compared.")
    _, settings = other.sample_settings({})
    made = other.draw(0, count, {}, seed, settings)
    encoded = model.codec.encode([Example(object=item) for item in made])
    return model.codec.decode(model.codec.to_space(encoded)), other.name
