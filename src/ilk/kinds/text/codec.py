"""Passages <-> rows of Tokens: what a passage says, then ``end`` where its document ends.

The codec knows the tokenizer and a few facts about the training text; they are two JSON files in a model folder. How
it was chosen is told in ``choose.py``, how letters become tokens in ``tokenizer.py``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from ilk.core.config import Record, read_json, to_json
from ilk.core.errors import Code, FolderError, InputError, UnreadableError
from ilk.core.protocol import Array, Arrays, Condition, Example, Given, Text
from ilk.core.rows import LENGTH, PIECE, starts, unflat
from ilk.core.sequences import Guide
from ilk.core.spaces import Tokens
from ilk.kinds.text import turns
from ilk.kinds.text.options import SampleOptions
from ilk.kinds.text.passage import Passage, Spans, as_passage
from ilk.kinds.text.tokenizer import MOST_BYTES, MOST_TOKENS, Flavour, Tokenizer, load_tokenizer
from ilk.kinds.text.wholes import wholes

FACTS, TOKENIZER = "codec.json", "tokenizer.json"
WEIGHT = "weight"
PROMPT = "prompt"
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Token = Annotated[int, msgspec.Meta(ge=0, lt=MOST_TOKENS)]


class Facts(Record, frozen=True, kw_only=True):
    """What the codec knows beside its tokenizer: ``codec.json``."""

    flavour: Flavour
    about: Annotated[str, msgspec.Meta(max_length=1_000)]  # the choice in words
    vocabulary: Annotated[int, msgspec.Meta(ge=2, le=MOST_TOKENS)]
    length: Annotated[int, msgspec.Meta(ge=1, le=2**31)]  # of the longest row
    start: _Token
    end: _Token
    answers: bool = False  # whether only parts of the examples are to be learned
    chat: bool = False  # whether they are conversations in a template
    count: _Count = 0  # training passages
    characters: _Count = 0  # in them
    tokens: _Count = 0  # of them, as measured or, of much text, estimated

    def __post_init__(self) -> None:
        if max(self.start, self.end) >= self.vocabulary:
            raise ValueError("start and end are no tokens of the vocabulary")


class TextCodec:
    """Objects are passages or plain strings going in, passages coming out.

    Attributes:
        facts: what was learnt from the data.
        tokenizer: what makes tokens of letters.
    """

    def __init__(self, facts: Facts, tokenizer: Tokenizer) -> None:
        self.facts = facts
        self.tokenizer = tokenizer
        names = {name: tokenizer.special(name) for name in (turns.OPEN, turns.CLOSE)} if facts.chat else {}
        self._signs = {name: number for name, number in names.items() if number is not None}
        self._dtype = np.uint16 if facts.vocabulary <= 2**16 else np.int32

    @property
    def space(self) -> Tokens:
        """What the engine learns."""
        facts = self.facts
        return Tokens(vocabulary=facts.vocabulary, length=facts.length, start=facts.start, end=facts.end)

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """``prompt``: how a sample begins; of a model of conversations, the question that it answers."""
        return {PROMPT: Text()}

    @property
    def about(self) -> str:
        """What it reads and writes, in words."""
        return self.facts.about

    @property
    def count(self) -> int:
        """Passages that it was fitted on."""
        return self.facts.count

    @property
    def characters(self) -> int:
        """Characters that it was fitted on."""
        return self.facts.characters

    @property
    def tokens(self) -> int:
        """Tokens that it was fitted on."""
        return self.facts.tokens

    def encode(self, examples: Sequence[Example]) -> Arrays:
        """Tokens of passages.

        Returns:
            ``x`` (N, L), ``length`` (N,) int32, ``piece`` (N,) int64 and, where only parts of the examples are to be
            learned, ``weight`` (N, L) uint8.

        Raises:
            UnreadableError: one of them is no text; the sentence names it.
        """
        passages = [_passage_of(example) for example in examples]
        parts = [self._parts(passage) for passage in passages]
        tokens, length, weight = self._encoded(parts)
        ends = np.array([passage.ends for passage in passages], bool)
        closes, total = np.cumsum(length)[ends], length + ends
        tokens = np.insert(tokens.astype(self._dtype), closes, self.facts.end)
        arrays = {
            "x": unflat(tokens, starts(total), total),
            LENGTH: total.astype(np.int32),
            PIECE: np.fromiter((passage.piece for passage in passages), np.int64, len(passages)),
        }
        if self.facts.answers:
            learns_end = np.array([_learns_end(passage) for passage in passages], np.uint8)
            arrays[WEIGHT] = unflat(np.insert(weight, closes, learns_end[ends]), starts(total), total)
        return arrays

    def to_space(self, arrays: Arrays) -> Arrays:
        """``x`` as int64; whatever else there is, unchanged."""
        return {**arrays, "x": arrays["x"].astype(np.int64)}

    def decode(self, arrays: Arrays) -> list[Passage]:
        """Passages of any tokens: up to ``length``, and to the first ``end``, which ends the document."""
        x_NL = np.asarray(arrays["x"], np.int64)
        wide = np.full(len(x_NL), x_NL.shape[1])
        length = np.minimum(np.asarray(arrays.get(LENGTH, wide), np.int64), wide)
        closes = (x_NL == self.facts.end) & (np.arange(x_NL.shape[1]) < length[:, None])
        ends = closes.any(axis=1)
        stop = np.where(ends, closes.argmax(axis=1), length) if x_NL.shape[1] else length
        piece = np.asarray(arrays.get(PIECE, np.zeros(len(x_NL))), np.int64)
        rows = [row[:last] for row, last in zip(x_NL, stop.tolist(), strict=True)]
        if self._signs or WEIGHT in arrays:
            weights = np.asarray(arrays.get(WEIGHT, np.ones_like(x_NL)), bool)
            facts = zip(rows, weights, piece.tolist(), ends.tolist(), strict=True)
            return [self._in_parts(row, weight, number, last) for row, weight, number, last in facts]
        texts = self.tokenizer.decode(rows)
        return [Passage(*each) for each in zip(texts, piece.tolist(), ends.tolist(), strict=True)]

    def encode_given(self, given: Mapping[str, Any], n: int) -> Given:
        """``{"prompt": text}`` as the tokens that each sample begins with, ``known`` (n, P) int64.

        A plain string is a question to a model of conversations; a ``Passage`` is taken as it is.

        Raises:
            InputError: it is no text.
        """
        prompt = given.get(PROMPT, "")
        if not isinstance(prompt, str):
            raise InputError(Code.GIVEN, f"prompt takes text, not a {type(prompt).__name__}.")
        if not prompt:
            return Given()
        begun = turns.question(prompt) if self.facts.chat and not isinstance(prompt, Passage) else as_passage(prompt)
        try:
            tokens = self._encoded([self._parts(begun)])[0]
        except UnicodeEncodeError:
            raise InputError(Code.GIVEN, "The prompt holds half a surrogate pair, which is no character.") from None
        known = np.tile(tokens, (n, 1))
        return Given(known=known, mask=np.ones(known.shape, bool))

    def guide(self, options: SampleOptions, given: Mapping[str, Any]) -> Guide | None:
        """What steers texts on their way; see :class:`ilk.core.sequences.Guiding`.

        Raises:
            InputError: a grammar cannot be met.
        """
        if options == SampleOptions():
            return None
        from ilk.kinds.text.guide import TextGuide

        known = self.encode_given(given, 1).known
        prompt = "" if known is None else str(self.decode({"x": known})[0])
        return TextGuide(self.tokenizer, self.space, options, prompt)

    def tell(self, tokens: Sequence[int], *, whole: bool) -> Passage:
        """The text as far as it is certain: half a character waits for its other half."""
        text = self.decode({"x": np.array([tokens], np.int64).reshape(1, -1)})[0]
        return text if whole or text.ends else text.part(0, len(text.rstrip("\ufffd")), text.piece)

    def units(self, objects: Sequence[Any]) -> tuple[str, Array]:
        """Characters, whatever the tokens are; see :class:`ilk.core.units.Counting`."""
        return "character", np.fromiter(map(len, objects), np.int64, len(objects))

    def wholes(self, examples: Iterable[Example]) -> Iterator[Passage]:
        """Documents of their passages, as far as these follow each other; none of them ends."""
        return wholes(example.object for example in examples)

    def save(self, folder: Path) -> None:
        """Write ``codec.json`` and ``tokenizer.json``."""
        (folder / FACTS).write_bytes(to_json(self.facts))
        (folder / TOKENIZER).write_bytes(self.tokenizer.json)

    def _parts(self, passage: Passage) -> list[tuple[str, int | None, bool]]:
        """A passage cut where a template sign or what is to be learned begins or ends: text, sign, whether to learn."""
        if not self.facts.answers and not self.facts.chat:
            return [(passage, None, True)]
        marks = {a: self._signs.get(passage[a:b]) for a, b in passage.marks}
        cuts = {0, len(passage)}
        cuts.update(place for a, b in passage.marks if marks[a] is not None for place in (a, b))
        cuts.update(place for span in passage.learn or () for place in span)
        order = sorted(place for place in cuts if 0 <= place <= len(passage))
        learn = passage.learn
        return [
            (passage[a:b], marks.get(a), learn is None or any(low <= a and b <= high for low, high in learn))
            for a, b in itertools.pairwise(order)
        ] or [("", None, True)]

    def _encoded(self, rows: Sequence[list[tuple[str, int | None, bool]]]) -> tuple[Array, Array, Array]:
        """Tokens of all parts, how many each row has, and whether each counts."""
        parts = [part for row in rows for part in row]
        tokens, takes = self.tokenizer.encode(["" if sign is not None else text for text, sign, _ in parts])
        signs = np.array([-1 if sign is None else sign for _, sign, _ in parts], np.int64)
        if (signs >= 0).any():
            tokens = np.insert(tokens, np.cumsum(takes)[signs >= 0], signs[signs >= 0])
            takes = np.where(signs >= 0, 1, takes)
        learn = np.repeat(np.array([counts for *_, counts in parts], np.uint8), takes)
        begins = np.cumsum([0, *map(len, rows[:-1])])
        return tokens, np.add.reduceat(takes, begins) if len(rows) else takes, learn

    def _in_parts(self, row: Array, weight: Array, piece: int, ends: bool) -> Passage:  # noqa: FBT001
        """A passage with its template signs and what is to be learned."""
        learned = weight[: len(row)]
        is_sign = np.isin(row, list(self._signs.values()))
        cuts = np.flatnonzero(is_sign | np.append(False, is_sign[:-1]) | (np.diff(learned, prepend=learned[:1]) != 0))
        pieces = list(np.split(row, cuts))
        texts = self.tokenizer.decode(pieces)
        places = np.cumsum([0, *map(len, texts)]).tolist()
        spans = list(itertools.pairwise(places))
        first = np.concatenate([[0], cuts]).astype(int) if len(row) else np.zeros(0, int)
        marks = tuple(span for span, at in zip(spans, first, strict=False) if is_sign[at])
        whole = bool(weight[: len(row) + ends].all())
        learn = None if whole else _merged(span for span, at in zip(spans, first, strict=False) if learned[at])
        return Passage("".join(texts), piece, ends, learn, marks)


def _merged(spans: Any) -> Spans:
    """Spans that touch as one."""
    out: list[tuple[int, int]] = []
    for a, b in spans:
        if out and out[-1][1] == a:
            a, _ = out.pop()
        if a < b:
            out.append((a, b))
    return tuple(out)


def _learns_end(passage: Passage) -> bool:
    """What follows what is to be learned is to be learned too."""
    return passage.learn is None or any(stop >= len(passage) for _, stop in passage.learn)


def _passage_of(example: Example) -> Passage:
    if not isinstance(example.object, str):
        what = type(example.object).__name__
        raise UnreadableError(
            Code.UNREADABLE, f"{example.name or 'An example'} cannot be read: it is a {what}, no text."
        )
    if not example.object.isascii():
        try:
            example.object.encode()
        except UnicodeEncodeError:
            sentence = f"{example.name or 'A text'} cannot be read: it holds half a surrogate pair."
            raise UnreadableError(Code.UNREADABLE, sentence) from None
    return as_passage(example.object)


def load_codec(folder: Path) -> TextCodec:
    """Read what ``save`` wrote; a stranger's files are checked.

    Raises:
        FolderError: they are missing, damaged, or do not fit together.
    """
    facts = read_json(_checked(folder / FACTS, 2**16), Facts)
    path = _checked(folder / TOKENIZER, MOST_BYTES)
    try:
        tokenizer = load_tokenizer(path.read_bytes(), facts.flavour)
    except FolderError as error:
        raise FolderError(error.code, f"{path} cannot be used: {error.sentence}.") from None
    fits = tokenizer.vocabulary <= facts.vocabulary
    if not fits or (facts.flavour != "base" and tokenizer.vocabulary != facts.vocabulary):
        raise FolderError(Code.FOLDER_UNSAFE, f"{path} does not have the tokens that {FACTS} speaks of.")
    return TextCodec(facts, tokenizer)


def _checked(path: Path, most: int) -> Path:
    try:
        if path.stat().st_size > most:
            raise FolderError(Code.FOLDER_UNSAFE, f"{path} is far too large for a codec.")
    except OSError as error:
        raise FolderError(Code.FOLDER_DAMAGED, f"{path} cannot be read ({error.strerror}).") from None
    return path
