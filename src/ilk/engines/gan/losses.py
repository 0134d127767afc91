"""The adversarial losses: two functions each, of scores alone.

Scores are the critic's logits, ``real_B`` for real pictures and ``made_B`` for made ones. Which of them
wins was measured (``README.md``); which one runs is decided in ``settings.py``.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def hinge_critic(real_B: Tensor, made_B: Tensor) -> Tensor:
    """``mean max(0, 1 - D(x)) + mean max(0, 1 + D(G(z)))`` (Lim & Ye, "Geometric GAN", 2017)."""
    return functional.relu(1.0 - real_B).mean() + functional.relu(1.0 + made_B).mean()


def hinge_generator(made_B: Tensor) -> Tensor:
    """``-mean D(G(z))``."""
    return -made_B.mean()


def logistic_critic(real_B: Tensor, made_B: Tensor) -> Tensor:
    """``mean log(1 + exp(-D(x))) + mean log(1 + exp(D(G(z))))`` (Goodfellow et al., 2014)."""
    return functional.softplus(-real_B).mean() + functional.softplus(made_B).mean()


def logistic_generator(made_B: Tensor) -> Tensor:
    """The non-saturating form ``mean log(1 + exp(-D(G(z))))``."""
    return functional.softplus(-made_B).mean()


CRITIC = {"hinge": hinge_critic, "logistic": logistic_critic}
GENERATOR = {"hinge": hinge_generator, "logistic": logistic_generator}
