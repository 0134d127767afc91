"""What steers a text on its way: words that end it, a JSON schema, a regular expression, a list of choices.

Words are found across the borders of tokens: after each token the last few are read as text, and once a word stands
there nothing but the end may follow. Grammars are the engine's ``guide.py``; this file reads their files and knows
which letters belong to the prompt.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.core.errors import Code, InputError
from ilk.core.sequences import Processor
from ilk.kinds.text.options import SampleOptions
from ilk.kinds.text.passage import as_passage

if TYPE_CHECKING:
    from ilk.core.spaces import Tokens
    from ilk.kinds.text.tokenizer import Tokenizer

MARGIN = 8  # tokens that are read beyond the bytes of the longest word: some stand for no byte
MOST_FILE = 2**20


class TextGuide:
    """Stop words and a grammar; see :class:`ilk.core.sequences.Guide`."""

    def __init__(self, tokenizer: Tokenizer, space: Tokens, options: SampleOptions, prompt: str) -> None:
        """Check and compile what is asked for.

        Args:
            tokenizer: of the codec.
            space: of the codec.
            options: which of it.
            prompt: what every text begins with; no word is looked for in it.

        Raises:
            InputError: a file is missing, or a grammar cannot be met.
        """
        self._tokenizer, self._end, self._stop = tokenizer, space.end, options.stop
        self._from = len(prompt)
        self._grammar = None
        asked = _grammar(options)
        if asked is not None:
            from ilk.engines.gpt.guide import Grammar

            self._grammar = Grammar(tokenizer.json.decode(), space.vocabulary, space.end, *asked)

    def processors(self, row: int) -> list[Processor]:  # noqa: ARG002  (all rows alike)
        """A reader of the stop words, and a place at the beginning of the grammar."""
        found: list[Processor] = [self._grammar.processor()] if self._grammar else []
        return [*found, _Stopper(self._tokenizer, self._end, self._stop)] if self._stop else found

    def finish(self, object: Any) -> Any:
        """The text before the first stop word that comes after the prompt."""
        found = [place for word in self._stop if (place := object.find(word, self._from)) >= 0]
        return self._cut(object, min(found)) if found else object

    def certain(self, object: Any) -> Any:
        """The text without what may turn out to be the beginning of a stop word."""
        done = self.finish(object)
        if done is not object:
            return done
        keep = len(object)
        for word in self._stop:
            for count in range(min(len(word) - 1, len(object) - self._from), 0, -1):
                if object.endswith(word[:count]):
                    keep = min(keep, len(object) - count)
                    break
        return object if keep == len(object) else self._cut(object, keep)

    @staticmethod
    def _cut(text: str, place: int) -> Any:
        passage = as_passage(text)
        return passage.part(0, place, passage.piece)


class _Stopper:
    """Lets nothing but the end follow a stop word."""

    def __init__(self, tokenizer: Tokenizer, end: int, words: Sequence[str]) -> None:
        self._tokenizer, self._end, self._words = tokenizer, end, words
        self._tail = max(len(word.encode()) for word in words) + MARGIN

    def __call__(self, tokens: Sequence[int], logits_V: Any) -> Any:
        tail = np.array(tokens[-self._tail :], dtype=np.int64)
        text = self._tokenizer.decode([tail])[0] if len(tail) else ""
        if any(word in text for word in self._words):
            logits_V[:] = float("-inf")
            logits_V[self._end] = 0.0
        return logits_V


def _grammar(options: SampleOptions) -> tuple[Any, str] | None:
    """Form and text of the grammar that is asked for.

    Raises:
        InputError: there is more than one, or its file cannot be read.
    """
    asked = [name for name in ("schema", "regex", "choices") if getattr(options, name)]
    if len(asked) > 1:
        raise InputError(Code.OPTION, f"--{asked[0]} and --{asked[1]} do not go together; choose one.")
    if options.schema:
        path = Path(options.schema)
        try:
            if path.stat().st_size > MOST_FILE:
                raise InputError(Code.OPTION, f"{path} is too large for a JSON schema.")
            return "schema", path.read_text("utf-8")
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise InputError(Code.OPTION, f"The JSON schema {path} cannot be read: {reason}.") from None
    if options.regex:
        return "regex", options.regex
    return ("choices", json.dumps(list(options.choices))) if options.choices else None
