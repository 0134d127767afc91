"""Grammars: rows that can only become what a JSON schema, a regular expression or a list of choices allows.

llguidance says after each token which ones may come next; the others get no chance. When the grammar is complete only
``end`` is left, so a row that ends is always valid, and one without ``end`` ran out of length. The vocabulary is
described by the JSON of a ``tokenizers`` tokenizer, which whoever knows about text hands in.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ilk.core.errors import BugError, Code, InputError

Form = Literal["schema", "regex", "choices"]
WORDS = {"schema": "JSON schema", "regex": "regular expression", "choices": "list of choices"}
STYLE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""Blanks as most JSON on the web has them; free ones invite a small model to write nothing else."""


class Grammar:
    """What rows may become."""

    def __init__(self, tokenizer: str, vocabulary: int, end: int, form: Form, text: str) -> None:
        """Check and compile it.

        Args:
            tokenizer: JSON of a ``tokenizers`` tokenizer.
            vocabulary: how many tokens there are.
            end: the token that ends a row.
            form: what ``text`` is.
            text: a JSON schema, a regular expression, or a JSON list of strings.

        Raises:
            InputError: it is malformed, or nothing meets it.
        """
        from llguidance import LLMatcher

        self._end, self._vocabulary = end, vocabulary
        self._tokenizer = _tokenizer(tokenizer, vocabulary, end)
        try:
            self._text = _compiled(form, text)
            wrong = LLMatcher.validate_grammar(self._text, self._tokenizer)
        except ValueError as error:
            wrong = str(error)
        if wrong and not wrong.startswith("WARNING"):
            raise InputError(Code.OPTION, f"The {WORDS[form]} cannot be used: {_sentence(wrong)}.")
        if not self.processor().possible():
            raise InputError(Code.OPTION, f"Nothing can meet the {WORDS[form]} with this model's tokens.")

    def processor(self) -> Walk:
        """A row at its beginning."""
        from llguidance import LLMatcher

        return Walk(LLMatcher(self._tokenizer, self._text, log_level=0), self._vocabulary, self._end)


class Walk:
    """Where a row stands in a grammar: a ``Processor``."""

    def __init__(self, matcher: Any, vocabulary: int, end: int) -> None:
        self._matcher, self._vocabulary, self._end = matcher, vocabulary, end
        self._taken = 0

    def __call__(self, tokens: Sequence[int], logits_V: Tensor) -> Tensor:
        """Only what may come next keeps its score."""
        new = [token for token in tokens[self._taken :] if token != self._end]
        self._taken = len(tokens)
        if new and not self._matcher.consume_tokens(new):
            raise BugError(Code.BUG, f"A token left its grammar: {self._matcher.get_error()}.")
        allowed = torch.from_numpy(self._allowed()).to(logits_V.device)
        return logits_V.masked_fill_(~allowed, float("-inf"))

    def possible(self) -> bool:
        """Whether anything may come next."""
        return bool(self._allowed().any())

    def _allowed(self) -> Any:
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        allowed = np.unpackbits(bits, count=min(self._vocabulary, 8 * len(bits)), bitorder="little").astype(bool)
        if self._matcher.is_error():
            raise InputError(Code.OPTION, f"The grammar is too much to follow: {_sentence(self._matcher.get_error())}.")
        return np.pad(allowed, (0, self._vocabulary - len(allowed)))


@functools.lru_cache(maxsize=4)
def _tokenizer(text: str, vocabulary: int, end: int) -> Any:
    from llguidance import LLTokenizer

    return LLTokenizer(text, n_vocab=vocabulary, eos_token=end)


def _compiled(form: Form, text: str) -> str:
    from llguidance import LLMatcher, grammar_from

    if form == "schema":
        return str(LLMatcher.grammar_from_json_schema(text, overrides=STYLE))  # type: ignore[arg-type]
    if form == "regex":
        return str(LLMatcher.grammar_from_regex(text))
    if not json.loads(text) or not all(isinstance(choice, str) and choice for choice in json.loads(text)):
        raise ValueError("it has an empty choice")
    return str(grammar_from("choice", text))


def _sentence(error: str) -> str:
    """What a library says, on one line."""
    lines = [line.strip(" |^") for line in error.strip().splitlines()]
    kept = [line for line in lines if line and not line[0].isdigit()] or lines
    return "; ".join(kept[:1] + kept[-1:] if len(kept) > 1 else kept).rstrip(".")[:300]
