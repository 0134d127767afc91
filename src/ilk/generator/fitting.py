"""From a source to a fitted model: plan, data, codec, engine, the learning loop, checkpoints, preview.

The order is a promise: everything that can be wrong with the input is found before the first step;
from step 1 on there is a model folder that loads.
"""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

import ilk
from ilk.core import events
from ilk.core.config import Record, convert, to_json
from ilk.core.data import Prepared, prepare
from ilk.core.device import probe, resolve_device, set_threads
from ilk.core.errors import BugError, Code, IlkError, InputError
from ilk.core.folder import HEADER, DataRecord, Header, ModelWriter, open_model, pack, standing, unpack
from ilk.core.home import ilk_home
from ilk.core.plan import Budget, Plan, Size
from ilk.core.protocol import LABEL, Base, Example, Kind, Problem, Settings
from ilk.core.registry import get_kind, recognise
from ilk.core.run import check_finite, join_ranks, meet_ranks, run
from ilk.generator.by_heart import by_heart
from ilk.generator.critics import critic_seconds, fit_critic
from ilk.generator.extras import History, Picture, seal_model, show_preview, unseal, write_card
from ilk.generator.model import LEARNER, Model, build_engine, find_base, load_arrays, load_settings, open_base
from ilk.generator.sketch import sketch

SOURCE = "state/source.json"
RESERVE = 0.8  # seconds kept for the last save
FEWEST = 2  # examples to learn from; kinds ask for more


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked a fit for: the estimator's parameters, unpacked."""

    source: Any
    y: Any = None
    kind: str = "auto"
    options: Any = None
    engine: Any = None
    minutes: float = 3.0
    steps: int | None = None
    size: Size | None = None
    device: str = "auto"
    threads: int | None = None
    seed: int = 0
    holdout: float = 0.1
    label: str | None = None
    base: str | None = None
    since: float  # time.monotonic() at which the call, or the process, began


class SourceRecord(Record, frozen=True):
    """``state/source.json``: where the data lie on this machine; never exported."""

    path: str | None
    holdout: float
    label: str | None


def make_plan(request: Request) -> Plan:
    """Decide device, threads and precision; a fit by steps uses the kept probe, so that bits repeat."""
    rank, world = join_ranks()
    device = resolve_device(request.device)
    by_steps = request.steps is not None
    measured = probe(ilk_home(), fresh=not by_steps and rank == 0)
    threads = request.threads or (measured.threads if device == "cpu" else 1)
    return Plan(
        seconds=None if by_steps else request.minutes * 60,
        steps=request.steps,
        size=request.size,
        device=device,
        threads=threads,
        dtype=measured.dtype if device == "cpu" else "bfloat16",
        seed=request.seed,
        rank=rank,
        world=world,
    )


def fit(request: Request, path: Path | None, on: events.Sink) -> tuple[Model, str]:
    """Fit a new model; into the folder ``path`` where one is given.

    Returns:
        The model, and how it ended: ``finished`` or ``interrupted``.
    """
    asked = request.options if isinstance(request.options, Mapping) else ()
    kind = recognise(request.source, asked) if request.kind == "auto" else get_kind(request.kind)
    options = _options(kind, request.options)
    on(events.Stage(says=f"preparing to learn ({kind.name})"))
    plan = make_plan(request)
    set_threads(plan.threads)
    base = open_base(kind, request.base) if request.base else None
    prepared = prepare_data(kind, options, plan, request, codec=None, base=base, on=on)
    settings = request.engine or kind.engine(prepared.codec, plan, base)
    engine = build_engine(settings, prepared.codec, plan, base)
    header = _new_header(kind, options, plan, prepared, settings, base)
    model = Model(header, kind, prepared.codec, settings, engine, path and path.absolute())
    first = sketch(model, prepared.train, plan, on) if path is not None and plan.rank == 0 else None
    budget = Budget(plan, overhead=_overhead(request, plan))
    return _learn(model, prepared, request, path, budget, on, replace=True, first=first)


def refuse_existing(path: Path | None, *, force: bool) -> None:
    """Refuse to overwrite a model without ``force``, and anything that is no model with it.

    Raises:
        InputError: ``path`` exists.
    """
    if path is None or not standing(path).exists():
        return
    if not force:
        sentence = f"{path} exists; go on with it by --resume, replace it by --force, or choose another name with -o."
        raise InputError(Code.EXISTS, sentence)
    if not (standing(path) / HEADER).is_file():
        raise InputError(Code.EXISTS, f"{path} exists and is no model folder, so --force does not replace it.")


def resume(request: Request, path: Path, on: events.Sink, *, more: bool) -> tuple[Model, str]:
    """Go on with an interrupted or finished fit, with everything as it was recorded.

    Args:
        request: the source (None: the recorded one) and, where ``more``, a new budget.
        path: the model folder.
        on: takes the events.
        more: whether the user gave a budget with this call; it replaces the recorded one.

    Raises:
        InputError: the folder has no state to resume from, or the data have changed.
    """
    rank, world = join_ranks()
    if rank == 0:  # finishes or sweeps what a dying fit left, and takes the lock to do so
        with ModelWriter(path):
            pass
    meet_ranks(world)
    opened = open_model(path, state=True)
    header = opened.header
    if LEARNER not in opened.files or SOURCE not in opened.files:
        raise InputError(Code.RESUME, f"{path} was saved without its state, so it cannot be resumed; fit it anew.")
    record = msgspec.json.decode(opened.files[SOURCE], type=SourceRecord)
    source = record.path if request.source is None else request.source
    if source is None:
        raise InputError(Code.RESUME, f"{path} was fitted on data in memory; give the same data again to resume.")
    plan = msgspec.structs.replace(header.plan, rank=rank, world=world)
    if more:
        seconds = None if request.steps is not None else header.seconds + request.minutes * 60
        plan = msgspec.structs.replace(plan, steps=request.steps, seconds=seconds)
    kind = get_kind(header.kind)
    model = Model.from_files(opened, plan.device)
    set_threads(plan.threads)
    request = msgspec.structs.replace(request, source=source, holdout=record.holdout, label=record.label)
    options = convert(header.options, kind.Options, f"option of {kind.name}")
    prepared = prepare_data(kind, options, plan, request, codec=model.codec, on=on)
    if prepared.fingerprint != header.data.fingerprint:
        sentence = f"The data are not those that {path} was fitted on (moved or changed), so it cannot be resumed."
        raise InputError(Code.RESUME, sentence)
    settings = load_settings(header, path)
    engine = build_engine(settings, model.codec, plan, find_base(kind, header))
    load_arrays(engine.load_state, unpack(opened.files[LEARNER], str(path / LEARNER)), path / LEARNER)
    header = msgspec.structs.replace(header, plan=_recorded(plan))
    model = Model(header, kind, model.codec, settings, engine, path.absolute())
    budget = Budget(plan, step=header.step, elapsed=header.seconds, overhead=_overhead(request, plan, header.seconds))
    if header.ended == "finished" and not more:
        budget.stop()
        done = f"{header.step} steps" if plan.steps else f"{header.seconds / 60:.1f} minutes"
        on(events.Note(says=f"{path} has had its {done}; give --steps or --minutes to go on."))
    return _learn(model, prepared, request, path, budget, on, replace=False)


def _learn(
    model: Model,
    prepared: Prepared,
    request: Request,
    path: Path | None,
    budget: Budget,
    on: events.Sink,
    *,
    replace: bool,
    first: Picture | None = None,
) -> tuple[Model, str]:
    """Run the loop with a folder behind it, or without one; ``first`` is a preview until there is a better one."""
    source = SourceRecord(path=_source_path(request.source), holdout=request.holdout, label=request.label)
    leads = budget.plan.rank == 0
    for_critic = critic_seconds(budget.plan, model.header.seconds)
    with ModelWriter(path, replace=replace) if path is not None and leads else nullcontext() as writer:
        history = History()

        def checkpoint(clock: Budget, metrics: dict[str, float], ended: str) -> None:
            state = model.engine.state()
            if not check_finite(state):
                sentence = f"Learning diverged before step {clock.step}: some numbers are no longer finite."
                raise BugError(Code.BUG, sentence + (f" {path} keeps what was saved before." if path else ""))
            seconds = round(clock.elapsed, 3)
            if ended == "finished":
                add_critic(model, prepared, for_critic, on)
            files = model.files()
            header = msgspec.structs.replace(
                model.header,
                step=clock.step,
                seconds=seconds,
                metrics=metrics or model.header.metrics,
                ended=ended,
                saved=now(),
            )
            if writer is None or path is None:
                model.header = header_with_hashes(header, files)
                return
            files |= {LEARNER: pack(state), SOURCE: to_json(source)}
            unseal(path)
            model.header = writer.commit(header, files)
            history.write(path)
            show_preview(path, model, clock, ended, first, on)
            if ended:
                write_card(path, model)
            seal_model(path, model)

        ended = run(model.engine, prepared.train, budget, checkpoint=checkpoint, on=history.tee(on))
        if ended == "interrupted" and leads:  # all that was learned is safe; a second Ctrl-C costs the critic alone
            add_critic(model, prepared, for_critic, on)
            checkpoint(budget, {}, ended)
        if leads and budget.capped:
            on(events.Note(says=f"it ends after {budget.step:,} steps: with so few examples more of them would copy"))
        if leads and (says := by_heart(model, prepared)):
            on(events.Note(says=says))
    meet_ranks(budget.plan.world)
    return model, ended


def add_critic(model: Model, prepared: Prepared, seconds: float | None, on: events.Sink) -> None:
    """Fit the model's critic; a model that gets none is a model all the same, and it is said."""
    on(events.Stage(says="fitting the critic"))
    try:
        critic = fit_critic(model, prepared.train, prepared.holdout, seconds)
        model.critic = critic if critic and critic.files else None
    except (IlkError, OSError) as error:  # OSError: no room for temporary files
        on(events.Note(says=f"this model has no critic: {error}"))


def header_with_hashes(header: Header, files: dict[str, bytes]) -> Header:
    """The header of a model that lives in memory, with the hashes that give it its fingerprint."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return msgspec.structs.replace(header, files=digests)


def now() -> str:
    """This moment in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def prepare_data(
    kind: Kind, options: Any, plan: Plan, request: Request, *, codec: Any, on: events.Sink, base: Base | None = None
) -> Prepared:
    """The encoded examples of a source, from the cache where they are there; with ``codec``, or a fitted one.

    Raises:
        InputError: too few, too many unreadable, all the same; or ``y`` is of another length.
    """

    def work() -> Prepared:
        return prepare(
            kind,
            options,
            plan,
            stamp=_stamp(kind, request, options),
            home=ilk_home(),
            holdout=request.holdout,
            examples=_with_labels(lambda: kind.read(request.source, options), request.y, request.label),
            base=base,
            codec=codec,
            on=on,
        )

    if plan.rank == 0:
        prepared = work()
        meet_ranks(plan.world)
    else:
        meet_ranks(plan.world)
        prepared = work()
    if len(prepared.train) < FEWEST:
        raise InputError(Code.TOO_FEW, f"There are too few examples to learn from: {len(prepared.train)}.")
    if prepared.problems:
        first = prepared.problems[0]
        says = f"{len(prepared.problems)} unreadable and skipped; the first is {first.name} ({first.reason})"
        on(events.Note(says=says))
    return prepared


def _stamp(kind: Kind, request: Request, options: Any) -> str:
    stamp = kind.stamp(request.source, options)
    if request.y is None and request.label is None:
        return stamp
    values = None if request.y is None else list(request.y)
    return hashlib.sha256(f"{stamp} {_label_name(request.y, request.label)} {values!r}".encode()).hexdigest()


def _with_labels(
    read: Callable[[], Iterable[Example | Problem]], y: Any, label: str | None
) -> Callable[[], Iterator[Example | Problem]]:
    """``y`` joins X: one more thing that is known of each example."""

    def joined() -> Iterator[Example | Problem]:
        name = _label_name(y, label)
        if y is None:
            yield from (_renamed(item, label) for item in read()) if label else read()
            return
        values = list(y)
        count = 0
        for item in read():
            if count < len(values) and isinstance(item, Example):
                item = msgspec.structs.replace(item, given={**item.given, name: _plain(values[count])})
            count += 1
            yield item
        if count != len(values):
            raise InputError(Code.COUNT, f"X has {count} examples and y has {len(values)} values.")

    return joined


def _label_name(y: Any, label: str | None) -> str:
    return str(label or getattr(y, "name", None) or LABEL)


def _renamed(item: Example | Problem, label: str) -> Example | Problem:
    """The example with its label under the user's name for it."""
    if isinstance(item, Problem) or LABEL not in item.given:
        return item
    given = {label if name == LABEL else name: value for name, value in item.given.items()}
    return msgspec.structs.replace(item, given=given)


def _plain(value: Any) -> Any:
    """A label as a condition takes it: names stay names, numpy scalars become Python's."""
    return value.item() if hasattr(value, "item") else value


def _options(kind: Kind, options: Any) -> Record:
    if options is None:
        return kind.Options()
    if isinstance(options, kind.Options):
        return options
    if not isinstance(options, Mapping):
        sentence = f"options takes a mapping or the record of {kind.name}, not a {type(options).__name__}."
        raise InputError(Code.OPTION, sentence)
    return convert(dict(options), kind.Options, f"option of {kind.name}")


def _new_header(
    kind: Kind, options: Record, plan: Plan, prepared: Prepared, settings: Settings, base: Base | None
) -> Header:
    import numpy
    import torch

    return Header(
        ilk=ilk.__version__,
        kind=kind.name,
        engine=settings.name,
        space=msgspec.to_builtins(prepared.codec.space),
        settings=msgspec.to_builtins(settings),
        options=msgspec.to_builtins(options),
        plan=_recorded(plan),
        data=DataRecord(
            fingerprint=prepared.fingerprint,
            count=len(prepared.train) + len(prepared.holdout),
            holdout=len(prepared.holdout),
            split_seed=plan.seed,
            unreadable=len(prepared.problems),
        ),
        step=0,
        seconds=0.0,
        ended="",
        created=now(),
        saved=now(),
        base=base and msgspec.structs.replace(base, path=""),
        versions={"python": platform.python_version(), "torch": str(torch.__version__), "numpy": numpy.__version__},
    )


def _recorded(plan: Plan) -> Plan:
    return msgspec.structs.replace(plan, rank=0)


def _overhead(request: Request, plan: Plan, before: float = 0.0) -> float:
    return time.monotonic() - request.since + RESERVE + (critic_seconds(plan, before) or 0.0)


def _source_path(source: Any) -> str | None:
    if isinstance(source, Path) or (isinstance(source, str) and not source.startswith("demo:")):
        return str(Path(source).absolute())
    return source if isinstance(source, str) else None
