"""Examples with holes, completed: each hole is drawn from what the model makes of the rest of its example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from ilk.core import events
from ilk.core.errors import Code, InputError, UnreadableError
from ilk.core.offers import Completing, Containing
from ilk.core.protocol import Array, Arrays, Example
from ilk.core.samples import Samples, Saved, check_seed
from ilk.core.seeds import fresh_seed
from ilk.generator.drawing import Ask, redrawn
from ilk.generator.output import save_samples
from ilk.seal.claim import COMPOSITE

if TYPE_CHECKING:
    from ilk.generator.model import Model

TRIES = 200
"""Times that an example is drawn again which breaks a rule, before it is an error."""
TOGETHER = 4096


class Completer:
    """``Generator.complete``."""

    def complete(self, X: Any, *, seed: int | None = None, on: events.Sink = events.ignore, **options: Any) -> Samples:
        """Fill the holes of examples: each is drawn from its conditional, so that it varies as real ones do.

        Args:
            X: files or objects, as for ``fit``; what is missing in them is drawn, all else stays as it is.
            seed: the same seed fills in the same values; a fresh one by default.
            on: takes the progress events.
            **options: the engine's sampling options.

        Returns:
            Samples: as many as there are examples, in their order.

        Raises:
            NotFittedError: before ``fit`` or ``load``.
            InputError: the model cannot complete, ``X`` is of another kind, or an example is not to be completed.
        """
        model = cast("Model", self._model())  # type: ignore[attr-defined]
        number = fresh_seed() if seed is None else check_seed(seed)
        _, settings = model.sample_settings(options)
        examples = _read(model, X)
        made = list[Any]()
        for first in range(0, len(examples), TOGETHER):
            on(events.Stage(says="completing", done=first, of=len(examples)))
            some = examples[first : first + TOGETHER]
            made += _complete(model, some, _Draw(first, number, settings))
        on(events.Stage(says="completing", done=len(examples), of=len(examples)))

        def save(samples: Samples, path: Any, format: str | None, unsealed: bool, one_file: bool) -> Saved:  # noqa: FBT001
            return save_samples(
                model, samples, path, format, unsealed=unsealed, one_file=one_file, given={}, options=options,
                source_type=COMPOSITE,
            )  # fmt: skip

        return Samples(
            len(made),
            number,
            make=lambda start, stop: made[start:stop],
            chunk=len(made),
            draw=model.kind.draw,
            save=save,
            contain=model.codec.contain if isinstance(model.codec, Containing) else None,
        ).known(made)


class _Draw(NamedTuple):
    first: int
    seed: int
    settings: Any


def _read(model: Model, source: Any) -> list[Example]:
    """All examples of a source, every one of which must be readable.

    Raises:
        InputError: one is not, there is none, or the model completes nothing.
    """
    if not isinstance(model.codec, Completing):
        raise InputError(Code.OPTION, f"A model of {model.kind.name} completes nothing; leave --complete out.")
    found = list[Example]()
    for item in model.kind.read(source, model.codec.every(model.options)):
        if not isinstance(item, Example):
            raise InputError(Code.UNREADABLE, f"{item.name} cannot be read: {item.reason.rstrip('.')}.")
        found.append(item)
    if not found:
        raise InputError(Code.SOURCE_MISSING, "There is nothing to complete: the source is empty.")
    return found


def _complete(model: Model, examples: Sequence[Example], draw: _Draw) -> Sequence[Any]:
    codec = cast("Completing", model.codec)
    try:
        given = codec.encode_holes(examples)
    except UnreadableError as error:
        raise InputError(Code.UNREADABLE, f"This cannot be completed: {error.sentence.rstrip('.')}.") from None
    indices = np.arange(draw.first, draw.first + len(examples))

    tries = count()

    def refused(arrays: Arrays, rows: Array) -> Mapping[str, Array]:
        usual = next(tries) < TRIES // 2  # a known total may be so large that no usual part makes it up
        return codec.completed(arrays, [examples[row] for row in rows.tolist()], usual=usual)[1]

    def stuck(found: Mapping[str, Array], attempt: int, kept: int, drawn: int) -> InputError | None:  # noqa: ARG001
        if attempt < TRIES:
            return None
        says, left = next(says for says, rows in found.items() if rows.any()), len(examples) - kept
        sentence = f"{left:,} of {len(examples):,} rows cannot be completed"
        return InputError(Code.GIVEN, f"{sentence}: nothing that the model makes of them meets {says}.")

    arrays = redrawn(model, Ask(indices, given, draw.seed, draw.settings), refused, stuck)
    return codec.completed(arrays, examples)[0]
