"""``ilk augment``: more training data, or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from ilk.cli.output import emit, emit_json, say, table
from ilk.cli.progress import Progress
from ilk.cli.words import split_words
from ilk.core.errors import Code, InputError

if TYPE_CHECKING:
    from ilk.tasks.augment.answer import Answer
    from ilk.tasks.augment.decide import Decision, Result
    from ilk.tasks.augment.files import Written


def augment(
    *source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    label: str | None = None,
    output: Annotated[Path | None, Parameter(name=["-o", "--output"])] = None,
    model: str | None = None,
    scoring: str | None = None,
    candidate: Annotated[list[str] | None, Parameter(negative="")] = None,
    folds: Annotated[int | None, Parameter(allow_leading_hyphen=True)] = None,
    minutes: Annotated[float, Parameter(allow_leading_hyphen=True)] = 3.0,
    mark: str | None = None,
    kind: str = "auto",
    seed: int = 0,
    unsealed: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Say whether more training data would help a model, and make them if they do.

    Args:
        source: A table, or a folder of pictures with a sub-folder a class; and the kind's own flags.
        label: The column that is to be foretold.
        output: Where to write. A table: a file of the rows that came and the made ones below, sealed as a mixture;
            without made rows it holds the rows that came, and no seal. Pictures: a folder for the made ones.
        model: boosting, logistic, forest or average for tables; by default boosting, and a stronger one may be the
            answer.
        scoring: log_loss (the default), brier, balanced_log_loss, roc_auc, average_precision, accuracy,
            balanced_accuracy or f1.
        candidate: Compare only this one with nothing, such as "made 3x"; may be repeated.
        folds: Parts of the inner cross-validation; 5, for pictures 3.
        minutes: A ceiling on the time of comparing.
        mark: Name of a column that says which rows were made.
        kind: The kind of the examples, where it is not plain to see.
        seed: Seed of folds, models and draws.
        unsealed: Write without a seal.
        json: Print one JSON object.
    """
    sources, options = split_words(source)
    if not sources:
        raise InputError(Code.SOURCE_MISSING, "What shall be augmented? Give a table or a folder of pictures.")
    from ilk.core.samples import check_seed
    from ilk.tasks.augment.answer import Wish
    from ilk.tasks.augment.source import augment_files, take

    what: Any = sources[0] if len(sources) == 1 else sources
    wish = Wish(model, scoring, candidate, folds, minutes, check_seed(seed))
    with Progress(quiet=json) as progress:
        files = take(what, label, mark, kind, options, seed)
        found, written = augment_files(files, wish, output, progress, sealed=not unsealed)
    if json:
        emit_json(_as_json(found, written, seed))
        return 0
    emit(table(_lines(found.decision)))
    emit(found.says)
    if found.advice:
        emit(found.advice)
    if written is not None:
        emit(_where(written))
        if unsealed and written.made:
            say("note: this is not sealed: nobody will be able to tell which of it was made")
    return 0


def _as_json(found: Answer, written: Written | None, seed: int) -> dict[str, Any]:
    numbers: dict[str, Any] = msgspec.to_builtins(found.decision)
    numbers.pop("name")
    answer = {"decision": found.name, "says": found.says, "advice": found.advice, "seed": seed}
    return answer | {"written": written and msgspec.to_builtins(written)} | numbers


def _lines(decision: Decision) -> list[tuple[str, str]]:
    """A line for each that was compared, by the metric that decides."""
    return [(result.name, _line(result, decision.metric)) for result in decision.results]


def _line(result: Result, metric: str) -> str:
    if result.absent:
        return f"not compared: {result.absent}"
    number, gain = result.scores[metric], result.gains[metric]
    against = "" if result.name == "nothing" else f", gains {gain.value:+.3f} ± {gain.error:.3f}"
    return f"{metric} {number.value:.3f} ({number.low:.3f} to {number.high:.3f}){against}"


def _where(written: Written) -> str:
    if not written.made:
        return f"{written.path}: {written.count:,} examples as they came; none was made, so there is no seal"
    return f"{written.path}: {written.count:,} examples, {written.made:,} of them made; sealed: {written.seal}"
