"""Which numbers of its own a table has in a report: keys and words. How they are had is told in ``measure.py``."""

from __future__ import annotations

from ilk.core.protocol import Measure

CRITIC = "real.table.critic_auc"
SHAPES, ASSOCIATIONS = "real.table.shapes", "real.table.associations"
SUBGROUPS = "real.table.subgroup_gap"
USEFUL = "useful.table.train_synthetic_test_real"
COPIES = "new.table.copies"
CLOSEST, NEAR = "private.table.closest_share", "private.table.near_copies"
MEMBERSHIP, ODD = "private.table.membership_auc", "private.table.odd_rows"
MEASURES = (
    Measure(
        CRITIC,
        "How often gradient boosting, given a made row and a held-out one, knows which is which: 0.5 is a guess. Real "
        "is what training rows get against held-out ones.",
        "lower",
    ),
    Measure(
        SHAPES,
        "How far the columns, each for itself, are from held-out rows, on average: 0 is the same, 1 has nothing in "
        "common (levels: total variation; numbers: Kolmogorov-Smirnov; a missing value counts as one).",
        "lower",
    ),
    Measure(
        ASSOCIATIONS,
        "How far the association of two columns is from that in held-out rows, on average over all pairs (Cramér's V, "
        "correlation ratio, rank correlation).",
        "lower",
    ),
    Measure(
        SUBGROUPS,
        "By how much better the critic knows made rows of the worst served group than made rows of all groups.",
        "lower",
    ),
    Measure(
        USEFUL,
        "How well gradient boosting that learned from made rows alone foretells a column of held-out rows (area under "
        "the ROC curve of a category, R² of a number); real is what it gets from as many training rows.",
    ),
    Measure(COPIES, "The share of made rows that are equal to a training row; real is held-out rows.", "near"),
    Measure(
        CLOSEST,
        "The share of made rows whose nearest real row is a training row, of as many training as held-out rows: 0.5 "
        "where nothing leaks.",
        "near",
    ),
    Measure(
        NEAR,
        "The share of made rows at least twice as near to one training row as to any other; real is held-out rows.",
        "near",
    ),
    Measure(
        MEMBERSHIP,
        "How often an attack by the distance to the nearest made row knows a training row from a held-out one: 0.5 is "
        "a guess.",
        "lower",
    ),
    Measure(
        ODD,
        "Training rows unlike all others that stand there many times and come out again; real is how many of them "
        "held-out rows contain.",
        "lower",
    ),
)
