"""How securities move together: shrunk covariance and factor models, annualised.

Both estimators use the sessions on which every security has a return (the common window) and say how many
those were. Nothing is filled: a security with too short a history is named in an error, unless the caller
hands in a proxy for it.

A security whose returns never move (cash) has zero variance and zero exposure, and takes no part in the
estimation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import MarketDataError, ParameterError

Floats = NDArray[np.float64]

#: Sessions a year, by which daily variances are annualised.
SESSIONS_PER_YEAR = 252
#: Fewer common observations than this are refused: a quarter of daily returns.
MIN_OBSERVATIONS = 63


@dataclass(frozen=True, eq=False)
class Covariance:
    """An annualised covariance matrix with what is needed to judge it.

    `matrix` is a square frame by security_id, fractions squared a year; `shrinkage` the weight of the
    target (None where none was used); `condition` the ratio of largest to smallest eigenvalue of the
    correlation of the securities that move; `proxies` says whose returns stood in for whose.
    """

    matrix: pd.DataFrame
    observations: int
    first: pd.Timestamp
    last: pd.Timestamp
    method: str
    shrinkage: float | None
    condition: float
    proxies: Mapping[str, str] = field(default_factory=dict)

    def volatility(self, weights: pd.Series) -> float:
        """Annual volatility of a portfolio; `weights` by security_id, those left out count as zero."""
        aligned = _aligned(weights, tuple(self.matrix.index))
        return float(np.sqrt(max(float(aligned @ self.matrix.to_numpy() @ aligned), 0.0)))

    def tracking_error(self, active: pd.Series) -> float:
        """Annual tracking error of active weights (held minus target), by security_id."""
        return self.volatility(active)


@dataclass(frozen=True, eq=False)
class FactorModel:
    """Risk as a few common factors and what is specific to each security: B F B' + diag(d), annualised.

    `exposures` is n x k by `security_ids` and `factor_names`; `factor_covariance` k x k and
    `specific_variance` n are annualised; `observations` counts the common sessions it was estimated on.
    """

    security_ids: tuple[str, ...]
    exposures: Floats
    factor_names: tuple[str, ...]
    factor_covariance: Floats
    specific_variance: Floats
    observations: int
    method: str

    def __post_init__(self) -> None:
        n, k = len(self.security_ids), len(self.factor_names)
        shapes = {"exposures": (n, k), "factor_covariance": (k, k), "specific_variance": (n,)}
        for name, shape in shapes.items():
            values = getattr(self, name)
            if values.shape != shape or not np.isfinite(values).all():
                raise ParameterError(
                    f"factor model: {name} must be finite and of shape {shape}, is {values.shape}", name
                )
        if (self.specific_variance < 0).any():
            raise ParameterError("factor model: specific_variance must not be negative", "specific_variance")

    def covariance(self) -> pd.DataFrame:
        """The full annualised covariance matrix by security_id."""
        matrix = self.exposures @ self.factor_covariance @ self.exposures.T + np.diag(self.specific_variance)
        return pd.DataFrame(matrix, index=list(self.security_ids), columns=list(self.security_ids))

    def volatility(self, weights: pd.Series) -> float:
        """Annual volatility of a portfolio; `weights` by security_id, those left out count as zero."""
        aligned = _aligned(weights, self.security_ids)
        common = aligned @ self.exposures
        variance = float(common @ self.factor_covariance @ common + aligned**2 @ self.specific_variance)
        return float(np.sqrt(max(variance, 0.0)))

    def tracking_error(self, active: pd.Series) -> float:
        """Annual tracking error of active weights (held minus target), by security_id."""
        return self.volatility(active)


def ledoit_wolf(
    returns: pd.DataFrame,
    *,
    periods_per_year: int = SESSIONS_PER_YEAR,
    proxies: Mapping[str, str] | None = None,
    min_observations: int = MIN_OBSERVATIONS,
) -> Covariance:
    """Sample covariance with its correlations shrunk by the Ledoit-Wolf weight; each variance stays the
    sample's.

    Returns are standardised first: shrinking raw covariances towards one common variance would give a
    T-bill fund a good part of the shares' volatility. Source: Ledoit and Wolf (2004), "A well-conditioned
    estimator for large-dimensional covariance matrices", J. Multivariate Analysis 88.

    Raises MarketDataError where a security has fewer than `min_observations` returns, or too few are common
    to all.
    """
    from sklearn.covariance import ledoit_wolf as shrink

    window = common_window(returns, proxies=proxies, min_observations=min_observations)
    values = window.to_numpy(np.float64)
    deviations = values.std(axis=0, ddof=1)
    moving = deviations > 0
    if not moving.any():
        raise MarketDataError("covariance: no security moves in the window; give one with returns that vary")
    scaled = (values[:, moving] - values[:, moving].mean(axis=0)) / values[:, moving].std(axis=0)
    correlation, weight = shrink(scaled, assume_centered=True)
    matrix = np.zeros((values.shape[1], values.shape[1]))
    scale = deviations[moving] * np.sqrt(periods_per_year)
    matrix[np.ix_(moving, moving)] = correlation * np.outer(scale, scale)
    frame = pd.DataFrame(matrix, index=window.columns, columns=window.columns)
    return Covariance(
        matrix=frame,
        observations=len(window),
        first=window.index[0],
        last=window.index[-1],
        method="sample, correlations shrunk to zero by Ledoit-Wolf",
        shrinkage=float(weight),
        condition=float(np.linalg.cond(correlation)),
        proxies=dict(proxies or {}),
    )


def factor_model(
    returns: pd.DataFrame,
    factors: int | pd.DataFrame = 5,
    *,
    periods_per_year: int = SESSIONS_PER_YEAR,
    proxies: Mapping[str, str] | None = None,
    min_observations: int = MIN_OBSERVATIONS,
) -> FactorModel:
    """A factor model from simple returns: principal components, or a regression on given factor returns.

    With a number, the factors are the leading principal components of the correlation matrix, so that bonds
    count as much as shares; specific variance makes up each security's own sample variance exactly. With a
    frame of factor returns (session x factor), exposures are least-squares slopes and specific variance
    that of the residuals.

    Raises MarketDataError as `common_window`, ParameterError where there are more factors than securities
    that move.
    """
    window = common_window(returns, proxies=proxies, min_observations=min_observations)
    named = f"; proxies {', '.join(f'{k} by {v}' for k, v in sorted(proxies.items()))}" if proxies else ""
    if isinstance(factors, pd.DataFrame):
        return _regressed(window, factors, periods_per_year, min_observations, named)
    return _principal(window, factors, periods_per_year, named)


def common_window(
    returns: pd.DataFrame,
    *,
    proxies: Mapping[str, str] | None = None,
    min_observations: int = MIN_OBSERVATIONS,
) -> pd.DataFrame:
    """The sessions on which every security has a return, after the caller's proxies have taken their
    places.

    A proxy replaces the whole series of its security, never a part of it. Raises MarketDataError naming
    every security with fewer than `min_observations` returns, or those that leave too few common sessions.
    """
    columns = {security: (proxies or {}).get(security, security) for security in returns.columns}
    unknown = sorted(set(columns.values()) - set(returns.columns))
    if unknown:
        raise MarketDataError(f"proxies {', '.join(unknown)} have no returns; choose securities with prices")
    window = returns[list(columns.values())].set_axis(list(columns), axis=1)
    counts = window.notna().sum()
    short = counts[counts < min_observations]
    if len(short):
        listed = ", ".join(f"{security} ({count})" for security, count in short.items())
        raise MarketDataError(
            f"{len(short)} securities have fewer than {min_observations} returns: {listed}; "
            "give a proxy of the same asset class for each, or leave them out"
        )
    common = window.dropna()
    if len(common) < min_observations:
        starts = window.notna().idxmax().sort_values()
        raise MarketDataError(
            f"only {len(common)} sessions are common to all {window.shape[1]} securities, "
            f"{min_observations} needed; the last to start is {starts.index[-1]} on "
            f"{pd.Timestamp(starts.iloc[-1]):%Y-%m-%d}: give it a proxy or leave it out"
        )
    return common


def _principal(window: pd.DataFrame, factors: int, periods_per_year: int, named: str) -> FactorModel:
    values = window.to_numpy(np.float64)
    deviations = values.std(axis=0, ddof=1)
    moving = deviations > 0
    if not 1 <= factors <= int(moving.sum()):
        raise ParameterError(
            f"factors must be 1 to {int(moving.sum())} (the securities that move), is {factors}", "factors"
        )
    correlation = np.atleast_2d(np.corrcoef(values[:, moving], rowvar=False))
    eigenvalues, vectors = np.linalg.eigh(correlation)
    leading = np.argsort(eigenvalues)[::-1][:factors]
    vectors, eigenvalues = vectors[:, leading], eigenvalues[leading]
    # An eigenvector's sign is arbitrary: fix it, so that the first factor rises with the market.
    vectors = vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)
    exposures = np.zeros((values.shape[1], factors))
    exposures[moving] = vectors * deviations[moving, None]
    factor_covariance = np.diag(eigenvalues) * periods_per_year
    explained = np.einsum("nk,kl,nl->n", exposures, factor_covariance, exposures)
    # Rounding may leave a variance of -1e-18 where the factors explain a security wholly.
    specific = np.maximum(deviations**2 * periods_per_year - explained, 0.0)
    return FactorModel(
        security_ids=tuple(map(str, window.columns)),
        exposures=exposures,
        factor_names=tuple(f"component {i + 1}" for i in range(factors)),
        factor_covariance=factor_covariance,
        specific_variance=specific,
        observations=len(window),
        method=f"{factors} principal components of the correlation matrix{named}",
    )


def _regressed(
    window: pd.DataFrame, factors: pd.DataFrame, periods_per_year: int, min_observations: int, named: str
) -> FactorModel:
    given = factors.dropna()
    sessions = window.index.intersection(given.index)
    if len(sessions) < max(min_observations, given.shape[1] + 2):
        raise MarketDataError(
            f"factor returns and security returns share {len(sessions)} sessions, {min_observations} needed; "
            "give factor returns over the same years"
        )
    x, y = given.loc[sessions].to_numpy(np.float64), window.loc[sessions].to_numpy(np.float64)
    design = np.column_stack([np.ones(len(sessions)), x])
    coefficients, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    if rank < design.shape[1]:
        raise ParameterError("factor returns are linearly dependent; leave one factor out", "factors")
    residuals = y - design @ coefficients
    freedom = len(sessions) - design.shape[1]
    return FactorModel(
        security_ids=tuple(map(str, window.columns)),
        exposures=np.ascontiguousarray(coefficients[1:].T),
        factor_names=tuple(map(str, given.columns)),
        factor_covariance=np.atleast_2d(np.cov(x, rowvar=False)) * periods_per_year,
        specific_variance=(residuals**2).sum(axis=0) / freedom * periods_per_year,
        observations=len(sessions),
        method=f"least squares on {', '.join(map(str, given.columns))}{named}",
    )


def _aligned(weights: pd.Series, security_ids: tuple[str, ...]) -> Floats:
    unknown = weights.index.difference(pd.Index(security_ids))
    if len(unknown):
        raise MarketDataError(f"no risk estimate for {', '.join(map(str, unknown))}; estimate it or give a proxy")
    return weights.reindex(list(security_ids)).fillna(0.0).to_numpy(np.float64)
