"""Small panels under each other: series of different units over the same days, each with its own scale and limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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

#: Height of a panel in pixels with the words above it, the room of those words, and of the days below them all.
_PANEL, _WORDS, _DAYS = 92, 22, 28
#: More panels than this are a page of their own, and no figure.
_MOST = 8


@dataclass(frozen=True)
class Panel:
    """One series: its name, values over the figure's days, their unit, and the limit drawn across.

    `words` stand above the panel after the name, such as the value now.
    """

    name: str
    values: Values
    unit: str = "number"
    limit: float | None = None
    words: str = ""


def panels(dates: Sequence[str], series: Sequence[Panel], *, alt: str, data: TableBody | None = None) -> FigureBody:
    """Return one line a panel over ISO dates, its limit dashed; the days stand below the last panel.

    Raises `ExhibitError` for no panel, for more than can be looked at, or for values of another length.
    """
    if not 1 <= len(series) <= _MOST:
        raise ExhibitError(f"{len(series)} panels; give 1 to {_MOST}")
    days = [str(day)[:10] for day in dates]
    layout = house_layout()
    axis = layout.pop("yaxis")
    height = _PANEL * len(series)
    traces, layout["annotations"], layout["shapes"] = [], [], []
    for place, panel in enumerate(series):
        check_lengths(days, panel.values)
        name = f"y{place + 1 if place else ''}"
        top = 1.0 - (place * _PANEL + _WORDS) / height
        bottom = 1.0 - (place + 1) * _PANEL / height
        layout[name.replace("y", "yaxis")] = axis | {
            **unit_axis(panel.unit), "title": {"text": ""}, "domain": [max(bottom, 0.0), top], "nticks": 4,
            "range": _range(panel),
        }  # fmt: skip
        traces.append(_line(days, panel, name))
        words = f"<b>{label(panel.name, 60)}</b>" + (f"  {label(panel.words, 80)}" if panel.words else "")
        layout["annotations"].append(
            {
                "x": 0, "xref": "paper", "xanchor": "left", "y": top, "yref": "paper", "yanchor": "bottom",
                "text": words, "showarrow": False, "font": {"size": 12.5, "color": theme.CHART_INK.light},
            }
        )  # fmt: skip
        if panel.limit is not None:
            at = unit_scale(panel.unit) * panel.limit
            layout["shapes"].append(
                {
                    "type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": at, "y1": at, "yref": name,
                    "line": {"color": theme.LIMIT.light, "width": 1.6, "dash": "dash"},
                }
            )  # fmt: skip
    layout["xaxis"] |= {"type": "date", "showgrid": False, "showline": True, "anchor": traces[-1]["yaxis"]}
    layout["hovermode"] = "closest"
    layout["margin"] |= {"t": 4}
    return FigureBody(figure(traces, layout), alt, height + _DAYS, data)


def _range(panel: Panel) -> list[float]:
    """From zero, or the lowest, to above the highest of values and limit: plotly itself leaves the limit out."""
    scale = unit_scale(panel.unit)
    values = [0.0, *(scale * number for number in map(known, (*panel.values, panel.limit)) if number is not None)]
    low, high = min(values), max(values)
    room = 0.12 * (high - low) or 1.0
    return [low - room if low < 0 else 0.0, high + room]


def _line(days: Sequence[str], panel: Panel, axis: str) -> dict[str, Any]:
    """The line of a panel, with a point a day."""
    name = label(panel.name)
    return {
        "type": "scatter", "mode": "lines+markers", "x": list(days), "yaxis": axis,
        "y": scaled(panel.values, unit_scale(panel.unit)), "name": name,
        "line": {"color": theme.ACTUAL.light, "width": 2}, "marker": {"color": theme.ACTUAL.light, "size": 4},
        "customdata": [fmt.by_unit(known(value), panel.unit) for value in panel.values],
        "hovertemplate": f"%{{x|%d %b %Y}}: %{{customdata}}<extra>{name}</extra>",
    }  # fmt: skip
