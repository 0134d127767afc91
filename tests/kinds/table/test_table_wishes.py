"""What is asked of rows: conditions on any column, declared rules, levels in balance, holes that are filled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import ilk
from ilk.core.errors import InputError

TOWNS = {"quay": "Port", "pier": "Port", "mill": "Dale", "moor": "Dale", "peak": "Dale"}


def stays(count=1_200, seed=0):
    """Hotel bookings: a zone tells the town, a bill adds up, nobody leaves before coming."""
    random = np.random.default_rng(seed)
    zone = random.choice(list(TOWNS), count, p=[0.3, 0.3, 0.2, 0.15, 0.05])
    came = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300, count), unit="D")
    nights = random.integers(1, 15, count)
    room = np.round(nights * random.choice([40.0, 55.5, 80.0], count), 2)
    food = np.round(random.gamma(2, 12, count), 2)
    return pd.DataFrame(
        {
            "zone": zone,
            "town": pd.Series(zone).map(TOWNS),
            "came": came,
            "left": came + pd.to_timedelta(nights, unit="D"),
            "room": room,
            "food": food,
            "bill": np.round(room + food, 2),
            "guests": random.choice([1, 2, 3, 4], count, p=[0.4, 0.4, 0.15, 0.05]),
        }
    )


@pytest.fixture(scope="module")
def model():
    return ilk.Generator(steps=60, threads=1).fit(stays())


def holds(rows):
    """Whether rows obey what all bookings obey."""
    return (
        (rows["town"] == rows["zone"].map(TOWNS)).all()
        and (rows["left"] > rows["came"]).all()
        and np.allclose(rows["bill"], rows["room"] + rows["food"], atol=0.001)
    )


def test_what_every_row_obeys_holds_in_every_row_made(model):
    assert holds(model.sample(5_000, seed=1).data)


@pytest.mark.parametrize(
    ("given", "met"),
    [
        ({"town": "Dale"}, lambda rows: rows["town"] == "Dale"),
        ({"town": "Dale", "guests": (2, 3)}, lambda rows: (rows["town"] == "Dale") & rows["guests"].between(2, 3)),
        ({"bill": (100, 150)}, lambda rows: rows["bill"].between(100, 150)),
        ({"left": ("2024-03-01", "2024-03-31")}, lambda rows: rows["left"].between("2024-03-01", "2024-03-31")),
        ({"zone": ("mill", "quay")}, lambda rows: rows["zone"].isin(["mill", "quay"])),
    ],
    ids=["told", "told and number", "sum", "later", "levels"],
)
def test_conditions_on_any_column_hold_and_the_rows_asked_for_are_delivered(model, given, met):
    rows = model.sample(300, given=given, seed=2).data
    assert len(rows) == 300
    assert met(rows).all()
    assert holds(rows)


def test_a_row_is_the_same_however_many_are_made(model):
    wish = {"given": {"bill": (100, 150)}, "balance": "zone", "seed": 5}
    few, many = model.sample(7, **wish).data, model.sample(40, **wish).data
    pd.testing.assert_frame_equal(few, many.head(7))


def test_levels_in_balance_come_equally_often(model):
    assert set(model.sample(50, balance="zone", seed=1).data["zone"].value_counts()) == {10}
    some = model.sample(50, balance="zone", given={"zone": ("peak", "quay")}, seed=1).data["zone"]
    assert dict(some.value_counts()) == {"peak": 25, "quay": 25}
    assert set(model.sample(50, balance="town", seed=1).data["town"].value_counts()) == {25}
    with pytest.raises(InputError, match="bill has no levels"):
        model.sample(5, balance="bill")


def test_what_no_row_meets_is_an_error_and_not_fewer_rows(model):
    with pytest.raises(InputError, match=r"none of [\d,]+ rows met what is asked of bill"):
        model.sample(200, given={"bill": (5_000, 6_000)}).data  # noqa: B018


def test_how_many_candidates_count_is_said_where_a_condition_is_rare(model):
    common = model.sample(50, given={"guests": 2}, seed=1)
    rare = model.sample(50, given={"guests": 4, "room": 555.0}, seed=1)
    assert (common.data["guests"] == 2).all()
    assert (rare.data["room"] == 555.0).all()
    assert common.effective is None
    assert 1 <= rare.effective <= 64


def test_a_declared_rule_that_is_only_checked_holds():
    model = ilk.Generator(steps=40, threads=1, options={"rule": ("room + food <= 1200",)}).fit(stays())
    rows = model.sample(3_000, seed=3).data
    assert (rows["room"] + rows["food"] <= 1200.001).all()
    assert holds(rows)


def test_a_rule_that_the_data_contradict_is_named():
    with pytest.raises(InputError, match="food >= room"):
        ilk.Generator(steps=5, options={"rule": ("food >= room",)}).fit(stays())


def test_a_rule_that_hardly_any_row_made_obeys_is_named():
    random = np.random.default_rng(5)
    a, b = random.normal(50, 9, 900), random.normal(50, 9, 900)
    table = pd.DataFrame({"a": a, "b": b, "all": a + b + 1e-6 * random.random(900)})
    rules = ("a + b <= all", "all <= a + b + 0.000001")
    model = ilk.Generator(steps=20, threads=1, options={"rule": rules}).fit(table)
    with pytest.raises(InputError, match=r"rows met the rule"):
        model.sample(500, seed=1).data  # noqa: B018


def test_holes_are_filled_and_all_else_stays(model):
    whole = stays(200, seed=9)
    holed, random = whole.copy(), np.random.default_rng(4)
    for name in whole.columns:
        holed[name] = holed[name].mask(random.random(len(whole)) < 0.2)
    filled = model.complete(holed, seed=1).data
    assert not filled.isna().any().any()
    assert list(filled.columns) == list(whole.columns)
    for name in whole.columns:
        known = holed[name].notna()
        assert (filled[name][known] == holed[name][known]).all()
    assert holds(filled)
    alone = holed[["bill", "room", "food"]].isna().sum(axis=1) == 1
    assert np.allclose(filled[["room", "food", "bill"]][alone], whole[["room", "food", "bill"]][alone], atol=0.001)


def test_a_hole_is_drawn_and_not_the_mean(model):
    holed = stays(400, seed=9).assign(food=np.nan, bill=np.nan)
    food = model.complete(holed, seed=1).data["food"]
    assert 0.6 < food.std() / stays()["food"].std() < 1.5
    assert food.nunique() > 200


def test_rows_that_cannot_be_completed_are_refused_in_a_sentence(model):
    with pytest.raises(InputError, match='no column "bill"'):
        model.complete(stays(20).drop(columns=["bill"]))
    with pytest.raises(InputError, match="cannot be completed"):
        model.complete(stays(20).assign(room="many", bill=np.nan))


def test_a_report_of_few_coarse_columns_counts_equal_rows_and_names_what_is_left_out():
    random = np.random.default_rng(2)
    table = pd.DataFrame(
        {
            "stars": random.integers(1, 6, 300),
            "town": random.choice(["Port", "Dale"], 300),
            "review": [" ".join(f"word{word}" for word in random.integers(0, 40, 25)) for _ in range(300)],
        }
    )
    card = ilk.Generator(steps=10, threads=1).fit(table).report(n=60)
    assert card.numbers["new.table.copies"].ceiling > 0.9  # real held-out rows are equal to training rows, too
    assert card.json()["facts"]["Left out"].startswith("review: texts longer than a table learns")


def test_many_rows_of_which_a_few_take_many_draws_are_all_completed(model):
    holed = stays(2_000, seed=11).assign(food=np.nan, room=np.nan)  # both parts of a bill that is known
    filled = model.complete(holed, seed=2).data
    assert holds(filled)
    assert (filled["bill"] == holed["bill"]).all()
