"""Small texts of all sorts, made where the test runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ilk.core.plan import Plan
from ilk.core.protocol import Example, Problem
from ilk.kinds.text import kind
from ilk.kinds.text.options import Options

PLAN = Plan(steps=10)
WORDS = [
    "the",
    "a",
    "one",
    "this",
    "some",
    "old",
    "small",
    "red",
    "quiet",
    "early",
    "house",
    "garden",
    "river",
    "letter",
    "road",
    "window",
    "teacher",
    "doctor",
    "captain",
    "sister",
    "found",
    "lost",
    "opened",
    "carried",
    "wrote",
    "saw",
    "left",
    "kept",
    "and",
    "but",
    "then",
    "because",
    "while",
    "under",
    "over",
    "near",
    "behind",
]


def sentences(count: int, seed: int = 0, words: list[str] = WORDS) -> str:
    """Sentences of random words, a paragraph every five."""
    random = np.random.default_rng(seed)
    made = [" ".join(random.choice(words, random.integers(5, 14))).capitalize() + "." for _ in range(count)]
    return "\n\n".join(" ".join(made[start : start + 5]) for start in range(0, count, 5)) + "\n"


def folder_of_texts(folder: Path, count: int = 8) -> Path:
    """Files of a few thousand characters, some Markdown, some in a folder below."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        place = folder / "more" if number % 3 == 2 else folder
        place.mkdir(exist_ok=True)
        suffix = ".md" if number % 2 else ".txt"
        (place / f"{number}{suffix}").write_text(f"# Part {number}\n\n{sentences(40, number)}", encoding="utf-8")
    return folder


def read(source, **options):
    return list(kind.read(source, Options(**options)))


def examples(source, **options) -> list[Example]:
    found = read(source, **options)
    assert not [item for item in found if isinstance(item, Problem)]
    return found


def texts(source, **options) -> list[str]:
    return [str(example.object) for example in examples(source, **options)]


def codec_of(source, **options):
    """The codec that fits a source, and its examples."""
    found = examples(source, **options)
    return kind.fit_codec(found, Options(**options), PLAN, None), found
