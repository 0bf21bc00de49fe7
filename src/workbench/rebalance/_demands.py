"""What stands in a household's file: its restrictions in force, the cash it needs, and what wash sales forbid."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.firm import CASH, Firm, positions_at
from workbench.firm.rmd import FIRST_YEAR
from workbench.rebalance.household import CashDemand, Market, Offsets, Restriction, WashEvent
from workbench.rebalance.settings import Settings
from workbench.tax import wash_state
from workbench.tax.rmd import required_distributions

#: No owner must take a distribution in a year in which they turn less than this (IRC 401(a)(9)(C)).
FIRST_AGE = 70


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
            # A value that is missing or negative demands nothing; where it should not be, the proposal says so.
            if restriction.kind not in ("min_cash", "directive") or not (restriction.value or 0.0) > 0.0:
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
    for household, demand in _distributions(firm, accounts, code, household_ptr, value):
        result.setdefault(household, []).append(demand)
    return {household: tuple(listed) for household, listed in result.items()}


def _distributions(
    firm: Firm, accounts: pd.DataFrame, code: np.ndarray, household_ptr: Offsets, value: np.ndarray
) -> list[tuple[int, CashDemand]]:
    """Required distributions still due, asked of the owner's largest account of the kind (26 CFR 1.408-8(e))."""
    year = firm.as_of.year
    owners = accounts[accounts["registration"].isin(["traditional_ira", "401k"])]
    owners = owners[owners["owner_birth_date"].notna() & (year - owners["owner_birth_date"].dt.year >= FIRST_AGE)]
    if owners.empty or year < FIRST_YEAR:
        return []
    transactions = firm.table("transactions")
    paid = transactions[(transactions["kind"] == "withdrawal") & transactions["account_id"].isin(owners["account_id"])]
    withdrawals = paid[["account_id", "trade_date"]].assign(amount=paid["amount"].abs())
    balances = pd.concat([_year_end(firm, owners, y) for y in (year - 1, year)], ignore_index=True)
    found = required_distributions(owners, balances, withdrawals, firm.as_of)
    place = {str(name): at for at, name in enumerate(accounts["account_id"])}
    result = []
    for row in found.due.itertuples():
        if not row.outstanding > 0.005:
            continue
        largest = max((place[str(name)] for name in row.account_ids), key=lambda at: (value[at], -at))
        household = int(code[largest])
        demand = CashDemand(
            largest - int(household_ptr[household]), "rmd", float(row.outstanding), row.due_by.date(),
            f"required distribution of {row.year}",
        )  # fmt: skip
        result.append((household, demand))
    return result


def _year_end(firm: Firm, owners: pd.DataFrame, year: int) -> pd.DataFrame:
    """Value of each account on 31 December before `year`, from its positions then and the last prices up to then."""
    day = pd.Timestamp(year - 1, 12, 31)
    prices = firm.table("prices", ["date", "security_id", "close"])
    if prices["date"].min() > day:
        return pd.DataFrame({"account_id": owners["account_id"], "year": year, "balance": np.nan})
    held = positions_at(firm, day)
    held = held[held["account_id"].isin(owners["account_id"])]
    last = prices[prices["date"] <= day].sort_values("date").drop_duplicates("security_id", keep="last")
    price = last.set_index("security_id")["close"].copy()
    price[CASH] = 1.0
    worth = held["quantity"] * held["security_id"].map(price)
    balance = worth.groupby(held["account_id"]).sum(min_count=1).reindex(owners["account_id"], fill_value=0.0)
    return pd.DataFrame({"account_id": balance.index, "year": year, "balance": balance.to_numpy()})


def wash_events(
    firm: Firm,
    accounts: pd.DataFrame,
    code: np.ndarray,
    household_ptr: Offsets,
    securities: Market,
    settings: Settings,
) -> dict[int, tuple[WashEvent, ...]]:
    """Return what purchases and loss sales of the last 30 days mean for today, by household."""
    transactions = firm.table("transactions")
    if transactions.empty:
        return {}
    state = wash_state(
        transactions, firm.table("accounts"), firm.table("securities"), firm.as_of,
        minimum_confidence=settings.wash_confidence, lots=firm.table("lots"),
    )  # fmt: skip
    group_of = {name: place for place, name in enumerate(securities.wash_group_names)}
    account_of = {str(name): place for place, name in enumerate(accounts["account_id"])}
    today = firm.as_of.date()
    result: dict[int, list[WashEvent]] = {}

    def add(row: Any, kind: Literal["purchase", "loss_sale", "reinvestment"], **facts: Any) -> None:
        place = account_of[str(row.account_id)]
        household = int(code[place])
        event = WashEvent(
            kind, group_of[str(row.wash_group)], securities.code[str(row.security_id)],
            place - int(household_ptr[household]), **facts,
        )  # fmt: skip
        result.setdefault(household, []).append(event)

    for row in state.purchases.itertuples():
        add(row, "purchase", shares=float(row.shares), first_day=row.bought_on.date(), last_day=row.last_day.date(),
            source=str(row.lot_id))  # fmt: skip
    for row in state.losses.itertuples():
        per_share = float(row.loss) / float(row.shares) if row.known and row.shares > 0 else 0.0
        add(row, "loss_sale", shares=float(row.shares), first_day=row.sold_on.date(), last_day=row.last_day.date(),
            source=str(row.lot_id), loss=per_share)  # fmt: skip
    for row in state.reinvesting.itertuples():
        add(row, "reinvestment", shares=0.0, first_day=today, last_day=today + timedelta(days=30),
            source=f"dividends reinvested, last on {row.last_on:%Y-%m-%d}")  # fmt: skip
    return {household: tuple(listed) for household, listed in result.items()}
