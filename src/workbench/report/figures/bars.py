"""Horizontal bars: against a target, to either side of zero, split by cause, step by step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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
    legend_rows,
    scaled,
    shown,
    unit_axis,
    unit_scale,
    value_columns,
)

#: Part of the widest stack below which a cause would be no more than its own outline.
_SEEN = 0.002


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
    """Return one bar of actual for each label, a tick at its target, a pale bar for its band, and both figures.

    A bar outside its band is orange and its figure says "over" or "under"; `limit` is a dashed line over all.
    """
    check_lengths(labels, actual, target)
    banded = lower is not None and upper is not None
    low: Values = lower if lower is not None and banded else [None] * len(labels)
    high: Values = upper if upper is not None and banded else [None] * len(labels)
    check_lengths(labels, low, high)
    names_shown = [label(name) for name in labels]
    states = [_state(*row) for row in zip(actual, low, high)]

    traces = [_band(names_shown, low, high, unit)] if banded else []
    for wanted, colour, name in ((False, theme.ACTUAL, names[0]), (True, theme.OVER, f"{names[0]}, out of band")):
        part = [value if bool(state) == wanted else None for value, state in zip(actual, states)]
        if any(known(value) is not None for value in part):
            traces.append(_bar(names_shown, part, unit, colour.light, name, text=False) | {"width": 0.42})
    halo = {"symbol": "line-ns", "size": 10, "line": {"color": theme.GAP.light, "width": 6}}
    ticks = _ticks(names_shown, target, unit, names[1])
    traces += [ticks | {"marker": halo, "showlegend": False, "hoverinfo": "skip", "hovertemplate": None}, ticks]
    reach = [*actual, *target, *high, limit]
    layout = _horizontal(unit, axis_title, reach, legend=True, limit=limit is not None, room=0.05)
    layout["barmode"] = "overlay"
    figures = [
        f"<b>{state} {text}</b>" if state else text for text, state in zip(shown(actual, unit), states, strict=True)
    ]
    traces.append(value_columns(layout, names_shown, [(names[0], figures), (names[1], shown(target, unit))]))
    if limit is not None:
        draw_limit(layout, "x", limit, unit, side="right")
    return FigureBody(figure(traces, layout), alt, bar_height(names_shown, 34, layout), data)


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
    check_lengths(labels, values)
    names_shown = [label(name) for name in labels]
    numbers = [known(value) for value in values]
    traces = []
    for above, colour, name in ((False, theme.UNDER.light, sides[0]), (True, theme.OVER.light, sides[1])):
        part = [number if number is not None and (number >= 0) == above else None for number in numbers]
        if any(number is not None for number in part):
            traces.append(_bar(names_shown, part, unit, colour, name))
    reach = [*values, limit, None if limit is None else -limit]
    layout = _horizontal(unit, axis_title, reach, legend=len(traces) > 1, limit=limit is not None)
    layout |= {"barmode": "overlay", "bargap": 0.36}
    if limit is not None:
        words = _plus_minus(limit, unit)
        draw_limit(layout, "x", limit, unit, words=words, side="center")
        draw_limit(layout, "x", -limit, unit, words="")
    return FigureBody(figure(traces, layout), alt, bar_height(names_shown, 30, layout), data)


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
    """Return, for each label, its causes stacked from zero to either side and their total as a diamond and a figure.

    A cause keeps its colour and pattern from chart to chart; one that is nowhere wide enough to be seen is left out.
    """
    if len(causes) > len(theme.CATEGORIES):
        raise ExhibitError(f"{len(causes)} causes are too many to tell apart; join the small ones")
    names_shown = [label(name) for name in labels]
    rows = [[known(values[row]) or 0.0 for values in causes.values()] for row in range(len(labels))]
    widest = max((_sum(map(abs, row)) for row in rows), default=0.0)
    traces = []
    for position, (name, values) in enumerate(causes.items()):
        check_lengths(labels, values)
        if all(abs(row[position]) <= _SEEN * widest for row in rows):
            continue
        trace = _bar(names_shown, values, unit, theme.CATEGORIES[position].light, name, text=False)
        trace["marker"] |= {
            "line": {"color": theme.GAP.light, "width": 1},
            "pattern": {
                "shape": theme.PATTERNS[position], "size": 7, "solidity": 0.18,
                "fgcolor": theme.HATCH.light, "fgopacity": 0.7, "fillmode": "overlay",
            },
        }  # fmt: skip
        traces.append(trace)
    if totals is not None:
        check_lengths(labels, totals)
        traces.append(_diamonds(names_shown, totals, unit, total_name))
    reach = [_sum(value for value in row if value > 0) for row in rows]
    reach += [_sum(value for value in row if value < 0) for row in rows]
    layout = _horizontal(unit, axis_title, reach, legend=True, room=0.06)
    layout |= {"barmode": "relative", "bargap": 0.36}
    more_legend = 19 * (legend_rows([trace["name"] for trace in traces]) - 1)
    if totals is not None:
        traces.append(value_columns(layout, names_shown, [(total_name, shown(totals, unit))]))
    return FigureBody(figure(traces, layout), alt, bar_height(names_shown, 30, layout) + more_legend, data)


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
    check_lengths(labels, steps)
    names_shown = [label(name) for name in [*labels, total_label]]
    total = math.fsum(steps)
    starts = [math.fsum(steps[:position]) for position in range(len(steps))]
    colours = [theme.OVER.light if step >= 0 else theme.UNDER.light for step in steps] + [theme.BAND.light]
    trace = _bar(names_shown, [*steps, total], unit, "", "Step")
    trace |= {"base": scaled([*starts, 0.0], unit_scale(unit)), "marker": {"color": colours}}
    trace["hovertemplate"] = "%{y}: %{customdata}<extra></extra>"
    layout = _horizontal(unit, axis_title, [*starts, total, 0.0])
    layout |= {"bargap": 0.36}
    return FigureBody(figure([trace], layout), alt, bar_height(names_shown, 32, layout), data)


def _horizontal(
    unit: str,
    title: str,
    reach: Sequence[float | None],
    *,
    legend: bool = False,
    limit: bool = False,
    room: float = 0.14,
) -> dict[str, Any]:
    """Return the layout of horizontal bars, first label on top, with room for figures beside the bars."""
    layout = house_layout(legend=legend, limit=limit)
    numbers = [number for number in scaled(reach, unit_scale(unit)) if number is not None]
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    space = (high - low) * room or 1.0
    layout["xaxis"] |= unit_axis(unit, title) | {
        "range": [low - space if low < 0 else 0, high + space if high > 0 else 0],
        "nticks": 7, "zeroline": True, "zerolinecolor": theme.AXIS.light, "zerolinewidth": 1,
    }  # fmt: skip
    layout["yaxis"] |= {"type": "category", "autorange": "reversed", "showgrid": False, "ticksuffix": "  "}
    return layout


def _bar(
    labels: Sequence[str], values: Values, unit: str, colour: str, name: str, *, text: bool = True
) -> dict[str, Any]:
    words = shown(values, unit)
    trace: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "y": list(labels),
        "x": scaled(values, unit_scale(unit)),
        "name": label(name),
        "marker": {"color": colour},
        "customdata": words,
        "hovertemplate": "%{y}, " + label(name) + ": %{customdata}<extra></extra>",
    }
    if text:
        trace |= {
            "text": words, "textposition": "outside", "cliponaxis": False, "textangle": 0,
            "textfont": {"size": 12, "color": theme.CHART_INK.light},
        }  # fmt: skip
    return trace


def _band(labels: Sequence[str], lower: Values, upper: Values, unit: str) -> dict[str, Any]:
    """Return the bands as pale bars from the lower to the upper edge."""
    edges = [(known(low), known(high)) for low, high in zip(lower, upper)]
    widths = [high - low if low is not None and high is not None else None for low, high in edges]
    trace = _bar(labels, widths, unit, theme.BAND_BAR.light, "Band", text=False)
    words = [f"{low} to {high}" for low, high in zip(shown(lower, unit), shown(upper, unit))]
    return trace | {"base": scaled(lower, unit_scale(unit)), "width": 0.78, "customdata": words}


def _ticks(labels: Sequence[str], values: Values, unit: str, name: str) -> dict[str, Any]:
    """Return the targets as upright ticks."""
    return _diamonds(labels, values, unit, name) | {
        "marker": {"symbol": "line-ns", "size": 10, "line": {"color": theme.BAND.light, "width": 3}}
    }


def _diamonds(labels: Sequence[str], values: Values, unit: str, name: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "y": list(labels), "x": scaled(values, unit_scale(unit)),
        "name": label(name),
        "marker": {
            "symbol": "diamond", "size": 10, "color": theme.BAND.light,
            "line": {"color": theme.GAP.light, "width": 1.5},
        },
        "customdata": shown(values, unit),
        "hovertemplate": "%{y}, " + label(name) + ": %{customdata}<extra></extra>",
        "cliponaxis": False,
    }  # fmt: skip


def _state(actual: float | None, lower: float | None, upper: float | None) -> str:
    value, low, high = known(actual), known(lower), known(upper)
    if value is None:
        return ""
    return "over" if high is not None and value > high else "under" if low is not None and value < low else ""


def _plus_minus(limit: float, unit: str) -> str:
    return "limit ±" + shown([limit], unit)[0].lstrip("+")


def _sum(values: Iterable[float]) -> float:
    return math.fsum(values)
