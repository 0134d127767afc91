"""Learning: principal components once, then rounds of expectation and maximisation, one a step.

    principal components   Halko, Martinsson & Tropp, "Finding Structure with Randomness", 2011
    rounds                 Dempster, Laird & Rubin, 1977; labelled rows are told which Gaussians are theirs
    small Gaussians        covariances lean on the one that all share, means on the mean of all (a conjugate prior)

Nothing is counted here; saving and stopping belong to ``ilk.core.run``. All ranks learn the same from the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ilk.core.plan import Budget
from ilk.core.protocol import Array, Data, Metrics
from ilk.core.seeds import stream
from ilk.engines.mixture.model import Density

if TYPE_CHECKING:
    from ilk.engines.mixture.engine import MixtureEngine

MOST_VALUES = 2**26  # numbers in memory at once (256 MB): 20,000 grey pictures of 57 px, 5,461 of 64 px in colour
FEWEST = 256  # examples, however large they are
OF_A_CLASS = 200  # examples of a small class that are never left out
PER_DIRECTION = 4  # examples for each direction that is modelled: with fewer, directions follow chance
PER_GAUSSIAN = 40  # and for each Gaussian
SPARE, POWERS = 16, 2  # of the randomised decomposition: directions beside those wanted, power iterations
LLOYD = 8  # rounds of k-means before the first of EM
FLOOR = 1e-5  # least variance: about that of rounding to 256 levels
NEAREST = 12  # Gaussians that a row is held against in a round; the others are too far to matter
FAINT = 1e-4  # responsibilities below do not move a covariance
TOWARDS_ALL = 1.0  # examples that the mean of all counts for in each Gaussian's mean


def learn(engine: MixtureEngine, data: Data, budget: Budget) -> Iterator[Metrics]:
    """One round of EM a step; yields ``surprise``, the mean of ``-log p(x) / D`` before the round.

    A budget in steps is used up, one in seconds only until ``rounds`` are done. The density is that of the
    Gaussians that a row is held against, and of the label too where it is known.
    """
    if budget.over or (budget.plan.steps is None and budget.step >= engine.settings.rounds):
        return
    density = engine.density
    rows, groups = _rows(engine, data)
    x_ND = _read(engine, data, rows)
    if budget.step == 0:
        _find_directions(engine, x_ND)
    z_NR = density.project(x_ND)[:, : density.rank].contiguous()
    outside = float(density.left_out(x_ND, density.project(x_ND)).mean())
    values = x_ND.shape[1]
    del x_ND
    if budget.step == 0:
        _begin(engine, z_NR, groups)
    while True:  # however little time there was, it was spent on the start of a first round
        inside = _round(engine, z_NR, groups)
        yield {"surprise": -(inside + outside) / values}
        if budget.over or (budget.plan.steps is None and budget.step >= engine.settings.rounds):
            return


Groups = list[tuple[int, Tensor]]
"""(label, places among the rows) of each class that has rows; label -1 for rows without one."""

Part = tuple[slice, Tensor, Tensor]
"""(Gaussians, places among the rows, (places, Gaussians) how far each row belongs to each)."""


def _rows(engine: MixtureEngine, data: Data) -> tuple[Array, Groups]:
    """Rows to look at, sorted, and who belongs to which class; also sets the classes' shares."""
    grid, settings = engine.grid, engine.settings
    fit = max(FEWEST, MOST_VALUES // (grid.channels * grid.height * grid.width))
    most = min(len(data), settings.examples, fit)
    order = stream(engine.plan.seed, "rows").permutation(len(data))
    if not engine.classes:
        return np.sort(order[:most]), [(-1, torch.arange(most, device=engine.device))]
    labels = np.asarray(data.column("label"), dtype=np.int64)
    known = np.bincount(labels[labels >= 0], minlength=engine.classes)
    engine.frequencies_K = known / known.sum() if known.sum() else np.full(engine.classes, 1 / engine.classes)
    # Small classes first and whole: a class of three must not be lost among 60,000.
    nth = np.empty(len(data), dtype=np.int64)
    by_class = order[np.argsort(labels[order], kind="stable")]
    starts = np.searchsorted(labels[by_class], labels[by_class])
    nth[by_class] = np.arange(len(data)) - starts
    rows = np.sort(order[np.argsort(nth[order] >= OF_A_CLASS, kind="stable")][:most])
    places = [(int(label), np.flatnonzero(labels[rows] == label)) for label in np.unique(labels[rows])]
    return rows, [(label, torch.from_numpy(place).to(engine.device)) for label, place in places]


def _read(engine: MixtureEngine, data: Data, rows: Array, chunk: int = 1024) -> Tensor:
    grid = engine.grid
    x_ND = torch.empty(len(rows), grid.channels * grid.height * grid.width, device=engine.device)
    for start in range(0, len(rows), chunk):
        part = np.asarray(data.take(rows[start : start + chunk])["x"], dtype=np.float32)
        x_ND[start : start + len(part)] = torch.from_numpy(part.reshape(len(part), -1)).to(engine.device)
    return x_ND


@torch.no_grad()
def _find_directions(engine: MixtureEngine, x_ND: Tensor) -> None:
    """Mean, principal components and the noise outside of them, by randomised subspace iteration."""
    density = engine.density
    count, values = x_ND.shape
    directions = len(density.basis_RD)
    density.mean_D.copy_(x_ND.mean(dim=0))
    x_ND = x_ND - density.mean_D
    width = min(values, directions + SPARE)
    start = stream(engine.plan.seed, "directions").standard_normal((values, width), dtype=np.float32)
    q_DW = torch.from_numpy(start).to(x_ND.device)
    for _ in range(1 + POWERS):
        q_DW = torch.linalg.qr(x_ND.T @ (x_ND @ q_DW))[0]
    y_NW = x_ND @ q_DW
    variance, vectors = torch.linalg.eigh((y_NW.T @ y_NW).double() / count)
    kept = min(directions, max(1, count // PER_DIRECTION))
    density.basis_RD.zero_()
    density.basis_RD[:kept] = (q_DW.double() @ vectors.flip(1)[:, :kept]).T.float()
    left = float(x_ND.double().square().sum() / count - variance.flip(0)[:kept].sum())
    density.noise_1.fill_(max(FLOOR, left / max(1, values - kept)))


@torch.no_grad()
def _begin(engine: MixtureEngine, z_NR: Tensor, groups: Groups) -> None:
    """The first Gaussians: k-means in each class, as many as it has examples for."""
    density, parts = engine.density, []
    for label, places in groups:
        if label < 0 and len(groups) > 1:
            continue
        where = density.gaussians(label)
        most = len(range(len(density.shares_G))[where])
        count = min(most, max(1, len(places) // PER_GAUSSIAN))
        nearest_N = _k_means(z_NR[places], count, stream(engine.plan.seed, "k-means", label))
        parts.append((where, places, one_hot(nearest_N, most).to(z_NR.dtype)))
    _maximize(engine, z_NR, parts)


@torch.no_grad()
def _round(engine: MixtureEngine, z_NR: Tensor, groups: Groups) -> float:
    """One round of EM; the mean of ``log p(z)`` (and the label, where known) before it."""
    density, parts, total = engine.density, [], 0.0
    for label, places in groups:
        where = density.gaussians(label)
        mine_NR = z_NR[places]
        joint_NG = density.joint(mine_NR, where, density.nearest(mine_NR, where, NEAREST))
        sum_N = joint_NG.logsumexp(dim=1)
        parts.append((where, places, (joint_NG - sum_N[:, None]).exp()))
        total += float(sum_N.double().sum())
    _maximize(engine, z_NR, parts)
    return total / len(z_NR)


def _maximize(engine: MixtureEngine, z_NR: Tensor, parts: list[Part]) -> None:
    """Shares, means and covariances from responsibilities."""
    density = engine.density
    rank = z_NR.shape[1]
    size_G = torch.zeros_like(density.shares_G)
    first_GR = torch.zeros(len(size_G), rank, device=z_NR.device)
    for where, places, weight_NG in parts:
        size_G[where] += weight_NG.sum(dim=0)
        first_GR[where] += weight_NG.T @ z_NR[places]
    density.means_GR[:, :rank] = first_GR / (size_G + TOWARDS_ALL)[:, None]
    scatter_QRR = _scatter(density, z_NR, parts)
    pooled_RR = scatter_QRR.sum(dim=0) / size_G.double().sum()
    if len(scatter_QRR) == 1:
        covariance_QRR = pooled_RR[None]
    else:
        shrink = engine.settings.shrink + 1e-6
        weight_G11 = (size_G.double() + shrink)[:, None, None]
        covariance_QRR = (scatter_QRR + shrink * pooled_RR) / weight_G11
    covariance_QRR.diagonal(dim1=1, dim2=2).add_(FLOOR)
    density.factors_QRR[:, :rank, :rank] = torch.linalg.cholesky(covariance_QRR).float()
    density.shares_G.copy_(_shares(engine, size_G))


def _scatter(density: Density, z_NR: Tensor, parts: list[Part]) -> Tensor:
    """Weighted sums of squares around the means, (Q, R, R) float64; faint members are passed over."""
    rank = z_NR.shape[1]
    total_QRR = torch.zeros(len(density.factors_QRR), rank, rank, dtype=torch.float64, device=z_NR.device)
    for where, places, weight_NG in parts:
        for column, place in enumerate(range(len(density.shares_G))[where]):
            member = (weight_NG[:, column] > FAINT).nonzero()[:, 0]
            far_NR = z_NR[places[member]] - density.means_GR[place, :rank]
            far_NR *= weight_NG[member, column].sqrt()[:, None]
            total_QRR[place if len(total_QRR) > 1 else 0] += (far_NR.T @ far_NR).double()
    return total_QRR


def _shares(engine: MixtureEngine, size_G: Tensor) -> Tensor:
    """Each class has its share of the data, and its Gaussians have theirs of it."""
    size_CK = size_G.double().reshape(max(1, engine.classes), -1)
    sum_C1 = size_CK.sum(dim=1, keepdim=True)
    within_CK = size_CK / sum_C1.clamp(min=1e-12)
    within_CK[:, 0] += (sum_C1[:, 0] == 0).double()  # a class without a row is drawn from what all share
    shares_C = torch.from_numpy(engine.frequencies_K).to(size_G.device) if engine.classes else torch.ones(1)
    return (within_CK * shares_C.to(within_CK)[:, None]).flatten().float()


def _k_means(z_NR: Tensor, count: int, draw: np.random.Generator) -> Tensor:
    """(N,) the nearest of ``count`` centres after a few rounds of Lloyd's algorithm."""
    centre_KR = z_NR[torch.from_numpy(draw.permutation(len(z_NR))[:count]).to(z_NR.device)]
    nearest_N = torch.zeros(len(z_NR), dtype=torch.long, device=z_NR.device)
    for _ in range(LLOYD):
        nearest_N = (centre_KR.square().sum(dim=1) - 2 * z_NR @ centre_KR.T).argmin(dim=1)
        member_NK = one_hot(nearest_N, count).to(z_NR.dtype)
        size_K = member_NK.sum(dim=0)
        mean_KR = member_NK.T @ z_NR / size_K.clamp(min=1)[:, None]
        centre_KR = torch.where(size_K[:, None] > 0, mean_KR, centre_KR)
    return nearest_N
