"""Which material examples are: by the kind that recognises them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ilk.core.errors import Code, InputError
from ilk.core.protocol import Kind
from ilk.core.registry import get_kind, recognise
from ilk.tasks.augment.material import Material

KINDS = ("table", "image")


def kind_of(source: Any, kind: str, options: Mapping[str, Any]) -> Kind:
    """The kind of examples, where these can be augmented.

    Raises:
        InputError: no kind recognises them, or one whose examples cannot be augmented yet.
    """
    found = recognise(source, options) if kind == "auto" else get_kind(kind)
    if found.name not in KINDS:
        sentence = f"Examples of kind {found.name} cannot be augmented yet; these can: {', '.join(KINDS)}."
        raise InputError(Code.SOURCE_UNKNOWN, sentence)
    return found


def material_of(X: Any, kind: str, options: Mapping[str, Any]) -> Material:
    """The material that examples in memory are.

    Args:
        X: a data frame, an array.
        kind: ``"auto"`` or its name.
        options: the kind's own.

    Raises:
        InputError: they cannot be augmented yet.
    """
    if kind == "auto" and getattr(X, "ndim", 0) == 2:  # of objects and strings too, which no kind would recognise
        kind = "table"
    if kind_of(X, kind, options).name == "table":
        from ilk.tasks.augment.tables import Tables

        return Tables(X, options)
    from ilk.tasks.augment.pictures import Pictures

    return Pictures(X, options)
