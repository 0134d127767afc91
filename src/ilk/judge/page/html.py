"""A ``Report`` as one HTML file: what the template shows, in the template's own terms.

Every string is escaped (names of classes and models are anybody's); pictures, sounds and styles are
inside the file, nothing is fetched and nothing runs. Open ``template.html.j2`` next, then ``style.css``.
"""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from ilk.core.protocol import Exhibit
from ilk.judge.page.charts import bar, curves, name_of, shown
from ilk.judge.record import Answer, Number, Report
from ilk.judge.words import Word

QUESTIONS = {
    "real": ("Real?", "Does what it makes look like your examples?"),
    "diverse": ("Diverse?", "Does it make all that there is in your examples?"),
    "new": ("New?", "Does it make new ones, or hand back those that it was given?"),
    "useful": ("Useful?", "Can what it makes stand in for real examples?"),
    "private": ("Private?", "Can one tell from it who was among the examples?"),
}
"""Question -> how it is called, and what it asks."""

NARROW = 60  # signs of a line that fits beside another exhibit
PER_CENT = "\N{NO-BREAK SPACE}%"
COUNTED = {"train": "training examples", "holdout": "held-out examples", "samples": "samples"}
LEADS = {
    "real": ("real.precision",),
    "diverse": ("diverse.coverage",),
    "new": ("new.memorised",),
    "useful": ("useful.train_synthetic_test_real",),
    "private": ("private.membership_auc", "private.opinion_auc"),
}
"""Question -> the number that stands beside its sentence in the verdict, the largest of these."""

DIRECTIONS = {"higher": "more is better", "lower": "less is better", "near": "nearest to real is best"}


class Line(NamedTuple):
    """One number as the page shows it."""

    key: str
    word: Word
    number: Number
    bar: str


def render(report: Report, words: Mapping[str, Word]) -> str:
    """The page.

    Args:
        report: what it shows.
        words: key of a number -> how it is called; a key without an entry is called by its own name.
    """
    answers = [_answer(each, words) for each in report.answers]
    page = (
        _environment()
        .get_template("template.html.j2")
        .render(
            report=report,
            answers=answers,
            curves=list(zip([name_of(each) for each in report.curves], curves(report.curves), strict=True)),
            counts=[(count, COUNTED.get(name, name)) for name, count in report.counts.items()],
            style=files("ilk.judge.page").joinpath("style.css").read_text("utf-8"),
        )
    )
    return str(page)


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("ilk.judge", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": number_text,
        "interval": interval_text,
        "exhibit": exhibit_html,
        "direction": lambda b: DIRECTIONS.get(b, ""),
    }
    return made


def _answer(answer: Answer, words: Mapping[str, Word]) -> dict[str, Any]:
    """What the template needs of an answer."""
    title, asks = QUESTIONS[answer.question]
    lines = [_line(key, number, words) for key, number in answer.numbers.items()]
    columns = {key: _word(key, words) for row in answer.rows for key in row.numbers}
    return {
        "answer": answer,
        "title": title,
        "asks": asks,
        "lines": lines,
        "explained": [line for line in lines if line.word.explains],
        "columns": columns,
        "lead": _lead(answer, lines),
    }


def _line(key: str, number: Number, words: Mapping[str, Word]) -> Line:
    word = _word(key, words)

    def text(value: float) -> str:
        return number_text(value, word.measures)

    says = f"{word.label}: {text(number.value)}"
    if number.interval is not None:
        says += f", likely {interval_text(number.interval, word.measures)}"
    if number.ceiling is not None:
        says += f"; real data gets {text(number.ceiling)}"
    if number.other is not None:
        says += f"; the other one gets {text(number.other)}"
    return Line(key, word, number, bar(number, *_ends(number, word), says))


def _word(key: str, words: Mapping[str, Word]) -> Word:
    name = key.partition(".")[2].replace("_", " ").replace(".", ", ") or key
    return words.get(key) or Word(name[:1].upper() + name[1:], "", "higher", "distance")


def _ends(number: Number, word: Word) -> tuple[float, float]:
    """Where a bar's axis begins and ends: an area that is good when small begins at a guess."""
    if word.measures == "area":
        return (0.5 if word.better == "lower" else 0.0), 1.0
    largest = max(shown(number), default=0.0)
    return 0.0, 1.0 if word.measures == "share" or largest == 0 else largest * 1.08


def _lead(answer: Answer, lines: list[Line]) -> Line | None:
    """The number that stands for an answer in the verdict: the one that its sentence is about."""
    chosen = [line for line in lines if line.key in LEADS[answer.question]]
    return max(chosen, key=lambda line: line.number.value, default=next(iter(lines), None))


def number_text(value: float | None, measures: str = "distance") -> str:
    """A number as a person reads it; a share in per cent.

    >>> [number_text(value) for value in (0.8149, 12.34, 1234.5, 0.0004, 0, -0.5, None)]
    ['0.81', '12.3', '1,234', '0.0004', '0', '−0.50', '–']
    >>> [number_text(value, "share").replace(chr(160), " ") for value in (0.8149, 0.0421, 0.9973, 1, 0.0004, 0)]
    ['81 %', '4.2 %', '99.7 %', '100 %', '0.04 %', '0 %']
    """
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if measures == "share":
        size *= 100
        fine = 0 < size < 10 or 99 < size < 100
        text = (f"{size:.1g}" if size < 0.1 else f"{size:.1f}") if fine else f"{size:.0f}"
        text += PER_CENT
    elif size == 0 or (size >= 1 and size == int(size)):
        text = f"{size:,.0f}"
    elif size < 0.01:
        text = f"{size:.1g}"
    else:
        text = f"{size:.2f}" if size < 10 else f"{size:.1f}" if size < 100 else f"{size:,.0f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 else text


def interval_text(interval: tuple[float, float], measures: str) -> str:
    """Both ends of an interval; the sign of per cent comes once: ``79 to 84 %``."""
    low, high = (number_text(each, measures) for each in interval)
    return f"{low.removesuffix(PER_CENT)} to {high}"


def exhibit_html(exhibit: Exhibit) -> str:
    """The element that shows an exhibit, its bytes inside."""
    kind, says = exhibit.media_type, html.escape(exhibit.caption)
    if kind.startswith("image/"):  # SVG as well: as an image it can run nothing
        return f'<img alt="{says}" src="{_data(exhibit)}">'
    if kind.startswith("audio/"):
        return f'<audio controls aria-label="{says}" src="{_data(exhibit)}"></audio>'
    text = exhibit.data.decode("utf-8", "replace")
    kept = ' class="kept"' if max(map(len, text.splitlines()), default=0) <= NARROW else ""
    return f"<pre{kept}>{html.escape(text)}</pre>"


def _data(exhibit: Exhibit) -> str:
    return f"data:{html.escape(exhibit.media_type)};base64,{base64.b64encode(exhibit.data).decode()}"
