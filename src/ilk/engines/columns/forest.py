"""Trees as flat arrays: grown by scikit-learn, walked in batches, and what lies in a leaf.

A leaf holds the values that one column took in it, as sorted codes: places in the column's table of values. Values of
different columns are never stored together, so that no row of the training data is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ilk.core.protocol import Array


class Forest(NamedTuple):
    """Trees of one column, one after the other; a node without children has ``left`` -1."""

    root_T: Array  # int32, node of each tree
    feature_M: Array  # int32, place among the features; 0 in a leaf
    threshold_M: Array  # float32: at most goes left
    left_M: Array  # int32
    right_M: Array  # int32
    start_M: Array  # int64, of a leaf's codes
    number_M: Array  # int32, how many; 0 inside
    code_L: Array  # uint32, sorted within a leaf

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Trees, nodes, and codes in leaves."""
        return len(self.root_T), len(self.left_M), len(self.code_L)

    def joined(self, other: Forest) -> Forest:
        """Both, this one's trees first."""
        nodes, codes = len(self.feature_M), len(self.code_L)

        def moved(child_M: Array) -> Array:
            return np.where(child_M < 0, child_M, child_M + nodes).astype(np.int32)

        return Forest(
            np.concatenate([self.root_T, other.root_T + nodes]).astype(np.int32),
            np.concatenate([self.feature_M, other.feature_M]),
            np.concatenate([self.threshold_M, other.threshold_M]),
            np.concatenate([self.left_M, moved(other.left_M)]),
            np.concatenate([self.right_M, moved(other.right_M)]),
            np.concatenate([self.start_M, other.start_M + codes]),
            np.concatenate([self.number_M, other.number_M]),
            np.concatenate([self.code_L, other.code_L]),
        )

    def leaves(self, features_NP: Array, node_N: Array) -> Array:
        """(N,) the leaf in which each row ends that begins at ``node_N``."""
        node_N = node_N.copy()
        inside = np.flatnonzero(self.left_M[node_N] >= 0)
        while inside.size:
            node = node_N[inside]
            less = features_NP[inside, self.feature_M[node]] <= self.threshold_M[node]
            node = np.where(less, self.left_M[node], self.right_M[node])
            node_N[inside] = node
            inside = inside[self.left_M[node] >= 0]
        return node_N

    def span(self, first_N: Array, number_N: Array, code: Array | int) -> Array:
        """(N,) int64: the first place in each leaf whose code is at least ``code``, by one binary search in all."""
        low_N, high_N = first_N.astype(np.int64), (first_N + number_N).astype(np.int64)
        while (open_N := low_N < high_N).any():
            middle_N = (low_N + high_N) // 2
            less_N = open_N & (self.code_L[np.minimum(middle_N, len(self.code_L) - 1)] < code)
            low_N = np.where(less_N, middle_N + 1, low_N)
            high_N = np.where(open_N & ~less_N, middle_N, high_N)
        return low_N


def stump(count_U: Array) -> Forest:
    """One leaf with all values of a column."""
    code = np.repeat(np.arange(len(count_U), dtype=np.uint32), count_U)
    return Forest(
        np.zeros(1, np.int32),
        np.zeros(1, np.int32),
        np.zeros(1, np.float32),
        np.full(1, -1, np.int32),
        np.full(1, -1, np.int32),
        np.zeros(1, np.int64),
        np.full(1, len(code), np.int32),
        code,
    )


def grow(
    features_NP: Array, target_NT: Array, code_N: Array, leaf: int, share: float, seed: int
) -> tuple[Forest, float]:
    """A tree (Breiman et al., 1984), and the share of the target's variance that it explains.

    Args:
        features_NP: float32, what splits look at.
        target_NT: float32, what is to be alike in a leaf.
        code_N: the value that each row leaves in its leaf.
        leaf: fewest rows of a leaf.
        share: of the features that a split looks at.
        seed: of that choice.
    """
    from sklearn.tree import DecisionTreeRegressor

    tree = DecisionTreeRegressor(
        min_samples_leaf=min(leaf, max(1, len(code_N) // 2)), max_features=share, random_state=seed
    )
    tree.fit(features_NP, target_NT)
    grown, place_N = tree.tree_, tree.apply(features_NP)
    order_N = np.lexsort((code_N, place_N))
    count_M = np.bincount(place_N, minlength=grown.node_count).astype(np.int32)
    start_M = np.cumsum(count_M, dtype=np.int64) - count_M
    inner = grown.children_left >= 0
    impurity = float((grown.impurity * grown.weighted_n_node_samples)[~inner].sum())
    whole = float(grown.impurity[0] * grown.weighted_n_node_samples[0])
    forest = Forest(
        np.zeros(1, np.int32),
        np.where(inner, grown.feature, 0).astype(np.int32),
        _down(np.where(inner, grown.threshold, 0.0)),
        grown.children_left.astype(np.int32),
        grown.children_right.astype(np.int32),
        start_M,
        count_M,
        code_N[order_N].astype(np.uint32),
    )
    return forest, 1 - impurity / whole if whole > 0 else 0.0


def _down(threshold_M: Array) -> Array:
    """The largest float32 that is no larger: features are float32, so that each goes where it went in growing."""
    near = threshold_M.astype(np.float32)
    return np.where(near > threshold_M, np.nextafter(near, np.float32(-np.inf)), near)
