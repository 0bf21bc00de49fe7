"""Realised factor and risk attribution: how much of what a portfolio earned, and how much it moved, was each factor.

The decomposition is skfolio's (`skfolio.attribution.realized_factor_attribution`): each period's return is exposure
times factor return, plus what is specific to the securities, plus what the holdings do not explain (cash, costs,
trading within the period). Volatility is split by covariance with the portfolio's own return, so that the parts sum.
This adapter estimates what skfolio needs, refuses what it would fill with zeros, and links the periods' returns by
Carino's method, so that they sum to the compounded return as every attribution of this room does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.attribution.linking import link
from workbench.attribution.paths import ModelPaths
from workbench.errors import MarketDataError, MissingToolError, ParameterError
from workbench.market import Exposures, regress

Floats = NDArray[np.float64]

#: The rows beside the factors, in skfolio's words "idiosyncratic" and "unattributed".
SPECIFIC, UNEXPLAINED = "specific", "unexplained"
SESSIONS_PER_YEAR = 252
#: Fewer periods than these, or than twice the factors, leave nothing to regress on.
MIN_PERIODS = 21
#: A standard deviation below this is rounding.
_STILL = 1e-14


@dataclass(frozen=True, eq=False)
class FactorAttribution:
    """What each factor gave to a portfolio's return and volatility over T periods.

    `parts` is indexed by factor, then "specific" and "unexplained". Its columns: `exposure` (mean over the periods),
    `factor_volatility` (a year) and `correlation` with the portfolio, for factors only; `return_contribution`, which
    sums to `total_return`, the compounded return or, against a benchmark, the compounded excess;
    `volatility_contribution`, a year, which sums to `volatility`.

    `exposures` are the regressions behind it. `detail` is skfolio's own result, a period and not annualised.
    """

    parts: pd.DataFrame
    total_return: float
    volatility: float
    periods: int
    exposures: Exposures
    detail: Any

    def to_frame(self) -> pd.DataFrame:
        """The parts and their total as rows: part, the columns of `parts`, and the share of the variance."""
        total = pd.DataFrame(
            {
                "part": ["total"],
                "return_contribution": [self.total_return],
                "volatility_contribution": [self.volatility],
            }
        )
        frame = pd.concat([self.parts.rename_axis("part").reset_index(), total], ignore_index=True)
        return frame.assign(share=frame["volatility_contribution"] / self.volatility)


def factor_attribution(
    weights: pd.DataFrame,
    returns: pd.DataFrame,
    factor_returns: pd.DataFrame,
    portfolio_returns: pd.Series,
    *,
    benchmark_weights: pd.DataFrame | None = None,
    benchmark_returns: pd.Series | None = None,
    periods_per_year: int = SESSIONS_PER_YEAR,
) -> FactorAttribution:
    """Attribute a portfolio's return, or its active return against a benchmark, to factors.

    `weights` (period x security) are those at the beginning of each period, `returns` (period x security) and
    `factor_returns` (period x factor) simple returns of the period, `portfolio_returns` (period) what was earned, costs
    and all. With both benchmark arguments everything is active: weights and returns are differences. Exposures are
    regression slopes over these periods, constant over them: they explain what was and forecast nothing.

    Raises `ParameterError` for periods or securities that differ, a number missing where it is needed, one benchmark
    argument without the other, factors that depend on each other, a portfolio that never moves; `MarketDataError` for
    fewer periods than twice the factors or than `MIN_PERIODS`, and for a held security with as few returns;
    `MissingToolError` where skfolio is not installed.
    """
    attribute = _skfolio()
    if (benchmark_weights is None) != (benchmark_returns is None):
        raise ParameterError("give both benchmark_weights and benchmark_returns, or neither", "benchmark_weights")
    for side in (returns, factor_returns, portfolio_returns, benchmark_weights, benchmark_returns):
        if side is not None and not side.index.equals(weights.index):
            raise ParameterError(
                "weights, returns, factors and benchmark must have the same periods, in the same order", "returns"
            )
    _same_securities(weights, returns, benchmark_weights)
    held = weights if benchmark_weights is None else weights - benchmark_weights[weights.columns]
    against = np.zeros(len(weights)) if benchmark_returns is None else benchmark_returns.to_numpy(np.float64)
    earned = portfolio_returns.to_numpy(np.float64) - against
    held, values = _needed(held, returns)
    _check_numbers(held, values, factor_returns, earned)
    fit = regress(values, factor_returns, periods_per_year=periods_per_year, min_observations=_least(factor_returns))
    beta, factors = fit.beta.to_numpy(np.float64), factor_returns.to_numpy(np.float64)
    # Where nothing is held a missing return is of no account; where something is held none is missing.
    specific = np.nan_to_num(values.to_numpy(np.float64) - factors @ beta.T)
    detail = attribute(
        asset_names=[str(name) for name in held.columns],
        factor_names=[str(name) for name in factor_returns.columns],
        weights=held.to_numpy(np.float64),
        factor_returns=factors,
        portfolio_returns=earned,
        exposures=beta,
        idio_returns=specific,
        annualization_factor=1.0,
        compute_asset_breakdowns=False,
    )
    exposed = held.to_numpy(np.float64) @ beta
    rows = np.column_stack([exposed * factors, (held.to_numpy(np.float64) * specific).sum(axis=1)])
    rows = np.column_stack([rows, earned - rows.sum(axis=1)])
    linked = link(rows, portfolio_returns.to_numpy(np.float64), against)
    parts = _parts(detail, factor_returns.columns, linked.effects, np.sqrt(periods_per_year))
    volatility = float(detail.total.vol * np.sqrt(periods_per_year))
    return FactorAttribution(parts, float(linked.excess), volatility, len(held), fit, detail)


def model_factor_attribution(paths: ModelPaths, model: str, factor_returns: pd.DataFrame) -> FactorAttribution:
    """Attribute a model's active return over its paper paths, model less benchmark, to factors.

    `factor_returns` is period x factor, indexed by the end of each period. Only periods in which the model existed
    count. Raises as `factor_attribution`, and `ParameterError` for a model that the paths do not hold.
    """
    if model not in paths.models:
        raise ParameterError(f"there is no model {model!r} in the paths; known: {', '.join(paths.models)}", "model")
    at, ends = paths.models.index(model), paths.sessions[1:]
    there = paths.exists[at]
    by_column = paths.sleeve_benchmark_weights[at] * paths.benchmark_weights[at][:, paths.column_sleeve]
    ids = list(paths.securities)
    frames = {
        name: pd.DataFrame(values[there], index=ends[there], columns=ids)
        for name, values in (
            ("weights", np.nan_to_num(paths.security_weights[at])),
            ("benchmark", paths.by_security(np.nan_to_num(by_column))),
            ("returns", paths.returns),
        )
    }
    return factor_attribution(
        frames["weights"],
        frames["returns"],
        factor_returns.reindex(ends[there]),
        pd.Series(paths.model_returns[at][there], index=ends[there]),
        benchmark_weights=frames["benchmark"],
        benchmark_returns=pd.Series(paths.benchmark_returns[at][there], index=ends[there]),
    )


def _parts(detail: Any, factors: pd.Index, linked: Floats, scale: float) -> pd.DataFrame:
    """One row a factor, then specific and unexplained."""
    empty = [np.nan, np.nan]
    volatility = [*detail.factors.vol_contrib, detail.idio.vol_contrib, detail.unattributed.vol_contrib]
    return pd.DataFrame(
        {
            "exposure": [*detail.factors.exposure, *empty],
            "factor_volatility": [*(detail.factors.vol * scale), *empty],
            "correlation": [*detail.factors.corr_with_ptf, *empty],
            "return_contribution": linked,
            "volatility_contribution": np.array(volatility) * scale,
        },
        index=pd.Index([*map(str, factors), SPECIFIC, UNEXPLAINED], name="part"),
    )


def _same_securities(weights: pd.DataFrame, returns: pd.DataFrame, benchmark: pd.DataFrame | None) -> None:
    for name, frame in (("returns", returns), ("benchmark_weights", benchmark)):
        if frame is None:
            continue
        if lost := sorted(set(map(str, weights.columns)) - set(map(str, frame.columns))):
            raise ParameterError(
                f"{name} has no column for {', '.join(lost[:5])}; give every security of the weights", name
            )
    if benchmark is not None:
        outside = benchmark.columns.difference(weights.columns)
        if (benchmark[outside] != 0).to_numpy().any():
            raise ParameterError(
                f"the benchmark holds {outside[0]}, which the weights do not name; give it a column of zeros",
                "benchmark_weights",
            )


def _needed(held: pd.DataFrame, returns: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The securities with any active weight, and their returns. Cash that never moves is left to the unexplained."""
    used = held.columns[(held != 0).any()]
    return held[used], returns[used]


def _check_numbers(held: pd.DataFrame, values: pd.DataFrame, factors: pd.DataFrame, earned: Floats) -> None:
    if len(held) < _least(factors):
        raise MarketDataError(
            f"{len(held)} periods for {factors.shape[1]} factors, {_least(factors)} needed; "
            "take a longer time or fewer factors"
        )
    if not np.isfinite(held.to_numpy(np.float64)).all():
        raise ParameterError("a weight is no finite number; give 0 where nothing is held", "weights")
    for name, given in (("factor_returns", factors.to_numpy(np.float64)), ("portfolio_returns", earned)):
        if not np.isfinite(given).all():
            raise ParameterError(f"{name} has a period without a number; leave the period out on all sides", name)
    if held.empty:
        raise ParameterError("the weights hold nothing, or just what the benchmark holds, in every period", "weights")
    if np.std(earned) <= _STILL:
        raise ParameterError(
            "the portfolio never moves, or never differs from its benchmark by more or less: there is no variation to "
            "attribute; take a longer time",
            "portfolio_returns",
        )
    lost = values.isna() & (held != 0)
    if lost.to_numpy().any():
        security = str(lost.columns[lost.any()][0])
        day = lost.index[lost[security]][0]
        raise ParameterError(
            f"{security} is held in {day} and has no return; load it, or leave the period out", "returns"
        )


def _least(factors: pd.DataFrame) -> int:
    return max(MIN_PERIODS, 2 * factors.shape[1])


def _skfolio() -> Callable[..., Any]:
    try:
        from skfolio.attribution import realized_factor_attribution
    except ImportError as error:
        raise MissingToolError("factor attribution needs skfolio: pip install 'workbench[demo]'") from error
    attribute: Callable[..., Any] = realized_factor_attribution
    return attribute
