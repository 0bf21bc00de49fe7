"""Drift: how far each account stands from its model, at every level, and what that distance means.

`measure` turns `DriftInputs` into a `Drift`, which keeps arrays and makes frames when asked.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.drift import _kernels
from workbench.drift.inputs import DriftInputs, Floats, Ints, Level, Offsets
from workbench.drift.result import Drift, SecurityRows
from workbench.market import PARTICIPATION, Covariance, FactorModel, days_to_trade


def measure(
    inputs: DriftInputs,
    *,
    covariance: Covariance | FactorModel | None = None,
    participation: float = PARTICIPATION,
) -> Drift:
    """Measure every account against its model at every level.

    `covariance` (annualised) splits the tracking error, TE_i = d_i (Sigma d)_i / TE, which adds up to it exactly; an
    account with a deviation in a security that it does not cover has a missing tracking error, and without it all are
    missing. `participation` is the fraction of daily volume an order may take. Raises `ParameterError` for one
    outside (0, 1].
    """
    value = inputs.values
    ptr, security, holding, weight, target = _merge(inputs, value)
    deviation = weight - target
    tracking_error, te, te_by_factor = _risk(inputs, ptr, security, deviation, covariance)
    prices, adv = inputs.securities.price[security], inputs.securities.adv[security]
    traded = np.abs(deviation) * np.repeat(value, np.diff(ptr)) / prices
    traded[inputs.securities.is_cash[security]] = 0.0
    days = days_to_trade(pd.Series(traded), pd.Series(adv), participation=participation).to_numpy()
    tax = _tax(inputs, np.where(deviation <= 0, 0.0, traded), holding, ptr)
    weights, te_by_level = {}, {}
    for name, level in inputs.levels.items():
        if name == "security":
            continue
        weights[name] = _sum(level, inputs.model, ptr, security, weight)
        if covariance is not None and name != "factor":
            te_by_level[name] = _sum(level, inputs.model, ptr, security, te)
    if te_by_factor is not None and "factor" in inputs.levels:
        te_by_level["factor"] = te_by_factor
    rows = SecurityRows(ptr, security, holding, weight, target, deviation, te, days, tax)
    return Drift(inputs, rows, value, tracking_error, weights, te_by_level, participation)


def _merge(inputs: DriftInputs, value: Floats) -> tuple[Offsets, Ints, Offsets, Floats, Floats]:
    level = inputs.levels["security"]
    named = (level.target != 0) | (level.lower > 0)
    model, security = np.nonzero(named)
    target_ptr = np.concatenate([[0], np.cumsum(np.bincount(model, minlength=len(named)))]).astype(np.int64)
    targets = (target_ptr, security.astype(np.int32))
    holdings = inputs.holdings
    count = _kernels.count_rows(holdings.account_ptr, holdings.security, inputs.model, *targets)
    row_ptr = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    merged = _kernels.security_rows(
        holdings.account_ptr, holdings.security, holdings.quantity, inputs.securities.price,
        inputs.model, *targets, level.target, row_ptr, value,
    )  # fmt: skip
    return (row_ptr, *merged)


def _sum(level: Level, model: Ints, ptr: Offsets, security: Ints, amount: Floats) -> Floats:
    if level.member is not None:
        return _kernels.sum_by_member(ptr, security, amount, level.member, len(level.keys))
    return _kernels.sum_by_loading(ptr, security, amount, model, level.loadings)


def _risk(
    inputs: DriftInputs, ptr: Offsets, security: Ints, deviation: Floats, covariance: Covariance | FactorModel | None
) -> tuple[Floats, Floats, Floats | None]:
    """Tracking error, its split by row, and by the factors of the factor level where the risk model has them."""
    ids = inputs.securities.ids
    if covariance is None:
        return np.full(len(ptr) - 1, np.nan), np.full(len(security), np.nan), None
    if isinstance(covariance, FactorModel):
        place = pd.Index(covariance.security_ids).get_indexer(pd.Index(ids))
        known = (place >= 0) | inputs.securities.is_cash
        exposures = np.where((place >= 0)[:, None], covariance.exposures[place], 0.0)
        specific = np.where(place >= 0, covariance.specific_variance[place], 0.0)
        error, split, by_factor = _kernels.factor_risk(
            ptr, security, deviation, exposures, covariance.factor_covariance, specific, known
        )
        names = inputs.levels["factor"].keys if "factor" in inputs.levels else ()
        column = pd.Index(covariance.factor_names).get_indexer(pd.Index(names))
        by_level = np.where(column >= 0, by_factor[:, column], np.nan)
    else:
        place = covariance.matrix.index.get_indexer(pd.Index(ids))
        known = (place >= 0) | inputs.securities.is_cash
        both = (place >= 0)[:, None] & (place >= 0)
        matrix = np.where(both, covariance.matrix.to_numpy(np.float64)[np.ix_(place, place)], 0.0)
        error, split = _kernels.matrix_risk(ptr, security, deviation, matrix, known)
        by_level = None
    unknown = np.isnan(error)
    split[np.repeat(unknown, np.diff(ptr))] = np.nan
    if by_level is not None:
        by_level[unknown] = np.nan
    return error, split, by_level


def _tax(inputs: DriftInputs, shares: Floats, holding: Offsets, ptr: Offsets) -> Floats:
    """Tax of selling each row's overweight: zero where gains are not taxed, missing where the lots are."""
    taxed = np.repeat(inputs.taxed, np.diff(ptr))
    if inputs.lots is None:
        return np.where((shares > 0) & taxed, np.nan, 0.0)
    lots = inputs.lots
    return _kernels.tax_to_sell(np.where(taxed, shares, 0.0), holding, lots.holding_ptr, lots.quantity, lots.tax)
