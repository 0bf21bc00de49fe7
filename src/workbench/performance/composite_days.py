"""A composite's way through each month, day by day, so that its figures to any day link with its monthly record."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from workbench.errors import ParameterError
from workbench.performance.account_returns import AccountReturns
from workbench.performance.composites import Composite
from workbench.performance.periods import calendar_periods
from workbench.performance.returns import Floats


def composite_days(composite: Composite, returns: AccountReturns, daily: ArrayLike | None = None) -> pd.Series:
    """Return the composite's daily returns, one for each close but the first; missing in a month without a member.

    The month's members are weighted by their values at its beginning and then drift with their own returns, so that
    the days of a month compound to the composite's return of that month, exactly. `returns` are those of the accounts
    of the composite, in the same order, after or before fees; `daily` (N x T) takes the place of their returns, as for
    the benchmark of each account.

    Raises `ParameterError` for other accounts or sessions, and for a composite weighted by flows too, whose weights
    are only known when the month is over.
    """
    members = composite.members
    if not members.index.equals(returns.account_ids):
        raise ParameterError("the returns are not those of the composite's accounts; give the same accounts", "returns")
    if composite.rules.weighting != "begin":
        raise ParameterError(f"days of a composite weighted by {composite.rules.weighting} are not known", "composite")
    rates = returns.daily if daily is None else np.asarray(daily, dtype=np.float64)
    if rates.shape != returns.daily.shape:
        raise ParameterError(f"daily has shape {rates.shape}, the returns have {returns.daily.shape}", "daily")
    months = calendar_periods(returns.sessions, "month").set_index("end")
    if len(lost := members.columns.difference(months.index)):
        raise ParameterError(f"the returns have no month that ends on {lost[0]:%Y-%m-%d}; give them whole", "returns")
    days = np.full(returns.daily.shape[1], np.nan)
    for end, first, stop in months.loc[members.columns, ["first", "stop"]].itertuples(name=None):
        chosen = members[end].to_numpy()
        if chosen.any():
            days[first:stop] = _drifting(rates[chosen, first:stop], returns.value[chosen, first])
    return pd.Series(days, index=pd.DatetimeIndex(returns.sessions[1:], name="date"), name=composite.name)


def _drifting(returns: Floats, weights: Floats) -> Floats:
    """Daily returns of holdings that are weighted once and then left alone; missing once all is lost."""
    wealth = np.concatenate([[weights.sum()], weights @ np.cumprod(1.0 + returns, axis=1)])
    growth = np.full(len(wealth) - 1, np.nan)
    np.divide(wealth[1:], wealth[:-1], out=growth, where=wealth[:-1] > 0.0)
    return growth - 1.0
