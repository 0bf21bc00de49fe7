"""Risk and stress of a firm in one go: what the chapter shows, from one look at holdings and one estimate of risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

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
from workbench.risk.shocks import Scenarios, load_scenarios
from workbench.risk.stress import Stress, stress_test
from workbench.risk.tolerated import against_tolerance, tolerated_losses
from workbench.risk.watched import Watched

#: The name of all assets together among the portfolios.
FIRM = "all assets"


@dataclass(frozen=True, eq=False)
class Overview:
    """A firm's risk and stress on one day.

    `groups` are the portfolios of the firm as a whole (`FIRM`, where it has a figure) and of all accounts on each model
    together; `total` splits their volatility, `active` their tracking error to the models' targets (of those with
    targets), `targets` the volatility of the models' targets themselves. `accounts` is one row an account. `stress` is
    over `groups`, `household_stress` over households, `losses` holds each household's worst beside what it tolerates.
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

    Raises `MarketDataError` where prices are too few for any estimate, `ParameterError` for scenarios that name what
    the firm does not have.
    """
    model = estimate_risk(watched, window)
    classes = sorted(set(watched.securities["asset_class"]))
    checked = (scenarios or load_scenarios()).for_universe(model.factors, classes)
    moves = scenario_moves(watched, model, checked)
    groups = covered(_joined(portfolios(watched, "firm"), portfolios(watched, "model")), model)
    households = portfolios(watched, "household")
    stressed = stress_test(households.weights, moves, value=households.value, least_covered=checked.least_covered)
    targets = model_targets(watched)
    known = (targets.loc[:, ~targets.columns.isin(model.securities)] == 0).all(axis=1)
    return Overview(
        watched=watched,
        risk=model,
        scenarios=checked,
        groups=groups,
        total=split(groups.weights, model),
        active=split(groups.active, model),
        targets=split(targets[known], model),
        accounts=account_risk(watched, model),
        stress=stress_test(groups.weights, moves, value=groups.value, least_covered=checked.least_covered),
        household_stress=stressed,
        losses=against_tolerance(stressed, tolerated_losses(watched, checked.tolerated_volatilities, limits)),
    )


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
