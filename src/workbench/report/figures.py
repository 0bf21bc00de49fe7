"""The book's chart forms: plain plotly JSON in the house style, no plotly import.

Each function takes plain sequences and gives a `FigureBody`. Values come as fractions, dollars or counts and `unit`
("percent", "pp", "bp", "usd", "count", "number") says how axes and labels read. Names from the firm's data are
escaped, for plotly reads a small markup. A missing value (None or NaN) leaves a gap, never a zero.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from workbench.report import format as fmt
from workbench.report import theme
from workbench.report.exhibit import ExhibitError, FigureBody, TableBody

Values = Sequence[float | None]

_AXIS_FORMATS = {
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


def bars_against_target(
    labels: Sequence[str],
    actual: Values,
    target: Values,
    *,
    alt: str,
    unit: str = "percent",
    lower: Values | None = None,
    upper: Values | None = None,
    limit: float | None = None,
    names: tuple[str, str] = ("Actual", "Target"),
    axis_title: str = "",
    data: TableBody | None = None,
) -> FigureBody:
    """Return horizontal bars of actual above target for each label; `lower` and `upper` mark the band.

    The band is a bracket over the pair of bars, `limit` a dashed line over all of them.
    """
    _same_length(labels, actual, target)
    names_shown = [label(name) for name in labels]
    traces = [
        _bar(names_shown, target, unit, theme.TARGET.light, names[1]),
        _bar(names_shown, actual, unit, theme.ACTUAL.light, names[0]),
    ]
    if lower is not None and upper is not None:
        _same_length(labels, lower, upper)
        traces.append(_band_marks(names_shown, lower, upper, unit))
    layout = _horizontal(unit, axis_title, [*actual, *target, *(upper or ()), limit])
    layout |= {"barmode": "group", "bargap": 0.34, "bargroupgap": 0.06, "showlegend": True}
    layout["legend"] |= {"traceorder": "reversed"}
    if limit is not None:
        _limit_line(layout, "x", limit, unit)
    return FigureBody(_figure(traces, layout), alt, _bar_height(names_shown, 46), data)


def diverging_bars(
    labels: Sequence[str],
    values: Values,
    *,
    alt: str,
    unit: str = "pp",
    limit: float | None = None,
    axis_title: str = "",
    sides: tuple[str, str] = ("under target", "over target"),
    data: TableBody | None = None,
) -> FigureBody:
    """Return bars left and right of zero, orange above and blue below; `limit` is dashed on both sides."""
    _same_length(labels, values)
    shown = [label(name) for name in labels]
    traces = []
    for keep_positive, colour, name in (
        (False, theme.UNDER.light, sides[0]),
        (True, theme.OVER.light, sides[1]),
    ):
        part = [
            value if value is not None and not math.isnan(value) and (value >= 0) == keep_positive else None
            for value in values
        ]
        if any(value is not None for value in part):
            traces.append(_bar(shown, part, unit, colour, name))
    layout = _horizontal(unit, axis_title, [*values, limit, None if limit is None else -limit])
    layout |= {"barmode": "overlay", "bargap": 0.36, "showlegend": len(traces) > 1}
    layout["xaxis"] |= {"zeroline": True, "zerolinecolor": theme.AXIS.light, "zerolinewidth": 1}
    if limit is not None:
        _limit_line(layout, "x", limit, unit)
        _limit_line(layout, "x", -limit, unit, text=False)
    return FigureBody(_figure(traces, layout), alt, _bar_height(shown, 30), data)


def stacked_causes(
    labels: Sequence[str],
    causes: Mapping[str, Values],
    *,
    alt: str,
    unit: str = "pp",
    totals: Values | None = None,
    total_name: str = "Total",
    axis_title: str = "",
    data: TableBody | None = None,
) -> FigureBody:
    """Return, for each label, its causes stacked from zero to either side and their total as a diamond."""
    if len(causes) > len(theme.CATEGORIES):
        raise ExhibitError(f"{len(causes)} causes are too many to tell apart; join the small ones")
    shown = [label(name) for name in labels]
    traces = []
    for position, (name, values) in enumerate(causes.items()):
        _same_length(labels, values)
        trace = _bar(shown, values, unit, theme.CATEGORIES[position].light, name, text=False)
        trace["marker"] |= {
            "line": {"color": theme.GAP.light, "width": 1},
            "pattern": {
                "shape": theme.PATTERNS[position], "size": 5, "solidity": 0.22,
                "fgcolor": theme.GAP.light, "fillmode": "overlay",
            },
        }  # fmt: skip
        traces.append(trace)
    if totals is not None:
        _same_length(labels, totals)
        traces.append(_markers(shown, totals, unit, total_name))
    reach = [_sum(v[row] for v in causes.values() if (v[row] or 0) > 0) for row in range(len(labels))]
    reach += [_sum(v[row] for v in causes.values() if (v[row] or 0) < 0) for row in range(len(labels))]
    layout = _horizontal(unit, axis_title, reach)
    layout |= {"barmode": "relative", "bargap": 0.36, "showlegend": True}
    layout["xaxis"] |= {"zeroline": True, "zerolinecolor": theme.AXIS.light, "zerolinewidth": 1}
    return FigureBody(_figure(traces, layout), alt, _bar_height(shown, 34) + 24, data)


def waterfall(
    labels: Sequence[str],
    steps: Sequence[float],
    *,
    alt: str,
    unit: str = "pp",
    total_label: str = "Total",
    axis_title: str = "",
    data: TableBody | None = None,
) -> FigureBody:
    """Return the steps that lead from zero to their sum, one bar each, the sum last."""
    _same_length(labels, steps)
    scale, _ = _scale(unit)
    shown = [label(name) for name in [*labels, total_label]]
    total = math.fsum(steps)
    running, starts = 0.0, []
    for step in steps:
        starts.append(running)
        running += step
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": shown,
        "x": [scale * value for value in [*steps, total]],
        "base": [scale * value for value in [*starts, 0.0]],
        "marker": {
            "color": [theme.OVER.light if step >= 0 else theme.UNDER.light for step in steps] + [theme.BAND.light]
        },
        "text": [fmt.by_unit(value, unit) for value in [*steps, total]],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    layout = _horizontal(unit, axis_title, [*starts, running, 0.0])
    layout |= {"bargap": 0.36}
    layout["xaxis"] |= {"zeroline": True, "zerolinecolor": theme.AXIS.light, "zerolinewidth": 1}
    return FigureBody(_figure([trace], layout), alt, _bar_height(shown, 32), data)


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
    _same_length(rows, values)
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
    layout = _layout()
    layout["xaxis"] |= {
        "side": "top", "type": "category", "showgrid": False, "showline": False,
        "range": [-0.4, len(columns) - 0.2], "categoryorder": "array",
        "categoryarray": [label(column, 14) for column in columns],
    }  # fmt: skip
    layout["yaxis"] |= {
        "type": "category", "autorange": "reversed", "categoryorder": "array",
        "categoryarray": [label(row) for row in rows],
    }  # fmt: skip
    return FigureBody(_figure([trace], layout), alt, _bar_height([label(row) for row in rows], 38), data)


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
    scale, _ = _scale(unit)
    days = [str(day)[:10] for day in dates]
    traces: list[dict[str, Any]] = []
    if band is not None:
        _same_length(days, *band)
        edge = {"type": "scatter", "mode": "lines", "x": days, "line": {"width": 0}, "hoverinfo": "skip"}
        fill = {"fill": "tonexty", "fillcolor": theme.BAND_FILL.light, "name": band_name, "showlegend": True}
        traces += [
            edge | {"y": _scaled(band[0], scale), "showlegend": False},
            edge | fill | {"y": _scaled(band[1], scale)},
        ]
    colours = [theme.ACTUAL, theme.OVER, theme.CATEGORIES[4], theme.CATEGORIES[3], theme.CATEGORIES[5]]
    dashes = ["solid", "dash", "solid", "dot", "dashdot"]
    if len(series) > len(colours):
        raise ExhibitError(f"{len(series)} lines are too many to tell apart; show {len(colours)}")
    for position, (name, values) in enumerate(series.items()):
        _same_length(days, values)
        traces.append(
            {
                "type": "scatter", "mode": "lines", "x": days, "y": _scaled(values, scale), "name": label(name),
                "line": {"color": colours[position].light, "width": 2, "dash": dashes[position]},
                "customdata": [fmt.by_unit(_none(value), unit) for value in values],
                "hovertemplate": "%{x|%d %b %Y}: %{customdata}<extra>" + label(name) + "</extra>",
            }
        )  # fmt: skip
    layout = _layout()
    layout |= {"showlegend": len(traces) > 1, "hovermode": "closest"}
    layout["xaxis"] |= {"type": "date", "showgrid": False, "showline": True}
    layout["yaxis"] |= _axis(unit) | {"title": {**layout["yaxis"]["title"], "text": label(axis_title, 60)}}
    if limit is not None:
        _limit_line(layout, "y", limit, unit)
    return FigureBody(_figure(traces, layout), alt, 340, data)


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
    _same_length(labels, x, y)
    groups = ["Accounts"] * len(labels) if groups is None else groups
    _same_length(labels, groups)
    symbols = ["circle", "diamond", "square", "triangle-up", "cross", "x", "star"]
    order = list(dict.fromkeys(groups))
    if len(order) > len(symbols):
        raise ExhibitError(f"{len(order)} groups are too many to tell apart; show {len(symbols)}")
    x_scale, y_scale = _scale(x_unit)[0], _scale(y_unit)[0]
    traces = []
    for position, group in enumerate(order):
        rows = [row for row, name in enumerate(groups) if name == group]
        traces.append(
            {
                "type": "scatter", "mode": "markers+text", "name": label(group),
                "x": _scaled([x[row] for row in rows], x_scale), "y": _scaled([y[row] for row in rows], y_scale),
                "text": [label(labels[row]) if labels[row] in named else "" for row in rows],
                "textposition": "top center", "textfont": {"size": 12, "color": theme.CHART_INK.light},
                "marker": {
                    "size": 9, "opacity": 0.82, "symbol": symbols[position],
                    "color": theme.CATEGORIES[position].light,
                    "line": {"color": theme.GAP.light, "width": 1},
                },
                "customdata": [
                    [label(labels[row]), fmt.by_unit(_none(x[row]), x_unit), fmt.by_unit(_none(y[row]), y_unit)]
                    for row in rows
                ],
                "hovertemplate": "%{customdata[0]}<br>%{customdata[1]}, %{customdata[2]}<extra></extra>",
                "cliponaxis": False,
            }
        )  # fmt: skip
    layout = _layout()
    layout |= {"showlegend": len(order) > 1, "hovermode": "closest"}
    for axis, unit, title, limit in (("x", x_unit, x_title, x_limit), ("y", y_unit, y_title, y_limit)):
        key = f"{axis}axis"
        layout[key] |= _axis(unit) | {"title": {**layout[key]["title"], "text": label(title, 60)}}
        if limit is not None:
            _limit_line(layout, axis, limit, unit)
    return FigureBody(_figure(traces, layout), alt, 400, data)


def histogram(
    values: Values,
    *,
    alt: str,
    unit: str = "pp",
    bins: int = 24,
    limit: float | None = None,
    axis_title: str = "",
    count_title: str = "Accounts",
    data: TableBody | None = None,
) -> FigureBody:
    """Return counts of values in equal bins; those past `limit` are orange."""
    present = [value for value in values if value is not None and not math.isnan(value)]
    if not present:
        raise ExhibitError("a histogram needs at least one value; say in prose that there is none")
    scale, _ = _scale(unit)
    low, high = min(present), max(present)
    width = (high - low) / bins or abs(high) / bins or 1.0
    tally = [0] * bins
    for value in present:
        tally[min(int((value - low) / width), bins - 1)] += 1
    middles = [low + (position + 0.5) * width for position in range(bins)]
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
    layout = _layout()
    layout["xaxis"] |= _axis(unit) | {
        "showgrid": False,
        "showline": True,
        "title": {**layout["xaxis"]["title"], "text": label(axis_title, 60)},
    }
    layout["yaxis"] |= {"title": {**layout["yaxis"]["title"], "text": label(count_title, 40)}, "tickformat": ",d"}
    if limit is not None:
        _limit_line(layout, "x", limit, unit)
    return FigureBody(_figure([trace], layout), alt, 300, data)


def _figure(traces: Sequence[dict[str, Any]], layout: dict[str, Any]) -> dict[str, Any]:
    return {"data": list(traces), "layout": layout}


def _layout() -> dict[str, Any]:
    return theme.figure_layout()


def _scale(unit: str) -> tuple[float, str]:
    if unit not in _AXIS_FORMATS:
        raise ExhibitError(f"unit {unit!r} is not one of {', '.join(_AXIS_FORMATS)}")
    return _AXIS_FORMATS[unit]


def _axis(unit: str) -> dict[str, Any]:
    _, suffix = _scale(unit)
    if unit == "usd":
        return {"tickprefix": "$", "tickformat": "~s", "separatethousands": True}
    return {"ticksuffix": suffix, "tickformat": ",~r" if suffix else ",~g"}


def _horizontal(unit: str, title: str, reach: Sequence[float | None]) -> dict[str, Any]:
    """Return the layout of horizontal bars, first label on top, with room for labels outside the bars."""
    scale, _ = _scale(unit)
    layout = _layout()
    known = [scale * value for value in reach if value is not None and not math.isnan(value)]
    low, high = min([0.0, *known]), max([0.0, *known])
    room = (high - low) * 0.14 or 1.0
    layout["xaxis"] |= _axis(unit) | {
        "range": [low - room if low < 0 else 0, high + room if high > 0 else 0],
        "title": {**layout["xaxis"]["title"], "text": label(title, 60)},
        "nticks": 7,
    }
    layout["yaxis"] |= {"type": "category", "autorange": "reversed", "showgrid": False, "ticksuffix": "  "}
    return layout


def _bar(
    labels: Sequence[str], values: Values, unit: str, colour: str, name: str, *, text: bool = True
) -> dict[str, Any]:
    scale, _ = _scale(unit)
    shown = [fmt.by_unit(_none(value), unit) for value in values]
    trace: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "y": list(labels),
        "x": _scaled(values, scale),
        "name": label(name),
        "marker": {"color": colour},
        "customdata": shown,
        "hovertemplate": "%{y}, " + label(name) + ": %{customdata}<extra></extra>",
    }
    if text:
        trace |= {
            "text": [t if v is not None else "" for t, v in zip(shown, map(_none, values), strict=True)],
            "textposition": "outside", "textfont": {"size": 12, "color": theme.CHART_INK.light},
            "cliponaxis": False, "textangle": 0,
        }  # fmt: skip
    return trace


def _band_marks(labels: Sequence[str], lower: Values, upper: Values, unit: str) -> dict[str, Any]:
    """Return the bands as brackets: whiskers around the middle, without a mark there."""
    scale, _ = _scale(unit)
    middle, half, words = [], [], []
    for low, high in zip(map(_none, lower), map(_none, upper), strict=True):
        known = low is not None and high is not None
        middle.append(scale * (low + high) / 2 if low is not None and high is not None else None)
        half.append(scale * (high - low) / 2 if low is not None and high is not None else 0.0)
        words.append(f"{fmt.by_unit(low, unit)} to {fmt.by_unit(high, unit)}" if known else fmt.MISSING)
    return {
        "type": "scatter", "mode": "markers", "y": list(labels), "x": middle, "name": "Band",
        "marker": {"symbol": "line-ew-open", "size": 12, "color": theme.BAND.light},
        "error_x": {
            "type": "data", "symmetric": True, "array": half,
            "color": theme.BAND.light, "thickness": 1.6, "width": 7,
        },
        "customdata": words, "hovertemplate": "%{y}, band: %{customdata}<extra></extra>",
    }  # fmt: skip


def _markers(labels: Sequence[str], values: Values, unit: str, name: str) -> dict[str, Any]:
    scale, _ = _scale(unit)
    return {
        "type": "scatter", "mode": "markers", "y": list(labels), "x": _scaled(values, scale), "name": label(name),
        "marker": {
            "symbol": "diamond", "size": 10, "color": theme.BAND.light,
            "line": {"color": theme.GAP.light, "width": 1.5},
        },
        "customdata": [fmt.by_unit(_none(value), unit) for value in values],
        "hovertemplate": "%{y}, " + label(name) + ": %{customdata}<extra></extra>",
    }  # fmt: skip


def _limit_line(layout: dict[str, Any], axis: str, value: float, unit: str, *, text: bool = True) -> None:
    scale, _ = _scale(unit)
    at = scale * value
    across = "y" if axis == "x" else "x"
    line = {"type": "line", "line": {"color": theme.LIMIT.light, "width": 1.6, "dash": "dash"}}
    where = {f"{axis}0": at, f"{axis}1": at, f"{across}0": 0, f"{across}1": 1, f"{across}ref": f"{across} domain"}
    layout.setdefault("shapes", []).append(line | where | {f"{axis}ref": axis})
    if text:
        place: dict[str, Any] = (
            {"x": at, "xref": "x", "y": 0, "yref": "y domain", "xanchor": "left", "yanchor": "bottom", "xshift": 4}
            if axis == "x"
            else {"y": at, "yref": "y", "x": 1, "xref": "x domain", "xanchor": "right", "yanchor": "bottom"}
        )
        words = f"limit {fmt.by_unit(value, unit)}"
        layout.setdefault("annotations", []).append(
            place | {"text": words, "showarrow": False, "font": {"size": 12, "color": theme.LIMIT.light}}
        )


def _bar_height(labels: Sequence[str], each: int) -> int:
    return 84 + sum(max(each, 18 * (1 + name.count("<br>"))) for name in labels)


def _none(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _scaled(values: Values, scale: float) -> list[float | None]:
    return [None if _none(value) is None else scale * float(value or 0.0) for value in values]


def _sum(values: Any) -> float:
    return math.fsum(value for value in values if value is not None)


def _same_length(first: Sequence[Any], *others: Sequence[Any]) -> None:
    if any(len(other) != len(first) for other in others):
        raise ExhibitError(f"lengths differ: {[len(first), *(len(other) for other in others)]}")
