"""Tables of every sort, and a codec of any source."""

from __future__ import annotations

import numpy as np

from ilk.core.plan import Plan
from ilk.core.protocol import Example, Problem
from ilk.kinds.table import kind
from ilk.kinds.table.options import Options

PLAN = Plan(steps=3)


def read(source, **options):
    """(examples, problems) of a source."""
    found = list(kind.read(source, Options(**options)))
    return [each for each in found if isinstance(each, Example)], [each for each in found if isinstance(each, Problem)]


def codec_of(source, **options):
    """(codec, examples) of a source."""
    examples, _ = read(source, **options)
    return kind.fit_codec(examples, Options(**options), PLAN, None), examples


def again(source, **options):
    """(codec, the source's own rows, encoded and decoded)."""
    codec, examples = codec_of(source, **options)
    return codec, codec.decode(codec.encode(examples))


def types(codec):
    """What each column was taken for."""
    return {field.name: field.type for field in codec.facts.source}


def csv(folder, *columns, names="ab", sign=",", name="t.csv", encoding="utf-8"):
    """A file of columns of cells."""
    lines = [sign.join(names), *(sign.join(map(str, cells)) for cells in zip(*columns, strict=True))]
    path = folder / name
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def some(count=60, of=5, seed=0):
    """Numbers that repeat."""
    return np.random.default_rng(seed).integers(0, of, count)


def holed(values, seed=1):
    """The values, some of them missing."""
    gone = np.random.default_rng(seed).random(len(values)) < 0.2
    return [None if missing else value for value, missing in zip(values, gone, strict=True)]
