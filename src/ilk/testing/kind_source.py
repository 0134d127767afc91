"""Promises about a kind and its sources: it is complete, recognises, reads, stamps, answers bad input."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from ilk.core.config import Record, convert, fields
from ilk.core.errors import InputError
from ilk.core.protocol import Example, Format, Measure, Problem
from ilk.testing.bad_input import bad_inputs
from ilk.testing.kind_case import KindCase
from ilk.testing.suite import refuses

METHODS = (
    "recognise", "read", "stamp", "fit_codec", "load_codec", "engine", "sketch", "fit_features", "fit_encoder",
    "load_features", "write", "draw", "identify", "check", "carrier", "with_carrier",
)  # fmt: skip
FOREIGN: tuple[Any, ...] = (None, 3, 2.5, b"bytes", object(), {}, [], [object()], lambda: None)

_LIGHT = """
import importlib, json, sys
kind = getattr(importlib.import_module({module!r}), {name!r})
for source in json.loads({sources!r}):
    kind.recognise(source)
heavy = [name for name in ("torch", "sklearn", "pandas") if name in sys.modules]
print(",".join(heavy))
"""


def check_kind_is_complete(case: KindCase) -> None:
    """A kind has every member of the protocol, of the right type."""
    kind = case.kind
    missing = [name for name in METHODS if not callable(getattr(kind, name, None))]
    assert not missing, f"these methods are missing: {', '.join(missing)}"
    assert isinstance(kind.name, str), "name must be a string"
    assert re.fullmatch(r"[a-z][a-z0-9_-]*", kind.name), f"name must be a lower-case word, not {kind.name!r}"
    assert isinstance(kind.extra, str), "extra must be a string"
    for record in (kind.Options, kind.SampleOptions):
        assert isinstance(record, type), f"{record} must be a Record class"
        assert issubclass(record, Record), f"{record} must be a Record class"
    assert isinstance(kind.measures, tuple), "measures must be a tuple of Measure"
    assert all(isinstance(m, Measure) for m in kind.measures), "measures must be a tuple of Measure"
    assert isinstance(kind.demos, Mapping), "demos must be a mapping of name to one line"


def check_formats_are_clear(case: KindCase) -> None:
    """Formats have one suffix each, a media type, and one of them takes a single object."""
    formats = case.kind.formats
    assert isinstance(formats, tuple), "formats must be a tuple of Format"
    assert formats, "a kind writes at least one format"
    assert all(isinstance(form, Format) for form in formats), "formats must be a tuple of Format"
    suffixes = [form.suffix.lstrip(".") for form in formats]
    assert all(re.fullmatch(r"[a-z0-9]+", suffix) for suffix in suffixes), f"odd suffixes: {suffixes}"
    assert len(set(suffixes)) == len(suffixes), f"a suffix comes twice: {suffixes}"
    assert all(re.fullmatch(r"[a-z]+/[\w.+-]+", form.media_type) for form in formats), "a media type is wrong"


def check_options_are_typed(case: KindCase) -> None:
    """Options are frozen, have defaults and help, and refuse an unknown name with a suggestion."""
    for record in (case.kind.Options, case.kind.SampleOptions):
        options = record()
        assert record.__struct_config__.frozen, f"{record.__qualname__} must be frozen"
        rows = fields(record)
        silent = [row.name for row in rows if not row.help]
        assert not silent, f"{record.__qualname__} has options without help: {', '.join(silent)}"
        unknown = f"{rows[0].name}x" if rows else "nothing"
        error = refuses(partial(convert, {unknown: 1}, record, "option"), f"the unknown option {unknown}")
        assert not rows or f'did you mean "{rows[0].name}"' in str(error), f"no suggestion for {unknown}: {error}"
        again = convert(json.loads(msgspec.json.encode(options)), record, "option")
        assert again == options, f"{record.__qualname__} changes on its way through JSON"


def check_recognises_its_source(case: KindCase) -> None:
    """The kind claims its own source, with a number above 0 and at most 1."""
    score = case.kind.recognise(case.source)
    assert isinstance(score, float), f"recognise gives a float, not {type(score).__name__}"
    assert 0 < score <= 1, f"recognise gave {score} for the kind's own source"


def check_recognises_nothing_foreign(case: KindCase) -> None:
    """What is not of this kind gets 0, and nothing makes recognise fail."""
    empty = case.folder()
    other = case.folder() / "file.unheard-of"
    other.write_bytes(b"\x00\x01\x02")
    for thing in (*FOREIGN, empty, empty / "missing", other, str(other)):
        score = case.kind.recognise(thing)
        assert score == 0, f"recognise gave {score} for {thing!r}"


def check_recognise_is_light(case: KindCase) -> None:
    """Recognition in a fresh process loads no torch, scikit-learn or pandas."""
    address = case.address()
    assert address, "the kind must be an object of its class's module, so that an entry point can name it"
    sources = [str(case.folder()), "a text", "/not/there.png"] + ([str(case.source)] if case.path else [])
    code = _LIGHT.format(module=address[0], name=address[1], sources=json.dumps(sources))
    path = os.pathsep.join(entry for entry in sys.path if entry)
    command, there = [sys.executable, "-c", code], {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, env=there, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"recognise failed in a fresh process: {done.stderr.strip()[-300:]}"
    assert not done.stdout.strip(), f"recognise loads {done.stdout.strip()}"


def check_reads_as_a_stream(case: KindCase) -> None:
    """Reading gives an iterator of Examples and Problems, each with a name."""
    stream = case.kind.read(case.source, case.options)
    assert isinstance(stream, Iterator), f"read gives an iterator, not {type(stream).__name__}"
    for item in islice(stream, 50):
        assert isinstance(item, Example | Problem), f"read gave a {type(item).__name__}"
        assert isinstance(item.name, str), "an example has a name, so that a sentence can speak of it"
        assert item.name, "an example has a name, so that a sentence can speak of it"
        if isinstance(item, Example):
            assert all(isinstance(name, str) for name in item.given), f"{item.name}: conditions have names"


def check_reads_in_the_same_order(case: KindCase) -> None:
    """Reading twice gives the same names, conditions and groups in the same order."""
    first, second = (
        [(i.name, getattr(i, "given", None), getattr(i, "group", None)) for i in islice(stream, 500)]
        for stream in (case.kind.read(case.source, case.options), case.kind.read(case.source, case.options))
    )
    assert first == second, "the second reading gave other examples, or another order"


def check_stamp_is_stable(case: KindCase) -> None:
    """The stamp of a source that did not change does not change."""
    first, second = (case.kind.stamp(case.source, case.options) for _ in range(2))
    assert isinstance(first, str), "a stamp is a string"
    assert first, "a stamp is not empty"
    assert first == second, "the stamp changed, though the source did not"


def check_stamp_follows_the_content(case: KindCase) -> None:
    """The stamp changes when a file of the source grows or, in a folder, goes."""
    if case.path is None:
        other = case.folder() / "other"
        assert case.kind.stamp(case.source, case.options) != str(other)
        return
    copy = _copy(case.path, case.folder())
    files = sorted(path for path in copy.rglob("*") if path.is_file()) if copy.is_dir() else [copy]
    before = case.kind.stamp(copy, case.options)
    with files[0].open("ab") as file:
        file.write(b"\n")
    grown = case.kind.stamp(copy, case.options)
    assert grown != before, f"the stamp did not change when {files[0].name} grew"
    if len(files) > 1:
        files[-1].unlink()
        assert case.kind.stamp(copy, case.options) != grown, f"the stamp did not change when {files[-1].name} went"


def check_answers_bad_input(case: KindCase) -> None:
    """Every source of the bad-input list is refused in a sentence or read as Problems, never a crash."""
    for bad in bad_inputs():
        source = bad.make(case.folder(), case.suffix())
        score = case.kind.recognise(source)
        assert 0 <= score <= 1, f"{bad.name}: recognise gave {score}"
        try:
            case.kind.stamp(source, case.options)
            items = list(case.kind.read(source, case.options))
        except InputError as error:
            code = error.code
        except Exception as error:
            raise AssertionError(f"{bad.name} raised {type(error).__name__}: {error}") from error
        else:
            assert all(isinstance(item, Problem) for item in items), f"{bad.name} was read as if it were good"
            continue
        assert code in bad.codes, f"{bad.name}: the code is {code}, expected one of {', '.join(bad.codes)}"


def check_demos_can_be_read(case: KindCase) -> None:
    """Each bundled demo is described in a line, recognised and read; an unknown one is refused."""
    for name, line in case.kind.demos.items():
        source = f"demo:{name}"
        assert line.strip(), f"{source} has no line about it"
        assert case.kind.recognise(source) == 1.0, f"{source} is not recognised"
        found = next(iter(case.kind.read(source, case.options)), None)
        assert isinstance(found, Example), f"{source} holds no example"
    unknown = "demo:there-is-no-such-demo"
    refuses(lambda: list(case.kind.read(unknown, case.options)), unknown, kinds=(InputError,))


def _copy(path: Path, folder: Path) -> Path:
    target = folder / path.name
    return Path(shutil.copytree(path, target) if path.is_dir() else shutil.copy2(path, target))


CHECKS = (
    check_kind_is_complete,
    check_formats_are_clear,
    check_options_are_typed,
    check_recognises_its_source,
    check_recognises_nothing_foreign,
    check_recognise_is_light,
    check_reads_as_a_stream,
    check_reads_in_the_same_order,
    check_stamp_is_stable,
    check_stamp_follows_the_content,
    check_answers_bad_input,
    check_demos_can_be_read,
)
