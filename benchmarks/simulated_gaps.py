"""Simulated firms for implementation variance: whose advisors prefer a custodian, and of many other shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import f_oneway


@dataclass(frozen=True)
class Firm:
    """A simulated firm; standard deviations in bp a month.

    - `preferred`: share of an advisor's accounts at its first custodian; 1 / custodians is none.
    - `models`, `model_month_sd`, `model_sd`: a model's accounts share what each month did to them, and a lasting gap;
      half of the accounts of a custodian follow one model, the others any (`tilt`).
    - `tails`: degrees of freedom of the errors' Student t (scaled to `error_sd`; 0 is normal); `rho`: correlation of
      an account's errors from one month to the next; `spread`: standard deviation of the log of accounts' error_sd.
    """

    accounts: int = 300
    advisors: int = 12
    custodians: int = 3
    months: int = 36
    preferred: float = 0.85
    mean: float = -2.0
    month_sd: float = 5.0
    advisor_sd: float = 3.0
    account_sd: float = 4.0
    error_sd: float = 15.0
    models: int = 1
    model_month_sd: float = 0.0
    model_sd: float = 0.0
    tilt: float = 0.5
    tails: float = 0.0
    rho: float = 0.0
    spread: float = 0.0


def simulate(firm: Firm, random: np.random.Generator, effect: float = 0.0, advisor_effect: float = 0.0) -> pd.DataFrame:
    """A firm's panel of gaps, every fifth account opening late.

    `effect` is what the last custodian adds, `advisor_effect` the first advisor, bp a month.
    """
    advisor = np.arange(firm.accounts) % firm.advisors
    first = advisor % firm.custodians
    other = (first + random.integers(1, firm.custodians, firm.accounts)) % firm.custodians
    custodian = np.where(random.random(firm.accounts) < firm.preferred, first, other)
    late = random.random(firm.accounts) < 0.2
    opened = np.where(late, random.integers(0, max(1, firm.months - 6), firm.accounts), 0)
    account, month = np.nonzero(np.arange(firm.months)[None, :] >= opened[:, None])
    gap = firm.mean + firm.error_sd * _errors(firm, random, account, month)
    gap += firm.month_sd * random.standard_normal(firm.months)[month]
    gap += firm.advisor_sd * random.standard_normal(firm.advisors)[advisor[account]]
    gap += firm.account_sd * random.standard_normal(firm.accounts)[account]
    gap += effect * (custodian[account] == firm.custodians - 1)
    gap += advisor_effect * (advisor[account] == 0)
    columns = {
        "account_id": np.char.add("A", account.astype(str)),
        "advisor_id": np.char.add("ADV", (advisor[account] + 1).astype(str)),
        "custodian_id": np.char.add("CUS", (custodian[account] + 1).astype(str)),
        "month": month,
    }
    if firm.models > 1:
        own = random.random(firm.accounts) < firm.tilt
        model = np.where(own, custodian % firm.models, random.integers(0, firm.models, firm.accounts))[account]
        gap += firm.model_month_sd * random.standard_normal((firm.models, firm.months))[model, month]
        gap += firm.model_sd * random.standard_normal(firm.models)[model]
        columns["model_id"] = np.char.add("M", (model + 1).astype(str))
    return pd.DataFrame(columns | {"gap": gap})


def _errors(firm: Firm, random: np.random.Generator, account: np.ndarray, month: np.ndarray) -> np.ndarray:
    """Errors of standard deviation one, by account and month."""
    if firm.rho:
        steps = random.standard_normal((firm.accounts, firm.months))
        for place in range(1, firm.months):
            fresh = np.sqrt(1.0 - firm.rho**2) * steps[:, place]
            steps[:, place] = firm.rho * steps[:, place - 1] + fresh
        errors = steps[account, month]
    elif firm.tails:
        errors = random.standard_t(firm.tails, len(account)) / np.sqrt(firm.tails / (firm.tails - 2.0))
    else:
        errors = random.standard_normal(len(account))
    if firm.spread:
        errors = errors * np.exp(firm.spread * random.standard_normal(firm.accounts))[account]
    return errors


def naive_p(frame: pd.DataFrame) -> float:
    """P of a one-way analysis of variance of accounts' mean gaps by custodian."""
    means = frame.groupby(["custodian_id", "account_id"])["gap"].mean()
    return float(f_oneway(*(group.to_numpy() for _, group in means.groupby("custodian_id"))).pvalue)
