"""How likely a model finds what is there already, in nats, and how real its critic finds it.

Likelihoods are of whole objects and over units that everybody counts alike (``ilk.core.units``), whatever a model is
made of; an engine that has none leaves them out. Nothing here draws a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from ilk.core.config import convert
from ilk.core.errors import Code, InputError
from ilk.core.offers import Scored
from ilk.core.protocol import Array, Engine, Example, Problem
from ilk.core.registry import recognise
from ilk.core.rows import LENGTH
from ilk.core.samples import whole
from ilk.core.seeds import stream
from ilk.core.units import Counting
from ilk.generator.critics import encoded

if TYPE_CHECKING:
    from ilk.generator.model import Model

TOGETHER = 2**22
"""Units that are encoded together, padding counted."""
MOST_OBJECTS = 4096
"""Objects that are encoded together, however short they are."""
MOST_UNLIKELY = 10
"""Objects of a source that are named because the model finds them least likely: outliers, dirt."""
MOST_JUDGED = 256
"""Objects of a source that the critic is asked about, drawn at random."""


class SourceScore(NamedTuple):
    """What a model makes of one source.

    Attributes:
        source: what was given.
        unit: what is counted: a character; an example, where the kind has nothing smaller.
        units: how many there are.
        examples: in how many objects, parts joined.
        nats: the log-likelihood of all of them, with its sign turned: what they cost; None where there is none.
        tokens: what the model reads them as, where it reads sequences.
        realness: what the model's critic thinks, a mean from 0 to 1; None where it has none.
        unread: how many examples could not be read.
        unlikely: the least likely objects, the first one first: place from 1, nats a unit.
    """

    source: str
    unit: str
    units: int
    examples: int
    nats: float | None
    tokens: int | None
    realness: float | None
    unread: int
    unlikely: tuple[tuple[int, float], ...] = ()


class Scoring:
    """The two scoring methods of a ``Generator``."""

    def score(self, X: Any, y: Any = None, *, context: int | None = None) -> float:  # noqa: ARG002
        """Mean log-likelihood of a unit (a character) in nats, over all of ``X``: more is better.

        Args:
            X: files or objects, as for ``fit``.
            y: takes no part; scikit-learn's model selection gives it.
            context: the most that may be known before what is scored; as much as the model can by default.

        Raises:
            InputError: the model has no likelihood, or ``X`` is of another kind.
        """
        found = score_source(cast("Model", self._model()), X, context=context, judged=False)  # type: ignore[attr-defined]
        return -(found.nats or 0.0) / max(1, found.units)

    def score_samples(self, X: Any, *, context: int | None = None) -> Array:
        """Log-likelihood of each object (a document, not a part of it) in nats, (N,) float64.

        Raises:
            InputError: the model has no likelihood, or ``X`` is of another kind.
        """
        model = cast("Model", self._model())  # type: ignore[attr-defined]
        engine, limit = _scored(model), check_context(context)
        reading = _Reading(model, X, {})
        scores = [_log_scores(model, engine, part, limit)[0] for part in _together(model, _wholes(model, reading))]
        reading.check()
        return np.concatenate(scores)


def check_context(value: Any) -> int | None:
    """A context that can be asked for.

    Raises:
        InputError: it is no whole number of at least 1.
    """
    number = whole(value)
    if value is not None and (number is None or number < 1):
        raise InputError(Code.COUNT, f"The context is a whole number of at least 1, not {value}.")
    return number


def scorer(model: Model) -> Callable[[Sequence[Any]], Array] | None:
    """Objects -> (N,) log-likelihood of each in nats, as a report wants it; None where the engine has none."""
    engine = model.engine
    if not isinstance(engine, Scored):
        return None

    def score(objects: Sequence[Any]) -> Array:
        return np.concatenate(
            [np.zeros(0), *(_log_scores(model, engine, part, None)[0] for part in _together(model, objects))]
        )

    return score


def score_source(
    model: Model,
    source: Any,
    *,
    options: Mapping[str, Any] | None = None,
    context: int | None = None,
    judged: bool = True,
) -> SourceScore:
    """What a model makes of a source.

    Args:
        model: the model.
        source: a file, a folder, or objects of the kind.
        options: the kind's options by which to read it; those that the model was fitted by unless they say otherwise.
        context: the most of an object that may be known before what is scored.
        judged: whether its critic is asked, where it has one. If not, there must be a likelihood.

    Raises:
        InputError: it is of another kind, empty or unreadable, or the model can say nothing about it.
    """
    limit = check_context(context)
    engine: Scored | None = model.engine if isinstance(model.engine, Scored) else None
    if engine is None and (model.critic is None or not judged):
        engine = _scored(model)
    reading = _Reading(model, source, options or {}, keep=MOST_JUDGED if judged and model.critic is not None else 0)
    units = examples = 0
    nats, tokens = None, None
    unlikely: list[tuple[int, float]] = []
    for part in _together(model, _wholes(model, reading)):
        counts = _units(model, part)[1]
        units, examples = units + int(counts.sum()), examples + len(part)
        if engine is not None:
            scores, found = _log_scores(model, engine, part, limit)
            nats = (nats or 0.0) - float(scores.sum())
            tokens = None if found is None else (tokens or 0) + found
            each = -scores / np.maximum(counts, 1)
            places = np.argsort(-each)[:MOST_UNLIKELY]
            unlikely += zip((examples - len(part) + places + 1).tolist(), each[places].tolist(), strict=True)
    reading.check()
    unit, name = _units(model, [])[0], str(source) if isinstance(source, str | Path) else type(source).__name__
    odd = sorted(unlikely, key=lambda pair: -pair[1])[:MOST_UNLIKELY] if examples > MOST_UNLIKELY else ()
    realness = _realness(model, reading.kept)
    return SourceScore(name, unit, units, examples, nats, tokens, realness, reading.unread, tuple(odd))


def _scored(model: Model) -> Scored:
    """The engine, where it knows likelihoods.

    Raises:
        InputError: it does not.
    """
    engine: Engine = model.engine
    if not isinstance(engine, Scored):
        sentence = f"{model.name} has no likelihood: its engine, {model.header.engine}, makes samples and scores none."
        raise InputError(Code.OPTION, sentence)
    return engine


class _Reading(Iterator[Example]):
    """The examples of a source as they are read, and some of them, drawn evenly, to be kept (Vitter, 1985)."""

    def __init__(self, model: Model, source: Any, options: Mapping[str, Any], keep: int = 0) -> None:
        """Nothing is read yet.

        Raises:
            InputError: the source is of another kind.
        """
        kind = model.kind
        self._shown = str(source) if isinstance(source, str | Path) else f"This {type(source).__name__}"
        if kind.recognise(source) <= 0 and not options:
            other = recognise(source)
            sentence = f"{self._shown} is of the kind {other.name}, and {model.name} knows {kind.name}: "
            raise InputError(Code.SOURCE_UNKNOWN, f"{sentence}it cannot be scored.")
        chosen = {**model.header.options, **{name.replace("-", "_"): value for name, value in options.items()}}
        self._items = iter(kind.read(source, convert(chosen, kind.Options, f"option of {kind.name}")))
        self._random, self._keep, self._count = stream(0, "realness"), keep, 0
        self._first: Problem | None = None
        self.kept: list[Any] = []
        self.unread = 0

    def __next__(self) -> Example:
        for item in self._items:
            if isinstance(item, Example):
                self._count += 1
                if len(self.kept) < self._keep:
                    self.kept.append(item.object)
                elif self._keep and (place := int(self._random.integers(self._count))) < self._keep:
                    self.kept[place] = item.object
                return item
            self._first = self._first or item
            self.unread += 1
        raise StopIteration

    def check(self) -> None:
        """All is read.

        Raises:
            InputError: and there was no example.
        """
        if not self._count:
            first = self._first
            why = f"{first.name} cannot be read: {first.reason}" if first else f"{self._shown} is empty"
            raise InputError(Code.SOURCE_MISSING, f"{why.rstrip('.')}, so there is nothing to score.")


def _wholes(model: Model, examples: Iterator[Example]) -> Iterator[Any]:
    codec: Any = model.codec
    return codec.wholes(examples) if isinstance(codec, Counting) else (each.object for each in examples)


def _units(model: Model, objects: Sequence[Any]) -> tuple[str, Array]:
    codec: Any = model.codec
    return codec.units(objects) if isinstance(codec, Counting) else ("example", np.ones(len(objects), np.int64))


def _log_scores(model: Model, engine: Scored, objects: Sequence[Any], context: int | None) -> tuple[Array, int | None]:
    """(N,) log-likelihoods, and how many tokens the objects are where they are sequences."""
    arrays = encoded(model.codec, objects)
    tokens = int(np.asarray(arrays[LENGTH]).sum()) if LENGTH in arrays else None
    return np.asarray(engine.log_score(arrays, context), np.float64), tokens


def _together(model: Model, objects: Iterable[Any]) -> Iterator[list[Any]]:
    """Neighbours that are encoded together: rows as wide as the longest of them hold a bounded number of units."""
    part: list[Any] = []
    widest = 0
    for each in objects:
        count = int(_units(model, [each])[1][0])
        if part and (len(part) == MOST_OBJECTS or (len(part) + 1) * max(widest, count) > TOGETHER):
            yield part
            part, widest = [], 0
        part.append(each)
        widest = max(widest, count)
    if part:
        yield part


def _realness(model: Model, objects: Sequence[Any]) -> float | None:
    """The critic's mean opinion."""
    if model.critic is None or not objects:
        return None
    return float(model.critic.realness(model, objects).mean())


def as_json(found: SourceScore) -> dict[str, Any]:
    """What ``--json`` says of one source: only what there is."""
    unit = found.unit
    out: dict[str, Any] = {"file": found.source, f"{unit}s": found.units, "nats": found.nats, "tokens": found.tokens}
    if found.nats is not None:
        out |= rates(unit, found.nats, found.units)
    if found.unlikely:
        out["least_likely"] = [{"place": place, f"nats_per_{unit}": nats} for place, nats in found.unlikely]
    out |= {"realness": found.realness, "unread": found.unread or None}
    return {name: value for name, value in out.items() if value is not None}


def rates(unit: str, nats: float, count: int) -> dict[str, float]:
    """Nats and bits a unit."""
    each = nats / max(1, count)
    return {f"nats_per_{unit}": each, f"bits_per_{unit}": each / float(np.log(2))}
