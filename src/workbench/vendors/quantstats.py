"""QuantStats for comparison only: its familiar tearsheet, and its figures beside ours with the reason for each gap."""

from __future__ import annotations

import html
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from workbench.errors import MissingToolError, ParameterError

#: Figures nearer than this, relative to their size, are the same.
_SAME = 1e-9
#: Where QuantStats means something else by a name, and how; the rest must agree.
DIFFERENCES = {
    "information_ratio": "not annualised there; ours is x sqrt(periods a year)",
    "treynor": "there the total return of the whole time less the yearly rate, over beta; ours is a year's mean",
    "beta": "there from returns without taking the rate off; the same where the rate is constant",
    "alpha": "there from returns without taking the rate off; the same where the rate is zero",
    "value_at_risk": "there from a normal distribution; ours is the historical quantile",
    "expected_shortfall": "there from a normal distribution; ours is the mean of the historical tail",
}
_NOTE = "for comparison only; Treynor and information ratio here are not annualised"


def tearsheet(
    returns: pd.Series,
    benchmark: pd.Series,
    path: str | Path,
    title: str,
    rate: float = 0.0,
    periods_per_year: int = 252,
) -> Path:
    """Write QuantStats' HTML tearsheet of daily simple returns against a benchmark of the same days; return its path.

    The benchmark is a Series: given a ticker QuantStats would fetch prices, or, where it cannot, compare against
    zeros without a word. Nothing is fetched, and the page loads nothing from another host. The title may hold any
    text. `rate` is a yearly risk-free rate.

    Raises `MissingToolError` where QuantStats is not installed, `ParameterError` for a benchmark that is no Series,
    days that do not match, missing returns, and returns that QuantStats would take for prices.
    """
    _checked(returns, benchmark)
    package = _quantstats()
    target = Path(path)
    with _quiet():
        package.reports.html(
            _plain(returns),
            benchmark=_plain(benchmark),
            rf=rate,
            title=_harmless(title),
            output=str(target),
            periods_per_year=periods_per_year,
            match_dates=False,  # it would drop the first days on which either did not move
            strategy_title="Portfolio",
            benchmark_title="Benchmark",
            parameters={"Note": _NOTE},
        )
    page = target.read_text(encoding="utf-8")
    target.write_text(re.sub(r'<link[^>]*href="https?:[^>]*>', "", page), encoding="utf-8")
    return target


def figures(returns: pd.Series, benchmark: pd.Series, rate: float = 0.0, periods_per_year: int = 252) -> pd.Series:
    """QuantStats' figures of daily returns under our names; `rate` is a yearly risk-free rate.

    Raises as `tearsheet` does.
    """
    _checked(returns, benchmark)
    stats, of, against, periods = _quantstats().stats, _plain(returns), _plain(benchmark), periods_per_year
    greeks = stats.greeks(of, against, periods=periods)
    result = {
        "total_return": stats.comp(of),
        "annual_return": stats.cagr(of, periods=periods),
        "volatility": stats.volatility(of, periods=periods),
        "sharpe": stats.sharpe(of, rf=rate, periods=periods),
        "sortino": stats.sortino(of, rf=rate, periods=periods),
        "max_drawdown": stats.max_drawdown(of),
        "calmar": stats.calmar(of, periods=periods),
        "information_ratio": stats.information_ratio(of, against),
        "beta": greeks["beta"],
        "alpha": greeks["alpha"],
        "treynor": stats.treynor_ratio(of, against, periods=periods, rf=rate),
        "value_at_risk": stats.value_at_risk(of),
        "expected_shortfall": stats.cvar(of),
        "skewness": stats.skew(of),
        "kurtosis": stats.kurtosis(of),
        "omega": stats.omega(of, rf=rate, periods=periods),
        "tail_ratio": stats.tail_ratio(of),
    }
    return pd.Series({name: float(value) for name, value in result.items()}, name="quantstats")


def compare(
    ours: pd.Series, returns: pd.Series, benchmark: pd.Series, rate: float = 0.0, periods_per_year: int = 252
) -> pd.DataFrame:
    """Set our figures beside QuantStats' of the same returns: columns ours, quantstats, same, why.

    `ours` are figures by name, such as a column of `performance.statistics(...).values` made with the same rate and
    periods; names QuantStats has no figure for are left out. `why` is "" where the two are the same, and "not
    explained" where a gap has no known reason: then one of us is wrong. Raises as `tearsheet` does.
    """
    theirs = figures(returns, benchmark, rate, periods_per_year)
    names = [name for name in ours.index if name in theirs.index]
    table = pd.DataFrame({"ours": ours[names].astype(np.float64), "quantstats": theirs[names]}, index=pd.Index(names))
    table["same"] = np.isclose(table["ours"], table["quantstats"], rtol=_SAME, atol=1e-12, equal_nan=True)
    known = pd.Series(names, index=table.index).map(DIFFERENCES).fillna("not explained")
    table["why"] = known.where(~table["same"], "")
    return table.rename_axis("statistic")


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what drawing says of missing fonts and ticks: a hundred lines that change no figure."""
    fonts = logging.getLogger("matplotlib.font_manager")
    level = fonts.level
    fonts.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module="quantstats")
            yield
    finally:
        fonts.setLevel(level)


def _quantstats() -> ModuleType:
    try:
        import quantstats
    except ImportError as error:
        remedy = "install the extra `compare`: pip install 'workbench[compare]'"
        raise MissingToolError(f"QuantStats is not installed; {remedy}") from error
    return quantstats


def _checked(returns: pd.Series, benchmark: pd.Series) -> None:
    for name, series in (("returns", returns), ("benchmark", benchmark)):
        if not isinstance(series, pd.Series):
            what = f"the text {series!r}" if isinstance(series, str) else type(series).__name__
            message = f"{name} must be a Series of returns, not {what}: a ticker is never fetched here"
            raise ParameterError(message, name)
        if not isinstance(series.index, pd.DatetimeIndex):
            raise ParameterError(f"{name} needs days as its index", name)
        if len(series) < 2 or not np.isfinite(series.to_numpy(dtype=np.float64)).all():
            raise ParameterError(f"{name} needs two returns or more, none missing: QuantStats would skip them", name)
        if series.min() >= 0.0 and series.max() > 1.0:
            message = f"{name} has no loss and a gain of over 100 %: QuantStats would take it for prices"
            raise ParameterError(message, name)
    if not returns.index.equals(benchmark.index):
        raise ParameterError("returns and benchmark have different days: align them first", "benchmark")


def _plain(series: pd.Series) -> pd.Series:
    """A copy without a name: names would reach the page unescaped."""
    return pd.Series(series.to_numpy(dtype=np.float64), index=pd.DatetimeIndex(series.index))


def _harmless(title: str) -> str:
    """The title as text of a page whose placeholders are in braces."""
    return html.escape(title).replace("{", "&#123;").replace("}", "&#125;")
