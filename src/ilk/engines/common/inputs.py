"""What an engine is built for: the Space that it learns, and the classes among the conditions. Knows no network."""

from __future__ import annotations

from collections.abc import Mapping

from ilk.core.errors import Code, InputError
from ilk.core.protocol import Condition, Levels
from ilk.core.spaces import Grid, Space


def as_grid(space: Space, engine: str) -> Grid:
    """The Space as a Grid, for an engine that learns nothing else.

    Raises:
        InputError: it is another Space.
    """
    if isinstance(space, Grid):
        return space
    sentence = f"The {engine} engine learns grids such as pictures, not {type(space).__name__}."
    raise InputError(Code.OPTION, sentence)


def count_classes(conditions: Mapping[str, Condition]) -> int:
    """Levels of the first condition that has some, which is what ``label`` numbers; 0 without one."""
    return next((len(c.names) for c in conditions.values() if isinstance(c, Levels)), 0)
