"""Tables are known by names and first bytes, read alike from every file, and the same in each that is written."""

from __future__ import annotations

import gzip
import io
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ilk.core.registry import recognise
from ilk.kinds.table import kind
from ilk.kinds.table.frame import Rows
from ilk.kinds.table.options import SampleOptions
from kinds.table.made import codec_of, csv, read, some

TABLE = {"a": [1, 2, 3], "b": ["x", "y", "z"]}


@pytest.mark.parametrize(
    "source",
    [
        pd.DataFrame(TABLE),
        pl.DataFrame(TABLE),
        pa.table(TABLE),
        np.ones((60, 3)),
        np.ones((60, 3), int),
        np.zeros(3, dtype=[("a", int), ("b", float)]),
        [{"a": 1}, {"a": 2}],
        "demo:adult",
        "demo:penguins",
    ],
)
def test_frames_arrays_records_and_demos_are_tables(source):
    assert recognise(source).name == "table"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("t.csv", "a,b\n1,2\n", "table"),
        ("t.tsv", "a\tb\n1\t2\n", "table"),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0), "table"),
        ("t.parquet", b"PAR1", "table"),
        ("t.feather", b"ARROW1", "table"),
        ("t.jsonl", '{"a": 1, "b": "x"}\n', "table"),
        ("t.jsonl", '{"text": "once upon a time"}\n', "text"),
        ("t.jsonl", '{"messages": []}\n', "text"),
        ("t.jsonl", '{"prompt": "a", "completion": "b"}\n', "text"),
        ("t.txt", "a,b\n1,2\n", "text"),
    ],
)
def test_files_are_known_by_their_names_and_first_bytes(tmp_path, name, text, expected):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert recognise(str(path)).name == expected


@pytest.mark.parametrize(
    "source",
    [np.zeros((9, 8, 8), "uint8"), ["hello there"], [{"messages": []}], [{"a": [1]}], np.zeros(3), "demo:x", 3],
)
def test_pictures_texts_and_the_rest_are_left_to_others(source):
    assert kind.recognise(source) == 0


def test_folders_lists_and_patterns_of_tables_are_read_in_order(tmp_path):
    for number in range(3):
        csv(tmp_path, some() + number * 10, some(), name=f"{number}.csv")
    for source in (tmp_path, str(tmp_path / "*.csv"), [tmp_path / f"{number}.csv" for number in range(3)]):
        assert recognise(source).name == "table"
        examples, _ = read(source)
        assert [int(example.object["a"]) // 10 for example in examples] == [0] * 60 + [1] * 60 + [2] * 60
    assert examples[61].name == "1.csv 0+:2"


def test_more_rows_than_wanted_are_picked_evenly_and_it_is_told_of_how_many(tmp_path):
    frame = pd.DataFrame({"a": np.arange(50_000), "b": some(50_000)})
    frame.to_csv(tmp_path / "t.csv", index=False)
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "t.parquet")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress((tmp_path / "t.csv").read_bytes()))
    for source in (frame, *(tmp_path / name for name in ("t.csv", "t.parquet", "t.csv.gz"))):
        codec, examples = codec_of(source, rows=1_000)
        assert [int(example.object["a"]) for example in examples] == list(range(0, 50_000, 50))
        assert (codec.facts.rows, codec.facts.out_of) == (1_000, 50_000)
        assert (
            sum(len(table) for table in {id(each.object.table): each.object.table for each in examples}.values())
            == 1_000
        )


def test_millions_of_rows_in_a_small_file_are_picked_from(tmp_path):
    pq.write_table(pa.table({"a": np.zeros(3_000_000, np.int8)}), tmp_path / "t.parquet")
    examples, _ = read(tmp_path / "t.parquet", rows=100)
    assert len(examples) == 100


def test_dates_of_records_come_back_as_they_were_spelt(tmp_path):
    rows = [{"day": f"2020-03-{value + 1:02}", "n": int(value), "code": str(value)} for value in some(of=28)]
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    codec, examples = codec_of(path)
    out = io.BytesIO()
    kind.write(codec.decode(codec.encode(examples)), out, "jsonl", {})
    assert [json.loads(line) for line in out.getvalue().splitlines()] == rows


@pytest.mark.parametrize("suffix", [form.suffix for form in kind.formats])
def test_a_row_is_the_same_in_every_file(tmp_path, suffix):
    spans = pd.to_timedelta(some(of=10**6) - 10_000, unit="s")
    frame = pd.DataFrame(
        {
            "narrow": np.random.default_rng(0).random(60).astype("float32"),
            "zoned": pd.date_range("2020", periods=60, freq="7h", tz="Europe/Berlin"),
            "span": spans,
            "clock": (pd.Timestamp("2020") + spans).time,
            "words": ["", "x,y", 'a "b"', "=1+1"] * 15,
            "hole": [None, "z", "z", "z"] * 15,
        }
    )
    rows = Rows(pa.Table.from_pandas(frame))
    path = tmp_path / f"t.{suffix}"
    with path.open("wb") as file:
        kind.write(list(rows), file, suffix, {"ilk": "made"} if suffix in ("parquet", "arrow") else {})
    again, _ = read(path)
    assert [kind.identify(example.object) for example in again] == [kind.identify(row) for row in rows]


def test_formulas_are_escaped_in_a_csv_when_it_is_asked_for(tmp_path):
    codec, examples = codec_of(csv(tmp_path, ["=1+1", "-x", "plain"] * 20, some() - 2))
    rows = codec.decode(codec.encode(examples))
    guide = codec.guide(SampleOptions(formulas=True), {})
    assert codec.guide(SampleOptions(), {}) is None

    def first(objects, form):
        out = io.BytesIO()
        kind.write(objects, out, form, {})
        return out.getvalue().decode().splitlines()[1:4]

    bare = first(rows, "csv")
    wary = first([guide.finish(row) for row in rows], "csv")
    assert bare[0].startswith('"=1+1",')
    assert wary == [bare[0].replace('"=', "\"'="), bare[1].replace('"-x', "\"'-x"), bare[2]]
    assert first([guide.finish(row) for row in rows], "jsonl") == first(rows, "jsonl")
