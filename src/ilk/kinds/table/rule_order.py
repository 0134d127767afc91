"""Columns that are never below others, kept as how much they are above; and inequalities that are only checked."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
import pyarrow as pa

from ilk.core.protocol import Array
from ilk.kinds.table.convert import arrow_type
from ilk.kinds.table.rule_base import Checked, Held
from ilk.kinds.table.rule_measure import NANOSECONDS, Measure, Ticks, common, family, nearest
from ilk.kinds.table.rule_spell import listed, put, quoted


class Order(Held, frozen=True, kw_only=True, tag="order"):
    """``name`` is never below any of ``lows``: numbers, or dates and times.

    It is replaced by its difference from the largest of them. Where all of these are missing, it is the difference from
    ``fill``, so that nothing is lost; the rule then says nothing. Numbers that end come back exactly, others are right
    to their last place.

    Attributes:
        name: the column that is replaced.
        lows: the columns that it is never below.
        strict: whether it is always above them.
        kind: its Arrow type.
        measure: in which differences are counted.
        own: decimals of ``name`` itself.
        fill: ticks that stand for missing lows.
    """

    lows: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    strict: bool = False
    measure: Measure
    own: Annotated[int, msgspec.Meta(ge=0, le=9)] | None = None
    fill: float = 0.0

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that ``encode`` and ``decode`` need beside it."""
        return self.lows

    @property
    def says(self) -> str:
        """The rule in a sentence."""
        time = family(arrow_type(self.kind)) not in ("number", "duration")
        never, always = ("before", "after") if time else ("below", "above")
        return f"{self.name} is {f'always {always}' if self.strict else f'never {never}'} {listed(self.lows)}"

    @property
    def written(self) -> str:
        """The rule as ``parse`` reads it, for each low (joined by a comma where there are several)."""
        sign = ">" if self.strict else ">="
        return ", ".join(f"{quoted(self.name)} {sign} {quoted(low)}" for low in self.lows)

    def _low(self, table: pa.Table) -> Ticks:
        """The largest of the lows that are there."""
        parts = [self.measure.read(table.column(low)) for low in self.lows]
        least = np.iinfo(np.int64).min if self.measure.whole else -np.inf
        value_LN = np.stack([np.where(part.known_N, part.value_N, least) for part in parts])
        known_N = np.any([part.known_N for part in parts], axis=0)
        fill = round(self.fill) if self.measure.whole else self.fill
        return Ticks(np.where(known_N, value_LN.max(axis=0), fill), known_N)

    def encode(self, table: pa.Table) -> pa.Table:
        """The table with the difference in place of ``name``: a number, a duration, or whole days."""
        high = self.measure.read(table.column(self.name))
        rest_N = high.value_N - self._low(table).value_N
        return put(table, self.name, self.measure.write_rest(Ticks(rest_N, high.known_N)))

    def decode(self, table: pa.Table, rows: Array | None = None) -> pa.Table:  # noqa: ARG002
        """The table with ``name`` again, whatever difference stands there."""
        low, rest = self._low(table), self.measure.read(table.column(self.name))
        kind = arrow_type(self.kind)
        high_N = low.value_N + rest.value_N
        if self.measure.whole:
            step = self.measure.step(kind, self.own)
            least_N = -(-(low.value_N + self.strict) // step) * step
            high_N = nearest(high_N, step) * step
        else:
            least_N = np.nextafter(low.value_N, np.inf) if self.strict else low.value_N
        high_N = np.where(low.known_N, np.maximum(high_N, least_N), high_N)
        return put(table, self.name, self.measure.write(Ticks(high_N, rest.known_N), kind))

    def broken(self, table: pa.Table) -> Array:
        """(N,) bool: rows in which it is below (or, where strict, at) one of them; missing values break nothing."""
        high = self.measure.read(table.column(self.name))
        low = self._low(table)
        wrong_N = high.value_N <= low.value_N if self.strict else high.value_N < low.value_N
        broken_N: Array = wrong_N & high.known_N & low.known_N
        return broken_N


def joined(one: Order, other: Order) -> Order | None:
    """Two orders of the same column as one; None where they do not compare.

    It is strict only where both are.
    """
    units, decimals = (one.measure.unit, other.measure.unit), (one.measure.decimals, other.measure.decimals)
    if bool(units[0]) != bool(units[1]) or one.kind != other.kind:
        return None
    if units[0]:
        measure = Measure(unit=min(units, key=lambda unit: NANOSECONDS[unit]))
        scale = NANOSECONDS[units[0]] / NANOSECONDS[measure.unit]
    else:
        measure = Measure(decimals=common(list(decimals)))
        scale = 10.0 ** ((measure.decimals or 0) - (decimals[0] or 0))
    lows = tuple(dict.fromkeys([*one.lows, *other.lows]))
    strict = one.strict and other.strict
    return msgspec.structs.replace(one, lows=lows, strict=strict, measure=measure, fill=one.fill * scale)


class Limit(Checked, frozen=True, kw_only=True, tag="limit"):
    """A sum of columns (each times a factor) and a constant is never below 0: ``c - a - b >= 0``. It is only checked.

    Attributes:
        names: the columns, each once.
        factors: of each.
        constant: what is added.
        strict: whether the sum is above 0.
        written: the rule as the user wrote it.
    """

    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    factors: tuple[float, ...]
    constant: float = 0.0
    strict: bool = False
    written: str

    def __post_init__(self) -> None:
        if len(self.names) != len(self.factors):
            raise ValueError("a limit has a factor for each name")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the sum."""
        return self.names

    @property
    def says(self) -> str:
        """The rule in a sentence."""
        return f"{self.written} in every row"

    def broken(self, table: pa.Table) -> Array:
        """(N,) bool, as in ``Order``; what is off by no more than floats are counts as equal."""
        total_N, size_N = np.full(table.num_rows, self.constant), np.full(table.num_rows, abs(self.constant))
        known_N = np.ones(table.num_rows, dtype=bool)
        for name, factor in zip(self.names, self.factors, strict=True):
            part = Measure(decimals=None).read(table.column(name))
            total_N, size_N = total_N + factor * part.value_N, size_N + np.abs(factor * part.value_N)
            known_N &= part.known_N
        slack_N = 1e-12 * size_N
        broken_N: Array = known_N & (total_N <= slack_N if self.strict else total_N < -slack_N)
        return broken_N
