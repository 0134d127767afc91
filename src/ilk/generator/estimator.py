"""``Generator``: scikit-learn's manners for generation: fit, sample, save, load.

The constructor stores its parameters untouched, ``fit`` returns self, what was learned ends in an
underscore, ``clone`` and ``pickle`` work (the pickle carries the safe folder's bytes). It does not
inherit from scikit-learn, which costs as much to import as torch; the protocol is kept, and tested.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ilk.core import events
from ilk.core.errors import Code, InputError, NotFittedError, suggest
from ilk.core.folder import Header, ModelWriter, Opened, open_model, standing
from ilk.core.protocol import Condition
from ilk.core.samples import check_count, check_seed, whole
from ilk.core.seeds import fresh_seed
from ilk.generator import fitting
from ilk.generator.completing import Completer
from ilk.generator.extras import draw_preview, seal_model, stages, write_card, write_preview, write_stages
from ilk.generator.model import Model
from ilk.generator.sampling import Sampling
from ilk.generator.scoring import Scoring
from ilk.generator.streaming import Streaming

if TYPE_CHECKING:
    from ilk.generator.report_card import ReportCard


class Generator(Sampling, Completer, Scoring, Streaming):
    """Learn a distribution from examples, draw more from it.

    Args:
        kind: ``"auto"`` (recognised from the source) or the name of a kind.
        engine: ``None`` (the kind's choice for data and budget) or an engine's settings, ``ilk.Gan(...)``.
        minutes: a ceiling on the wall clock of ``fit``, start-up and save included.
        steps: learn this many steps instead; the same plan and seed then give the same bits.
        size: ``None`` (from data and machine), ``"small"``, ``"medium"`` or ``"large"``.
        options: the kind's options, a record or a mapping such as ``{"resolution": 64}``.
        label: the name that ``y`` gets as a condition.
        base: something pretrained to start from: the name of an asset, a folder or a file.
        holdout: share of the examples that nothing learns from.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        threads: ``None`` (probed) or a number.
        random_state: the seed of the fit; ``None`` draws one.

    Attributes:
        kind_: the name of the kind.
        conditions_: what ``given`` takes.
        n_steps_: steps learned.
        ended_: ``"finished"`` or ``"interrupted"``.
        fingerprint_: the model's SHA-256 fingerprint, as in a seal.

    Examples:
        >>> import ilk
        >>> ilk.Generator(minutes=1).get_params()["minutes"]
        1
    """

    def __init__(
        self,
        *,
        kind: str = "auto",
        engine: Any = None,
        minutes: float = 3.0,
        steps: int | None = None,
        size: Any = None,
        options: Any = None,
        label: str | None = None,
        base: str | None = None,
        holdout: float = 0.1,
        device: str = "auto",
        threads: int | None = None,
        random_state: int | None = 0,
    ) -> None:
        self.kind = kind
        self.engine = engine
        self.minutes = minutes
        self.steps = steps
        self.size = size
        self.options = options
        self.label = label
        self.base = base
        self.holdout = holdout
        self.device = device
        self.threads = threads
        self.random_state = random_state

    def fit(
        self,
        X: Any = None,
        y: Any = None,
        *,
        save_to: str | Path | None = None,
        resume: bool = False,
        force: bool = False,
        on: events.Sink = events.ignore,
        since: float | None = None,
    ) -> Generator:
        """Learn from examples.

        Args:
            X: a path, a list of paths, ``demo:NAME``, or the kind's natural objects.
            y: a value for each example, a condition that can be asked for when sampling.
            save_to: a model folder that is kept current while it learns.
            resume: go on with the fit in ``save_to``, from ``X`` or from where its data lay. Budget
                parameters that differ from the defaults replace the recorded ones.
            force: replace a model that is there.
            on: takes the progress events.
            since: the ``time.monotonic()`` from which ``minutes`` count; now by default.

        Raises:
            InputError: what is wrong with the input, in one sentence, before the first step.
            MachineError: something is missing on this machine.
        """
        request = self._request(X, y, time.monotonic() if since is None else since)
        path = None if save_to is None else Path(save_to)
        if resume:
            if path is None:
                raise InputError(Code.RESUME, "To resume, name the model folder with save_to.")
            if standing(path).exists():
                more = self.steps is not None or self.minutes != _default("minutes")
                self.model_, self.ended_ = fitting.resume(request, path, on, more=more)
                return self._fitted()
            on(events.Note(says=f"{path} does not exist yet, so it is fitted from the start"))
        if X is None:
            raise InputError(Code.SOURCE_MISSING, "There is nothing to learn from: give a source.")
        fitting.refuse_existing(path, force=force)
        self.model_, self.ended_ = fitting.fit(request, path, on)
        self.request_ = request
        return self._fitted()

    def report(
        self, data: Any = None, y: Any = None, *, n: int | None = None, seed: int = 0, on: events.Sink = events.ignore,
        holdout: Any = None, against: Any = None,
    ) -> ReportCard:  # fmt: skip
        """Judge the model: real, diverse, new, useful, private? Each number stands beside what real data gets.

        Args:
            data: what it was fitted on, where that moved or lay in memory; else it is found again.
            y: the labels that were given with it.
            n: how many samples to judge; by default as many as there are held-out examples, 500 to 2,000.
            seed: of the samples and of all that is drawn in judging.
            on: takes the progress events.
            holdout: other real examples to judge by, instead of those that the fit kept from learning.
            against: a second column: another Generator, a model folder, or samples in files.

        Returns:
            ReportCard: ``numbers``, ``says``, ``save("card.html")``; what could not be asked is in ``absent``.

        Raises:
            NotFittedError: before ``fit`` or ``load``.
            InputError: the data have changed, or something is of another kind.
        """
        from ilk.generator.reporting import Asked, make_report

        count, seed, request = None if n is None else check_count(n), check_seed(seed), getattr(self, "request_", None)
        asked = Asked(data=data, y=y, holdout=holdout, against=against, count=count, seed=seed, request=request)
        return make_report(self._model(), asked, on)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the model folder (without what resuming needs, which only ``save_to`` keeps).

        Raises:
            InputError: it exists and ``force`` is not given.
        """
        model, target = self._model(), Path(path)
        fitting.refuse_existing(target, force=force)
        kept = stages(model.path) if model.path else []
        with ModelWriter(target, replace=True) as writer:
            model.header = writer.commit(model.header, model.files())
            write_preview(target, draw_preview(model))
            write_stages(target, kept)
            write_card(target, model)
            seal_model(target, model)
        return target

    @property
    def conditions_(self) -> Mapping[str, Condition]:
        """What ``given`` takes: name -> its levels or range."""
        return self._model().codec.conditions

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002, FBT001, FBT002
        """The constructor's parameters, as scikit-learn asks for them."""
        return {name: getattr(self, name) for name in _parameters()}

    def set_params(self, **params: Any) -> Generator:
        """Set constructor parameters.

        Raises:
            InputError: there is no such parameter.
        """
        for name, value in params.items():
            if name not in _parameters():
                raise InputError(Code.OPTION, f'Generator has no parameter "{name}"; {suggest(name, _parameters())}.')
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        changed = {n: v for n, v in self.get_params().items() if v is not _default(n) and v != _default(n)}
        return f"Generator({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(two_d_array=False, string=True),
            non_deterministic=False,
        )

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(self.__dict__)
        model: Model | None = state.pop("model_", None)
        state.pop("request_", None)  # it may hold the examples
        if model is not None:
            state["folder_"] = msgspec.json.encode(model.header), model.files()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        folder = state.pop("folder_", None)
        self.__dict__.update(state)
        if folder is not None:
            header, files = folder
            opened = Opened(msgspec.json.decode(header, type=Header), files, Path("(pickle)"))
            self.model_ = Model.from_files(opened)

    def _model(self) -> Model:
        model: Model | None = getattr(self, "model_", None)
        if model is None:
            raise NotFittedError(Code.NOT_FITTED, "This Generator is not fitted yet; call fit or ilk.load first.")
        return model

    def _fitted(self) -> Generator:
        header = self.model_.header
        self.kind_, self.n_steps_, self.fingerprint_ = header.kind, header.step, header.fingerprint
        return self

    def _request(self, X: Any, y: Any, since: float) -> fitting.Request:
        if not isinstance(self.kind, str):
            raise InputError(Code.OPTION, f"kind is the name of a kind, not {self.kind!r}.")
        if self.engine is not None and not hasattr(self.engine, "build"):
            raise InputError(Code.OPTION, f"engine takes an engine's settings, such as ilk.Gan(), not {self.engine!r}.")
        if self.size not in (None, "small", "medium", "large"):
            raise InputError(Code.OPTION, f'size is small, medium or large, not "{self.size}".')
        if not 0 < _check_number("minutes", self.minutes) <= 60 * 24 * 30:
            raise InputError(Code.COUNT, f"minutes must be more than 0, not {self.minutes}.")
        if not 0 <= _check_number("holdout", self.holdout) <= 0.5:
            raise InputError(Code.COUNT, f"holdout is a share from 0 to 0.5, not {self.holdout}.")
        for name in ("steps", "threads"):
            value = getattr(self, name)
            number = whole(value)
            if value is not None and (number is None or number < 1):
                raise InputError(Code.COUNT, f"{name} takes a whole number of at least 1, not {value!r}.")
        return fitting.Request(
            source=X,
            y=y,
            kind=self.kind,
            options=self.options,
            engine=self.engine,
            minutes=float(self.minutes),
            steps=whole(self.steps),
            size=self.size,
            device=self.device,
            threads=whole(self.threads),
            seed=fresh_seed() if self.random_state is None else check_seed(self.random_state),
            holdout=self.holdout,
            label=self.label,
            base=None if self.base is None else str(self.base),
            since=since,
        )


def load(path: str | Path, *, device: str = "auto") -> Generator:
    """Load a model folder as a fitted Generator.

    Raises:
        InputError: there is none, or it is damaged, unsafe or newer than this ilk.
        MachineError: its kind needs an extra that is not installed.
    """
    opened = open_model(Path(path))
    header = opened.header
    model = Generator(
        kind=header.kind,
        minutes=(header.plan.seconds or 0) / 60 or _default("minutes"),
        steps=header.plan.steps,
        options=dict(header.options),
        device=device,
        random_state=header.plan.seed,
    )
    model.model_ = Model.from_files(opened, device)
    model.ended_ = header.ended
    return model._fitted()


def _parameters() -> list[str]:
    return [name for name in inspect.signature(Generator.__init__).parameters if name != "self"]


def _default(name: str) -> Any:
    return inspect.signature(Generator.__init__).parameters[name].default


def _check_number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(Code.COUNT, f"{name} is a number, not {value!r}.")
    return float(value)
