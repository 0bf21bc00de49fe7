"""Many paths of one thing: where most of them run, how far they spread, and the few worth a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.report import format as fmt
from workbench.report import theme
from workbench.report.exhibit import ExhibitError, FigureBody, TableBody
from workbench.report.figures._axes import (
    Values,
    check_lengths,
    figure,
    house_layout,
    known,
    label,
    scaled,
    unit_axis,
    unit_scale,
)

#: Thin lines that can be told from a filled area.
_DRAWN = 24
_COLOURS = (theme.OVER, theme.ACTUAL, theme.CATEGORIES[3])
_DASHES = ("solid", "dash", "dot")


def fan(
    dates: Sequence[str],
    paths: NDArray[np.float64],
    *,
    alt: str,
    unit: str = "percent",
    named: Mapping[str, Values] | None = None,
    all_name: str = "All",
    half_name: str = "Middle half",
    axis_title: str = "",
    data: TableBody | None = None,
) -> FigureBody:
    """Return the spread of `paths` (one row a path, one column a date) as a band, its middle half darker.

    A few of the paths, spread evenly over where they end, are thin lines; up to three in `named` are strong ones.
    Raises `ExhibitError` where there is no path, a path has a hole, or lengths differ.
    """
    named = dict(named or {})
    if paths.ndim != 2 or not len(paths) or not np.isfinite(paths).all():
        raise ExhibitError("a fan needs at least one path, each without holes; say in prose that there is none")
    if len(named) > len(_COLOURS):
        raise ExhibitError(f"{len(named)} named paths cannot be told apart; give up to {len(_COLOURS)}")
    days, scale = [str(day)[:10] for day in dates], unit_scale(unit)
    check_lengths(days, paths[0])
    low, first, third, high = np.quantile(paths, (0.0, 0.25, 0.75, 1.0), axis=0) * scale
    traces = [*_band(days, low, high, all_name), *_band(days, first, third, half_name)]
    ends = np.argsort(paths[:, -1], kind="stable")
    chosen = ends[np.unique(np.linspace(0, len(ends) - 1, min(_DRAWN, len(ends))).round().astype(int))]
    traces += [
        {
            "type": "scatter", "mode": "lines", "x": days, "y": (scale * paths[row]).tolist(), "showlegend": False,
            "line": {"color": theme.AXIS.light, "width": 0.7}, "hoverinfo": "skip",
        }
        for row in chosen
    ]  # fmt: skip
    for position, (name, values) in enumerate(named.items()):
        check_lengths(days, values)
        traces.append(
            {
                "type": "scatter", "mode": "lines", "x": days, "y": scaled(values, scale), "name": label(name),
                "line": {"color": _COLOURS[position].light, "width": 2.2, "dash": _DASHES[position]},
                "customdata": [fmt.by_unit(known(value), unit) for value in values],
                "hovertemplate": "%{x|%d %b %Y}: %{customdata}<extra>" + label(name) + "</extra>",
            }
        )  # fmt: skip
    layout = house_layout(legend=True)
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {"type": "date", "showgrid": False, "showline": True}
    layout["yaxis"] |= unit_axis(unit, axis_title) | {"zeroline": True, "zerolinecolor": theme.AXIS.light}
    return FigureBody(figure(traces, layout), alt, 340, data)


def _band(days: list[str], low: NDArray[np.float64], high: NDArray[np.float64], name: str) -> list[dict[str, Any]]:
    edge = {"type": "scatter", "mode": "lines", "x": days, "line": {"width": 0}, "hoverinfo": "skip"}
    fill = {"fill": "tonexty", "fillcolor": theme.BAND_FILL.light, "name": label(name), "showlegend": True}
    return [edge | {"y": low.tolist(), "showlegend": False}, edge | fill | {"y": high.tolist()}]
