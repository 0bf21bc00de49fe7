"""Every account as one mark on its group's row: where most lie, and who lies far off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
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
    unit_axis,
    unit_scale,
)

#: Marks that stand above each other at one place of a row before they overlap, and how many places a row has.
_LEVELS = 9
_PLACES = 90
#: Pixels of a row.
_ROW = 64


def strip(
    groups: Mapping[str, Values],
    *,
    alt: str,
    unit: str = "pp",
    labels: Mapping[str, Sequence[str]] | None = None,
    named: Sequence[str] = (),
    axis_title: str = "",
    zero: bool = True,
    data: TableBody | None = None,
) -> FigureBody:
    """Return one row a group with a mark for each of its values, marks of one place beside each other.

    `labels` gives each mark's name, by group; those in `named` are orange and carry their name. A tick stands at each
    group's median. `zero` keeps zero in sight. A missing value has no mark. Raises `ExhibitError` where there is
    no value at all.
    """
    names = {group: [""] * len(values) for group, values in groups.items()} | dict(labels or {})
    for group, values in groups.items():
        check_lengths(values, names[group])
    scale = unit_scale(unit)
    numbers = [value for values in groups.values() for value in scaled(values, scale) if value is not None]
    if not numbers:
        raise ExhibitError("a strip needs at least one value; say in prose that there is none")
    width = (max(numbers) - min(numbers)) / _PLACES or 1.0
    marks, rings, medians = _trace("markers"), _trace("markers+text"), _trace("markers")
    for row, (group, values) in enumerate(groups.items()):
        for position, value, offset in _spread(scaled(values, scale), width):
            name = label(names[group][position])
            words = fmt.by_unit(known(values[position]), unit)
            into = rings if names[group][position] in named else marks
            _add(into, value, row + offset, f"{name}: {words}" if name else words, name)
        if there := [number for number in map(known, values) if number is not None]:
            middle = median(there)
            _add(medians, scale * middle, row, f"{label(group)}, median: {fmt.by_unit(middle, unit)}")
    marks |= {"marker": {"size": 7, "opacity": 0.7, "color": theme.ACTUAL.light}, "name": "Account"}
    line = {"color": theme.CHART_INK.light, "width": 2.5}
    medians |= {"marker": {"symbol": "line-ns", "size": 26, "line": line}, "name": "Median"}
    rings |= {
        "marker": {"size": 10, "symbol": "diamond", "color": theme.OVER.light}, "name": "Named",
        "textposition": "top center",
        "textfont": {"size": 12, "color": theme.CHART_INK.light},
    }  # fmt: skip
    return _framed([marks, medians, rings], list(groups), numbers, unit, axis_title, alt, data, zero)


def _trace(mode: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": mode, "x": [], "y": [], "text": [], "customdata": [], "cliponaxis": False,
        "showlegend": False, "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip


def _add(trace: dict[str, Any], x: float, y: float, words: str, name: str = "") -> None:
    for key, value in (("x", x), ("y", y), ("customdata", words), ("text", name)):
        trace[key].append(value)


def _spread(values: Sequence[float | None], width: float) -> list[tuple[int, float, float]]:
    """Position, value and offset across the row of each mark: those within one width take the next level."""
    taken: dict[int, int] = {}
    points = []
    for value, position in sorted((value, position) for position, value in enumerate(values) if value is not None):
        place = int(value // width)
        level = taken[place] = taken.get(place, -1) + 1
        level %= _LEVELS
        side = (level + 1) // 2 * (1 if level % 2 else -1)
        points.append((position, value, 0.38 * side / (_LEVELS // 2)))
    return points


def _framed(
    traces: list[dict[str, Any]],
    groups: list[str],
    numbers: list[float],
    unit: str,
    title: str,
    alt: str,
    data: TableBody | None,
    zero: bool,
) -> FigureBody:
    rows = [label(group) for group in groups]
    layout = house_layout()
    layout["hovermode"] = "closest"
    origin = [0.0] if zero else []
    room = 0.08 * (max(numbers) - min(numbers)) or 1.0
    layout["xaxis"] |= unit_axis(unit, title) | {
        "range": [min([*origin, *numbers]) - room, max([*origin, *numbers]) + room], "nticks": 7,
        "zeroline": True, "zerolinecolor": theme.AXIS.light, "zerolinewidth": 1.5,
    }  # fmt: skip
    layout["yaxis"] |= {
        "tickmode": "array", "tickvals": list(range(len(rows))), "ticktext": rows, "showgrid": False,
        "range": [len(rows) - 0.4, -0.6], "zeroline": False, "ticksuffix": "  ",
    }  # fmt: skip
    return FigureBody(figure(traces, layout), alt, bar_height(rows, _ROW, layout), data)
