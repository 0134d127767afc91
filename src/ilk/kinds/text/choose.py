"""What a text is best made of: characters, bytes, pieces of words; or what a base reads.

The choice goes by two numbers, found in one look at the stream. Pieces of words carry two to three times as many
letters in the same context and the same seconds, so that they learn best (tiny Shakespeare, 28 core-seconds: 1.54 nats
a character against 1.85, docs/log.md). Below a hundred thousand characters too few pieces are seen often enough. A
little text of many different characters (Chinese, or several scripts) would spend most of its vocabulary on what it
sees once: bytes then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from ilk.core.errors import Code, InputError
from ilk.core.plan import Plan
from ilk.core.protocol import Base, Example
from ilk.kinds.text import turns
from ilk.kinds.text.codec import Facts, TextCodec
from ilk.kinds.text.options import Options
from ilk.kinds.text.passage import as_passage
from ilk.kinds.text.tokenizer import END, byte_tokenizer, char_tokenizer, trained_tokenizer

FEWEST = 2_000
FEWEST_WITH_BASE = 200
"""Characters that a fit takes at the least; ``_HELD`` of them may be in a holdout."""
_HELD = 0.25
CHARS_BELOW = 100_000
MOST_CHARACTERS = 512
"""Characters are chosen below so many of them, of at most so many different ones."""
LEAST_VOCABULARY, MOST_VOCABULARY = 512, 16_384
CHARACTERS_A_PIECE = 500
"""Text for each piece of a vocabulary of pieces of words; the size is the next power of two."""
SAMPLE = 20_000_000
"""Characters that pieces are learned from at the most, spread over the whole text."""
COUNTED = 4_000_000
"""Characters whose tokens are counted at the most."""
HEADROOM = 1.25
"""What the longest row may be longer than in training: the holdout and the user have their own texts."""


class Survey:
    """What one look at the training passages tells."""

    def __init__(self, examples: Iterable[Example]) -> None:
        self.count = self.characters = self.longest = 0
        self.different: set[str] = set()
        self.answers = self.chat = False
        self.sample: list[Any] = []
        stride, kept = 1, 0
        for example in examples:
            passage = as_passage(example.object)
            if self.count % stride == 0:
                self.sample.append(passage)
                kept += len(passage)
            if kept > SAMPLE:  # every second one goes, and every second one is taken from here on
                self.sample = self.sample[::2]
                stride, kept = 2 * stride, sum(map(len, self.sample))
            self.count += 1
            self.characters += len(passage)
            self.longest = max(self.longest, len(passage))
            self.different.update(passage)
            self.answers = self.answers or passage.learn is not None
            self.chat = self.chat or bool(passage.marks)

    @property
    def specials(self) -> tuple[str, ...]:
        """The end, and the signs of the template where there are conversations."""
        return (END, turns.OPEN, turns.CLOSE) if self.chat else (END,)


def fit_codec(examples: Iterable[Example], options: Options, plan: Plan, base: Base | None) -> TextCodec:  # noqa: ARG001
    """The codec for these passages.

    Raises:
        InputError: there is too little text.
    """
    survey = Survey(examples)
    _refuse_little(survey.characters, base)
    if base is not None:
        from ilk.kinds.text.pretrained import base_codec

        return finished(base_codec(base, chat=survey.chat), survey)
    chosen = choose(options, survey)
    if chosen == "chars":
        tokenizer = char_tokenizer(survey.different, survey.specials)
        about = f"characters: {len(survey.different):,} of them in {spoken(survey.characters)}"
    elif chosen == "bytes":
        tokenizer = byte_tokenizer(survey.specials)
        about = f"bytes: {len(survey.different):,} different characters in {spoken(survey.characters)} are too many"
        about = about if options.tokens == "auto" else "bytes"
    else:
        tokenizer = trained_tokenizer(survey.sample, options.vocabulary or vocabulary_for(survey), survey.specials)
        about = f"pieces of words: {tokenizer.vocabulary:,} of them"
    facts = Facts(
        flavour=chosen,
        about=about,
        vocabulary=tokenizer.vocabulary,
        length=1,
        start=0,
        end=0,
        answers=survey.answers,
        chat=survey.chat,
    )
    return finished(TextCodec(facts, tokenizer), survey)


def choose(options: Options, survey: Survey) -> Literal["chars", "bytes", "bpe"]:
    """What the user wants, or what the top of this file says."""
    if options.tokens != "auto":
        return options.tokens
    if options.vocabulary is not None or survey.characters >= CHARS_BELOW:
        return "bpe"
    return "chars" if len(survey.different) <= MOST_CHARACTERS else "bytes"


def vocabulary_for(survey: Survey) -> int:
    """How many pieces of words a text can teach."""
    wanted = 2 ** round(np.log2(max(1, survey.characters) / CHARACTERS_A_PIECE))
    return int(min(max(wanted, LEAST_VOCABULARY), MOST_VOCABULARY))


def finished(codec: TextCodec, survey: Survey) -> TextCodec:
    """The codec with what it can tell only when it is there: how many tokens there are, how long rows get."""
    from msgspec.structs import replace

    share = max(1, sum(map(len, survey.sample)) // COUNTED)
    rows = codec.encode([Example(object=passage) for passage in survey.sample[::share]])["length"]
    counted = sum(map(len, survey.sample[::share]))
    tokens = round(int(rows.sum()) * survey.characters / max(1, counted))
    longest = max(int(rows.max()), survey.longest + 1 if codec.facts.flavour == "chars" else 0)
    length = -(-int(longest * HEADROOM) // 8) * 8
    each = (
        f", {survey.characters / max(1, tokens):.1f} characters each" if codec.facts.flavour in ("bpe", "base") else ""
    )
    facts = replace(
        codec.facts,
        about=codec.facts.about + each,
        length=length,
        answers=survey.answers,
        chat=survey.chat,
        count=survey.count,
        characters=survey.characters,
        tokens=tokens,
    )
    return TextCodec(facts, codec.tokenizer)


def spoken(characters: int) -> str:
    """A number of characters in words."""
    return f"{characters / 1e6:.1f} million" if characters >= 95_000 else f"{characters:,}"


def _refuse_little(characters: int, base: Base | None) -> None:
    least = FEWEST_WITH_BASE if base else FEWEST
    if characters >= least * (1 - _HELD):
        return
    hint = "" if base else f", or begin from a base with --base, which takes {FEWEST_WITH_BASE}"
    found = "1 character is" if characters == 1 else f"{characters:,} characters are"
    raise InputError(Code.TOO_FEW, f"{found} too few to learn from; give at least {least:,}{hint}.")
