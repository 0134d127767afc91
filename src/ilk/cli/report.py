"""``ilk report``: the report card, five sentences here and a page to open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ilk.cli.output import emit, emit_json, seconds, table
from ilk.cli.progress import Progress


def report(
    model: Path,
    /,
    *,
    data: str | None = None,
    holdout: str | None = None,
    against: str | None = None,
    n: Annotated[int | None, Parameter(name=["-n", "--number"], allow_leading_hyphen=True)] = None,
    output: Annotated[str | None, Parameter(name=["-o", "--output"])] = None,
    seed: int = 0,
    device: str = "auto",
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Say how good a model is: real, diverse, new, useful, private?

    Args:
        model: A model folder.
        data: Where the data that it was fitted on lie now, if they were moved.
        holdout: Other real examples to judge by, instead of those that the fit kept from learning.
        against: A second column: another model folder, or a folder or file of samples.
        n: How many samples to judge; by default as many as there are held-out examples, 500 to 2,000.
        output: A page (card.html), its numbers (card.json) or a folder for both; MODEL/report by default.
        seed: Seed of the samples and of all that is drawn in judging.
        device: auto, cpu or cuda.
        json: Print one JSON object.
    """
    from ilk.generator import load

    generator = load(model, device=device)
    with Progress(quiet=json) as bar:
        card = generator.report(data, holdout=holdout, against=against, n=n, seed=seed, on=bar)
        saved = card.save(output)
    path = saved if output else model / saved.relative_to(model.absolute())
    record = card.record
    if json:
        emit_json({"model": str(model), "page": str(path), **card.json()})
        return 0
    emit(f"{model}: judged by {record.counts['samples']:,} samples in {seconds(record.seconds)}")
    emit(table((f"{each.question.capitalize()}?", each.absent or each.says) for each in record.answers))
    emit(f"look at {path}")
    return 0
