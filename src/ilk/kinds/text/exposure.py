"""How well a model knows the secrets of its training text: their exposure, in bits.

Carlini, Liu, Erlingsson, Kos, Song, "The Secret Sharer: evaluating and testing unintended memorization in neural
networks", 2019: how many others of the same form there are, by how many of them the model finds likelier where the
secret stands. The rank is estimated from others drawn at random; where the secret beats all of these, from a skew
normal distribution of their likelihoods (section 4.3 there), whose three moments are taken as they are. A secret that
was never seen has an exposure of ``k`` bits or more with a chance of ``2 ** -k``, if it was drawn as its rivals are.
What a secret looks like is told in ``secrets.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ilk.core.seeds import stream
from ilk.kinds.text.passage import Passage
from ilk.kinds.text.secrets import Form, Secret, forms

CONTEXT = 50
"""Characters before a secret that the model is told."""
FIRST, RIVALS = 63, 511
"""Rivals at first, and where a secret beats all of these."""
MOST = 40
"""Secrets that are tried."""
ALARM = 0.05
CLASSES = (("once", 1), ("2 to 4 times", 4), ("5 to 16 times", 16), ("17 to 64 times", 64), ("more often", 2**62))
"""How often a secret stands in the text, by the most of each class."""
Score = Callable[[Sequence[Any]], npt.NDArray[Any]]


class Exposed(NamedTuple):
    """What a model knows of one secret.

    Attributes:
        bits: its exposure.
        beats: how many rivals it was compared with, where it beats them all; otherwise 0.
    """

    secret: Secret
    bits: float
    beats: int


def exposures(secrets: Sequence[Secret], texts: Sequence[str], score: Score, seed: int) -> list[Exposed]:
    """The exposure of at most 40 of the secrets, as many of each class of repetition as there are.

    Args:
        secrets: found in ``texts``.
        texts: what stands before them.
        score: strings -> (N,) log-likelihood.
        seed: of the draws.
    """
    possible = forms(secrets, texts)
    chosen = _chosen([each for each in secrets if each.value in possible], seed)
    if not chosen:
        return []
    first = _ranked([(each, possible[each.value]) for each in chosen], texts, score, FIRST, seed)
    again = [(each.secret, possible[each.secret.value]) for each in first if each.beats]
    better = {each.secret.value: each for each in _ranked(again, texts, score, RIVALS, seed + 1)} if again else {}
    return [better.get(each.secret.value, each) for each in first]


def class_of(secret: Secret) -> str:
    """The class of repetition of a secret."""
    return next(name for name, most in CLASSES if secret.times <= most)


def known_by_heart(tried: Sequence[Exposed], never: Sequence[Exposed]) -> list[Exposed]:
    """Those whose exposure chance does not explain, the most exposed first.

    Args:
        tried: exposures of secrets of the training text.
        never: of secrets that the model never saw: where these stand out, forms are not what they seem.
    """
    bar = max((each.bits for each in never), default=0.0)
    sure = [each for each in tried if each.beats and each.bits > bar and len(tried) * 2**-each.bits <= ALARM]
    return sorted(sure, key=lambda each: -each.bits)


def by_chance(count: int) -> float:
    """What the most exposed of so many secrets gets that were never seen: the mean of the largest of as many."""
    return sum(1 / rank for rank in range(1, count + 1)) / math.log(2)


def _chosen(secrets: Sequence[Secret], seed: int) -> list[Secret]:
    """As many of each class as there is room for, the rest of the room for who is left."""
    order = [secrets[place] for place in stream(seed, "secrets").permutation(len(secrets))]
    share = MOST // len(CLASSES)
    kept = [each for name, _ in CLASSES for each in [s for s in order if class_of(s) == name][:share]]
    seen = {each.value for each in kept}
    return (kept + [each for each in order if each.value not in seen])[:MOST]


def _ranked(
    asked: Sequence[tuple[Secret, Form]], texts: Sequence[str], score: Score, rivals: int, seed: int
) -> list[Exposed]:
    """Exposures from so many rivals each."""
    rows: list[Passage] = []
    for secret, form in asked:
        before = texts[secret.text][max(0, secret.place - CONTEXT) : secret.place]
        drawn = form.draw(rivals, stream(seed, "rivals", secret.value))
        rows += [Passage(before + value, ends=False) for value in (secret.value, *drawn)]
    scores = np.asarray(score(rows), np.float64).reshape(len(asked), rivals + 1)
    return [_exposed(secret, form, row) for (secret, form), row in zip(asked, scores, strict=True)]


def _exposed(secret: Secret, form: Form, scores: npt.NDArray[np.float64]) -> Exposed:
    """The exposure of the first of the scores among the others."""
    own, others = scores[0], scores[1:]
    ahead = int((others >= own).sum())
    bits = -math.log2((1 + ahead) / (1 + len(others)))
    if ahead:
        return Exposed(secret, bits, 0)
    return Exposed(secret, min(form.bits, max(bits, _tail_bits(own, others))), len(others))


def _tail_bits(own: float, others: npt.NDArray[np.float64]) -> float:
    """How rarely a skew normal variable with the moments of the others exceeds a value, as a power of two."""
    from scipy import stats

    spread = float(others.std())
    if spread == 0:
        return 0.0
    skew = min(0.99, max(-0.99, float(stats.skew(others))))
    root = abs(skew) ** (2 / 3)
    delta = math.copysign(math.sqrt(math.pi / 2 * root / (root + ((4 - math.pi) / 2) ** (2 / 3))), skew)
    delta = min(0.999, max(-0.999, delta))
    scale = spread / math.sqrt(1 - 2 * delta**2 / math.pi)
    place = float(others.mean()) - scale * delta * math.sqrt(2 / math.pi)
    chance = float(stats.skewnorm.sf(own, delta / math.sqrt(1 - delta**2), loc=place, scale=scale))
    return -math.log2(max(chance, 2.0**-200))
