"""Before and after: where each name stands now, and where it would stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.report import theme
from workbench.report.exhibit import FigureBody, TableBody
from workbench.report.figures._axes import (
    Values,
    bar_height,
    check_lengths,
    figure,
    house_layout,
    known,
    label,
    scaled,
    shown,
    unit_axis,
    unit_scale,
    value_columns,
)


def before_after(
    labels: Sequence[str],
    before: Values,
    after: Values,
    *,
    alt: str,
    unit: str = "percent",
    names: tuple[str, str] = ("Now", "After"),
    axis_title: str = "",
    data: TableBody | None = None,
) -> FigureBody:
    """Return a ring before, a disc after and a line between them for each label, with both figures.

    Ring and disc differ in shape as well as colour. A label of which one value is missing has no line.
    """
    check_lengths(labels, before, after)
    names_shown, scale = [label(name) for name in labels], unit_scale(unit)
    starts, ends = scaled(before, scale), scaled(after, scale)
    between: list[float | None] = []
    rows: list[str] = []
    for name, start, end in zip(names_shown, starts, ends, strict=True):
        if start is not None and end is not None:
            between += [start, end, None]
            rows += [name, name, name]
    path = {
        "type": "scatter", "mode": "lines", "x": between, "y": rows, "showlegend": False, "hoverinfo": "skip",
        "line": {"color": theme.ACTUAL.light, "width": 2},
    }  # fmt: skip
    ring = {"symbol": "circle-open", "size": 11, "color": theme.OVER.light, "line": {"width": 2.5}}
    disc = {"symbol": "circle", "size": 11, "color": theme.ACTUAL.light}
    layout = house_layout(legend=True)
    widest = max((value for value in map(known, [*starts, *ends]) if value is not None), default=0.0)
    layout["xaxis"] |= unit_axis(unit, axis_title) | {"range": [0, widest * 1.06 or 1.0], "nticks": 7}
    layout["yaxis"] |= {
        "type": "category", "autorange": "reversed", "showgrid": False, "ticksuffix": "  ",
        "categoryorder": "array", "categoryarray": names_shown,
    }  # fmt: skip
    traces = [
        path,
        _marks(names_shown, before, unit, names[0], ring),
        _marks(names_shown, after, unit, names[1], disc),
        value_columns(layout, names_shown, [(names[0], shown(before, unit)), (names[1], shown(after, unit))]),
    ]
    return FigureBody(figure(traces, layout), alt, bar_height(names_shown, 28, layout), data)


def _marks(labels: Sequence[str], values: Values, unit: str, name: str, marker: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "y": list(labels), "x": scaled(values, unit_scale(unit)),
        "name": label(name), "marker": marker, "customdata": shown(values, unit), "cliponaxis": False,
        "hovertemplate": "%{y}, " + label(name) + ": %{customdata}<extra></extra>",
    }  # fmt: skip
