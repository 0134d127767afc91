"""Numbers in which distance means difference between rows: cheap, and kept in a model folder.

A number counts by its rank among the fitted ones, a level by how rare it is, a missing value by being missing; all of
them turned into directions in which the fitted rows differ most (factor analysis of mixed data: Pagès, 2004).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ilk.core.config import Record, read_json, to_json
from ilk.core.errors import Code, FolderError, InputError
from ilk.core.folder import pack, read_floats
from ilk.core.plan import Plan
from ilk.core.protocol import Example
from ilk.kinds.table.convert import encoded, typed
from ilk.kinds.table.frame import as_table
from ilk.kinds.table.types import Field, find

FILE, COLUMNS = "features.safetensors", "features.json"
MOST_ROWS, MOST_LEVELS, MOST_DIRECTIONS, KNOTS = 20_000, 30, 64, 129
Floats = npt.NDArray[np.float32]


class _Columns(Record, frozen=True):
    fields: tuple[Field, ...]


class TableFeatures:
    """Rows -> (N, F) float32.

    Attributes:
        fields: the columns that count.
        knots: (C, KNOTS) of each number the values at equal shares of the rows; of a level nothing.
        mean: (W,) of what is seen of a row.
        scale: (W,) what it is worth.
        directions: (F, W) orthonormal, the widest first.
    """

    def __init__(self, fields: Sequence[Field], knots: Floats, mean: Floats, scale: Floats, directions: Floats) -> None:
        self.fields, self.knots, self.mean, self.scale, self.directions = fields, knots, mean, scale, directions

    def __call__(self, objects: Sequence[Any]) -> Floats:
        """Coordinates of rows (N, F)."""
        if not len(objects):
            return np.zeros((0, len(self.directions)), np.float32)
        seen = _seen(self.fields, as_table(objects), self.knots)
        return np.ascontiguousarray(((seen - self.mean) * self.scale) @ self.directions.T, np.float32)

    def save(self, folder: Path) -> None:
        """Write ``features.safetensors`` and ``features.json``."""
        arrays = {"knots": self.knots, "mean": self.mean, "scale": self.scale, "directions": self.directions}
        (folder / FILE).write_bytes(pack(arrays))
        (folder / COLUMNS).write_bytes(to_json(_Columns(fields=tuple(self.fields))))


def fit_features(examples: Iterable[Example], plan: Plan) -> TableFeatures:
    """Directions of the first 20,000 rows.

    Raises:
        InputError: there is none.
    """
    return TableFeatures(*fitted([example.object for example in islice(examples, MOST_ROWS)], plan.seed))


def load_features(folder: Path) -> TableFeatures:
    """Read what ``save`` wrote; a stranger's file is checked.

    Raises:
        FolderError: it is missing or damaged.
    """
    path = folder / FILE
    knots, mean, scale, directions = read_floats(path, ("knots", "mean", "scale", "directions"))
    fields = read_json(folder / COLUMNS, _Columns).fields
    width = sum(_width(field) for field in fields)
    sound = knots.shape == (len(fields), KNOTS) and mean.shape == scale.shape == (width,)
    if not sound or directions.ndim != 2 or directions.shape[1] != width or not len(directions):
        raise FolderError(Code.FOLDER_UNSAFE, f"{path} has arrays of the wrong shape.")
    return TableFeatures(fields, knots, mean, scale, directions)


def fitted(objects: Sequence[Any], seed: int) -> tuple[list[Field], Floats, Floats, Floats, Floats]:
    """Columns, knots, means, scales and directions of rows."""
    from sklearn.utils.extmath import randomized_svd

    if not objects:
        raise InputError(Code.TOO_FEW, "There are no rows to take features from.")
    table = as_table(objects)
    fields = [_short(find(name, table.column(name)), table.column(name)) for name in table.column_names]
    fields = [field for field in fields if field.width]
    knots = np.zeros((len(fields), KNOTS), np.float32)
    for place, field in enumerate(fields):
        x_N = _column(field, table)
        if not _is_level(field) and (~np.isnan(x_N)).any():
            knots[place] = np.nanquantile(x_N, np.linspace(0, 1, KNOTS))
    seen = _seen(fields, table, knots)
    if not seen.shape[1]:
        return (
            [],
            np.zeros((0, KNOTS), np.float32),
            np.zeros(0, np.float32),
            np.zeros(0, np.float32),
            np.zeros((1, 0), np.float32),
        )
    mean, deviation = seen.mean(axis=0), seen.std(axis=0)
    levels = np.concatenate([np.full(_width(field), _is_level(field)) for field in fields])
    scale = np.where(
        levels, np.where(mean > 0, 1 / np.sqrt(np.maximum(mean, 1e-3)), 0), 1 / np.maximum(deviation, 1e-3)
    )
    scale = np.where(deviation > 0, scale, 0).astype(np.float32)
    wanted = min(MOST_DIRECTIONS, *seen.shape)
    _, _, directions = randomized_svd((seen - mean) * scale, wanted, n_iter=4, random_state=seed % 2**32)
    return fields, knots, mean.astype(np.float32), scale, np.ascontiguousarray(directions, np.float32)


def _is_level(field: Field) -> bool:
    return field.type in ("category", "boolean")


def _width(field: Field) -> int:
    """Numbers that are seen of a column: one a level and one for all others; of numbers rank and missing."""
    return len(field.levels) + 1 if _is_level(field) else 2


def _short(field: Field, column: pa.ChunkedArray) -> Field:
    """A category with its commonest levels alone."""
    if not _is_level(field) or len(field.levels) <= MOST_LEVELS:
        return field
    found = pc.value_counts(pc.cast(column, pa.string())).to_pylist()
    common = sorted((each for each in found if each["values"] is not None), key=lambda each: -each["counts"])
    return msgspec.structs.replace(field, levels=tuple(each["values"] for each in common[:MOST_LEVELS]))


def _column(field: Field, table: pa.Table) -> npt.NDArray[np.float64]:
    if field.name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    return encoded(field, typed(field, table.column(field.name)))[0]


def _seen(fields: Sequence[Field], table: pa.Table, knots: Floats) -> Floats:
    """(N, W) float32: levels as 0 and 1, numbers as ranks from -1 to 1 and whether they are missing."""
    parts = [np.zeros((table.num_rows, 0), np.float32)]
    for place, field in enumerate(fields):
        x_N = _column(field, table)
        missing = np.isnan(x_N)
        if _is_level(field):
            level = np.where(missing, len(field.levels), x_N).astype(np.int64)
            parts.append(np.eye(len(field.levels) + 1, dtype=np.float32)[level])
        else:
            rank = np.interp(np.nan_to_num(x_N), knots[place], np.linspace(-1, 1, KNOTS))
            parts.append(np.stack([np.where(missing, 0, rank), missing], axis=1).astype(np.float32))
    return np.concatenate(parts, axis=1)
