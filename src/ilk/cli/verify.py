"""``ilk verify``: where does a file come from, is it unchanged?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ilk.cli.output import emit, emit_json
from ilk.core.errors import Code, InputError

LINES = 8  # verdicts shown in full; what is wrong is always shown


def verify(*files: Path, model: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Tell where files come from and whether they are unchanged.

    Args:
        files: Files, or folders with their manifest.
        model: A model whose critic says of files of unknown origin how likely that model, or one like it, made them.
        json: Print one JSON object.
    """
    from ilk.generator.origin import verify as examine
    from ilk.seal.verdict import all_trusted

    if not files:
        raise InputError(Code.SOURCE_MISSING, "Which files? Give files or a folder.")
    verdicts = examine(*files, model=model)
    good = all_trusted(verdicts)
    counts = Counter(verdict.state for verdict in verdicts)
    if json:
        emit_json({"trusted": good, "counts": dict(counts), "files": verdicts})
        return 0 if good else 1
    shown = 0
    for verdict in verdicts:
        fine = verdict.state in ("sealed", "sealed-in-manifest")
        shown += fine
        if not fine or shown <= LINES:
            emit(f"{'+' if fine else '!'} {verdict.file}: {verdict.says}")
    if shown > LINES:
        emit(f"  ... and {shown - LINES:,} more like these")
    emit(", ".join(f"{count:,} {state}" for state, count in counts.most_common()))
    return 0 if good else 1
