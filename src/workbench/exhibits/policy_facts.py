"""Words and figures that the chapters on rebalancing policies share."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.backtest.evidence import Evidence, Interval
from workbench.exhibits.origin import Origin
from workbench.report import Fact, Settings
from workbench.report import format as fmt
from workbench.report.exhibit import Tone

#: Tables of the book of record that a comparison reads.
TABLES = ("accounts", "model_targets", "models", "prices", "securities")
FUNCTION = "backtest.evidence.pack"
#: Basis points as the fraction that exhibits format.
BP = 1e-4
#: Below this a number is shown as 0.000.
_LEAST = 5e-4
#: A hyphen that stands for a minus.
_HYPHEN = re.compile(r"(?<![\w-])-(?=[\d.])")
#: What each decision is called, and the tone of its box.
DECISIONS: dict[str, tuple[str, Tone]] = {
    "deploy": ("deploy", "good"),
    "shadow": ("run in the shadow of the rule", "warning"),
    "do not deploy": ("do not deploy", "decision"),
}


def settings(evidence: Evidence, origin: Origin, more: str = "") -> Settings:
    """The line under an exhibit: the test days, that costs are taken off, and when trades happen."""
    basis = (
        f"{fmt.clipped(evidence.universe, 60)}, tested {evidence.first:%Y-%m-%d} to {evidence.last:%Y-%m-%d}, "
        "net of trading costs, decided at a close and traded a session later"
    )
    return origin.settings(f"{basis}; {more}" if more else basis, TABLES)


def worth(id: str, value: float, evidence: Evidence, origin: Origin, function: str = FUNCTION) -> Fact:
    """A worth or a gain in the unit of the claim: basis points a year, or a Sharpe ratio."""
    if evidence.measure == "sharpe":
        return origin.fact(id, value, "number", function, TABLES, digits=3)
    return bp(id, value, origin, function)


def bp(id: str, value: float, origin: Origin, function: str = FUNCTION) -> Fact:
    """Basis points to two digits: costs of rebalancing are small."""
    return origin.fact(id, BP * value, "bp", function, TABLES, digits=2)


def plain(id: str, value: float, origin: Origin, function: str = FUNCTION) -> Fact:
    """A number with the digits it needs."""
    return origin.fact(id, value, "number", function, TABLES, text=figure(value))


def count(id: str, value: int, origin: Origin, function: str = FUNCTION) -> Fact:
    """A count."""
    return origin.fact(id, value, "count", function, TABLES)


def figure(value: float) -> str:
    """A number of any size in three digits: 0.95, 12.3, 500."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= _LEAST else f"{value:.0f}"
    if 0.0 < abs(value) < _LEAST:
        text = f"{value:.3f}"
    return text.replace("-", fmt.MINUS)


def size(value: float, evidence: Evidence) -> str:
    """A worth in words with its unit."""
    if evidence.measure == "sharpe":
        return figure(value)
    return fmt.basis_points(BP * value, 2)


def between(interval: Interval, evidence: Evidence) -> str:
    """The ends of an interval."""
    if evidence.measure == "sharpe":
        return f"{figure(interval.low)} to {figure(interval.high)}"
    return f"{fmt.basis_points(BP * interval.low, 2, unit=False)} to {fmt.basis_points(BP * interval.high, 2)}"


def chance(p: float) -> str:
    """A p-value in words."""
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def scale(evidence: Evidence) -> tuple[str, float]:
    """The unit a chart of worths has, and what one unit of worth is in it."""
    return ("number", 1.0) if evidence.measure == "sharpe" else ("bp", BP)


def upper(text: str) -> str:
    """Text that begins a sentence, a cell or a label; policies' own names begin in lower case."""
    return text[:1].upper() + text[1:]


def house(text: str) -> str:
    """A sentence of the evidence in the house's form: a capital first, true minus signs."""
    return _HYPHEN.sub(fmt.MINUS, upper(text))


def sentence(parts: Sequence[str]) -> str:
    """Parts joined as one sentence's list: "a, b and c"."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
