"""Brinson attribution of many accounts over many periods: allocation, selection, interaction, linked by group."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from workbench.attribution._kernels import period_effects, read_benchmarks, semi_notional, side_totals, summed_effects
from workbench.attribution.effects import Attribution, Excess, excess_return
from workbench.attribution.linking import Floats, Method, Returns, checked_returns, linking_factors
from workbench.attribution.panel import Panel, labelled
from workbench.errors import ParameterError

Model = Literal["brinson-fachler", "brinson-hood-beebower"]
#: Weights of a period must sum to 1 this closely.
WEIGHT_TOLERANCE = 1e-6
NAMES = ("allocation", "selection", "interaction")


def brinson(
    portfolio_weights: ArrayLike | pd.DataFrame,
    portfolio_returns: ArrayLike | pd.DataFrame,
    benchmark_weights: ArrayLike | pd.DataFrame,
    benchmark_returns: ArrayLike | pd.DataFrame,
    *,
    model: Model = "brinson-fachler",
    effects: Literal[2, 3] | None = None,
    excess: Excess = "arithmetic",
    linking: Method = "carino",
    benchmark_of: ArrayLike | None = None,
    present: ArrayLike | None = None,
    accounts: ArrayLike | None = None,
    periods: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    by_period: bool = False,
    tolerance: float = WEIGHT_TOLERANCE,
) -> Attribution:
    """Explain each account's excess return by group: what it held, and how what it held did.

    Weights are those at the beginning of a period, returns simple, both (N, T, G), or (T, G) of one account, or frames
    of one account (periods x groups), whose labels must agree; a list or Series by group is one period. A benchmark is
    (T, G) for all, (N, T, G), or (M, T, G) with `benchmark_of` (N) naming each account's. With w, r for the portfolio
    and v, b for the benchmark's group, B its total:

    - allocation (w - v)(b - B) after Brinson and Fachler (JPM 1985), (w - v) b after Brinson, Hood and Beebower (FAJ
      1986); selection v (r - b); interaction (w - v)(r - b). Of two `effects`, selection is w (r - b).
    - geometric (Bacon, Practical Portfolio Performance Measurement and Attribution, 2008; two effects):
      allocation over 1 + B, selection w (r - b) over 1 + S, S = sum of w b; (1 + allocation)(1 + selection) of each
      period is (1 + R) / (1 + B). Each effect compounds, and its groups are linked to sum to the compounded effect.

    A group that one side does not hold may miss that side's return (NaN): it is the other side's, so that there is
    nothing to select. A return that is given counts, though its weight be zero. Weights may be negative. `present`
    (N, T) marks the periods in which an account existed; `linking` is described at `link`; `by_period` also keeps the
    effects of every period (8 N T G E bytes).

    Raises `ParameterError`, naming account, period and group, for shapes or labels that differ, numbers that are not
    finite, a missing return at a weight that is not zero, weights further than `tolerance` from 1, and returns that
    the linking cannot take.
    """
    panel = labelled(
        portfolio_weights, portfolio_returns, benchmark_weights, benchmark_returns,
        benchmark_of=benchmark_of, present=present, accounts=accounts, periods=periods, groups=groups,
    )  # fmt: skip
    count = _effects_of(effects, excess)
    if model not in get_args(Model):
        raise ParameterError(f"model {model!r} is unknown; use one of {', '.join(get_args(Model))}", "model")
    portfolio, benchmark = checked_totals(panel, tolerance)
    linked = checked_returns(portfolio, benchmark, linking, panel.present, panel.accounts, panel.periods)
    hurdle = benchmark if model == "brinson-fachler" else np.zeros_like(benchmark)
    scale, factors = _factors(panel, linked, excess, linking)
    summed = summed_effects(*panel.arrays, hurdle, *(s * f for s, f in zip(scale, factors)), panel.present, count)
    kept = period_effects(*panel.arrays, hurdle, *scale, panel.present, count) if by_period else None
    compounded, against = (np.asarray(np.prod(1 + side, axis=1) - 1) for side in (portfolio, benchmark))
    return Attribution(
        panel.accounts, panel.periods, panel.groups, NAMES[:count], excess, summed, compounded, against,
        excess_return(compounded, against, excess) - _explained(summed, excess), portfolio, benchmark, kept,
    )  # fmt: skip


def _effects_of(effects: int | None, excess: str) -> int:
    """Give the number of effects; the geometric form has no interaction."""
    if excess not in get_args(Excess):
        raise ParameterError(f"excess {excess!r} is unknown; use one of {', '.join(get_args(Excess))}", "excess")
    if effects not in (None, 2, 3):
        raise ParameterError(f"effects is {effects}; use 2 or 3", "effects")
    if excess == "geometric" and effects == 3:
        raise ParameterError(
            "geometric attribution has two effects: selection at the portfolio's weights holds the interaction; "
            "leave effects out or give 2",
            "effects",
        )
    return effects or (2 if excess == "geometric" else 3)


def checked_totals(panel: Panel, tolerance: float) -> tuple[Floats, Floats]:
    """Give both sides' returns (N x T), zero where an account was not there; check every number on the way."""
    read = read_benchmarks(panel.benchmark_of, panel.present, len(panel.benchmark_weights))
    found = []
    for side, weights, returns, here in (
        ("portfolio", panel.weights, panel.returns, panel.present),
        ("benchmark", panel.benchmark_weights, panel.benchmark_returns, read),
    ):
        total, weight, bad = side_totals(weights, returns, here)
        if (bad >= 0).any():
            row = int(np.flatnonzero(bad >= 0)[0])
            raise panel.bad_number(side, row, *divmod(int(bad[row]), len(panel.groups)))
        off = here & (np.abs(weight - 1) > tolerance)
        if off.any():
            row, period = (int(place) for place in np.argwhere(off)[0])
            raise panel.off_one(side, row, period, float(weight[row, period]), int(off.sum()), tolerance)
        found.append(total)
    return found[0], np.where(panel.present, found[1][panel.benchmark_of], 0.0)


def _factors(
    panel: Panel, returns: Returns, excess: Excess, linking: Method
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Give what a period's allocation and selection are scaled by (1, or geometric), and their linking factors."""
    if excess == "arithmetic":
        one = np.ones_like(returns.portfolio)
        factors = linking_factors(returns, linking)
        return (one, one), (factors, factors)
    notional = semi_notional(panel.weights, panel.returns, panel.benchmark_returns, panel.benchmark_of, panel.present)
    for name, side in (("benchmark", returns.benchmark), ("benchmark's groups at the portfolio's weights", notional)):
        if (side <= -1).any():
            row, period = np.argwhere(side <= -1)[0]
            raise ParameterError(
                f"the {name} of account {panel.accounts[row]} return {side[row, period]:.6g} in period "
                f"{panel.periods[period]}: geometric effects need more than -100 %; use arithmetic ones",
                "excess",
            )
    allocation = (notional - returns.benchmark) / (1 + returns.benchmark)
    selection = (returns.portfolio - notional) / (1 + notional)
    none = np.zeros_like(notional)
    links = tuple(
        linking_factors(checked_returns(effect, none, linking, panel.present), linking)
        for effect in (allocation, selection)
    )
    return (1 / (1 + returns.benchmark), 1 / (1 + notional)), (links[0], links[1])


def _explained(effects: Floats, excess: Excess) -> Floats:
    """Put the effects of all groups together: their sum, or their product as growth."""
    if excess == "geometric":
        return np.asarray(np.prod(1 + effects.sum(axis=1), axis=1) - 1)
    return np.asarray(effects.sum(axis=(1, 2)))
