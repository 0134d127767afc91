"""``ilk sample``: make new ones, signed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from ilk.cli.output import emit, emit_json, pour, say, seconds
from ilk.cli.progress import Progress
from ilk.cli.words import one, pairs, split_words
from ilk.core.errors import Code, InputError

RARE = (
    "note: what is given is rare: samples were chosen among candidates by their weights, each in effect of {:.1f} "
    "(effective sample size; near 1 they are less alike to real ones)"
)
NOT_SEALED = "note: these are not sealed: nobody will be able to tell where they come from"


def sample(
    *model: Annotated[str, Parameter(allow_leading_hyphen=True)],
    n: Annotated[int | None, Parameter(name=["-n", "--number"], allow_leading_hyphen=True)] = None,
    output: Annotated[str | None, Parameter(name=["-o", "--output"])] = None,
    given: Annotated[list[str] | None, Parameter(negative="")] = None,
    balance: str | None = None,
    complete: Path | None = None,
    seed: int | None = None,
    best_of: Annotated[int | None, Parameter(allow_leading_hyphen=True)] = None,
    format: str | None = None,
    like: Path | None = None,
    between: Annotated[tuple[Path, Path] | None, Parameter(negative="")] = None,
    walk: Annotated[float | None, Parameter(allow_leading_hyphen=True)] = None,
    stream: Annotated[bool, Parameter(negative="")] = False,
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
        balance: A condition whose levels are to come equally often.
        complete: A file with holes: what is missing in it is drawn, the rest stays as it is.
        seed: The same seed gives the same samples, whatever -n is. A fresh one by default.
        best_of: Make so many for each, keep the one that the model's critic finds most real; 1 by default.
        format: Format of the files in a folder, such as png, jpeg or webp.
        like: A sample of the model: sample again as it was. Any other file: what comes nearest, and its neighbours.
        between: Two files, samples or others: -n steps from the one to the other.
        walk: A film of so many seconds through the latent space, to `walk.mp4` or a .gif; it ends where it began.
        stream: Show one sample while it is made, on the standard output; it is saved where -o says, if it does.
        device: auto, cpu or cuda.
        unsealed: Write them without a seal.
        json: Print one JSON object.
    """
    words, options = split_words(model)
    conditions: dict[str, Any] = dict(pairs(given or []))
    loose: dict[str, Any] = dict(options)
    if sum(one is not None for one in (like, between, walk, complete)) > 1:
        raise InputError(Code.OPTION, "--like, --between, --walk and --complete do not go together; choose one.")
    past = None if like is None else _past(like, words)
    path = past.model if past else Path(one(words, "model folder"))
    loose |= {name: value for name, value in (("best_of", best_of), ("balance", balance)) if value is not None}
    from ilk.generator import load

    generator = load(path, device=device)
    if stream:
        others: dict[str, Any] = {
            "-n": None if n == 1 else n,
            "--best-of": best_of,
            "--like": like,
            "--between": between,
        }
        others |= {"--walk": walk, "--complete": complete, "--json": json or None}
        _refuse("--stream shows one sample while it is made", others)
        return _stream(generator, output, format, unsealed=unsealed, given=conditions, seed=seed, **loose)
    recipe = (past.latent or {}) if past else {}
    if walk is not None or recipe.get("form") == "walk":
        if past:
            walk, seed = float(recipe["seconds"]), past.seed if seed is None else seed
            conditions, loose = {**past.given, **conditions}, {"tiles": recipe["tiles"], **past.options, **loose}
        target = output or f"walk.{format or 'mp4'}"
        samples = _film(generator, walk or 0.0, n, target, format, given=conditions, seed=seed, **loose)
    else:
        target = output or f"{path.name.removesuffix('.ilk')}-samples/"
        _check_target(generator, target, format)
        if complete is None and n is None:
            n = past.count if past else _steps(generator, target) if between else 16
        with Progress(quiet=json) as progress:
            more = {"seed": seed, "on": progress, **loose}
            if complete is not None:
                _refuse("--complete fills what is there", {"-n": n, "--given": given, "--best-of": best_of,
                                                           "--balance": balance})  # fmt: skip
                samples = generator.complete(str(complete), **more)
            else:
                samples = generator.sample(1 if n is None else n, given=conditions, like=like, between=between, **more)
    if unsealed:
        say(NOT_SEALED)
    saved = samples.save(target, format, unsealed=unsealed)
    if json:
        rare = {} if samples.effective is None else {"effective_candidates": samples.effective}
        emit_json({"seed": samples.seed, **msgspec.to_builtins(saved), **rare})
        return 0
    if samples.effective is not None:
        say(RARE.format(samples.effective))
    pace = saved.count / saved.seconds if saved.seconds else 0.0
    rate = f"{pace:,.0f} a second" if pace >= 1 else f"{seconds(1 / pace)} each" if pace else ""
    what = "frames" if walk else "samples"
    emit(f"{saved.path}: {saved.count:,} {what} in {seconds(saved.seconds)} ({rate}), seed {samples.seed}")
    emit(f"sealed: {saved.seal}" + (f"; look at {saved.sheet}" if saved.sheet else ""))
    return 0


def _refuse(why: str, flags: dict[str, Any]) -> None:
    """Flags that ask for something else than another one does.

    Raises:
        InputError: one of them is given.
    """
    for name, value in flags.items():
        if value is not None:
            raise InputError(Code.OPTION, f"{why}; leave {name} out.")


def _stream(generator: Any, target: str | None, format_: str | None, *, unsealed: bool, **more: Any) -> int:
    """Pieces to the standard output as they come; saved only where somebody says where."""
    if target is not None:
        _check_target(generator, target, format_)
    pieces = generator.stream(**more)
    try:
        for piece in pieces:
            pour(str(piece))
    finally:
        emit("")
    if target is None:
        say(f"note: this sample (seed {pieces.seed}) was not saved and has no seal; -o saves it")
        return 0
    if unsealed:
        say(NOT_SEALED)
    saved = pieces.samples().save(target, format_, unsealed=unsealed)
    say(f"{saved.path}: seed {pieces.seed}, sealed: {saved.seal}")
    return 0


def _past(file: Path, words: list[str]) -> Any:
    """The call that made a file; None where it is no sample of the model, and a model is named."""
    from ilk.generator.origin import recall

    model = Path(one(words, "model folder")) if words else None
    try:
        return recall(file, model)
    except InputError as error:
        if error.code != Code.RECALL:
            raise
        if model is None:
            more = "name a model folder to get what comes nearest to it in that model"
            raise InputError(Code.RECALL, f"{error.sentence.rstrip('.')}; {more}.") from None
        return None


def _film(generator: Any, length: float, n: int | None, target: str, format_: str | None, **more: Any) -> Any:
    """The frames of a walk, for a file whose name says which film it is."""
    from ilk.generator.latent import engine_of, film_format

    engine_of(generator.model_, "--walk")
    if n is not None:
        raise InputError(Code.OPTION, "--walk says by its seconds how many frames it has; leave -n out.")
    if "best_of" in more:
        raise InputError(Code.OPTION, "--best-of chooses among random samples; leave it out with --walk.")
    form = film_format(generator.model_.kind, Path(target).suffix or target)
    if format_ is not None and film_format(generator.model_.kind, format_) != form:
        raise InputError(Code.OUTPUT, f"{target} is no {format_}: let -o and --format say the same.")
    return generator.walk(length, format=form.suffix, **more)


def _check_target(generator: Any, target: str, format_: str | None) -> None:
    """Refuse an unknown format before the first sample is looked for, which may take a while."""
    from ilk.generator.output import find_format

    name = format_ or (Path(target).suffix if not target.endswith("/") and not Path(target).is_dir() else "")
    if name:
        find_format(generator.model_.kind, name)


def _steps(generator: Any, target: str) -> int:
    """Steps between two: a row of pictures, or a film of three seconds."""
    suffix = Path(target).suffix.lstrip(".")
    rate = next((form.rate for form in generator.model_.kind.formats if form.suffix == suffix), 0)
    return 3 * rate if rate else 9
