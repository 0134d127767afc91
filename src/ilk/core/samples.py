"""``Samples``: what ``Generator.sample`` returns, a sequence of objects of the kind.

It is made by chunks when it is looked at, so a million samples can be streamed to a folder without
being in memory; what is small is kept. It knows neither kind nor seal: the generator hands in how to
make, draw and save.
"""

from __future__ import annotations

import base64
import html
import operator
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import msgspec

from ilk.core.errors import Code, InputError
from ilk.core.protocol import Exhibit

KEEP = 4096  # samples kept in memory; longer sequences are made anew when looked at again


class Saved(msgspec.Struct, frozen=True):
    """What ``save`` wrote: the files of the samples, the sheet and the seal."""

    path: str
    count: int
    files: list[str]  # at most the first 1,000
    sheet: str | None
    seal: str  # "c2pa+manifest", "manifest", "sidecar", "none"
    seconds: float


class Samples(Sequence[Any]):
    """Samples of a model, in the kind's natural form.

    Attributes:
        seed: the seed that they were drawn with; the same seed gives the same samples.
    """

    def __init__(
        self,
        count: int,
        seed: int,
        *,
        make: Callable[[int, int], Sequence[Any]],
        chunk: int,
        draw: Callable[[Sequence[Any]], Exhibit],
        save: Callable[[Samples, Path, str | None, bool, bool], Saved],
        score: Callable[[int], list[float]] | None = None,
        contain: Callable[[Sequence[Any]], Any] | None = None,
        effective: Callable[[], float | None] | None = None,
        keep: int = KEEP,
    ) -> None:
        self.seed = seed
        self._count = count
        self._make = make
        self._chunk = chunk
        self._draw = draw
        self._save = save
        self._score = score
        self._contain = contain
        self._effective = effective
        self._keep = keep
        self._all: Sequence[Any] | None = None
        self._near: tuple[int, Sequence[Any]] | None = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        place = index + self._count if index < 0 else index
        if not 0 <= place < self._count:
            raise IndexError(index)
        if self._all is not None or self._count <= self._keep:
            return self._objects[place]
        start = place // self._chunk * self._chunk
        if self._near is None or self._near[0] != start:  # whoever walks by index finds its neighbours made
            self._near = start, self._make(start, min(start + self._chunk, self._count))
        return self._near[1][place - start]

    def __iter__(self) -> Iterator[Any]:
        if self._all is not None or self._count <= self._keep:
            yield from self._objects
            return
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[Sequence[Any]]:
        """The samples by chunks, each in the kind's natural form; nothing is kept."""
        for start in range(0, self._count, self._chunk):
            yield self._make(start, min(start + self._chunk, self._count))

    @property
    def scores(self) -> list[float] | None:
        """The critic's realness of each, 0 to 1, where a critic chose them; else None."""
        return self._score(self._count) if self._score else None

    @property
    def effective(self) -> float | None:
        """Of how many candidates each was chosen, in effect (Kish's effective sample size), on average of those made.

        None where no condition was so rare that samples had to be chosen; near 1, they are what the model could find.
        """
        return self._effective() if self._effective else None

    @property
    def data(self) -> Any:
        """All samples at once, in what the examples came in: a list of pictures, a data frame."""
        return self._contain(self._objects) if self._contain else self._objects

    @property
    def _objects(self) -> Sequence[Any]:
        """All samples at once, as a sequence."""
        if self._all is None:
            self._all = self._make(0, self._count)
        return self._all

    def known(self, objects: Sequence[Any]) -> Samples:
        """These samples, which somebody has made already."""
        self._all = objects
        return self

    def save(self, path: str | Path, format: str | None = None, *, unsealed: bool = False) -> Saved:
        """Write the samples, sealed: one file each into a folder, or one file by its suffix.

        Args:
            path: a folder (it may hold samples already; numbering goes on), or a file.
            format: the format of the files in a folder, such as ``png``; the kind's first by default.
            unsealed: write them without a seal.

        Raises:
            InputError: an unknown format, a file that exists, a place that cannot be written.
            MachineError: the disk is full; what was written is sealed.
        """
        one_file = bool(Path(path).suffix) and not Path(path).is_dir()
        if str(path).endswith("/"):  # "v2.1/" is a folder, whatever its suffix looks like
            one_file = False
        return self._save(self, Path(path), format, unsealed, one_file)

    def __repr__(self) -> str:
        return f"Samples(n={self._count}, seed={self.seed})"

    def _repr_html_(self) -> str:
        exhibit = self._draw(self[: min(self._count, 100)])
        if exhibit.media_type.startswith("image/") and exhibit.media_type != "image/svg+xml":
            data = base64.b64encode(exhibit.data).decode()
            return f'<img alt="{self._count} samples" src="data:{exhibit.media_type};base64,{data}">'
        if exhibit.media_type == "image/svg+xml":
            return exhibit.data.decode()
        return f"<pre>{html.escape(exhibit.data.decode(errors='replace'))}</pre>"


def check_count(count: Any) -> int:
    """A number of samples.

    Raises:
        InputError: it is no whole number of at least 1.
    """
    number = whole(count)
    if number is None or number < 1:
        raise InputError(Code.COUNT, f"The number of samples must be a whole number of at least 1, not {count}.")
    return number


def check_seed(seed: Any) -> int:
    """A seed.

    Raises:
        InputError: it is no whole number from 0 to 2^63.
    """
    number = whole(seed)
    if number is None or not 0 <= number < 2**63:
        raise InputError(Code.COUNT, f"A seed is a whole number from 0, not {seed!r}.")
    return number


def whole(value: Any) -> int | None:
    """A whole number, numpy's included, as Python's; None for anything else, True and 1.0 too."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        return None
    try:
        return operator.index(value)
    except TypeError:  # an array
        return None
