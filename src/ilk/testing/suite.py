"""How a contract suite runs: a case (what is checked), checks (one promise each), and strict exceptions.

A check is a function of one case whose docstring says the promise; it raises AssertionError with a
sentence when the promise is broken. This file knows no promise itself: those are in ``kind_*.py``,
``engine_*.py`` and ``generator_*.py``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TypeAlias, TypeVar

from ilk.core.errors import IlkError

C = TypeVar("C")
Bound: TypeAlias = tuple[str, Callable[[], None]]
"""A check's name and the check, bound to its case: what pytest parametrizes over."""


class Case:
    """What all checks of one suite share: the thing under test, and room on disk that goes with it."""

    @cached_property
    def _root(self) -> Path:
        """Made when it is needed, gone with the case."""
        root = Path(tempfile.mkdtemp(prefix="ilk-testing-"))
        weakref.finalize(self, shutil.rmtree, root, ignore_errors=True)
        return root

    def folder(self) -> Path:
        """A new empty folder."""
        return Path(tempfile.mkdtemp(dir=self._root))

    @contextmanager
    def at_home(self) -> Iterator[Path]:
        """A user's ilk folder that belongs to this case, so that a check touches no real key or cache."""
        home, before = self._root / "home", os.environ.get("ILK_HOME")
        os.environ["ILK_HOME"] = str(home)
        try:
            yield home
        finally:
            if before is None:
                del os.environ["ILK_HOME"]
            else:
                os.environ["ILK_HOME"] = before


def bind(checks: Iterable[Callable[[C], None]], case: C) -> Iterator[Bound]:
    """Pairs of name and callable, for a loop or for ``pytest.mark.parametrize``."""
    for check in checks:
        yield getattr(check, "__name__", repr(check)), _Bound(check, case)


class _Bound:
    """A check with its case; it keeps the check's docstring."""

    def __init__(self, check: Callable[[C], None], case: C) -> None:
        self._call = partial(check, case)
        self.__name__ = getattr(check, "__name__", repr(check))
        self.__doc__ = check.__doc__

    def __call__(self) -> None:
        self._call()


def run_checks(checks: Iterable[Bound], expected_failures: Mapping[str, str]) -> int:
    """Run all checks; how many ran.

    Args:
        checks: names and callables.
        expected_failures: name of a check -> why it fails. Strict: such a check must really fail.

    Raises:
        AssertionError: a check failed, or one that was declared to fail passed or does not exist. All
            of them are listed; the first is the cause.
    """
    wrong: list[str] = []
    cause: Exception | None = None
    names = []
    for name, check in checks:
        names.append(name)
        try:
            check()
        except Exception as error:  # a check may meet any error of a stranger's code
            if name not in expected_failures:
                cause = cause or error
                wrong.append(f"{name} ({promise(check)}): {type(error).__name__}: {error}")
            continue
        if name in expected_failures:
            wrong.append(f"{name} was expected to fail ({expected_failures[name]}), but passes: drop the exception")
    wrong += [f"{name} is no check of this suite" for name in expected_failures if name not in names]
    if wrong:
        raise AssertionError(f"{len(wrong)} of {len(names)} checks:\n- " + "\n- ".join(wrong)) from cause
    return len(names)


def promise(check: Callable[..., None]) -> str:
    """The promise that a check holds: the first line of its docstring."""
    return (check.__doc__ or "").strip().split("\n")[0].rstrip(".")


def refuses(call: Callable[[], object], what: str, *, kinds: tuple[type[Exception], ...] = (IlkError,)) -> Exception:
    """The error that ``call`` raises, which must be one of ``kinds``: a sentence, not an accident.

    Raises:
        AssertionError: nothing was raised, or another error.
    """
    try:
        call()
    except kinds as error:
        raised: Exception = error
    except Exception as error:
        names = " or ".join(kind.__name__ for kind in kinds)
        raise AssertionError(f"{what} raised {type(error).__name__} ({error}) instead of {names}") from error
    else:
        raise AssertionError(f"{what} was accepted; it must be refused")
    assert str(raised).strip(), f"{what} was refused without a sentence ({type(raised).__name__})"
    return raised
