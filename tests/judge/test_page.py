"""The page of a report card: whole, offline, escaped, readable for everyone. The record is made by hand."""

from __future__ import annotations

import base64
import re
from collections import Counter
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from ilk.core.protocol import Exhibit
from ilk.judge.page import render
from ilk.judge.record import Answer, Curve, Number, Report, Row, Stage
from ilk.judge.words import WORDS

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
HOSTILE = '<script>alert("x")</script>'
SHEET = Exhibit(media_type="image/png", data=PNG, caption='64 "samples" & <b>more</b>')


def made(**changes: Any) -> Report:
    """A report with one of everything."""
    real = Answer(
        question="real",
        says="Of 100 samples, 81 look like your examples to the judge; of 100 real ones it says so of 88.",
        numbers={
            "real.precision": Number(value=0.81, ceiling=0.88, interval=(0.79, 0.84), other=0.74),
            "real.frechet": Number(value=14.2, ceiling=3.1, other=22.0),
            "real.critic_auc": Number(value=0.91, ceiling=0.51, interval=(0.89, 0.93)),
            "real.gain": Number(value=-0.02, interval=(-0.05, 0.01)),
        },
        rows=(
            Row(name=HOSTILE, numbers={"real.precision": Number(value=0.7, ceiling=0.9)}),
            Row(name="寿司", numbers={}),
        ),
        exhibits=(SHEET,),
    )
    new = Answer(
        question="new", says="None came back.", numbers={"new.memorised": Number(value=0.0, ceiling=0.0, p=0.4)}
    )
    private = Answer(question="private", says="", absent="The training data are not here; name them with --data.")
    whole = {
        "title": f"mine {HOSTILE}",
        "kind": "image",
        "made": "2026-11-24T10:00:00+00:00",
        "ilk": "0.1.0",
        "model": "3f2a" * 16,
        "facts": {"Learned from": "10,800 examples"},
        "counts": {"train": 10_800, "holdout": 1_200, "samples": 1_200},
        "encoder": "A network, right about 90 of 100; its numbers cannot be compared with others'.",
        "answers": (real, new, private),
        "samples": (SHEET, Exhibit(media_type="text/plain", data=HOSTILE.encode(), caption="text")),
        "stages": (Stage(name="early", step=100, exhibit=SHEET),),
        "curves": (Curve(name="critic_loss", steps=(1, 2, 3), values=(2.0, 1.0, 0.5)),),
        "skipped": ("3 files could not be read.",),
    }
    return Report(**(whole | changes))


class Tags(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.fixture(scope="module")
def page() -> str:
    return render(made(), WORDS)


def test_the_page_needs_neither_network_nor_script(page):
    tags = Tags(page)
    assert not tags.of("script", "link", "iframe", "object", "embed", "base")
    for tag, attributes in tags.tags:
        for name in ("src", "href", "xlink:href", "srcset", "poster", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:")), (tag, name, value)
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"@import|url\((?!#)", page)
    assert "default-src 'none'" in page


def test_names_are_shown_as_they_are_and_never_as_html(page):
    assert HOSTILE not in page
    assert Tags(page).text.count(HOSTILE) == 4  # the title twice, a class, a text
    assert "寿司" in page


def test_a_verdict_has_every_question_and_its_sentence_or_its_reason(page):
    verdict = page[page.index('class="verdict"') : page.index("</ol>")]
    text = Tags(verdict).text
    for says in (
        "Real?",
        "of 100 real ones it says so of 88",
        "New?",
        "None came back",
        "Private?",
        "name them with --data",
    ):
        assert says in text


def test_the_bar_beside_a_sentence_is_the_number_that_the_sentence_is_about():
    numbers = {key: Number(value=0.5, ceiling=0.9) for key in ("diverse.recall", "diverse.coverage")}
    inside = {"private.membership_auc": Number(value=0.5), "private.opinion_auc": Number(value=0.9)}
    answers = (
        Answer(question="diverse", says="Of 100 real examples, 50 have a sample close by.", numbers=numbers),
        Answer(question="private", says="Ninety times in 100.", numbers=inside),
    )
    page = render(made(answers=answers), WORDS)
    leads = re.findall(r'class="lead"[^>]*><span>(.*?)</span>', page)
    assert leads == [WORDS["diverse.coverage"].label, WORDS["private.opinion_auc"].label]


def test_each_number_stands_beside_what_real_data_gets(page):
    row = next(row for row in re.findall(r"<tr>.*?</tr>", page, re.S) if "<b>Precision</b>" in row)
    says = Tags(row).text.replace("\N{NO-BREAK SPACE}", " ")
    for part in ("81 %", "79 to 84 %", "88 %", "more is better"):
        assert part in says
    bar = next(each for each in Tags(row).of("svg"))
    assert "real data gets 88" in (bar["aria-label"] or "")


def test_marks_of_a_bar_stand_where_the_numbers_are(page):
    row = next(row for row in re.findall(r"<tr>.*?</tr>", page, re.S) if "<b>Precision</b>" in row)
    tags = Tags(row)
    assert next(each["width"] for each in tags.of("rect") if each["class"] == "value") == "81.00%"
    assert next(each["x1"] for each in tags.of("line") if each["class"] == "real") == "88.00%"
    told = next(row for row in re.findall(r"<tr>.*?</tr>", page, re.S) if "<b>Told apart</b>" in row)
    assert next(each["width"] for each in Tags(told).of("rect") if each["class"] == "value") == "82.00%"  # from a guess


def test_a_number_that_is_negative_has_no_bar(page):
    row = next(row for row in re.findall(r"<tr>.*?</tr>", page, re.S) if "<b>Gain</b>" in row)
    assert "<svg" not in row
    assert "−0.02" in row


def test_the_other_column_is_there_only_when_something_is_held_against():
    assert "other.ilk" in render(made(against="other.ilk"), WORDS)
    alone = render(made(), WORDS)
    assert "74" not in Tags(alone[alone.index('id="real"') :]).text.split("Fr")[0]


def test_the_page_can_be_read_by_everyone(page):
    tags = Tags(page)
    assert tags.of("html")[0]["lang"] == "en"
    assert "width=device-width" in (tags.of("meta")[1]["content"] or "")
    levels = [int(tag[1]) for tag, _ in tags.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(each.get("alt") for each in tags.of("img"))
    assert all(each.get("scope") in ("row", "col") for each in tags.of("th"))
    assert all(each.get("aria-label") for each in tags.of("svg"))
    ids = Counter(each["id"] for _, each in tags.tags if each.get("id"))
    assert not [name for name, count in ids.items() if count > 1]
    assert all((each["href"] or "#")[1:] in ids for each in tags.of("a"))


def test_two_curves_share_no_id():
    curves = tuple(Curve(name=name, steps=(1, 2, 3), values=(2.0, 1.0, 0.5)) for name in ("one", "two"))
    ids = Counter(each["id"] for _, each in Tags(render(made(curves=curves), WORDS)).tags if each.get("id"))
    assert max(ids.values()) == 1


def test_a_report_with_nothing_but_reasons_is_a_page():
    absent = tuple(
        msgspec.structs.replace(each, numbers={}, rows=(), exhibits=(), absent="No.") for each in made().answers
    )
    page = render(made(answers=absent, samples=(), stages=(), curves=(), skipped=(), encoder="", counts={}), WORDS)
    assert "<table" not in page
    assert Tags(page).text.count("No.") == 2 * len(absent)


def test_the_same_record_gives_the_same_page(page):
    assert render(made(), WORDS) == page


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_text_stands_out_from_its_ground_by_four_and_a_half_to_one(scheme):
    blocks = re.findall(r":root \{(.*?)\}", files("ilk.judge.page").joinpath("style.css").read_text(), re.S)
    block = blocks[["light", "dark", "print"].index(scheme)]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6});", block))
    for ground in ("ground", "panel"):
        for ink in ("ink", "muted", "accent"):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        assert _contrast(colours["fill"], colours[ground]) >= 3  # a bar is no text


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance."""

    def luminance(colour: str) -> float:
        wide = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
        parts = [int(wide[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
