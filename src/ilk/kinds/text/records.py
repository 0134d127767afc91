"""Texts in records: the lines of a JSONL, the rows of a CSV. Which field is the text, and what a bad line is.

A record is a document; it comes out whole and ``cut.py`` cuts it. Files are streamed, and a line that is longer than
``MOST_LINE`` is passed over as damaged.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

import msgspec

from ilk.core.errors import Code, InputError, UnreadableError, suggest
from ilk.core.protocol import Problem
from ilk.kinds.text.passage import Passage
from ilk.kinds.text.turns import answered, of_messages

FIELD = "text"
MESSAGES = "messages"
PAIR = ("prompt", "completion")
MOST_LINE = 2**26
"""Characters of a line; a record of more is taken for damage."""
_LOOK = 200
_LONG = 25
"""A column whose entries are this long on average holds text and no names or numbers."""


def jsonl(blocks: Iterable[str], field: str | None, name: str) -> Iterator[Passage | Problem]:
    """The documents of a JSONL and, as Problems, its bad lines.

    Raises:
        InputError: the first record has no such field.
    """
    first = True
    for number, line in lines(blocks):
        if line is not None and not line.strip():
            continue
        record = _record(line)
        if isinstance(record, str):
            yield Problem(f"{name}, line {number}", record)
            continue
        if first:
            _refuse_unknown(record, field, name)
            first = False
        found = _document(record, field)
        yield Problem(f"{name}, line {number}", found) if not isinstance(found, Passage) else found


def shape(record: Any) -> bool:
    """Whether a record is one that ``jsonl`` takes without being told a field."""
    if not isinstance(record, dict):
        return False
    return (
        isinstance(record.get(FIELD), str)
        or isinstance(record.get(MESSAGES), list)
        or all(isinstance(record.get(key), str) for key in PAIR)
    )


def lines(blocks: Iterable[str]) -> Iterator[tuple[int, str | None]]:
    """Numbered lines, from 1, with their line break; None for one that is too long to be held."""
    number, held, lost = 1, "", False
    for block in blocks:
        parts = block.split("\n")
        for part in parts[:-1]:
            yield number, None if lost or len(held) + len(part) > MOST_LINE else f"{held}{part}\n"
            number, held, lost = number + 1, "", False
        lost = lost or len(held) + len(parts[-1]) > MOST_LINE
        held = "" if lost else held + parts[-1]
    if held or lost:
        yield number, None if lost else held


def rows(blocks: Iterable[str], field: str | None, name: str, *, tabs: bool) -> Iterator[Passage | Problem]:
    """The documents in the text column of a CSV or, with tabs, a TSV; empty entries are passed over.

    Raises:
        InputError: there is no such column, or none is clearly the text.
        UnreadableError: it is no CSV.
    """
    csv.field_size_limit(max(csv.field_size_limit(), MOST_LINE))  # the limit is the process's
    source = (line or "\n" for _, line in lines(blocks))
    head = next(source, "")
    delimiter = "\t" if tabs else max(",;\t|", key=head.count)
    reader = csv.reader(chain([head], source), delimiter=delimiter)
    try:
        columns = next(reader, [])
        look = list(islice(reader, _LOOK))
        place = _column(columns, look, field, name)
        for row in chain(look, reader):
            if len(row) > place and row[place].strip():
                yield Passage(row[place])
            elif row and len(row) <= place:
                yield Problem(f"{name}, line {reader.line_num}", f'it has no column "{columns[place]}"')
    except csv.Error as error:
        raise UnreadableError(Code.UNREADABLE, f"it is no CSV ({error})") from None


def _column(columns: list[str], look: list[list[str]], field: str | None, name: str) -> int:
    """Which column holds the text."""
    known = [column.strip() for column in columns]
    if field is not None:
        if field in known:
            return known.index(field)
        raise InputError(Code.OPTION, f'{name} has no column "{field}"; {suggest(field, known)}.')
    if FIELD in known:
        return known.index(FIELD)
    long = [place for place in range(len(known)) if _is_long(look, place)]
    if len(long) == 1:
        return long[0]
    which = "several columns" if long else "no column"
    listed = ", ".join((known[place] for place in long) if long else known[:20]) or "none at all"
    raise InputError(
        Code.SOURCE_UNKNOWN, f"{name} has {which} of long text ({listed}); say with --field which one it is."
    )


def _is_long(look: list[list[str]], place: int) -> bool:
    entries = [row[place] for row in look if len(row) > place and row[place].strip()]
    return bool(entries) and sum(map(len, entries)) >= _LONG * len(entries)


def _record(line: str | None) -> dict[str, Any] | str:
    """The record in a line, or what is wrong with it."""
    if line is None:
        return f"it is longer than {MOST_LINE:,} characters"
    try:
        record = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return "it is no JSON"
    return record if isinstance(record, dict) else "it is no JSON object"


def _document(record: dict[str, Any], field: str | None) -> Passage | str:
    """The document in a record, or what is wrong with it."""
    if field is None and isinstance(record.get(FIELD), str):
        field = FIELD
    if field is None and all(isinstance(record.get(key), str) for key in PAIR):
        pair = answered(record[PAIR[0]], record[PAIR[1]])
        return pair if record[PAIR[1]].strip() else "its completion is empty"
    if field == MESSAGES or (field is None and MESSAGES in record):
        return of_messages(record.get(MESSAGES))
    name = field or FIELD
    value = record.get(name)
    if value is None:
        return f'it has no field "{name}"'
    if not isinstance(value, str):
        return f'its field "{name}" is no text'
    return Passage(value) if value.strip() else f'its field "{name}" is empty'


def _refuse_unknown(record: dict[str, Any], field: str | None, name: str) -> None:
    """A field that the first record does not have is a mistake of the user's and none of the line."""
    if field is not None and field not in record:
        raise InputError(Code.OPTION, f'{name} has no field "{field}"; {suggest(field, record)}.')
    if field is None and FIELD not in record and MESSAGES not in record and not all(key in record for key in PAIR):
        known = ", ".join(list(record)[:20]) or "nothing"
        raise InputError(
            Code.SOURCE_UNKNOWN,
            f'{name} has no field "{FIELD}" but {known}; say with --field which one holds the text.',
        )
