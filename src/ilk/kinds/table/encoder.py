"""What the numbers of a report on tables rest on: as ``features.py``, and rated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ilk.core.plan import Plan
from ilk.core.protocol import Example
from ilk.kinds.table.features import MOST_ROWS, TableFeatures, fitted

MOST_RATED = 2_000


class TableEncoder(TableFeatures):
    """Features that a report's numbers rest on."""

    about: str = ""


def fit_encoder(examples: Sequence[Example], holdout: Sequence[Example], plan: Plan) -> TableEncoder:
    """Directions of at most 20,000 rows, spread over the examples; rated by what they keep of rows held out.

    Raises:
        InputError: there is no example.
    """
    step = max(1, len(examples) // MOST_ROWS)
    encoder = TableEncoder(*fitted([example.object for example in examples[::step][:MOST_ROWS]], plan.seed))
    encoder.about = _about(encoder, [example.object for example in holdout[:MOST_RATED]])
    return encoder


def _about(encoder: TableFeatures, held: Sequence[object]) -> str:
    """Which encoder, how good it is on held-out rows, and what its numbers cannot be compared with."""
    what = (
        f"Ranks of numbers, levels weighed by how rare they are, and what is missing, of {len(encoder.fields)} columns "
        f"in {len(encoder.directions)} directions of the training rows"
    )
    cannot = "Its numbers compare with no other table's"
    if len(held) < 2:
        return f"{what}; too few rows are held out to rate it. {cannot}."
    kept = encoder(held)
    from ilk.kinds.table.features import _seen
    from ilk.kinds.table.frame import as_table

    seen = (_seen(encoder.fields, as_table(held), encoder.knots) - encoder.mean) * encoder.scale
    share = float(np.square(kept - kept.mean(axis=0)).sum() / max(1e-9, np.square(seen - seen.mean(axis=0)).sum()))
    return f"{what}; they keep {share:.0%} of how {len(held):,} held-out rows differ. {cannot}."
