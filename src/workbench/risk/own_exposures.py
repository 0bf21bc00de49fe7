"""Factors by the exposures that a firm keeps itself, such as those of a risk vendor, in place of estimated ones.

A factor's return is what fits the securities' returns best on each session given their exposures B: the cross-sectional
regression of Fama and MacBeth (1973, Journal of Political Economy 81), so that a factor is a portfolio of the same
securities again, with weights G = B (B'B)^-1. Exposures are then given, not slopes on the factors, and what is left of
a security may move with a factor. Contributions are exposure times the covariance of factor and portfolio, and still
sum with the specific part to the volatility of the one covariance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.risk.model import RiskModel, independent


def with_exposures(model: RiskModel, exposures: pd.DataFrame) -> RiskModel:
    """The same covariance with the factors of given exposures (security_id x factor).

    Factors are estimated from securities with a full history of their own. A security without exposures has none to any
    factor, and all of its risk is specific; it is named in `unexposed`. A factor that others explain wholly, or that
    nothing is exposed to, is left out, and `left_out` says so. Raises `ParameterError` for an exposure that is no
    number, or a security or factor named twice.
    """
    if not exposures.index.is_unique or not exposures.columns.is_unique:
        raise ParameterError("a security or factor is named twice in the exposures; keep one of each", "exposures")
    ids = list(model.securities)
    given = exposures.reindex(ids)
    unexposed = tuple(given.index[given.isna().all(axis=1)])
    if not np.isfinite(exposures.to_numpy(np.float64)).all():
        raise ParameterError("an exposure is no finite number; give 0 where there is none", "exposures")
    loads = given.fillna(0.0).to_numpy(np.float64)
    own = np.array([security not in model.proxied for security in ids], bool)
    common = loads[own].T @ loads[own]
    kept, left_out = independent(common, [str(name) for name in exposures.columns])
    portfolios = np.zeros((len(ids), len(kept)))
    if kept:
        portfolios[own] = np.linalg.solve(common[np.ix_(kept, kept)], loads[own][:, kept].T).T
    covariance = model.covariance
    factor_covariance = portfolios.T @ covariance @ portfolios
    return replace(
        model,
        factors=tuple(str(exposures.columns[k]) for k in kept),
        exposures=loads[:, kept],
        factor_covariance=(factor_covariance + factor_covariance.T) / 2,
        with_factors=covariance @ portfolios,
        unexposed=unexposed,
        left_out={**{k: v for k, v in model.left_out.items() if k not in model.factors}, **left_out},
    )


def factor_weights(exposures: pd.DataFrame) -> pd.DataFrame:
    """Portfolio weights of the factors of given exposures (security_id x factor), as `with_exposures` takes them."""
    loads = exposures.to_numpy(np.float64)
    common = loads.T @ loads
    kept, _ = independent(common, [str(name) for name in exposures.columns])
    weights = np.linalg.solve(common[np.ix_(kept, kept)], loads[:, kept].T).T if kept else np.zeros((len(loads), 0))
    return pd.DataFrame(weights, index=exposures.index, columns=exposures.columns[kept])
