"""What a user may choose about pictures. The help text of the command line is derived from here.

Which sizes exist, and why, is told in ``choose.py``; this file only knows how to refuse the others.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ilk.core.config import Record
from ilk.core.errors import Code, InputError

SIZES: tuple[int, ...] = tuple(
    sorted(base * 2**k for base in (4, 5, 6, 7) for k in range(8) if 8 <= base * 2**k <= 512)
)
"""The sides that a generator can make: it starts from 4 to 7 pixels and doubles."""

Fit = Literal["crop", "pad", "stretch"]
Color = Literal["auto", "grey", "rgb"]


class Options(Record, frozen=True, kw_only=True):
    """How pictures are read."""

    fit: Annotated[
        Fit,
        msgspec.Meta(description="how a picture becomes square: cut the middle out, add borders, or squeeze it"),
    ] = "crop"
    resolution: Annotated[
        int | None,
        msgspec.Meta(description="side of the pictures to make, in pixels; by default as the data and the time allow"),
    ] = None
    color: Annotated[
        Color,
        msgspec.Meta(description="make grey or coloured pictures; auto makes grey ones if all the data are grey"),
    ] = "auto"

    def __post_init__(self) -> None:
        side = self.resolution
        if side is not None and side not in SIZES:
            raise InputError(Code.OPTION, f"resolution {side} is not possible; {_nearest(side)} is")


class SampleOptions(Record, frozen=True, kw_only=True):
    """How pictures are written. Nothing to choose yet."""


def _nearest(side: int) -> str:
    """The possible sides around an impossible one, in words."""
    below = [size for size in SIZES if size < side]
    above = [size for size in SIZES if size > side]
    return " or ".join(str(size) for size in (*below[-1:], *above[:1]))
