"""Causes in words, by rule: the same figures always give the same sentence.

The driver of a deviation is its largest cause of the same sign. A security is named where it alone makes up at least
half of that cause. A cause of the other sign is told too where it undoes at least half of the driver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.drift.causes import CAUSES, Causes
from workbench.drift.result import Drift
from workbench.firm import CASH

#: The part of a cause that one security must make up to be named for it.
NAMED_FROM = 0.5
#: The part of the driver that an opposite cause must undo to be told.
TOLD_FROM = 0.5
#: Deviations that print as 0.0 pp are on target.
ON_TARGET = 0.0005
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Driver:
    """Why one key of one account is off its target: the cause, its effect (fraction) and, if one, the security."""

    account_id: str
    level: str
    key: str
    deviation: float
    cause: str
    effect: float
    security_id: str | None
    text: str


def percentage_points(fraction: float, *, signed: bool = False) -> str:
    """Return a fraction in percentage points with one decimal: `2.4 pp`, signed `+2.4 pp`."""
    points = round(fraction * 100, 1) + 0.0
    sign = MINUS if points < 0 else "+" if signed and points > 0 else ""
    return f"{sign}{abs(points):.1f} pp"


def driver(causes: Causes, account: str, level: str, key: str) -> Driver:
    """Name the main driver of one deviation, such as `Technology +3.1 pp over target, 2.4 pp from AAPL's price.`

    Raises `ParameterError` for an account, level or key that was not explained.
    """
    members = causes.members(level, account, key)
    effects = {cause: float(members[cause].sum()) for cause in CAUSES}
    deviation = float(members["deviation"].sum())
    label = "Cash" if key == CASH else key
    if abs(deviation) < ON_TARGET:
        return Driver(account, level, key, deviation, "none", 0.0, None, f"{label} on target.")
    sign = float(np.sign(deviation))
    cause = max(CAUSES, key=lambda name: effects[name] * sign)
    against = min(CAUSES, key=lambda name: effects[name] * sign)
    security = _alone(members, cause, effects[cause])
    side = "over" if deviation > 0 else "under"
    text = f"{label} {percentage_points(deviation, signed=True)} {side} target, "
    rebalanced = _was_rebalanced(causes, account)
    text += _told(causes, members, key, cause, effects, rebalanced)
    if -effects[against] * sign >= TOLD_FROM * abs(effects[cause]):
        text += f", against {_told(causes, members, key, against, effects, rebalanced)}"
    return Driver(account, level, key, deviation, cause, effects[cause], security, text + ".")


def drivers(drift: Drift, causes: Causes) -> pd.DataFrame:
    """Name, for each explained account, the driver of its furthest deviation: that which uses most of its band.

    Levels are looked at in their order and the first of equals is taken; where nothing has a band, the largest
    deviation of a security. The factor level, whose exposures are no weights, is left out. Returns account_id, level,
    key, deviation, cause, effect, security_id, text.
    """
    explained = list(causes.inputs.account_ids.take(causes.account))
    furthest: dict[str, tuple[float, str, str]] = {}
    for name in drift.levels:
        if name == "factor":
            continue
        frame = drift.level(name, explained)
        size = frame["deviation"].abs().to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            use = np.nan_to_num(np.where(size > 1e-12, size / frame["band"].to_numpy(), 0.0), posinf=1e9)
        if name == "security":
            use = np.maximum(use, size * 1e-6)  # without any band the largest deviation speaks
        for account, key, ratio in zip(frame["account_id"], frame["key"], use):
            if account not in furthest or ratio > furthest[account][0] + 1e-12:
                furthest[account] = (float(ratio), name, key)
    named = [driver(causes, account, *furthest[account][1:]) for account in explained]
    return pd.DataFrame([vars(one) for one in named], columns=list(Driver.__dataclass_fields__))


def _alone(members: pd.DataFrame, cause: str, total: float) -> str | None:
    """The security that alone makes up at least half of a cause's effect, if there is one."""
    if members.empty or total == 0:
        return None
    part = members[cause] / total
    largest = int(part.to_numpy().argmax())
    return str(members["security_id"].iloc[largest]) if part.iloc[largest] >= NAMED_FROM else None


def _was_rebalanced(causes: Causes, account: str) -> bool:
    """Whether the account ever stood on its model, so that its start is a rebalance and not its opening."""
    row = causes.inputs.account_ids.get_loc(account)
    return bool(pd.notna(causes.inputs.accounts["last_rebalanced_on"].iloc[row]))


def _told(
    causes: Causes, members: pd.DataFrame, key: str, cause: str, effects: dict[str, float], rebalanced: bool
) -> str:
    """One cause as a clause: `2.4 pp from AAPL's price`."""
    effect = effects[cause]
    security = _alone(members, cause, effect)
    return f"{percentage_points(abs(effect))} from {_source(causes, cause, key, security, effect, rebalanced)}"


def _source(causes: Causes, cause: str, key: str, security: str | None, effect: float, rebalanced: bool) -> str:
    if cause == "market":
        securities = causes.inputs.securities
        if security is not None and not securities.is_cash[securities.ids.index(security)]:
            return f"{security}'s price"
        if security is not None:
            return f"{'falling' if effect > 0 else 'rising'} prices of the other holdings"
        return f"{'rising' if effect > 0 else 'falling'} prices in {key}"
    named = f" in {security}" if security is not None and security != CASH else ""
    return {
        "corporate_actions": "dividends and other corporate actions",
        "flows": "deposits, withdrawals and fees",
        "trades": f"rebalancing trades{named}",
        "overrides": f"manual trades{named}",
        "model_change": "the model's change of target",
        "residual": "what the last rebalance left" if rebalanced else "its start, for it was never rebalanced",
    }[cause]
