"""Promises about ``ilk.Generator`` as an estimator: parameters, refusals, what is said before the first step."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from ilk.core.errors import Code, InputError, NotFittedError
from ilk.core.protocol import Levels
from ilk.generator import Generator
from ilk.testing.bad_input import bad_inputs
from ilk.testing.generator_case import GeneratorCase, tree
from ilk.testing.suite import refuses

BAD_COUNTS: tuple[Any, ...] = (0, -3, True, 1.5, "10", None)
BAD_PARAMS: tuple[tuple[str, Any], ...] = (
    ("steps", 0),
    ("steps", -1),
    ("steps", 1.5),
    ("steps", True),
    ("steps", "many"),
    ("minutes", 0),
    ("minutes", -1),
    ("minutes", float("nan")),
    ("minutes", "soon"),
    ("size", "huge"),
    ("device", "tpu-9"),
    ("holdout", 0.9),
    ("holdout", -0.1),
    ("holdout", "a tenth"),
    ("threads", 0),
    ("threads", 1.5),
    ("random_state", "lucky"),
    ("random_state", -1),
    ("kind", "no-such-kind"),
    ("options", 3),
    ("engine", "gan?"),
)


def check_constructor_stores_untouched(case: GeneratorCase) -> None:  # noqa: ARG001  (all are called alike)
    """The constructor keeps its parameters as they are, and sets nothing else."""
    given = {name: object() for name in inspect.signature(Generator).parameters}
    model = Generator(**given)  # type: ignore[arg-type]
    assert vars(model) == given, "the constructor changes, drops or adds something"
    assert all(vars(model)[name] is value for name, value in given.items()), "the constructor copies something"


def check_parameters_can_be_copied(case: GeneratorCase) -> None:
    """get_params and set_params carry all parameters to a new Generator; an unknown one is refused."""
    model = case.new()
    params = model.get_params()
    assert Generator(**params).get_params() == params, "a copy has other parameters"
    other = Generator()
    assert other.set_params(**params) is other, "set_params returns self"
    assert other.get_params() == params, "set_params loses a parameter"
    error = refuses(partial(other.set_params, stepz=3), "the parameter stepz", kinds=(InputError,))
    assert 'did you mean "steps"' in str(error), f"no suggestion: {error}"
    assert "Generator(" in repr(model), "repr does not say what it is"


def check_unfitted_is_refused(case: GeneratorCase) -> None:
    """Sampling, saving and asking for conditions before fit raise NotFittedError."""
    model = case.new()
    for what, call in (
        ("sample", model.sample),
        ("save", partial(model.save, case.folder() / "a.ilk")),
        ("conditions_", lambda: model.conditions_),
    ):
        refuses(call, f"{what} before fit", kinds=(NotFittedError,))


def check_bad_counts_are_refused(case: GeneratorCase) -> None:
    """A number of samples that is no whole number from 1 is refused with its own code."""
    for count in BAD_COUNTS:
        error = refuses(partial(case.model.sample, count), f"n = {count!r}", kinds=(InputError,))
        assert getattr(error, "code", "") == Code.COUNT, f"n = {count!r} has the code {getattr(error, 'code', '')}"
    seeds: tuple[Any, ...] = ("lucky", -1, 2**63, 1.5, True)
    for seed in seeds:
        refuses(partial(case.model.sample, 1, seed=seed), f"seed = {seed!r}", kinds=(InputError,))


def check_bad_parameters_are_refused(case: GeneratorCase) -> None:
    """A parameter out of range or of the wrong type is refused before anything is written."""
    for name, value in BAD_PARAMS:
        path = case.folder() / "never.ilk"
        bad = case.new(**{"steps": None, name: value} if name == "minutes" else {name: value})
        fit = partial(bad.fit, case.source, save_to=path)
        with case.at_home():
            refuses(fit, f"{name} = {value!r}", kinds=(InputError,))
        assert not path.exists(), f"{name} = {value!r} left a folder behind"


def check_typos_are_suggested(case: GeneratorCase) -> None:
    """An unknown option, condition or level is refused, and the right name is suggested."""
    names = [field.replace("_", "-") for field in case.kind.Options.__struct_fields__]
    for name in names or ["nothing"]:
        fit = partial(case.new(options={_typo(name): 1}).fit, case.source)
        with case.at_home():
            _suggests(refuses(fit, f"the option {_typo(name)}", kinds=(InputError,)), names and name)
    refuses(partial(case.model.sample, 1, no_such_option=1), "a sampling option", kinds=(InputError,))
    conditions = case.model.conditions_
    refuses(partial(_given, case, {"no such condition": 1}), "a condition", kinds=(InputError,))
    for name, condition in conditions.items():
        _suggests(refuses(partial(_given, case, {_typo(name): "x"}), f"the condition {_typo(name)}"), name)
        if isinstance(condition, Levels):
            level = max(condition.names, key=len)
            refuses(partial(_given, case, {name: level + "?"}), f'the level "{level}?"', kinds=(InputError,))


def _given(case: GeneratorCase, given: Mapping[str, Any]) -> Any:
    return case.model.sample(1, given=given)


def _typo(name: str) -> str:
    """A word that is nearly the right one."""
    return name[:-2] + name[-1] + name[-2] if name[-1] != name[-2:-1] else name + "x"


def _suggests(error: Exception, name: Any) -> None:
    assert not name or f'"{name}"' in str(error), f"the sentence does not suggest {name}: {error}"


def check_bad_sources_are_refused(case: GeneratorCase) -> None:
    """Every source of the bad-input list is refused in a sentence, before a folder appears."""
    suffix = "." + case.kind.formats[0].suffix.lstrip(".")
    for kind in ("auto", case.kind.name):
        for bad in bad_inputs():
            path = case.folder() / "never.ilk"
            source = bad.make(case.folder(), suffix)
            fit = partial(case.new(kind=kind).fit, source, save_to=path)
            with case.at_home():
                error = refuses(fit, f"{bad.name} (kind {kind})", kinds=(bad.error,))
            code = getattr(error, "code", "")
            assert code in bad.codes, f"{bad.name} (kind {kind}) has the code {code}"
            assert not path.exists(), f"{bad.name} left a folder behind"


def check_existing_folder_is_kept(case: GeneratorCase) -> None:
    """A model that is there is not overwritten, and stays byte for byte; a folder that is none never is."""
    before = tree(case.path)
    with case.at_home():
        fit = partial(case.new().fit, case.source, save_to=case.path)
        assert getattr(refuses(fit, "an existing model"), "code", "") == Code.EXISTS
        assert getattr(refuses(partial(case.model.save, case.path), "an existing model"), "code", "") == Code.EXISTS
        other = case.folder()
        (other / "letter.txt").write_text("dear")
        for force in (False, True):
            fit = partial(case.new().fit, case.source, save_to=other, force=force)
            assert getattr(refuses(fit, "a folder that is no model"), "code", "") == Code.EXISTS
    assert tree(case.path) == before, "the refused fit changed the folder"
    assert list(tree(other)) == ["letter.txt"], "the refused fit changed a folder that is no model"


CHECKS = (
    check_constructor_stores_untouched,
    check_parameters_can_be_copied,
    check_unfitted_is_refused,
    check_bad_counts_are_refused,
    check_bad_parameters_are_refused,
    check_typos_are_suggested,
    check_bad_sources_are_refused,
    check_existing_folder_is_kept,
)
