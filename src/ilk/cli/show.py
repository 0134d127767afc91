"""``ilk show``: what a model is, what it was fitted on, how to sample it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from ilk.cli.kind_help import sample_records
from ilk.cli.output import emit, emit_json, seconds, table
from ilk.core.config import fields


def show(model: Path, /, *, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Tell what a model is, what it was fitted on, how to sample it.

    Args:
        model: A model folder.
        json: Print one JSON object.
    """
    from ilk.core.folder import open_model
    from ilk.core.offers import Describing
    from ilk.core.protocol import Levels, Number
    from ilk.generator.model import describe_plan, load_codec

    opened = open_model(model)
    header = opened.header
    codec = load_codec(header, opened.files)
    conditions, found = codec.conditions, codec.describe() if isinstance(codec, Describing) else ()
    size = sum(len(data) for data in opened.files.values())
    if json:
        facts: dict[str, Any] = msgspec.to_builtins(header)
        extra = {"fingerprint": header.fingerprint, "bytes": size, "conditions": msgspec.to_builtins(dict(conditions))}
        extra |= {"found": [list(line) for line in found]} if found else {}
        emit_json({"model": str(model), **facts, **extra})
        return 0
    data = header.data
    clock = "the same command gives the same bits" if header.plan.steps else "budget in time: bits are not promised"
    rows = [
        ("kind", f"{header.kind}, engine {header.engine}"),
        *([] if found else [("space", ", ".join(f"{k} {v}" for k, v in header.space.items() if k != "space") or "-")]),
        *found,
        *([("base", f"{header.base.name} ({header.base.licence or 'no licence named'})")] if header.base else []),
        ("learned from", f"{data.count - data.holdout:,} examples ({data.holdout:,} held out)"),
        ("learned", f"{header.step:,} steps in {seconds(header.seconds)}, {header.ended or 'not finished: --resume'}"),
        ("plan", f"{describe_plan(header.plan)}; seed {header.plan.seed}; {clock}"),
        ("made", f"{header.created} with ilk {header.ilk}"),
        ("size", f"{size / 2**20:.1f} MB"),
        ("fingerprint", header.fingerprint),
    ]
    emit(f"{model}")
    emit(table(rows))
    for name, condition in conditions.items():
        if isinstance(condition, Levels):
            emit(f"  --given {name}=" + "|".join(condition.names[:30]) + ("|..." if len(condition.names) > 30 else ""))
        elif isinstance(condition, Number):
            low, high = condition.spelt if condition.spelt[0] else (f"{condition.low:g}", f"{condition.high:g}")
            ranges = f" or {low}..{high}" if condition.ranges else ""
            emit(f"  --given {name}={'NUMBER' if not ranges else low}{ranges or f' from {low} to {high}'}")
        else:
            emit(f"  --given {name}=TEXT")
    for field in (field for record in sample_records(header) for field in fields(record)):
        emit(f"  --{field.name} {field.type.upper()}: {field.help}")
    emit(f"sample it: ilk sample {model} -n 64 -o out/")
    return 0
