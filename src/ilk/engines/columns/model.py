"""How each column is drawn, and all of it as a few flat arrays and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ilk.core.errors import Code, FolderError
from ilk.core.protocol import Array
from ilk.core.spaces import Column, Columns
from ilk.engines.columns.forest import Forest, stump
from ilk.engines.columns.linear import outputs, predict
from ilk.engines.columns.values import Values

SIZES = 6  # known values, values, columns before, trees, nodes, codes in leaves
TYPES = {
    "order": "i", "sizes": "i", "value": "f", "count": "i", "before": "i", "weight": "f", "constant": "f",
    "effect": "f",
    "root": "i", "feature": "i", "threshold": "f", "left": "i", "right": "i", "start": "i", "number": "i", "code": "u",
}  # fmt: skip
FIELDS = {field.rsplit("_", 1)[0]: field for field in Forest._fields}


class Drawn(NamedTuple):
    """How one column is drawn."""

    values: Values
    before: tuple[int, ...]  # columns that it is drawn from
    weight_WR: Array  # float32, of the linear prediction
    constant_R: Array
    effect_E: Array  # float32, of each level of the columns before that have levels, one column after the other
    forest: Forest | None = None  # None: nothing is learned beyond how often each value comes

    @property
    def trees(self) -> Forest:
        """The forest, or one leaf with all values."""
        return self.forest or stump(self.values.count_U)


def features(drawn: Sequence[Drawn], column: int, place_NF: Array, seen: Mapping[int, Array]) -> Array:
    """(N, P) float32: what the trees of a column look at: levels by their effect, numbers where they stand.

    Args:
        drawn: of all columns.
        column: which.
        place_NF: where the values of the columns before stand among theirs.
        seen: what the linear prediction sees of them.
    """
    own = drawn[column]
    if not own.before:
        return np.zeros((len(place_NF), 1), np.float32)
    slots = [drawn[j].values.slots for j in own.before]
    linear = predict(own.weight_WR, own.constant_R, [seen[j] for j in own.before], slots)
    place_NP, first = place_NF[:, list(own.before)], 0
    for at, j in enumerate(own.before):
        if drawn[j].values.column.categories:
            levels = len(drawn[j].values.value_U)
            place_NP[:, at] = own.effect_E[first : first + levels][place_NP[:, at].astype(np.int64)]
            first += levels
    return np.concatenate([place_NP, linear], axis=1)


def effects(values: Sequence[Values], before: Sequence[int]) -> int:
    """How many levels the columns before have, all together."""
    return sum(len(values[j].value_U) for j in before if values[j].column.categories)


def pack(order: Sequence[int], drawn: Sequence[Drawn]) -> dict[str, Array]:
    """Values, predictions and trees of all columns, one after the other, and how many each has."""
    known = [own.values.value_U[: own.values.known] for own in drawn]
    forests = [own.forest for own in drawn if own.forest is not None]
    sizes = [
        (len(value), len(own.values.value_U), len(own.before), *(own.forest.sizes if own.forest else (0, 0, 0)))
        for value, own in zip(known, drawn, strict=True)
    ]
    flat: dict[str, list[Array]] = {
        "order": [np.array(order, np.int32)],
        "sizes": [np.array(sizes, np.int64).reshape(-1)],
        "value": known,
        "count": [own.values.count_U for own in drawn],
        "before": [np.array(own.before, np.int32) for own in drawn],
        "weight": [own.weight_WR.reshape(-1) for own in drawn],
        "constant": [own.constant_R for own in drawn],
        "effect": [own.effect_E for own in drawn],
        **{name: [getattr(forest, field) for forest in forests] for name, field in FIELDS.items()},
    }
    packed = {name: _joined(parts, TYPES[name]) for name, parts in flat.items()}
    codes = packed["code"]
    packed["code"] = codes.astype(np.min_scalar_type(int(codes.max(initial=0))))
    return packed


def _joined(parts: Sequence[Array], type: str) -> Array:
    empty = np.zeros(0, {"i": np.int32, "u": np.uint8, "f": np.float32}[type])
    return np.ascontiguousarray(np.concatenate(parts)) if parts else empty


def unpack(arrays: Mapping[str, Array], space: Columns) -> tuple[tuple[int, ...], list[Drawn]]:
    """The order and the columns from :func:`pack`'s arrays; a stranger's are checked.

    Raises:
        FolderError: an array is missing or does not fit the others.
    """
    for name, type in TYPES.items():
        found = arrays.get(name)
        if found is None or found.ndim != 1 or found.dtype.kind != type:
            raise _damaged(f'"{name}" is missing or no list of such numbers')
        if type == "f" and not np.isfinite(found).all():
            raise _damaged(f'"{name}" holds what is no number')
    count = len(space.columns)
    order = tuple(int(j) for j in arrays["order"])
    if not order and not any(len(arrays[name]) for name in TYPES):
        return (), []
    if sorted(order) != list(range(count)) or len(arrays["sizes"]) != count * SIZES or (arrays["sizes"] < 0).any():
        raise _damaged("they are not those of this table's columns")
    reader = _Reader(arrays)
    parts = arrays["sizes"].reshape(count, SIZES).tolist()
    values = [_values(reader, column, *part[:2]) for column, part in zip(space.columns, parts, strict=True)]
    drawn = []
    for j, (_, _, befores, *sizes) in enumerate(parts):
        before = tuple(int(other) for other in reader.take("before", befores))
        if not set(before) <= set(order[: order.index(j)]):
            raise _damaged(f"column {j} is drawn from itself")
        wide, predicted = sum(values[other].slots for other in before), outputs(values[j]) if before else 0
        weight_WR = reader.take("weight", wide * predicted).astype(np.float32).reshape(wide, predicted)
        constant_R = reader.take("constant", predicted).astype(np.float32)
        effect_E = reader.take("effect", effects(values, before)).astype(np.float32)
        forest = _forest(reader, sizes, len(before) + predicted or 1, len(values[j].value_U)) if sizes[0] else None
        drawn.append(Drawn(values[j], before, weight_WR, constant_R, effect_E, forest))
    reader.finish()
    return order, drawn


def _damaged(what: str) -> FolderError:
    return FolderError(Code.FOLDER_DAMAGED, f"The trees are damaged: {what}.")


class _Reader:
    """Parts of the arrays, one after the other."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays, self._at = arrays, {name: 0 for name in TYPES if name not in ("order", "sizes")}

    def take(self, name: str, count: int) -> Array:
        first = self._at[name]
        self._at[name] += count
        if self._at[name] > len(self._arrays[name]):
            raise _damaged(f'"{name}" is too short')
        return np.array(self._arrays[name][first : first + count])

    def finish(self) -> None:
        """Nothing may be left."""
        for name, at in self._at.items():
            if at != len(self._arrays[name]):
                raise _damaged(f'"{name}" is too long')


def _values(reader: _Reader, column: Column, known: int, total: int) -> Values:
    count_U = reader.take("count", total).astype(np.int64)
    value_U = np.append(reader.take("value", known).astype(np.float64), [np.nan] * (total - known))
    sound = total - known in (0, 1) and total > 0 and (count_U >= 0).all() and (np.diff(value_U[:known]) > 0).all()
    if not sound or (column.categories and (value_U[:known] != np.arange(column.categories)).any()):
        raise _damaged("values are out of order")
    return Values(column, value_U, count_U)


def _forest(reader: _Reader, sizes: Sequence[int], features: int, values: int) -> Forest:
    """A forest that can be walked: children come after their parents, leaves hold values of the table."""
    trees, nodes, codes = sizes
    count = {"root": trees, "code": codes}
    forest = Forest(**{field: reader.take(name, count.get(name, nodes)) for name, field in FIELDS.items()})
    node = np.arange(nodes)
    inner, leaf = forest.left_M >= 0, forest.left_M < 0
    sound = (
        all(((child[inner] > node[inner]) & (child[inner] < nodes)).all() for child in (forest.left_M, forest.right_M))
        and ((forest.feature_M >= 0) & (forest.feature_M < features)).all()
        and (forest.number_M[leaf] > 0).all()
        and (forest.start_M >= 0).all()
        and (forest.start_M[leaf] + forest.number_M[leaf] <= codes).all()
        and ((forest.root_T >= 0) & (forest.root_T < nodes)).all()
        and (forest.code_L < values).all()
    )
    if not sound:
        raise _damaged("a tree leads nowhere")
    return forest._replace(code_L=forest.code_L.astype(np.uint32))
