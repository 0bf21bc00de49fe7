"""Cuts a brief's lists so that it fits one page: the same brief is always cut at the same place.

Heights are estimated from the number of characters, in points, for the sizes that brief.css sets; the estimate is a
little generous, and the renderer asks again with less room in the rare case that it was not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from workbench.report.brief.page import BriefView, Item, Section

#: Room of a letter page for what can be cut, in points.
ROOM = 610.0
#: Height of a line of a list, of the table and of the chart; what a heading, an item or a row takes on top.
_LINE, _TABLE_LINE, _CHART_LINE = 10.4, 9.9, 12.8
_HEADING, _ITEM, _ROW = 21.0, 1.6, 4.4
#: Characters in a line of a list (half the page), of the table's last column, of the chart's labels and of the
#: text under the title.
_LIST_CHARACTERS, _LAST_CHARACTERS, _LABEL_CHARACTERS, _WIDE_CHARACTERS = 66, 66, 20, 150
#: Fewest entries of chart, table and lists that are kept where they have as many.
_FEWEST = {"chart": 3, "table": 4, "beside": 3, "left": 2, "right": 2}
#: The order in which lists grow, one entry at a time.
_TURNS = ("table", "right", "left", "chart", "beside", "table")
#: A chart longer than this says no more.
_MOST_CHARTED = 9
#: Height of a group's heading in the table; lines of the paragraph that tells rows in few words.
_GROUP, _ALSO_LINES = 15.0, 4


@dataclass(frozen=True)
class _Counts:
    chart: int
    table: int
    beside: int
    left: int
    right: int


def fitted(view: BriefView, room: float = ROOM) -> BriefView:
    """Return the brief with as many entries of each list as one letter page has room for; `room` is in points."""
    most = _Counts(
        min(len(view.deviations), _MOST_CHARTED),
        len(view.table.rows),
        len(view.beside.items),
        len(view.below[0].items),
        len(view.below[1].items),
    )
    counts = _Counts(**{name: min(fewest, getattr(most, name)) for name, fewest in _FEWEST.items()})
    height = _measure(view)
    growing = True
    while growing:
        growing = False
        for name in _TURNS:
            wider = replace(counts, **{name: getattr(counts, name) + 1})
            if getattr(counts, name) < getattr(most, name) and height(wider) <= room:
                counts, growing = wider, True
    return replace(
        view,
        deviations_shown=counts.chart,
        table=replace(view.table, shown=counts.table, told=_told(view, counts.table)),
        beside=replace(view.beside, shown=counts.beside),
        below=(replace(view.below[0], shown=counts.left), replace(view.below[1], shown=counts.right)),
    )


def _measure(view: BriefView) -> Callable[[_Counts], float]:
    """Return the function from counts to the height of what can be cut."""
    rows = _sums(_table_heights(view))
    left, right = (_sums([_item_height(item) for item in section.items]) for section in view.below)
    labels = _sums([_CHART_LINE + _LINE * (_lines(row.label, _LABEL_CHARACTERS) - 1) for row in view.deviations])
    beside = _sums([_item_height(item) for item in view.beside.items])
    fixed = _TABLE_LINE * (_lines(view.about, _WIDE_CHARACTERS) + _lines(view.source, _WIDE_CHARACTERS))

    def height(counts: _Counts) -> float:
        chart = _HEADING + _CHART_LINE + labels[counts.chart] + _LINE * _lines(view.chart_note, _LIST_CHARACTERS)
        top = max(chart, _list_height(view.beside, beside, counts.beside))
        also = _ALSO_LINES * _LINE if counts.table < len(view.table.rows) else 0.0
        table = _HEADING + 2 * _TABLE_LINE + rows[counts.table] + also
        below = (_list_height(s, h, c) for s, h, c in zip(view.below, (left, right), (counts.left, counts.right)))
        return fixed + top + table + max(below)

    return height


def _list_height(section: Section, heights: list[float], count: int) -> float:
    more = _LINE + _ITEM if count < len(section.items) else 0.0
    empty = _LINE * _lines(section.empty, _LIST_CHARACTERS) if not section.items else 0.0
    return _HEADING + heights[count] + more + empty


def _item_height(item: Item) -> float:
    text = f"{item.lead} {item.text}" + (f" {item.quote}" if item.quote else "")
    return _ITEM + _LINE * _lines(text, _LIST_CHARACTERS)


def _table_heights(view: BriefView) -> list[float]:
    """Return what each row of the table adds, most important first: the first of a group brings its heading."""
    heights, headed = [], set[str]()
    for row in sorted(view.table.rows, key=lambda row: row.place):
        head = 0.0 if row.group in headed else _GROUP + _TABLE_LINE * (_group_lines(view, row.group) - 1)
        headed.add(row.group)
        lines = max(_lines(row.cells[-1], _LAST_CHARACTERS), *(_lines(cell, 9) for cell in row.cells[:2]), 1)
        heights.append(_ROW + _TABLE_LINE * lines + head)
    return heights


def _group_lines(view: BriefView, group: str) -> int:
    return _lines(f"{group} {view.table.notes[group]}", _WIDE_CHARACTERS)


def _told(view: BriefView, shown: int) -> int:
    """Return how many of the rows that are not shown are told in few words: as many as the paragraph has room for."""
    room, told, groups = _WIDE_CHARACTERS * (_ALSO_LINES - 1), 0, set[str]()
    for row in sorted(view.table.rows, key=lambda row: row.place)[shown:]:
        room -= len(row.short) + 2 + (0 if row.group in groups else len(row.group) + 1)
        groups.add(row.group)
        if room < 0:
            break
        told += 1
    return told


def _lines(text: str, width: int) -> int:
    return math.ceil(len(text) / width)


def _sums(heights: list[float]) -> list[float]:
    sums = [0.0]
    for height in heights:
        sums.append(sums[-1] + height)
    return sums
