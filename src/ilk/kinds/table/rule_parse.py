"""Rules as a person writes them: ``end >= start``, ``total = fare + tip``, ``zone -> borough``, ``unique id``.

A name is taken for the longest column that it can be; one with spaces or signs may stand in backticks. ``...`` at the
end of a sum stands for a rest that takes few values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from ilk.core.errors import Code, InputError, suggest
from ilk.kinds.table.rule_book import Limit, Lookup, Order, Product, Rule, Same, Sum, Unique, arrange
from ilk.kinds.table.rule_find_lookups import MOST_KEYS, made
from ilk.kinds.table.rule_find_orders import order
from ilk.kinds.table.rule_formula import fitted
from ilk.kinds.table.rule_measure import common, decimals_of, family
from ilk.kinds.table.rule_spell import levels_of

SIGN = re.compile(r"->|>=|<=|==|=|>|<|\+|-|\*|/|\.\.\.|,")
NUMBER = re.compile(r"\d+(\.\d+)?")
COMPARISONS = ("->", ">=", "<=", "==", "=", ">", "<")
FORMS = 'write one like "end >= start", "total = fare + tip", "a + b <= c", "zone -> borough" or "unique id"'
FEW_RESTS = 100
"""Amounts that ``...`` may stand for."""
R = TypeVar("R", Lookup, Limit, Order, Product, Same, Sum, Unique)


class Token(NamedTuple):
    """A piece of a rule: a ``name``, a ``number`` or a ``sign``."""

    sort: str
    text: str


class Term(NamedTuple):
    """One summand: a factor and a column (none for a constant), or a product of two columns."""

    factor: float
    name: str | None
    other: str | None = None
    sign: str = ""


def parse(text: str, table: pa.Table) -> Rule:
    """The rule that a line means.

    Args:
        text: the rule.
        table: the rows that obey it.

    Raises:
        InputError: it is none, names a column that there is not, compares what cannot be compared, or rows break it.
    """
    if not table.num_rows:
        raise InputError(Code.TOO_FEW, f'The table has no rows that could obey the rule "{text}".')
    tokens = _tokens(text, table.column_names)
    if len(tokens) == 2 and tokens[0].text == "unique" and tokens[1].sort == "name":
        return _confirmed(Unique(name=tokens[1].text), text, table)
    places = [place for place, token in enumerate(tokens) if token.sort == "sign" and token.text in COMPARISONS]
    if len(places) != 1:
        raise _no_rule(text)
    sign = tokens[places[0]].text
    left, right = tokens[: places[0]], tokens[places[0] + 1 :]
    if sign == "->":
        rule: Rule = _lookup(left, right, text, table)
    elif sign in ("=", "=="):
        rule = _equation(left, right, text, table)
    else:
        rule = _comparison(left, sign, right, text, table)
    return arrange([rule], table.column_names)[0]


def _no_rule(text: str) -> InputError:
    return InputError(Code.OPTION, f'"{text}" is no rule; {FORMS}.')


def _tokens(text: str, names: Sequence[str]) -> list[Token]:
    """The pieces of a line.

    Raises:
        InputError: a name that no column has.
    """
    found: list[Token] = []
    left = text.strip()
    longest = sorted(names, key=len, reverse=True)
    while left:
        token, length = _first(left, longest, start=not found)
        if token.sort == "unknown":
            raise InputError(Code.OPTION, f'There is no column "{token.text}"; {suggest(token.text, names)}.')
        found.append(token)
        left = left[length:].lstrip()
    return found


def _first(left: str, longest: Sequence[str], *, start: bool) -> tuple[Token, int]:
    """The piece that a line begins with, and how long it is."""
    if quoted := re.match(r"`([^`]*)`", left):
        name = quoted[1]
        return Token("name" if name in longest else "unknown", name), quoted.end()
    if start and (found := re.match(r"unique\s+(?![-+*/<>=])", left)):
        return Token("word", "unique"), found.end()
    for name in longest:
        if name and left.startswith(name) and not re.match(r"\w", left[len(name) :] if name[-1].isalnum() else ""):
            return Token("name", name), len(name)
    if found := NUMBER.match(left):
        return Token("number", found[0]), found.end()
    if found := SIGN.match(left):
        return Token("sign", found[0]), found.end()
    word = re.match(r"[^\s`+*/<>=,-]+", left) or re.match(r".", left)
    unknown = word[0] if word else left
    return Token("unknown", unknown), len(unknown)


def _terms(tokens: Sequence[Token], text: str) -> tuple[list[Term], bool]:
    """The summands of one side, and whether ``...`` is one of them.

    Raises:
        InputError: it is no sum.
    """
    terms: list[Term] = []
    few, ahead = False, list(tokens)
    while ahead:
        factor = 1.0
        if ahead[0] in (Token("sign", "+"), Token("sign", "-")):
            factor = -1.0 if ahead.pop(0).text == "-" else 1.0
        elif terms or few:
            raise _no_rule(text)
        if ahead and ahead[0] == Token("sign", "..."):
            few = True
            ahead.pop(0)
            continue
        terms.append(_term(ahead, factor, text))
    if not terms:
        raise _no_rule(text)
    return terms, few


def _term(ahead: list[Token], factor: float, text: str) -> Term:
    """Take one summand from the beginning of a list of pieces."""
    if not ahead or ahead[0].sort not in ("name", "number"):
        raise _no_rule(text)
    first = ahead.pop(0)
    second: Token | None = None
    sign = ""
    if len(ahead) >= 2 and ahead[0].sort == "sign" and ahead[0].text in "*/":
        sign = ahead.pop(0).text
        second = ahead.pop(0)
    if first.sort == "number":
        factor *= float(first.text)
        if second is None:
            return Term(factor, None)
        if second.sort != "name" or sign == "/":
            raise _no_rule(text)
        return Term(factor, second.text)
    if second is None:
        return Term(factor, first.text)
    if second.sort == "number":
        number = float(second.text)
        if sign == "/" and not number:
            raise _no_rule(text)
        return Term(factor * number if sign == "*" else factor / number, first.text)
    if second.sort != "name":
        raise _no_rule(text)
    return Term(factor, first.text, second.text, sign)


def _lookup(left: Sequence[Token], right: Sequence[Token], text: str, table: pa.Table) -> Lookup:
    if [token.sort for token in (*left, *right)] != ["name", "name"] or left[0].text == right[0].text:
        raise _no_rule(text)
    base, name = left[0].text, right[0].text
    rule = made(table, base, name)
    keys = sum(key is not None for key in rule.keys)
    if keys > MOST_KEYS or 2 * keys > max(1, table.num_rows - table.column(base).null_count):
        sentence = f'The rule "{text}" would copy rows: {base} has {keys:,} different values in {table.num_rows:,} rows'
        raise InputError(Code.OPTION, f"{sentence}, too many to tell what a new one goes with; leave it out.")
    return _confirmed(rule, text, table)


def _equation(left: Sequence[Token], right: Sequence[Token], text: str, table: pa.Table) -> Rule:
    """A sum, a product, or a copy: one column stands alone on a side."""
    if len(left) != 1 or left[0].sort != "name":
        left, right = right, left
    if len(left) != 1 or left[0].sort != "name":
        raise InputError(Code.OPTION, f'In the rule "{text}", no column stands alone; write it as "total = a + b".')
    name = left[0].text
    terms, few = _terms(right, text)
    kind = table.schema.field(name).type
    if len(terms) == 1 and terms[0].other is None and terms[0].factor == 1 and not few and terms[0].name is not None:
        base = terms[0].name
        same = Same(name=name, base=base, kind=str(kind), levels=levels_of(table.column(name)))
        alike = table.column(name).is_valid().equals(table.column(base).is_valid())
        if base != name and family(kind) == family(table.schema.field(base).type) and alike:
            return _confirmed(same, text, table)
    used = [each for term in terms for each in (term.name, term.other) if each is not None]
    if name in used or len(set(used)) < len(used):
        raise InputError(Code.OPTION, f'The rule "{text}" names a column twice.')
    _numbers([name, *used], text, table)
    if any(term.other is not None for term in terms):
        if len(terms) > 1 or terms[0].factor != 1 or few:
            raise InputError(Code.OPTION, f'The rule "{text}" is more than a product of two columns; leave it out.')
        return _product(name, terms[0], text, table)
    return _sum(name, terms, text, table, few=few)


def _product(name: str, term: Term, text: str, table: pa.Table) -> Product:
    assert term.name is not None and term.other is not None  # noqa: PT018
    rule = Product(
        name=name,
        kind=str(table.schema.field(name).type),
        decimals=decimals_of(table.column(name)),
        left=term.name,
        right=term.other,
        sign="/" if term.sign == "/" else "*",
    )
    return fitted(_confirmed(rule, text, table), table)


def _sum(name: str, terms: Sequence[Term], text: str, table: pa.Table, *, few: bool) -> Sum:
    plus = [term.name for term in terms if term.name is not None and term.factor == 1]
    minus = [term.name for term in terms if term.name is not None and term.factor == -1]
    constant = sum(term.factor for term in terms if term.name is None)
    if len(plus) + len(minus) < sum(term.name is not None for term in terms):
        raise InputError(Code.OPTION, f'The rule "{text}" has a factor; a sum adds and takes off whole columns.')
    if not plus and not minus:
        raise _no_rule(text)
    decimals = common([decimals_of(table.column(each)) for each in (name, *plus, *minus)])
    scale = 10 ** (decimals or 0)
    rule = Sum(
        name=name,
        kind=str(table.schema.field(name).type),
        decimals=decimals,
        rests=(round(constant * scale),),
        plus=tuple(plus),
        minus=tuple(minus),
    )
    rest = rule.rest(table)
    rests = np.unique(rest.value_N[rest.known_N])
    if few and decimals is not None and len(rests) <= FEW_RESTS:
        return fitted(rule, table)
    few_enough = decimals is not None and 1 < len(rests) <= FEW_RESTS
    hint = f'what is left takes {len(rests)} values: "{text} + ..." allows for these' if few_enough else ""
    return fitted(_confirmed(rule, text, table, hint), table)


def _comparison(left: Sequence[Token], sign: str, right: Sequence[Token], text: str, table: pa.Table) -> Rule:
    """An order of two columns, or a limit that is only checked."""
    if sign.startswith("<"):
        left, right = right, left
    above, below = _terms(left, text), _terms(right, text)
    factors: dict[str, float] = {}
    constant = 0.0
    for terms, way in ((above[0], 1.0), (below[0], -1.0)):
        for term in terms:
            if term.other is not None:
                raise InputError(Code.OPTION, f'The rule "{text}" compares a product; only sums can be compared.')
            if term.name is None:
                constant += way * term.factor
            else:
                factors[term.name] = factors.get(term.name, 0.0) + way * term.factor
    factors = {name: factor for name, factor in factors.items() if factor}
    if not factors or above[1] or below[1]:
        raise _no_rule(text)
    strict = "=" not in sign
    if not constant and sorted(factors.values()) == [-1.0, 1.0]:
        low, high = sorted(factors, key=lambda name: factors[name])
        return _order(high, low, text, table, strict=strict)
    _numbers(list(factors), text, table)
    names = tuple(factors)
    rule = Limit(
        names=names, factors=tuple(factors.values()), constant=constant, strict=strict, written=" ".join(text.split())
    )
    return _confirmed(rule, text, table)


def _order(high: str, low: str, text: str, table: pa.Table, *, strict: bool) -> Order:
    kinds = [table.schema.field(name).type for name in (high, low)]
    if not family(kinds[0]) or family(kinds[0]) != family(kinds[1]):
        shown = " and ".join(f"{name} ({kind})" for name, kind in zip((high, low), kinds, strict=True))
        raise InputError(Code.OPTION, f'The rule "{text}" cannot be held: {shown} do not compare.')
    return _confirmed(msgspec.structs.replace(order(table, high, [low]), strict=strict), text, table)


def _numbers(names: Sequence[str], text: str, table: pa.Table) -> None:
    for name in names:
        kind = table.schema.field(name).type
        if family(kind) != "number":
            raise InputError(Code.OPTION, f'The rule "{text}" is of numbers, and {name} holds {kind}.')


def _confirmed(rule: R, text: str, table: pa.Table, hint: str = "") -> R:
    """The rule, if the data do not contradict it.

    Raises:
        InputError: they do: how often, and where first.
    """
    wrong_N = rule.broken(table)
    if not wrong_N.any():
        return rule
    row = table.select(list(rule.columns)).slice(int(wrong_N.argmax()), 1).to_pylist()[0]
    shown = ", ".join(f"{name} {value}" for name, value in row.items())
    sentence = f'The data contradict the rule "{text}" in {int(wrong_N.sum()):,} of {len(wrong_N):,} rows'
    advice = hint or "mend them or leave the rule out"
    raise InputError(Code.OPTION, f"{sentence}, the first with {shown}; {advice}.")
