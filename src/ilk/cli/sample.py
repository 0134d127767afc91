"""``ilk sample``: make new ones, signed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from ilk.cli.output import emit, emit_json, say, seconds
from ilk.cli.words import one, pairs, split_words


def sample(
    *model: Annotated[str, Parameter(allow_leading_hyphen=True)],
    n: Annotated[int | None, Parameter(name=["-n", "--number"], allow_leading_hyphen=True)] = None,
    output: Annotated[str | None, Parameter(name=["-o", "--output"])] = None,
    given: Annotated[list[str] | None, Parameter(negative="")] = None,
    seed: int | None = None,
    format: str | None = None,
    like: Path | None = None,
    device: str = "auto",
    unsealed: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Make new ones of a model's kind, each signed as synthetic.

    Args:
        model: A model folder, and its own options (`ilk sample photos.ilk --help` lists them).
        n: How many; 16 by default.
        output: A folder for one file each, or a file such as `out.npz`.
        given: A condition, NAME=VALUE; may be repeated.
        seed: The same seed gives the same samples, whatever -n is. A fresh one by default.
        format: Format of the files in a folder, such as png, jpeg or webp.
        like: Sample again as this file was: its model, seed and settings.
        device: auto, cpu or cuda.
        unsealed: Write them without a seal.
        json: Print one JSON object.
    """
    words, options = split_words(model)
    conditions: dict[str, Any] = dict(pairs(given or []))
    loose: dict[str, Any] = dict(options)
    if like is not None:
        from ilk.generator.origin import recall

        past = recall(like, Path(one(words, "model folder")) if words else None)
        path, seed = past.model, past.seed if seed is None else seed
        conditions, loose = {**past.given, **conditions}, {**past.options, **loose}
        n = past.count if n is None else n
    else:
        path = Path(one(words, "model folder"))
    from ilk.generator import load

    generator = load(path, device=device)
    samples = generator.sample(16 if n is None else n, given=conditions, seed=seed, **loose)
    target = output or f"{path.name.removesuffix('.ilk')}-samples/"
    if unsealed:
        say("note: these are not sealed: nobody will be able to tell where they come from")
    saved = samples.save(target, format, unsealed=unsealed)
    if json:
        emit_json({"seed": samples.seed, **msgspec.to_builtins(saved)})
        return 0
    rate = f"{saved.count / saved.seconds:,.0f} a second" if saved.seconds else ""
    emit(f"{saved.path}: {saved.count:,} samples in {seconds(saved.seconds)} ({rate}), seed {samples.seed}")
    emit(f"sealed: {saved.seal}" + (f"; look at {saved.sheet}" if saved.sheet else ""))
    return 0
