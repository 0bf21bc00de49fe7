"""The gaps of sleeves: what an account's part in a sleeve earned in a month less what the model's sleeve earned."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbench.attribution.implementation.gaps import (
    LEAST_MONTHS,
    Gaps,
    Window,
    collected,
    compounded,
    measured,
    windows,
)
from workbench.attribution.implementation.panel import Floats, Ints
from workbench.firm import CASH, Firm

#: Least part of the account and of the model that a sleeve must be on every day of the month.
LEAST_WEIGHT = 0.01
_BP = 10_000.0


def load_with_sleeves(firm: Firm, months: int = 36) -> tuple[Gaps, Mapping[str, Gaps]]:
    """Measure accounts as `load` does, and each sleeve over the same account-months; the firm is read once.

    By sleeve_id, those without a row left out. A security counts in the sleeve that the account's model holds it in, by
    the model's weights where in two; what the model does not hold, and cash, is in none. Returns are of what was held
    and traded, before fees: `net` is `gross` and `fees` zero. Both account and model must hold a hundredth in the
    sleeve throughout the month, and an account needs three such months. Covariates are those of the account. Raises as
    `load` does.
    """
    parts, of_sleeves = [], []
    for window in windows(firm, months):
        parts.append(measured(window))
        of_sleeves.append(_measured(window))
    gaps = collected(parts, months)
    return gaps, _by_sleeve(gaps, pd.concat(of_sleeves, ignore_index=True))


def _by_sleeve(gaps: Gaps, frame: pd.DataFrame) -> dict[str, Gaps]:
    """Sleeves' gaps with the keys and covariates of the account's."""
    given = gaps.frame.drop(columns=["net", "gross", "fees"])
    frame = given.merge(frame, on=["account_id", "month"], how="inner", validate="one_to_many")
    frame = frame.assign(net=frame["gross"], fees=0.0)
    found = {}
    for sleeve, rows in frame.groupby("sleeve_id", sort=True):
        lived = rows.groupby("account_id")["month"].transform("size") >= LEAST_MONTHS
        kept = rows[lived].drop(columns="sleeve_id").reset_index(drop=True)
        if len(kept):
            absent = sorted(set(given["account_id"]) - set(kept["account_id"]))
            why = f"fewer than {LEAST_MONTHS} whole months in the sleeve"
            found[str(sleeve)] = Gaps(kept, pd.DataFrame({"account_id": absent, "reason": why}))
    return found


def _measured(window: Window) -> pd.DataFrame:
    """Rows account_id, month, sleeve_id and gross gap of some accounts."""
    daily, paths, starts, ends = window.daily, window.paths, window.starts, window.ends
    model = paths.model_rows(daily.accounts["model_id"])
    cash = daily.securities.index(CASH)
    invested = paths.column_security != cash
    of_security = paths.security_weights
    frames = []
    slots = np.flatnonzero((daily.slot_security != cash) & (model[daily.slot_account] >= 0))
    account, security = daily.slot_account[slots], daily.slot_security[slots]
    value, gain = daily.value[slots, :-1], (daily.holding + daily.trading)[slots]
    whole = window.whole[:, :-1]
    for place, sleeve in enumerate(paths.sleeves):
        columns = np.flatnonzero((paths.column_sleeve == place) & invested)
        if not len(columns):
            continue
        own = np.zeros_like(of_security)
        own[..., paths.column_security[columns]] = paths.weights[..., columns]  # a security is once in a sleeve
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.nan_to_num(own / of_security)
        inside = np.isin(security, paths.column_security[columns])
        part = share[model[account[inside]], :, security[inside]]
        begin = _by_account(account[inside], part * value[inside], len(whole))
        earned = _by_account(account[inside], part * gain[inside], len(whole))
        weight = np.nan_to_num(own.sum(axis=2))
        held = (begin >= LEAST_WEIGHT * whole) & (whole > 0.0) & (weight[model] >= LEAST_WEIGHT) & (model >= 0)[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            returns = np.where(held, earned / begin, np.nan)
            against = np.nansum(own * paths.returns, axis=2) / weight
        gap = compounded(returns, starts, ends) - compounded(against, starts, ends)[model]
        who, month = np.nonzero(np.isfinite(gap))
        frames.append(
            pd.DataFrame(
                {
                    "account_id": daily.accounts["account_id"].to_numpy(dtype=object)[who],
                    "month": daily.sessions[ends][month],
                    "sleeve_id": sleeve,
                    "gross": _BP * gap[who, month],
                }
            )
        )
    columns_of = ["account_id", "month", "sleeve_id", "gross"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns_of)


def _by_account(account: Ints, slots: Floats, accounts: int) -> Floats:
    """Sum slots (k x T) by account (N x T); `account` is in order."""
    out = np.zeros((accounts, slots.shape[1]))
    if len(account):
        first = np.flatnonzero(np.diff(account, prepend=-1))
        out[account[first]] = np.add.reduceat(slots, first, axis=0)
    return out
