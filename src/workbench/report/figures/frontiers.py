"""What a choice costs against the risk it leaves: one mark a choice, labels that never cover each other."""

from __future__ import annotations

import math
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
    legend_rows,
    scaled,
    unit_axis,
    unit_scale,
)

_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star")
#: Pixels of the plot within its margins on a page and on a phone; a label stands clear of others on both.
_PAGE, _PHONE, _TALL = (700.0, 360.0), (300.0, 400.0), 440
#: Pixels of a letter, of a line, and from the mark's middle to its label.
_LETTER, _LINE, _OFF = 6.6, 15.0, 10.0
#: Ticks that a logarithmic axis has room for on a phone.
_TICKS = 7
#: How far a named label moves off where there is no room beside its mark; a thin line then leads to it.
_FAR = (24.0, 40.0, 60.0, 84.0)
#: Where a label may stand, best first, and the part of its own width and height that it moves by.
_PLACES = {
    "middle right": (0.0, -0.5), "top center": (-0.5, -1.0), "bottom center": (-0.5, 0.0), "middle left": (-1.0, -0.5),
    "top right": (0.0, -1.0), "bottom right": (0.0, 0.0), "top left": (-1.0, -1.0), "bottom left": (-1.0, 0.0),
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a label stands: the side of its mark, and how far off in pixels."""

    side: str
    off: float = _OFF


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def frontier(
    x: Values,
    y: Values,
    labels: Sequence[str],
    *,
    alt: str,
    x_title: str,
    y_title: str,
    x_unit: str = "bp",
    y_unit: str = "percent",
    groups: Sequence[str] | None = None,
    named: Sequence[str] = (),
    log: bool = False,
    data: TableBody | None = None,
) -> FigureBody:
    """Return one mark a choice by its cost and risk, and a line through those that no other beats on both.

    Less is better on both axes. `groups` are told apart by colour and shape. Labels stand where they cover neither a
    mark nor each other, those in `named` first and these alone on a phone; one without room is left to the pointer
    and to `data`. `log` spreads figures of very different size: equal distances are equal multiples, and axes carry
    plain figures. A choice that lacks a figure, or with `log` has none above 0, has no mark. Raises `ExhibitError`
    where no choice has both.
    """
    check_lengths(labels, x, y)
    groups = ["Choices"] * len(labels) if groups is None else groups
    check_lengths(labels, groups)
    order = list(dict.fromkeys(groups))
    if len(order) > len(_SYMBOLS):
        raise ExhibitError(f"{len(order)} groups are too many to tell apart; show {len(_SYMBOLS)}")
    across, up = scaled(x, unit_scale(x_unit)), scaled(y, unit_scale(y_unit))
    least = 0.0 if log else -math.inf
    points = {
        row: (a, b)
        for row, (a, b) in enumerate(zip(across, up))
        if a is not None and b is not None and min(a, b) > least
    }
    if not points:
        raise ExhibitError("a frontier needs at least one choice with cost and risk; say in prose that there is none")
    layout = house_layout(legend=len(order) > 1)
    spots = {row: (math.log10(a), math.log10(b)) for row, (a, b) in points.items()} if log else points
    ranges = tuple((_log_range if log else _range)([spot[axis] for spot in spots.values()]) for axis in (0, 1))
    for axis, unit, title, extent, ticks in (
        ("xaxis", x_unit, x_title, ranges[0], 8),
        ("yaxis", y_unit, y_title, ranges[1], 6),
    ):
        layout[axis] |= unit_axis(unit, title) | {"range": extent, "nticks": ticks}
        layout[axis] |= _log_axis(extent, layout[axis].get("ticksuffix", "")) if log else {}
    layout["hovermode"] = "closest"
    traces = [_edge(list(points.values()))]
    for position, group in enumerate(order):
        rows = [row for row in points if groups[row] == group]
        words = [
            f"{label(labels[row], 60)}<br>{fmt.by_unit(known(x[row]), x_unit)}, {fmt.by_unit(known(y[row]), y_unit)}"
            for row in rows
        ]
        traces.append(_marks([points[row] for row in rows], words, label(group), position))
    placed = placed_labels(spots, labels, named, ranges)
    led = {row: place for row, place in placed.items() if place.off > _OFF}
    layout["annotations"] = [_led(spots[row], labels[row], place) for row, place in led.items()]
    for wide in (False, True):
        rows = [row for row in placed if (labels[row] not in named) == wide and row not in led]
        traces.append(_words({row: points[row] for row in rows}, labels, placed, wide))
    extra = 19 * (legend_rows(order) - 1)
    layout["margin"]["t"] += extra
    return FigureBody(figure(traces, layout), alt, _TALL + extra, data)


def placed_labels(
    points: dict[int, tuple[float, float]],
    labels: Sequence[str],
    named: Sequence[str],
    ranges: tuple[list[float], ...],
) -> dict[int, Place]:
    """Where each label stands, by row: the first place clear of marks, labels and edges; without one, not at all.

    Labels in `named` come first, are clear on a phone too, and may stand further off.
    """
    screens = (_PAGE, _PHONE)
    at = [{row: _pixels(point, ranges, screen) for row, point in points.items()} for screen in screens]
    taken = [[_Box(a - 5, b - 5, a + 5, b + 5) for a, b in where.values()] for where in at]
    found: dict[int, Place] = {}
    for row in sorted(points, key=lambda row: (labels[row] not in named, row)):
        wanted = labels[row] in named
        for place in [Place(side, off) for off in (_OFF, *(_FAR if wanted else ())) for side in _PLACES]:
            boxes = [_label_box(at[n][row], labels[row], place) for n in range(1 + wanted)]
            if all(
                _inside(box, screen) and not any(box.meets(other) for other in others)
                for box, screen, others in zip(boxes, screens, taken)
            ):
                found[row] = place
                for box, others in zip(boxes, taken):
                    others.append(box)
                break
    return found


def _pixels(point: tuple[float, float], ranges: tuple[list[float], ...], screen: tuple[float, float]) -> Any:
    (left, right), (low, high) = ranges
    return screen[0] * (point[0] - left) / (right - left), screen[1] * (high - point[1]) / (high - low)


def _label_box(at: tuple[float, float], text: str, place: Place) -> _Box:
    width, (right, down) = _LETTER * len(text), _PLACES[place.side]
    aside, below = _moved(place)
    left, top = at[0] + right * width + aside, at[1] + down * _LINE + below
    return _Box(left, top, left + width, top + _LINE)


def _moved(place: Place) -> tuple[float, float]:
    """Pixels to the right and down from the mark to the label's nearest edge."""
    right, down = _PLACES[place.side]
    return place.off * round(2 * right + 1), place.off * round(2 * down + 1)


def _inside(box: _Box, screen: tuple[float, float]) -> bool:
    return box.left >= 0 and box.right <= screen[0] and box.top >= 0 and box.bottom <= screen[1]


def _range(numbers: Sequence[float]) -> list[float]:
    low, high = min(0.0, *numbers), max(0.0, *numbers)
    room = 0.09 * (high - low) or 1.0
    return [low - 0.5 * room, high + room]


def _log_range(logarithms: Sequence[float]) -> list[float]:
    """Ends of an axis, as powers of ten, with room for labels on both sides."""
    low, high = min(logarithms), max(logarithms)
    room = max(0.08 * (high - low), 0.1)
    return [low - room, high + room]


def _log_axis(extent: Sequence[float], suffix: str) -> dict[str, Any]:
    """An axis of equal multiples whose ticks stand at 1, 2 and 5, or at powers of ten where these are too many."""
    low, high = extent
    decades = range(math.floor(low), math.ceil(high) + 1)
    for leads in ((1, 2, 5), (1,)):
        ticks = [lead * 10.0**decade for decade in decades for lead in leads]
        ticks = [tick for tick in ticks if low <= math.log10(tick) <= high]
        if len(ticks) <= _TICKS:
            break
    words = [f"{tick:g}{suffix}" for tick in ticks]
    return {"type": "log", "tickmode": "array", "tickvals": ticks, "ticktext": words}


def _edge(points: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """The line through the choices that no other beats on both axes."""
    best = [
        (a, b) for a, b in sorted(set(points)) if not any(c <= a and d <= b and (c, d) != (a, b) for c, d in points)
    ]
    return {
        "type": "scatter", "mode": "lines", "x": [a for a, _ in best], "y": [b for _, b in best],
        "name": "Not beaten on both", "line": {"color": theme.AXIS.light, "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
    }  # fmt: skip


def _marks(points: Sequence[tuple[float, float]], words: list[str], name: str, position: int) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "name": name, "x": [a for a, _ in points], "y": [b for _, b in points],
        "marker": {
            "size": 10, "symbol": _SYMBOLS[position], "color": theme.CATEGORIES[position].light,
            "line": {"color": theme.GAP.light, "width": 1},
        },
        "customdata": words, "hovertemplate": "%{customdata}<extra></extra>", "cliponaxis": False,
    }  # fmt: skip


def _words(
    points: dict[int, tuple[float, float]], labels: Sequence[str], places: dict[int, Place], wide: bool
) -> dict[str, Any]:
    """The labels as text; `meta.wide` tells the book's script to leave them off on a phone."""
    return {
        "type": "scatter", "mode": "text", "x": [a for a, _ in points.values()], "y": [b for _, b in points.values()],
        "text": [_beside(label(labels[row], 60), places[row].side) for row in points],
        "textposition": [places[row].side for row in points],
        "textfont": {"size": 12, "color": (theme.CHART_MUTED if wide else theme.CHART_INK).light},
        "showlegend": False, "hoverinfo": "skip", "cliponaxis": False, "meta": {"wide": wide},
    }  # fmt: skip


def _led(point: tuple[float, float], text: str, place: Place) -> dict[str, Any]:
    """A label further off, with a thin line to its mark."""
    (right, down), (aside, below) = _PLACES[place.side], _moved(place)
    return {
        "x": point[0], "y": point[1], "ax": aside, "ay": below, "text": label(text, 60), "showarrow": True,
        "xanchor": {0.0: "left", -0.5: "center", -1.0: "right"}[right], "arrowhead": 0, "arrowwidth": 1,
        "yanchor": {0.0: "top", -0.5: "middle", -1.0: "bottom"}[down], "arrowcolor": theme.AXIS.light, "standoff": 4,
        "font": {"size": 12, "color": theme.CHART_INK.light}, "borderpad": 0,
    }  # fmt: skip


def _beside(text: str, place: str) -> str:
    """A label with room to its mark, for text without a mark stands on the point itself."""
    if place.endswith("right"):
        return "\u00a0\u00a0\u00a0" + text
    return text + "\u00a0\u00a0\u00a0" if place.endswith("left") else text
