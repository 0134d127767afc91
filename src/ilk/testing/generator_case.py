"""What the checks of ``ilk.Generator`` look at: one small fit of a source into a model folder, made once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from ilk.core import events
from ilk.core.protocol import Kind
from ilk.core.registry import get_kind, recognise
from ilk.core.run import saving
from ilk.generator import Generator, load
from ilk.testing.suite import Case

STEPS = 4


class Killed(BaseException):
    """What a check raises in the middle of a fit; nothing in ilk catches it."""


class GeneratorCase(Case):
    """A source and the parameters of a fit that takes a second.

    Attributes:
        kind_name: the kind, or None where it is to be recognised.
        source: what to learn from.
        params: the constructor's parameters; steps, one thread and the CPU unless they say otherwise.
    """

    def __init__(self, kind_name: str | None, source: Any, params: dict[str, Any]) -> None:
        self.kind_name = kind_name
        self.source = source
        self.params = {"kind": kind_name or "auto", "steps": STEPS, "threads": 1, "device": "cpu", **params}

    @property
    def steps(self) -> int:
        """Steps of a whole fit."""
        return int(self.params["steps"])

    @cached_property
    def kind(self) -> Kind:
        """The kind of the source."""
        return get_kind(self.kind_name) if self.kind_name else recognise(self.source)

    @cached_property
    def path(self) -> Path:
        """The folder of a whole fit; checks do not change it."""
        path = self.folder() / "whole.ilk"
        with self.at_home():
            self.new().fit(self.source, save_to=path)
        return path

    @property
    def model(self) -> Generator:
        """The whole fit, loaded anew."""
        return load(self.path)

    def new(self, **params: Any) -> Generator:
        """An unfitted Generator."""
        return Generator(**{**self.params, **params})

    def names(self, samples: Iterable[Any]) -> list[str]:
        """What each sample is."""
        return [self.kind.identify(sample) for sample in samples]


@contextmanager
def checkpoint_each_step() -> Iterator[None]:
    """A fit that saves after every step, so that a check can kill it anywhere."""
    with saving(every=0.0, share=float("inf")):
        yield


class KillAt:
    """A sink that ends the process, as far as ilk can tell, when the ``count``-th checkpoint is on disk."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(self, event: events.Event) -> None:
        self.left -= isinstance(event, events.Preview)
        if self.left == 0:
            raise Killed


def tree(path: Path) -> dict[str, str]:
    """Every file below a folder and its hash; the lock file does not count."""
    files = (file for file in sorted(path.rglob("*")) if file.is_file() and file.name != ".lock")
    return {file.relative_to(path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
