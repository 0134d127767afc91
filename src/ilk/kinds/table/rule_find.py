"""Rules that a table obeys so surely that chance is out of the question.

A rule is proposed on some rows and confirmed on all (``rule_look``). It has to be a surprise: in shuffled columns it
would be broken in a clear share of rows, and would hold in all of them with a probability below ``exp(CHANCE)``,
divided by the number of tries. What the ranges of columns tell already, or one odd row, is no rule.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ilk.kinds.table.rule_book import Rule, Unique, arrange
from ilk.kinds.table.rule_find_formulas import products, sums
from ilk.kinds.table.rule_find_lookups import lookups, same
from ilk.kinds.table.rule_find_orders import orders
from ilk.kinds.table.rule_look import FEWEST, Look


def find(table: pa.Table, *, names: Sequence[str] | None = None) -> tuple[Rule, ...]:
    """The rules that all rows obey beyond doubt.

    Args:
        table: (N rows) any Arrow table; columns that hold lists, bytes or the like are passed over.
        names: the columns to look at; all of them where none are named.

    Returns:
        Rules in the order in which ``encode`` can be applied, ``decode`` in reverse; none below ``FEWEST`` rows.
    """
    if table.num_rows < FEWEST:
        return ()
    look = Look(table, names)
    copies = same(look)
    copied = {rule.takes for rule in copies}
    told = lookups(look, copied)
    numbers = [name for name in look.numbers() if name not in copied]
    added = sums(look, numbers)
    taken = copied | {rule.takes for rule in told} | {rule.takes for rule in added}
    multiplied = products(look, numbers, taken)
    ordered = orders(look, copied, [set(rule.columns) for rule in added])
    keys = [Unique(name=name) for name in look.names if name not in copied and _is_key(look, name)]
    return arrange([*copies, *told, *added, *multiplied, *ordered, *keys], table.column_names)


def _is_key(look: Look, name: str) -> bool:
    """Whether a column surely is a key: all values differ, and are numbers without gaps or strings of one shape."""
    column, kind = look.table.column(name), look.kind(name)
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if column.null_count or not (text or pa.types.is_integer(kind)):
        return False
    code_n, count = look.codes(name)
    if count < len(code_n):
        return False
    if not text:
        value = pc.min_max(column).as_py()
        if value["max"] - value["min"] >= 2 * len(column):
            return False
    elif not _one_shape(look.some.column(name)):
        return False
    return look.all_codes(name)[1] == len(column)


def _one_shape(text: pa.ChunkedArray) -> bool:
    """Whether all strings are the same but for their digits, as ``A-0001``, ``A-0002``."""
    shape = pc.replace_substring_regex(text, pattern=r"[0-9a-fA-F]*[0-9]+[0-9a-fA-F]*", replacement="0")
    has_digits = pc.match_substring_regex(text, pattern="[0-9]{2}")
    return bool(len(pc.unique(shape)) == 1 and np.asarray(has_digits.to_numpy()).mean() > 0.5)
