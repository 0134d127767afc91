"""Columns that others add or multiply up to; what is left over takes few values, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from ilk.core.protocol import Array
from ilk.kinds.table.convert import arrow_type
from ilk.kinds.table.rule_base import Held
from ilk.kinds.table.rule_measure import MOST_DECIMALS, Measure, Ticks
from ilk.kinds.table.rule_spell import listed, put, quoted

MOST_RESTS = 1_000
CLOSE = 1e-9
"""How far numbers that do not end may be off, as a share of the largest part."""


class _Formula(Held, frozen=True, kw_only=True):
    """What ``Sum`` and ``Product`` have in common: ``name`` is computed from others, up to a rest.

    Where a part is missing, it counts as nothing and the rest may be anything, so that nothing is lost.

    Attributes:
        name: the column that is computed.
        kind: its Arrow type.
        decimals: in which it is counted; None where its numbers do not end.
        rests: the rests that there are, in ticks, rising; only these are ever made.
        kept: whether the rest is kept in place of the column; otherwise the column is removed.
        place: where the column stands in the table.
    """

    decimals: Annotated[int, msgspec.Meta(ge=0, le=MOST_DECIMALS)] | None = None
    rests: Annotated[tuple[int, ...], msgspec.Meta(min_length=1, max_length=MOST_RESTS)] = (0,)
    kept: bool = False
    place: Annotated[int, msgspec.Meta(ge=0)] = 0

    if TYPE_CHECKING:

        def computed(self, table: pa.Table) -> Ticks:
            """(N,) what the others come to, and where all of them are there."""

    @property
    def measure(self) -> Measure:
        """In which the column and its rest are counted."""
        return Measure(decimals=self.decimals)

    def rest(self, table: pa.Table) -> Ticks:
        """(N,) what is left of the column, and where it and all parts are there."""
        told, have = self.computed(table), self.measure.read(table.column(self.name))
        return Ticks(have.value_N - told.value_N, told.known_N & have.known_N)

    def encode(self, table: pa.Table) -> pa.Table:
        """The table with the rest in place of the column, or without it."""
        if not self.kept:
            return table.drop_columns([self.name])
        known_N = self.measure.read(table.column(self.name)).known_N
        return put(table, self.name, self.measure.write_rest(Ticks(self.rest(table).value_N, known_N)))

    def decode(self, table: pa.Table, rows: Array | None = None) -> pa.Table:  # noqa: ARG002
        """The table with the column again: what the others come to, and the nearest rest that there is."""
        told = self.computed(table)
        rest_N, known_N = np.full(table.num_rows, self.rests[0]), told.known_N
        if self.kept:
            kept = self.measure.read(table.column(self.name))
            rest_N = np.where(told.known_N, self._nearest(kept.value_N), kept.value_N)
            known_N = kept.known_N
        column = self.measure.write(Ticks(told.value_N + rest_N, known_N), arrow_type(self.kind))
        return put(table, self.name, column, self.place)

    def _nearest(self, rest_N: Array) -> Array:
        rests_R = np.array(self.rests)
        after_N = np.clip(np.searchsorted(rests_R, rest_N), 1, max(1, len(rests_R) - 1))
        if len(rests_R) == 1:
            return np.full(len(rest_N), rests_R[0])
        lower_N, upper_N = rests_R[after_N - 1], rests_R[after_N]
        nearest_N: Array = np.where(rest_N - lower_N <= upper_N - rest_N, lower_N, upper_N)
        return nearest_N

    def broken(self, table: pa.Table) -> Array:
        """(N,) bool: rows whose rest is none of those that there are; missing values break nothing."""
        rest = self.rest(table)
        if self.measure.whole:
            wrong_N = ~np.isin(rest.value_N, self.rests)
        else:
            size_N = np.abs(self.computed(table).value_N) + np.abs(rest.value_N)
            wrong_N = np.abs(rest.value_N) > CLOSE * np.maximum(size_N, 1e-300)
        broken_N: Array = wrong_N & rest.known_N
        return broken_N

    def _amounts(self) -> str:
        """The rests, for a sentence."""
        if self.rests == (0,):
            return ""
        scale = 10 ** (self.decimals or 0)
        shown = [f"{rest / scale:g}" for rest in self.rests[:4]]
        if len(self.rests) == 1:
            return f" plus {shown[0]}"
        return f" plus one of {len(self.rests)} amounts ({', '.join(shown)}{', ...' * (len(self.rests) > 4)})"


class Sum(_Formula, frozen=True, kw_only=True, tag="sum"):
    """``name`` is the sum of ``plus`` without ``minus``, and one of a few rests.

    Attributes:
        plus: columns that are added.
        minus: columns that are taken off.
    """

    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that are added and taken off."""
        return self.plus + self.minus

    @property
    def says(self) -> str:
        """The rule in a sentence."""
        less = f" less {listed(self.minus)}" if self.minus else ""
        what = "the sum of " if len(self.plus) > 1 else ""
        return f"{self.name} is {what}{listed(self.plus) if self.plus else '0'}{less}{self._amounts()}"

    @property
    def written(self) -> str:
        """The rule as ``parse`` reads it; ``...`` stands for the rests."""
        text = " + ".join(map(quoted, self.plus)) or "0"
        text += "".join(f" - {quoted(name)}" for name in self.minus)
        if len(self.rests) == 1 and self.rests[0]:
            amount = self.rests[0] / 10 ** (self.decimals or 0)
            text += f" {'-' if amount < 0 else '+'} {abs(amount):g}"
        return f"{quoted(self.name)} = {text}{' + ...' * (len(self.rests) > 1)}"

    def computed(self, table: pa.Table) -> Ticks:
        """(N,) the sum, and where all parts are there."""
        total_N = np.zeros(table.num_rows, np.int64 if self.measure.whole else np.float64)
        known_N = np.ones(table.num_rows, dtype=bool)
        for name in self.reads:
            part = self.measure.read(table.column(name))
            total_N = total_N + part.value_N if name in self.plus else total_N - part.value_N
            known_N &= part.known_N
        return Ticks(total_N, known_N)


class Product(_Formula, frozen=True, kw_only=True, tag="product"):
    """``name`` is ``left`` times (or divided by) ``right``, rounded to its decimals.

    Attributes:
        left: the first factor.
        right: the second factor, or what it is divided by.
        sign: which of both.
    """

    left: str
    right: str
    sign: Literal["*", "/"] = "*"

    @property
    def reads(self) -> tuple[str, ...]:
        """Both factors."""
        return (self.left, self.right)

    @property
    def says(self) -> str:
        """The rule in a sentence."""
        return f"{self.name} is {self.left} {'times' if self.sign == '*' else 'divided by'} {self.right}"

    @property
    def written(self) -> str:
        """The rule as ``parse`` reads it."""
        return f"{quoted(self.name)} = {quoted(self.left)} {self.sign} {quoted(self.right)}"

    def computed(self, table: pa.Table) -> Ticks:
        """(N,) the product, and where both factors are there (and nothing is divided by 0)."""
        left, right = (Measure(decimals=None).read(table.column(name)) for name in self.reads)
        known_N = left.known_N & right.known_N
        if self.sign == "*":
            value_N = left.value_N * right.value_N
        else:
            known_N &= right.value_N != 0
            value_N = left.value_N / np.where(known_N, right.value_N, 1.0)
        value_N = np.where(known_N, value_N, 0.0)
        if self.decimals is None:
            return Ticks(value_N, known_N)
        scaled_N = np.rint(np.round(value_N, self.decimals) * 10.0**self.decimals)
        return Ticks(np.clip(scaled_N, -(2.0**62), 2.0**62).astype(np.int64), known_N)


Formula = TypeVar("Formula", Sum, Product)


def fitted(rule: Formula, table: pa.Table) -> Formula:
    """A formula with the rests that a table has, kept where they or missing values leave something to be learned.

    Args:
        rule: the formula.
        table: rows, at most ``MOST_RESTS`` different rests among them.
    """
    rest, have = rule.rest(table), rule.measure.read(table.column(rule.name))
    told = rule.computed(table)
    rests = tuple(np.unique(rest.value_N[rest.known_N]).tolist()) if rule.measure.whole else (0,)
    kept = len(rests) > 1 or bool((have.known_N != told.known_N).any())
    return msgspec.structs.replace(rule, rests=rests or (0,), kept=kept)
