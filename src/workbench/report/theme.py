"""The house style: colours in a light and a dark set, and the small figure template.

Figures are stored in the light colours. Each light colour is used for one purpose only, so that the book's script
and the tests can put the dark one in its place by looking it up. Blue and orange carry meaning (they stay apart for
every common kind of colour blindness and differ in lightness, so also in print); red is for limits alone and always
comes with a dash or a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SANS = "Source Sans Pro, Segoe UI, Helvetica Neue, Arial, sans-serif"
SERIF = "Source Serif Pro, Georgia, Times New Roman, serif"


@dataclass(frozen=True)
class Colour:
    """One purpose's colour on light and on dark paper, as #rrggbb (or rgba for a band's fill)."""

    light: str
    dark: str


#: Text and lines of the pages.
PAPER = Colour("#ffffff", "#11161f")
PANEL = Colour("#f4f6fa", "#1a212d")
INK = Colour("#1a2332", "#e9edf4")
MUTED = Colour("#59657a", "#a3afc2")
RULE = Colour("#d8dee8", "#323d4f")
LINK = Colour("#0a57a8", "#7ab8ff")
GOOD = Colour("#17694a", "#62cfa4")
WARNING = Colour("#8a4b00", "#f5b35c")
BAD = Colour("#a8201a", "#ff938a")

#: Marks of the charts.
ACTUAL = Colour("#0b5cad", "#5ea8f5")
TARGET = Colour("#bcc5d3", "#566279")
BAND = Colour("#33415a", "#c7d1e0")
OVER = Colour("#c9590a", "#ff9f4f")
UNDER = Colour("#2a6fb8", "#74b3f0")
LIMIT = Colour("#b3261e", "#ff8a80")
BAND_BAR = Colour("#dde4ee", "#2c3748")
BAND_FILL = Colour("rgba(11,92,173,0.14)", "rgba(94,168,245,0.22)")
GRID = Colour("#e3e7ee", "#29323f")
AXIS = Colour("#9aa5b5", "#5c6879")
CHART_INK = Colour("#2b3547", "#d5dce8")
CHART_MUTED = Colour("#5b677b", "#a5b0c2")
GAP = Colour("#fffffe", "#11161e")
HATCH = Colour("#33415b", "#11161d")

#: Categories in order of use: neighbours differ in hue, lightness and, in bars, in pattern.
CATEGORIES = (
    Colour("#0d4f94", "#4f9bea"),
    Colour("#e08214", "#ffb061"),
    Colour("#7fb8e6", "#b5d8f7"),
    Colour("#2c8c74", "#4fbf9f"),
    Colour("#8c96a8", "#8792a6"),
    Colour("#8f5a9e", "#c894d6"),
    Colour("#d8b365", "#e8d29a"),
)
PATTERNS = ("", "", "/", "\\", ".", "x", "")
#: From little to much, as the colour of a heat map's cells; the lightness alone tells the order, also in print.
SEQUENTIAL = (
    Colour("#eef3fa", "#1d2735"),
    Colour("#c3d7ee", "#27456b"),
    Colour("#8fb5de", "#3a6ea6"),
    Colour("#4b86c4", "#74aee4"),
    Colour("#0f4a8a", "#d3e7fb"),
)

FIGURE_COLOURS = (
    ACTUAL, TARGET, BAND, OVER, UNDER, LIMIT, BAND_BAR, BAND_FILL, GRID, AXIS, CHART_INK, CHART_MUTED, GAP, HATCH,
    *CATEGORIES, *SEQUENTIAL,
)  # fmt: skip


def dark_by_light() -> dict[str, str]:
    """Return the dark colour for each light colour a figure may use."""
    return {colour.light: colour.dark for colour in FIGURE_COLOURS}


def css_tokens(*, dark: bool) -> str:
    """Return the page colours as CSS custom properties of one set."""
    tokens = {
        "paper": PAPER, "panel": PANEL, "ink": INK, "muted": MUTED, "rule": RULE, "link": LINK, "good": GOOD,
        "warning": WARNING, "bad": BAD, "accent": ACTUAL,
    }  # fmt: skip
    return "".join(f"--{name}:{colour.dark if dark else colour.light};" for name, colour in tokens.items())


def figure_layout() -> dict[str, Any]:
    """Return the house's figure template as a plotly layout: quiet axes, no box, room for direct labels."""
    axis = {
        "gridcolor": GRID.light,
        "linecolor": AXIS.light,
        "zeroline": False,
        "ticks": "",
        "automargin": True,
        "title": {"font": {"size": 13, "color": CHART_MUTED.light}, "standoff": 10},
        "tickfont": {"size": 13, "color": CHART_INK.light},
        "fixedrange": True,
    }
    return {
        "font": {"family": SANS, "size": 13, "color": CHART_INK.light},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 24, "t": 36, "b": 8},
        "legend": {
            "orientation": "h", "x": 0, "xanchor": "left", "xref": "container",
            "y": 1, "yanchor": "top", "yref": "container",
            "font": {"size": 13}, "itemclick": False, "itemdoubleclick": False, "traceorder": "normal",
        },
        "hoverlabel": {"font": {"family": SANS, "size": 13}},
        "dragmode": False,
        "showlegend": False,
        "xaxis": dict(axis),
        "yaxis": dict(axis),
    }  # fmt: skip


def contrast(first: str, second: str) -> float:
    """Return the WCAG 2 contrast ratio of two #rrggbb colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
