"""The Space of throws: a Vector whose numbers are faces. Knows no file and no engine."""

from __future__ import annotations

from ilk.core.spaces import Vector


class Throws(Vector, frozen=True, tag="throws"):
    """Arrays ``x_NF`` of float32, ``size`` dice a throw, each a whole number from 1 to ``sides``."""

    sides: int
