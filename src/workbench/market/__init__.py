"""Prices, returns, calendars, covariance, factor exposures and trading costs; pure functions on frames."""

from workbench.market.covariance import Covariance, FactorModel, factor_model, ledoit_wolf

__all__ = ["Covariance", "FactorModel", "factor_model", "ledoit_wolf"]
