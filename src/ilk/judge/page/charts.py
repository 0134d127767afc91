"""Bars and curves as inline SVG that takes its colours from the page, so that it is right in light, dark and print.

A bar is written by hand, in per cent of the width it gets; a curve is drawn by matplotlib, which is
loaded when there is one to draw. Nothing here knows what a number means.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator

from ilk.judge.record import Curve, Number

HEIGHT = 26  # pixels of a bar with its marks
_INK, _LINE, _GRID = "#010101", "#020202", "#030303"  # stand-ins, replaced by the page's own colours
_COLOURS = {_INK: "var(--muted)", _LINE: "var(--accent)", _GRID: "var(--hair)"}


def bar(number: Number, low: float, high: float, says: str) -> str:
    """A bar of the value with its interval, a mark where real data lies, a ring for the other column.

    Nothing for a number that can be negative: a bar that begins at zero cannot show it.

    Args:
        number: what is drawn.
        low: the value at the left end.
        high: the value at the right end.
        says: the same in words, for whoever does not see it.
    """
    if min(shown(number), default=0.0) < 0:
        return ""
    middle = HEIGHT / 2

    def at(value: float) -> str:
        return f"{100 * min(max((value - low) / (high - low), 0.0), 1.0):.2f}%"

    parts = [
        f'<rect class="rail" x="0" y="{middle - 1}" width="100%" height="2" rx="1"/>',
        f'<rect class="value" x="0" y="{middle - 5}" width="{at(number.value)}" height="10" rx="2"/>',
    ]
    if number.interval is not None:
        first, last = (at(each) for each in number.interval)
        parts.append(f'<line class="interval" x1="{first}" x2="{last}" y1="{middle}" y2="{middle}"/>')
        parts += [
            f'<line class="interval" x1="{x}" x2="{x}" y1="{middle - 3}" y2="{middle + 3}"/>' for x in (first, last)
        ]
    if number.ceiling is not None:
        x = at(number.ceiling)
        parts.append(f'<line class="real" x1="{x}" x2="{x}" y1="2" y2="{HEIGHT - 2}"/>')
    if number.other is not None:
        parts.append(f'<circle class="other" cx="{at(number.other)}" cy="{middle}" r="4.5"/>')
    # Percentages, and no viewBox: the bar stretches with its column and its marks do not.
    head = f'<svg class="bar" width="100%" height="{HEIGHT}" role="img" aria-label="{html.escape(says)}">'
    return head + "".join(parts) + "</svg>"


def curves(each: tuple[Curve, ...]) -> Iterator[str]:
    """A small chart for each curve.

    Yields:
        Inline SVG; the text in it is text, in the page's font.
    """
    if not each:
        return
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    for number, curve in enumerate(each):
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": f"ilk-{number}", "font.size": 9.0}):
            figure = Figure(figsize=(4.2, 1.9), layout="constrained")
            FigureCanvasSVG(figure)
            axes = figure.add_subplot()
            axes.plot(curve.steps, curve.values, color=_LINE, linewidth=1.6)
            axes.margins(x=0.01, y=0.12)
            axes.grid(axis="y", color=_GRID, linewidth=0.8)
            axes.set_axisbelow(True)
            axes.locator_params(nbins=4)
            axes.tick_params(length=0, labelcolor=_INK, pad=5)
            for name, spine in axes.spines.items():
                spine.set_visible(name == "bottom")
                spine.set_color(_GRID)
            buffer = io.BytesIO()
            figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        yield _inline(buffer.getvalue().decode(), f"{name_of(curve)} over the steps of the fit")


def name_of(curve: Curve) -> str:
    """A metric's name as a person reads it: ``critic loss``."""
    return curve.name.replace("_", " ")


def shown(number: Number) -> list[float]:
    """All values that a bar shows."""
    values = [number.value, number.ceiling, number.other, *(number.interval or ())]
    return [value for value in values if value is not None]


def _inline(svg: str, says: str) -> str:
    """Matplotlib's file as a part of a page: no prolog, no ids that another chart has, the page's colours."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<(metadata|style)\b.*?</\1>", "", body, flags=re.S)
    body = re.sub(r' id="[a-z0-9.]+_\d+"', "", body)
    body = re.sub(r"font-family: [^;\"]*;?", "", body)
    for stand_in, colour in _COLOURS.items():
        body = body.replace(stand_in, colour)
    body = re.sub(r'^<svg| width="[^"]*"(?= |\n|>)| height="[^"]*"(?= |\n|>)', "", body, count=3)
    return f'<svg class="curve" role="img" aria-label="{html.escape(says)}"{body}'
