"""Which columns are sums or products of others.

A least-squares fit on some rows, once more on those that it fits best, proposes which columns a sum has: those with a
factor near 1 or -1. What is left then has to take few values. Products are tried for all columns where there are few.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from ilk.core.protocol import Array
from ilk.kinds.table.rule_formula import Product, Sum, fitted
from ilk.kinds.table.rule_look import CHANCE, FEWEST, Look
from ilk.kinds.table.rule_measure import Measure, Ticks, common
from ilk.kinds.table.rule_spell import codes_of

WIDE = 60  # columns that a sum is looked for in at a time
PROPOSING = 2_000  # rows
MOST_FITTED = 200  # columns of a wide table, those that others explain best
NEAR_ONE = 0.15  # a factor that may be 1
FITTED = 0.5  # share of a column's variance that others must explain
FEW_RESTS = 24
DENSE = 0.5  # share of the amounts in their range that rests may be
REST_ROWS, UNSEEN = 300, 0.002  # rows; share of them whose rest comes once, as of rows with one never seen
FEWEST_TOTALS = 5  # values of a total for each rest
MOST_FACTORS = 40  # columns in which products are looked for
PRODUCT_ROWS, PRODUCT_VALUES = 64, 20
Sign = Literal["*", "/"]
SIGNS: tuple[Sign, ...] = ("*", "/")


def sums(look: Look, numbers: Sequence[str]) -> list[Sum]:
    """Sums with few rests, none about the same columns as an earlier one."""
    if len(numbers) < 2:
        return []
    rows = np.arange(look.some.num_rows)
    if len(rows) > PROPOSING:
        rows = look.random.choice(rows, PROPOSING, replace=False)
    some = look.some.take(rows)
    ticks = [Measure(decimals=None).read(some.column(name)) for name in numbers]
    x_nF = np.stack([_filled(each) for each in ticks], axis=1)
    found, seen, taken = list[Sum](), list[set[str]](), set[str]()
    for place, others in _designs(x_nF):
        for plus, minus in _fits(x_nF, place, others):
            names = [numbers[each] for each in plus], [numbers[each] for each in minus]
            columns = {numbers[place], *names[0], *names[1]}
            if columns in seen or numbers[place] in taken:
                continue
            rule = _sum(look, numbers[place], *names)
            if rule is not None and set(rule.columns) not in seen and rule.name not in taken:
                found.append(rule)
                seen.append(set(rule.columns))
                taken.add(rule.name)
                break
    return found


def _filled(ticks: Ticks) -> Array:
    """(n,) numbers, the median where they are missing."""
    return np.where(ticks.known_N, ticks.value_N, np.median(ticks.value_N[ticks.known_N]) if ticks.known_N.any() else 0)


def _designs(x_nF: Array) -> Iterator[tuple[int, list[int]]]:
    """Columns that others may explain: by those before them (the nearest first), then by all."""
    count, step = x_nF.shape[1], WIDE // 2
    before: list[tuple[float, int, int]] = []
    for start in range(0, max(1, count - step), step):
        block = range(start, min(count, start + WIDE))
        before += [
            (left, place, start) for left, place in _explained(x_nF, block) if place >= start + step or not start
        ]
    best = sorted(before)[:MOST_FITTED]
    for _, place, start in sorted(best, key=lambda each: each[1]):
        yield place, list(reversed(range(start, place)))
    if count <= WIDE:
        for place in range(count):
            yield place, [other for other in reversed(range(count)) if other != place]


def _explained(x_nF: Array, block: range) -> list[tuple[float, int]]:
    """Columns of a block of whose variance those before them leave little, and which share."""
    z_nB = x_nF[:, block] - x_nF[:, block].mean(axis=0)
    size_B = np.linalg.norm(z_nB, axis=0)
    left_B = np.diag(np.linalg.qr(z_nB / np.where(size_B > 0, size_B, 1), mode="r")) ** 2
    return [(float(left_B[j]), block[j]) for j in range(1, len(left_B)) if size_B[j] > 0 and left_B[j] < 1 - FITTED]


def _fits(x_nF: Array, place: int, others: Sequence[int]) -> Iterator[tuple[list[int], list[int]]]:
    """Which of the other columns are added and which taken off: by all rows, then by those that fit best."""
    y_n = x_nF[:, place] - x_nF[:, place].mean()
    z_nF = x_nF - x_nF.mean(axis=0)
    used = _independent(z_nF, others)
    if not used:
        return
    rows = np.arange(len(y_n))
    for _ in range(4):
        design = np.c_[z_nF[rows][:, used], np.ones(len(rows))]
        factor_P, *_ = np.linalg.lstsq(design, y_n[rows], rcond=None)
        plus = [other for other, factor in zip(used, factor_P[:-1], strict=True) if abs(factor - 1) < NEAR_ONE]
        minus = [other for other, factor in zip(used, factor_P[:-1], strict=True) if abs(factor + 1) < NEAR_ONE]
        if plus or minus:
            yield plus, minus
        off_n = np.abs(y_n - z_nF[:, used] @ factor_P[:-1] - factor_P[-1])
        rows = np.flatnonzero(off_n <= np.quantile(off_n, 0.6))


def _independent(z_nF: Array, others: Sequence[int]) -> list[int]:
    """Columns that those before them in the list do not add up to."""
    order = list(others)[: z_nF.shape[0] // 3]
    z_nP = z_nF[:, order]
    size_P = np.linalg.norm(z_nP, axis=0)
    left_P = np.abs(np.diag(np.linalg.qr(z_nP / np.where(size_P > 0, size_P, 1), mode="r")))
    return [other for other, size, left in zip(order, size_P, left_P, strict=True) if size > 0 and left > 1e-7]


def _sum(look: Look, name: str, plus: Sequence[str], minus: Sequence[str]) -> Sum | None:
    """The sum, if all rows obey it and chance would not; written so that one column stands alone."""
    rule = _summed(look, name, plus, minus)
    if rule is None:
        return None
    for part in rule.reads:  # parts that are not needed
        if len(rule.reads) > 1:
            fewer = [each for each in rule.plus if each != part], [each for each in rule.minus if each != part]
            less = _summed(look, name, *fewer)
            rule = less if less is not None and len(less.rests) <= len(rule.rests) else rule
    if len(rule.plus) == 1 and rule.minus:
        turned = _summed(look, rule.plus[0], [*rule.minus, name], [])
        rule = turned or rule
    return rule if _surprises(look, rule) else None


def _summed(look: Look, name: str, plus: Sequence[str], minus: Sequence[str]) -> Sum | None:
    """A sum with its rests, if they are few."""
    own, parts = look.decimals(name), common([look.decimals(part) for part in [*plus, *minus]])
    if (own is None) != (parts is None) or (own is not None and parts is not None and parts > own):
        return None
    kind = str(look.kind(name))
    plus, minus = (sorted(part, key=look.names.index) for part in (plus, minus))
    rule = Sum(name=name, kind=kind, decimals=own, plus=tuple(plus), minus=tuple(minus))
    if own is None:
        return None if rule.broken(look.some).any() or rule.broken(look.table).any() else fitted(rule, look.table)
    few_n, known_n = rule.rest(look.some)
    if known_n.sum() < FEWEST or len(np.unique(few_n[known_n])) > FEW_RESTS:
        return None
    rule = fitted(rule, look.table)
    return rule if _few(look, rule) else None


def _few(look: Look, rule: Sum) -> bool:
    """Whether rests are so few that they are amounts and not noise."""
    rests, totals = len(rule.rests), look.all_codes(rule.name)[1]
    if rests == 1:
        return True
    if rests > FEW_RESTS or len(rule.reads) < 2 or totals < rests * FEWEST_TOTALS:
        return False
    rest = rule.rest(look.table)
    times_R = np.unique(rest.value_N[rest.known_N], return_counts=True)[1]
    if times_R.sum() < REST_ROWS or (times_R == 1).sum() > UNSEEN * times_R.sum():
        return False
    return rests <= 2 or rests <= DENSE * (rule.rests[-1] - rule.rests[0] + 1)


def _surprises(look: Look, rule: Sum | Product) -> bool:
    """Whether shuffling the column, or any part of it, breaks a formula."""
    rows = np.flatnonzero(rule.rest(look.some).known_N)
    if len(rows) < FEWEST:
        return False
    some = look.some.select(list(rule.columns)).take(rows)
    shuffled = look.random.permutation(len(rows))
    for name in rule.columns:
        moved = some.set_column(some.column_names.index(name), name, some.column(name).take(shuffled))
        code_n, _ = codes_of(some.column(name))
        changed_n = code_n != code_n[shuffled]
        broken = rule.broken(moved)[changed_n]
        if len(broken) < 20 or broken.mean() < 0.5:
            return False
        if name == rule.name and len(rows) * np.log1p(-min(0.999, float(broken.sum()) / len(rows))) > CHANCE - 10:
            return False
    return True


def products(look: Look, numbers: Sequence[str], taken: set[str]) -> list[Product]:
    """Products and quotients of two columns that are exact up to the rounding of a column's own decimals."""
    names = [name for name in numbers if look.codes(name)[1] > 1]
    if not 3 <= len(names) <= MOST_FACTORS:
        return []
    rows = np.arange(look.some.num_rows)
    rows = look.random.choice(rows, min(PRODUCT_ROWS, len(rows)), replace=False)
    ticks = [Measure(decimals=None).read(look.some.column(name)) for name in names]
    x_nF = np.stack([np.where(each.known_N, each.value_N, np.nan)[rows] for each in ticks], axis=1)
    found: list[Product] = []
    for sign in SIGNS:
        for place, name in enumerate(names):
            if name in taken or look.codes(name)[1] < PRODUCT_VALUES:
                continue
            for left, right in _factors(x_nF, place, sign, look.decimals(name)):
                columns = {name, names[left], names[right]}
                if any(columns == set(rule.columns) or name == rule.name for rule in found):
                    continue
                rule = _product(look, name, names[left], names[right], sign)
                found += [rule] if rule is not None else []
    return found


def _factors(x_nF: Array, place: int, sign: Sign, decimals: int | None) -> Iterator[tuple[int, int]]:
    """Pairs of columns of which a column is the product or quotient, on a few rows."""
    y_n1 = x_nF[:, place][:, None]
    slack_n1 = 1e-9 * np.abs(y_n1) + (0.0 if decimals is None else 0.501 * 10.0**-decimals)
    others = [other for other in range(x_nF.shape[1]) if other != place]
    for left in others:
        with np.errstate(divide="ignore", invalid="ignore"):
            value_nF = x_nF[:, [left]] * x_nF if sign == "*" else x_nF[:, [left]] / x_nF
            off_nF = np.abs(value_nF - y_n1)
        known_nF = np.isfinite(off_nF)
        near_F = ((off_nF <= slack_n1) | ~known_nF).all(axis=0) & known_nF.any(axis=0)
        for right in np.flatnonzero(near_F).tolist():
            if right in others and right != left and (sign == "/" or left < right):
                yield left, right


def _product(look: Look, name: str, left: str, right: str, sign: Sign) -> Product | None:
    """The product, if all rows obey it and chance would not."""
    own = look.decimals(name)
    rule = Product(name=name, kind=str(look.kind(name)), decimals=own, left=left, right=right, sign=sign)
    if rule.broken(look.some).any() or not _surprises(look, rule) or rule.broken(look.table).any():
        return None
    return fitted(rule, look.table)
