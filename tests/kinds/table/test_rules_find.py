"""Rules are found where all rows obey them beyond doubt, and nowhere else."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from ilk.kinds.table.rule_book import Rule, arrange
from ilk.kinds.table.rule_find import find
from ilk.kinds.table.rule_measure import decimals_of
from ilk.kinds.table.rule_parse import parse

DAY = 86_400_000_000


def holes(random, count, share=0.05):
    return random.random(count) < share


def rides(count=3_000, seed=0):
    """Rides that obey an order, a sum with few rests, and two lookups; a hole here and there."""
    random = np.random.default_rng(seed)
    start = random.integers(0, 300 * DAY, count) // 10**6 * 10**6
    end = start + random.exponential(900, count).astype(np.int64) * 10**6
    zone = random.integers(0, 40, count)
    fare = np.round(random.lognormal(2.3, 0.5, count), 2)
    tip = np.round(np.where(random.random(count) < 0.6, random.exponential(3, count), 0), 2)
    toll = np.where(random.random(count) < 0.1, 5.76, 0.0)
    total = np.round(fare + tip + toll + random.choice([0.8, 3.3, 3.8], count), 2)
    town = np.array([f"town {each % 5}" for each in range(40)])[zone]
    code = np.array([11, 12, 13, 14, 15])[zone % 5]
    hole = holes(random, count)
    return pa.table(
        {
            "start": pa.array(start, pa.timestamp("us")),
            "end": pa.array(end, pa.timestamp("us"), mask=holes(random, count)),
            "fare": fare,
            "tip": pa.array(tip, mask=holes(random, count)),
            "toll": toll,
            "total": total,
            "zone": pa.array([f"zone {each}" for each in zone], mask=hole),
            "town": pa.array(town, mask=hole),
            "code": pa.array(code, pa.int8(), mask=hole),
            "people": random.integers(1, 6, count),
        }
    )


def orders_of_a_shop(count=800, seed=1):
    """Prices by product, amounts as products of two, three dates in a row, and a key."""
    random = np.random.default_rng(seed)
    product = random.integers(0, 12, count)
    price = np.round(random.lognormal(2, 1, 12), 2)[product]
    pieces = random.integers(1, 9, count)
    ordered = random.integers(19_000, 19_700, count)
    sent = ordered + random.integers(1, 9, count)
    come = sent + random.integers(0, 15, count)
    return pa.table(
        {
            "order": [f"A-{each:05d}" for each in random.permutation(count)],
            "product": pa.array([f"p{each}" for each in product]).dictionary_encode(),
            "price": price,
            "pieces": pieces,
            "amount": np.round(price * pieces, 2),
            "come": pa.array(come.astype(np.int32), pa.date32()),
            "ordered": pa.array(ordered.astype(np.int32), pa.date32()),
            "sent": pa.array(sent.astype(np.int32), pa.date32()),
        }
    )


def quotes(count=500, seed=2):
    """Low <= open, close <= high, in numbers that do not end."""
    random = np.random.default_rng(seed)
    open_, close = 50 + random.normal(0, 10, (2, count))
    high = np.maximum(open_, close) + random.exponential(2, count)
    low = np.minimum(open_, close) - random.exponential(2, count)
    return pa.table({"open": open_, "high": high, "low": low, "close": close})


def copies(count=400, seed=3):
    """A column twice, a difference, and a sum with a fixed rest."""
    random = np.random.default_rng(seed)
    gross = np.round(random.lognormal(8, 0.5, count))
    tax = np.round(random.exponential(500, count))
    name = pa.array([f"name {each}" for each in random.integers(0, 300, count)], mask=holes(random, count))
    return pa.table(
        {
            "name": name,
            "again": name,
            "net": pa.array((gross - tax).astype(np.int64)),
            "gross": pa.array(gross.astype(np.int64)),
            "tax": pa.array(tax.astype(np.int32)),
            "fee": pa.array((gross + 15).astype(np.float32)),
        }
    )


TABLES = {"rides": rides, "shop": orders_of_a_shop, "quotes": quotes, "copies": copies}
FOUND = {
    "rides": {"end >= start", "total = fare + tip + toll + ...", "zone -> town", "town -> code"},
    "shop": {"come >= sent", "sent > ordered", "product -> price", "amount = price * pieces", "unique order"},
    "quotes": {"open >= low", "close >= low", "high >= open, high >= close"},
    "copies": {"again = name", "gross = net + tax", "fee = gross + 15"},
}


def encoded(table, rules):
    for rule in rules:
        table = rule.encode(table)
    return table


def decoded(table, rules):
    for rule in reversed(rules):
        table = rule.decode(table)
    return table


def permuted(table, seed=0, count=None):
    random = np.random.default_rng(seed)
    count = count or table.num_rows
    return pa.table(
        {name: table.column(name).take(random.integers(0, table.num_rows, count)) for name in table.column_names}
    )


@pytest.mark.parametrize("name", TABLES)
def test_what_all_rows_obey_is_found_and_nothing_else(name):
    assert {rule.written for rule in find(TABLES[name]())} == FOUND[name]


@pytest.mark.parametrize("name", TABLES)
def test_the_table_comes_back_as_it_was(name):
    table = TABLES[name]()
    rules = find(table)
    taken = {rule.takes for rule in rules if rule.takes}
    assert not any(
        encoded(table, rules).column(each).equals(table.column(each))
        for each in taken & set(encoded(table, rules).column_names)
    )
    again = decoded(encoded(table, rules), rules)
    if name == "quotes":  # floats that do not end are right to their last place
        np.testing.assert_allclose(again.to_pandas(), table.to_pandas(), rtol=1e-14)
    else:
        assert again.equals(table)


@pytest.mark.parametrize("name", TABLES)
def test_shuffled_columns_still_obey_after_decoding(name):
    table = TABLES[name]()
    rules = find(table)
    made = decoded(permuted(encoded(table, rules), count=20_000), rules)
    assert made.schema.equals(table.schema)
    assert [int(rule.broken(made).sum()) for rule in rules if rule.constructive] == [0] * sum(
        rule.constructive for rule in rules
    )


@pytest.mark.parametrize("name", TABLES)
def test_rules_survive_json(name):
    rules = find(TABLES[name]())
    again = msgspec.json.decode(msgspec.json.encode(rules), type=tuple[Rule, ...])
    assert again == rules


@pytest.mark.parametrize("name", TABLES)
def test_what_is_found_can_be_written_by_hand(name):
    table = TABLES[name]()
    for rule in find(table):
        for text in rule.written.split(", "):
            assert parse(text, table).takes == rule.takes


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("seed", range(10))
def test_shuffled_columns_obey_nothing(name, seed):
    table = TABLES[name](seed=seed)
    random = np.random.default_rng(seed)
    shuffled = pa.table({each: table.column(each).take(random.permutation(len(table))) for each in table.column_names})
    assert [rule.written for rule in find(shuffled) if len(rule.columns) > 1] == []


@pytest.mark.parametrize("seed", range(10))
def test_related_columns_without_a_rule_give_none(seed):
    random = np.random.default_rng(seed)
    count = (60, 200, 1_000, 5_000)[seed % 4]
    size = random.normal(size=count)
    columns = {f"n{each}": np.round(50 + 10 * size + 3 * each + 3 * random.normal(size=count), 1) for each in range(6)}
    columns |= {f"w{each}": np.exp(3 + size + 0.5 * each + 0.1 * random.normal(size=count)) for each in range(4)}
    columns |= {f"i{each}": random.poisson(3 + each, count) for each in range(4)}
    columns |= {f"rare{each}": random.random(count) < 0.02 for each in range(4)}
    columns |= {"mostly": random.choice(list("abc"), count, p=[0.96, 0.03, 0.01])}
    assert [rule.written for rule in find(pa.table(columns))] == []


def test_ranges_that_do_not_meet_are_no_order():
    random = np.random.default_rng(0)
    assert find(pa.table({"small": random.random(500), "large": 100 + random.random(500)})) == ()


def test_a_name_for_each_row_tells_nothing():
    random = np.random.default_rng(0)
    names = [f"person of {each:x}" for each in random.integers(0, 2**60, 500)]
    found = find(pa.table({"name": names, "town": random.choice(list("abc"), 500)}))
    assert [rule.written for rule in found] == ["unique name"]


def test_one_row_that_breaks_it_is_enough():
    table = rides()
    end = table.column("end").to_numpy().copy()
    end[1_234] = np.datetime64("1960-01-01")
    table = table.set_column(1, "end", pa.array(end, pa.timestamp("us")))
    assert "end" not in {rule.takes for rule in find(table)}


def test_few_rows_have_no_rules():
    assert find(rides().slice(0, 49)) == ()
    assert find(pa.table({"a": pa.array([], pa.int64())})) == ()


def test_only_the_named_columns_are_looked_at():
    assert {rule.written for rule in find(rides(), names=["zone", "town", "fare"])} == {"zone -> town"}


def test_odd_columns_are_passed_over():
    count = 200
    table = pa.table(
        {
            "list": pa.array([[1]] * count),
            "none": pa.nulls(count),
            "bytes": pa.array([b"x"] * count),
            "same": [1] * count,
            "nan": [float("nan")] * count,
            "inf": [float("inf")] * count,
            "large": pa.array([2**64 - 1 - each for each in range(count)], pa.uint64()),
        }
    )
    assert [rule for rule in find(table) if len(rule.columns) > 1] == []


def test_duplicate_names_are_passed_over():
    table = pa.Table.from_arrays([pa.array(range(100)), pa.array(range(100))], names=["a", "a"])
    assert find(table) == ()


def test_a_wide_table_is_looked_at_in_seconds():
    random = np.random.default_rng(0)
    wide = {f"n{each}": np.round(random.normal(size=300), 2) for each in range(1_000)}
    wide |= {f"c{each}": random.integers(0, 4, 300).astype(str) for each in range(1_000)}
    wide = {"sum": np.round(wide["n998"] + wide["n999"], 2)} | wide
    found = find(pa.table(wide))
    assert [rule.written for rule in found] == []  # n999 and sum are further apart than sums are looked for
    columns = [name for name in wide if name != "sum"]
    columns.insert(columns.index("n999") + 1, "sum")
    assert [rule.written for rule in find(pa.table({name: wide[name] for name in columns}))] == ["sum = n998 + n999"]


def test_what_the_user_declares_is_never_lost():
    table = rides()
    total, least, fare = (
        parse(text, table) for text in ("total = fare + tip + toll + ...", "total > fare", "fare > 0")
    )
    rules = arrange(find(table), table.column_names, [total, least, fare])
    assert {rule.written for rule in rules} == FOUND["rides"] | {"total > fare", "fare > 0"}
    assert {rule.written for rule in rules if not rule.constructive} == {"total > fare", "fare > 0"}
    made = decoded(permuted(encoded(table, rules)), rules)
    broken = {rule.written for rule in rules if rule.broken(made).any()}
    assert not broken & FOUND["rides"]
    assert msgspec.json.decode(msgspec.json.encode(rules), type=tuple[Rule, ...]) == rules


def test_orders_of_one_column_become_one():
    table = pa.table({"a": [1.5, 2.25], "b": [2, 1], "c": [3.0, 4.0]})
    declared = [parse(text, table) for text in ("c >= a", "c > b", "c >= a")]
    rules = arrange((), table.column_names, declared)
    assert [rule.written for rule in rules] == ["c > b", "c >= a, c >= b"]
    assert [rule.constructive for rule in rules] == [False, True]
    assert decoded(encoded(table, rules), rules).equals(table)


def test_a_circle_of_rules_is_cut():
    table = orders_of_a_shop()
    amount = parse("amount = price * pieces", table)
    price = parse("price = amount / pieces", table)
    assert [rule.takes for rule in arrange([amount, price], table.column_names)] == ["amount"]
    assert [rule.takes for rule in arrange([], table.column_names, [amount, price])] == ["", "amount"]


@pytest.mark.parametrize("seed", range(6))
def test_what_is_merely_larger_is_never_above(seed):
    random = np.random.default_rng(seed)
    count = (60, 400, 3_000)[seed % 3]
    size = random.normal(size=count)
    traps = {
        "grows": {"x": np.cumsum(random.poisson(1, count)), "y": np.cumsum(random.poisson(3, count))},
        "walks": {f"w{each}": np.cumsum(random.normal(size=count)) for each in range(6)},
        "scaled": {
            f"s{each}": np.exp(1.5 * size + 0.3 * random.normal(size=count) + each).round(2) for each in range(6)
        },
        "counts": {f"p{each}": random.poisson(np.exp(1 + 0.7 * size + 0.5 * each)) for each in range(6)},
    }
    assert {name: find(pa.table(columns)) for name, columns in traps.items()} == dict.fromkeys(traps, ())


def test_a_sum_that_was_computed_and_not_rounded_is_found():
    random = np.random.default_rng(3)
    a, b = np.round(random.gamma(2, 60, 800), 2), 210.0 * random.integers(1, 9, 800)
    assert (np.round(a + b, 2) != a + b).any()
    (rule,) = find(pa.table({"a": a, "b": b, "all": a + b}))
    assert rule.written == "all = a + b"


def test_numbers_that_do_not_end_have_no_decimals():
    random = np.random.default_rng(3)
    for scale in (1e-3, 1.0, 1e6, 1e9):
        assert decimals_of(pa.chunked_array([random.normal(size=200) * scale])) is None
