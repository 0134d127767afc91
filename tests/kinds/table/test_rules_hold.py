"""Each sort of rule keeps what a table has, and holds in whatever is made: with any type, and with holes."""

from __future__ import annotations

import datetime
from decimal import Decimal

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ilk.kinds.table.rule_book import Lookup, Order, Rule
from ilk.kinds.table.rule_parse import parse

COUNT = 120
TYPES = [
    pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint32(), pa.float32(), pa.float64(),
    pa.decimal128(12, 2), pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("ns"),
    pa.timestamp("us", "Europe/Berlin"), pa.time32("s"), pa.time64("us"), pa.duration("ms"),
]  # fmt: skip


def column(values, kind, missing):
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pa.array(values / 4, mask=missing).cast(kind)
    if pa.types.is_date64(kind):
        return pa.array(values * 86_400_000, mask=missing).cast(kind)
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        return pa.array(values.astype(np.int32), mask=missing).cast(kind)
    return pa.array(values, mask=missing).cast(kind)


@pytest.mark.parametrize("kind", TYPES, ids=str)
@pytest.mark.parametrize("sign", [">=", ">"])
def test_an_order_holds_in_any_type(kind, sign):
    random = np.random.default_rng(0)
    low = random.integers(0, 60, COUNT)
    high = low + (sign == ">") + random.integers(0, 60, COUNT)
    holes = random.random((2, COUNT)) < 0.1
    table = pa.table({"high": column(high, kind, holes[0]), "low": column(low, kind, holes[1]), "x": high})
    rule = parse(f"high {sign} low", table)
    encoded = rule.encode(table)
    assert rule.decode(encoded).equals(table)
    shuffled = encoded.set_column(0, "high", encoded.column("high").take(random.permutation(COUNT)))
    made = rule.decode(shuffled)
    assert made.schema.equals(table.schema)
    assert not rule.broken(made).any()


def test_a_difference_that_an_engine_made_is_mended():
    table = pa.table(
        {"start": pa.array([10, 20, None], pa.timestamp("s")), "end": pa.array([10, 25, 30], pa.timestamp("s"))}
    )
    rule = parse("end >= start", table)
    made = rule.decode(table.set_column(1, "end", pa.array([-5.2, 7.4, None])))
    assert made.column("end").to_pylist() == [datetime.datetime(1970, 1, 1, 0, 0, second) for second in (10, 27)] + [
        None
    ]


def test_whole_numbers_above_decimals_are_rounded_up():
    table = pa.table({"low": [1.25, 2.5], "high": [2, 3]})
    rule = parse("high >= low", table)
    assert rule.decode(rule.encode(table)).equals(table)
    made = rule.decode(table.set_column(1, "high", pa.array([0.0, 0.1])))
    assert made.column("high").to_pylist() == [2, 3]


def test_columns_of_different_units_compare():
    table = pa.table(
        {"day": pa.array([1_500_000_000, 1_600_000_000], pa.timestamp("s")),
         "end": pa.array([1_500_000_000_001, 1_600_000_000_500], pa.timestamp("ms"))}
    )  # fmt: skip
    rule = parse("end > day", table)
    assert rule.decode(rule.encode(table)).equals(table)


cents = st.one_of(st.none(), st.integers(-100_000, 100_000))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cents, cents, st.sampled_from([0, 30, 250]), st.booleans()), min_size=1, max_size=30))
def test_a_sum_comes_back_to_the_cent(rows):
    total = [None if gone else ((a or 0) + (b or 0) + rest) / 100 for a, b, rest, gone in rows]
    table = pa.table(
        {
            "total": pa.array(total, pa.float64()),
            "a": pa.array([None if a is None else a / 100 for a, *_ in rows], pa.float64()),
            "b": pa.array([None if b is None else b / 100 for _, b, *_ in rows], pa.float64()),
        }
    )
    rule = parse("total = a + b + ...", table)
    encoded = rule.encode(table)
    assert rule.decode(encoded).equals(table)
    if rule.kept:
        made = rule.decode(encoded.set_column(0, "total", pa.array(np.linspace(-9, 9, len(rows)))))
        assert not rule.broken(made).any()


def test_a_sum_without_a_rest_leaves_no_column():
    table = pa.table({"a": [0.1, 0.7, 1.1], "b": [0.2, 0.1, 2.2], "c": [0.3, 0.8, 3.3]})
    rule = parse("c = a + b", table)
    assert rule.encode(table).column_names == ["a", "b"]
    assert rule.decode(rule.encode(table)).equals(table)
    assert rule.says == "c is the sum of a and b"


def test_a_sum_keeps_a_total_whose_parts_are_missing():
    table = pa.table({"a": [1, None, 3], "b": [1, 2, 3], "c": [2, 9, 6]})
    rule = parse("c = a + b", table)
    assert rule.encode(table).column("c").to_pylist() == [0, 7, 0]
    assert rule.decode(rule.encode(table)).equals(table)
    made = rule.decode(table.set_column(2, "c", pa.array([7, 7, None])))
    assert made.column("c").to_pylist() == [2, 9, None]


def test_exact_decimals_stay_exact():
    kind = pa.decimal128(12, 2)
    table = pa.table({name: pa.array(map(Decimal, values), kind) for name, values in
                      {"a": ["0.10", "7.00"], "b": ["0.20", "0.01"], "c": ["0.30", "7.01"]}.items()})  # fmt: skip
    rule = parse("c = a + b", table)
    assert rule.decode(rule.encode(table)).equals(table)


def test_a_quotient_is_rounded_as_the_column_is():
    table = pa.table({"all": [10.0, 20.0, 7.0], "by": [3, 6, 0], "each": [3.33, 3.33, 1.5]})
    rule = parse("each = all / by", table)
    assert rule.kept  # nothing is divided by 0
    assert rule.decode(rule.encode(table)).equals(table)
    assert rule.says == "each is all divided by by"


def lookup_table(town_of_none):
    return pa.table(
        {
            "zone": ["a", "b", "c", None, None, "b", "a", "c"],
            "town": ["x", "y", "x", *town_of_none, "y", "x", "x"],
            "n": range(8),
        }
    )


def test_a_lookup_leaves_no_column():
    table = lookup_table([None, None])
    rule = parse("zone -> town", table)
    assert rule.encode(table).column_names == ["zone", "n"]
    assert rule.decode(rule.encode(table)).equals(table)
    assert not rule.both


def test_a_missing_base_keeps_what_the_data_have():
    table = lookup_table(["x", "y"])
    rule = parse("zone -> town", table)
    assert rule.encode(table).column("town").to_pylist() == ["=", "=", "=", "x", "y", "=", "=", "="]
    assert rule.decode(rule.encode(table)).equals(table)
    made = rule.decode(table.set_column(1, "town", pa.array(["y", "=", "=", "=", "what", None, "x", "="])))
    assert made.column("town").to_pylist()[:3] == ["x", "y", "x"]
    assert made.column("town").to_pylist()[3] in ("x", "y")
    assert made.column("town").to_pylist()[4:] == [None, None, "x", "x"]
    assert not rule.broken(made).any()


def test_a_missing_name_stays_missing():
    table = pa.table({"zone": ["a", "a", "b", "b"], "town": ["x", None, "=", "="]})
    rule = parse("zone -> town", table)
    assert rule.told == "=="
    assert rule.decode(rule.encode(table)).equals(table)


@pytest.mark.parametrize(
    "kind", [*TYPES, pa.bool_(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())], ids=str
)
def test_a_lookup_tells_any_type(kind):
    random = np.random.default_rng(0)
    base = random.integers(0, 2, COUNT)
    told = column(base, pa.int64(), random.random(COUNT) < 0.1)
    if pa.types.is_boolean(kind) or pa.types.is_large_string(kind):
        told = told.cast(kind)
    elif pa.types.is_dictionary(kind):
        levels = pa.array(["unused", "no", "yes"])
        told = pa.DictionaryArray.from_arrays(pa.array(base + 1, pa.int8(), mask=np.zeros(COUNT, bool)), levels)
    else:
        told = column(base, kind, np.asarray(told.is_null()))
    table = pa.table({"told": told, "base": base.astype(str)})
    rule = parse("base -> told", table)
    assert rule.decode(rule.encode(table)).equals(table)


def test_a_number_that_no_pair_has_is_told_by_the_nearest():
    table = pa.table({"age": [1, 5, 20, 20, 5, 1], "who": ["child", "child", "adult", "adult", "child", "child"]})
    rule = parse("age -> who", table)
    made = rule.decode(pa.table({"age": [0, 11, 14, 99, None]}))
    assert made.column("who").to_pylist() == ["child", "child", "adult", "adult", None]


def test_a_repeated_key_is_named_once():
    rule = parse("unique id", pa.table({"id": ["a", "b", None, None]}))
    assert rule.broken(pa.table({"id": ["a", "b", "a", None, None, "a"]})).tolist() == [False] * 2 + [True] + [
        False, False, True,
    ]  # fmt: skip
    assert not rule.constructive


def test_missing_values_break_nothing():
    table = pa.table({"a": [1, 2], "b": [3, 4], "c": [4, 6]})
    holes = pa.table({"a": [9, None], "b": [None, 1], "c": [1, 1]})
    for text in ("b >= a", "c = a + b", "b -> c", "unique a", "a + b <= c", "c = b"):
        try:
            rule = parse(text, table)
        except ValueError:
            continue
        if text != "b -> c":
            assert not rule.broken(holes).any(), text


@pytest.mark.parametrize("kind", ["duration[fortnight]", "", "list<item: int64>", "timestamp[us, tz=]x", "__class__"])
def test_a_file_of_a_stranger_names_only_types_that_there_are(kind):
    table = pa.table({"a": [1, 2], "b": [3, 4]})
    data = msgspec.to_builtins(parse("b > a", table)) | {"kind": kind}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(data, Rule)


def test_a_lookup_of_a_stranger_has_a_value_for_each_key():
    with pytest.raises(ValueError, match="a value for each key"):
        Lookup(name="a", base="b", keys=("x",), values=(), kind="string")


def test_floats_that_do_not_end_come_back_to_their_last_place():
    random = np.random.default_rng(0)
    low = random.lognormal(size=2_000)
    table = pa.table({"low": low, "high": low * (1 + random.exponential(size=2_000))})
    rule = parse("high >= low", table)
    assert isinstance(rule, Order)
    again = rule.decode(rule.encode(table)).column("high").to_numpy()
    np.testing.assert_allclose(again, table.column("high").to_numpy(), rtol=1e-15)
