"""A figure as SVG that is right on a light page and on a dark one. Knows no table.

Text is text, in the colour and font of where it stands; what is drawn has colours that both grounds bear. Nothing is
fetched, and no file has an id that another one has.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

INK = "#010101"  # a stand-in: becomes the colour of text
HAIR = "#8a867f66"
MADE, REAL, OVER = "#3d9a8f", "#98938b", "#c8763a"
WIDE = 4.7  # inches: as wide as a page shows a figure
_SMALL, _PLAIN = 7.0, 8.0
_STYLE = (
    "<style>.ilk-table{color:#57534d;font-family:system-ui,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif}"
    "@media(prefers-color-scheme:dark){.ilk-table{color:#b4b0a9}}"
    ".ilk-table *{stroke-linejoin:round;stroke-linecap:butt}</style>"
)


def svg(paint: Callable[[Any], None], height: float, name: str) -> bytes:
    """What ``paint`` puts on a figure.

    Args:
        paint: takes a matplotlib ``Figure``.
        height: inches.
        name: tells its ids from those of other figures.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": f"ilk-{name}",
        "font.size": _PLAIN,
        "axes.titlesize": _PLAIN,
        "xtick.labelsize": _SMALL,
        "ytick.labelsize": _SMALL,
        "legend.fontsize": _PLAIN,
        "text.color": INK,
        "axes.titlecolor": INK,
        "axes.labelcolor": INK,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.color": HAIR,
        "ytick.color": HAIR,
        "axes.edgecolor": HAIR,
        "axes.facecolor": "none",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "legend.frameon": False,
        "text.parse_math": False,
        "axes.unicode_minus": True,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(WIDE, height))
        FigureCanvasSVG(figure)
        paint(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", transparent=True, dpi=220, metadata={"Date": None, "Creator": None})
    return _themed(buffer.getvalue().decode(), name).encode()


def _themed(made: str, name: str) -> str:
    body = made[made.index("<svg") :]
    body = re.sub(r"<(metadata|style)\b.*?</\1>", "", body, flags=re.S)
    body = re.sub(r' id="[a-zA-Z0-9.]+_\d+"', "", body)
    body = re.sub(r"font-family: [^;\"]*;?", "", body)
    body = body.replace(INK, "currentColor")
    return body.replace("<svg", f'<svg class="ilk-table" data-name="{name}"', 1).replace("<defs", f"{_STYLE}<defs", 1)


def short(text: str, most: int = 16) -> str:
    """A name that has a place beside others; signs that no file of text may hold are gone."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
