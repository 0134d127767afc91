"""A kind that lies in a folder: each answer in a file of the name that it has in every kind, imported when it is asked.

    recognise.py  recognise(source)                        stamp.py   stamp(source, options)
    read.py       read(source, options)                    choose.py  fit_codec(examples, options, plan, base)
    codec.py      load_codec(folder)                       write.py   write(objects, file, format, note)
    features.py   fit_features(examples, plan)             draw.py    draw(objects)
                  load_features(folder)                    check.py   check(object), identify(object)
    encoder.py    fit_encoder(examples, holdout, plan)

What each of them promises is written in :class:`ilk.core.protocol.Kind`. A kind says the rest itself: its name, its
records, its engine, and whatever it offers beside.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ilk.core.plan import Plan
from ilk.core.protocol import (
    Array,
    Base,
    Codec,
    Encoder,
    Example,
    Exhibit,
    Features,
    Measure,
    Problem,
    Settings,
)


class FolderKind:
    """The members of a kind that are files of its folder.

    Attributes:
        repeats: whether two equal examples are as natural as two different ones, and no sign that one was copied.
    """

    repeats: bool = False
    extra: str = ""
    measures: tuple[Measure, ...] = ()
    demos: Mapping[str, str] = {}

    def _file(self, name: str) -> Any:
        """A file of the kind's folder, as a module."""
        return importlib.import_module(f"{type(self).__module__}.{name}")

    def recognise(self, source: Any) -> float:
        return float(self._file("recognise").recognise(source))

    def read(self, source: Any, options: Any) -> Iterator[Example | Problem]:
        stream: Iterator[Example | Problem] = self._file("read").read(source, options)
        return stream

    def stamp(self, source: Any, options: Any) -> str:
        return str(self._file("stamp").stamp(source, options))

    def fit_codec(self, examples: Iterable[Example], options: Any, plan: Plan, base: Base | None) -> Codec:
        codec: Codec = self._file("choose").fit_codec(examples, options, plan, base)
        return codec

    def load_codec(self, folder: Path) -> Codec:
        codec: Codec = self._file("codec").load_codec(folder)
        return codec

    def sketch(self, codec: Codec, plan: Plan) -> Settings | None:  # noqa: ARG002
        """No engine that learns in seconds: the first samples of the real one are the first preview."""
        return None

    def fit_features(self, examples: Iterable[Example], plan: Plan) -> Features:
        features: Features = self._file("features").fit_features(examples, plan)
        return features

    def load_features(self, folder: Path) -> Features:
        features: Features = self._file("features").load_features(folder)
        return features

    def fit_encoder(self, examples: Sequence[Example], holdout: Sequence[Example], plan: Plan) -> Encoder:
        encoder: Encoder = self._file("encoder").fit_encoder(examples, holdout, plan)
        return encoder

    def write(self, objects: Sequence[Any], file: BinaryIO, format: str, note: Mapping[str, str]) -> None:
        self._file("write").write(objects, file, format, note)

    def draw(self, objects: Sequence[Any]) -> Exhibit:
        exhibit: Exhibit = self._file("draw").draw(objects)
        return exhibit

    def identify(self, object: Any) -> str:
        return str(self._file("check").identify(object))

    def check(self, object: Any) -> list[str]:
        return list(self._file("check").check(object))

    def carrier(self, object: Any) -> Array | None:  # noqa: ARG002
        """No pixels that a watermark could go into."""
        return None

    def with_carrier(self, object: Any, array: Array) -> Any:  # noqa: ARG002
        return object
