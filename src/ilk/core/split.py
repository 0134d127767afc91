"""Which examples are kept from learning, to judge by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ilk.core.protocol import Array
from ilk.core.seeds import stream


def split(examples: Sequence[tuple[str, dict[str, Any]]], share: float, seed: int) -> tuple[Array, Array]:
    """Rows for training and for the holdout: by group, evenly over the given values.

    Args:
        examples: (group, given) of each example; an empty group is the example's own.
        share: of the holdout.
        seed: of the draw.

    Returns:
        Two sorted arrays of rows.
    """
    groups: dict[str, list[int]] = {}
    strata: dict[str, list[list[int]]] = defaultdict(list)
    for row, (group, given) in enumerate(examples):
        if group in groups:
            groups[group].append(row)
            continue
        rows = [row]
        if group:
            groups[group] = rows
        stratum = repr(sorted((k, v) for k, v in given.items() if isinstance(v, str)) if given else [])
        strata[stratum].append(rows)
    held: list[int] = []
    for stratum, units in sorted(strata.items()):
        order = stream(seed, "holdout", stratum).permutation(len(units))
        for place in order[: int(len(units) * share)]:
            held.extend(units[place])
    out = np.array(sorted(held), dtype=np.int64)
    mask = np.ones(len(examples), dtype=bool)
    mask[out] = False
    return np.flatnonzero(mask).astype(np.int64), out
