"""Typed records from loose words: options, settings and JSON files, with errors that name the field.

Every configuration in ilk is a frozen ``msgspec.Struct`` that forbids unknown fields. This
file turns ``{"resolution": "64"}`` into such a record or into one sentence, and a record into
the table of help that the command line and the documentation show.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ilk.core.errors import Code, FolderError, InputError, suggest

R = TypeVar("R", bound=msgspec.Struct)
AT = re.compile(
    r"(?:Expected `(?P<type>\w+)[^`]*`(?: (?P<op>[<>]=?) (?P<bound>\S+))?|.*?)(?:, got .*)?"
    r" - at `\$\.(?P<name>\w+).*`"
)
"""What msgspec says of a value that does not fit."""
TYPES = {"int": "a whole number", "float": "a number", "str": "a text", "bool": "yes or no"}
BOUNDS = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every options and settings record.

    A field's help is written beside its type: ``Annotated[int, msgspec.Meta(description="...")]``.
    """


class Field(msgspec.Struct, frozen=True):
    """One row of a record's help."""

    name: str
    type: str
    default: str
    help: str


def convert(values: Mapping[str, Any], record: type[R], what: str) -> R:
    """Make ``record`` from ``values`` (strings are converted) or raise one sentence.

    Args:
        values: names (dashes allowed) to values.
        record: the Struct to make.
        what: how to call the record in a sentence, such as "option of image".

    Raises:
        InputError: an unknown name (with a suggestion) or a value of the wrong type.
    """
    known = record.__struct_fields__
    tidy = {name.replace("-", "_"): value for name, value in values.items()}
    for name in tidy:
        if name not in known:
            shown = [field.replace("_", "-") for field in known]
            hint = suggest(name.replace("_", "-"), shown)
            raise InputError(Code.OPTION, f'"{name}" is no {what}; {hint}.')
    several = {field.name for field in msgspec.structs.fields(record) if isinstance(field.default, tuple)}
    tidy = {name: (value,) if name in several and isinstance(value, str) else value for name, value in tidy.items()}
    try:
        return msgspec.convert(tidy, record, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise InputError(Code.OPTION, _sentence(str(error), tidy, record, what)) from None


def _sentence(error: str, values: Mapping[str, Any], record: type[msgspec.Struct], what: str) -> str:
    """What msgspec says about a value, in a person's words, such as ``top-p cannot be 2``."""
    found = AT.fullmatch(error)
    rows = {row.name: row for row in fields(record)}
    name = found["name"].replace("_", "-") if found else ""
    if found is None or name not in rows:
        return f"The {what} is wrong: {error}."
    choices = rows[name].type.split("|")
    bound = f" {BOUNDS[found['op']]} {found['bound']}" if found["op"] else ""
    wanted = TYPES.get(found["type"] or "", rows[name].type) + bound
    if len(choices) > 1 and not bound:
        wanted = "one of " + ", ".join(choices)
    return f"{name} cannot be {values[found['name']]}: it must be {wanted}."


def read_json(path: Path, record: type[R]) -> R:
    """Read a record from a JSON file.

    Raises:
        FolderError: the file is missing, is no JSON, or has an unknown or wrong field.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=record)
    except OSError as error:
        raise FolderError(Code.FOLDER_DAMAGED, f"{path} cannot be read ({error.strerror}).") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FolderError(Code.FOLDER_DAMAGED, f"{path} is damaged: {error}.") from None


def to_json(record: Any) -> bytes:
    """Indented JSON with a final newline: a file that a person can read and a diff can show."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def canonical_json(value: Any) -> bytes:
    """The one byte string for a value (sorted keys, no spaces): what is hashed and signed."""
    return msgspec.json.encode(value, order="deterministic")


def fields(record: type[msgspec.Struct]) -> list[Field]:
    """The help table of a record: name, type, default and description of each field."""
    hints = typing.get_type_hints(record, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(record):
        hint = hints[field.name]
        text, bare = "", hint
        if typing.get_origin(hint) is typing.Annotated:
            bare = typing.get_args(hint)[0]
            metas = [m for m in hint.__metadata__ if isinstance(m, msgspec.Meta)]
            text = next((m.description for m in metas if m.description), "")
        default = "" if field.default in (msgspec.NODEFAULT, None, ()) else str(field.default)
        rows.append(Field(field.name.replace("_", "-"), _type_name(bare), default, text))
    return rows


def _type_name(hint: Any) -> str:
    """A type as a person writes it: ``int``, ``crop|pad|stretch``, ``str...`` where it may be repeated."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return _type_name(typing.get_args(hint)[0])
    if origin is tuple:
        return f"{_type_name(typing.get_args(hint)[0])}..."
    if origin is typing.Literal:
        return "|".join(str(choice) for choice in typing.get_args(hint))
    if origin is not None and type(None) in typing.get_args(hint):
        return "|".join(_type_name(a) for a in typing.get_args(hint) if a is not type(None))
    return getattr(hint, "__name__", str(hint))
