"""From a source to a stream of Examples: text files, documents, records, folders, globs, lists, strings, the demo.

The text itself is read here, block by block, and cut into passages. What cannot be read comes out as a Problem, and
the stream goes on; of a source that is one file it is an InputError at once. How bytes become text is told in
``ilk.core.decoding`` and ``extract.py``, where a document is cut in ``cut.py``, which passages go together in
``copies.py``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ilk.core.decoding import text_of
from ilk.core.errors import Code, InputError, UnreadableError, suggest
from ilk.core.protocol import Example, Problem
from ilk.kinds.text import cut, extract, records
from ilk.kinds.text.copies import grouped
from ilk.kinds.text.formats import RECORDS, TABLES, suffix
from ilk.kinds.text.listing import Entry, as_path, is_text, list_path, list_paths
from ilk.kinds.text.options import Options
from ilk.kinds.text.passage import Passage, as_passage
from ilk.kinds.text.recognise import DEMO_PREFIX, DEMOS, is_column, paths_in

Stream = Iterator[Example | Problem]
_EMPTY = "it is empty"


def read(source: Any, options: Options) -> Stream:
    """Stream the passages of a source, always in the same order.

    Raises:
        InputError: at once, if the source is missing, empty, or one file that cannot be read.
    """
    if isinstance(source, str) and source.startswith(DEMO_PREFIX):
        path = demo_path(source)
        return grouped(_one(Entry(path.name.removesuffix(".gz"), path), Options()))
    if isinstance(source, str) and is_text(source):
        return grouped(_strings([source], "text"))
    if isinstance(source, list | tuple) or is_column(source):
        return grouped(_list(list(source), options))
    path_ = as_path(source)
    if path_ is None:
        raise InputError(Code.SOURCE_UNKNOWN, f"Text cannot be read from {_called(source)}.")
    entries = list_path(path_, tables=options.field is not None)
    if path_.is_dir() or len(entries) > 1:
        return grouped(_files(entries, options))
    return grouped(_one(entries[0], options))


def demo_path(source: str) -> Path:
    """The file of a bundled demo, ``demo:NAME``.

    Raises:
        InputError: there is no demo of that name.
    """
    name = source.removeprefix(DEMO_PREFIX)
    if name not in DEMOS:
        raise InputError(Code.SOURCE_MISSING, f'There is no demo "{name}" of text; {suggest(name, DEMOS)}.')
    return Path(__file__).parent / "demo" / f"{name}.txt.gz"


def _called(source: Any) -> str:
    return f'"{source[:40]}"' if isinstance(source, str) else f"a {type(source).__name__}"


def _list(items: Sequence[Any], options: Options) -> Stream:
    if not items:
        raise InputError(Code.SOURCE_MISSING, "The list is empty; give paths or strings.")
    if paths_in(list(items)):
        return _files(list_paths(items), options)
    for place, item in enumerate(items):
        if not isinstance(item, str):
            raise InputError(
                Code.SOURCE_UNKNOWN,
                f"Item {place} of the list is a {type(item).__name__}; give paths alone or strings alone.",
            )
    return _strings(items, "text")


def _strings(items: Iterable[str], name: str) -> Stream:
    for number, item in enumerate(items, 1):
        try:
            item.encode()
        except UnicodeEncodeError:
            yield Problem(f"{name} {number}", "it holds half a surrogate pair, which is no character")
            continue
        for part in cut.cut(as_passage(item)):
            yield Example(object=part, name=f"{name} {number}#{part.piece + 1}")


def _one(entry: Entry, options: Options) -> Stream:
    """The examples of a source that is one file.

    Raises:
        InputError: at once, if its beginning cannot be read; later, if a later part cannot.
    """
    stream = _file(entry, options)
    first = _next(stream, entry)
    if first is None:
        raise InputError(Code.SOURCE_MISSING, f"{entry.path} is empty.")
    return _rest(first, stream, entry)


def _rest(first: Example | Problem, stream: Stream, entry: Entry) -> Stream:
    item: Example | Problem | None = first
    while item is not None:
        yield item
        item = _next(stream, entry)


def _next(stream: Stream, entry: Entry) -> Example | Problem | None:
    try:
        return next(stream, None)
    except UnreadableError as error:
        raise InputError(Code.UNREADABLE, f"{entry.path} cannot be read: {error.sentence}.") from None


def _files(entries: Sequence[Entry], options: Options) -> Stream:
    """The examples of many files; one that cannot be read is a Problem."""
    for entry in entries:
        try:
            stream = _file(entry, options)
            first = next(stream, None)
            yield from chain([first], stream) if first is not None else [Problem(entry.name, _EMPTY)]
        except UnreadableError as error:
            yield Problem(entry.name, error.sentence)


def _file(entry: Entry, options: Options) -> Stream:
    """The examples of one file.

    Raises:
        UnreadableError: the reason, in a few words.
    """
    number = 0
    try:
        for item in _documents(entry, options):
            if isinstance(item, Passage):
                number += 1
                yield Example(object=item, name=f"{entry.name}#{number}")
            else:
                yield item
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        raise UnreadableError(Code.UNREADABLE, reason[0].lower() + reason[1:]) from None


def _documents(entry: Entry, options: Options) -> Iterator[Passage | Problem]:
    tail = suffix(entry.name)
    if tail in RECORDS or tail in TABLES:
        text = text_of(entry.open, options.encoding)
        found = (
            records.jsonl(text, options.field, entry.name)
            if tail in RECORDS
            else records.rows(text, options.field, entry.name, tabs=tail == ".tsv")
        )
        for document in found:
            yield from cut.cut(document) if isinstance(document, Passage) else [document]
        return
    yield from cut.passages(_text(entry, tail, options), options.each)


def _text(entry: Entry, tail: str, options: Options) -> Iterator[str]:
    """The text of a file that is one text, in blocks."""
    if tail in (".docx", ".pdf"):
        with entry.open() as file:
            yield from (extract.docx if tail == ".docx" else extract.pdf)(extract.whole(file))
    elif tail in (".html", ".htm"):
        with entry.open() as file:
            yield from extract.html(file, options.encoding)
    else:
        yield from text_of(entry.open, options.encoding)
