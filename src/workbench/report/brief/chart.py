"""The chart of deviations: one small SVG a row, drawn by hand, so that hundreds of pages need no browser.

Each row has the target in the middle, the band as a pale bar, a ring where the weight stands now and a disc where it
will stand: told apart by shape, not by colour alone. Colours are attributes, which a page's style may override.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from workbench.report import theme
from workbench.report.brief.page import Deviation

#: Size of one row's drawing, in its own units.
WIDTH, HEIGHT = 120, 12
_EDGE = 6


def reach(rows: Sequence[Deviation]) -> float:
    """Return the deviation at the chart's edges: the widest of all rows, rounded up to a whole percentage point."""
    parts = [abs(value - row.target) for row in rows for value in (row.before, row.after)]
    parts += [abs(edge - row.target) for row in rows for edge in (row.lower, row.upper) if edge is not None]
    return max(math.ceil(round(max(parts, default=0.0) * 100, 6)) / 100, 0.01)


def draw(row: Deviation, edge: float) -> Markup:
    """Return one row as SVG, with `edge` (a fraction) at either side of the target in the middle."""

    def x(value: float) -> str:
        place = WIDTH / 2 + (value - row.target) / edge * (WIDTH / 2 - _EDGE)
        return f"{min(max(place, 0.0), WIDTH):.1f}"

    middle, parts = HEIGHT / 2, []
    if row.lower is not None and row.upper is not None:
        left, right = float(x(row.lower)), float(x(row.upper))
        parts.append(
            f'<rect class="band" x="{left:.1f}" y="1" width="{right - left:.1f}" height="{HEIGHT - 2}" '
            f'fill="{theme.BAND_BAR.light}"/>'
        )
    else:
        parts.append(_line("axis", f"{_EDGE}", f"{WIDTH - _EDGE}", middle, theme.GRID.light, 1))
    parts.append(
        f'<line class="target" x1="{x(row.target)}" x2="{x(row.target)}" y1="0" y2="{HEIGHT}" '
        f'stroke="{theme.BAND.light}" stroke-width="1.2"/>'
    )
    colour = theme.ACTUAL.light
    parts.append(_line("path", x(row.before), x(row.after), middle, colour, 1.3))
    parts.append(
        f'<circle class="before" cx="{x(row.before)}" cy="{middle:g}" r="3.4" fill="{theme.PAPER.light}" '
        f'stroke="{theme.OVER.light}" stroke-width="1.6"/>'
    )
    parts.append(f'<circle class="after" cx="{x(row.after)}" cy="{middle:g}" r="3.4" fill="{colour}"/>')
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="deviation" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true" '
        f'focusable="false">{"".join(parts)}</svg>'
    )


def _line(name: str, start: str, end: str, y: float, colour: str, width: float) -> str:
    return (
        f'<line class="{name}" x1="{start}" x2="{end}" y1="{y:g}" y2="{y:g}" stroke="{colour}" '
        f'stroke-width="{width:g}"/>'
    )
