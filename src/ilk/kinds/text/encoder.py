"""What the numbers of a report on text rest on: as ``features.py``, with rare words weighed more, and rated.

Knows wording and subject, no sense; says itself how good it is on texts that it was not fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ilk.core.plan import Plan
from ilk.core.protocol import Example
from ilk.kinds.text.features import MOST_KEPT, MOST_TEXTS, TextFeatures, fitted

MOST_RATED = 2_000


class TextEncoder(TextFeatures):
    """Features that a report's numbers rest on."""

    about: str = ""


def fit_encoder(examples: Sequence[Example], holdout: Sequence[Example], plan: Plan) -> TextEncoder:
    """Directions of at most 4,000 texts, spread over the examples; rated by matching halves of those held out.

    Raises:
        InputError: there is no example.
    """
    step = max(1, len(examples) // MOST_TEXTS)
    texts = [str(example.object) for example in examples[::step][:MOST_TEXTS]]
    encoder = TextEncoder(*fitted(texts, MOST_KEPT, plan.seed, rare=True))
    encoder.about = _about(encoder, [str(example.object) for example in holdout[:MOST_RATED]])
    return encoder


def _about(encoder: TextFeatures, held: Sequence[str]) -> str:
    """Which encoder, how good it is on held-out halves, and what its numbers cannot be compared with."""
    what = (
        f"Counts of words and of runs of letters, weighed by how rare they are, in {len(encoder.directions)} "
        "directions of the training texts"
    )
    cannot = "They tell wording and subject, not sense, and their numbers compare with no other model's encoder"
    if len(held) < 2:
        return f"{what}; too few texts are held out to rate them. {cannot}."
    first = encoder([text[: len(text) // 2] for text in held])
    second = encoder([text[len(text) // 2 :] for text in held])
    right = float(np.mean((first @ second.T).argmax(axis=1) == np.arange(len(held))))
    return (
        f"{what}; given the first half of a held-out passage they find its second half among {len(held):,} in "
        f"{right:.0%} of cases (by chance {1 / len(held):.1%}). {cannot}."
    )
