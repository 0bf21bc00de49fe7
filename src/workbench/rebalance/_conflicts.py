"""Demands that cannot all hold: who is in conflict with whom, and by how much the weakest was missed.

The program is elastic, so that a solution always exists and misses what it must by the least; here the misses are
traced to their records. Of the records that keep an account from selling, those are named that would each free what is
missing; where none does, the fewest that free it together (`solver.conflict` has the general filter for many rows; cash
is a single row, for which it is a sum).
"""

from __future__ import annotations

import numpy as np

from workbench.rebalance._obstacles import Bar, Cap
from workbench.rebalance._weights import Weights
from workbench.rebalance.formulate import Formulation, Row
from workbench.rebalance.household import Household
from workbench.rebalance.proposal import Conflict, TaxTable
from workbench.rebalance.settings import Settings
from workbench.rebalance.solve import Solved

#: A miss of a cent, or of a dollar of gain, is rounding.
CENT, DOLLAR = 0.01, 1.0
#: Modes in which nothing, or nothing but losses, is sold.
NO_FREE_SALES = ("invest_cash", "harvest")


def conflicts(
    household: Household, solved: Solved, w: Weights, settings: Settings, table: TaxTable
) -> tuple[Conflict, ...]:
    """Return the demands that could not all be met, with what each was missed by."""
    formulation = solved.formulation
    found = list(formulation.obstacles.conflicts)
    if solved.stalled:
        name = household.household_id
        found.append(Conflict((f"program of {name}",), "a person looks at its amounts", f"solution of {name}", 0.0))
    if settings.gain_budget == "hard" and table.budget is not None:
        over = table.budget_used_after - max(table.budget, table.budget_used_before)
        if over > DOLLAR:
            found.append(_over_budget(household, over))
    for row in formulation.rows:
        if row.kind == "cash":
            missing = float(formulation.cash_owed[row.account] - w.cash_after[row.account])
            if missing > CENT:
                found.append(_short_of_cash(household, formulation, row.account, missing, settings))
        elif row.kind in ("max_weight", "issuer_cap", "sector_cap"):
            over = float(solved.values[row.over]) * formulation.value
            if over > CENT:
                found.append(_over_cap(household, solved, row, over, settings))
    return tuple(found)


def _over_budget(household: Household, over: float) -> Conflict:
    """The gain budget gave way to cash that is owed and can be raised in no other way."""
    needs = tuple(f"{need.kind} {need.source}" for need in household.needs)
    short = tuple(
        f"negative cash of {name}"
        for name, cash in zip(household.accounts.ids, household.accounts.cash.tolist(), strict=True) if cash < 0
    )  # fmt: skip
    parties = (f"gain budget of {household.household_id}", *needs, *short)
    return Conflict(parties, "raise the budget, or deposit cash", "gain budget", round(over, 2))


def _short_of_cash(
    household: Household, formulation: Formulation, account: int, missing: float, settings: Settings
) -> Conflict:
    """Cash that is owed and could not be raised: the demands, and what is locked up, or that there is no more."""
    needs = tuple(f"{need.kind} {need.source}" for need in household.needs if need.account == account)
    name = household.accounts.ids[account]
    locked = _enough(_locked(household, formulation, account), missing)
    demands = needs or (f"negative cash of {name}",)
    if not locked and settings.mode in NO_FREE_SALES and formulation.account_value[account] > missing:
        parties = (*demands, f"mode {settings.mode}")
        return Conflict(parties, f"propose in a mode that sells, or deposit cash in {name}", f"cash of {name}",
                        round(missing, 2))  # fmt: skip
    parties = (*demands, *(locked or (f"value of {name}",)))
    remedy = f"deposit cash in {name}, or {_lift(locked, missing) if locked else 'ask for less'}"
    return Conflict(parties, remedy, f"cash of {name}", round(missing, 2))


def _over_cap(household: Household, solved: Solved, row: Row, over: float, settings: Settings) -> Conflict:
    """A cap that is passed: it, and the records that keep its securities from being sold, or the gain budget."""
    formulation = solved.formulation
    members = {s for cap in formulation.obstacles.caps if _is(cap, row) for s in cap.securities}
    locked = _enough(_locked(household, formulation, row.account, members), over)
    if not locked and settings.mode in NO_FREE_SALES:
        locked = {f"mode {settings.mode}": over}
    elif not locked and any(other.kind == "gain_budget" for other in formulation.rows):
        locked = {f"gain budget of {household.household_id}": over}
    parties = (f"{row.kind} {row.source}", *(locked or ("least trade or whole shares",)))
    remedy = f"{_lift(locked, over)}, or accept the excess" if locked else "accept the excess"
    return Conflict(parties, remedy, f"{row.kind} {row.entity}", round(over, 2))


def _is(cap: Cap, row: Row) -> bool:
    same = (cap.kind, cap.source, cap.account) == (row.kind, row.source, row.account)
    return same and row.entity.startswith(cap.entity)


def _locked(
    household: Household, formulation: Formulation, account: int, members: set[int] | None = None
) -> dict[str, float]:
    """Dollars that each record keeps from being sold in an account (-1: in all), of some securities or of every one."""
    found: dict[str, float] = {}
    price = np.nan_to_num(household.market.price)
    for a in range(len(household.accounts.ids)) if account < 0 else (account,):
        for h in range(int(household.account_ptr[a]), int(household.account_ptr[a + 1])):
            security = int(household.security[h])
            bar = formulation.blocked.get((a, security, "sell"))
            if bar is None or (members is not None and security not in members):
                continue
            name = _named(bar, household.market.ids[security])
            found[name] = found.get(name, 0.0) + float(household.quantity[h] * price[security])
    return found


def _named(bar: Bar, security: str) -> str:
    return f"{bar.obstacle} {bar.source}" if bar.source else f"{bar.obstacle} of {security}"


def _enough(locked: dict[str, float], missing: float) -> dict[str, float]:
    """The locks to lift: each that frees what is missing by itself, else the fewest that free it together."""
    if sum(locked.values()) < missing - CENT:
        return {}
    alone = {name: dollars for name, dollars in locked.items() if dollars >= missing - CENT}
    freed, together = 0.0, {}
    for name, dollars in sorted(locked.items(), key=lambda item: (-item[1], item[0])):
        if freed < missing - CENT:
            freed, together[name] = freed + dollars, dollars
    return dict(sorted((alone or together).items()))


def _lift(locked: dict[str, float], missing: float) -> str:
    """Whether any one of the locks is enough to lift, or it takes all that are named."""
    if min(locked.values()) >= missing - CENT:
        return "lift one of these"
    return f"lift these, which together free ${sum(locked.values()):,.0f}"


def uncured_cash(household: Household) -> tuple[Conflict, ...]:
    """Negative cash of accounts in which there is nothing to sell."""
    return tuple(
        Conflict(
            (f"cash of {name}", "no position with a price"), f"deposit cash in {name}", f"cash of {name}",
            round(-float(cash), 2),
        )
        for name, cash in zip(household.accounts.ids, household.accounts.cash.tolist(), strict=True)
        if cash < -0.005
    )  # fmt: skip
