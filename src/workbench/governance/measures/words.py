"""How a measure's figures and findings are written, on the desk and in the monthly chapter alike."""

from __future__ import annotations

import math

from workbench.governance.measures.comparison import Comparison, Finding
from workbench.governance.measures.definition import Measure

CALLED: dict[Finding, str] = {
    "better": "Better",
    "worse": "Worse",
    "no_difference": "No difference",
    "too_early": "Too early to say",
}


def figure(measure: Measure, value: float, *, signed: bool = False) -> str:
    """Write a figure in the measure's unit: shares as percent, hours to two digits, fractions a year to three.

    `signed` ones are differences: those of shares are percentage points.
    """
    sign = "+" if signed else ""
    if measure.statistic == "share":
        text = f"{value * 100:{sign}.1f}{' pp' if signed else '%'}"
    else:
        text = f"{value:{sign},.{2 if 'hours' in measure.unit else 3}f}"
    return text.replace("-", "\u2212")


def interval(measure: Measure, found: Comparison) -> str:
    """Write the 95 % interval of a difference, "not known" where one side has a single case."""
    if math.isnan(found.low):
        return "not known"
    return f"{figure(measure, found.low, signed=True)} to {figure(measure, found.high, signed=True)}"
