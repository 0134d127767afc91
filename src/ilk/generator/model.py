"""A fitted model: header, codec and engine, and the way between them and a model folder.

It samples; it neither learns (``fitting.py``) nor writes samples (``output.py``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np

from ilk.core.assets import find_again
from ilk.core.config import Record, convert
from ilk.core.data import codec_bytes
from ilk.core.device import resolve_device, set_threads
from ilk.core.errors import Code, FolderError, InputError, suggest
from ilk.core.folder import Header, Opened, open_model, pack, unpack
from ilk.core.offers import Based, Extending
from ilk.core.plan import Plan
from ilk.core.protocol import Base, Codec, Engine, Kind, Settings
from ilk.core.registry import get_engine, get_kind
from ilk.core.sequences import Guide
from ilk.generator.critics import ModelCritic, load_critic
from ilk.generator.drawing import Candidates, draw_rows
from ilk.generator.guiding import finished, guided

WEIGHTS, CODEC, LEARNER = "weights.safetensors", "codec/", "state/learner.safetensors"


class Model:
    """What a fit gives and a folder holds.

    Attributes:
        critic: what ranks its samples and judges files; None while it learns, and in earlier models.
    """

    def __init__(
        self,
        header: Header,
        kind: Kind,
        codec: Codec,
        settings: Settings,
        engine: Engine,
        path: Path | None = None,
        critic: ModelCritic | None = None,
    ) -> None:
        self.header = header
        self.kind = kind
        self.codec = codec
        self.settings = settings
        self.engine = engine
        self.path = path
        self.critic = critic

    @property
    def options(self) -> Record:
        """The kind's options that it was fitted with."""
        return convert(self.header.options, self.kind.Options, f"option of {self.kind.name}")

    @property
    def name(self) -> str:
        """What the user calls it: the name of its folder."""
        return self.path.name if self.path else "(in memory)"

    @classmethod
    def load(cls, path: Path, device: str = "auto") -> Model:
        """Load a model folder.

        Raises:
            InputError: there is none, or it is damaged, unsafe or too new.
        """
        return cls.from_files(open_model(path), device)

    @classmethod
    def from_files(cls, opened: Opened, device: str = "auto") -> Model:
        """Build the model from checked bytes; nothing of a stranger's folder is run."""
        header, where = opened.header, opened.path
        kind = get_kind(header.kind)
        codec = load_codec(header, opened.files)
        settings = load_settings(header, where)
        plan = msgspec.structs.replace(header.plan, device=resolve_device(device), rank=0, world=1)
        if plan.device == "cpu":
            set_threads(plan.threads)
        engine = build_engine(settings, codec, plan, find_base(kind, header))
        if WEIGHTS not in opened.files:
            raise FolderError(Code.FOLDER_DAMAGED, f"{where / WEIGHTS} is missing.")
        load_arrays(engine.load_weights, unpack(opened.files[WEIGHTS], str(where / WEIGHTS)), where / WEIGHTS)
        critic = load_critic(kind, opened.files, where)
        return cls(header, kind, codec, settings, engine, where.absolute() if where.exists() else None, critic)

    def files(self) -> dict[str, bytes]:
        """The files of the model folder that sampling needs."""
        codec = {CODEC + name: data for name, data in codec_bytes(self.codec).items()}
        return {WEIGHTS: pack(self.engine.weights()), **codec, **(self.critic.files if self.critic else {})}

    def sample_settings(self, options: Mapping[str, Any]) -> tuple[Record, Record]:
        """(kind's, engine's) sampling records from loose options.

        Raises:
            InputError: neither knows an option, or a value is wrong.
        """
        kinds, engines = self.kind.SampleOptions, sample_record(self.settings)
        known = [*kinds.__struct_fields__, *engines.__struct_fields__]
        tidy = {name.replace("-", "_"): value for name, value in options.items()}
        for name in tidy:
            if name not in known:
                hint = suggest(name.replace("_", "-"), [field.replace("_", "-") for field in known])
                raise InputError(Code.OPTION, f'"{name.replace("_", "-")}" is no option of this model; {hint}.')
        what = f"The sampling option of {self.kind.name}"
        mine = {name: value for name, value in tidy.items() if name in kinds.__struct_fields__}
        its = {name: value for name, value in tidy.items() if name in engines.__struct_fields__}
        return convert(mine, kinds, what), convert(its, engines, what)

    def draw(
        self,
        start: int,
        stop: int,
        given: Mapping[str, Any],
        seed: int,
        settings: Any,
        guide: Guide | None = None,
        candidates: Candidates | None = None,
    ) -> Sequence[Any]:
        """Samples ``start`` to ``stop`` as objects of the kind; ``guide`` is what its sampling options ask for.

        Raises:
            InputError: what is asked for is too rare.
        """
        indices = np.arange(start, stop)
        arrays = draw_rows(self, indices, guided(self.codec, given, indices, guide), seed, settings)
        if candidates is not None:
            candidates.note(arrays)
        return finished(self.codec.decode(arrays), guide)


def sample_record(settings: Settings) -> type[Record]:
    """The record of an engine's sampling settings: the class attribute ``Sample`` of its settings."""
    record: type[Record] = getattr(type(settings), "Sample", _NoSettings)
    return record


class _NoSettings(Record, frozen=True):
    """Sampling settings of an engine that has none."""


def open_base(kind: Kind, name: str) -> Base:
    """The base of that name.

    Raises:
        InputError: the kind starts from no base, or not from this one.
        MachineError: it is not on this machine.
    """
    if not isinstance(kind, Extending):
        raise InputError(Code.OPTION, f"A model of {kind.name} starts from no base; leave --base out.")
    return kind.open_base(name)


def find_base(kind: Kind, header: Header) -> Base | None:
    """The base that a model was fitted on, found again and checked.

    Raises:
        InputError: what goes by its name is something else now.
        MachineError: it is not on this machine.
    """
    if header.base is None:
        return None
    return find_again(header.base, partial(open_base, kind))


def build_engine(settings: Settings, codec: Codec, plan: Plan, base: Base | None) -> Engine:
    """The engine for a codec's Space, on its base.

    Raises:
        InputError: the engine takes no base, or not this one.
    """
    engine = settings.build(codec.space, codec.conditions, plan)
    if base is not None:
        if not isinstance(engine, Based):
            raise InputError(Code.OPTION, f"The {settings.name} engine starts from no base; leave --base out.")
        engine.load_base(base)
    return engine


def load_settings(header: Header, where: Path) -> Settings:
    """The engine's settings as recorded in a header.

    Raises:
        FolderError: the recorded settings are not what the engine takes.
    """
    record = get_engine(header.engine)
    try:
        settings: Any = msgspec.convert(header.settings, record)
    except (msgspec.ValidationError, ValueError) as error:
        raise FolderError(Code.FOLDER_UNSAFE, f"{where}: the settings of {header.engine} are wrong: {error}.") from None
    return settings  # type: ignore[no-any-return]


def load_arrays(load: Any, arrays: Mapping[str, Any], where: Path) -> None:
    """Load arrays into an engine that checks names, shapes and types.

    Raises:
        FolderError: they do not fit the engine that ``ilk.json`` describes.
    """
    try:
        load(arrays)
    except FolderError:
        raise
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise FolderError(Code.FOLDER_UNSAFE, f"{where} does not fit the model in ilk.json: {reason}.") from None


def load_codec(header: Header, files: Mapping[str, bytes]) -> Codec:
    """The codec of an opened model."""
    kind = get_kind(header.kind)
    with tempfile.TemporaryDirectory(prefix="ilk-") as folder:
        for name, data in files.items():
            if name.startswith(CODEC):
                target = Path(folder, *PurePosixPath(name).parts[1:])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        return kind.load_codec(Path(folder))


def describe_plan(plan: Plan) -> str:
    """A plan in a few words for a card: ``3 minutes on cpu, 2 threads, bfloat16``."""
    budget = f"{plan.steps} steps" if plan.steps is not None else f"{(plan.seconds or 0) / 60:g} minutes"
    return f"{budget} on {plan.device}, {plan.threads} thread{'s' * (plan.threads > 1)}, {plan.dtype}"
