"""Tables as a material: data frames, arrays and files of rows, made by sequential trees, mixed by SMOTE.

Rows travel as Arrow tables between the user's container (``shell.py``) and the kind. What each column holds is found
out once (``ilk.kinds.table.types``), without a look at the label; the generator finds its own out of its training part,
rules between columns included. Which models are usual for rows is told in ``encode.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from ilk.core.protocol import Array
from ilk.generator import Generator
from ilk.kinds.table import kind
from ilk.kinds.table.codec import Facts, TableCodec
from ilk.kinds.table.frame import as_table, container_of
from ilk.kinds.table.types import asked, find
from ilk.tasks.augment.candidates import uneven
from ilk.tasks.augment.labels import Label
from ilk.tasks.augment.material import Made, UnableError
from ilk.tasks.augment.shell import Shell

TREES = 10  # trees a column, as many as the kind itself grows where its budget is in minutes
LARGE, FEWER = 200_000, 5  # rows from which on it grows fewer
NEIGHBOURS = 5
REPEATED = 10  # rows of a value, on average, so that it tells a class by more than being alone


class Tables:
    """Rows that a model is to learn from.

    Args:
        X: (N, F) a data frame, an Arrow table, an array.
        options: the kind's options; what they say of the label's column is not for here.
    """

    kind = kind.name
    changed = "smote"
    folds = 5

    def __init__(self, X: Any, options: Mapping[str, Any]) -> None:
        self.shell = Shell(X)
        self.options = dict(options)

    def __len__(self) -> int:
        return len(self.shell)

    @cached_property
    def table(self) -> pa.Table:
        """All rows."""
        return self.shell.arrow()

    @cached_property
    def codec(self) -> TableCodec:
        """What each column holds; no rules."""
        table, names = self.table, self.table.column_names
        wanted = asked([text for text in self._columns if text.partition("=")[0] in names], names)
        fields = tuple(find(name, table.column(name), wanted.get(name)) for name in names)
        container, dtypes = container_of(table)
        return TableCodec(Facts(source=fields, fields=fields, container=container, dtypes=dtypes, rows=len(self)))

    @property
    def _columns(self) -> tuple[str, ...]:
        named = self.options.get("column", ())
        return (named,) if isinstance(named, str) else tuple(named)

    def part(self, rows: Array) -> Any:
        return self.shell.part(rows)

    def join(self, first: Any, second: Any) -> Any:
        return self.shell.join(first, second)

    def native(self, table: pa.Table) -> Any:
        """Made rows in the user's container."""
        return self.shell.native(table, self.table)

    def teller(self, label: Label) -> str:
        """A column of few values each of which goes with one class: mostly the label again, by another name."""
        x_NF = self.codec.numbers(self.table)
        for column, x_N in zip(self.codec.space.columns, x_NF.T, strict=True):
            found, value_N = np.unique(x_N, return_inverse=True)
            if len(found) > len(x_N) / REPEATED:
                continue
            low_V, high_V = np.full(len(found), len(label.levels)), np.full(len(found), -1)
            np.minimum.at(low_V, value_N, label.code_N)
            np.maximum.at(high_V, value_N, label.code_N)
            if (low_V == high_V).all():
                return column.name
        return ""

    def models(self, seed: int) -> Mapping[str, Any]:
        from ilk.tasks.augment.encode import models

        return models(self.codec, seed)

    def maker(self, rows: Array, label: Label, seed: int, minutes: float) -> TableMaker:  # noqa: ARG002
        name = _free_name(label.name, self.table.column_names)
        classes = pa.array([_word(code) for code in label.code_N[rows].tolist()])
        table = self.table.take(pa.array(rows)).append_column(name, classes)
        trees = TREES if len(rows) <= LARGE else FEWER
        options = {**self.options, "column": (*self._about(self.table.column_names), f"{name}=category")}
        steps = trees * (len(self.codec.space.columns) + 1)
        generator = Generator(kind=self.kind, steps=steps, holdout=0.0, threads=1, options=options, random_state=seed)
        return TableMaker(self, generator.fit(table.replace_schema_metadata(None)), name)

    def _about(self, names: list[str]) -> list[str]:
        return [text for text in self._columns if text.partition("=")[0] in names]

    def change(self, rows: Array, label: Label, seed: int) -> Made:
        """SMOTE (Chawla et al., 2002) by imbalanced-learn: rows between neighbours, until the classes are balanced."""
        if not uneven(label, rows):
            raise UnableError("the classes are balanced already")
        columns = self.codec.space.columns
        x_NF, y_N = self.codec.numbers(self.table.take(pa.array(rows))), label.code_N[rows]
        levels = [place for place, column in enumerate(columns) if column.categories]
        numbers = [place for place, column in enumerate(columns) if not column.categories]
        if not columns:
            raise UnableError("there is no column of numbers or levels")
        if np.isnan(x_NF[:, numbers]).any():
            raise UnableError("SMOTE takes no missing numbers")
        for place in levels:  # a missing level is a level of its own
            x_NF[np.isnan(x_NF[:, place]), place] = columns[place].categories
        sampler = _smote(levels, len(columns), min(NEIGHBOURS, int(np.bincount(y_N).min()) - 1), seed)
        mixed_NF, code_N = sampler.fit_resample(x_NF, y_N)
        new_NF = np.asarray(mixed_NF[len(x_NF) :], np.float64)
        for place in levels:
            new_NF[new_NF[:, place] == columns[place].categories, place] = np.nan
        table = as_table(self.codec.decode({"x": new_NF}))
        return Made(self.native(table), np.asarray(code_N[len(x_NF) :]))


class TableMaker:
    """Sequential trees, fitted on the rows of one training part and their label.

    Args:
        tables: the material.
        generator: fitted.
        name: of the label's column.
    """

    def __init__(self, tables: Tables, generator: Generator, name: str) -> None:
        self._tables, self._generator, self._name = tables, generator, name

    @property
    def fingerprint(self) -> str:
        return str(self._generator.fingerprint_)

    def draw(self, count: int, seed: int) -> Made:
        table = self._generator.sample(count, seed=seed).data
        codes = [int(word[1:]) for word in table.column(self._name).to_pylist()]
        return Made(self._tables.native(table.drop_columns([self._name])), np.asarray(codes))

    def draw_class(self, code: int, count: int, seed: int) -> Any:
        table = self._generator.sample(count, given={self._name: _word(code)}, seed=seed).data
        return self._tables.native(table.drop_columns([self._name]))


def _word(code: int) -> str:
    """A class as a word that no reader takes for a number, a date or a missing value."""
    return f"c{code}"


def _free_name(name: str, taken: list[str]) -> str:
    while name in taken or "=" in name:
        name = name.replace("=", " ") + "_"
    return name


def _smote(levels: list[int], columns: int, neighbours: int, seed: int) -> Any:
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC

    shared = {"k_neighbors": max(1, neighbours), "random_state": seed % 2**32}
    if not levels:
        return SMOTE(**shared)
    return SMOTEN(**shared) if len(levels) == columns else SMOTENC(levels, **shared)
