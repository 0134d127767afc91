"""From a source to encoded, memory-mapped examples: read, split, fit the codec, encode in parallel, cache.

Everything here works through the Kind and Codec contracts and knows no kind. Examples are decoded
once, by chunks, in threads (decoders release the interpreter lock), and appended to raw files under
``ILK_HOME/cache``; 100,000 pictures never are in memory, and a second fit of the same source with the
same plan starts at once. The cache is keyed by the kind's stamp of the source; its size is capped.

The holdout is taken before the codec is fitted, by group and evenly over conditions, and only its row
numbers are kept: nothing learns from those rows.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from ilk.core.config import Record, canonical_json, to_json
from ilk.core.device import cores
from ilk.core.errors import Code, InputError, UnreadableError
from ilk.core.events import Note, Sink, Stage
from ilk.core.folder import disk_error
from ilk.core.home import make_folder
from ilk.core.plan import Plan
from ilk.core.protocol import Array, Arrays, Base, Codec, Example, Kind, Problem
from ilk.core.rows import LENGTH, flat, join, ragged, row_bytes, starts, unflat
from ilk.core.split import split

CHUNK = 256  # examples encoded together
UNREADABLE_SHARE = 0.01  # more than this (and more than one) is refused
CACHE_LIMIT = 20 * 2**30  # bytes; ILK_CACHE_GB overrides


class Layout(Record, frozen=True, kw_only=True):
    """``data.json`` of a cache entry: what the raw files hold."""

    arrays: dict[str, tuple[str, tuple[int, ...]]]  # name -> (dtype, shape of one row)
    ragged: dict[str, int] = {}  # of these, the ones whose rows differ in length: entries in all
    count: int
    fingerprint: str
    problems: tuple[Problem, ...]


class MappedData:
    """Rows of a cache entry as the engine wants them; satisfies the ``Data`` contract."""

    def __init__(self, arrays: Arrays, codec: Codec, rows: Array, ragged: Iterable[str] = ()) -> None:
        self._arrays = arrays
        self._codec = codec
        self._rows = rows
        self._ragged = tuple(ragged)
        self._starts = starts(arrays[LENGTH]) if self._ragged else rows[:0]

    @property
    def rows(self) -> Array:
        """(N,) places among the readable examples of the source, which are encoded in its order."""
        return self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, indices: Array) -> Arrays:
        rows = self._rows[indices]
        taken = {
            name: unflat(array, self._starts[rows], self._arrays[LENGTH][rows]) if name in self._ragged else array[rows]
            for name, array in self._arrays.items()
        }
        return self._codec.to_space(taken)

    def column(self, name: str) -> Array:
        array = self._arrays[name]
        return np.asarray(array[self._rows])


class Prepared(msgspec.Struct, frozen=True):
    """What a fit starts from."""

    codec: Codec
    train: MappedData
    holdout: MappedData
    fingerprint: str
    problems: tuple[Problem, ...]


def prepare(
    kind: Kind,
    options: Any,
    plan: Plan,
    *,
    stamp: str,
    home: Path,
    holdout: float,
    examples: Callable[[], Iterable[Example | Problem]],
    base: Base | None,
    codec: Codec | None,
    on: Sink,
) -> Prepared:
    """Encoded training and holdout data of a source, from the cache where it is there.

    Args:
        kind: reads the source.
        options: the kind's options record.
        plan: the plan of the fit; the codec may depend on its budget.
        stamp: changes when the source does: the key of the cache.
        home: the user's ilk folder.
        holdout: share of the examples to keep from learning.
        examples: streams the examples of the source, the same each time it is called.
        base: a pretrained start, or None.
        codec: the codec to use (a resumed fit has one), or None to fit one.
        on: takes the events.

    Raises:
        InputError: too few or too many unreadable examples, or all are the same.
        MachineError: the disk is full.
    """
    if codec is None:  # everything that fitting one may depend on
        asked: list[Any] = [stamp, plan.seconds, plan.steps, plan.size, plan.device, plan.threads, plan.seed, holdout]
        asked += [base.sha256] if base else []
    else:
        asked = [stamp, codec_bytes(codec), plan.seed, holdout]
    entry = home / "cache" / hashlib.sha256(canonical_json(asked)).hexdigest()[:32]
    if not (entry / "data.json").exists():
        with warnings.catch_warnings():  # decoders warn of damaged files; what is unreadable is told as such
            warnings.simplefilter("ignore")
            _build(entry, kind, options, plan, holdout, examples, base, codec, on)
    return _open(entry, kind)


def codec_bytes(codec: Codec) -> dict[str, bytes]:
    """The files that a codec saves, by name."""
    with tempfile.TemporaryDirectory(prefix="ilk-") as folder:
        codec.save(Path(folder))
        found = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def _build(
    entry: Path,
    kind: Kind,
    options: Any,
    plan: Plan,
    holdout: float,
    examples: Callable[[], Iterable[Example | Problem]],
    base: Base | None,
    codec: Codec | None,
    on: Sink,
) -> None:
    """Fill a new cache entry under a hidden name, then show it whole."""
    on(Stage(says="looking at the examples"))
    seen: list[tuple[str, dict[str, Any]]] = []
    problems: list[Problem] = []
    for item in examples():
        if isinstance(item, Problem):
            problems.append(item)
        else:
            seen.append((item.group, item.given))
    _refuse_unreadable(problems, len(seen))
    _tell_groups([group for group, _ in seen], on)
    _, held = split(seen, holdout, plan.seed)
    if codec is None:
        kept = set(held.tolist())
        learn = (example for row, example in enumerate(_only(examples())) if row not in kept)
        codec = kind.fit_codec(learn, options, plan, base)
    make_folder(entry.parent)
    _make_room(entry.parent)
    staging = Path(tempfile.mkdtemp(dir=entry.parent, prefix=".new-"))
    try:
        (staging / "codec").mkdir()
        codec.save(staging / "codec")
        layout = _encode(staging, codec, examples(), len(seen), set(held.tolist()), on)
        layout = msgspec.structs.replace(layout, problems=(*problems, *layout.problems))
        _refuse_unreadable(list(layout.problems), layout.count)
        (staging / "data.json").write_bytes(to_json(layout))
        if not entry.exists():
            staging.rename(entry)
    except OSError as error:
        raise disk_error(error, entry.parent) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _tell_groups(groups: list[str], on: Sink) -> None:
    """Say how many examples the split may not part, since they are near-copies of others."""
    sizes = Counter(group for group in groups if group)
    together = sum(size for size in sizes.values() if size > 1)
    if together:
        says = f"{together:,} of {len(groups):,} examples are near-copies of others; the split keeps these together"
        on(Note(says=says))


class _Writer:
    """Appends encoded chunks to one raw file an array; keeps the hash, the rows and the problems."""

    def __init__(self, folder: Path, held: set[int]) -> None:
        self.shapes: dict[str, tuple[str, tuple[int, ...]]] = {}
        self.ragged: dict[str, int] = {}
        self.problems: list[Problem] = []
        self.done = self.kept = 0
        self.same = _Sameness()
        self._folder = folder
        self._held = held
        self._rows: dict[bool, list[int]] = {False: [], True: []}
        self._digest = hashlib.sha256()
        self._files: dict[str, BinaryIO] = {}

    def add(self, readable: list[bool], arrays: Arrays | None, problems: list[Problem]) -> None:
        self.problems += problems
        for ok in readable:
            if ok:
                self._rows[self.done in self._held].append(self.kept)
                self.kept += 1
            self.done += 1
        if not arrays:
            return
        uneven = ragged(arrays)
        for name, array in arrays.items():
            if name not in self._files:
                self.shapes[name] = (array.dtype.str, array.shape[2 if name in uneven else 1 :])
                self._files[name] = (self._folder / f"{name}.bin").open("wb")
            kept = flat(array, arrays[LENGTH]) if name in uneven else array
            if name in uneven:
                self.ragged[name] = self.ragged.get(name, 0) + len(kept)
            raw = np.ascontiguousarray(kept).tobytes()
            self._files[name].write(raw)
            self._digest.update(raw)
        self.same.add(arrays)

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def layout(self) -> Layout:
        for held, name in ((False, "train"), (True, "holdout")):
            np.save(self._folder / f"{name}.npy", np.array(self._rows[held], dtype=np.int64))
        return Layout(
            arrays=self.shapes,
            ragged=self.ragged,
            count=self.kept,
            fingerprint=self._digest.hexdigest(),
            problems=tuple(self.problems),
        )


def _encode(
    folder: Path, codec: Codec, items: Iterable[Example | Problem], count: int, held: set[int], on: Sink
) -> Layout:
    """Encode all examples, in order, decoding on all cores."""
    writer = _Writer(folder, held)
    try:
        with ThreadPoolExecutor(cores()) as pool:
            for result in _ordered(pool, partial(_encode_chunk, codec), _only(items)):
                writer.add(*result)
                on(Stage(says="reading", done=writer.done, of=count))
    finally:
        writer.close()
    if writer.kept == 0:
        sentence = f"None of the {writer.done} examples can be read; {_first(writer.problems)}"
        raise InputError(Code.TOO_MANY_UNREADABLE, sentence)
    if writer.same.all and writer.kept > 1:
        sentence = f"All {writer.kept} examples are the same, so there is nothing to learn that they have in common."
        raise InputError(Code.NO_VARIETY, sentence)
    return writer.layout()


class _Sameness:
    """Whether all rows seen so far are equal."""

    def __init__(self) -> None:
        self.all = True
        self._row: bytes | None = None

    def add(self, arrays: Arrays) -> None:
        name = next(iter(arrays))
        if self._row is None:
            self._row = row_bytes(arrays, name, 0)
        self.all = self.all and all(row_bytes(arrays, name, row) == self._row for row in range(len(arrays[name])))


def _encode_chunk(codec: Codec, chunk: list[Example]) -> tuple[list[bool], Arrays | None, list[Problem]]:
    """Encode a chunk; where that fails, one by one, to find out which examples are bad."""
    try:
        return [True] * len(chunk), codec.encode(chunk), []
    except UnreadableError:
        pass
    readable, parts, problems = [], [], []
    for example in chunk:
        try:
            parts.append(codec.encode([example]))
            readable.append(True)
        except UnreadableError as error:
            problems.append(Problem(example.name, error.sentence))
            readable.append(False)
    return readable, join(parts) if parts else None, problems


def _ordered(pool: ThreadPoolExecutor, work: Callable[[list[Example]], Any], items: Iterator[Example]) -> Iterator[Any]:
    """Results of ``work`` over chunks, in order, with only a few chunks in flight."""
    waiting = [pool.submit(work, chunk) for chunk in islice(_chunks(items), 2 * cores())]
    chunks = _chunks(items)
    while waiting:
        yield waiting.pop(0).result()
        waiting += [pool.submit(work, chunk) for chunk in islice(chunks, 1)]


def _chunks(items: Iterator[Example]) -> Iterator[list[Example]]:
    while chunk := list(islice(items, CHUNK)):
        yield chunk


def _only(items: Iterable[Example | Problem]) -> Iterator[Example]:
    return (item for item in items if isinstance(item, Example))


def _open(entry: Path, kind: Kind) -> Prepared:
    layout = msgspec.json.decode((entry / "data.json").read_bytes(), type=Layout)
    os.utime(entry / "data.json")  # the cache forgets what was used longest ago
    codec = kind.load_codec(entry / "codec")
    arrays = {
        name: np.memmap(entry / f"{name}.bin", dtype, "r", shape=(layout.ragged.get(name, layout.count), *shape))
        for name, (dtype, shape) in layout.arrays.items()
    }
    return Prepared(
        codec=codec,
        train=MappedData(arrays, codec, np.load(entry / "train.npy"), layout.ragged),
        holdout=MappedData(arrays, codec, np.load(entry / "holdout.npy"), layout.ragged),
        fingerprint=layout.fingerprint,
        problems=layout.problems,
    )


def _refuse_unreadable(problems: list[Problem], good: int) -> None:
    if len(problems) > max(1, UNREADABLE_SHARE * (good + len(problems))):
        sentence = f"{len(problems)} of {good + len(problems)} examples cannot be read; {_first(problems)}"
        raise InputError(Code.TOO_MANY_UNREADABLE, sentence)


def _first(problems: list[Problem]) -> str:
    return f"the first is {problems[0].name}: {problems[0].reason}" if problems else "the source holds none."


def cache_size(home: Path) -> int:
    """Bytes of all cache entries."""
    return sum(file.stat().st_size for file in (home / "cache").rglob("*") if file.is_file())


def _make_room(folder: Path) -> None:
    """Drop the entries that were used longest ago until the cache is within its limit."""
    limit = float(os.environ.get("ILK_CACHE_GB", CACHE_LIMIT / 2**30)) * 2**30
    entries = []
    for mark in folder.glob("*/data.json"):
        size = sum(file.stat().st_size for file in mark.parent.rglob("*") if file.is_file())
        entries.append((mark.stat().st_mtime, size, mark.parent))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= limit:
            return
        shutil.rmtree(path, ignore_errors=True)
        total -= size
