"""The density: Gaussians in principal components, white noise outside of them. No data, no learning.

For a row x of D numbers, orthonormal directions W (R, D) and z = W (x - mean),

    p(x) = sum_g share_g N(z; mean_g, L_g L_g^T) * N(what W leaves out; 0, noise I)

which is a mixture of probabilistic principal component analysers with a common subspace (Tipping & Bishop,
"Mixtures of Probabilistic Principal Component Analyzers", 1999). Each Gaussian belongs to one class: those of
class c are the places ``c * per_class`` and following, and the class's share is the sum of theirs.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

MOST_FACTORS = 2**23  # numbers of all covariances together (32 MB); Gaussians that want more share one


class Density(nn.Module):
    """The parameters, all float32, and the logarithm of the density.

    Attributes:
        mean_D: mean of all rows.
        basis_RD: orthonormal directions; rows of zeros where the data has fewer than R worth modelling.
        means_GR: the Gaussians' means in these directions.
        factors_QRR: Cholesky factors of their covariances; Q is G, or 1 where all share one.
        shares_G: their weights; sum 1.
        noise_1: variance in each direction outside of the basis.
    """

    mean_D: Tensor
    basis_RD: Tensor
    means_GR: Tensor
    factors_QRR: Tensor
    shares_G: Tensor
    noise_1: Tensor

    def __init__(self, values: int, directions: int, classes: int, per_class: int) -> None:
        super().__init__()
        self.per_class = per_class
        count = classes * per_class
        own = count if count * directions**2 <= MOST_FACTORS else 1
        self.register_buffer("mean_D", torch.zeros(values))
        self.register_buffer("basis_RD", torch.zeros(directions, values))
        self.register_buffer("means_GR", torch.zeros(count, directions))
        self.register_buffer("factors_QRR", torch.zeros(own, directions, directions))
        self.register_buffer("shares_G", torch.full((count,), 1.0 / count))
        self.register_buffer("noise_1", torch.ones(1))

    @property
    def rank(self) -> int:
        """How many directions are modelled: the first ones of the basis."""
        return int((self.basis_RD != 0).any(dim=1).sum())

    def gaussians(self, label: int) -> slice:
        """The places of a class's Gaussians; of all where ``label`` is negative."""
        return slice(None) if label < 0 else slice(label * self.per_class, (label + 1) * self.per_class)

    def factor(self, place: int) -> Tensor:
        """The Cholesky factor (R, R) of one Gaussian's covariance."""
        return self.factors_QRR[place if len(self.factors_QRR) > 1 else 0]

    def project(self, x_ND: Tensor) -> Tensor:
        """``z_NR`` in the precision of ``x_ND``."""
        return (x_ND - self.mean_D.to(x_ND.dtype)) @ self.basis_RD.to(x_ND.dtype).T

    def joint(self, z_NR: Tensor, where: slice, near_NG: Tensor | None = None) -> Tensor:
        """``log(share_g N(z; mean_g, L_g L_g^T))``, (N, Gaussians at ``where``); -inf where a share is 0.

        Args:
            z_NR: projected rows.
            where: the Gaussians.
            near_NG: which of them to look at for each row (see :meth:`nearest`); the others are -inf too.
        """
        rank, kind = self.rank, z_NR.dtype
        z_NR = z_NR[:, :rank]
        places = range(len(self.shares_G))[where]
        joint_NG = torch.full((len(z_NR), len(places)), -math.inf, dtype=kind, device=z_NR.device)
        for column, place in enumerate(places):
            if not self.shares_G[place] > 0:
                continue
            rows = slice(None) if near_NG is None else near_NG[:, column].nonzero()[:, 0]
            # One triangular system in float64 a Gaussian; its inverse then meets all rows in their precision.
            factor_RR = self.factor(place)[:rank, :rank].double()
            inverse_RR = torch.linalg.solve_triangular(factor_RR, torch.eye(rank).to(factor_RR), upper=False)
            centre_R = (inverse_RR @ self.means_GR[place, :rank].double()).to(kind)
            far_N = (z_NR[rows] @ inverse_RR.T.to(kind) - centre_R).square().sum(dim=1)
            height = self.shares_G[place].double().log() - factor_RR.diagonal().log().sum()
            joint_NG[rows, column] = height.to(kind) - 0.5 * (rank * math.log(2 * math.pi) + far_N)
        return joint_NG

    def nearest(self, z_NR: Tensor, where: slice, count: int) -> Tensor | None:
        """(N, Gaussians) the ``count`` likeliest if all had their mean covariance; None where there are no more.

        One product for all Gaussians instead of one each, to tell which are worth a look.
        """
        rank, places = self.rank, range(len(self.shares_G))[where]
        if len(places) <= count:
            return None
        factors_QRR = self.factors_QRR[:, :rank, :rank]
        mean_RR = sum((factor @ factor.T).double() for factor in factors_QRR) / len(factors_QRR)
        whiten_RR = torch.linalg.inv(torch.linalg.cholesky(mean_RR)).T.float()
        y_NR, centre_GR = z_NR[:, :rank] @ whiten_RR, self.means_GR[where, :rank] @ whiten_RR
        logdet_Q = factors_QRR.diagonal(dim1=1, dim2=2).log().sum(dim=1)
        height_G = self.shares_G[where].log() - (logdet_Q[where] if len(logdet_Q) > 1 else logdet_Q)
        score_NG = height_G + y_NR @ centre_GR.T - 0.5 * centre_GR.square().sum(dim=1)
        chosen = score_NG.topk(count, dim=1).indices
        return torch.zeros_like(score_NG, dtype=torch.bool).scatter_(1, chosen, value=True)

    def left_out(self, x_ND: Tensor, z_NR: Tensor) -> Tensor:
        """``log N(what W leaves out; 0, noise I)``, (N,)."""
        outside = x_ND.shape[1] - self.rank
        if outside == 0:
            return torch.zeros(len(x_ND), dtype=x_ND.dtype, device=x_ND.device)
        # What is left is taken as a row, not as a difference of squared lengths, which would cancel.
        rest_ND = x_ND - self.mean_D.to(x_ND.dtype) - z_NR @ self.basis_RD.to(x_ND.dtype)
        noise = self.noise_1.to(x_ND.dtype)
        return -0.5 * (rest_ND.square().sum(dim=1) / noise + outside * torch.log(2 * math.pi * noise))
