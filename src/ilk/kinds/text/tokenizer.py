"""Text <-> tokens: characters, bytes, pieces of words, or what a pretrained model reads. Knows no passage and no Space.

All four are files of the ``tokenizers`` library, so that a model can leave this house. Characters and bytes are looked
up in a table of numpy instead, which gives the same tokens many times as fast. Nothing that stands in a text becomes a
special token: those are asked for by name (:meth:`Tokenizer.special`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Literal, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from ilk.core.errors import Code, FolderError

Flavour = Literal["chars", "bytes", "bpe", "base"]
Ids = npt.NDArray[np.int64]

END = "<|endoftext|>"
"""Begins a document and ends it, as in GPT-2 and in SmolLM2."""
MOST_BYTES = 2**26
MOST_TOKENS = 2**20
_BYTE_NAMES = [f"<0x{byte:02X}>" for byte in range(256)]


class Tokenizer(Protocol):
    """What the codec asks of a tokenizer."""

    json: bytes
    """Its file, in the format of the ``tokenizers`` library."""
    vocabulary: int

    def encode(self, texts: Sequence[str]) -> tuple[Ids, Ids]:
        """Tokens of all texts, one after the other, and how many each one has.

        Raises:
            UnicodeEncodeError: a text holds half a surrogate pair.
        """
        ...

    def decode(self, rows: Sequence[Ids]) -> list[str]:
        """Any tokens as text; bytes that are no character become U+FFFD."""
        ...

    def special(self, name: str) -> int | None:
        """The token of a special sign."""
        ...


class _Model(msgspec.Struct, forbid_unknown_fields=True):
    vocab: dict[str, int]
    type: Literal["BPE"] = "BPE"
    merges: list[Any] = []
    dropout: None = None
    unk_token: str | None = None
    continuing_subword_prefix: str | None = None
    end_of_word_suffix: str | None = None
    fuse_unk: bool = False
    byte_fallback: bool = False
    ignore_merges: bool = False


class _Added(msgspec.Struct, forbid_unknown_fields=True):
    id: int
    content: str
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = False
    special: bool = False


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """A ``tokenizer.json``, as far as it must be known to be trusted: no cutting, no padding, no chance."""

    model: _Model
    version: Literal["1.0"] = "1.0"
    truncation: None = None
    padding: None = None
    added_tokens: list[_Added] = []
    normalizer: dict[str, Any] | None = None
    pre_tokenizer: dict[str, Any] | None = None
    post_processor: dict[str, Any] | None = None
    decoder: dict[str, Any] | None = None

    def ids(self) -> dict[str, int]:
        """Every token and its number."""
        return {**self.model.vocab, **{added.content: added.id for added in self.added_tokens}}

    def specials(self) -> dict[str, int]:
        return {added.content: added.id for added in self.added_tokens if added.special}


class TableTokenizer:
    """Characters that are known, bytes for those that are not; or bytes alone."""

    def __init__(self, raw: bytes, file: _File, flavour: Flavour) -> None:
        """Lay out the tables.

        Raises:
            FolderError: the file does not hold characters or bytes.
        """
        self.json = raw
        ids = file.ids()
        self.vocabulary = len(ids)
        self._specials = file.specials()
        names = _BYTE_NAMES if flavour == "chars" else byte_letters()
        taken = {*self._specials, *names}
        left = {name: number for name, number in ids.items() if name not in taken}
        if file.model.merges or any(name not in ids for name in names) or any(len(name) != 1 for name in left):
            raise FolderError(Code.FOLDER_UNSAFE, f"its tokens are no {flavour}")
        if flavour == "bytes" and left:
            raise FolderError(Code.FOLDER_UNSAFE, "its tokens are more than bytes")
        self._byte = np.array([ids[name] for name in names], np.int64)
        self._only_bytes = not left
        self._known = np.full(max(map(ord, left), default=0) + 2, -1, np.int64)  # the last place stands for all above
        for name, number in left.items():
            self._known[ord(name)] = number
        self._bytes: list[bytes] = [b""] * self.vocabulary
        for name, number in (*left.items(), *self._specials.items()):
            self._bytes[number] = name.encode()
        for byte, name in enumerate(names):
            self._bytes[ids[name]] = bytes([byte])

    def encode(self, texts: Sequence[str]) -> tuple[Ids, Ids]:
        if self._only_bytes:
            raw = [text.encode() for text in texts]
            found = self._byte[np.frombuffer(b"".join(raw), np.uint8)]
            return found, np.fromiter(map(len, raw), np.int64, len(raw))
        codes = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
        found = self._known[np.minimum(codes, len(self._known) - 1)]
        length = np.fromiter(map(len, texts), np.int64, len(texts))
        strange = np.flatnonzero(found < 0)
        if not len(strange):
            return found, length
        spelled = [chr(code).encode() for code in codes[strange].tolist()]
        takes = np.ones(len(codes), np.int64)
        takes[strange] = [len(raw) for raw in spelled]
        tokens = np.repeat(found, takes)
        tokens[tokens < 0] = self._byte[np.frombuffer(b"".join(spelled), np.uint8)]
        ends = np.concatenate([[0], np.cumsum(takes)])[np.cumsum(length)]
        return tokens, np.diff(ends, prepend=0)

    def decode(self, rows: Sequence[Ids]) -> list[str]:
        return [b"".join(map(self._bytes.__getitem__, row.tolist())).decode("utf-8", "replace") for row in rows]

    def special(self, name: str) -> int | None:
        return self._specials.get(name)


class PieceTokenizer:
    """Pieces of words, by the ``tokenizers`` library: trained here, or of a pretrained model."""

    def __init__(self, raw: bytes, file: _File) -> None:
        """Build it.

        Raises:
            FolderError: the library does not take the file.
        """
        self.json = raw
        self._specials = file.specials()
        self._inner = library_tokenizer(raw)
        # Without this, "<|endoftext|>" in somebody's text would be the end of the text.
        self._inner.encode_special_tokens = True
        self.vocabulary = max(file.ids().values()) + 1

    def encode(self, texts: Sequence[str]) -> tuple[Ids, Ids]:
        for text in texts:
            if not text.isascii():
                text.encode()  # the library has a TypeError for half a surrogate pair
        rows = [found.ids for found in self._inner.encode_batch_fast(list(texts), add_special_tokens=False)]
        length = np.fromiter(map(len, rows), np.int64, len(rows))
        return np.fromiter((token for row in rows for token in row), np.int64, int(length.sum())), length

    def decode(self, rows: Sequence[Ids]) -> list[str]:
        known: list[list[int]] = [row[row < self.vocabulary].tolist() for row in rows]
        texts: list[str] = self._inner.decode_batch(known, skip_special_tokens=False)
        return texts

    def special(self, name: str) -> int | None:
        return self._specials.get(name)


def load_tokenizer(raw: bytes, flavour: Flavour) -> Tokenizer:
    """The tokenizer in a file; a stranger's file is checked.

    Raises:
        FolderError: it is damaged, too large, or no tokenizer of that flavour; a few words.
    """
    if len(raw) > MOST_BYTES:
        raise FolderError(Code.FOLDER_UNSAFE, f"it is larger than {MOST_BYTES:,} bytes")
    try:
        file = msgspec.json.decode(raw, type=_File)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FolderError(Code.FOLDER_DAMAGED, f"it is damaged: {error}") from None
    numbers = sorted(file.ids().values())
    if not numbers or numbers[0] < 0 or numbers[-1] >= MOST_TOKENS or len(set(numbers)) != len(numbers):
        raise FolderError(Code.FOLDER_UNSAFE, "its tokens are not numbered one by one")
    if flavour != "base" and numbers != list(range(len(numbers))):
        raise FolderError(Code.FOLDER_UNSAFE, "its tokens are not numbered from 0 without a gap")
    if flavour in ("chars", "bytes"):
        return TableTokenizer(raw, file, flavour)
    return PieceTokenizer(raw, file)


def char_tokenizer(characters: Iterable[str], specials: Sequence[str]) -> Tokenizer:
    """Tokens of these characters, and 256 bytes for all others."""
    from tokenizers import Tokenizer as Library
    from tokenizers import decoders, models

    names = [*specials, *_BYTE_NAMES, *sorted(characters)]
    inner = Library(models.BPE(vocab={n: i for i, n in enumerate(names)}, merges=[], byte_fallback=True))
    inner.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    inner.add_special_tokens(list(specials))
    return load_tokenizer(inner.to_str().encode(), "chars")


def byte_tokenizer(specials: Sequence[str]) -> Tokenizer:
    """Tokens of the 256 bytes."""
    inner = _byte_level(specials, {n: i for i, n in enumerate([*specials, *sorted(byte_letters())])})
    return load_tokenizer(inner.to_str().encode(), "bytes")


def trained_tokenizer(texts: Iterable[str], vocabulary: int, specials: Sequence[str]) -> Tokenizer:
    """Pieces of words that are frequent in texts: byte pairs, digits one by one, as SmolLM2 cuts them.

    Sennrich, Haddow, Birch, "Neural machine translation of rare words with subword units", 2016.
    """
    from tokenizers import trainers

    inner = _byte_level(specials, {})
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(specials),
        initial_alphabet=sorted(byte_letters()),
        show_progress=False,
    )
    inner.train_from_iterator(iter(texts), trainer)
    return load_tokenizer(inner.to_str().encode(), "bpe")


def _byte_level(specials: Sequence[str], vocab: dict[str, int]) -> Any:
    from tokenizers import Tokenizer as Library
    from tokenizers import decoders, models, pre_tokenizers

    inner = Library(models.BPE(vocab=vocab, merges=[]) if vocab else models.BPE())
    digits = pre_tokenizers.Digits(individual_digits=True)
    inner.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    inner.decoder = decoders.ByteLevel()
    if vocab:
        inner.add_special_tokens(list(specials))
    return inner


def byte_letters() -> list[str]:
    """The letter that stands for each byte in byte-level vocabularies, as GPT-2 has them."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def base_file(raw: bytes) -> bytes:
    """A pretrained model's ``tokenizer.json`` without what it says of cutting, padding and chance."""
    content = json.loads(raw)
    content["truncation"] = content["padding"] = None
    content["model"]["dropout"] = None
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def library_tokenizer(raw: bytes) -> Any:
    """The library's own object.

    Raises:
        FolderError: it does not take the file.
    """
    import os

    from tokenizers import Tokenizer as Library

    # Examples are encoded in threads of ours; its own would only warn when a worker process is begun.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return _guarded(partial(Library.from_str, raw.decode()))


def _guarded(call: Any) -> Any:
    """What a call gives; a panic within the library, which is no Exception, is an error like any other."""
    try:
        return call()
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise FolderError(Code.FOLDER_DAMAGED, f"it is no tokenizer: {error}") from None
        raise
