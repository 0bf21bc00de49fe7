"""One figure for each pair of two settings, as the depth of a cell's colour and in words."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.report import format as fmt
from workbench.report import theme
from workbench.report.exhibit import ExhibitError, FigureBody, TableBody
from workbench.report.figures._axes import Values, check_lengths, figure, house_layout, known, label, unit_axis

#: Pixels of a row of cells, and more rows or columns than can be read.
_ROW, _MOST = 38, 40
#: More columns than this leave no room for words in a cell.
_WORDED = 12


def heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Values],
    *,
    alt: str,
    unit: str = "bp",
    digits: int | None = None,
    row_title: str = "",
    column_title: str = "",
    marked: tuple[int, int] | None = None,
    data: TableBody | None = None,
) -> FigureBody:
    """Return a grid of cells, the darker the more; `values` is one sequence a row, and a missing value an empty cell.

    `marked` rings one cell by its row and column, such as the setting chosen. On dark paper the lighter is the more.
    Raises `ExhibitError` for an empty grid, one too large to read, names given twice, or rows of another length.
    """
    check_lengths(rows, values)
    for row in values:
        check_lengths(columns, row)
    if not rows or not columns or max(len(rows), len(columns)) > _MOST:
        raise ExhibitError(f"{len(rows)} rows and {len(columns)} columns; give 1 to {_MOST} of each")
    down, across = [label(name, 24) for name in rows], [label(name, 14) for name in columns]
    for what, names in (("rows", down), ("columns", across)):
        if len(set(names)) < len(names):
            raise ExhibitError(f"the names of {what} are not unique: {', '.join(names)}")
    words = [["" if (n := known(value)) is None else fmt.by_unit(n, unit, digits) for value in row] for row in values]
    steps = len(theme.SEQUENTIAL) - 1
    trace = {
        "type": "heatmap", "x": across, "y": down, "z": [[known(value) for value in row] for row in values],
        "colorscale": [[step / steps, colour.light] for step, colour in enumerate(theme.SEQUENTIAL)],
        "showscale": False, "xgap": 2, "ygap": 2, "text": words, "hoverongaps": False,
        "hovertemplate": "%{y}, %{x}: %{text}<extra></extra>", "showlegend": False,
    }  # fmt: skip
    if len(columns) <= _WORDED:
        trace["texttemplate"] = "%{text}"
    layout = house_layout()
    title = unit_axis("number", column_title)["title"]
    layout["xaxis"] |= {
        "type": "category", "categoryarray": across, "categoryorder": "array", "showgrid": False, "title": title,
        "showline": False,
    }  # fmt: skip
    layout["yaxis"] |= {
        "type": "category", "categoryarray": down, "categoryorder": "array", "autorange": "reversed",
        "showgrid": False, "ticksuffix": "  ", "title": unit_axis("number", row_title)["title"],
    }  # fmt: skip
    if marked is not None:
        at_row, at_column = marked
        layout["shapes"] = [
            {
                "type": "rect", "xref": "x", "yref": "y", "x0": at_column - 0.5, "x1": at_column + 0.5,
                "y0": at_row - 0.5, "y1": at_row + 0.5, "line": {"color": theme.OVER.light, "width": 3},
            }
        ]  # fmt: skip
    wrapped = max((name.count("<br>") for name in across), default=0)
    height = _ROW * len(rows) + layout["margin"]["t"] + 62 + 16 * wrapped
    return FigureBody(figure([trace], layout), alt, height, data)
