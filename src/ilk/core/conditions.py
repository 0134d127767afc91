"""What a user asks for, held against the conditions that a model has: names, levels, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ilk.core.errors import Code, InputError, suggest
from ilk.core.protocol import Condition, Levels, Number


class Evenly(NamedTuple):
    """What a condition may be asked for beside a value: each of its levels as often as the others.

    Sample i gets level i modulo their number, so that it does not depend on how many are made.
    """

    levels: tuple[str, ...]


def check_balance(name: str, given: Mapping[str, Any], conditions: Mapping[str, Condition]) -> Evenly:
    """The levels of a condition that is to be balanced: all of them, or those that are asked for.

    Raises:
        InputError: there is no such condition, or it has no levels.
    """
    check_given({name: None} if name not in conditions else {}, conditions)
    condition = conditions[name]
    if not isinstance(condition, Levels):
        raise InputError(Code.GIVEN, f"{name} has no levels that could be balanced: it is a number.")
    wanted = given.get(name, condition.names)
    return Evenly(wanted if isinstance(wanted, tuple) else (wanted,))


def check_given(given: Mapping[str, Any], conditions: Mapping[str, Condition]) -> dict[str, Any]:
    """Conditions by name with values of the right type, from loose words such as those of a command line.

    Raises:
        InputError: an unknown name or level (with a suggestion), or a number that is none.
    """
    checked: dict[str, Any] = {}
    for name, value in given.items():
        condition = conditions.get(name)
        if condition is None:
            hint = suggest(name, conditions) if conditions else "the model was fitted without conditions"
            raise InputError(Code.GIVEN, f'There is no condition "{name}" in this model; {hint}.')
        checked[name] = _check_value(name, value, condition)
    return checked


def _check_value(name: str, value: Any, condition: Condition) -> Any:
    if isinstance(condition, Levels):
        if condition.several and str(value) not in condition.names and (isinstance(value, tuple) or "|" in str(value)):
            parts = value if isinstance(value, tuple) else str(value).split("|")
            return tuple(_check_value(name, part, msgspec.structs.replace(condition, several=False)) for part in parts)
        if str(value) not in condition.names:
            raise InputError(
                Code.GIVEN, f'"{value}" is no {name} of this model; {suggest(str(value), condition.names)}.'
            )
        return str(value)
    if isinstance(condition, Number):
        if condition.ranges and (isinstance(value, tuple | list) or ".." in str(value)):
            ends = tuple(value) if isinstance(value, tuple | list) else tuple(str(value).split("..", 1))
            if len(ends) != 2:
                raise InputError(Code.GIVEN, f'{name} takes a range such as 2..5, not "{value}".')
            return tuple(_check_value(name, end, msgspec.structs.replace(condition, ranges=False)) for end in ends)
        if condition.spelt[0]:
            return str(value)
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InputError(Code.GIVEN, f'{name} takes a number, not "{value}".') from None
        if not np.isfinite(number):
            raise InputError(Code.GIVEN, f'{name} takes a finite number, not "{value}".')
        return number
    return str(value)
