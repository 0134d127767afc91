"""What every row of a table obeys, held by construction: a column that others tell is taken out, then put back.

``end >= start`` becomes how much later the end is (``rule_order``), ``total = fare + tip`` what is left of it
(``rule_formula``), ``zone -> borough`` nothing at all (``rule_lookup``). Whatever is then made of the columns that are
left, the rule holds in it. Each rule has ``says``, ``written``, ``columns``, ``takes``, ``reads``, ``encode(table)``,
``decode(table, rows)`` and ``broken(table)``. How rules are found is told in ``rule_find``, how they are written in
``rule_parse``; this file puts them into an order.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pyarrow as pa

from ilk.core.protocol import Array
from ilk.kinds.table.rule_base import Checked
from ilk.kinds.table.rule_formula import Product, Sum
from ilk.kinds.table.rule_lookup import Lookup, Same, Unique
from ilk.kinds.table.rule_order import Limit, Order, joined

__all__ = ["Check", "Limit", "Lookup", "Order", "Product", "Rule", "Same", "Sum", "Unique", "arrange"]

Replacing = Order | Sum | Product | Lookup | Same


class Check(Checked, frozen=True, kw_only=True, tag="check"):
    """A rule that cannot be held by construction beside others, such as a second sum of the same column.

    Attributes:
        rule: the rule, of which only ``broken`` is used.
    """

    rule: Replacing

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the rule speaks of."""
        return self.rule.columns

    @property
    def says(self) -> str:
        """The rule in a sentence."""
        return self.rule.says

    @property
    def written(self) -> str:
        """The rule as ``parse`` reads it."""
        return self.rule.written

    def broken(self, table: pa.Table) -> Array:
        """(N,) bool: rows that break it; missing values break nothing."""
        return self.rule.broken(table)


Rule = Replacing | Unique | Limit | Check


def arrange(found: Sequence[Rule], names: Sequence[str], declared: Sequence[Rule] = ()) -> tuple[Rule, ...]:
    """Rules so that each ``encode`` after the other works, and each ``decode`` in reverse.

    A rule that reads a column comes before the one that takes it. Orders of the same column become one. Where two other
    rules take the same column, or each needs what the other takes, the first one stays; the other one is only checked
    where the user declared it, and left out where it was found.

    Args:
        found: rules, the most important one first.
        names: the columns of the table, in order.
        declared: the user's own rules, more important than those that were found.
    """
    chosen, checks = list[Rule](), list[Rule]()
    for rule in declared:
        chosen, lost = _with(rule, chosen)
        checks += [Check(rule=each) for each in lost if isinstance(each, Replacing)]
    for rule in found:
        more, lost = _with(rule, chosen)
        if not lost:
            chosen = more
    return _placed([*checks, *_ordered(chosen)], names)


def _with(rule: Rule, chosen: list[Rule]) -> tuple[list[Rule], list[Rule]]:
    """Rules and one more, and those of both that are then not held by construction."""
    rival = next((each for each in chosen if each.takes and each.takes == rule.takes), None)
    if rival is not None and rival.written == rule.written:
        return chosen, []
    others = [each for each in chosen if each is not rival]
    if rival is None:
        return (chosen, [rule]) if _circular(rule, chosen) else ([*chosen, rule], [])
    whole = joined(rival, rule) if isinstance(rival, Order) and isinstance(rule, Order) else None
    if whole is None or _circular(whole, others):
        return chosen, [rule]
    return [*others, whole], [each for each in (rival, rule) if isinstance(each, Order) and each.strict > whole.strict]


def _ordered(rules: Sequence[Rule]) -> list[Rule]:
    """Those that read a column before the one that takes it."""
    left, ordered = list(rules), list[Rule]()
    while left:
        free = next(rule for rule in left if not any(_needs(each, rule) for each in left if each is not rule))
        left.remove(free)
        ordered.append(free)
    return ordered


def _placed(rules: Sequence[Rule], names: Sequence[str]) -> tuple[Rule, ...]:
    """Rules that know where the column stands that they put back, in the table that they then find."""
    left, placed = list(names), list[Rule]()
    for rule in rules:
        if isinstance(rule, Sum | Product | Lookup | Same):
            placed.append(msgspec.structs.replace(rule, place=left.index(rule.takes)))
            if _removes(rule):
                left.remove(rule.takes)
        else:
            placed.append(rule)
    return tuple(placed)


def _needs(reader: Rule, taker: Rule) -> bool:
    return bool(taker.takes) and bool(reader.takes) and taker.takes in reader.reads


def _circular(rule: Rule, chosen: Sequence[Rule]) -> bool:
    """Whether what a rule reads depends on what it takes."""
    taken_by = {each.takes: each for each in chosen if each.takes}
    reached, ahead = set[str](), list(rule.reads)
    while ahead:
        name = ahead.pop()
        if name == rule.takes:
            return True
        if name in taken_by and name not in reached:
            reached.add(name)
            ahead += taken_by[name].reads
    return False


def _removes(rule: Rule) -> bool:
    """Whether ``encode`` leaves nothing in the column's place."""
    if isinstance(rule, Sum | Product):
        return not rule.kept
    return isinstance(rule, Same) or (isinstance(rule, Lookup) and not rule.rest)
