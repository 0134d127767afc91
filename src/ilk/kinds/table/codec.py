"""Tables <-> Columns: what each column holds as numbers, and back in the types that it came in.

The codec knows the fields of the table and the rules that its rows obey (``rule_book.py``); they are one JSON file in a
model folder. How they were found is told in ``choose.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import pyarrow as pa

from ilk.core.config import Record, read_json, to_json
from ilk.core.errors import Code, FolderError, UnreadableError
from ilk.core.protocol import Array, Arrays, Condition, Example, Given
from ilk.core.rows import ROW
from ilk.core.sequences import Guide
from ilk.core.spaces import Column, Columns
from ilk.kinds.table import ask, complete
from ilk.kinds.table.containers import filled
from ilk.kinds.table.convert import arrow_type, as_it_came, decoded, encoded, typed
from ilk.kinds.table.frame import TEXT, Rows, as_table
from ilk.kinds.table.letters import Wary
from ilk.kinds.table.options import Options, SampleOptions
from ilk.kinds.table.rule_book import Rule
from ilk.kinds.table.tell import described, left_out
from ilk.kinds.table.types import Field

FILE = "codec.json"
TOGETHER = 65_536
ALL = 10**9


class Facts(Record, frozen=True, kw_only=True):
    """What the codec knows: ``codec.json``.

    Attributes:
        source: the columns as they came, in order.
        fields: of the table that is left when strings are what they spell and rules have taken what others tell.
        rules: in the order in which they take.
        container: what came: ``pandas``, ``polars``, ``pyarrow``, ``text`` of a CSV, or nothing for other files.
        dtypes: the container's own types of the columns.
        rows: how many were looked at.
        out_of: how many the source has, where some of them were left out.
        share: whether the model's file is to be given away.
    """

    source: tuple[Field, ...]
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...] = ()
    container: str = ""
    dtypes: tuple[str, ...] = ()
    rows: Annotated[int, msgspec.Meta(ge=0)] = 0
    out_of: Annotated[int, msgspec.Meta(ge=0)] = 0
    share: bool = False


class TableCodec:
    """Objects are rows (:class:`ilk.kinds.table.frame.Row`).

    Attributes:
        facts: what was learnt from the data.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @property
    def rows(self) -> int:
        """Training rows."""
        return self.facts.rows

    @property
    def space(self) -> Columns:
        """What the engine learns: a column for each field that it can, two where words stand among numbers."""
        columns: list[Column] = []
        for field in self.facts.fields:
            if not field.width:
                continue
            levels = len(field.levels) if field.type in ("category", "boolean") else 0
            missing = field.missing or bool(field.words)
            columns.append(
                Column(
                    name=field.name, categories=levels, precision=None if levels else field.decimals, missing=missing
                )
            )
            if field.words:
                name = f"{field.name} (words)"
                columns.append(Column(name=name, categories=1 + len(field.words), missing=field.missing))
        return Columns(columns=tuple(columns))

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """What ``--given`` takes: a level of a category, a number, date or time and ranges of them."""
        return ask.conditions(self.facts)

    def encode(self, examples: Sequence[Example]) -> Arrays:
        """``x`` (N, F) float64; what the rules can tell is left out."""
        return {"x": self.numbers(as_table([example.object for example in examples]))}

    def numbers(self, table: pa.Table) -> Array:
        """(N, F) float64.

        Raises:
            UnreadableError: a column is missing, or a cell is nothing that its column holds.
        """
        table = self._with_columns(table)
        table = pa.table({field.name: typed(field, table.column(field.name)) for field in self.facts.source})
        for rule in self.facts.rules:
            table = rule.encode(table)
        parts = [part for field in self.facts.fields for part in encoded(field, table.column(field.name))]
        return np.stack(parts, axis=1) if parts else np.zeros((table.num_rows, 0))

    def to_space(self, arrays: Arrays) -> Arrays:
        """Stored as they are learned."""
        return arrays

    def decode(self, arrays: Arrays) -> Rows:
        """Rows of a table with the columns, order and types that came."""
        table = self.table(arrays)
        loose = self.facts.container == TEXT
        made = [as_it_came(field, table.column(field.name), loose=loose) for field in self.facts.source]
        fields = zip(self.facts.source, made, strict=True)
        schema = pa.schema(
            [
                pa.field(field.name, column.type, nullable=field.nullable or column.null_count > 0)
                for field, column in fields
            ]
        )
        return Rows(pa.Table.from_arrays(made, schema=schema))

    def table(self, arrays: Arrays) -> pa.Table:
        """All columns, as what strings spell."""
        x_NF = np.asarray(arrays["x"])
        number_N = np.asarray(arrays.get(ROW, np.arange(len(x_NF))))
        columns: dict[str, pa.Array] = {}
        at = 0
        for field in self.facts.fields:
            columns[field.name] = decoded(field, [x_NF[:, at + place] for place in range(field.width)], number_N)
            at += field.width
        table = pa.table(columns)
        for rule in reversed(self.facts.rules):
            table = rule.decode(table, number_N)
        return table

    def encode_given(self, given: Mapping[str, Any], n: int) -> Given:
        """Bounds and levels for ``n`` rows.

        Raises:
            InputError: a value that is none of the column.
        """
        return ask.encode_given(self.facts, self._places, given, n)

    @property
    def _places(self) -> dict[str, int]:
        return {column.name: place for place, column in enumerate(self.space.columns)}

    def refused(self, arrays: Arrays, given: Given) -> Mapping[str, Array]:
        """Rows that break a rule which is only checked, or what is asked of a column that a rule changes."""
        if not given.beyond and not ask.checks(self.facts):
            return {}
        return ask.refused(self.facts, self.table(arrays), given)

    def every(self, options: Options) -> Options:
        """Options that leave no row out."""
        return msgspec.structs.replace(options, rows=ALL)

    def encode_holes(self, examples: Sequence[Example]) -> Given:
        """What is known of rows with holes; see :mod:`ilk.kinds.table.complete`.

        Raises:
            UnreadableError: a column is missing, or a cell is nothing that its column holds.
        """
        return complete.encode_holes(self, self._with_columns(as_table([example.object for example in examples])))

    def completed(
        self, arrays: Arrays, examples: Sequence[Example], *, usual: bool = False
    ) -> tuple[Rows, Mapping[str, Array]]:
        """Rows with their holes filled, and which of them break what; ``usual``: numbers are in their ranges, too."""
        table = self._with_columns(as_table([example.object for example in examples]))
        whole, broken = complete.completed(self, dict(arrays), table, usual=usual)
        return Rows(whole.replace_schema_metadata(table.schema.metadata)), broken

    def _with_columns(self, table: pa.Table) -> pa.Table:
        """The columns of the source, in its order."""
        for field in self.facts.source:
            if field.name not in table.column_names:
                raise UnreadableError(Code.UNREADABLE, f'it has no column "{field.name}"')
        return table.select([field.name for field in self.facts.source])

    def broken(self, objects: Sequence[Any]) -> Mapping[str, Array]:
        """Rows that break a rule, whether it is held by construction or only checked."""
        table = self._with_columns(as_table(objects))
        typed_table = pa.table({field.name: typed(field, table.column(field.name)) for field in self.facts.source})
        return {rule.written: rule.broken(typed_table) for rule in self.facts.rules}

    def describe(self) -> Sequence[tuple[str, str]]:
        """What each column was taken for, and the rules."""
        return described(self.facts)

    def left_out(self) -> Mapping[str, str]:
        """Columns of long texts."""
        return left_out(self.facts)

    def guide(self, options: SampleOptions, given: Mapping[str, Any]) -> Guide | None:  # noqa: ARG002
        """What marks rows whose formulas are to be escaped; see :class:`ilk.core.sequences.Guiding`."""
        return Wary() if options.formulas else None

    def units(self, objects: Sequence[Any]) -> tuple[str, Array]:
        """Likelihoods are of rows."""
        return "row", np.ones(len(objects), dtype=np.int64)

    def wholes(self, examples: Iterable[Example]) -> Iterator[Any]:
        """Each row is a whole."""
        return (example.object for example in examples)

    @property
    def together(self) -> int:
        """Rows that are made at once."""
        return TOGETHER

    def contain(self, objects: Sequence[Any]) -> Any:
        """Rows in the container that the data came in: a data frame with the same dtypes, an Arrow table."""
        if self.facts.container in ("", TEXT):
            return objects
        return filled(as_table(objects), self.facts.container, self.facts.dtypes)

    def save(self, folder: Path) -> None:
        """Write ``codec.json``."""
        (folder / FILE).write_bytes(to_json(self.facts))


def load_codec(folder: Path) -> TableCodec:
    """Read what ``save`` wrote; a stranger's file is checked.

    Raises:
        FolderError: it is missing or damaged.
    """
    facts = read_json(folder / FILE, Facts)
    try:
        names = [field.name for field in facts.source if arrow_type(field.arrow) is not None]
        sound = len(set(names)) == len(names) and all(arrow_type(field.arrow) is not None for field in facts.fields)
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise FolderError(Code.FOLDER_DAMAGED, f"{folder / FILE} names a type that there is not.")
    return TableCodec(facts)
