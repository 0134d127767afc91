"""Passages to bytes: ``.txt`` and ``.md`` as they are, many in one ``.txt`` or ``.jsonl``.

Several texts in one ``.txt`` stand between lines of ``<|endoftext|>``; a line in a text that is such a line gets a
backslash before it, which ``read.py`` takes off again, so that what was written is read back to the letter. The note
goes into a ``.jsonl`` only, as ``"ilk"``; of the others it is in the sidecar that ``ilk.seal`` writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import msgspec

from ilk.core.errors import Code, InputError, suggest
from ilk.kinds.text.formats import SEPARATOR, WRITTEN

_LINE = re.compile(rf"^(\\*{re.escape(SEPARATOR)})$", re.MULTILINE)


def write(objects: Sequence[Any], file: BinaryIO, format: str, note: Mapping[str, str]) -> None:
    """One file's bytes, UTF-8.

    Args:
        objects: strings; one, or any number for ``txt`` and ``jsonl``. May be a lazy sequence: it is walked once.
        file: takes the bytes.
        format: a suffix of ``formats.WRITTEN``.
        note: facts to keep in a ``jsonl``, in each of its records.

    Raises:
        InputError: the format is unknown, or takes another number of texts.
    """
    name = format.lower().removeprefix(".")
    known = {written.suffix: written for written in WRITTEN}
    if name not in known:
        raise InputError(Code.OUTPUT, f'Text is not written as "{format}"; {suggest(name, known)}.')
    if len(objects) != 1 and not known[name].many:
        raise InputError(Code.OUTPUT, f"A {name} file holds one text, not {len(objects)}; write txt or jsonl for many.")
    for place, text in enumerate(objects):
        if name == "jsonl":
            record = {"text": str(text), "ilk": dict(note)} if note else {"text": str(text)}
            file.write(msgspec.json.encode(record) + b"\n")
        else:
            between = f"\n{SEPARATOR}\n" if place else ""
            file.write((between + (_LINE.sub(r"\\\1", text) if name == "txt" else text)).encode("utf-8", "replace"))
