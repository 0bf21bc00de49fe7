"""Prices, returns, calendars, covariance, factor exposures and trading costs; pure functions on frames."""

from workbench.market.calendar import is_session, missing_sessions, previous_session, sessions, sessions_of
from workbench.market.costs import PARTICIPATION, days_to_trade, spread_cost
from workbench.market.covariance import Covariance, FactorModel, factor_model, ledoit_wolf
from workbench.market.exposures import Exposures, regress, style_factors
from workbench.market.prices import PriceHistory, price_history, prices_at, sessions_since_price
from workbench.market.returns import (
    adjusted_returns,
    calendar_year_returns,
    compound,
    cumulative,
    disagreement,
    missing_returns,
    total_returns,
)

__all__ = [
    "PARTICIPATION",
    "Covariance",
    "Exposures",
    "FactorModel",
    "PriceHistory",
    "adjusted_returns",
    "calendar_year_returns",
    "compound",
    "cumulative",
    "days_to_trade",
    "disagreement",
    "factor_model",
    "is_session",
    "ledoit_wolf",
    "missing_returns",
    "missing_sessions",
    "previous_session",
    "price_history",
    "prices_at",
    "regress",
    "sessions",
    "sessions_of",
    "sessions_since_price",
    "spread_cost",
    "style_factors",
    "total_returns",
]
