"""What a report says of tables: likeness, copies, leaks. Each test knows the answer beforehand."""

from __future__ import annotations

from xml.dom import minidom

import numpy as np
import pyarrow as pa
import pytest

from ilk.core.distances import nearest
from ilk.core.protocol import Witness
from ilk.kinds.table import critic, odd, sides, sight
from ilk.kinds.table.chances import auc
from ilk.kinds.table.closeness import closeness
from ilk.kinds.table.critic import judge
from ilk.kinds.table.frame import Rows
from ilk.kinds.table.measure import measure
from ilk.kinds.table.measures import MEASURES
from ilk.kinds.table.mixed import fit_mixed, same
from ilk.kinds.table.shapes import associations, distance
from ilk.kinds.table.sight import look

CRITIC, SHAPES, PAIRS = "real.table.critic_auc", "real.table.shapes", "real.table.associations"
COPIES, CLOSEST, NEAR = "new.table.copies", "private.table.closest_share", "private.table.near_copies"
GROUPS, USEFUL = "real.table.subgroup_gap", "useful.table.train_synthetic_test_real"
MEMBERS, ODD = "private.table.membership_auc", "private.table.odd_rows"


def people(count, seed, *, noise=3.0):
    """Rows in which pay follows from age and job, and staying from pay."""
    random = np.random.default_rng(seed)
    age = random.integers(18, 70, count)
    job = random.choice(["nurse", "baker", "clerk", "pilot"], count, p=[0.4, 0.3, 0.2, 0.1])
    base = np.array([{"nurse": 10, "baker": 0, "clerk": 20, "pilot": 60}[each] for each in job])
    pay = np.round(base + 0.8 * age + random.normal(0, noise, count), 2)
    stays = np.where(random.random(count) < 1 / (1 + np.exp(-(pay - 50) / 8)), "yes", "no")
    city = random.choice(["Rome", "Oslo", "Bern", None], count)
    return pa.table({"age": age, "job": job, "pay": pay, "city": pa.array(city.tolist(), pa.string()), "stays": stays})


def shuffled(table, name, seed=0):
    order = np.random.default_rng(seed).permutation(table.num_rows)
    return table.set_column(table.column_names.index(name), name, table.column(name).take(order))


def witness(made, train, holdout, seed=0):
    return Witness(**{
        name: () if table is None else Rows(table)
        for name, table in (("made", made), ("train", train), ("holdout", holdout))
    }, seed=seed)  # fmt: skip


def found(made, train, holdout, seed=0):
    return {each.key: each for each in measure(witness(made, train, holdout, seed))}


TRAIN, HELD, FRESH = people(1500, 0), people(1200, 1), people(1200, 2)


@pytest.fixture(scope="module")
def fresh():
    return found(FRESH, TRAIN, HELD)


@pytest.fixture(scope="module")
def broken():
    """Pay no longer follows from anything."""
    return found(shuffled(FRESH, "pay"), TRAIN, HELD)


@pytest.fixture(scope="module")
def copied():
    return found(TRAIN.take(np.random.default_rng(3).integers(0, len(TRAIN), 1200)), TRAIN, HELD)


def test_every_number_is_announced_and_can_be_had(fresh):
    assert set(fresh) == {each.key for each in MEASURES}


def test_rows_that_are_as_good_as_real_raise_no_alarm(fresh):
    assert fresh[CRITIC].value == pytest.approx(fresh[CRITIC].ceiling, abs=0.06)
    assert "no column gives them away" in fresh[CRITIC].says
    assert fresh[SHAPES].value < 1.6 * fresh[SHAPES].ceiling
    assert fresh[PAIRS].value < 1.6 * fresh[PAIRS].ceiling
    assert "none is clearly served worse" in fresh[GROUPS].says
    assert fresh[USEFUL].value == pytest.approx(fresh[USEFUL].ceiling, abs=0.03)
    assert fresh[CLOSEST].interval[0] < 0.5 < fresh[CLOSEST].interval[1]
    assert "no more than chance" in fresh[MEMBERS].says
    assert fresh[COPIES].value == 0
    assert fresh[ODD].value == 0


def test_a_broken_association_is_found_and_its_column_named(broken):
    assert broken[CRITIC].interval[0] > broken[CRITIC].ceiling + 0.2
    assert '"pay"' in broken[CRITIC].says
    assert "mend first" in broken[CRITIC].says
    assert '"pay"' in broken[PAIRS].says
    assert broken[PAIRS].value > 3 * broken[PAIRS].ceiling
    assert broken[SHAPES].value < 1.6 * broken[SHAPES].ceiling  # each column for itself is as before
    assert broken[USEFUL].value < broken[USEFUL].ceiling - 0.03  # who stays follows from pay, and age tells pay
    assert b"R\xc2\xb2" in broken[USEFUL].exhibits[0].data


def test_a_shifted_column_is_named_first(fresh):
    older = FRESH.set_column(0, "age", pa.array(np.minimum(FRESH.column("age").to_numpy() + 9, 69)))
    numbers = found(older, TRAIN, HELD)
    assert 'most in "age"' in numbers[SHAPES].says
    assert numbers[SHAPES].value > 1.5 * fresh[SHAPES].value


def test_a_group_that_is_served_worse_is_named():
    job, pay = np.array(FRESH.column("job").to_pylist()), FRESH.column("pay").to_numpy().copy()
    pay[job == "pilot"] = np.random.default_rng(5).permutation(pay[job == "pilot"]) * 0.5
    numbers = found(FRESH.set_column(2, "pay", pa.array(pay)), TRAIN, HELD)
    assert "job = pilot are served worst" in numbers[GROUPS].says
    assert numbers[GROUPS].value > numbers[GROUPS].ceiling + 0.1


def test_rows_that_are_handed_back_are_copies_and_tell_who_was_a_member(copied):
    assert copied[COPIES].value == 1
    assert copied[COPIES].ceiling == 0
    assert copied[COPIES].exhibits[0].media_type == "text/plain"
    assert copied[CLOSEST].interval[0] > 0.8
    assert copied[NEAR].value > 0.95 > copied[NEAR].ceiling
    assert copied[MEMBERS].interval[0] > 0.7
    assert "share rows, not the model" in copied[MEMBERS].says


def test_rows_that_are_nearly_handed_back_are_found_too():
    random = np.random.default_rng(3)
    near = TRAIN.take(random.integers(0, len(TRAIN), 1200))
    near = near.set_column(2, "pay", pa.array(near.column("pay").to_numpy() + random.normal(0, 0.05, 1200)))
    numbers = {each.key: each for each in closeness(look(witness(near, TRAIN, HELD)), 0)}
    assert numbers[COPIES].value < 0.2
    assert numbers[CLOSEST].interval[0] > 0.6
    assert numbers[MEMBERS].interval[0] > 0.6


def odd_ones(count=20):
    """Rows with nothing near: pilots of 18 who earn nothing, bakers of 69 who earn a fortune, ..."""
    random = np.random.default_rng(9)
    rows = people(count, 10)
    pay = np.where(rows.column("age").to_numpy() > 40, 0.0, 200.0) + random.integers(0, 99, count) / 100
    return rows.set_column(2, "pay", pa.array(pay))


def planted(table):
    return pa.concat_tables([table, *[odd_ones()] * 50])


@pytest.mark.parametrize("held_too", [False, True], ids=["in training alone", "before rows were held out"])
def test_odd_rows_that_stand_many_times_and_come_out_again_are_named(held_too):
    every = planted(people(4000, 11))
    order = np.random.default_rng(0).permutation(every.num_rows)
    held = every.take(order[:500]) if held_too else people(500, 12)
    train = every.take(order[500:]) if held_too else every
    made = pa.concat_tables([people(3000, 13), odd_ones(), odd_ones()])
    (number,) = odd.odd_rows(look(witness(made, train, held)), 0)
    assert number.value >= 18
    assert number.ceiling == pytest.approx(20 if held_too else 0, abs=2)
    assert "come out again" in number.says
    assert number.exhibits


def test_odd_rows_that_do_not_come_out_again_are_no_alarm():
    (number,) = odd.odd_rows(look(witness(people(3000, 13), planted(people(4000, 11)), people(500, 12))), 0)
    assert number.value == 0
    assert not number.says


def test_rows_that_are_common_because_there_are_few_values_are_not_odd():
    def few(count, seed):
        random = np.random.default_rng(seed)
        return pa.table(
            {f"c{n}": random.choice(list("abcdef"), count, p=[0.5, 0.2, 0.1, 0.1, 0.06, 0.04]) for n in range(5)}
        )

    (number,) = odd.odd_rows(look(witness(few(6000, 1), few(6000, 2), few(2000, 3))), 0)
    assert number.value == 0


def test_pictures_are_well_formed_and_show_both(broken):
    drawn = [each for number in broken.values() for each in number.exhibits if each.media_type == "image/svg+xml"]
    assert len(drawn) >= 6
    for each in drawn:
        minidom.parseString(each.data)
        assert b"currentColor" in each.data
        assert each.caption
    assert any(b"held-out rows" in each.data and b"made rows" in each.data for each in drawn)


def test_names_of_columns_may_be_anything():
    names = ["a\x00b\n", "$x_1$", "<i>", 'a "quoted" & long name of a column that does not end for a while', "π"]
    numbers = measure(witness(*(table.rename_columns(names) for table in (shuffled(FRESH, "pay"), TRAIN, HELD))))
    for number in numbers:
        assert number.says.isprintable()
        for each in number.exhibits:
            if each.media_type == "image/svg+xml":
                minidom.parseString(each.data)


def sorts(count, seed):
    """One column of each sort that Arrow has, with holes."""
    random = np.random.default_rng(seed)
    number = random.integers(0, 500, count)
    hole = random.random(count) < 0.2

    def mixed(kind, unit=1):
        return pa.array(number * unit, mask=hole).cast(kind)

    return pa.table({
        "int": pa.array(number, mask=hole),
        "nan": np.where(hole, np.nan, np.where(number == 3, np.inf, number / 7)),
        "decimal": pa.array(number).cast(pa.decimal128(21, 2)),
        "bool": pa.array(number % 3 == 0, mask=hole),
        "text": pa.array([f"w{each}" for each in number // 2]),
        "dictionary": pa.array([f"d{each % 3}" for each in number]).dictionary_encode(),
        "date": mixed(pa.int32()).cast(pa.date32()),
        "moment": pa.array(number * 10**9).cast(pa.timestamp("us", "UTC")),
        "duration": pa.array(number).cast(pa.duration("s")),
        "spelt": pa.array([str(each) if each % 9 else "many" for each in number % 60]),
        "key": pa.array([f"K-{seed}-{place:06d}" for place in range(count)]),
        "constant": pa.array(["c"] * count),
        "empty": pa.nulls(count, pa.float64()),
        "list": pa.array([[1, 2]] * count),
    })  # fmt: skip


def test_columns_of_every_sort_are_seen_and_those_that_say_nothing_are_not():
    seen = look(witness(sorts(300, 1), sorts(400, 2), sorts(300, 3)))
    assert set(seen.names) >= {"int", "nan", "decimal", "bool", "dictionary", "date", "moment", "duration"}
    assert not set(seen.names) & {"key", "constant", "empty", "list"}
    assert measure(witness(sorts(300, 1), sorts(400, 2), sorts(300, 3)))


@pytest.mark.parametrize("made", [0, 1, 2, 40])
@pytest.mark.parametrize("train", [0, 1, 2, 40])
@pytest.mark.parametrize("held", [0, 1, 2, 40])
def test_few_rows_give_fewer_numbers_and_no_error(made, train, held):
    numbers = measure(witness(*(sorts(count, 1 + count) if count else None for count in (made, train, held))))
    assert all(np.isfinite(each.value) for each in numbers)
    assert (len(numbers) == 0) >= (made == 0 or train + held == 0)


def test_without_held_out_rows_halves_of_the_real_ones_stand_in():
    numbers = found(shuffled(FRESH, "pay"), TRAIN, None)
    assert numbers[CRITIC].value > 0.8
    assert "stand for held-out ones" in numbers[CRITIC].says
    assert CLOSEST not in numbers
    assert COPIES in numbers


def test_without_training_rows_nothing_is_said_of_copies():
    numbers = found(FRESH, None, HELD)
    assert CRITIC in numbers
    assert not [key for key in numbers if key.startswith(("new.", "private."))]


def test_columns_that_only_one_of_the_tables_has_are_left_out():
    made = FRESH.drop_columns(["city"]).append_column("extra", pa.array(np.arange(len(FRESH))))
    assert look(witness(made, TRAIN, HELD)).names == ["age", "job", "pay", "stays"]


def test_a_critic_is_not_helped_by_how_rare_levels_are_counted():
    def rare(count, seed):
        drawn = np.random.default_rng(seed).zipf(1.3, count) % 5000
        return pa.table(
            {"word": [f"w{each}" for each in drawn], "x": np.random.default_rng(seed + 1).normal(size=count)}
        )

    areas = []
    for seed in range(6):
        seen = look(witness(rare(900, 50 * seed), rare(4000, 50 * seed + 10), rare(400, 50 * seed + 20)))
        rows = sides.sides(seen, seed)
        areas.append(judge(rows.train, rows.held, np.array([bool(each.levels) for each in seen.columns]), seed).auc)
    assert np.mean(areas) == pytest.approx(0.5, abs=0.04)


def test_more_rows_than_are_looked_at_give_the_same_numbers_each_time(monkeypatch):
    monkeypatch.setattr(sight, "MOST", {"made": 300, "train": 300, "held": 300})
    monkeypatch.setattr(critic, "TREES", 20)
    first, second = (measure(witness(FRESH, TRAIN, HELD, seed=4)) for _ in range(2))
    assert first == second
    assert "300 of each" in first[0].says


def test_an_area_counts_ties_half():
    assert auc(np.array([3.0, 1.0, 2.0, 2.0]), np.array([True, False, True, False])) == 7 / 8


def test_a_distance_of_columns_is_known_by_hand():
    assert distance(np.array([0, 0, 1, np.nan]), np.array([0, 1, 1, 1]), 2) == pytest.approx(0.5)
    assert distance(np.array([1.0, 2.0, np.nan, np.nan]), np.array([1.0, 2.0, 3.0, 4.0]), 0) == pytest.approx(0.5)


def test_associations_are_signed_and_blind_to_chance():
    random = np.random.default_rng(0)
    x = random.normal(size=3000)
    level = random.integers(0, 40, 3000).astype(float)
    rows = np.stack([x, -(x**3), level, (level + 1) % 40, random.integers(0, 40, 3000)], axis=1)
    found = associations(rows, np.array([0, 0, 40, 40, 40]))
    assert found[0, 1] == pytest.approx(-1)
    assert found[2, 3] == pytest.approx(1, abs=0.01)
    assert max(found[0, 2], found[2, 4]) < 0.1
    assert (found == found.T).all()


def test_the_nearest_rows_are_exact_and_equal_rows_have_equal_hashes():
    seen = look(witness(FRESH, TRAIN, HELD))
    points = fit_mixed(seen.columns, seen.train)(seen.train[:400])
    apart, place = nearest(points[:50], points, 3)
    whole = np.sqrt(((points[:50, None].astype(float) - points[None]) ** 2).sum(axis=2))
    assert apart == pytest.approx(np.sort(whole, axis=1)[:, :3], abs=1e-6)
    assert (place[:, 0] == np.arange(50)).all()
    twice = np.concatenate([seen.exact["train"], seen.exact["train"]])
    assert len(np.unique(same(twice))) == len(np.unique(np.nan_to_num(twice, nan=-1.0), axis=0))
