"""Pretrained starts for text: how one reads letters, and what stands around a document.

Files and weights are the engine's business (``ilk.engines.gpt.bases``): here it is asked how a base reads letters, and
whether that gives a text back as it was.
"""

from __future__ import annotations

from ilk.core.errors import Code, FolderError, InputError
from ilk.core.protocol import Base
from ilk.kinds.text.codec import Facts, TextCodec
from ilk.kinds.text.tokenizer import END, Tokenizer, base_file, load_tokenizer

_PROBE = "Žluťoučký kůň 12345,\n\tif x:\n        y  =  '今天' + \"😀\"  \n"


def open_base(name: str) -> Base:
    """The base of that name: a folder, a file, an asset, or another model.

    Raises:
        InputError: it is nothing that text can start from.
        MachineError: it is not on this machine; the sentence has the line that gets it.
    """
    from ilk.engines.gpt import bases

    return bases.open_base(name)


def base_tokenizer(base: Base) -> Tokenizer:
    """How a base reads letters.

    Raises:
        InputError: its tokenizer is damaged, or one that changes the text.
    """
    from ilk.engines.gpt.bases import open_pretrained

    raw = open_pretrained(base).tokenizer()
    try:
        tokenizer = load_tokenizer(base_file(raw), "base")
    except (FolderError, ValueError, KeyError, TypeError, RecursionError) as error:
        what = error.sentence if isinstance(error, FolderError) else "it is damaged"
        raise InputError(Code.FOLDER_DAMAGED, f"The tokenizer of {base.name} cannot be used: {what}.") from None
    tokens, _ = tokenizer.encode([_PROBE])
    if tokenizer.decode([tokens]) != [_PROBE]:
        raise InputError(Code.SOURCE_UNKNOWN, f"The tokenizer of {base.name} does not give a text back as it was.")
    return tokenizer


def base_codec(base: Base, *, chat: bool) -> TextCodec:
    """A codec that reads as the base does.

    Args:
        base: the pretrained start.
        chat: whether the examples are conversations: their turns end with a sign of the template, so that the end of
            the text must be another one.
    """
    from ilk.engines.gpt.bases import open_pretrained

    tokenizer = base_tokenizer(base)
    pretrained = open_pretrained(base)
    vocabulary = pretrained.shape.vocabulary
    if tokenizer.vocabulary > vocabulary:
        sentence = f"The tokenizer of {base.name} has {tokenizer.vocabulary:,} tokens, its network only {vocabulary:,}."
        raise InputError(Code.FOLDER_DAMAGED, sentence)
    start, end = _ends(tokenizer, *pretrained.ends())
    about = f"the {vocabulary:,} tokens of {base.name}"
    facts = Facts(flavour="base", about=about[:1000], vocabulary=vocabulary, length=1, start=start, end=end, chat=chat)
    return TextCodec(facts, tokenizer)


def _ends(tokenizer: Tokenizer, start: int | None, end: int | None) -> tuple[int, int]:
    """The tokens around a document: the one that stood between documents in training, or those that the base names.

    A base for chats names the signs around a turn instead, and a document is no turn.
    """
    plain = tokenizer.special(END)
    if plain is not None:
        return plain, plain
    end = start if end is None else end
    start = end if start is None else start
    if start is None or end is None or not 0 <= min(start, end) <= max(start, end) < tokenizer.vocabulary:
        raise InputError(Code.SOURCE_UNKNOWN, "The base does not say which tokens begin and end a text.")
    return start, end
