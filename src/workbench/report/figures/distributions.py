"""Many accounts at once: scatter, histogram and a table of dots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.report import format as fmt
from workbench.report import theme
from workbench.report.exhibit import ExhibitError, FigureBody, TableBody
from workbench.report.figures._axes import (
    Values,
    bar_height,
    check_lengths,
    draw_limit,
    figure,
    house_layout,
    known,
    label,
    limit_words,
    scaled,
    unit_axis,
    unit_scale,
)


def account_scatter(
    x: Values,
    y: Values,
    labels: Sequence[str],
    *,
    alt: str,
    x_title: str,
    y_title: str,
    x_unit: str = "pp",
    y_unit: str = "usd",
    groups: Sequence[str] | None = None,
    named: Sequence[str] = (),
    x_limit: float | None = None,
    y_limit: float | None = None,
    data: TableBody | None = None,
) -> FigureBody:
    """Return one mark an account, as drift against tax cost; those in `named` carry their label.

    `groups` gives each account's group, told apart by colour and by the mark's shape.
    """
    check_lengths(labels, x, y)
    groups = ["Accounts"] * len(labels) if groups is None else groups
    check_lengths(labels, groups)
    symbols = ["circle", "diamond", "square", "triangle-up", "cross", "x", "star"]
    order = list(dict.fromkeys(groups))
    if len(order) > len(symbols):
        raise ExhibitError(f"{len(order)} groups are too many to tell apart; show {len(symbols)}")
    x_scale, y_scale = unit_scale(x_unit), unit_scale(y_unit)
    traces = []
    for position, group in enumerate(order):
        rows = [row for row, name in enumerate(groups) if name == group]
        traces.append(
            {
                "type": "scatter", "mode": "markers", "name": label(group),
                "x": scaled([x[row] for row in rows], x_scale), "y": scaled([y[row] for row in rows], y_scale),
                "marker": {
                    "size": 9, "opacity": 0.82, "symbol": symbols[position],
                    "color": theme.CATEGORIES[position].light,
                    "line": {"color": theme.GAP.light, "width": 1},
                },
                "customdata": [
                    [label(labels[row]), fmt.by_unit(known(x[row]), x_unit), fmt.by_unit(known(y[row]), y_unit)]
                    for row in rows
                ],
                "hovertemplate": "%{customdata[0]}<br>%{customdata[1]}, %{customdata[2]}<extra></extra>",
                "cliponaxis": False,
            }
        )  # fmt: skip
    if named:
        traces.append(_named_marks(scaled(x, x_scale), scaled(y, y_scale), labels, named))
    layout = house_layout(legend=len(order) > 1, limit=x_limit is not None)
    layout["hovermode"] = "closest"
    for axis, unit, title, limit in (("x", x_unit, x_title, x_limit), ("y", y_unit, y_title, y_limit)):
        key = f"{axis}axis"
        layout[key] |= unit_axis(unit, title)
        if limit is not None:
            draw_limit(layout, axis, limit, unit)
    return FigureBody(figure(traces, layout), alt, 380, data)


def _named_marks(x: Values, y: Values, labels: Sequence[str], named: Sequence[str]) -> dict[str, Any]:
    """Return rings around the named accounts with their names, written inwards at the right edge."""
    reach = [value for value in x if value is not None]
    edge = min(reach, default=0.0) + 0.88 * (max(reach, default=0.0) - min(reach, default=0.0))
    rows = [row for row, name in enumerate(labels) if name in named]
    inwards = [(value := x[row]) is not None and value > edge for row in rows]
    return {
        "type": "scatter", "mode": "markers+text", "x": [x[row] for row in rows], "y": [y[row] for row in rows],
        "text": [label(labels[row]) + "\u00a0\u00a0" * back for row, back in zip(rows, inwards)],
        "textposition": ["middle left" if back else "top center" for back in inwards],
        "textfont": {"size": 12, "color": theme.CHART_INK.light},
        "marker": {"symbol": "circle-open", "size": 14, "line": {"color": theme.CHART_INK.light, "width": 1.5}},
        "showlegend": False, "hoverinfo": "skip", "cliponaxis": False,
    }  # fmt: skip


def histogram(
    values: Values,
    *,
    alt: str,
    unit: str = "pp",
    bins: int = 24,
    limit: float | None = None,
    limit_name: str = "limit",
    axis_title: str = "",
    count_title: str = "Accounts",
    data: TableBody | None = None,
) -> FigureBody:
    """Return counts of values in equal bins; a bin ends at `limit`, and those past it are orange and counted."""
    present = [value for value in values if value is not None and not math.isnan(value)]
    if not present:
        raise ExhibitError("a histogram needs at least one value; say in prose that there is none")
    scale = unit_scale(unit)
    start, width, tally = _binned(present, bins, limit)
    middles = [start + (position + 0.5) * width for position in range(len(tally))]
    past = [limit is not None and middle > limit for middle in middles]
    trace = {
        "type": "bar",
        "x": [scale * middle for middle in middles],
        "y": tally,
        "width": scale * width * 0.92,
        "marker": {"color": [theme.OVER.light if out else theme.ACTUAL.light for out in past]},
        "customdata": [
            f"{fmt.by_unit(middle - width / 2, unit)} to {fmt.by_unit(middle + width / 2, unit)}" for middle in middles
        ],
        "hovertemplate": "%{customdata}: %{y}<extra></extra>",
    }
    layout = house_layout(limit=limit is not None)
    layout["xaxis"] |= unit_axis(unit, axis_title) | {"showgrid": False, "showline": True}
    layout["yaxis"] |= unit_axis("count", count_title) | {"tickformat": ",d"}
    if limit is not None:
        words = f"{label(limit_name)} {limit_words(limit, unit)}; {sum(value > limit for value in present):,} past it"
        draw_limit(layout, "x", limit, unit, words=words)
    return FigureBody(figure([trace], layout), alt, 300, data)


def _binned(values: Sequence[float], bins: int, limit: float | None) -> tuple[float, float, list[int]]:
    """Return the first edge, the width and the counts of bins, each without its lower and with its upper edge."""
    low, high = min(values), max(values)
    width = (high - low) / bins or abs(high) / bins or 1.0
    start = low
    if limit is not None and low < limit < high:
        start = limit - math.ceil(round((limit - low) / width, 9)) * width
    places = [max(0, math.ceil(round((value - start) / width, 9)) - 1) for value in values]
    tally = [0] * max(max(places) + 1, bins)
    for place in places:
        tally[place] += 1
    return start, width, tally


def dot_table(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Values],
    *,
    alt: str,
    unit: str = "pp",
    limit: float | None = None,
    data: TableBody | None = None,
) -> FigureBody:
    """Return a grid of dots: size is the value's magnitude, orange above zero and blue below, a ring past `limit`."""
    check_lengths(rows, values)
    cells = [
        (column, row, value)
        for row, line in zip(rows, values, strict=True)
        for column, value in zip(columns, line, strict=True)
        if value is not None and not math.isnan(value)
    ]
    largest = max((abs(value) for *_, value in cells), default=0.0) or 1.0
    past = [limit is not None and abs(value) > limit for *_, value in cells]
    trace = {
        "type": "scatter",
        "mode": "markers+text",
        "x": [label(column, 14) for column, _, _ in cells],
        "y": [label(row) for _, row, _ in cells],
        "text": [fmt.by_unit(value, unit).replace("\u00a0pp", "") for *_, value in cells],
        "textposition": "middle right",
        "textfont": {"size": 12, "color": theme.CHART_INK.light},
        "marker": {
            "size": [4 + 20 * math.sqrt(abs(value) / largest) for *_, value in cells],
            "color": [theme.OVER.light if value >= 0 else theme.UNDER.light for *_, value in cells],
            "line": {"color": theme.LIMIT.light, "width": [2.5 if out else 0 for out in past]},
            "opacity": 1,
        },
        "cliponaxis": False,
        "hovertemplate": "%{y}, %{x}: %{text}<extra></extra>",
    }
    layout = house_layout()
    layout["xaxis"] |= {
        "side": "top", "type": "category", "dtick": 1, "showgrid": False, "showline": False,
        "range": [-0.4, len(columns) - 0.2], "categoryorder": "array",
        "categoryarray": [label(column, 14) for column in columns],
    }  # fmt: skip
    layout["yaxis"] |= {
        "type": "category", "autorange": "reversed", "categoryorder": "array",
        "categoryarray": [label(row) for row in rows],
    }  # fmt: skip
    return FigureBody(figure([trace], layout), alt, bar_height([label(row) for row in rows], 38, layout), data)
