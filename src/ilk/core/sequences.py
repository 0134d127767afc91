"""The contracts of what is made one token after the other: sessions, streams, and guides that steer rows on their way.

They belong beside ``ilk.core.protocol``: a *codec* may know guides (its kind's sampling options ask for them) and how
to decode a sequence that is not whole yet; an *engine* may open a session. Nothing in this file imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ilk.core.protocol import Given

Processor = Callable[[Sequence[int], Any], Any]
"""(tokens of the row so far, what was given not among them; scores (V,) of the next one) -> scores.

Scores are what the engine computes with (a tensor), -inf for never; they may be changed in place. A processor belongs
to one row and is called once a token, in order.
"""


@runtime_checkable
class Guide(Protocol):
    """What steers rows while they are made: a grammar, words that end them."""

    def processors(self, row: int) -> Sequence[Processor]:
        """New processors for a row of the call."""
        ...

    def finish(self, object: Any) -> Any:
        """What the user gets of an object that was made: without the words that ended it."""
        ...

    def certain(self, object: Any) -> Any:
        """What of an object that is still being made will be there when it is finished."""
        ...


@runtime_checkable
class Guiding(Protocol):
    """What a codec offers whose kind's sampling options steer rows."""

    def guide(self, options: Any, given: Mapping[str, Any]) -> Guide | None:
        """The guide that the kind's ``SampleOptions`` ask for; None where they ask for none.

        Args:
            options: the record.
            given: the conditions of the call, as ``encode_given`` gets them.

        Raises:
            InputError: what they ask for cannot be met.
        """
        ...


class Session(Protocol):
    """Rows that are being made, token by token."""

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do."""
        ...

    def submit(
        self, prompt: Sequence[int], settings: Any, seed: int, *, index: int = 0, processors: Sequence[Processor] = ()
    ) -> int:
        """A row that continues a prompt; its name.

        Raises:
            InputError: the prompt is longer than what the engine sees at once.
        """
        ...

    def step(self) -> Sequence[tuple[int, int, float]]:
        """One more token of each row that there is room for: name, token, log-likelihood in nats."""
        ...

    def cancel(self, id: int) -> None:
        """Forget a row."""
        ...


@runtime_checkable
class Sequential(Protocol):
    """What an engine offers that makes a row one token after the other."""

    def session(self, settings: Any = None, *, rows: int = 64, logprobs: bool = True) -> Session:
        """A session over the weights that it samples from; it does not learn before the session is over.

        Args:
            settings: of sampling, as far as they say what computes; each row brings its own as well.
            rows: most of them at once; the others wait.
            logprobs: whether steps tell log-likelihoods.
        """
        ...

    def prefix(self, given: Given, row: int) -> list[int]:
        """The tokens that a row begins with."""
        ...


@runtime_checkable
class Telling(Protocol):
    """What a codec offers whose objects can be read while they are made."""

    def tell(self, tokens: Sequence[int], *, whole: bool) -> Any:
        """The object as far as it is certain: it begins with all that was told of fewer tokens.

        Args:
            tokens: of the row so far, what was given among them.
            whole: no more will come.
        """
        ...
