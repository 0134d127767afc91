"""Spaces: the shape of what an engine learns, without a word about what it means.

A codec turns objects of a kind into arrays of one Space; an engine learns a distribution
over a Space and knows no kind. The list is open: only engines switch on it, and a third
party may add its own Space beside its own engine.
"""

from __future__ import annotations

import msgspec


class Space(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="space"):
    """Base of all spaces: a frozen record that goes to JSON with its class name as ``space``."""


class Grid(Space, frozen=True, tag="grid"):
    """Arrays ``x_NCHW`` of float32 in [-1, 1]: pictures, spectrograms."""

    channels: int
    height: int
    width: int


class Tokens(Space, frozen=True, tag="tokens"):
    """Sequences: ``x_NL`` of integers below ``vocabulary``, padded, and ``length`` (N,), how many of a row count.

    A row holds no ``start``: an engine puts it before what it learns or makes. ``end`` closes a sequence; a row
    without it is a part that goes on, in the row whose ``piece`` (N,) is one more, where the data have pieces. The
    two may be one token. At most ``length`` of a row count.
    """

    vocabulary: int
    length: int
    start: int
    end: int


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One column: ``categories`` levels, or numeric with ``precision`` decimals when it is 0."""

    name: str
    categories: int = 0
    precision: int | None = None
    missing: bool = False


class Columns(Space, frozen=True, tag="columns"):
    """Arrays ``x_NF`` of float64, one column a feature; categories are their index, missing is NaN."""

    columns: tuple[Column, ...]


class Vector(Space, frozen=True, tag="vector"):
    """Arrays ``x_NF`` of float32 of ``size`` numbers without further structure."""

    size: int
