"""What a person sees of made and real rows beside each other. Draws what it is given, and measures nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ilk.core.protocol import Array, Exhibit
from ilk.kinds.table.mixed import fit_mixed
from ilk.kinds.table.sides import Sides
from ilk.kinds.table.sight import OTHERS, Column, Sight
from ilk.kinds.table.svg import HAIR, INK, MADE, OVER, REAL, WIDE, short, svg
from ilk.kinds.table.words import word_of

TYPE = "image/svg+xml"
MOST_COLUMNS, A_PAGE, ACROSS = 24, 12, 2
PITCH, TALL = 1.22, 0.74  # inches from a column to the next one below, and of its plot
MOST_BARS, BINS = 6, 24
FAR = 2.5  # times the longest bar: one that is longer is told and not drawn
MOST_CELLS, MOST_GROUPS, MOST_USED, MOST_POINTS = 24, 14, 10, 1_500


def used(names: Sequence[str], fall_C: Array) -> Exhibit:
    """Bars of the columns that the critic used most."""
    order = np.argsort(-fall_C, kind="stable")[:MOST_USED]
    order = order[fall_C[order] > 0][::-1]

    def paint(figure: Any) -> None:
        axes = figure.add_axes((0.3, 0.34 / height, 0.64, 1 - 0.44 / height))
        axes.barh(range(len(order)), fall_C[order], height=0.62, color=MADE)
        axes.set_yticks(range(len(order)), [short(names[place], 20) for place in order])
        axes.set_ylim(-0.6, len(order) - 0.4)
        axes.locator_params(axis="x", nbins=4)
        axes.grid(axis="x", color=HAIR, linewidth=0.6)
        axes.set_axisbelow(True)

    height = 0.55 + 0.2 * len(order)
    caption = "what to mend first: by how much the critic's area falls when a column is put into a random order"
    return Exhibit(TYPE, svg(paint, height, "used"), caption)


def columns(sight: Sight, rows: Sides, apart_C: Array, worst: Array) -> Iterator[Exhibit]:
    """Each column of made over held-out rows, those that are farthest from real first."""
    shown = worst[:MOST_COLUMNS]
    for page, start in enumerate(range(0, len(shown), A_PAGE)):
        some = shown[start : start + A_PAGE]
        count = -(-len(some) // ACROSS)
        height = 0.3 + PITCH * count

        def paint(figure: Any, some: Array = some, height: float = height) -> None:
            for number, place in enumerate(some):
                line, side = divmod(number, ACROSS)
                bottom = height - 0.3 - PITCH * (line + 1) + 0.26
                column = sight.columns[place]
                left = 0.9 if column.levels else 0.12
                box = ((side * WIDE / 2 + left) / WIDE, bottom / height, (WIDE / 2 - left - 0.12) / WIDE, TALL / height)
                axes = figure.add_axes(box)
                sets = rows.made[:, place], rows.held[:, place]
                (_bars if column.levels else _curves)(axes, column, *sets)
                start = (side * WIDE / 2 + 0.12) / WIDE
                figure.text(start, (bottom + TALL + 0.06) / height, short(column.name, 26), color=INK, weight="bold")
                end = ((side + 1) * WIDE / 2 - 0.12) / WIDE
                figure.text(end, (bottom + TALL + 0.06) / height, f"{apart_C[place]:.3f}", color=INK, ha="right")
            _legend(figure, height)

        left = f", {start + 1} to {start + len(some)} of {len(sight.columns)}" if len(sight.columns) > A_PAGE else ""
        caption = f"columns{left}, the farthest from real first, each with its distance: 0 is the same, 1 the most"
        yield Exhibit(TYPE, svg(paint, height, f"columns-{page}"), caption)


def _legend(figure: Any, height: float) -> None:
    """Two marks and what they stand for, at the top."""
    from matplotlib.patches import Rectangle

    for left, colour, alpha, says in ((0.12, REAL, 0.55, "held-out rows"), (1.22, MADE, 1.0, "made rows")):
        box = Rectangle(
            (left / WIDE, (height - 0.15) / height), 0.14 / WIDE, 0.08 / height, color=colour, alpha=alpha, lw=0
        )
        figure.add_artist(box)
        figure.text((left + 0.2) / WIDE, (height - 0.15) / height, says, color=INK, va="bottom")


def _bars(axes: Any, column: Column, made_N: Array, held_N: Array) -> None:
    """Shares of the commonest levels, of all others together, and of missing values."""
    count = len(column.levels)
    shares = [
        np.bincount(np.nan_to_num(x, nan=count).astype(np.int64), minlength=count + 1) / len(x)
        for x in (made_N, held_N)
    ]
    own = count - (column.levels[-1] == OTHERS)
    order = np.argsort(-np.maximum(shares[0][:own], shares[1][:own]), kind="stable")
    top = order[: MOST_BARS if count <= MOST_BARS else MOST_BARS - 1]
    names = [column.levels[place] for place in top]
    made, held = ([*each[top]] for each in shares)
    others = [float(each[:count].sum() - each[top].sum()) for each in shares]
    if count > len(top) and max(others) < FAR * max(*made, *held):
        names.append("others")
        made.append(others[0])
        held.append(others[1])
    elif count > len(top):
        axes.set_xlabel(f"others {others[0]:.0%}, real {others[1]:.0%}", fontsize=6.0, labelpad=1)
    if shares[0][count] + shares[1][count] > 0:
        names.append("missing")
        made.append(shares[0][count])
        held.append(shares[1][count])
    places = np.arange(len(names))[::-1]
    axes.barh(places, held, height=0.86, color=REAL, alpha=0.55, lw=0)
    axes.barh(places, made, height=0.4, color=MADE, lw=0)
    axes.set_yticks(places, [short(name, 14) for name in names], fontsize=6.0)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(0, max(*made, *held) * 1.02)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])


def _curves(axes: Any, column: Column, made_N: Array, held_N: Array) -> None:
    """Histograms over all but the outermost hundredth of values; what is missing is told."""
    known = [x[~np.isnan(x)] for x in (made_N, held_N)]
    both = np.concatenate(known)
    axes.set_yticks([])
    if not len(both):
        axes.set_xticks([])
        return
    real = known[1] if len(known[1]) else both
    low, high = (float(np.quantile(real, share)) for share in (0.005, 0.995))
    if high <= low:
        low, high = float(both.min()), float(both.max())
    if high <= low:
        high = low + 1
    whole = column.field.decimals == 0 and high - low < 40
    edges = np.arange(low - 0.5, high + 1.0) if whole else np.linspace(low, high, BINS + 1)
    heights = []
    for x, of in zip(known, (made_N, held_N), strict=True):
        inside = x[(x >= edges[0]) & (x <= edges[-1])]
        heights.append(np.histogram(inside, edges)[0] / len(of))
    axes.stairs(heights[1], edges, fill=True, color=REAL, alpha=0.55, lw=0)
    axes.stairs(heights[0], edges, color=MADE, lw=1.3)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, max(1e-9, *(part.max() for part in heights)) * 1.05)
    axes.set_xticks([edges[0], edges[-1]], [_word(column, low), _word(column, high)])
    for label, side in zip(axes.get_xticklabels(), ("left", "right"), strict=True):
        label.set_ha(side)
    gone = [float(np.isnan(x).mean()) for x in (made_N, held_N)]
    if max(gone) > 0:
        axes.set_xlabel(f"missing {gone[0]:.0%}, real {gone[1]:.0%}", fontsize=6.0, labelpad=0)


def _word(column: Column, value: float) -> str:
    if column.field.type in ("integer", "decimal"):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}" if abs(value) < 1e7 else f"{value:.2g}"
    word = word_of(column.field, float(np.floor(value)))
    return short(word[:10] if column.field.type == "datetime" else word, 16)


def heat(names: Sequence[str], made_CC: Array, held_CC: Array) -> Iterator[Exhibit]:
    """Associations of held-out rows, of made rows, and made less held-out."""
    apart = made_CC - held_CC
    pick = np.arange(len(names))
    if len(names) > MOST_CELLS:
        pick = np.sort(np.argsort(-np.abs(apart).sum(axis=1), kind="stable")[:MOST_CELLS])
    most = f", the {MOST_CELLS} columns that differ most" if len(names) > MOST_CELLS else ""
    for name, cells, says in (
        ("held", held_CC, f"associations in held-out rows{most}: teal with the other, orange against it"),
        ("made", made_CC, f"associations in made rows{most}"),
        ("apart", apart, "made less held-out: teal is too much, orange too little, empty is right"),
    ):
        yield Exhibit(TYPE, _heat([names[int(place)] for place in pick], cells[np.ix_(pick, pick)], name), says)


def _heat(names: Sequence[str], cells_CC: Array, name: str) -> bytes:
    """Cells whose opacity is the strength, so that nothing is what the page is."""
    from matplotlib.colors import to_rgb

    count = len(names)
    most = max(len(short(each, 14)) for each in names)
    edge = 0.15 + 0.062 * most
    side = min(WIDE - edge - 0.1, 0.42 * count)
    height = side + edge + 0.45
    colours = np.zeros((count, count, 4))
    colours[cells_CC >= 0, :3], colours[cells_CC < 0, :3] = to_rgb(MADE), to_rgb(OVER)
    colours[..., 3] = np.clip(np.abs(cells_CC), 0, 1)

    def paint(figure: Any) -> None:
        axes = figure.add_axes((edge / WIDE, (edge + 0.3) / height, side / WIDE, side / height))
        axes.pcolormesh(np.arange(count + 1), np.arange(count + 1), colours, edgecolors=HAIR, linewidth=0.4)
        axes.invert_yaxis()
        places = np.arange(count) + 0.5
        size = 7.0 if count <= 16 else 6.0
        axes.set_yticks(places, [short(each, 14) for each in names], fontsize=size)
        axes.set_xticks(places, [short(each, 14) for each in names], rotation=90, fontsize=size)
        axes.spines["bottom"].set_visible(False)
        _scale(figure, edge, min(side, 1.9), height)

    return svg(paint, height, f"heat-{name}")


def _scale(figure: Any, left: float, wide: float, height: float) -> None:
    """A strip from against to with."""
    from matplotlib.colors import to_rgb

    values = np.linspace(-1, 1, 41)
    colours = np.zeros((1, 41, 4))
    colours[0, values >= 0, :3], colours[0, values < 0, :3] = to_rgb(MADE), to_rgb(OVER)
    colours[..., 3] = np.abs(values)
    axes = figure.add_axes((left / WIDE, 0.2 / height, wide / WIDE, 0.07 / height))
    axes.pcolormesh(np.linspace(-1.025, 1.025, 42), np.arange(2), colours)
    axes.set_yticks([])
    axes.set_xticks([-1, 0, 1], ["−1", "0", "1"])
    axes.tick_params(axis="x", pad=1.5)


def groups(
    names: Sequence[str], made: Array, real: Array, intervals: Sequence[tuple[float, float]], whole: float
) -> Exhibit:
    """Each group's area with its interval, the worst first, beside that of training rows."""
    order = np.argsort(-made, kind="stable")[:MOST_GROUPS][::-1]
    height = 0.72 + 0.2 * len(order)

    def paint(figure: Any) -> None:
        axes = figure.add_axes((0.4, 0.34 / height, 0.56, 1 - 0.62 / height))
        places = np.arange(len(order))
        axes.hlines(places, *zip(*(intervals[place] for place in order), strict=True), color=MADE, lw=1.4)
        axes.scatter(real[order], places, s=22, color=REAL, alpha=0.8, lw=0)
        axes.scatter(made[order], places, s=22, color=MADE, lw=0)
        axes.axvline(whole, color=MADE, lw=0.8, ls=(0, (3, 3)))
        axes.set_yticks(places, [short(names[place], 28) for place in order])
        axes.set_ylim(-0.6, len(order) - 0.4)
        axes.locator_params(axis="x", nbins=5)
        axes.grid(axis="x", color=HAIR, linewidth=0.6)
        axes.set_axisbelow(True)
        for left, colour, says in ((0.4, MADE, "made rows"), (0.62, REAL, "training rows")):
            figure.text(left, 1 - 0.16 / height, "●", color=colour, va="center")
            figure.text(left + 0.035, 1 - 0.16 / height, says, color=INK, va="center")

    some = f"the {MOST_GROUPS} worst of {len(names)} groups" if len(names) > MOST_GROUPS else "groups"
    caption = f"how often the critic is right within {some}; 0.5 is a guess, the dashed line is all made rows"
    return Exhibit(TYPE, svg(paint, height, "groups"), caption)


def plane(sight: Sight, rows: Sides) -> Exhibit:
    """Both sets in the two directions in which held-out rows differ most (Pearson, 1901), made over real."""
    mixed = fit_mixed(sight.columns, rows.held)
    held, made = mixed(rows.held).astype(np.float64), mixed(rows.made).astype(np.float64)
    mean = held.mean(axis=0)
    axes_2W = np.linalg.eigh(np.cov((held - mean).T) if held.shape[1] > 1 else np.ones((1, 1)))[1].T[::-1][:2]
    points = [(part[:MOST_POINTS] - mean) @ axes_2W.T for part in (held, made)]
    points = [part if part.shape[1] == 2 else np.concatenate([part, 0 * part], axis=1) for part in points]
    both = np.concatenate(points)
    low, high = both.min(axis=0), both.max(axis=0)
    margin = 0.04 * np.maximum(high - low, 1e-6)

    def paint(figure: Any) -> None:
        titles = "held-out rows", "made rows, over held-out ones"
        for panel, title in enumerate(titles):
            axes = figure.add_axes((0.02 + 0.49 * panel, 0.02, 0.47, 0.86))
            axes.scatter(*points[0].T, s=4, color=REAL, alpha=0.5 if panel else 0.8, lw=0, rasterized=True)
            if panel:
                axes.scatter(*points[1].T, s=4, color=MADE, alpha=0.6, lw=0, rasterized=True)
            axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
            axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
            axes.set_xticks([])
            axes.set_yticks([])
            for spine in axes.spines.values():
                spine.set_visible(True)
            axes.set_title(title, loc="left", pad=4)

    caption = f"{len(points[1]):,} rows of each in the two directions in which held-out rows differ most"
    return Exhibit(TYPE, svg(paint, 2.5, "plane"), caption)
