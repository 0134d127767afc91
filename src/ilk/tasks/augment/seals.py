"""What the seal of augmented data says: that real and made stand together, never that the real ones were made."""

from __future__ import annotations

import ilk
from ilk.seal.claim import COMPOSITE, Claim

MIXED = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"
"""Real examples beside such as are computed from them without a generator: SMOTE's."""


def claim_of(kind: str, fingerprint: str, seed: int, *, made: str = "") -> Claim:
    """The claim of a file in which real examples and made ones stand.

    Args:
        kind: of the examples.
        fingerprint: of the generator; empty where none made them.
        seed: of the draws.
        made: what is said instead, where made examples stand alone.
    """
    source_type = made or (COMPOSITE if fingerprint else MIXED)
    return Claim(ilk=ilk.__version__, kind=kind, model=fingerprint, seed=seed, source_type=source_type)
