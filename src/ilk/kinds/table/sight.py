"""What a report sees of rows: the made, the training and the held-out ones as matrices that are coded alike.

Keys, long texts, constants and empty columns say nothing about a row and are left out, as is a column that one of the
tables does not have or that holds something else there. Knows the types of columns, and no measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.errors import IlkError
from ilk.core.protocol import Array, Witness
from ilk.core.seeds import stream
from ilk.kinds.table.convert import encoded, typed
from ilk.kinds.table.frame import as_table
from ilk.kinds.table.types import Field, find
from ilk.kinds.table.words import word_of

MOST = {"made": 30_000, "train": 300_000, "held": 30_000}
"""Rows of each set that are looked at, drawn at random with the report's seed."""
FEWEST, MOST_COMPARED = 20, 15_000
"""Rows of a set that are worth comparing, and that a critic compares: as many of each, the first ones."""
MOST_COLUMNS = 300
MOST_LEVELS = 200  # of a column; rarer ones are one level together
FEW, FEW_NUMBERS = 20, 12  # different values of a column that tells groups apart
ASKED = 20_000  # rows by which the type of a column is found
OTHERS = "all others"


class Column(NamedTuple):
    """What a place of a matrix means.

    Attributes:
        name: of the column.
        levels: of a category, the commonest first, in made or real rows; empty for numbers.
        field: what the kind knows of the column.
        values: different values of real rows, where they are so few that they tell groups apart; else empty.
    """

    name: str
    levels: tuple[str, ...]
    field: Field
    values: tuple[float, ...] = ()

    def word(self, value: float) -> str:
        """A value as a person writes it."""
        return self.levels[int(value)] if self.levels else word_of(self.field, value)

    def group(self, x_N: Array) -> Array:
        """(N,) int64 places among ``values``, -1 where it is missing or none of them."""
        values = np.array(self.values)
        place = np.clip(np.searchsorted(values, np.nan_to_num(x_N, nan=np.inf)), 0, len(values) - 1)
        return np.where(values[place] == x_N, place, -1)


class Sight(NamedTuple):
    """Three sets of rows in random order, (N, C) float64 each: a number, or the place of a level; NaN where missing.

    ``exact`` holds the same with every level a place of its own: two rows are equal where these are. ``tables`` are
    the rows themselves, ``out_of`` how many there were of each set before some were drawn.
    """

    columns: tuple[Column, ...]
    made: Array
    train: Array
    held: Array
    exact: dict[str, Array]
    tables: dict[str, pa.Table]
    out_of: dict[str, int]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


def look(witness: Witness) -> Sight | None:
    """The rows of a report; None where there are none that could be compared."""
    given = {"made": witness.made, "train": witness.train, "held": witness.holdout}
    tables = {name: _some(objects, name, witness.seed) for name, objects in given.items() if len(objects)}
    if "made" not in tables or len(tables) < 2:
        return None
    columns, parts, exact = list[Column](), list[dict[str, Array]](), list[dict[str, Array]]()
    shared = [
        name
        for name in dict.fromkeys(tables["made"].column_names)
        if all(table.column_names.count(name) == 1 for table in tables.values())
    ]
    for name in shared:
        for column, seen, whole in _column(name, {part: table.column(name) for part, table in tables.items()}):
            columns.append(column)
            parts.append(seen)
            exact.append(whole)
    if not columns:
        return None
    keep = range(min(len(columns), MOST_COLUMNS))

    def matrix(of: list[dict[str, Array]], part: str) -> Array:
        if part not in tables:
            return np.zeros((0, len(keep)))
        return np.stack([of[place][part] for place in keep], axis=1)

    return Sight(
        tuple(columns[place] for place in keep),
        matrix(parts, "made"),
        matrix(parts, "train"),
        matrix(parts, "held"),
        exact={part: matrix(exact, part) for part in MOST},
        tables=tables,
        out_of={part: len(objects) for part, objects in given.items()},
    )


def _some(objects: Sequence[Any], part: str, seed: int) -> pa.Table:
    """The rows as a table in an order that says nothing, of many some."""
    return as_table(objects).take(stream(seed, "looked at", part).permutation(len(objects))[: MOST[part]])


_Coded = tuple[Column, dict[str, Array], dict[str, Array]]


def _column(name: str, given: dict[str, pa.ChunkedArray]) -> list[_Coded]:
    """What is seen of a column: nothing, it, or its numbers and the words that stand among them."""
    real = [given[part] for part in ("train", "held") if part in given]
    try:
        whole = pa.chunked_array([chunk for part in real for chunk in part.cast(real[0].type).chunks], real[0].type)
        step = max(1, len(whole) // ASKED)
        asked = whole.take(np.arange(0, len(whole), step)) if step > 1 else whole
        try:
            return _coded(find(name, asked), given)
        except (IlkError, pa.ArrowException):
            return _coded(find(name, whole), given) if step > 1 else []
    except (IlkError, pa.ArrowException, KeyError, ValueError):
        return []


def _coded(field: Field, given: dict[str, pa.ChunkedArray]) -> list[_Coded]:
    if not field.width:
        return []
    if field.type in ("category", "boolean"):
        return [_levels(field.name, field, {part: _strings(column) for part, column in given.items()})]
    parts = {part: encoded(field, typed(field, column)) for part, column in given.items()}
    numbers = {part: arrays[0] for part, arrays in parts.items()}
    found: list[_Coded] = [(Column(field.name, (), field, _few(field, numbers)), numbers, numbers)]
    if field.words:
        words = {part: _words(field, arrays[1]) for part, arrays in parts.items()}
        found.append(_levels(f"{field.name} (words)", field, words))
    return found


def _strings(column: pa.ChunkedArray) -> pa.Array:
    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    text = plain.cast(pa.string()).combine_chunks()
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text


def _words(field: Field, place_N: Array) -> pa.Array:
    names = np.array(["a number", *field.words])
    missing = np.isnan(place_N)
    return pa.array(names[np.where(missing, 0, place_N).astype(np.int64)], pa.string(), mask=missing)


def _levels(name: str, field: Field, given: dict[str, pa.Array]) -> _Coded:
    """A category: the commonest levels, then all others together.

    How common a level is is asked of as many rows of each set, the very ones that a critic compares: it must not know
    rows by which of the sets the levels with a place of their own were counted in.
    """
    both = pa.concat_arrays(list(given.values())).dictionary_encode()
    code_N = pc.fill_null(both.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum([len(part) for part in given.values()])
    codes = dict(zip(given, np.split(code_N, ends[:-1]), strict=True))
    names = both.dictionary.to_pylist()
    real_L = np.isin(np.arange(len(names)), np.concatenate([codes[part] for part in codes if part != "made"]))
    size = min(MOST_COMPARED, *(len(code) for code in codes.values()))
    counted = np.concatenate([code if size < FEWEST else code[:size] for code in codes.values()])
    count_L = np.bincount(counted[counted >= 0], minlength=len(names))
    order = sorted(range(len(names)), key=lambda place: (-count_L[place], names[place]))
    rank_L = np.argsort(order).astype(np.int64)
    kept = min(MOST_LEVELS, len(names))
    levels = [names[place] for place in order[:kept]] + [OTHERS] * (len(names) > kept)
    seen = {part: _as_floats(code, np.minimum(rank_L, kept)) for part, code in codes.items()}
    exact = {part: _as_floats(code, np.arange(len(names))) for part, code in codes.items()}
    real = [place for place in order[:kept] if real_L[place]]
    values = tuple(float(rank_L[place]) for place in real) if 2 <= len(real) <= FEW and len(names) <= kept else ()
    return Column(name, tuple(levels), field, values), seen, exact


def _as_floats(code_N: Array, meaning_L: Array) -> Array:
    """(N,) what codes mean; NaN for -1."""
    if not len(meaning_L):
        return np.full(len(code_N), np.nan)
    return np.where(code_N < 0, np.nan, meaning_L[np.maximum(code_N, 0)].astype(np.float64))


def _few(field: Field, numbers: dict[str, Array]) -> tuple[float, ...]:
    """The different whole numbers of real rows, where they are few."""
    if field.type != "integer":
        return ()
    real = np.concatenate([x_N for part, x_N in numbers.items() if part != "made"])
    found = np.unique(real[~np.isnan(real)])
    return tuple(found.tolist()) if 2 <= len(found) <= FEW_NUMBERS else ()
