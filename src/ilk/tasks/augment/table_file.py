"""A table out of a file, its label a column of it; written as one file, the made rows below those that came."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ilk.core.errors import Code, InputError, suggest
from ilk.core.folder import disk_error
from ilk.core.home import ilk_home, write_atomic, write_through
from ilk.core.protocol import Array, Example
from ilk.generator.output import find_format
from ilk.kinds.table import kind
from ilk.kinds.table.frame import Rows, as_table
from ilk.seal.sidecar import SUFFIX as SIDECAR
from ilk.seal.sidecar import make as make_sidecar
from ilk.seal.trust import signing_identity
from ilk.tasks.augment.files import Written
from ilk.tasks.augment.labels import Label, read_label, refuse_quantity
from ilk.tasks.augment.marks import with_mark
from ilk.tasks.augment.material import Made
from ilk.tasks.augment.seals import claim_of
from ilk.tasks.augment.tables import Tables

NOTED = ("parquet", "arrow")  # formats whose note is of the whole file; of the others it would be of each row


class TableFile:
    """Rows of files.

    Args:
        examples: the rows.
        source: as the user calls it.
        label: the name of the label's column.
        mark: the name of a column that says which rows were made; None for none.
        options: the kind's.

    Raises:
        InputError: there is no such column, or it is no label.
    """

    def __init__(
        self, examples: Sequence[Example], source: Any, label: str | None, mark: str | None, options: Any
    ) -> None:
        self._table = as_table([example.object for example in examples]).replace_schema_metadata(None)
        names, shown = self._table.column_names, Path(str(source)).name
        if label is None:
            sentence = f"Say which column of {shown} is the label, by --label NAME; it has {', '.join(names[:20])}."
            raise InputError(Code.OPTION, sentence)
        if label not in names:
            raise InputError(Code.OPTION, f'{shown} has no column "{label}"; {suggest(label, names)}.')
        if mark is not None and mark in names:
            raise InputError(Code.OPTION, f'{shown} has a column "{mark}" already; mark the made rows by another name.')
        if len(names) == 1:
            raise InputError(Code.NO_VARIETY, f"{shown} has the label alone, and no column to foretell it by.")
        self._mark = mark
        self.label = _label(self._table.column(label), label)
        kept = {"column": options.column, "rule": options.rule}
        self.material = Tables(self._table.drop_columns([label]), {name: each for name, each in kept.items() if each})

    def check(self, path: Path) -> None:
        find_format(kind, path.suffix)
        if path.exists():
            raise InputError(Code.EXISTS, f"{path} exists and is not overwritten; choose another name.")

    def write(self, path: Path, made: Made | None, fingerprint: str, seed: int, *, sealed: bool) -> Written:
        """The rows as they came and the made ones below; without a seal where none was made."""
        form = find_format(kind, path.suffix)
        table = self._table if made is None else pa.concat_tables([self._table, self._with_label(made)])
        count = 0 if made is None else len(made.code_N)
        if self._mark is not None:
            table = with_mark(table, self._mark, np.arange(table.num_rows) >= self._table.num_rows)
        sealed = sealed and made is not None
        claim = claim_of(kind.name, fingerprint, seed)
        note = {"digitalSourceType": claim.source_type, "model": fingerprint} if form.suffix in NOTED and sealed else {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with write_through(path) as file:
                kind.write(Rows(_spelt_as_numbers(table)), file, form.suffix, note)
            if sealed:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                sidecar = make_sidecar(digest, claim, signing_identity(ilk_home()))
                write_atomic(path.with_name(path.name + SIDECAR), sidecar)
        except OSError as error:
            raise disk_error(error, path) from None
        return Written(str(path), table.num_rows, count, "sidecar" if sealed else "none")

    def _with_label(self, made: Made) -> pa.Table:
        """Made rows with all columns in their order."""
        field = self._table.schema.field(self.label.name)
        values = pa.array(self.label.levels[made.code_N].tolist()).cast(field.type)
        return made.X.append_column(field, values).select(self._table.column_names).cast(self._table.schema)


def _label(column: pa.ChunkedArray, name: str) -> Label:
    """The label of a column; strings that spell quantities are refused as these.

    Raises:
        InputError: it is no label.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    values = column.to_pylist()
    if all(isinstance(value, str) for value in values):
        refuse_quantity(np.unique(_spelt(values)), len(values), name)
    return read_label(np.array(values, dtype=object), name)


def _spelt_as_numbers(table: pa.Table) -> pa.Table:
    """Strings that are nothing but numbers as these, where they are spelt the same: a CSV then needs no quotes."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        columns[name] = column
        for kind_ in (pa.int64(), pa.float64()) if pa.types.is_string(column.type) else ():
            try:
                number = column.cast(kind_)
            except pa.ArrowInvalid:
                continue
            if number.cast(pa.string()).equals(column):
                columns[name] = number
                break
    return pa.table(columns)


def _spelt(values: Sequence[str]) -> Array:
    """Numbers that strings spell; the strings where one spells none."""
    try:
        return np.array([float(value) for value in values])
    except ValueError:
        return np.array(values)
