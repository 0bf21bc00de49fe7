"""The usual statistics of returns, each with its convention stated where a program and a reader can find it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.performance._formulas import FORMULAS, Floats, Sample
from workbench.performance.conventions import CONVENTIONS, Convention


@dataclass(frozen=True, eq=False)
class Statistics:
    """Statistics (rows, by name) of one or more series (columns); `reasons` says why a figure is missing, else "".

    Losses are negative: drawdown, value at risk and its mean are returns. `periods` is how many there were,
    `periods_per_year` how many make a year.
    """

    values: pd.DataFrame
    reasons: pd.DataFrame
    periods: int
    periods_per_year: int

    def value(self, name: str, column: object = None) -> float:
        """One figure, of the first column unless told; raises `ParameterError` with the reason where it is missing."""
        if name not in self.values.index:
            raise ParameterError(f"there is no statistic {name!r}: one of {', '.join(self.values.index)}", "name")
        column = self.values.columns[0] if column is None else column
        if self.reasons.loc[name, column]:
            raise ParameterError(f"{name} of {column} is not known: {self.reasons.loc[name, column]}", name)
        return float(self.values.loc[name, column])

    def to_frame(self) -> pd.DataFrame:
        """The values with the title, unit and formula of each."""
        words = pd.DataFrame([vars(CONVENTIONS[name]) for name in self.values.index], index=self.values.index)
        return pd.concat([words["title"], self.values, words[["unit", "words"]]], axis=1)


def statistics(
    returns: pd.Series | pd.DataFrame,
    benchmark: pd.Series | None = None,
    rate: float | pd.Series = 0.0,
    periods_per_year: int = 252,
) -> Statistics:
    """Every statistic of `CONVENTIONS` for each column of simple returns of periods, those of a benchmark if given.

    `benchmark` has returns of the same periods. `rate` is risk-free: one effective yearly rate, turned into
    (1 + rate)^(1 / periods_per_year) - 1 a period, or a series of returns of the same periods. What cannot be known
    is missing with its reason: a ratio whose divisor is zero, anything annualised under a year.

    Raises `ParameterError` for no period at all, a return that is missing, infinite or below -100 %, and for periods
    that do not match.
    """
    frame = _frame(returns, "returns")
    sample = _sample(frame, benchmark, rate, periods_per_year)
    conventions = [one for one in CONVENTIONS.values() if benchmark is not None or not one.benchmark]
    values, reasons = {}, {}
    for convention in conventions:
        short = _too_short(convention, len(frame), periods_per_year)
        value = (
            np.full(frame.shape[1], np.nan) if short else np.broadcast_to(_compute(convention, sample), frame.shape[1])
        )
        values[convention.name] = value
        reasons[convention.name] = np.where(np.isnan(value), short or convention.undefined or "cannot be computed", "")
    return Statistics(
        pd.DataFrame.from_dict(values, orient="index", columns=frame.columns),
        pd.DataFrame.from_dict(reasons, orient="index", columns=frame.columns),
        len(frame),
        periods_per_year,
    )


def rolling(
    name: str,
    returns: pd.Series | pd.DataFrame,
    window: int,
    benchmark: pd.Series | None = None,
    rate: float | pd.Series = 0.0,
    periods_per_year: int = 252,
) -> pd.DataFrame:
    """One statistic over each `window` periods, by the last day of the window and series; missing where undefined.

    Raises as `statistics` does, and for a window that is too short for the statistic (under a year for one that is
    annualised) or longer than the returns.
    """
    if name not in CONVENTIONS:
        raise ParameterError(f"there is no statistic {name!r}: one of {', '.join(CONVENTIONS)}", "name")
    convention, frame = CONVENTIONS[name], _frame(returns, "returns")
    if convention.benchmark and benchmark is None:
        raise ParameterError(f"{name} needs a benchmark", "benchmark")
    if not 1 <= window <= len(frame):
        raise ParameterError(f"a window of {window} periods does not fit in {len(frame)}", "window")
    if short := _too_short(convention, window, periods_per_year):
        raise ParameterError(f"{name} over a window of {window} periods: {short}", "window")
    whole = _sample(frame, benchmark, rate, periods_per_year)

    def windows(array: Floats) -> Floats:
        return np.moveaxis(np.lib.stride_tricks.sliding_window_view(array, window, axis=0), -1, 0)

    against, free = windows(whole.benchmark[:, 0]), windows(whole.rate[:, 0])
    # Column by column: the windows of one are `window` times as large as it is.
    columns = {}
    for place, column in enumerate(frame.columns):
        one = Sample(windows(whole.returns[:, place]), against, free, whole.periods)
        columns[column] = _compute(convention, one)
    return pd.DataFrame(columns, index=frame.index[window - 1 :], columns=frame.columns)


def _too_short(convention: Convention, periods: int, periods_per_year: int) -> str:
    if convention.annualised and periods < periods_per_year:
        return "under a year of returns: not annualised"
    return f"fewer than {convention.least} periods" if periods < convention.least else ""


def _compute(convention: Convention, sample: Sample) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        value = FORMULAS[convention.name](sample)
    return np.where(np.isfinite(value), value, np.nan)


def _frame(returns: pd.Series | pd.DataFrame, name: str) -> pd.DataFrame:
    if not isinstance(returns, pd.Series | pd.DataFrame):
        raise ParameterError(f"{name} must be a pandas Series or DataFrame, not {type(returns).__name__}", name)
    frame = (returns.to_frame(returns.name or name) if isinstance(returns, pd.Series) else returns).astype(np.float64)
    if frame.empty:
        raise ParameterError(f"{name} has no period: give at least one return", name)
    if frame.index.has_duplicates or frame.columns.has_duplicates:
        raise ParameterError(f"{name} has a period or a name twice", name)
    bad = ~(np.isfinite(frame.to_numpy()) & (frame.to_numpy() >= -1.0))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        value = frame.iat[row, column]
        raise ParameterError(
            f"{name} of {frame.columns[column]} at {frame.index[row]} is {value}, and {bad.sum() - 1} more like it: "
            "returns are never filled; leave the period out of every series or find its price",
            name,
        )
    return frame


def _sample(frame: pd.DataFrame, benchmark: pd.Series | None, rate: float | pd.Series, periods_per_year: int) -> Sample:
    if not periods_per_year >= 1:
        raise ParameterError(f"periods_per_year is {periods_per_year}: 252 for days, 12 for months", "periods_per_year")
    if isinstance(rate, pd.Series):
        free = _matched(rate, frame, "rate")
    elif np.isfinite(rate) and rate > -1.0:
        free = np.full((len(frame), 1), (1.0 + rate) ** (1.0 / periods_per_year) - 1.0)
    else:
        raise ParameterError(f"a yearly risk-free rate of {rate} is out of range: 0.02 is 2 %", "rate")
    against = np.zeros((len(frame), 1)) if benchmark is None else _matched(benchmark, frame, "benchmark")
    return Sample(frame.to_numpy(), against, free, periods_per_year)


def _matched(series: pd.Series, frame: pd.DataFrame, name: str) -> Floats:
    if not isinstance(series, pd.Series):
        raise ParameterError(f"{name} must be a Series of returns, not {type(series).__name__}", name)
    if not series.index.equals(frame.index):
        raise ParameterError(f"the periods of {name} are not those of the returns: align them first", name)
    return _frame(series, name).to_numpy()
