"""Required minimum distributions of a household's accounts: who owes how much, what is left of it, and by when.

Sources: IRC 401(a)(9); 26 CFR 1.408-8(e) (IRAs of one owner count together, a 401(k) stands alone); start ages and
the Uniform Lifetime Table are in `workbench.firm.rmd`. The Joint and Last Survivor Table (a spouse more than ten years
younger as sole beneficiary) is not on file: hand in the period that a person looked up (IRS Pub. 590-B, Table II).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.firm import rmd

#: Registrations whose owner must take distributions while living.
OWNED = ("traditional_ira", "401k")
COLUMNS = [
    "household_id", "registration", "owner_birth_date", "account_ids", "year", "balance", "divisor", "required",
    "taken", "outstanding", "due_by",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class RequiredDistributions:
    """What owners must take, and the accounts of which only a person can say.

    `due` has one row an owner, kind of account and year (`COLUMNS`; `account_ids` is a tuple, the distribution of
    traditional IRAs may come from any of them): `required`, `taken` and `outstanding` dollars (missing where a balance
    is), `due_by` the last day. `for_a_person` lists `account_id`, `household_id` and `why`: inherited accounts, and
    accounts without the owner's date of birth.
    """

    due: pd.DataFrame
    for_a_person: pd.DataFrame


def required_distributions(
    accounts: pd.DataFrame,
    balances: pd.DataFrame,
    withdrawals: pd.DataFrame,
    as_of: pd.Timestamp,
    *,
    periods: pd.Series | None = None,
) -> RequiredDistributions:
    """What is due of this year's distributions, and of last year's where it was the first, which may wait to 1 April.

    `accounts` is the firm's table; an owner is a household and a date of birth. `balances` has `account_id`, `year` and
    `balance`: the value on 31 December of the year *before* `year`, for the year of `as_of` and the year before it.
    `withdrawals` has `account_id`, `trade_date`, `amount` (positive dollars paid out). `periods` gives, by account, a
    distribution period that beats the Uniform Lifetime Table's (joint table). A Roth owner owes nothing. Withdrawals
    up to 1 April count for a postponed first distribution before they count for the year they are made in; a
    postponed one that was missed stays on the list until it is made up. Raises `ParameterError` for a year before the
    tables in force.
    """
    day = pd.Timestamp(as_of).normalize()
    if day.year < rmd.FIRST_YEAR:
        raise ParameterError(f"the tables here hold from {rmd.FIRST_YEAR}, not for {day.year}", "as_of")
    if (withdrawals["amount"] < 0).any():
        raise ParameterError("withdrawals are positive dollars paid out; drop the sign", "withdrawals")
    owned = accounts[accounts["registration"].isin(OWNED) & accounts["owner_birth_date"].notna()]
    balance = balances.set_index(["account_id", "year"])["balance"]
    paid = withdrawals.assign(year=withdrawals["trade_date"].dt.year)[withdrawals["trade_date"] <= day]
    by_year = paid.groupby(["account_id", "year"])["amount"].sum()
    april = pd.Timestamp(day.year, 4, 1)
    early = paid[(paid["year"] == day.year) & (paid["trade_date"] <= april)].groupby("account_id")["amount"].sum()
    lines = []
    for key, group in _owners(owned):
        ids = tuple(sorted(group["account_id"]))
        born = pd.Timestamp(key[2])
        spent = 0.0
        for year in (day.year - 1, day.year):
            if year < max(rmd.FIRST_YEAR, rmd.first_year(born)):
                continue
            held = balance.reindex([(account, year) for account in ids]).to_numpy(np.float64)
            uniform = rmd.divisor(born, year)
            own = np.array([uniform if periods is None else periods.get(account, uniform) for account in ids])
            required = round(float((np.maximum(held, 0.0) / own).sum()), 2)
            taken = float(by_year.reindex([(account, year) for account in ids]).sum())
            due_by = rmd.due_by(born, year)
            if year < day.year:
                if due_by.year < day.year:
                    continue
                spent = min(float(early.reindex(list(ids)).sum()), max(required - taken, 0.0))
                taken += spent
            else:
                taken -= spent
            outstanding = max(required - taken, 0.0) if not np.isnan(required) else np.nan
            if due_by < day and not outstanding > 0.0:
                continue
            divisor = held.sum() / (held / own).sum() if held.sum() > 0 else uniform
            lines.append((key[0], key[1], born, ids, year, held.sum(), divisor, required, taken, outstanding, due_by))
    due = pd.DataFrame(lines, columns=COLUMNS)
    return RequiredDistributions(due, _for_a_person(accounts))


def _owners(owned: pd.DataFrame) -> list[tuple[tuple, pd.DataFrame]]:
    """Accounts that count together: an owner's traditional IRAs, or one 401(k)."""
    alone = owned["account_id"].where(owned["registration"] == "401k", "")
    keys = [owned["household_id"], owned["registration"], owned["owner_birth_date"], alone]
    return list(owned.groupby(keys, sort=True))


def _for_a_person(accounts: pd.DataFrame) -> pd.DataFrame:
    inherited = accounts["registration"] == "inherited_ira"
    undated = accounts["registration"].isin(OWNED) & accounts["owner_birth_date"].isna()
    why = np.select(
        [inherited, undated],
        ["an inherited account: the beneficiary's rules rest on facts the tables do not hold",
         "no date of birth of the owner: whether a distribution is required cannot be told"],
        "",
    )  # fmt: skip
    rows = accounts[["account_id", "household_id"]].assign(why=why)
    return rows[inherited | undated].reset_index(drop=True)
