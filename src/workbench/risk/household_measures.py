"""What the watch score is made of: value, concentration, volatility, falls and correlation of each household on a day.

The average correlation is the one implied by volatilities, weighted by w_i s_i w_j s_j:
(s^2 - sum w_i^2 s_i^2) / ((sum w_i s_i)^2 - sum w_i^2 s_i^2).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.risk.watched import Floats, Watched, added_up

SESSIONS_PER_YEAR = 252
#: Fewer sessions than this are no long run.
LEAST_SESSIONS = 252
#: Households whose daily returns are held in memory at once.
_CHUNK = 2048
#: Where pairs of holdings make up less of the undiversified variance than this, there is practically one holding.
_LEAST_PAIRS = 0.02


def holdings_on(watched: Watched, session: int) -> pd.DataFrame:
    """Value and concentration of each household, and why it cannot be scored."""
    count = len(watched.households)
    household, security = watched.holding_household, watched.holding_security
    worth = watched.value_at(session)
    value = added_up(worth, household, count)
    total = np.where(value > 0, value, np.nan)
    issuer, names = watched.issuers
    company = watched.is_company[security] & (worth > 0)
    key, place = np.unique(household[company] * len(names) + issuer[security[company]], return_inverse=True)
    by_issuer = added_up(worth[company], place, len(key))
    owner = key // len(names)
    weight = by_issuer / total[owner]
    largest = np.zeros(count)
    np.maximum.at(largest, owner, np.nan_to_num(weight))
    named = np.full(count, None, dtype=object)
    top = np.flatnonzero(weight == largest[owner])
    named[owner[top][::-1]] = names.to_numpy()[key[top] % len(names)][::-1]
    pair, where = np.unique(household * len(watched.securities) + security, return_inverse=True)
    by_security = added_up(np.nan_to_num(worth), where, len(pair))
    squares = added_up(by_security**2, pair // len(watched.securities), count)
    reason = pd.Series(pd.NA, index=watched.households.index, dtype="string")
    reason[np.isnan(value)] = "something held has never had a price"
    reason[value <= 0] = "value is zero or negative"
    holds = added_up(worth != 0, household, count) > 0
    reason[~holds] = "holds nothing"
    reason[np.bincount(watched.household, minlength=count) == 0] = "has no account"
    return pd.DataFrame(
        {
            "household_id": watched.households["household_id"],
            "value": np.where(np.isnan(value), np.nan, value),
            "largest_issuer": pd.Series(named, dtype="string"),
            "issuer_weight": np.where(np.isnan(total), np.nan, largest),
            "herfindahl": added_up(np.nan_to_num(weight) ** 2, owner, count),
            "effective_number": np.divide(total**2, squares, out=np.full(count, np.nan), where=squares > 0),
            "reason": reason,
        }
    )


def moments(watched: Watched, session: int, frame: pd.DataFrame, recent: int, long: int) -> dict[str, Floats]:
    """Volatility, fall and correlation of what each household holds on a day, over the time before it."""
    names = (
        "recent_volatility", "long_volatility", "holdings_drawdown", "average_correlation", "long_correlation",
        "diversification_ratio", "covered",
    )  # fmt: skip
    count, width = len(frame), len(watched.securities)
    result = {name: np.full(count, np.nan) for name in names}
    if session < LEAST_SESSIONS:
        return result
    window = watched.returns[max(session - long, 0) + 1 : session + 1]
    whole = ~np.isnan(window).any(axis=0)
    window = np.ascontiguousarray(window[:, whole])
    worth = np.nan_to_num(watched.value_at(session))
    order = np.argsort(watched.holding_household, kind="stable")
    owner = watched.holding_household[order]
    good = frame["reason"].isna().to_numpy()
    for start in range(0, count, _CHUNK):
        stop = min(start + _CHUNK, count)
        part = order[np.searchsorted(owner, start) : np.searchsorted(owner, stop)]
        weights = np.zeros((stop - start, width))
        np.add.at(weights, (watched.holding_household[part] - start, watched.holding_security[part]), worth[part])
        gross = np.abs(weights).sum(axis=1)
        inside = weights[:, whole]
        covered = np.divide(np.abs(inside).sum(axis=1), gross, out=np.zeros_like(gross), where=gross > 0)
        net = inside.sum(axis=1)
        use = good[start:stop] & (net > 0)
        shares = inside[use] / net[use, None]
        rows = np.flatnonzero(use) + start
        result["covered"][start:stop] = np.where(good[start:stop], covered, np.nan)
        for name, figures in _measure(window, shares, recent).items():
            result[name][rows] = figures
    return result


def _measure(window: Floats, shares: Floats, recent: int) -> dict[str, Floats]:
    """Volatilities, fall and correlations of portfolios (P x S) over a window of returns (T x S)."""
    paths = window @ shares.T
    result = {}
    for name, correlation, part in (
        ("recent_volatility", "average_correlation", slice(-recent, None)),
        ("long_volatility", "long_correlation", slice(None)),
    ):
        deviation = paths[part].std(axis=0, ddof=1)
        own = window[part].std(axis=0, ddof=1)
        alone, together = (shares**2) @ own**2, (shares @ own) ** 2
        pairs = together - alone
        known = (pairs > _LEAST_PAIRS * together) & (shares >= 0).all(axis=1)
        result[correlation] = np.divide(deviation**2 - alone, pairs, out=np.full(len(alone), np.nan), where=known)
        result[name] = deviation * np.sqrt(SESSIONS_PER_YEAR)
        if part == slice(-recent, None):
            # Rounding leaves a portfolio of cash with a deviation of 1e-18, which is no volatility.
            moves = deviation > 1e-12
            result["diversification_ratio"] = np.divide(
                shares @ own, deviation, out=np.full(len(alone), np.nan), where=moves
            )
    for name in ("recent_volatility", "long_volatility"):
        result[name] = np.where(result[name] > 1e-12, result[name], 0.0)
    unit = np.cumprod(1.0 + paths[-SESSIONS_PER_YEAR:], axis=0)
    highest = np.maximum(unit.max(axis=0), 1.0)
    result["holdings_drawdown"] = 1.0 - unit[-1] / highest
    return result


def value_drawdown_on(watched: Watched, session: int, falls: pd.DataFrame | None) -> Floats:
    """The fall of each household's own assets at a session; missing where it is not known."""
    if falls is None or falls.empty:
        return np.full(len(watched.households), np.nan)
    day = watched.sessions[session]
    until = pd.DatetimeIndex(falls.index).searchsorted(day, side="right")
    if until == 0 or falls.index[until - 1] != day:
        return np.full(len(watched.households), np.nan)
    return falls.iloc[until - 1].reindex(watched.households["household_id"]).to_numpy(np.float64)
