"""Rules of real tables: those that are known to hold, no others, and none where columns are shuffled."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from made import codec_of

from ilk.kinds.table.convert import typed
from ilk.kinds.table.frame import as_table
from ilk.kinds.table.rule_find import find

KNOWN = {
    "adult-train.csv.gz": {"x4 -> x3", "x3 -> x4"},
    "abalone.csv": set(),
    "diamonds.csv.gz": set(),
    "german.csv": set(),
    "mammography.csv": set(),
    "mpg.csv": set(),
    "penguins.csv": set(),
    "phoneme.csv": set(),
    "taxis.csv": {
        "pickup_zone -> pickup_borough",
        "dropoff_zone -> dropoff_borough",
        "total = fare + tip + tolls + ...",
        "dropoff >= pickup",
    },
    "titanic.csv": {"pclass", "survived", "adult_male", "embark_town"},
}
NAMELESS = ("adult-train.csv.gz", "abalone.csv", "german.csv", "mammography.csv", "phoneme.csv")


def spelt(path):
    """A table with the numbers, dates and levels that its cells spell."""
    codec, examples = codec_of(path, header=path.name not in NAMELESS)
    table = as_table([example.object for example in examples])
    return pa.table({field.name: typed(field, table.column(field.name)) for field in codec.facts.source})


@pytest.mark.shared
@pytest.mark.parametrize("name", KNOWN)
def test_real_tables_obey_what_is_known_and_shuffled_ones_nothing(shared, name):
    table = spelt(shared / "tables" / name)
    found = find(table)
    if name.startswith("titanic"):
        assert {rule.takes for rule in found if rule.takes} == KNOWN[name]
    elif name.startswith("adult"):
        assert len(found) == 1
        assert {rule.written for rule in found} <= KNOWN[name]
    else:
        assert {rule.written for rule in found} == KNOWN[name]
    for seed in range(3):
        random = np.random.default_rng(seed)
        columns = {each: table.column(each).take(random.permutation(len(table))) for each in table.column_names}
        assert [rule.written for rule in find(pa.table(columns)) if len(rule.columns) > 1] == []
