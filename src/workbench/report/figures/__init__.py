"""The book's chart forms: plain plotly JSON in the house style, no plotly import.

Each function takes plain sequences and gives a `FigureBody`. Values come as fractions, dollars or counts and `unit`
("percent", "pp", "bp", "usd", "count", "number") says how axes and labels read. Names from the firm's data are
escaped, for plotly reads a small markup. A missing value (None or NaN) leaves a gap, never a zero.
"""

from workbench.report.figures._axes import label
from workbench.report.figures.bars import bars_against_target, diverging_bars, stacked_causes, waterfall
from workbench.report.figures.bridges import bridge
from workbench.report.figures.changes import before_after
from workbench.report.figures.distributions import account_scatter, dot_table, histogram
from workbench.report.figures.fans import fan
from workbench.report.figures.frontiers import frontier
from workbench.report.figures.heat_maps import heat_map
from workbench.report.figures.intervals import Interval, intervals, shares
from workbench.report.figures.lines import lines
from workbench.report.figures.panels import Panel, panels
from workbench.report.figures.strips import strip

__all__ = [
    "Interval",
    "Panel",
    "account_scatter",
    "bars_against_target",
    "before_after",
    "bridge",
    "diverging_bars",
    "dot_table",
    "fan",
    "frontier",
    "heat_map",
    "histogram",
    "intervals",
    "label",
    "lines",
    "panels",
    "shares",
    "stacked_causes",
    "strip",
    "waterfall",
]
