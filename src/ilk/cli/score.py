"""``ilk score``: how likely a model finds what is there already, and how real its critic finds it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ilk.cli.output import emit, emit_json, say, table
from ilk.cli.words import split_words
from ilk.core.errors import Code, InputError

if TYPE_CHECKING:
    from ilk.generator.scoring import SourceScore


def score(
    *model: Annotated[str, Parameter(allow_leading_hyphen=True)],
    context: Annotated[int | None, Parameter(allow_leading_hyphen=True)] = None,
    device: str = "auto",
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Say how likely a model finds files, in nats, and how real its critic finds them.

    Args:
        model: A model folder, then files or folders; and the kind's own flags for reading them (`--field body`).
        context: The most that may be known before what is scored, in tokens; as much as the model can by default.
        device: auto, cpu or cuda.
        json: Print one JSON object.
    """
    words, options = split_words(model)
    if len(words) < 2:
        missing = "model folder and files are" if not words else "files to score are"
        raise InputError(Code.SOURCE_MISSING, f"{missing[0].upper()}{missing[1:]} missing: ilk score MODEL FILES.")
    from ilk.generator import load
    from ilk.generator.scoring import as_json, check_context, rates, score_source

    limit = check_context(context)
    loaded = load(Path(words[0]), device=device).model_
    found = [score_source(loaded, word, options=options, context=limit) for word in words[1:]]
    unit, count = found[0].unit, sum(each.units for each in found)
    nats = None if found[0].nats is None else sum(each.nats or 0.0 for each in found)
    whole = {} if nats is None else {"nats": nats, f"{unit}s": count, **rates(unit, nats, count)}
    if json:
        emit_json({"model": words[0], "files": [as_json(each) for each in found], **whole, "context": limit})
        return 0
    emit(table((each.source, _line(each)) for each in found))
    for each in found:
        if each.unlikely:
            named = ", ".join(f"{place:,} ({nats:.1f})" for place, nats in each.unlikely)
            emit(f"  least likely in {each.source}: number {named} nats a {each.unit}")
    if whole:
        emit(f"{words[0]}: {nats:,.1f} nats for {count:,} {unit}s, {_rate(whole, unit)}")
    else:
        say(
            f"note: {words[0]} has no likelihood (its engine is {loaded.header.engine}); this is what its critic thinks"
        )
    return 0


def _line(found: SourceScore) -> str:
    from ilk.generator.scoring import rates

    parts = []
    if found.nats is not None:
        parts.append(_rate(rates(found.unit, found.nats, found.units), found.unit))
        parts.append(f"{found.nats:,.1f} nats for {found.units:,} {found.unit}s")
    if found.tokens is not None:
        parts.append(f"{found.tokens:,} tokens")
    if found.realness is not None:
        parts.append(f"realness {found.realness:.2f}")
    if found.unread:
        parts.append(f"{found.unread:,} could not be read")
    return ", ".join(parts)


def _rate(numbers: dict[str, Any], unit: str) -> str:
    return f"{numbers[f'nats_per_{unit}']:.4f} nats ({numbers[f'bits_per_{unit}']:.4f} bits) a {unit}"
