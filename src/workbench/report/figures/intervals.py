"""Estimates with their intervals, and plain shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.report import format as fmt
from workbench.report import theme
from workbench.report.exhibit import ExhibitError, FigureBody, TableBody
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

#: Marks of the series, told apart by shape as well as colour.
_SYMBOLS = ("circle", "diamond-open", "square-open")
_COLOURS = (theme.ACTUAL, theme.OVER, theme.CATEGORIES[3])
#: Pixels of a row with one series.
_ROW = 30


@dataclass(frozen=True)
class Interval:
    """One series of estimates: a value for each label, and where its interval begins and ends."""

    value: Values
    low: Values
    high: Values


def intervals(
    labels: Sequence[str],
    series: Mapping[str, Interval],
    *,
    alt: str,
    unit: str = "bp",
    digits: int | None = None,
    axis_title: str = "",
    data: TableBody | None = None,
) -> FigureBody:
    """Return, for each label, a mark and a line across its interval for each of up to three series, and its figure.

    A line at zero stands behind them. The series of one label stand below each other, so that no mark covers another.
    """
    if not 0 < len(series) <= len(_SYMBOLS):
        raise ExhibitError(f"{len(series)} series cannot be told apart; give one to {len(_SYMBOLS)}")
    for part in series.values():
        check_lengths(labels, part.value, part.low, part.high)
    names_shown, scale = [label(name) for name in labels], unit_scale(unit)
    layout = house_layout(legend=len(series) > 1, limit=len(series) == 1) | {"scattermode": "group", "scattergap": 0.35}
    traces = [
        _marks(names_shown, part, unit, digits, label(name), position)
        for position, (name, part) in enumerate(series.items())
    ]
    reach = [value for part in series.values() for value in scaled([*part.low, *part.high, *part.value], scale)]
    numbers = [0.0, *(value for value in reach if value is not None)]
    room = 0.05 * (max(numbers) - min(numbers)) or 1.0
    layout["xaxis"] |= unit_axis(unit, axis_title) | {
        "range": [min(numbers) - room, max(numbers) + room], "nticks": 7,
        "zeroline": True, "zerolinecolor": theme.AXIS.light, "zerolinewidth": 1.5,
    }  # fmt: skip
    layout["yaxis"] |= {
        "type": "category", "autorange": "reversed", "showgrid": False, "ticksuffix": "  ",
        "categoryorder": "array", "categoryarray": names_shown,
    }  # fmt: skip
    columns = value_columns(
        layout, names_shown, [(name, _words(part.value, unit, digits)) for name, part in series.items()]
    )
    height = bar_height(names_shown, _ROW + 9 * (len(series) - 1), layout)
    return FigureBody(figure([*traces, columns], layout), alt, height, data)


def shares(
    labels: Sequence[str],
    values: Values,
    *,
    alt: str,
    name: str = "Share",
    axis_title: str = "",
    data: TableBody | None = None,
) -> FigureBody:
    """Return one bar from zero for each label's share of a whole, with its figure."""
    check_lengths(labels, values)
    names_shown = [label(text) for text in labels]
    layout = house_layout(limit=True)  # room on top for the column's name
    bars = {
        "type": "bar", "orientation": "h", "y": names_shown, "x": scaled(values, unit_scale("percent")),
        "name": label(name), "marker": {"color": theme.ACTUAL.light}, "customdata": shown(values, "percent"),
        "hovertemplate": "%{y}: %{customdata}<extra></extra>", "width": 0.5,
    }  # fmt: skip
    widest = max((value for value in map(known, values) if value is not None), default=0.0)
    layout["xaxis"] |= unit_axis("percent", axis_title) | {"range": [0, 104.0 * widest or 1.0], "nticks": 6}
    layout["yaxis"] |= {"type": "category", "autorange": "reversed", "showgrid": False, "ticksuffix": "  "}
    columns = value_columns(layout, names_shown, [(name, shown(values, "percent"))])
    return FigureBody(figure([bars, columns], layout), alt, bar_height(names_shown, 30, layout), data)


def _words(values: Values, unit: str, digits: int | None) -> list[str]:
    return ["" if number is None else fmt.by_unit(number, unit, digits) for number in map(known, values)]


def _marks(
    labels: Sequence[str], part: Interval, unit: str, digits: int | None, name: str, position: int
) -> dict[str, Any]:
    scale, colour = unit_scale(unit), _COLOURS[position].light
    value, low, high = (scaled(values, scale) for values in (part.value, part.low, part.high))
    above = [None if v is None or end is None else end - v for v, end in zip(value, high)]
    below = [None if v is None or start is None else v - start for v, start in zip(value, low)]
    words = [
        f"{middle} ({first} to {last})" if first and last else middle
        for middle, first, last in zip(*(_words(values, unit, digits) for values in (part.value, part.low, part.high)))
    ]
    return {
        "type": "scatter", "mode": "markers", "orientation": "h", "offsetgroup": str(position), "x": value,
        "y": list(labels), "name": name, "customdata": words,
        "marker": {"symbol": _SYMBOLS[position], "size": 9, "color": colour, "line": {"color": colour, "width": 2}},
        "error_x": {
            "type": "data", "symmetric": False, "array": above, "arrayminus": below, "color": colour, "thickness": 2,
            "width": 0,
        },
        "hovertemplate": "%{y}, " + name + ": %{customdata}<extra></extra>", "cliponaxis": False,
    }  # fmt: skip
