"""The whole drift review of a firm in one call: what every chapter, memo and alert reads, so that they agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench import market
from workbench.drift.aggregate import Aggregate, aggregate
from workbench.drift.causes import CAUSES, Causes, explain
from workbench.drift.history import load_history
from workbench.drift.load import load
from workbench.drift.measure import measure
from workbench.drift.rank import rank
from workbench.drift.result import Drift
from workbench.drift.words import drivers
from workbench.errors import MarketDataError
from workbench.firm import CASH, Firm
from workbench.market.covariance import MIN_OBSERVATIONS

#: The asset class whose average is the market of the style factors, and the sector of a fund that holds all sectors.
MARKET_CLASS, BROAD = "US equity", "Diversified"
#: Sessions of returns behind the risk figures: three years.
RISK_WINDOW = 756


@dataclass(frozen=True, eq=False)
class Review:
    """Drift, its causes, its sums by model, and the accounts in the order to look at them.

    `risk` is the covariance behind the tracking errors; `styles` the regression behind the factor level (None where the
    firm keeps its own exposures, or where there is nothing to regress on); `not_covered` the securities that were too
    young for the window, for which an account's tracking error is missing.
    """

    drift: Drift
    causes: Causes
    aggregate: Aggregate
    ranking: pd.DataFrame
    risk: market.Covariance | None
    styles: market.FactorModel | None
    not_covered: tuple[str, ...]

    @property
    def out_of_tolerance(self) -> pd.DataFrame:
        """The ranked accounts with any breach."""
        return self.ranking[self.ranking["breaches"] > 0]


def review(firm: Firm, *, window: int = RISK_WINDOW) -> Review:
    """Measure, explain and rank every account of a firm as of its day.

    `window` is how many sessions of returns the covariance (Ledoit and Wolf) and the style exposures of the factor
    level are estimated from; a firm's own `factor_exposures` come before these. Raises `FirmDataError`
    where the firm cannot be read.
    """
    risk, styles, not_covered = _risk(firm, window)
    inputs = load(firm, factor_model=styles)
    measured = measure(inputs, covariance=risk)
    causes = explain(inputs, load_history(firm, inputs))
    ranking = rank(measured, drivers=drivers(measured, causes))
    return Review(measured, causes, aggregate(measured), ranking, risk, styles, not_covered)


def _risk(firm: Firm, window: int) -> tuple[market.Covariance | None, market.FactorModel | None, tuple[str, ...]]:
    """The covariance and the style exposures of every security with a full window, and the securities without one.

    None where the firm's prices are too short for any; no styles where nothing stands for the market.
    """
    prices = firm.table("prices")
    days = prices["date"].drop_duplicates().nlargest(window + 1)
    if len(days) <= MIN_OBSERVATIONS:
        return None, None, tuple(sorted(prices["security_id"].unique()))
    recent = prices[(prices["date"] >= days.min()) & (prices["security_id"] != CASH)]
    returns = market.total_returns(market.price_history(recent))
    whole = returns.notna().all()
    if not whole.any():
        raise MarketDataError(
            "no security has a price on every session of the risk window; see the data quality chapter"
        )
    covered = returns.loc[:, whole]
    return market.ledoit_wolf(covered), _styles(firm, covered), tuple(returns.columns[~whole])


def _styles(firm: Firm, returns: pd.DataFrame) -> market.FactorModel | None:
    """Regression on style factors, unless the firm keeps its own exposures.

    The market is the firm's US shares together or, without any, its broad US funds.
    """
    if firm.rows.get("factor_exposures"):
        return None
    securities = firm.table("securities", ["security_id", "kind", "asset_class", "sector"])
    domestic = securities[(securities["asset_class"] == MARKET_CLASS) & securities["security_id"].isin(returns.columns)]
    shares = domestic[domestic["kind"] == "stock"]
    proxies = list((shares if len(shares) else domestic[domestic["sector"] == BROAD])["security_id"])
    if not proxies:
        return None
    return market.factor_model(returns, factors=market.style_factors(returns, proxies))


def cause_shares(review: Review) -> pd.Series:
    """The part of each cause in all drift: the value-weighted sum of its absolute effects over securities, as a share.

    Indexed by cause, sums to 1; empty where nothing was explained. Absolute effects, so that a rise in one account
    does not cancel a fall in another.
    """
    causes = review.causes
    value = np.repeat(review.drift.value[causes.account], np.diff(causes.account_ptr))
    total = pd.Series(value @ np.abs(causes.effect), index=list(CAUSES))
    return total / total.sum() if total.sum() > 0 else total.iloc[:0]
