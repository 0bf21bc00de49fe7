"""Lines over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.report import format as fmt
from workbench.report import theme
from workbench.report.exhibit import ExhibitError, FigureBody, TableBody
from workbench.report.figures._axes import (
    Values,
    check_lengths,
    draw_limit,
    figure,
    house_layout,
    known,
    label,
    scaled,
    unit_axis,
    unit_scale,
)


def lines(
    dates: Sequence[str],
    series: Mapping[str, Values],
    *,
    alt: str,
    unit: str = "number",
    band: tuple[Values, Values] | None = None,
    band_name: str = "Band",
    limit: float | None = None,
    axis_title: str = "",
    data: TableBody | None = None,
) -> FigureBody:
    """Return lines over ISO dates, each named at its end, with an optional shaded band and a dashed limit."""
    scale = unit_scale(unit)
    days = [str(day)[:10] for day in dates]
    traces: list[dict[str, Any]] = []
    if band is not None:
        check_lengths(days, *band)
        edge = {"type": "scatter", "mode": "lines", "x": days, "line": {"width": 0}, "hoverinfo": "skip"}
        fill = {"fill": "tonexty", "fillcolor": theme.BAND_FILL.light, "name": band_name, "showlegend": True}
        traces += [
            edge | {"y": scaled(band[0], scale), "showlegend": False},
            edge | fill | {"y": scaled(band[1], scale)},
        ]
    colours = [theme.ACTUAL, theme.OVER, theme.CATEGORIES[4], theme.CATEGORIES[3], theme.CATEGORIES[5]]
    dashes = ["solid", "dash", "solid", "dot", "dashdot"]
    if len(series) > len(colours):
        raise ExhibitError(f"{len(series)} lines are too many to tell apart; show {len(colours)}")
    for position, (name, values) in enumerate(series.items()):
        check_lengths(days, values)
        traces.append(
            {
                "type": "scatter", "mode": "lines", "x": days, "y": scaled(values, scale), "name": label(name),
                "line": {"color": colours[position].light, "width": 2, "dash": dashes[position]},
                "customdata": [fmt.by_unit(known(value), unit) for value in values],
                "hovertemplate": "%{x|%d %b %Y}: %{customdata}<extra>" + label(name) + "</extra>",
            }
        )  # fmt: skip
    layout = house_layout(legend=len(traces) > 1)
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {"type": "date", "showgrid": False, "showline": True}
    layout["yaxis"] |= unit_axis(unit, axis_title)
    if limit is not None:
        draw_limit(layout, "y", limit, unit)
    return FigureBody(figure(traces, layout), alt, 320, data)
