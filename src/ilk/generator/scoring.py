"""How likely a model finds what is there already, in nats, and how real its critic finds it.

Likelihoods are of whole objects and over units that everybody counts alike (``ilk.core.units``), whatever a model is
made of; an engine that has none leaves them out. Nothing here draws a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
    """

    source: str
    unit: str
    units: int
    examples: int
    nats: float | None
    tokens: int | None
    realness: float | None
    unread: int


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
        engine, objects = _scored(model), _wholes(model, _read(model, X, {})[0])
        return _log_scores(model, engine, objects, check_context(context))[0]


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
    return lambda objects: _log_scores(model, engine, objects, None)[0]


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
    examples, unread = _read(model, source, options or {})
    objects = _wholes(model, examples)
    unit, counts = _units(model, objects)
    nats, tokens = None, None
    if engine is not None:
        scores, tokens = _log_scores(model, engine, objects, limit)
        nats = -float(scores.sum())
    realness = _realness(model, [each.object for each in examples]) if judged else None
    name = str(source) if isinstance(source, str | Path) else type(source).__name__
    return SourceScore(name, unit, int(counts.sum()), len(objects), nats, tokens, realness, unread)


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


def _read(model: Model, source: Any, options: Mapping[str, Any]) -> tuple[list[Example], int]:
    """The examples of a source, and how many could not be read.

    Raises:
        InputError: it is of another kind, or there is none.
    """
    kind = model.kind
    shown = str(source) if isinstance(source, str | Path) else f"This {type(source).__name__}"
    if kind.recognise(source) <= 0 and not options:
        other = recognise(source)
        sentence = f"{shown} is of the kind {other.name}, and {model.name} knows {kind.name}: it cannot be scored."
        raise InputError(Code.SOURCE_UNKNOWN, sentence)
    chosen = {**model.header.options, **{name.replace("-", "_"): value for name, value in options.items()}}
    record = convert(chosen, kind.Options, f"option of {kind.name}")
    items = list(kind.read(source, record))
    examples = [item for item in items if isinstance(item, Example)]
    problems = [item for item in items if isinstance(item, Problem)]
    if not examples:
        why = f"{problems[0].name} cannot be read: {problems[0].reason}" if problems else f"{shown} is empty"
        raise InputError(Code.SOURCE_MISSING, f"{why.rstrip('.')}, so there is nothing to score.")
    return examples, len(problems)


def _wholes(model: Model, examples: Sequence[Example]) -> Sequence[Any]:
    codec: Any = model.codec
    return codec.wholes(examples) if isinstance(codec, Counting) else [each.object for each in examples]


def _units(model: Model, objects: Sequence[Any]) -> tuple[str, Array]:
    codec: Any = model.codec
    return codec.units(objects) if isinstance(codec, Counting) else ("example", np.ones(len(objects), np.int64))


def _log_scores(model: Model, engine: Scored, objects: Sequence[Any], context: int | None) -> tuple[Array, int | None]:
    """(N,) log-likelihoods, and how many tokens the objects are where they are sequences."""
    scores, tokens = [np.zeros(0)], None
    for part in _together(_units(model, objects)[1]):
        arrays = encoded(model.codec, [objects[place] for place in part])
        scores.append(np.asarray(engine.log_score(arrays, context), np.float64))
        if LENGTH in arrays:
            tokens = (tokens or 0) + int(np.asarray(arrays[LENGTH]).sum())
    return np.concatenate(scores), tokens


def _together(counts: Array) -> Iterator[range]:
    """Neighbours that are encoded together: rows as wide as the longest of them hold a bounded number of units."""
    first, widest = 0, 0
    for place, count in enumerate(counts.tolist()):
        widest = max(widest, count)
        if place > first and (place + 1 - first) * widest > TOGETHER:
            yield range(first, place)
            first, widest = place, count
    if first < len(counts):
        yield range(first, len(counts))


def _realness(model: Model, objects: Sequence[Any]) -> float | None:
    """The critic's mean opinion of at most so many of the objects."""
    if model.critic is None:
        return None
    rows = stream(0, "realness").permutation(len(objects))[:MOST_JUDGED]
    return float(model.critic.realness(model, [objects[row] for row in np.sort(rows)]).mean())


def as_json(found: SourceScore) -> dict[str, Any]:
    """What ``--json`` says of one source: only what there is."""
    unit = found.unit
    out: dict[str, Any] = {"file": found.source, f"{unit}s": found.units, "nats": found.nats, "tokens": found.tokens}
    if found.nats is not None:
        out |= rates(unit, found.nats, found.units)
    out |= {"realness": found.realness, "unread": found.unread or None}
    return {name: value for name, value in out.items() if value is not None}


def rates(unit: str, nats: float, count: int) -> dict[str, float]:
    """Nats and bits a unit."""
    each = nats / max(1, count)
    return {f"nats_per_{unit}": each, f"bits_per_{unit}": each / float(np.log(2))}
