"""One estimate of risk behind every split: a covariance, and factors that are portfolios of the same securities.

A factor is the return of a fixed portfolio g of the securities (a class's average, one fund less another), so that
everything about it follows from the one covariance S: factor covariance F = G'SG, exposures B = S G F^-1 (what
regressions of the securities on the factors give), and what is left is specific, S - B F B', which is uncorrelated with
every factor. The splits by security, by group and by factor then sum to the same volatility, and a tracking error is
the same whichever way it is split. The factors are not orthogonal, and specific risks may be correlated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import MarketDataError, ParameterError
from workbench.market import FactorModel, ledoit_wolf

Floats = NDArray[np.float64]

#: Sessions of returns behind the estimate: three years, as the tracking errors of the drift chapter.
RISK_WINDOW = 756
#: Fewer sessions than a quarter give no estimate.
LEAST_SESSIONS = 63
#: A factor whose variance is explained to within this share by those before it adds nothing.
_DEPENDENT = 1e-6
#: Most negative eigenvalue, relative to the largest, that rounding can explain.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class RiskModel:
    """Annual risk of S securities (fractions squared a year) and their exposures to K factors.

    `covariance` is S x S, `exposures` S x K, `factor_covariance` K x K; `specific` is the rest. `observations` counts
    the sessions it was estimated on. `with_factors` is the covariance of each security with each factor (S x K); where
    it is not given exposures are slopes on the factors, and it is their product with `factor_covariance`. `proxied`
    maps a security with too short a history to the class whose average stands in for it, `left_out` maps securities
    and factors to why they have no estimate, and `unexposed` are securities that given exposures do not name.

    Raises `ParameterError` for arrays of other shapes, not finite, or a covariance that none can be (not symmetric, or
    with a negative eigenvalue).
    """

    securities: tuple[str, ...]
    covariance: Floats
    factors: tuple[str, ...]
    exposures: Floats
    factor_covariance: Floats
    observations: int = 0
    first: pd.Timestamp | None = None
    last: pd.Timestamp | None = None
    method: str = ""
    proxied: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    with_factors: Floats | None = None
    unexposed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count, factors = len(self.securities), len(self.factors)
        if len(set(self.securities)) < count or len(set(self.factors)) < factors:
            raise ParameterError("a security or factor is named twice; keep one of each", "securities")
        shapes = {
            "covariance": (count, count), "exposures": (count, factors), "factor_covariance": (factors, factors),
        }  # fmt: skip
        if self.with_factors is not None:
            shapes["with_factors"] = (count, factors)
        for name, shape in shapes.items():
            values = getattr(self, name)
            if values.shape != shape or not np.isfinite(values).all():
                raise ParameterError(f"risk model: {name} must be finite and of shape {shape}, is {values.shape}", name)
        for name in ("covariance", "factor_covariance"):
            _check_covariance(getattr(self, name), name)

    @property
    def factor_cross(self) -> Floats:
        """Covariance of each security with each factor (S x K)."""
        return self.exposures @ self.factor_covariance if self.with_factors is None else self.with_factors

    @property
    def specific(self) -> Floats:
        """Covariance of what exposures times factors leave of each security (S x S)."""
        both = self.factor_cross @ self.exposures.T
        explained = both + both.T - self.exposures @ self.factor_covariance @ self.exposures.T
        return np.asarray(self.covariance - explained)

    @property
    def volatility(self) -> Floats:
        """Annual volatility of each security (S)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    def aligned(self, weights: pd.DataFrame) -> Floats:
        """Weights (portfolio x security) in the order of the model's securities; those not named are zero.

        Raises `MarketDataError` naming securities that are held and have no estimate, `ParameterError` for a weight
        that is no number or a security named twice.
        """
        if not weights.columns.is_unique:
            raise ParameterError("a security is named twice in the weights; keep one column of each", "weights")
        values = weights.to_numpy(np.float64)
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise ParameterError(
                f"the weight of {weights.columns[column]} in {weights.index[row]} is {values[row, column]}; "
                "give 0 where nothing is held",
                "weights",
            )
        place = pd.Index(self.securities).get_indexer(weights.columns)
        held = (values != 0).any(axis=0)
        if unknown := [str(weights.columns[i]) for i in np.flatnonzero((place < 0) & held)]:
            raise MarketDataError(
                f"no risk estimate for {', '.join(unknown[:5])}{' and more' if len(unknown) > 5 else ''}; "
                "give their prices, a security of their asset class with prices, or leave the portfolio out"
            )
        result = np.zeros((len(weights), len(self.securities)))
        result[:, place[place >= 0]] = values[:, place >= 0]
        return result

    @classmethod
    def of(cls, model: FactorModel) -> RiskModel:
        """Take over a factor model whose specific risks are independent of each other."""
        return cls(
            securities=tuple(model.security_ids),
            covariance=model.covariance().to_numpy(np.float64),
            factors=tuple(model.factor_names),
            exposures=model.exposures,
            factor_covariance=model.factor_covariance,
            observations=model.observations,
            method=model.method,
        )


def with_factor_portfolios(covariance: pd.DataFrame, factors: pd.DataFrame) -> RiskModel:
    """Make a risk model of a covariance (square, by security) and factor portfolios (security x factor, in weights).

    A factor that those before it explain wholly is left out, and `left_out` says so. Raises `ParameterError` where
    `covariance` is no covariance or `factors` names another security.
    """
    ids = [str(name) for name in covariance.index]
    if list(covariance.columns) != list(covariance.index):
        raise ParameterError("covariance must have the same securities as rows and columns", "covariance")
    if strangers := sorted(set(map(str, factors.index)) - set(ids)):
        raise ParameterError(
            f"factors hold {', '.join(strangers)}, which have no covariance; leave them out", "factors"
        )
    matrix = covariance.to_numpy(np.float64)
    _check_covariance(matrix, "covariance")
    matrix = (matrix + matrix.T) / 2
    portfolios = factors.reindex(ids).fillna(0.0).to_numpy(np.float64)
    common = portfolios.T @ matrix @ portfolios
    kept, left_out = independent(common, [str(name) for name in factors.columns])
    common = common[np.ix_(kept, kept)]
    # Kept factors are independent, so that this is a plain solve.
    exposures = np.linalg.solve(common, portfolios[:, kept].T @ matrix).T if kept else np.zeros((len(ids), 0))
    return RiskModel(
        securities=tuple(ids),
        covariance=matrix,
        factors=tuple(str(factors.columns[k]) for k in kept),
        exposures=exposures,
        factor_covariance=common,
        left_out=left_out,
    )


def estimate(returns: pd.DataFrame, asset_class: pd.Series, factors: pd.DataFrame | None = None) -> RiskModel:
    """Estimate risk from daily simple returns (session x security) of all sessions given.

    Securities with a return on every session make the covariance: each one's own variance, correlations shrunk to zero
    by Ledoit-Wolf, so that fewer sessions than securities still give a sound matrix. A security with a shorter history
    is given the average covariances of its class (`asset_class` by security_id) and their average variance, and is
    named in `proxied`; one whose class has no security with a full history has no estimate and is in `left_out`.
    `factors` (security x factor) are portfolio weights; what they put in securities without full history is left out.

    Raises `MarketDataError` for fewer than `LEAST_SESSIONS` sessions, or no security with a return on all of them.
    """
    if len(returns) < LEAST_SESSIONS:
        raise MarketDataError(
            f"prices give {len(returns)} daily returns and an estimate of risk needs {LEAST_SESSIONS}; load more prices"
        )
    whole = returns.notna().all()
    if not whole.any():
        raise MarketDataError(
            f"no security has a return on all {len(returns)} sessions; load more prices or take a shorter window"
        )
    covered = returns.loc[:, whole]
    if not (covered.std() > 0).any():
        raise MarketDataError(f"no price moves in {len(returns)} sessions; load prices that do, or a longer window")
    shrunk = ledoit_wolf(covered, min_observations=LEAST_SESSIONS)
    known = tuple(map(str, covered.columns))
    portfolios = pd.DataFrame(index=list(known)) if factors is None else factors.reindex(list(known)).fillna(0.0)
    base = with_factor_portfolios(shrunk.matrix, portfolios.loc[:, (portfolios != 0).any()])
    proxied, without = _by_class(known, [str(name) for name in returns.columns[~whole]], asset_class)
    ids = (*known, *proxied)
    covariance, exposures = _extended(base, known, proxied, asset_class)
    shrinkage = f"{shrunk.shrinkage:.3f}" if shrunk.shrinkage is not None else "0"
    return RiskModel(
        securities=ids,
        covariance=covariance,
        factors=base.factors,
        exposures=exposures,
        factor_covariance=base.factor_covariance,
        observations=shrunk.observations,
        first=shrunk.first,
        last=shrunk.last,
        method=f"{shrunk.method} (weight {shrinkage})",
        proxied=proxied,
        left_out={**base.left_out, **without},
    )


def _by_class(
    known: Sequence[str], short: Sequence[str], asset_class: pd.Series
) -> tuple[dict[str, str], dict[str, str]]:
    """Which class stands in for each security of short history, and which have none to stand in."""
    there = {str(asset_class.get(security)) for security in known if security in asset_class.index}
    proxied = {s: str(asset_class[s]) for s in short if s in asset_class.index and str(asset_class[s]) in there}
    without = {s: "too short a history, and so has all of its asset class" for s in short if s not in proxied}
    return proxied, without


def _extended(
    base: RiskModel, known: Sequence[str], proxied: Mapping[str, str], asset_class: pd.Series
) -> tuple[Floats, Floats]:
    """Covariance and exposures with the proxied securities: their class's average plus noise of their own.

    The noise fills up to the class's average variance, which is never below the variance of the average.
    """
    classes = np.array([str(asset_class.get(security)) for security in known])
    average = np.zeros((len(known) + len(proxied), len(known)))
    average[: len(known)] = np.eye(len(known))
    noise = np.zeros(len(average))
    for row, name in enumerate(proxied.values(), start=len(known)):
        members = classes == name
        average[row, members] = 1.0 / members.sum()
        noise[row] = np.diag(base.covariance)[members].mean() - average[row] @ base.covariance @ average[row]
    covariance = average @ base.covariance @ average.T + np.diag(np.maximum(noise, 0.0))
    return (covariance + covariance.T) / 2, average @ base.exposures


def independent(common: Floats, names: Sequence[str]) -> tuple[list[int], dict[str, str]]:
    """The factors that move and that those before them do not explain wholly, and why the others are left out."""
    kept: list[int] = []
    left_out: dict[str, str] = {}
    for k, name in enumerate(names):
        own = common[k, k]
        if own <= 0:
            left_out[name] = "a factor that does not move"
            continue
        explained = common[k, kept] @ np.linalg.solve(common[np.ix_(kept, kept)], common[kept, k]) if kept else 0.0
        if own - explained <= _DEPENDENT * own:
            left_out[name] = "which other factors explain wholly"
            continue
        kept.append(k)
    return kept, left_out


def _check_covariance(matrix: Floats, name: str) -> None:
    if matrix.size == 0:
        return
    if not np.isfinite(matrix).all():
        raise ParameterError(f"{name} holds a value that is no finite number; estimate it on whole returns", name)
    largest = float(np.abs(matrix).max())
    if not np.allclose(matrix, matrix.T, rtol=0.0, atol=1e-8 * largest):
        raise ParameterError(f"{name} is not symmetric; give a covariance matrix", name)
    lowest = float(np.linalg.eigvalsh(matrix)[0])
    if lowest < -_ROUNDING * largest * len(matrix):
        raise ParameterError(
            f"{name} has a negative eigenvalue ({lowest:.3g}): some portfolio would have a negative variance; "
            "estimate it on common sessions, or shrink it",
            name,
        )
