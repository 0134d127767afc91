"""What can be set about the trees, and the defaults that win. This file imports neither numpy nor scikit-learn.

The runs behind the defaults are in ``docs/log.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from ilk.core.config import Record
from ilk.core.errors import Code, InputError
from ilk.core.plan import Plan
from ilk.core.protocol import Condition
from ilk.core.spaces import Columns, Space

if TYPE_CHECKING:
    from ilk.engines.columns.engine import ColumnsEngine


class SampleSettings(Record, frozen=True):
    """What can be set about drawing samples."""

    particles: Annotated[
        int, Meta(ge=2, le=4096, description="candidates a row, where a condition is too rare to wait for")
    ] = 64
    rare: Annotated[
        float, Meta(ge=0, le=1, description="share of rows that meet a condition, below which candidates are weighed")
    ] = 0.01


class Trees(Record, frozen=True):
    """Settings of the sequential trees: each column is drawn from what the ones before it say."""

    Sample: ClassVar[type[SampleSettings]] = SampleSettings
    KEEPS: ClassVar[str] = (
        "whole. Single values of the training columns are: the leaves of the trees hold them, and whoever has this "
        "folder can tell with some certainty who was in the data. Share rows, not the model."
    )

    trees: Annotated[int, Meta(ge=1, le=1000, description="trees a column, where the budget is in minutes")] = 10
    leaf: Annotated[int, Meta(ge=1, le=10**6, description="fewest rows of a leaf")] = 10
    share: Annotated[float, Meta(gt=0, le=1, description="share of the columns that a split looks at")] = 0.5
    least: Annotated[int, Meta(ge=1, le=4096, description="columns that a split looks at, where there are few")] = 6
    columns: Annotated[int, Meta(ge=1, le=4096, description="most columns that a column is drawn from")] = 64
    rows: Annotated[int, Meta(ge=10, le=10**9, description="most rows that a tree is grown on")] = 100_000
    ridge: Annotated[
        float, Meta(gt=0, description="how strongly the linear prediction, one more column, is held back")
    ] = 1.0
    frequent: Annotated[
        int, Meta(ge=1, le=10**9, description="a number that comes so often is drawn as it is, never beside it")
    ] = 8

    @property
    def name(self) -> str:
        """The engine's name."""
        return "columns"

    def build(self, space: Space, conditions: Mapping[str, Condition], plan: Plan) -> ColumnsEngine:  # noqa: ARG002
        """The engine for Columns.

        Raises:
            InputError: another Space.
        """
        if not isinstance(space, Columns):
            sentence = f"The {self.name} engine learns tables, not {type(space).__name__}."
            raise InputError(Code.OPTION, sentence)
        from ilk.engines.columns.engine import ColumnsEngine

        return ColumnsEngine(self, space, plan)


def default_settings(rows: int, *, share: bool = False) -> Trees:
    """The settings that win for so many rows; larger leaves for a model file that is to be given away."""
    leaf = 5 if rows < 500 else 10 if rows < 10_000 else 20
    return Trees(leaf=50 if share else leaf, trees=10 if rows <= 200_000 else 5)
