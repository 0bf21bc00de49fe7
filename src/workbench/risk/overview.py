"""Risk and stress of a firm in one go: what the chapter shows, from one look at holdings and one estimate of risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import MarketDataError
from workbench.risk.ex_ante import RiskSplit, split
from workbench.risk.limits import Limits
from workbench.risk.model import RISK_WINDOW, RiskModel
from workbench.risk.portfolios import (
    Portfolios,
    account_risk,
    covered,
    estimate_risk,
    model_targets,
    portfolios,
    scenario_moves,
)
from workbench.risk.shocks import PACKAGED, Scenarios, load_scenarios
from workbench.risk.stress import Stress, stress_test
from workbench.risk.tolerated import against_tolerance, tolerated_losses
from workbench.risk.watched import Watched

#: The name of all assets together among the portfolios.
FIRM = "all assets"


@dataclass(frozen=True, eq=False)
class Overview:
    """A firm's risk and stress on one day.

    `groups` are the portfolios of the firm as a whole (`FIRM`, where it has a figure) and of all accounts on each model
    together. Of those whose every holding has a risk estimate `total` splits the volatility, and `active` the tracking
    error to the models' targets where there are targets; `targets` splits the volatility of the models' targets
    themselves. `accounts` is one row an account. `stress` is over `groups`, `household_stress` over households, and
    `losses` holds each household's worst beside what it tolerates. `no_risk` says why nothing has a risk estimate ("").
    """

    watched: Watched
    risk: RiskModel
    scenarios: Scenarios
    groups: Portfolios
    total: RiskSplit
    active: RiskSplit
    targets: RiskSplit
    accounts: pd.DataFrame
    stress: Stress
    household_stress: Stress
    losses: pd.DataFrame
    no_risk: str = ""

    def securities(self, column: str) -> pd.Series:
        """A column of the securities by security_id, such as their sector."""
        return self.watched.securities.set_index("security_id")[column]


def overview(
    watched: Watched,
    *,
    window: int = RISK_WINDOW,
    scenarios: Scenarios | None = None,
    limits: Limits | None = None,
) -> Overview:
    """Estimate risk from the last `window` sessions, split it, and run every stress for firm, models and households.

    Where prices are too few for an estimate there is none, `no_risk` says why, and stresses that need no exposures
    still have figures. Raises `ParameterError` for scenarios that name what the firm does not have.
    """
    model, no_risk = _estimated(watched, window)
    # Packaged shocks name asset classes and styles, which a firm's own factors need not be.
    own = not no_risk and len(watched.exposures.columns) > 0
    models = [model, estimate_risk(watched, window, own=False)] if own else [model]
    classes = sorted(set(watched.securities["asset_class"]))
    scenarios = scenarios or load_scenarios()
    factors = models[-1].factors if scenarios.source == PACKAGED else [name for one in models for name in one.factors]
    # Without an estimate a firm's own shocks of factors are not misspelt, they only cannot be answered.
    scenarios = scenarios.without_factors(classes) if no_risk else scenarios.for_universe(factors, classes)
    moves = scenario_moves(watched, models, scenarios)
    groups = _joined(portfolios(watched, "firm"), portfolios(watched, "model"))
    known = covered(groups, model)
    households = portfolios(watched, "household")
    least = scenarios.least_covered
    stressed = stress_test(households.weights, moves, value=households.value, least_covered=least)
    targets = model_targets(watched)
    estimated = (targets.loc[:, ~targets.columns.isin(model.securities)] == 0).all(axis=1)
    return Overview(
        watched=watched,
        risk=model,
        scenarios=scenarios,
        groups=groups,
        total=split(known.weights, model),
        active=split(_estimable(known.active, model), model),
        targets=split(targets[estimated], model),
        accounts=account_risk(watched, model),
        stress=stress_test(groups.weights, moves, value=groups.value, least_covered=least),
        household_stress=stressed,
        losses=against_tolerance(stressed, tolerated_losses(watched, scenarios.tolerated_volatilities, limits)),
        no_risk=no_risk,
    )


def _estimated(watched: Watched, window: int) -> tuple[RiskModel, str]:
    """The estimate of risk, or one of nothing and why."""
    try:
        return estimate_risk(watched, window), ""
    except MarketDataError as error:
        nothing = RiskModel((), np.zeros((0, 0)), (), np.zeros((0, 0)), np.zeros((0, 0)))
        return nothing, str(error)


def _estimable(active: pd.DataFrame, model: RiskModel) -> pd.DataFrame:
    """Those active weights of which every part has a risk estimate."""
    return active[(active.loc[:, ~active.columns.isin(model.securities)] == 0).all(axis=1)]


def _joined(firm: Portfolios, models: Portfolios) -> Portfolios:
    """The firm as a whole and its models in one list."""
    return Portfolios(
        "model",
        pd.Index([FIRM] * len(firm.ids)).append(models.ids),
        np.concatenate([firm.value, models.value]),
        pd.concat([firm.weights.set_axis([FIRM] * len(firm.ids)), models.weights]),
        pd.concat([firm.target.set_axis([FIRM] * len(firm.ids)), models.target]),
        pd.concat([firm.no_data, models.no_data], ignore_index=True),
    )
