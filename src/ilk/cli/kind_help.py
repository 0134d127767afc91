"""The tables of a kind's own flags below ``ilk fit --help`` and ``ilk sample MODEL --help``.

They are derived from the options records, so they cannot fall behind.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ilk.cli.output import emit
from ilk.core.config import fields

if TYPE_CHECKING:
    from ilk.core.folder import Header


def show_kind_help(words: list[str]) -> None:
    """Print the flags of the kind that the words name, or say how to see them."""
    from ilk.core.registry import get_kind, kind_names

    if words[0] == "sample":
        models = [word for word in words[1:] if Path(word, "ilk.json").is_file()]
        if models:
            _show_model(Path(models[0]))
        return
    kinds = kind_names()
    named = [word for word in words if word in kinds] or [w[7:] for w in words if w.startswith("--kind=")]
    for name in named or kinds:
        kind = get_kind(name)
        _show(f"Flags of kind {name}", kind.Options)
        if kind.demos:
            emit("  Demos: " + "; ".join(f"demo:{demo} ({says})" for demo, says in kind.demos.items()) + "\n")


def _show_model(path: Path) -> None:
    from ilk.core.folder import read_header

    _show(f"Options of {path}", *sample_records(read_header(path)))


def sample_records(header: Header) -> list[type[msgspec.Struct]]:
    """What can be set about the samples of a model: the kind's record and the engine's."""
    from ilk.core.registry import get_engine, get_kind

    records = (get_kind(header.kind).SampleOptions, getattr(get_engine(header.engine), "Sample", None))
    return [record for record in records if record is not None]


def _show(title: str, *records: type[msgspec.Struct]) -> None:
    rows = [row for record in records for row in fields(record)]
    if not rows:
        return
    emit(f"{title}:")
    left = [f"--{row.name} {row.type.upper() if '|' not in row.type else row.type}" for row in rows]
    width = max(map(len, left))
    for text, row in zip(left, rows, strict=True):
        default = f" [default: {row.default}]" if row.default else ""
        emit(f"  {text:<{width}}  {row.help}{default}")
    emit("")
