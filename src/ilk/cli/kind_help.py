"""The tables of a kind's own flags below ``ilk fit --help`` and ``ilk sample MODEL --help``.

They are derived from the options records, so they cannot fall behind.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ilk.cli.output import emit
from ilk.core.config import fields


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
    from ilk.core.registry import get_engine, get_kind

    header = read_header(path)
    kind, engine = get_kind(header.kind), get_engine(header.engine)
    for record in (kind.SampleOptions, getattr(engine, "Sample", None)):
        if record is not None and record.__struct_fields__:
            _show(f"Options of {path}", record)


def _show(title: str, record: type[msgspec.Struct]) -> None:
    rows = fields(record)
    if not rows:
        return
    emit(f"{title}:")
    left = [f"--{row.name} {row.type.upper() if '|' not in row.type else row.type}" for row in rows]
    width = max(map(len, left))
    for text, row in zip(left, rows, strict=True):
        default = f" [default: {row.default}]" if row.default else ""
        emit(f"  {text:<{width}}  {row.help}{default}")
    emit("")
