"""Bad input of tables: one clear sentence, or the table is read all the same."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ilk.core.errors import Code, InputError
from kinds.table.made import again, codec_of, csv, read, some, types

ROWS = "".join(f"{value},{value % 3}\n" for value in some(80, 40))


def refused(source, **options):
    with pytest.raises(InputError) as caught:
        codec_of(source, **options)
    return caught.value


def written(folder, text, name="t.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_an_empty_file_is_said_to_be_empty(tmp_path):
    error = refused(written(tmp_path, ""))
    assert (error.code, error.sentence) == (Code.TOO_FEW, "t.csv is empty.")


@pytest.mark.parametrize(("rows", "count"), [("", 0), ("1,2\n", 1)])
def test_no_row_and_one_row_are_too_few(tmp_path, rows, count):
    error = refused(written(tmp_path, f"a,b\n{rows}"))
    assert error.code == Code.TOO_FEW
    assert f"{count} rows" in error.sentence


def test_one_column_is_a_table(tmp_path):
    _, rows = again(written(tmp_path, "a\n" + "".join(f"{value}\n" for value in some())))
    assert [row["a"] for row in rows] == some().tolist()


def test_a_table_without_variety_is_refused(tmp_path):
    error = refused(written(tmp_path, "a,b\n" + "1,x\n" * 60))
    assert error.code == Code.NO_VARIETY
    assert "the same in each row" in error.sentence


def test_a_million_rows_of_one_integer_are_refused_in_a_sentence():
    assert refused(pd.DataFrame({"a": np.zeros(1_000_000, int)})).code == Code.NO_VARIETY


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("a,a", 't.csv has 2 columns called "a"; give each a name of its own.'),
        ("a, a ", 't.csv has 2 columns called "a"'),
        ("4,4", "or say --header false, where the first line holds no names."),
        ("a,", "t.csv has no name for column 2 of 2"),
        (",b", "t.csv has no name for column 1 of 2; give it one (pandas writes its index like this"),
    ],
)
def test_names_that_are_missing_or_come_twice_are_named(tmp_path, header, words):
    assert words in refused(written(tmp_path, f"{header}\n{ROWS}")).sentence


def test_names_of_a_frame_that_come_twice_are_named():
    frame = pd.DataFrame(np.ones((60, 2)), columns=["a", "a"])
    assert '2 columns called "a"' in refused(frame).sentence


def test_a_file_without_names_is_read_when_it_is_said(tmp_path):
    _, rows = again(written(tmp_path, ROWS), header=False)
    assert rows.table.column_names == ["x0", "x1"]
    assert len(rows) == 80


def test_a_column_of_nothing_stays_a_column_of_nothing(tmp_path):
    codec, rows = again(csv(tmp_path, some(), [""] * 60))
    assert types(codec)["b"] == "empty"
    assert {row["b"] for row in rows} == {None}


def test_what_is_no_number_is_missing_and_infinity_is_too():
    frame = pd.DataFrame({"a": [np.nan, np.inf, -np.inf, 1.5] * 20, "b": some(80)})
    codec, rows = again(frame)
    assert [row["a"] for row in rows][:4] == [None, None, None, 1.5]
    assert codec.contain(rows)["a"].dtype == frame["a"].dtype
    assert np.isfinite([field.high for field in codec.facts.fields]).all()


def test_two_thousand_columns_are_a_table():
    frame = pd.DataFrame(np.random.default_rng(0).random((30, 2_000)).round(2), columns=[f"c{j}" for j in range(2_000)])
    codec, rows = again(frame)
    assert len(codec.space.columns) == 2_000
    pd.testing.assert_frame_equal(codec.contain(rows), frame)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([object()] * 60, "holds object"),
        ([1, "x"] * 30, "holds int and str"),
        ([[1, 2]] * 60, "holds list"),
        ([{"q": 1}] * 60, "holds struct"),
        (np.ones(60) * 1j, "holds complex128"),
        (pd.period_range("2020", periods=60, freq="M"), "period"),
        (pd.interval_range(0, 60), "interval"),
        (pd.arrays.SparseArray([0, 1] * 30), "Sparse"),
        ([b"x", b"y"] * 30, "binary"),
    ],
)
def test_a_column_of_objects_is_named(values, words):
    error = refused(pd.DataFrame({"fine": some(), "odd": values}))
    assert error.code == Code.SOURCE_UNKNOWN
    assert 'The column "odd" holds' in error.sentence
    assert words in error.sentence


def test_objects_in_polars_and_in_records_are_named():
    assert "Python objects" in refused(pl.DataFrame({"odd": pl.Series([object()] * 60, dtype=pl.Object)})).sentence
    assert 'The column "odd" holds int and str' in refused([{"odd": value} for value in [1, "x"] * 30]).sentence


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_an_encoding_is_found(tmp_path, encoding):
    names = ["Müller", "Jäger", "Köhler", "Schröder", "Weiß"]
    path = csv(tmp_path, [names[value] for value in some(300)], some(300), names=["näme", "größe"], encoding=encoding)
    _, rows = again(path)
    assert rows.table.column_names == ["näme", "größe"]
    assert {row["näme"] for row in rows} == set(names)


def test_two_encodings_in_one_file_are_said_with_what_to_do(tmp_path):
    part = "Müller,3\nJäger,4\n" * 100
    path = written(tmp_path, ("name,b\n" + part).encode() + part.encode("latin-1"))
    assert "name its encoding by --encoding" in refused(path).sentence
    assert "UTF-8" in refused(path, encoding="utf-8").sentence
    assert {"Müller", "Jäger"} <= {example.object["name"] for example in read(path, encoding="cp1252")[0]}


def test_binary_bytes_are_no_table(tmp_path):
    error = refused(written(tmp_path, bytes(range(256)) * 50))
    assert error.code == Code.UNREADABLE
    assert "--encoding" in error.sentence


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.csv.gz"])
def test_a_damaged_file_is_named(tmp_path, name):
    error = refused(written(tmp_path, b"ARROW1, but no more", name))
    assert error.code == Code.UNREADABLE
    assert error.sentence.startswith(f"{name} cannot be read")


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_a_delimiter_is_found(tmp_path, sign):
    _, rows = again(
        csv(tmp_path, ["x", "y, z", "w"] * 20, some(), sign=sign) if sign != "," else csv(tmp_path, some(), some())
    )
    assert rows.table.column_names == ["a", "b"]


def test_a_wrong_delimiter_is_said_with_the_right_one(tmp_path):
    error = refused(csv(tmp_path, some(), some(), sign=";"), delimiter=",")
    assert error.code == Code.OPTION
    assert error.sentence == 't.csv has one column where "," cuts it; ";" would give more.'


def test_a_decimal_comma_is_found_and_can_be_said(tmp_path):
    path = csv(tmp_path, ["1,5", "1.234,25", "3"] * 20, ["x", "y", "z"] * 20, sign=";")
    for options in ({}, {"decimal": ","}):
        _, rows = again(path, **options)
        assert [row["a"] for row in rows][:3] == [1.5, 1234.25, 3.0]


def test_lines_with_other_cells_are_problems_and_the_rest_is_read(tmp_path):
    examples, problems = read(written(tmp_path, f"a,b\n{ROWS}5,6,7\n{ROWS}8\n"))
    assert len(examples) == 160
    assert [problem.reason for problem in problems] == [
        "it has 3 cells, and not 2",
        "it has 1 cells, and not 2",
    ]
    assert problems[0].name == "t.csv: 5,6,7"


def test_records_of_two_sorts_are_said(tmp_path):
    lines = "".join(json.dumps({"a": int(value) if value % 2 else "x"}) + "\n" for value in some())
    assert refused(written(tmp_path, lines, "t.jsonl")).code == Code.UNREADABLE


def test_files_of_other_columns_are_said(tmp_path):
    paths = [csv(tmp_path, some(), some()), csv(tmp_path, some(), some(), names="ac", name="u.csv")]
    assert "u.csv has other columns than t.csv" in refused(paths).sentence


def test_a_level_that_was_never_seen_gets_a_suggestion():
    codec, _ = codec_of(pd.DataFrame({"job": ["nurse", "baker", "teacher"] * 20, "b": some()}))
    with pytest.raises(InputError) as caught:
        codec.encode_given({"job": "nurze"}, 2)
    assert caught.value.code == Code.GIVEN
    assert 'did you mean "nurse"' in caught.value.sentence


def test_cells_that_look_like_formulas_are_levels_like_any_other(tmp_path):
    _, rows = again(csv(tmp_path, ["=1+1", "@x", "+a"] * 20, some()))
    assert [row["a"] for row in rows][:3] == ["=1+1", "@x", "+a"]
