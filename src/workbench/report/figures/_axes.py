"""Axes, limits and labels shared by the chart forms."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from html import escape
from typing import Any

from workbench.report import format as fmt
from workbench.report import theme
from workbench.report.exhibit import ExhibitError

Values = Sequence[float | None]

_MARKUP = re.compile("<[^>]+>")

#: Width in pixels that a chart is drawn for on a page; a phone's is fitted by the book's script.
_DRAWN_WIDTH = 780

#: By unit: how many axis units one unit of value is, and what follows an axis figure.
_AXIS_UNITS = {
    "percent": (100.0, "%"),
    "pp": (100.0, " pp"),
    "bp": (10_000.0, " bp"),
    "usd": (1.0, ""),
    "count": (1.0, ""),
    "number": (1.0, ""),
}


def label(text: str, width: int = 30) -> str:
    """Escape a name for a chart and wrap it after `width` characters."""
    lines = textwrap.wrap(fmt.visible(str(text)), width) or [""]
    return "<br>".join(escape(line, quote=False) for line in lines)


def house_layout(*, legend: bool = False, limit: bool = False) -> dict[str, Any]:
    """Return the house layout with room on top for what stands there: a legend, and below it a limit's words."""
    layout = theme.figure_layout()
    layout["showlegend"] = legend
    layout["margin"] = layout["margin"] | {"t": 12 + 26 * legend + 18 * limit}
    return layout


def figure(traces: Sequence[dict[str, Any]], layout: dict[str, Any]) -> dict[str, Any]:
    """Return plotly's form of a figure."""
    return {"data": list(traces), "layout": layout}


def unit_scale(unit: str) -> float:
    """Return how many axis units one unit of value is; raises `ExhibitError` for an unknown unit."""
    return _axis_unit(unit)[0]


def unit_axis(unit: str, title: str = "") -> dict[str, Any]:
    """Return an axis's number format and title."""
    suffix = _axis_unit(unit)[1]
    base = theme.figure_layout()["xaxis"]["title"]
    words = {"title": base | {"text": label(title, 60)}}
    if unit == "usd":
        return words | {"tickprefix": "$", "tickformat": "~s", "separatethousands": True}
    return words | {"ticksuffix": suffix, "tickformat": ",~r" if suffix else ",~g"}


def value_columns(
    layout: dict[str, Any], labels: Sequence[str], columns: Sequence[tuple[str, Sequence[str]]]
) -> dict[str, Any]:
    """Return figures in columns of their own, right of the plot, each under its name: no mark can cover them.

    The plot makes room in `layout`. `meta.columns` is the room in pixels, for a narrower screen to share out anew.
    """
    widths = [round(14 + 6.7 * max(len(_MARKUP.sub("", text)) for text in (name, *words))) for name, words in columns]
    room = sum(widths)
    longest = max((len(line) for name in labels for line in name.split("<br>")), default=0)
    share = min(0.4, room / (_DRAWN_WIDTH - 7.0 * longest))
    layout["meta"] = {"columns": room}
    layout["xaxis"]["domain"] = [0, 1 - share]
    layout["xaxis2"] = {
        "domain": [1 - share, 1], "anchor": "y", "range": [0, room], "visible": False, "fixedrange": True,
    }  # fmt: skip
    layout["margin"] = layout["margin"] | {"r": 8}
    ends = [sum(widths[: position + 1]) for position in range(len(widths))]
    for end, (name, _) in zip(ends, columns):
        layout.setdefault("annotations", []).append(
            {
                "x": end, "xref": "x2", "y": 1, "yref": "y domain", "xanchor": "right", "yanchor": "bottom",
                "text": label(name), "showarrow": False, "font": {"size": 12, "color": theme.CHART_MUTED.light},
            }
        )  # fmt: skip
    return {
        "type": "scatter", "mode": "text", "xaxis": "x2", "x": [end for end in ends for _ in labels],
        "y": [name for _ in ends for name in labels], "text": [text for _, words in columns for text in words],
        "textposition": "middle left", "textfont": {"size": 12, "color": theme.CHART_INK.light},
        "showlegend": False, "hoverinfo": "skip", "cliponaxis": False,
    }  # fmt: skip


def draw_limit(
    layout: dict[str, Any], axis: str, value: float, unit: str, *, words: str | None = None, side: str = "left"
) -> None:
    """Add a dashed limit across the plot, named on top (for x) or at the right end (for y).

    `words` replaces the name; "" leaves it off. `side` is where an x limit's name starts from.
    """
    at = unit_scale(unit) * value
    across = "y" if axis == "x" else "x"
    line = {"type": "line", "line": {"color": theme.LIMIT.light, "width": 1.6, "dash": "dash"}}
    where = {f"{axis}0": at, f"{axis}1": at, f"{across}0": 0, f"{across}1": 1, f"{across}ref": f"{across} domain"}
    layout.setdefault("shapes", []).append(line | where | {f"{axis}ref": axis})
    if words == "":
        return
    place: dict[str, Any] = (
        {"x": at, "xref": "x", "y": 1, "yref": "y domain", "xanchor": side, "yanchor": "bottom"}
        if axis == "x"
        else {"y": at, "yref": "y", "x": 1, "xref": "x domain", "xanchor": "right", "yanchor": "bottom"}
    )
    text = words or f"limit {limit_words(value, unit)}"
    font = {"size": 12, "color": theme.LIMIT.light}
    layout.setdefault("annotations", []).append(place | {"text": text, "showarrow": False, "font": font})


def limit_words(value: float, unit: str) -> str:
    """Return a limit as words, without a plus sign or, for a plain number, digits it does not need."""
    text = f"{value:,g}".replace("-", fmt.MINUS) if unit == "number" else fmt.by_unit(value, unit)
    return text.lstrip("+")


def bar_height(labels: Sequence[str], each: int, layout: dict[str, Any]) -> int:
    """Return the height of horizontal bars: `each` pixels a label, more where it wraps, and the margins."""
    room = sum(max(each, 18 * (1 + name.count("<br>"))) for name in labels)
    return int(room + layout["margin"]["t"] + 56)


def legend_rows(names: Sequence[str]) -> int:
    """Return how many rows a legend of these names takes: plotly gives each the width of the longest."""
    across = max(1, (_DRAWN_WIDTH - 20) // round(46 + 7.0 * max(map(len, names), default=0)))
    return math.ceil(len(names) / across)


def known(value: float | None) -> float | None:
    """Return the number, or None where it is missing or not a number."""
    return None if value is None or math.isnan(value) else float(value)


def scaled(values: Values, scale: float) -> list[float | None]:
    """Return values in axis units; what is missing stays None."""
    return [None if number is None else scale * number for number in map(known, values)]


def shown(values: Values, unit: str) -> list[str]:
    """Return values as words; "" where there is none."""
    return ["" if number is None else fmt.by_unit(number, unit) for number in map(known, values)]


def check_lengths(first: Sequence[Any], *others: Sequence[Any]) -> None:
    """Raise `ExhibitError` unless all are as long as the first."""
    if any(len(other) != len(first) for other in others):
        raise ExhibitError(f"lengths differ: {[len(first), *(len(other) for other in others)]}")


def _axis_unit(unit: str) -> tuple[float, str]:
    if unit not in _AXIS_UNITS:
        raise ExhibitError(f"unit {unit!r} is not one of {', '.join(_AXIS_UNITS)}")
    return _AXIS_UNITS[unit]
