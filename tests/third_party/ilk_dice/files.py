"""Throws in files: ``.dice`` text, one throw a line (``3 1 6`` or ``loaded: 3 1 6``), ``#`` begins a comment."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from ilk.core.errors import Code, InputError, suggest
from ilk.core.protocol import Example, Format, Problem

FORMATS = (Format(suffix="dice", media_type="text/plain"), Format(suffix="jsonl", media_type="text/plain", many=True))


def recognise(source: Any) -> float:
    if isinstance(source, list):
        return 1.0 if source and all(_is_throw(item) for item in source) else 0.0
    try:
        return 1.0 if _files(source) else 0.0
    except InputError:
        return 0.0


def read(source: Any) -> Iterator[Example | Problem]:
    if isinstance(source, list):
        if not source or not all(_is_throw(item) for item in source):
            raise InputError(Code.SOURCE_UNKNOWN, "The list does not hold throws, tuples of whole numbers from 1.")
        return (Example(tuple(item), f"throw {place}") for place, item in enumerate(source))
    files = _files(source)
    if not files:
        raise InputError(Code.SOURCE_MISSING, f"{source} holds no .dice files.")
    return (item for file in files for item in _lines(file))


def stamp(source: Any) -> str:
    if isinstance(source, list):
        return hashlib.sha256(repr(source).encode()).hexdigest()
    facts = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in _files(source)]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def write(objects: Sequence[Any], file: BinaryIO, format: str, note: Mapping[str, str]) -> None:
    if format == "jsonl":
        file.write(msgspec.json.Encoder().encode_lines([list(throw) for throw in objects]))
        return
    if format != "dice":
        raise InputError(Code.OUTPUT, f'Throws are not written as "{format}"; {suggest(format, ["dice", "jsonl"])}.')
    if len(objects) != 1:
        raise InputError(Code.OUTPUT, f"A .dice file of ours holds one throw, not {len(objects)}.")
    facts = [f"# {name}: {' '.join(value.split())}\n" for name, value in note.items()]
    file.write("".join([*facts, " ".join(map(str, objects[0])), "\n"]).encode())


def _is_throw(item: Any) -> bool:
    return isinstance(item, tuple) and bool(item) and all(type(face) is int and 1 <= face <= 255 for face in item)


def _files(source: Any) -> list[Path]:
    if not isinstance(source, str | Path):
        raise InputError(Code.SOURCE_UNKNOWN, f"Throws cannot be read from a {type(source).__name__}.")
    path = Path(source)
    try:
        if path.is_dir():
            return sorted(file for file in path.glob("*.dice") if file.is_file())
        return [path] if path.suffix == ".dice" and path.is_file() else []
    except (OSError, ValueError):
        return []


def _lines(file: Path) -> Iterator[Example | Problem]:
    with io.TextIOWrapper(file.open("rb"), "utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            words = line.partition("#")[0].strip()
            if not words:
                continue
            name = f"{file.name}:{number}"
            level, colon, throw = words.rpartition(":")
            try:
                faces = tuple(int(word) for word in throw.split())
            except ValueError:
                faces = ()
            if _is_throw(faces):
                yield Example(faces, name, {"die": level.strip()} if colon else {})
            else:
                yield Problem(name, "it is no throw, whole numbers from 1 to 255")
