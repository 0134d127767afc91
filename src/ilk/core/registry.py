"""Kinds and engines by name, through entry points: built-in ones come in by the same door as a stranger's.

``ilk.kinds`` names objects that satisfy :class:`ilk.core.protocol.Kind`; ``ilk.engines`` names
settings records that build an engine. Nothing is imported until it is asked for.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast

import msgspec

from ilk.core.errors import Code, InputError, MachineError, suggest
from ilk.core.protocol import Kind

KINDS, ENGINES = "ilk.kinds", "ilk.engines"


@cache
def _points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda p: p.name)}


def kind_names() -> list[str]:
    """Names of all kinds on this machine, built-in and third-party."""
    return list(_points(KINDS))


def get_kind(name: str) -> Kind:
    """The kind of that name.

    Raises:
        InputError: there is no such kind.
        MachineError: it needs an extra that is not installed.
    """
    return cast(Kind, _load(KINDS, name, "kind"))


def get_engine(name: str) -> type[msgspec.Struct]:
    """The settings record of the engine of that name; it builds the engine.

    Raises:
        InputError: there is no such engine.
    """
    return cast("type[msgspec.Struct]", _load(ENGINES, name, "engine"))


def recognise(source: Any, options: Iterable[str] = ()) -> Kind:
    """The kind that the source is of; where it may be of several, one that knows the options that were given.

    Args:
        source: a path, a list of them, objects.
        options: names of options of the kind, as they were asked for.

    Raises:
        InputError: no kind, or more than one, claims it.
    """
    kinds = [get_kind(name) for name in kind_names()]
    scores = {kind.name: kind.recognise(source) for kind in kinds}
    asked = {name.replace("-", "_") for name in options}
    claiming = [kind for kind in kinds if scores[kind.name] > 0]
    if asked and (knows := [kind for kind in claiming if asked <= set(kind.Options.__struct_fields__)]):
        kinds, scores = knows, {kind.name: scores[kind.name] for kind in knows}
    best = max(scores.values(), default=0.0)
    winners = [kind for kind in kinds if scores[kind.name] == best]
    shown = repr(source) if isinstance(source, str) else f"this {type(source).__name__}"
    shown = shown if len(shown) <= 100 else shown[:97] + "..."
    if best <= 0.0 and isinstance(source, str | Path) and not _exists(source):
        demos = [f"demo:{demo}" for kind in kinds for demo in kind.demos]
        known = f"; the demos are {', '.join(demos)}" if str(source).startswith("demo:") else ""
        raise InputError(Code.SOURCE_MISSING, f"There is no file or folder {shown}{known}.")
    if best <= 0.0:
        sentence = f"No kind recognises {shown}; name the kind with --kind ({', '.join(scores)})."
        raise InputError(Code.SOURCE_UNKNOWN, sentence)
    if len(winners) > 1:
        names = " and ".join(kind.name for kind in winners)
        raise InputError(Code.SOURCE_UNKNOWN, f"{shown} could be {names}; say which with --kind.")
    return winners[0]


def _exists(path: str | Path) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # too long, or with a NUL: no name of a file
        return False


def _load(group: str, name: str, word: str) -> Any:
    point = _points(group).get(name)
    if point is None:
        raise InputError(Code.OPTION, f'There is no {word} "{name}"; {suggest(name, _points(group))}.')
    try:
        return point.load()
    except ModuleNotFoundError as error:
        missing = error.name or "a package"
        if missing.split(".")[0] == "ilk" or importlib.util.find_spec(missing.split(".")[0]):
            raise
        sentence = f'The {word} {name} needs {missing}, which is not installed; run: pip install "ilk[{name}]".'
        raise MachineError(Code.EXTRA_MISSING, sentence) from None
