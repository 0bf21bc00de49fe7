"""Where a portfolio's risk comes from, before the fact: by security, by any group, by factor; each sums exactly.

Volatility s = sqrt(w'Sw) is homogeneous in the weights, so by Euler's theorem it is the sum of w_i (Sw)_i / s; and by
factor of x_k sigma_k rho_k, exposure times volatility times correlation with the portfolio, plus what is specific
(Menchero and Davis, 2011, "Risk contribution is exposure times volatility times correlation", Journal of Portfolio
Management 37). With active weights (held less target) the same split is that of the tracking error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.risk.model import Floats, RiskModel

#: Volatility below this is rounding: the portfolio does not move.
_STILL = 1e-10


@dataclass(frozen=True, eq=False)
class RiskSplit:
    """Annual volatility of N portfolios over S securities and K factors (fractions a year), and its parts.

    - `contribution` (N x S) sums over securities to `volatility` (N); `marginal` (N x S) is the change of volatility
      for one unit more of a security.
    - `exposure` (N x K), `factor_volatility` (K) and `correlation` (N x K) multiply to `factor_contribution` (N x K),
      which sums with `specific` (N) to `volatility`.

    A portfolio that does not move has volatility, contributions and correlations of 0.
    """

    portfolios: pd.Index
    model: RiskModel
    weights: Floats
    volatility: Floats
    marginal: Floats
    exposure: Floats
    correlation: Floats
    specific: Floats

    @property
    def contribution(self) -> Floats:
        """Contribution of each security to volatility (N x S)."""
        return self.weights * self.marginal

    @property
    def factor_volatility(self) -> Floats:
        """Annual volatility of each factor (K)."""
        return np.sqrt(np.maximum(np.diag(self.model.factor_covariance), 0.0))

    @property
    def factor_contribution(self) -> Floats:
        """Contribution of each factor to volatility: exposure x volatility x correlation (N x K)."""
        return self.exposure * self.factor_volatility * self.correlation

    @cached_property
    def diversification_ratio(self) -> Floats:
        """Weighted average of the securities' volatilities over the portfolio's (N); missing where nothing moves.

        1 is no diversification. Choueifaty and Coignard (2008), Journal of Portfolio Management 35.
        """
        alone = np.abs(self.weights) @ self.model.volatility
        return _over(alone, self.volatility, self.volatility > 0)

    @cached_property
    def effective_bets(self) -> Floats:
        """Effective number of uncorrelated bets (N): exp of the entropy of variance over principal components.

        From 1 (one component carries everything) to the number of components. Missing where nothing moves. Meucci
        (2009), "Managing diversification", Risk 22.
        """
        values, vectors = np.linalg.eigh(self.model.covariance)
        parts = (self.weights @ vectors) ** 2 * np.maximum(values, 0.0)
        total = parts.sum(axis=1, keepdims=True)
        share = np.divide(parts, total, out=np.zeros_like(parts), where=total > 0)
        entropy = -(share * np.log(np.where(share > 0, share, 1.0))).sum(axis=1)
        return np.where(self.volatility > 0, np.exp(entropy), np.nan)

    def by(self, groups: pd.Series) -> pd.DataFrame:
        """Contribution to volatility by group (portfolio x group); rows sum to the volatility.

        `groups` gives each security's group, such as its sector. Raises `ParameterError` for one that contributes and
        has none.
        """
        group = groups.reindex(list(self.model.securities))
        lost = group.isna().to_numpy() & (self.contribution != 0).any(axis=0)
        if lost.any():
            first = self.model.securities[int(np.flatnonzero(lost)[0])]
            raise ParameterError(f"security {first} has no group; give one for each security held", "groups")
        known = group.dropna()
        frame = pd.DataFrame(self.contribution, index=self.portfolios, columns=list(self.model.securities))
        return frame[known.index].T.groupby(known, sort=True).sum().T

    def by_factor(self) -> pd.DataFrame:
        """One row a portfolio and factor: portfolio, factor, exposure, volatility, correlation, contribution, share.

        The last row of each portfolio is "specific": it has a contribution and a share only.
        """
        count, names = len(self.portfolios), [*self.model.factors, "specific"]
        empty = np.full((count, 1), np.nan)
        contribution = np.column_stack([self.factor_contribution, self.specific])
        share = _over(contribution, self.volatility[:, None], (self.volatility > 0)[:, None])
        volatility = np.broadcast_to(self.factor_volatility, self.exposure.shape)
        columns = {
            "exposure": np.column_stack([self.exposure, empty]),
            "volatility": np.column_stack([volatility, empty]),
            "correlation": np.column_stack([self.correlation, empty]),
            "contribution": contribution,
            "share": share,
        }
        frame = pd.DataFrame({"portfolio": np.repeat(self.portfolios, len(names)), "factor": names * count})
        return frame.assign(**{name: values.ravel() for name, values in columns.items()})

    def by_security(self) -> pd.DataFrame:
        """One row a portfolio and security it holds: portfolio, security_id, weight, marginal, contribution, share."""
        row, column = np.nonzero(self.weights)
        contribution = self.contribution[row, column]
        volatility = self.volatility[row]
        return pd.DataFrame(
            {
                "portfolio": self.portfolios[row],
                "security_id": np.array(self.model.securities, dtype=object)[column],
                "weight": self.weights[row, column],
                "marginal": self.marginal[row, column],
                "contribution": contribution,
                "share": _over(contribution, volatility, volatility > 0),
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a portfolio: portfolio, volatility, factor, specific, diversification_ratio, effective_bets."""
        return pd.DataFrame(
            {
                "portfolio": self.portfolios,
                "volatility": self.volatility,
                "factor": self.volatility - self.specific,
                "specific": self.specific,
                "diversification_ratio": self.diversification_ratio,
                "effective_bets": self.effective_bets,
            }
        )


def split(weights: pd.DataFrame, model: RiskModel) -> RiskSplit:
    """Split the risk of portfolios: `weights` is portfolio x security, fractions; active weights for active risk.

    Nothing is inverted, so a singular covariance is no obstacle. Raises `MarketDataError` naming securities that are
    held without an estimate, `ParameterError` for weights that are no numbers.
    """
    held = model.aligned(weights)
    common = held @ model.covariance
    variance = np.maximum((held * common).sum(axis=1), 0.0)
    volatility = np.sqrt(variance)
    moves = volatility > _STILL
    volatility = np.where(moves, volatility, 0.0)
    exposure = held @ model.exposures
    with_factor = held @ model.factor_cross
    factor_volatility = np.sqrt(np.maximum(np.diag(model.factor_covariance), 0.0))
    systematic = (exposure * with_factor).sum(axis=1)
    return RiskSplit(
        portfolios=weights.index,
        model=model,
        weights=held,
        volatility=volatility,
        marginal=_over(common, volatility[:, None], moves[:, None], 0.0),
        exposure=exposure,
        correlation=_over(with_factor, factor_volatility * volatility[:, None], moves[:, None], 0.0),
        specific=_over(variance - systematic, volatility, moves, 0.0),
    )


def _over(part: Floats, whole: Floats, where: np.ndarray, otherwise: float = np.nan) -> Floats:
    """The ratio where it exists; what stands there otherwise."""
    part, whole, where = np.broadcast_arrays(part, whole, where)
    return np.divide(part, whole, out=np.full(part.shape, otherwise), where=where & (whole != 0))
