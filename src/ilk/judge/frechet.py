"""The Frechet distance between two sets of features. Knows only arrays.

Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", NeurIPS 2017:
``|m_a - m_b|^2 + tr(A + B - 2 (A B)^(1/2))`` for means m and covariances A, B.

The distance is biased upwards for few rows, so both sets must be equally many, and so must those of whatever it is
held against. Below twice as many rows as columns a covariance is hardly known; then the leading directions of the
reference are kept, half as many as there are rows.
"""

from __future__ import annotations

import numpy as np

from ilk.core.protocol import Array


def kept(rows: int, columns: int) -> int:
    """How many directions are compared, for sets of ``rows``."""
    return columns if rows >= 2 * columns else max(1, rows // 2)


def directions(reference_NF: Array, rows: int) -> Array | None:
    """(F, D) the leading principal directions of the reference, or None where ``rows`` suffice for all columns."""
    wide = reference_NF.shape[1]
    if kept(rows, wide) == wide:
        return None
    centred = reference_NF.astype(np.float64) - reference_NF.mean(axis=0)
    basis = np.linalg.svd(centred, full_matrices=False)[2]
    return np.asarray(basis[: min(kept(rows, wide), len(basis))].T)


def frechet(a_NF: Array, b_NF: Array, basis_FD: Array | None = None) -> float:
    """The distance; 0 for equal means and covariances.

    The trace of the root is the sum of the roots of the eigenvalues of ``A^(1/2) B A^(1/2)``, which is
    symmetric: no complex root, no warning of a singular matrix, whatever has collapsed.

    Args:
        a_NF: at least two rows.
        b_NF: as many rows.
        basis_FD: directions to look along, or None for all.
    """
    a, b = a_NF.astype(np.float64), b_NF.astype(np.float64)
    if basis_FD is not None:
        a, b = a @ basis_FD, b @ basis_FD
    cov_a, cov_b = np.atleast_2d(np.cov(a.T)), np.atleast_2d(np.cov(b.T))
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cov_b @ root), 0)).sum()
    shift = a.mean(axis=0) - b.mean(axis=0)
    return max(0.0, float(shift @ shift + np.trace(cov_a) + np.trace(cov_b) - 2 * shared))
