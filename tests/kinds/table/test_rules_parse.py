"""Rules are written as one would, and refused in a sentence that says why."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ilk.core.errors import InputError
from ilk.kinds.table.rule_parse import parse

TABLE = pa.table(
    {
        "start": pa.array([1, 2, 3], pa.timestamp("s")),
        "end": pa.array([1, 4, 9], pa.timestamp("s")),
        "fare": [1.5, 2.0, 3.0],
        "tip": [0.5, 0.0, 1.0],
        "total": [2.0, 2.0, 4.0],
        "hours-per-week": [4, 4, 8],
        "hours": [2, 2, 4],
        "my zone": ["a", "a", "a"],
        "town": ["x", "x", "x"],
        "unique": [3, 4, 5],
        "id": [7, 8, 9],
    }
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("end >= start", "end is never before start"),
        ("start <= end", "end is never before start"),
        ("total = fare + tip", "total is the sum of fare and tip"),
        ("fare + tip == total", "total is the sum of fare and tip"),
        ("fare = total - tip", "fare is total less tip"),
        ("`hours-per-week` = hours + hours", None),
        ("hours-per-week = hours * total", None),
        ("hours-per-week > hours", "hours-per-week is always above hours"),
        ("hours-per-week >= 2 * hours", "hours-per-week >= 2 * hours in every row"),
        ("fare + tip <= total", "fare + tip <= total in every row"),
        ("tip < 1.5", "tip < 1.5 in every row"),
        ("`my zone` -> town", "each my zone has one town, and the other way round"),
        ("my zone->town", "each my zone has one town, and the other way round"),
        ("unique id", "no two rows have the same id"),
        ("unique `my zone`", None),
        ("unique >= hours", "unique is never below hours"),
        ("id = unique + 4", "id is unique plus 4"),
        ("hours-per-week = hours + ...", "hours-per-week is hours plus one of 2 amounts (2, 4)"),
    ],
)
def test_a_rule_says_what_it_means(text, says):
    if says is None:
        with pytest.raises(InputError) as caught:
            parse(text, TABLE)
        assert caught.value.code == "ILK-INPUT-007"
    else:
        assert parse(text, TABLE).says == says


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is no rule"),
        ("fare", "is no rule"),
        ("fare >=", "is no rule"),
        (">= fare", "is no rule"),
        ("fare >= tip >= total", "is no rule"),
        ("fare tip = total", "is no rule"),
        ("total = fare tip", "is no rule"),
        ("total = fare +", "is no rule"),
        ("total = fare + 2 * tip", "has a factor"),
        ("total = fare + fare", "names a column twice"),
        ("total = total", "names a column twice"),
        ("total = fare * tip + 1", "more than a product"),
        ("total = 4", "is no rule"),
        ("fare + tip = hours + total", "no column stands alone"),
        ("fare + 1 / hours > 2", "is no rule"),
        ("fare * tip > 2", "compares a product"),
        ("fare - fare > 2", "is no rule"),
        ("farre + tip = total", 'There is no column "farre"; did you mean "fare"'),
        ("`my zne` -> town", 'There is no column "my zne"; did you mean "my zone"'),
        ("town -> town", "is no rule"),
        ("fare + tip -> total", "is no rule"),
        ("end >= fare", "do not compare"),
        ("town >= start", "do not compare"),
        ("total = fare + town", "is of numbers, and town holds string"),
        ("end + 1 > start", "is of numbers"),
        ("id -> town", "too many to tell"),
        ("start >= end", "in 2 of 3 rows, the first with start 1970-01-01 00:00:02, end 1970-01-01 00:00:04"),
        ("end > start", "in 1 of 3 rows"),
        ("total = fare", "in 2 of 3 rows, the first with fare 1.5, total 2.0"),
        ("hours-per-week = hours + tip", 'what is left takes 3 values: "hours-per-week = hours + tip + ..."'),
        ("unique hours", "in 1 of 3 rows, the first with hours 2"),
        ("unique nothing", 'There is no column "nothing"'),
        ("%", 'There is no column "%"'),
    ],
)
def test_a_wrong_rule_is_refused_in_a_sentence(text, part):
    with pytest.raises(InputError) as caught:
        parse(text, TABLE)
    assert part in caught.value.sentence
    assert caught.value.exit_code == 2
    assert caught.value.sentence.endswith(".") or "known:" in caught.value.sentence


def test_a_lookup_that_the_data_contradict_says_how_often():
    table = pa.table({"zone": ["a", "a", "a", "b", "b"] * 4, "town": ["x", "x", "y", "z", "z"] * 4})
    with pytest.raises(InputError, match="in 4 of 20 rows, the first with zone a, town y"):
        parse("zone -> town", table)


def test_a_rule_may_have_any_spaces_and_signs():
    table = pa.table({"a+b": [1, 2], "c d": [3, 5], "e`": [0, 0], "-": [4, 7]})
    assert parse("`-` = `a+b` + c d", table).says == "- is the sum of a+b and c d"
    assert parse("a+b<c d", table).columns == ("c d", "a+b")


def test_an_equal_column_is_a_copy_when_it_is_missing_in_the_same_rows():
    table = pa.table({"a": ["x", None], "b": ["x", None]})
    assert parse("b = a", table).encode(table).column_names == ["a"]


def test_a_declared_rule_needs_few_rows():
    table = TABLE.slice(0, 1)
    rule = parse("end >= start", table)
    assert rule.decode(rule.encode(table)).equals(table)


def test_a_table_without_rows_has_no_rules():
    with pytest.raises(InputError, match="has no rows"):
        parse("unique id", TABLE.slice(0, 0))
