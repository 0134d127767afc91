"""What a user asks for, held against the conditions that a model has: names, levels, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ilk.core.errors import Code, InputError, suggest
from ilk.core.protocol import Condition, Levels, Number


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
        if str(value) not in condition.names:
            raise InputError(
                Code.GIVEN, f'"{value}" is no {name} of this model; {suggest(str(value), condition.names)}.'
            )
        return str(value)
    if isinstance(condition, Number):
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InputError(Code.GIVEN, f'{name} takes a number, not "{value}".') from None
        if not np.isfinite(number):
            raise InputError(Code.GIVEN, f'{name} takes a finite number, not "{value}".')
        return number
    return str(value)
