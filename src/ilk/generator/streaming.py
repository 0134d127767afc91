"""One sample as it is made: pieces of the object, which together are what ``sample(1)`` gives for the same seed.

Only what is certain is told: half a character waits, and so does what may be the beginning of a word that ends the
sample. Whoever steps the engine is here; what a token means is the codec's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.core.conditions import check_given
from ilk.core.errors import Code, InputError
from ilk.core.samples import Samples, check_seed
from ilk.core.seeds import fresh_seed
from ilk.core.sequences import Sequential, Telling
from ilk.generator.guiding import find_guide, guided

if TYPE_CHECKING:
    from ilk.generator.model import Model


class Stream(Iterator[Any]):
    """Pieces of one sample, in order.

    Attributes:
        seed: of the sample.
    """

    def __init__(self, pieces: Iterator[Any], seed: int, samples: Callable[[Any], Samples]) -> None:
        self.seed = seed
        self._pieces = pieces
        self._samples = samples
        self._made: Any = None

    def __next__(self) -> Any:
        self._made, piece = next(self._pieces)
        return piece

    def samples(self) -> Samples:
        """The whole sample, to be saved: what was not told yet is made first."""
        for _ in self:
            pass
        return self._samples(self._made)


class Streaming:
    """``Generator.stream``."""

    def stream(self, *, given: Mapping[str, Any] | None = None, seed: int | None = None, **options: Any) -> Stream:
        """One sample as it is made: what it begins with, then piece by piece how it goes on.

        Args:
            given: conditions, as in ``sample``.
            seed: the pieces together are ``sample(1, seed=seed)[0]``; a fresh one by default.
            **options: the engine's and the kind's sampling options.

        Raises:
            NotFittedError: before ``fit`` or ``load``.
            InputError: the model does not make its samples piece by piece, or an argument is wrong.
        """
        model: Model = self._model()  # type: ignore[attr-defined]
        number = fresh_seed() if seed is None else check_seed(seed)
        pieces = _pieces(model, check_given(given or {}, model.codec.conditions), number, options)

        def samples(made: Any) -> Samples:
            again: Samples = self.sample(1, given=given, seed=number, **options)  # type: ignore[attr-defined]
            return again.known([made])

        return Stream(pieces, number, samples)


def _pieces(model: Model, given: Mapping[str, Any], seed: int, options: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """(the object so far, what is new of it); arguments are checked before the first is asked for."""
    engine, codec = model.engine, model.codec
    if not isinstance(engine, Sequential) or not isinstance(codec, Telling):
        sentence = f"A model of {model.kind.name} makes a sample all at once; leave --stream out."
        raise InputError(Code.OPTION, sentence)
    mine, settings = model.sample_settings(options)
    guide = find_guide(codec, mine, given)
    encoded = guided(codec, given, np.zeros(1, np.int64), guide)
    session, tokens = engine.session(settings, rows=1, logprobs=False), engine.prefix(encoded, 0)
    session.submit(tokens, settings, seed, processors=guide.processors(0) if guide else ())

    def run() -> Iterator[tuple[Any, Any]]:
        told = 0
        while True:
            made = codec.tell(tokens, whole=session.idle)
            if guide:
                made = guide.finish(made) if session.idle else guide.certain(made)
            if len(made) > told or session.idle:
                yield made, made[told:]
                told = max(told, len(made))
            if session.idle:
                return
            tokens.extend(token for _, token, _ in session.step())

    return run()
