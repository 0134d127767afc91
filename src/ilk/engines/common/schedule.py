"""Learning-rate schedules as functions of progress, 0 to 1; they know no optimiser and no clock."""

from __future__ import annotations

import math


def cosine(progress: float, floor: float = 0.1) -> float:
    """From 1 down to ``floor`` along half a cosine (Loshchilov & Hutter, SGDR, 2017)."""
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, max(0.0, progress))))
