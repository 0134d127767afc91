"""``ilk fit``: learn a model folder from examples."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ilk.cli import STARTED
from ilk.cli.output import emit, emit_json, say, seconds
from ilk.cli.progress import Progress
from ilk.cli.words import split_words
from ilk.core.errors import Code, InputError, MachineError


def fit(
    *source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    output: Annotated[Path | None, Parameter(name=["-o", "--output"])] = None,
    kind: str = "auto",
    minutes: float | None = None,
    steps: int | None = None,
    size: Literal["small", "medium", "large"] | None = None,
    label: str | None = None,
    base: str | None = None,
    holdout: float | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    resume: Annotated[bool, Parameter(negative="")] = False,
    force: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Learn what examples have in common.

    Args:
        source: A folder (sub-folders are classes), a zip, a glob, files, or `demo:fashion`; and the
            kind's own flags (`ilk fit --help --kind image` lists them).
        output: The model folder; named after the source by default.
        kind: The kind of the examples, where it is not plain to see.
        minutes: A ceiling on the whole call. 3 by default.
        steps: Learn this many steps instead; the same seed then gives the same bits.
        size: Size of the networks; from data and budget by default.
        label: Name of the condition, where the data do not name it.
        base: Something pretrained to start from: an asset's name, a folder or a file, where the kind can.
        holdout: Share of the examples kept from learning, to judge by. 0.1 by default.
        seed: Seed of the fit.
        device: auto, cpu or cuda.
        threads: Threads on the CPU; probed by default.
        resume: Go on with a fit that was interrupted, or with a new --minutes or --steps.
        force: Replace a model that is there.
        json: Print one JSON object.
    """
    sources, flags = split_words(source)
    if not sources and not (resume and output):
        raise InputError(Code.SOURCE_MISSING, "What shall it learn from? Give a folder, a file or demo:fashion.")
    path = output or Path(default_name(sources))
    if base is not None:
        get_base(base)
    from ilk.generator import Generator  # loads torch: after the words are known to be right

    changed = {"minutes": minutes, "holdout": holdout}
    model = Generator(
        kind=kind,
        steps=steps,
        size=size,
        label=label,
        base=base,
        device=device,
        threads=threads,
        options=flags or None,
        random_state=seed,
        **{name: value for name, value in changed.items() if value is not None},
    )
    what = sources[0] if len(sources) == 1 else (sources or None)
    leads = os.environ.get("RANK", "0") == "0"  # under torchrun one process speaks for all
    with Progress(quiet=json or not leads) as bar:
        model.fit(what, save_to=path, resume=resume, force=force, on=bar, since=STARTED)
    header = model.model_.header
    if not leads:
        return 0
    if json:
        emit_json(
            {
                "model": str(path),
                "kind": header.kind,
                "engine": header.engine,
                "fingerprint": header.fingerprint,
                "steps": header.step,
                "seconds": header.seconds,
                "ended": header.ended,
                "examples": header.data.count - header.data.holdout,
                "holdout": header.data.holdout,
                "unreadable": header.data.unreadable,
                "conditions": sorted(model.conditions_),
                "seed": header.plan.seed,
            }
        )
        return 0
    early = " (stopped early; --resume goes on)" if header.ended == "interrupted" else ""
    learned = header.data.count - header.data.holdout
    emit(f"{path}: learned from {learned:,} examples in {header.step:,} steps, {seconds(header.seconds)}{early}")
    emit(f"look at {next(iter(sorted(path.glob('preview.*'))), path)}, then: ilk sample {path} -n 64 -o out/")
    return 0


def get_base(name: str) -> None:
    """Fetch the asset of that name at its first use, after a line that says so; a script has to ask for it.

    Raises:
        MachineError: there is no network.
    """
    from ilk.core.assets import fetch, known_assets, locate
    from ilk.core.home import ilk_home

    asset = None if Path(name).exists() else known_assets().get(name)
    if asset is None or not sys.stderr.isatty():
        return
    try:
        locate(asset, ilk_home())
    except MachineError:
        say(f"{name} is not on this machine yet: getting {asset.says} ({asset.megabytes:g} MB, {asset.licence})")
        fetch(asset, ilk_home())


def default_name(sources: list[str]) -> str:
    """``photos/`` -> ``photos.ilk``, here."""
    first = sources[0].removeprefix("demo:")
    stem = Path(first).resolve().name if first not in ("", "*") else "model"
    stem = Path(stem).stem if Path(first).suffix else stem
    return f"{''.join('-' if c in '*?[]' else c for c in stem).strip('-') or 'model'}.ilk"
