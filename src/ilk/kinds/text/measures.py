"""Which numbers of its own text has in a report: keys and words. How they are had is told in ``measure.py``."""

from __future__ import annotations

from ilk.core.protocol import Measure

BITS, NGRAM, ZSTD = "real.text.bits_per_character", "real.text.ngram_bits", "real.text.zstd_bits"
DISTINCT = tuple(f"diverse.text.distinct_{count}" for count in (1, 2, 3))
REPETITION = "diverse.text.repetition"
LONGEST, COPIED = "new.text.longest_copy", "new.text.copied_8grams"
EXPOSURE = "private.text.exposure"
MEASURES = (
    Measure(BITS, "Bits that the model needs for a character of text that it never saw.", "lower"),
    Measure(NGRAM, "Bits that counting short runs of characters in the training text needs for the same.", "near"),
    Measure(ZSTD, "Bits that zstd, level 19, with the training text as its dictionary needs for the same.", "near"),
    Measure(DISTINCT[0], "Different words, as a share of all, in as many words of samples as of real text.", "near"),
    Measure(DISTINCT[1], "Different pairs of words, as a share of all, in as many words of both.", "near"),
    Measure(DISTINCT[2], "Different runs of three words, as a share of all, in as many words of both.", "near"),
    Measure(REPETITION, "The share of runs of four words that came before in the same sample.", "near"),
    Measure(
        LONGEST, "Characters of the longest run of a sample that stands word for word in the training text.", "near"
    ),
    Measure(COPIED, "The share of runs of eight words in samples that stand in the training text.", "near"),
    Measure(
        EXPOSURE,
        "Bits by which the model prefers the secret of its text that it knows best to made-up ones of the same form; "
        "real is what the best of as many gets that it never saw.",
        "lower",
    ),
)
