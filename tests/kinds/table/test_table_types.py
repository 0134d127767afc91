"""What a column holds is found out, can be overridden, and comes back as it went in."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ilk.core.errors import Code, InputError
from ilk.kinds.table import kind
from kinds.table.made import again, codec_of, csv, holed, some, types

COUNT = 120
RANDOM = np.random.default_rng(3)
STRINGS = RANDOM.choice(["a", "", "c"], COUNT).tolist()


def pandas_frame():
    days = [dt.date(2020, 1, 1) + dt.timedelta(int(day)) for day in RANDOM.integers(0, 99, COUNT)]
    zoned = list(pd.date_range("2020", periods=COUNT, freq="7h", tz="Europe/Berlin"))
    return pd.DataFrame(
        {
            "int8": RANDOM.integers(-5, 99, COUNT).astype("int8"),
            "uint64": np.uint64(2**64 - 1) - RANDOM.integers(0, 9, COUNT).astype("uint64") * np.uint64(2**20),
            "Int64": pd.array(holed(RANDOM.integers(0, 99, COUNT).tolist()), dtype="Int64"),
            "float32": RANDOM.random(COUNT).astype("float32"),
            "float": np.where(RANDOM.random(COUNT) < 0.2, np.nan, np.round(RANDOM.normal(size=COUNT), 2)),
            "boolean": pd.array(holed((RANDOM.random(COUNT) < 0.5).tolist()), dtype="boolean"),
            "bool": RANDOM.random(COUNT) < 0.5,
            "string": pd.Series(holed(STRINGS), dtype="string"),
            "object": pd.Series(holed(STRINGS), dtype=object),
            "numbers in letters": pd.Series(RANDOM.integers(10, 99, COUNT).astype(str), dtype="string"),
            "unordered": pd.Categorical(RANDOM.choice(["z", "b"], COUNT), categories=["z", "unused", "b"]),
            "ordered": pd.Categorical(holed(RANDOM.choice(["lo", "hi"], COUNT)), ["lo", "mid", "hi"], ordered=True),
            "numbers as levels": pd.Categorical(RANDOM.choice([3, 1, 2], COUNT), categories=[3, 1, 2]),
            "zoned": pd.Series(holed(zoned), dtype="datetime64[ns, Europe/Berlin]"),
            "second": pd.date_range("2020", periods=COUNT, freq="D").astype("datetime64[s]"),
            "span": pd.to_timedelta(RANDOM.integers(0, 10**6, COUNT), unit="s"),
            "day": days,
            "arrow": pd.array(holed(RANDOM.integers(0, 9, COUNT).tolist()), dtype="int64[pyarrow]"),
            "clock": [dt.time(int(hour), 30) for hour in RANDOM.integers(0, 24, COUNT)],
            "constant": ["k"] * COUNT,
            "missing": [np.nan] * COUNT,
            "money": [decimal.Decimal(int(cents)) / 100 for cents in RANDOM.integers(0, 9999, COUNT)],
        }
    )


def test_a_pandas_frame_comes_back_with_its_dtypes_its_values_and_its_holes():
    frame = pandas_frame()
    codec, rows = again(frame)
    back = codec.contain(rows)
    exact = frame.columns.drop("uint64")
    pd.testing.assert_frame_equal(back[exact], frame[exact])
    assert back.dtypes.to_dict() == frame.dtypes.to_dict()
    assert back["unordered"].cat.categories.tolist() == ["z", "unused", "b"]


def test_names_that_are_numbers_stay_numbers_and_an_index_does_not_count():
    frame = pd.DataFrame(RANDOM.random((COUNT, 2)), index=range(900, 900 + COUNT))
    codec, rows = again(frame)
    pd.testing.assert_frame_equal(codec.contain(rows), frame.reset_index(drop=True), check_column_type=False)


def test_a_polars_frame_comes_back_with_its_schema():
    zoned = pl.datetime_range(dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 5, 23), "1h", eager=True, time_zone="UTC")
    frame = pl.DataFrame(
        {
            "small": pl.Series(some(COUNT), dtype=pl.Int16),
            "float": pl.Series(holed(RANDOM.random(COUNT).tolist()), dtype=pl.Float32),
            "no number": np.where(RANDOM.random(COUNT) < 0.2, np.nan, 1.5),
            "string": holed(STRINGS),
            "category": pl.Series(RANDOM.choice(["a", "b"], COUNT).tolist(), dtype=pl.Categorical),
            "enum": pl.Series(RANDOM.choice(["a", "b"], COUNT).tolist(), dtype=pl.Enum(["b", "unused", "a"])),
            "zoned": zoned,
            "clock": [dt.time(int(hour), 30) for hour in RANDOM.integers(0, 24, COUNT)],
            "span": [dt.timedelta(seconds=int(s)) for s in RANDOM.integers(0, 999, COUNT)],
            "money": pl.Series([decimal.Decimal(int(c)) / 100 for c in RANDOM.integers(0, 999, COUNT)]).cast(
                pl.Decimal(10, 2)
            ),
            "missing": [None] * COUNT,
        }
    )
    codec, rows = again(frame)
    back = codec.contain(rows)
    assert back.schema == frame.schema
    assert back.equals(frame, null_equal=True)


def test_an_arrow_table_comes_back_with_its_schema():
    table = pa.table(
        {
            "large": pa.array(holed(STRINGS), pa.large_string()),
            "view": pa.array(RANDOM.choice(["a", "b"], COUNT).tolist(), pa.string_view()),
            "day": pa.array(RANDOM.integers(0, 99, COUNT).astype("int32")).cast(pa.date32()),
            "clock": pa.array(RANDOM.integers(0, 86_399, COUNT).astype("int32")).cast(pa.time32("s")),
            "half": pa.array(RANDOM.random(COUNT).astype("float16")),
            "narrow": pa.array(RANDOM.choice(["a", "b"], COUNT).tolist()).cast(pa.dictionary(pa.int8(), pa.string())),
            "zoned": pa.array(RANDOM.integers(0, 10**9, COUNT), pa.timestamp("s", tz="+02:00")),
            "never missing": pa.array(some(COUNT)),
        }
    )
    fields = [field.with_nullable(field.name != "never missing") for field in table.schema]
    table = table.cast(pa.schema(fields))
    codec, rows = again(table)
    back = codec.contain(rows)
    assert back.schema.equals(table.schema)
    assert back.to_pylist() == table.to_pylist()


@pytest.mark.parametrize(
    ("cells", "type"),
    [
        (some(), "integer"),
        ([f"{value}.0" for value in some()], "integer"),
        (some() / 4, "decimal"),
        ([["True", "False"][value % 2] for value in some()], "boolean"),
        ([["yes", "no"][value % 2] for value in some()], "boolean"),
        ([f"level {value}" for value in some()], "category"),
        ([f"0{value}123" for value in some()], "category"),  # postcodes keep their zeros
        ([f"2020-02-{day + 1:02}" for day in some(of=28)], "date"),
        ([f"{month + 1}/{day + 1}/2020" for month, day in zip(some(of=12), some(of=28), strict=True)], "date"),
        ([f"2020-02-{day + 1:02}T10:00:00Z" for day in some(of=28)], "datetime"),
        ([f"2020-02-01 10:00:00+0{hour}:00" for hour in some(of=6)], "datetime"),
        ([f"{hour:02}:30" for hour in some(of=24)], "time"),
        ([f"{hour % 12 + 1}:30 PM" for hour in some(of=24)], "time"),
        ([f"{hour}:30:00" for hour in some(of=99)], "duration"),
        ([f"{day} days 01:02:03" for day in some(of=99)], "duration"),
        ([f"C-{place + 17}" for place in range(60)], "key"),
        ([f"p{place}@x.org" for place in range(60)], "key"),
        ([f"{value:032x}" for value in (2**120 + 2**100 * np.arange(1, 61, dtype=object) ** 3)], "key"),
        (
            [f"Anna {'x' * (place % 7)}{chr(97 + place % 26)} Smith{chr(97 + place // 26)}" for place in range(60)],
            "text",
        ),
        (["same"] * 60, "constant"),
        ([""] * 60, "empty"),
    ],
)
def test_what_the_cells_of_a_csv_spell_is_found_out_and_comes_back(tmp_path, cells, type):
    path = csv(tmp_path, cells, some(seed=9, of=50))
    codec, rows = again(path)
    assert types(codec)["a"] == type
    if type not in ("key", "text"):
        _, examples = codec_of(path)
        assert [kind.identify(row) for row in rows] == [kind.identify(each.object) for each in examples] or type in (
            "date",
            "datetime",
            "time",
        )
        assert np.array_equal(codec.encode(examples)["x"], codec.numbers(rows.table), equal_nan=True)


def test_ten_thousand_levels_are_a_category(tmp_path):
    codec, _ = again(csv(tmp_path, [f"L{value}" for value in some(40_000, 10_000)], some(40_000)))
    assert types(codec)["a"] == "category"
    assert codec.space.columns[0].categories > 9_000


def test_fresh_keys_have_the_form_of_the_old_ones_and_none_comes_twice(tmp_path):
    plates = [
        "".join(RANDOM.choice(list("ABCDEFGH"), 3)) + "".join(RANDOM.choice(list("0123456789"), 5)) for _ in "x" * 90
    ]
    for cells in ([f"C-{place:04}/x" for place in range(90)], sorted(set(plates)), list(range(500, 590))):
        path = csv(tmp_path, cells, some(len(cells), seed=4), names=["user_id", "b"])
        codec, rows = again(path)
        made = [str(row["user_id"]) for row in rows]
        assert types(codec)["user_id"] == "key"
        assert len(set(made)) == len(made)
        assert not set(made) & set(map(str, cells))
        assert {len(key) for key in made} == {len(str(cell)) for cell in cells}


def test_words_among_numbers_and_dates_are_levels_of_their_own(tmp_path):
    numbers = [*(f"{value / 2}" for value in some(200, 90)), "unknown", "see below"]
    days = [*(f"2020-03-{value + 1:02}" for value in some(200, 30)), "soon", ""]
    codec, rows = again(csv(tmp_path, numbers, days))
    assert types(codec) == {"a": "decimal", "b": "date"}
    assert [row["a"] for row in rows][-2:] == ["unknown", "see below"]
    assert [row["b"] for row in rows][-2:] == ["soon", None]
    assert [row["b"] for row in rows][:200] == days[:200]
    assert set(codec.conditions) == {"a", "b"}


def test_dates_in_three_formats_are_read_and_written_in_the_commonest(tmp_path):
    cells = [f"2020-04-{day:02}" for day in range(1, 30)]
    cells += [f"{day:02}.03.2020" for day in range(1, 25)] + [f"{day}/5/2020" for day in range(1, 20)]
    codec, rows = again(csv(tmp_path, cells, some(len(cells))))
    assert types(codec)["a"] == "date"
    assert [row["a"] for row in rows][28:31] == [dt.date(2020, 4, 29), dt.date(2020, 3, 1), dt.date(2020, 3, 2)]


def test_a_type_can_be_named(tmp_path):
    path = csv(tmp_path, [value % 2 for value in some()], np.arange(60), names=["flag", "id"])
    assert types(codec_of(path)[0]) == {"flag": "integer", "id": "key"}
    named = types(codec_of(path, column=("flag=boolean", "id=integer"))[0])
    assert named == {"flag": "boolean", "id": "integer"}
    assert types(codec_of(path, column=("flag=category", "id=text"))[0]) == {"flag": "category", "id": "text"}


def test_what_is_left_out_comes_back_as_missing_and_breaks_no_other_column():
    frame = pd.DataFrame(
        {"x": range(60), "flag": [True, False] * 30, "y": some(), "no": pd.Categorical([None] * 60, ["a"])}
    )
    codec, rows = again(frame, column=("x=text", "flag=text"))
    back = codec.contain(rows)
    assert back[["x", "flag"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(back[["y", "no"]], frame[["y", "no"]])


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("aeg=integer", 'There is no column "aeg"; did you mean "age"'),
        ("age=intger", 'There is no type "intger" of a column; did you mean "integer"'),
        ("age=date", 'The column "age" is no date: it holds category, such as'),
        ("age=boolean", 'The column "age" is no boolean: it has 5 different values'),
        ("share=integer", 'The column "share" is no integer: it holds decimal'),
    ],
)
def test_a_type_that_cannot_be_is_said(tmp_path, column, words):
    path = csv(tmp_path, some(), some() / 4, names=["age", "share"])
    with pytest.raises(InputError) as caught:
        codec_of(path, column=(column,))
    assert caught.value.code == Code.OPTION
    assert words in caught.value.sentence


def test_conditions_take_levels_numbers_dates_and_ranges_of_them():
    frame = pd.DataFrame(
        {
            "sex": RANDOM.choice(["f", "m", "x"], COUNT),
            "age": RANDOM.integers(18, 90, COUNT),
            "day": pd.date_range("2020-01-01", periods=COUNT, freq="D", tz="Europe/Berlin"),
        }
    )
    codec, _ = codec_of(frame)
    asked = codec.encode_given({"sex": ("f", "x"), "age": (30.0, 40.0), "day": ("2020-01-02", "2020-01-04")}, 3)
    assert asked.allowed["sex"].tolist() == [[True, False, True]] * 3
    assert (asked.low[0, 1], asked.high[0, 1]) == (30, 40)
    days = codec.numbers(codec_of(frame)[1][0].object.table)[:, 2]
    assert (asked.low[0, 2], asked.high[0, 2]) == (days[1], days[3])
    with pytest.raises(InputError, match=r'day takes a datetime such as 2020-01-01 00:00:00.*, not "soon"'):
        codec.encode_given({"day": "soon"}, 1)
    with pytest.raises(InputError, match="age cannot be from 40 to 30"):
        codec.encode_given({"age": (40, 30)}, 1)


COLUMNS = [
    (pa.int64(), st.integers(-(2**53), 2**53)),
    (pa.uint8(), st.integers(0, 255)),
    (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
    (pa.float32(), st.floats(allow_nan=False, allow_infinity=False, width=32)),
    (pa.string(), st.text("ab0-1.=é ", max_size=4)),
    (pa.string(), st.integers(-99, 99).map(str)),
    (pa.string(), st.dates(dt.date(1000, 1, 1)).map(str)),
    (pa.string(), st.integers(-9999, 9999).map(lambda cents: f"{cents / 100:.2f}") | st.sampled_from(["n/v", "-"])),
    (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["", "b", "a"])),
    (pa.bool_(), st.booleans()),
    (pa.date32(), st.dates(dt.date(1700, 1, 1), dt.date(2200, 1, 1))),
    (pa.timestamp("ms", "Europe/Berlin"), st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))),
    (pa.time64("us"), st.times()),
    (pa.duration("s"), st.timedeltas(dt.timedelta(-999), dt.timedelta(999))),
    (pa.decimal128(12, 3), st.decimals(-9999, 9999, places=3)),
]


def columns(count):
    """A column of any sort, some of its values missing."""

    def of(sort):
        kind, values = sort
        some_of = st.lists(values | st.none(), min_size=count, max_size=count)
        return some_of.map(lambda cells: pa.array(cells, kind, safe=False))

    return st.sampled_from(COLUMNS).flatmap(of)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([20, 60]).flatmap(lambda count: st.lists(columns(count), min_size=1, max_size=3)))
def test_any_table_comes_back_but_for_keys_and_texts(arrays):
    table = pa.table({f"c{place}": array for place, array in enumerate(arrays)})
    try:
        codec, rows = again(table)
    except InputError as error:
        assert error.code == Code.NO_VARIETY  # noqa: PT017
        return
    assert rows.table.schema.equals(table.schema)
    for name, type in types(codec).items():
        if type not in ("key", "text"):
            assert rows.table.column(name).to_pylist() == table.column(name).to_pylist(), (name, type)
