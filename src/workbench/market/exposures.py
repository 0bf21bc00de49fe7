"""How much of each factor a security carries: regressions on factor returns, with how well they fit.

Style factors are long-short proxies from what the universe holds: a factor fund less the market. They are not the
academic portfolios; `Exposures` says how much they explain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import MarketDataError, ParameterError
from workbench.market.covariance import MIN_OBSERVATIONS, SESSIONS_PER_YEAR


@dataclass(frozen=True)
class StyleFactor:
    """A style as one fund less another: the first of `long` that has returns, less the first of `short`.

    An empty `short` stands for the market.
    """

    name: str
    long: tuple[str, ...]
    short: tuple[str, ...] = ()


#: Style factors by the tickers that stand for them, the closest to the style first.
STYLES = (
    StyleFactor("size", ("SIZE", "IWM", "IJR", "VB")),
    StyleFactor("value", ("VLUE", "VTV", "IVE", "IWD")),
    StyleFactor("momentum", ("MTUM",)),
    StyleFactor("quality", ("QUAL",)),
    StyleFactor("low volatility", ("USMV", "SPLV")),
    StyleFactor("term", ("TLT", "VGLT", "IEF", "USTL"), ("BIL", "SGOV", "TBIL", "SHY")),
)


@dataclass(frozen=True, eq=False)
class Exposures:
    """Least-squares exposures of securities to factors, with their fit.

    `beta` and `t_statistic` are frames security by factor; `alpha` (annual), `r_squared`, `residual_volatility`
    (annual) and `observations` are by security. t statistics are the plain ones (equal, independent errors).
    """

    beta: pd.DataFrame
    t_statistic: pd.DataFrame
    alpha: pd.Series
    r_squared: pd.Series
    residual_volatility: pd.Series
    observations: pd.Series

    def to_frame(self) -> pd.DataFrame:
        """One row a security and factor: security_id, factor, exposure, t_statistic, r_squared, observations."""
        long = self.beta.rename_axis(index="security_id", columns="factor").stack().rename("exposure").reset_index()
        long["t_statistic"] = self.t_statistic.to_numpy().ravel()
        for name in ("r_squared", "observations"):
            long[name] = long["security_id"].map(getattr(self, name))
        return long


def regress(
    returns: pd.DataFrame,
    factors: pd.DataFrame,
    *,
    periods_per_year: int = SESSIONS_PER_YEAR,
    min_observations: int = MIN_OBSERVATIONS,
) -> Exposures:
    """Regress each security's simple returns on factor returns (session by factor), with a constant.

    Each security uses all sessions on which it and every factor have a return; `observations` says how many. A security
    that never moves has zero exposure and a missing R squared.

    Raises `MarketDataError` naming securities with fewer than `min_observations` such sessions, `ParameterError` for
    factors that depend on each other.
    """
    given = factors.dropna()
    shared = returns.reindex(given.index)
    counts = shared.notna().sum()
    short = counts[counts < max(min_observations, given.shape[1] + 2)]
    if len(short):
        each = ", ".join(f"{security} ({count})" for security, count in short.items())
        raise MarketDataError(
            f"{len(short)} securities share too few sessions with the factors ({min_observations} needed): {each}; "
            "leave them out, or give factors over the same years"
        )
    names = list(given.columns)
    values, given_values = shared.to_numpy(np.float64), given.to_numpy(np.float64)
    lines = {security: _regression(values[:, i], given_values) for i, security in enumerate(shared.columns)}
    table = pd.DataFrame.from_dict(lines, orient="index")
    beta = pd.DataFrame(np.vstack(table["beta"].to_list()), index=table.index, columns=names)
    t_statistic = pd.DataFrame(np.vstack(table["t"].to_list()), index=table.index, columns=names)
    return Exposures(
        beta=beta,
        t_statistic=t_statistic,
        alpha=table["alpha"].astype("float64") * periods_per_year,
        r_squared=table["r_squared"].astype("float64"),
        residual_volatility=table["residual"].astype("float64") * np.sqrt(periods_per_year),
        observations=table["observations"].astype("int64"),
    )


def style_factors(
    returns: pd.DataFrame, market: Sequence[str], *, styles: Sequence[StyleFactor] = STYLES
) -> pd.DataFrame:
    """Factor returns, session by factor: "market", and each style for which the universe has the funds.

    `market` names the securities whose average return is the market: one broad fund, or the large caps themselves. A
    session on which one of them has no return has no market return. The funds that make a factor fit
    it wholly, by construction: their R squared of 1 says nothing.

    Raises `MarketDataError` where a market security has no returns.
    """
    lost = sorted(set(market) - set(returns.columns))
    if lost or not market:
        raise MarketDataError(f"no returns of {', '.join(lost) or 'any security'} for the market factor; name others")
    frame = pd.DataFrame({"market": returns[list(market)].mean(axis=1, skipna=False)})
    for style in styles:
        long = next((ticker for ticker in style.long if ticker in returns), None)
        short = next((ticker for ticker in style.short if ticker in returns), None)
        if long is None or (style.short and short is None):
            continue
        frame[style.name] = returns[long] - (frame["market"] if short is None else returns[short])
    return frame


def _regression(returns: NDArray[np.float64], factors: NDArray[np.float64]) -> dict[str, object]:
    there = ~np.isnan(returns)
    y = returns[there]
    x = np.column_stack([np.ones(len(y)), factors[there]])
    coefficients, _, rank, _ = np.linalg.lstsq(x, y, rcond=None)
    if rank < x.shape[1]:
        raise ParameterError("factor returns are linearly dependent; leave one factor out", "factors")
    residuals = y - x @ coefficients
    squares = float(residuals @ residuals)
    total = float(((y - y.mean()) ** 2).sum())
    variance = squares / (len(y) - x.shape[1])
    errors = np.sqrt(variance * np.diag(np.linalg.inv(x.T @ x)))
    moves = total > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        t = coefficients / errors
    return {
        "beta": coefficients[1:],
        "t": t[1:] if moves else np.full(x.shape[1] - 1, np.nan),
        "alpha": coefficients[0],
        "r_squared": 1.0 - squares / total if moves else np.nan,
        "residual": np.sqrt(variance),
        "observations": len(y),
    }
