"""How an exhibit looks in JupyterLab while a notebook is worked on: small, safe HTML and plain text."""

from __future__ import annotations

import textwrap
from html import escape
from typing import Any

from workbench.report import format as fmt
from workbench.report.exhibit import (
    Badge,
    CalloutBody,
    Cell,
    Column,
    Exhibit,
    FactRef,
    FigureBody,
    KpiBody,
    Link,
    Missing,
    ProseBody,
    Run,
    Strong,
    TableBody,
)


def cell_text(cell: Cell, column: Column) -> str:
    """Return a cell as shown, unescaped; the column's heading carries the unit of pp, bp and dollars."""
    if cell is None or isinstance(cell, Missing):
        return fmt.MISSING
    if isinstance(cell, FactRef | Link):
        return cell.text
    if isinstance(cell, Badge):
        return cell.badge
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return fmt.iso_date(cell) if column.kind == "date" else cell
    if column.kind == "pp":
        return fmt.percentage_points(cell, 1 if column.digits is None else column.digits, unit=False)
    if column.kind == "bp":
        return fmt.basis_points(cell, column.digits or 0, unit=False)
    if column.kind == "usd":
        return fmt.usd(cell, column.digits or 0, unit=False)
    if column.kind in ("text", "date", "badge"):
        return str(cell)
    return fmt.by_unit(cell, column.kind, column.digits)


def heading_text(column: Column) -> str:
    """Return a column's heading with its unit, which its cells then need not repeat."""
    unit = {"pp": "pp", "bp": "bp", "usd": "$"}.get(column.kind, "")
    return f"{column.label},\u00a0{unit}" if unit and unit not in column.label.split() else column.label


def run_text(run: Run) -> str:
    """Return a run of a paragraph as plain text."""
    if isinstance(run, str):
        return run
    return run.strong if isinstance(run, Strong) else run.text


def preview_text(exhibit: Exhibit) -> str:
    """Return the exhibit as plain text."""
    lines = [line for line in (exhibit.title, exhibit.takeaway) if line]
    body = exhibit.body
    if isinstance(body, TableBody):
        lines.append(" | ".join(heading_text(column) for column in body.columns))
        lines += [" | ".join(map(cell_text, row, body.columns)) for row in body.rows[:20]]
    elif isinstance(body, FigureBody):
        lines.append(body.alt)
    elif isinstance(body, KpiBody):
        lines += [f"{item.label}: {_kpi_text(item.value)}" for item in body.items]
    else:
        lines += ["".join(map(run_text, paragraph)) for paragraph in body.paragraphs]
    return "\n".join(lines)


def preview_html(exhibit: Exhibit) -> str:
    """Return the exhibit as HTML in which every text is escaped."""
    parts = [f"<h4>{escape(exhibit.title)}</h4>"] if exhibit.title else []
    if exhibit.takeaway:
        parts.append(f"<p>{escape(exhibit.takeaway)}</p>")
    body = exhibit.body
    if isinstance(body, TableBody):
        parts.append(_table(body))
    elif isinstance(body, KpiBody):
        cells = "".join(
            f"<td><small>{escape(item.label)}</small><br><b>{escape(_kpi_text(item.value))}</b></td>"
            for item in body.items
        )
        parts.append(f"<table><tr>{cells}</tr></table>")
    elif isinstance(body, CalloutBody | ProseBody):
        parts += [f"<p>{escape(''.join(map(run_text, paragraph)))}</p>" for paragraph in body.paragraphs]
    if exhibit.settings is not None:
        parts.append(f"<p><small>{escape(exhibit.settings.line())}</small></p>")
    # Dollars are money here: without these classes JupyterLab sets what lies between two of them as mathematics.
    return f'<div class="tex2jax_ignore mathjax_ignore">{"".join(parts)}</div>'


def preview_figure(exhibit: Exhibit, body: FigureBody) -> dict[str, Any]:
    """Return the plotly figure with the exhibit's title and takeaway above it and its settings line below."""
    layout = dict(body.figure.get("layout", {}))
    margin = dict(layout.get("margin", {}))
    above, below = _lines(exhibit.takeaway), _lines(exhibit.settings.line() if exhibit.settings else "")
    layout["title"] = {
        "text": escape(exhibit.title, quote=False), "subtitle": {"text": "<br>".join(above)},
        "x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 10}, "y": 0.98, "yanchor": "top",
    }  # fmt: skip
    top, bottom = 60 + 20 * len(above), 50 + 14 * len(below)
    layout["margin"] = margin | {"t": margin.get("t", 0) + top, "b": margin.get("b", 0) + bottom}
    layout["height"] = body.height + top + bottom
    if "legend" in layout:
        layout["legend"] = dict(layout["legend"]) | {"yref": "container", "y": 1 - top / layout["height"]}
    note = {
        "text": "<br>".join(below), "showarrow": False, "align": "left", "font": {"size": 11},
        "xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": 0, "yanchor": "top", "yshift": -50,
    }  # fmt: skip
    layout["annotations"] = [*layout.get("annotations", []), *([note] if below else [])]
    return {**body.figure, "layout": layout}


def _lines(text: str) -> list[str]:
    return [escape(line, quote=False) for line in textwrap.wrap(text, 110)]


def _table(body: TableBody) -> str:
    head = "".join(f"<th>{escape(heading_text(column))}</th>" for column in body.columns)
    inset = [f' style="padding-left: {1 + depth}em"' if depth else "" for depth in body.depths or [0] * len(body.rows)]
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{'' if place else style}>{escape(text)}</td>"
            for place, text in enumerate(map(cell_text, row, body.columns))
        )
        + "</tr>"
        for row, style in zip(body.rows, inset, strict=True)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _kpi_text(value: str | FactRef) -> str:
    return value if isinstance(value, str) else value.text
