"""Distances of columns and associations of pairs of columns. Knows only matrices and which columns are levels.

Levels against levels: Cramér's V, corrected for its bias (Bergsma, "A bias-correction for Cramér's V", 2013). A number
against levels: the root of epsilon squared of its ranks (Kelley, "An unbiased correlation ratio measure", 1935).
Numbers: Spearman's rank correlation, with its sign.
"""

from __future__ import annotations

import numpy as np

from ilk.core.protocol import Array


def distance(a_N: Array, b_M: Array, levels: int) -> float:
    """How far a column of one set is from that of another: 0 the same, 1 nothing in common.

    Args:
        a_N: numbers or places of levels; NaN where missing.
        b_M: the same of the other set.
        levels: how many there are: total variation, missing being a level. 0 for numbers: Kolmogorov-Smirnov, a missing
            one being below all others.
    """
    if levels:
        shares = [np.bincount(np.nan_to_num(x, nan=levels).astype(np.int64), minlength=levels + 1) for x in (a_N, b_M)]
        return float(np.abs(shares[0] / len(a_N) - shares[1] / len(b_M)).sum() / 2)
    a, b = (np.sort(np.where(np.isnan(x), -np.inf, x)) for x in (a_N, b_M))
    both = np.concatenate([a, b])
    below = [np.searchsorted(x, both, side="right") / len(x) for x in (a, b)]
    return float(np.abs(below[0] - below[1]).max())


def distances(a_NC: Array, b_MC: Array, levels: Array) -> Array:
    """(C,) distances of columns; ``levels`` (C,) counts their levels."""
    return np.array([distance(a, b, int(k)) for a, b, k in zip(a_NC.T, b_MC.T, levels, strict=True)])


def associations(rows_NC: Array, levels: Array) -> Array:
    """(C, C) association of each pair of columns, symmetric; 0 on the diagonal and where nothing varies."""
    count = rows_NC.shape[1]
    out = np.zeros((count, count))
    numbers, named = np.flatnonzero(levels == 0), np.flatnonzero(levels > 0)
    rank_NF = np.stack([_ranks(x_N) for x_N in rows_NC[:, numbers].T], axis=1) if len(numbers) else rows_NC[:, :0]
    out[np.ix_(numbers, numbers)] = _correlations(rank_NF)
    code_NL = np.where(np.isnan(rows_NC[:, named]), levels[named], rows_NC[:, named]).astype(np.int64)
    for i, one in enumerate(named):
        for j, other in enumerate(named[:i]):
            out[one, other] = out[other, one] = _cramer(code_NL[:, i], code_NL[:, j])
        for j, other in enumerate(numbers):
            out[one, other] = out[other, one] = _ratio(rank_NF[:, j], code_NL[:, i])
    np.fill_diagonal(out, 0.0)
    return out


def _ranks(x_N: Array) -> Array:
    """Ranks from 0 to 1, ties sharing theirs; NaN where missing."""
    known = ~np.isnan(x_N)
    codes, counts = np.unique(x_N[known], return_inverse=True, return_counts=True)[1:]
    out = np.full(len(x_N), np.nan)
    out[known] = ((np.cumsum(counts) - counts / 2) / max(1, len(codes)))[codes]
    return out


def _correlations(rank_NF: Array) -> Array:
    """(F, F) correlations over the rows in which both are known."""
    known = (~np.isnan(rank_NF)).astype(np.float64)
    x = np.nan_to_num(rank_NF - 0.5)
    count, first = known.T @ known, x.T @ known
    square, product = (x**2).T @ known, x.T @ x
    count = np.maximum(count, 1)
    variance = square / count - (first / count) ** 2
    joint = product / count - first / count * (first / count).T
    scale = np.sqrt(np.maximum(variance, 0) * np.maximum(variance.T, 0))
    return np.clip(np.where(scale > 1e-9, joint / np.maximum(scale, 1e-9), 0.0), -1, 1)


def _cramer(a_N: Array, b_N: Array) -> float:
    """Cramér's V of two columns of codes, corrected for its bias."""
    a, b = (np.unique(x, return_inverse=True)[1] for x in (a_N, b_N))
    rows, columns, n = int(a.max()) + 1, int(b.max()) + 1, len(a)
    if min(rows, columns) < 2 or n < 3:
        return 0.0
    table = np.bincount(a * columns + b, minlength=rows * columns).reshape(rows, columns)
    expected = table.sum(axis=1)[:, None] * table.sum(axis=0)[None, :] / n
    phi = float(((table - expected) ** 2 / expected).sum()) / n
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    least = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return min(1.0, float(np.sqrt(phi / least))) if least > 1e-9 else 0.0


def _ratio(rank_N: Array, code_N: Array) -> float:
    """The correlation ratio of ranks within codes, corrected for its bias."""
    known = ~np.isnan(rank_N)
    code, rank = np.unique(code_N[known], return_inverse=True)[1], rank_N[known]
    n, groups = len(rank), int(code.max()) + 1 if len(code) else 0
    if groups < 2 or n <= groups:
        return 0.0
    total = float(((rank - rank.mean()) ** 2).sum())
    counts = np.bincount(code)
    within = total - float((counts * (np.bincount(code, rank) / counts - rank.mean()) ** 2).sum())
    return float(np.sqrt(max(0.0, 1 - (n - 1) / (n - groups) * within / total))) if total > 1e-12 else 0.0
