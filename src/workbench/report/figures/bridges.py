"""From one figure to another, step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from workbench.report import format as fmt
from workbench.report import theme
from workbench.report.exhibit import FigureBody, TableBody
from workbench.report.figures._axes import (
    bar_height,
    check_lengths,
    figure,
    house_layout,
    label,
    shown,
    unit_axis,
    unit_scale,
    value_columns,
)


def bridge(
    labels: Sequence[str],
    start: float,
    steps: Sequence[float],
    *,
    alt: str,
    ends: tuple[str, str] = ("Start", "End"),
    unit: str = "percent",
    step_unit: str = "bp",
    digits: int | None = None,
    axis_title: str = "",
    sides: tuple[str, str] = ("lowers", "raises"),
    data: TableBody | None = None,
) -> FigureBody:
    """Return the steps that lead from `start` to its sum with them, each a floating bar with its figure.

    Blue lowers and orange raises, as the legend says in the words of `sides`; what is too small to show does neither.
    Both ends are diamonds, not bars: the axis need not hold zero, so that small steps between large figures are seen.
    `digits` are those of the ends' figures.
    """
    check_lengths(labels, steps)
    names = [label(name) for name in (ends[0], *labels, ends[1])]
    levels = [start + math.fsum(steps[:position]) for position in range(len(steps) + 1)]
    scale, step_names = unit_scale(unit), names[1:-1]
    words, at_ends = shown(steps, step_unit), [fmt.by_unit(level, unit, digits) for level in (levels[0], levels[-1])]
    bars, nothing = [], fmt.by_unit(0.0, step_unit)
    for up, colour, side in ((False, theme.UNDER.light, sides[0]), (True, theme.OVER.light, sides[1])):
        places = [place for place, step in enumerate(steps) if (step >= 0) == up]
        bars.append({
            "type": "bar", "orientation": "h", "y": [step_names[place] for place in places],
            "x": [scale * steps[place] for place in places], "base": [scale * levels[place] for place in places],
            "name": label(side), "marker": {"color": colour},
            "showlegend": any(words[place] != nothing for place in places),
            "customdata": [words[place] for place in places], "hovertemplate": "%{y}: %{customdata}<extra></extra>",
        })  # fmt: skip
    bars = [trace for trace in bars if trace["y"]]
    marks = {
        "type": "scatter", "mode": "markers", "y": [names[0], names[-1]], "x": [scale * levels[0], scale * levels[-1]],
        "marker": {"symbol": "diamond", "size": 12, "color": theme.BAND.light}, "showlegend": False,
        "customdata": at_ends, "hovertemplate": "%{y}: %{customdata}<extra></extra>",
        "cliponaxis": False,
    }  # fmt: skip
    path = {
        "type": "scatter", "mode": "lines", "line": {"color": theme.AXIS.light, "width": 1, "dash": "dot"},
        "y": [name for pair in pairwise(names) for name in (*pair, pair[1])],
        "x": [x for level in levels for x in (scale * level, scale * level, None)],
        "showlegend": False, "hoverinfo": "skip",
    }  # fmt: skip
    layout = house_layout(legend=True) | {"bargap": 0.36, "barmode": "overlay"}
    low, high = scale * min(levels), scale * max(levels)
    room = 0.06 * (high - low) or 0.5
    layout["xaxis"] |= unit_axis(unit, axis_title) | {"range": [low - room, high + room], "nticks": 6}
    layout["yaxis"] |= {
        "type": "category", "autorange": "reversed", "showgrid": False, "ticksuffix": "  ",
        "categoryorder": "array", "categoryarray": names,
    }  # fmt: skip
    total = [f"<b>{text}</b>" for text in at_ends]
    column = value_columns(layout, names, [("", [total[0], *words, total[1]])])
    return FigureBody(figure([path, *bars, marks, column], layout), alt, bar_height(names, 30, layout), data)
