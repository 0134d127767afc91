"""Learning-rate schedules as functions of progress, 0 to 1; they know no optimiser and no clock."""

from __future__ import annotations


def hold_then_fall(progress: float, hold: float = 0.5) -> float:
    """1 until ``hold`` of the budget is spent, then straight down to 0 at its end."""
    return 1.0 if progress <= hold else max(0.0, (1.0 - progress) / (1.0 - hold))
