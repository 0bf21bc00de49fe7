"""What each statistic is: its formula in words, how it is annualised, its divisor, what the risk-free rate does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["percent", "number"]


@dataclass(frozen=True)
class Convention:
    """What a statistic is: enough to compute it again, and to print under a table.

    `words` is the formula, `annualised` how a period's figure becomes a year's ("" where it does not), `ddof` what is
    taken from the number of periods in a divisor (None where there is none), `rate` what the risk-free rate does in it
    ("" where nothing), `least` the fewest periods it is given for, `undefined` why it may be missing.
    """

    name: str
    title: str
    words: str
    unit: Unit = "number"
    annualised: str = ""
    ddof: int | None = None
    rate: str = ""
    benchmark: bool = False
    least: int = 1
    undefined: str = ""


_ROOT = "x sqrt(periods a year)"
_TIMES = "x periods a year"
_FREE = "taken from every return"
_STILL = "the returns do not vary"

#: In the order of tables.
_ALL = (
    Convention("total_return", "Total return", "product of (1 + r), less 1", "percent"),
    Convention(
        "annual_return",
        "Return a year",
        "(1 + total return)^(periods a year / periods) - 1",
        "percent",
        annualised="compounded",
    ),
    Convention("volatility", "Volatility", "standard deviation of r", "percent", annualised=_ROOT, ddof=1, least=2),
    Convention(
        "downside_deviation",
        "Downside deviation",
        "root of the mean over all periods of min(r - rate, 0)^2",
        "percent",
        annualised=_ROOT,
        ddof=0,
        rate="the target",
    ),
    Convention(
        "sharpe",
        "Sharpe ratio",
        "mean of (r - rate) over the standard deviation of (r - rate)",
        annualised=_ROOT,
        ddof=1,
        rate=_FREE,
        least=2,
        undefined="the returns over the rate do not vary",
    ),
    Convention(
        "sortino",
        "Sortino ratio",
        "mean of (r - rate) over the downside deviation",
        annualised=_ROOT,
        ddof=0,
        rate=_FREE,
        undefined="no return was below the rate",
    ),
    Convention("max_drawdown", "Largest drawdown", "lowest value over highest before it, less 1", "percent"),
    Convention(
        "calmar",
        "Calmar ratio",
        "return a year over the size of the largest drawdown, both over the whole time",
        annualised="compounded",
        undefined="there was no drawdown",
    ),
    Convention(
        "tracking_error",
        "Tracking error",
        "standard deviation of (r - benchmark)",
        "percent",
        annualised=_ROOT,
        ddof=1,
        benchmark=True,
        least=2,
    ),
    Convention(
        "information_ratio",
        "Information ratio",
        "mean of (r - benchmark) over its standard deviation",
        annualised=_ROOT,
        ddof=1,
        benchmark=True,
        least=2,
        undefined="the return over the benchmark does not vary",
    ),
    Convention(
        "beta",
        "Beta",
        "covariance of (r - rate) and (benchmark - rate) over the variance of the latter",
        rate=_FREE,
        benchmark=True,
        least=2,
        undefined="the benchmark does not vary",
    ),
    Convention(
        "alpha",
        "Jensen's alpha",
        "mean of (r - rate) less beta times the mean of (benchmark - rate)",
        "percent",
        annualised=_TIMES,
        rate=_FREE,
        benchmark=True,
        least=2,
        undefined="the benchmark does not vary",
    ),
    Convention(
        "treynor",
        "Treynor ratio",
        "mean of (r - rate) over beta",
        annualised=_TIMES,
        rate=_FREE,
        benchmark=True,
        least=2,
        undefined="beta is zero or not known",
    ),
    Convention(
        "up_capture",
        "Up capture",
        "geometric mean of r over that of the benchmark, in periods in which the benchmark rose",
        "percent",
        benchmark=True,
        undefined="the benchmark rose in no period",
    ),
    Convention(
        "down_capture",
        "Down capture",
        "geometric mean of r over that of the benchmark, in periods in which the benchmark fell",
        "percent",
        benchmark=True,
        undefined="the benchmark fell in no period",
    ),
    Convention(
        "hit_rate",
        "Periods ahead of the benchmark",
        "share of periods in which r is above the benchmark",
        "percent",
        benchmark=True,
    ),
    Convention("positive", "Periods with a gain", "share of periods in which r is above zero", "percent"),
    Convention(
        "value_at_risk",
        "Value at risk, 95 %",
        "the 5 % quantile of r, between two periods in proportion",
        "percent",
        least=20,
    ),
    Convention(
        "expected_shortfall",
        "Expected shortfall, 95 %",
        "mean of the r no higher than the value at risk",
        "percent",
        least=20,
    ),
    Convention(
        "skewness",
        "Skewness",
        "third standardised moment of r, adjusted for the sample's size (G1)",
        least=3,
        undefined=_STILL,
    ),
    Convention(
        "kurtosis",
        "Excess kurtosis",
        "fourth standardised moment of r less 3, adjusted for the sample's size (G2)",
        least=4,
        undefined=_STILL,
    ),
    Convention(
        "omega",
        "Omega ratio",
        "sum of gains over the rate, divided by the sum of losses below it",
        rate="the target",
        undefined="no return was below the rate",
    ),
    Convention(
        "tail_ratio",
        "Tail ratio",
        "size of the 95 % quantile of r over that of the 5 % quantile",
        least=20,
        undefined="the 5 % quantile is zero",
    ),
)
#: Every statistic by name.
CONVENTIONS: Mapping[str, Convention] = {convention.name: convention for convention in _ALL}
