"""``ilk doctor``: what is on this machine, what is missing, and the line that gets it."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from typing import Annotated, Any

from cyclopts import Parameter

from ilk.cli.output import emit, emit_json, table
from ilk.core.errors import IlkError
from ilk.core.home import ilk_home


def doctor(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Check this machine: Python, torch, threads and precision, kinds, disk, key.

    Exit code 3 if something is missing.

    Args:
        json: Print one JSON object.
    """
    facts, problems = examine()
    if json:
        emit_json({**facts, "problems": problems})
    else:
        emit(table((name.replace("_", " "), _words(value)) for name, value in facts.items()))
        emit("\n".join(f"problem: {says}" for says in problems) or "all well")
    return 3 if problems else 0


def examine() -> tuple[dict[str, Any], list[str]]:
    """Facts about this machine, and what is wrong with it, a sentence each."""
    from ilk.core.data import cache_size
    from ilk.core.device import cores, probe, resolve_device

    home = ilk_home()
    problems: list[str] = []
    facts: dict[str, Any] = {
        "ilk": importlib.metadata.version("ilk"),
        "python": platform.python_version(),
        "home": str(home),
    }
    try:
        measured = probe(home, fresh=True)
        facts |= {
            "torch": importlib.metadata.version("torch"),
            "device": resolve_device("auto"),
            "cores": cores(),
            "threads": measured.threads,
            "precision": measured.dtype,
            "steps_a_second": {name: round(rate, 1) for name, rate in measured.rates.items()},
        }
    except IlkError as error:
        problems.append(error.sentence)
    facts["kinds"] = _kinds(problems)
    facts["cache_mb"] = round(cache_size(home) / 2**20, 1)
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    facts["free_disk_gb"] = round(shutil.disk_usage(nearest).free / 2**30, 1)
    if facts["free_disk_gb"] < 1:
        problems.append(f"There is less than 1 GB free where {home} lies.")
    try:
        from ilk.seal.trust import show

        facts["key"] = show(home).short or "none yet"
    except IlkError as error:
        problems.append(error.sentence)
    return facts, problems


def _kinds(problems: list[str]) -> dict[str, str]:
    from ilk.core.registry import get_kind, kind_names

    found: dict[str, str] = {}
    for name in kind_names():
        try:
            get_kind(name)
            found[name] = "ready"
        except IlkError as error:
            found[name] = "missing"
            problems.append(error.sentence)
    return found


def _words(value: Any) -> str:
    return ", ".join(f"{name} {item}" for name, item in value.items()) if isinstance(value, dict) else str(value)
