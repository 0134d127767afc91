r"""From bytes to text: which encoding a file has, and its characters in blocks.

A file is looked through once before it is read, so that it is never found in its middle that its beginning was read
wrongly. Byte order marks are dropped, line ends become ``\n``; nothing else is changed. Nothing here holds more than a
block of a file.
"""

from __future__ import annotations

import codecs
import io
import unicodedata
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ilk.core.errors import Code, UnreadableError

Opener = Callable[[], BinaryIO]
BLOCK = 2**20
_LOOK = 2**16
"""Bytes that an encoding is guessed from."""
_BINARY = "it is binary, no text"
_CONTROL = bytes(sorted(set(range(32)) - set(b"\t\n\r\f\v\x1b\x1a\b"))) + b"\x7f"
_MOST_CONTROL = 0.02
_MOST_ODD = 0.05
_MARKS = (  # the longer ones first: UTF-32 begins as UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LEGACY = (
    "cp1252", "iso8859_15", "cp1250", "iso8859_2", "cp1251", "koi8_r", "koi8_u", "cp1253", "cp1254", "cp1255", "cp1256",
    "cp1257", "cp1258", "gb18030", "big5", "cp932", "euc_jp", "cp949", "cp874", "cp437", "cp850", "cp866",
)  # fmt: skip
"""What a file may be that is not UTF-8. Those of old Macs and of one country's telephones would only be confused."""
FALLBACK = "ilk_cp1252"
"""The error handler that takes a byte that does not fit for the character that it is in cp1252."""


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in wrong), error.end


codecs.register_error(FALLBACK, _as_cp1252)


def text_of(opener: Opener, forced: str | None) -> Iterator[str]:
    """The text of a file in blocks.

    Args:
        opener: opens it from its beginning, each time it is called.
        forced: its encoding, where the user names one.

    Raises:
        UnreadableError: at the first block; the reason, in a few words.
    """
    encoding, errors = encoding_of(opener, forced)
    yield from blocks(opener, encoding, errors)


def blocks(opener: Opener, encoding: str, errors: str = "strict") -> Iterator[str]:
    """The text of a file in a known encoding."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(errors), translate=True)
    for raw in _raw(opener):
        if text := decoder.decode(raw):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def encoding_of(opener: Opener, forced: str | None) -> tuple[str, str]:
    """Name of a file's encoding and how errors in it are taken.

    Raises:
        UnreadableError: it is binary, or not in the encoding that is forced.
    """
    with opener() as file:
        head = file.read(_LOOK)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    named = forced or marked or _unmarked_utf16(head)
    if named:
        _refuse_wrong(opener, named)
        return named, "strict"
    if not _is_utf8(opener):
        return _legacy(opener)
    return "utf-8", "strict"


def decoded(raw: bytes, forced: str | None) -> str:
    """The text of a whole file that is in memory.

    Raises:
        UnreadableError: as :func:`encoding_of`.
    """
    return "".join(text_of(lambda: io.BytesIO(raw), forced))


def _raw(opener: Opener) -> Iterator[bytes]:
    with opener() as file:
        while block := file.read(BLOCK):
            yield block


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without a mark: of Latin letters every second byte is zero."""
    half = max(1, len(head) // 2)
    even, odd = head[0::2].count(0) / half, head[1::2].count(0) / half
    if odd > 0.3 and even < 0.02:
        return "utf-16-le"
    return "utf-16-be" if even > 0.3 and odd < 0.02 else None


def _refuse_wrong(opener: Opener, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    shown = encoding.removesuffix("-sig").upper()
    size = odd = 0
    try:
        for raw in _raw(opener):
            text = decoder.decode(raw)
            size, odd = size + len(text), odd + text.count("\0")
        decoder.decode(b"", True)  # noqa: FBT003  (the codecs' own signature)
    except (UnicodeError, ValueError):
        raise UnreadableError(Code.UNREADABLE, f"it is not {shown}") from None
    if odd:
        raise UnreadableError(Code.UNREADABLE, _BINARY)


def _is_utf8(opener: Opener) -> bool:
    """Whether all of a file is UTF-8.

    Raises:
        UnreadableError: it is binary.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = odd = 0
    good = True
    for raw in _raw(opener):
        size, odd = size + len(raw), odd + len(raw) - len(raw.translate(None, _CONTROL))
        if b"\0" in raw or odd > max(2, _MOST_CONTROL * size):
            raise UnreadableError(Code.UNREADABLE, _BINARY)
        try:
            if good:
                decoder.decode(raw)
        except UnicodeDecodeError:
            good = False
    try:
        decoder.decode(b"", True)  # noqa: FBT003
    except UnicodeDecodeError:
        good = False
    return good


def _legacy(opener: Opener) -> tuple[str, str]:
    """UTF-8 with a few wrong bytes, or the likeliest of the older encodings.

    Raises:
        UnreadableError: it is none of them.
    """
    sample = _around_the_first_wrong_byte(opener)
    text = sample.decode("utf-8", "replace")
    wrong, right = text.count("\ufffd"), sum(not char.isascii() for char in text) - text.count("\ufffd")
    if right > 2 * wrong:
        return "utf-8", FALLBACK
    guess = _guessed(sample)
    if guess is None or _is_odd(sample.decode(guess, FALLBACK)):
        raise UnreadableError(Code.UNREADABLE, _BINARY)
    return guess, FALLBACK


def _around_the_first_wrong_byte(opener: Opener) -> bytes:
    """Bytes that are typical for what is not UTF-8 in a file: those from the first line that is not."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    last = b""
    for raw in _raw(opener):
        try:
            decoder.decode(raw)
        except UnicodeDecodeError as error:
            both = last + raw
            place = max(0, len(last) + error.start - _LOOK // 2)
            place = both.rfind(b"\n", 0, place) + 1 if place else 0
            return both[place : place + _LOOK]
        last = raw[-_LOOK:]
    return last


def _guessed(sample: bytes) -> str | None:
    """The likeliest encoding; cp1252 where nothing speaks against it."""
    from charset_normalizer import from_bytes

    found = from_bytes(sample, cp_isolation=list(LEGACY))
    best = found.best()
    if best is None:
        return None
    for match in found:  # of those that are as good, the one that most files have
        if match.encoding == "cp1252" and match.chaos <= best.chaos and match.coherence >= best.coherence:
            return "cp1252"
    return best.encoding


def _is_odd(text: str) -> bool:
    """Whether much of a text is no character that anyone would write, or has no space between words."""
    odd = sum(unicodedata.category(char) in ("Cc", "Cn", "Co") and char not in "\t\n\r\f" for char in text)
    return odd > _MOST_ODD * max(1, len(text))
