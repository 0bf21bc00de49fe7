"""What a proposal left undone and why: binding limits with their prices, refusals, notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workbench.rebalance._obstacles import Bar
from workbench.rebalance._relaxed import relaxed
from workbench.rebalance._weights import Weights, tracking_error
from workbench.rebalance.formulate import Formulation
from workbench.rebalance.household import Household
from workbench.rebalance.proposal import AccountState, Limit, Note, Refusal, Side, Trade
from workbench.rebalance.settings import Settings
from workbench.rebalance.solve import Solved

#: A deviation smaller than this part of its group's value needs no explanation.
TELL = 0.0025
#: Dollars below which there is nothing to trade.
CENT = 0.01
#: Most refusals that a proposal lists.
MOST = 12
_BINDS = 1e-7


def limits(household: Household, solved: Solved) -> tuple[Limit, ...]:
    """Return the limits that bind, dearest first; the gain budget also with what it costs in tracking."""
    formulation, prices = solved.formulation, solved.relaxed.row_price
    found = []
    for row, price in zip(formulation.rows, prices.tolist()):
        if row.kind in ("factor", "band") or abs(price) < _BINDS:
            continue
        kind, bound = row.kind, row.bound
        if row.kind == "cash":
            kind = "cash_floor" if price > 0 else "cash_ceiling"
            account = row.account
            bound = float((formulation.cash_floor if price > 0 else formulation.cash_ceiling)[account])
        cost = _tracking_cost(household, solved, formulation.rows.index(row)) if kind == "gain_budget" else None
        found.append(Limit(kind, row.entity, round(bound, 6), round(abs(price), 8), cost))
    return tuple(sorted(found, key=lambda limit: (-limit.price, limit.kind, limit.entity)))


def _tracking_cost(household: Household, solved: Solved, row: int) -> float:
    """Tracking error that a limit costs the household, in basis points: solved again without it."""
    formulation = solved.formulation
    free_high, free_low = formulation.problem.row_high.copy(), formulation.problem.row_low.copy()
    free_high[row], free_low[row] = np.inf, -np.inf
    without = relaxed(replace(formulation.problem, row_high=free_high, row_low=free_low))
    with_limit = _household_error(household, formulation, solved.relaxed.values)
    return round(1e4 * (with_limit - _household_error(household, formulation, without.values)), 4)


def _household_error(household: Household, formulation: Formulation, values: np.ndarray) -> float:
    """Root of the value-weighted tracking variance of the groups, from the columns of a solution."""
    first = len(formulation.buy_account)
    traded = np.bincount(formulation.buy_line, weights=values[:first], minlength=len(formulation.line_held))
    sold = values[first : first + len(formulation.sell_line)]
    traded -= np.bincount(formulation.sell_line, weights=sold, minlength=len(formulation.line_held))
    active = np.zeros((len(formulation.group_value), len(household.market.ids)))
    active[formulation.line_group, formulation.line_security] = formulation.line_held + traded - formulation.line_target
    share = np.maximum(formulation.group_value / formulation.value, 1e-9)
    errors = tracking_error(household, active / share[:, None])
    return float(np.sqrt((share * errors**2).sum()))


def refused(household: Household, solved: Solved, w: Weights, settings: Settings) -> tuple[Refusal, ...]:
    """Return the largest deviations that remain and what stands against correcting them, largest first."""
    formulation = solved.formulation
    found: list[tuple[float, Refusal]] = []
    for line in range(len(formulation.line_security)):
        group, security = int(formulation.line_group[line]), int(formulation.line_security[line])
        members = household.models.stands_for[w.model[group]] == security
        # A security of the model counts for itself; substitutes fill its line.
        left = float(w.after[group][members].sum() - w.target[group][security])
        if abs(left) < TELL or abs(left) * float(w.value[group]) < CENT:
            continue
        side: Side = "sell" if left > 0 else "buy"
        before = float(w.before[group][members].sum() - w.target[group][security])
        if left * before <= 0 or abs(left) > abs(before) + 1e-4:
            continue  # the proposal's own doing: what it holds in place of something else, told there
        place, bar = _against(household, solved, line, side, settings)
        account, code = place
        found.append(
            (
                abs(left) * float(w.value[group]),
                Refusal(
                    household.accounts.ids[account], household.market.ids[code], side, bar.obstacle, bar.source,
                    bar.until, round(abs(left) * float(w.value[group]), 2),
                ),
            )
        )  # fmt: skip
    found.extend(_untouched(household, formulation))
    found.sort(key=lambda item: (-item[0], item[1].account_id, item[1].security_id))
    return tuple(refusal for _, refusal in found[:MOST])


def _against(
    household: Household, solved: Solved, line: int, side: Side, settings: Settings
) -> tuple[tuple[int, int], Bar]:
    """The account and security where a line would have been corrected, and the obstacle there."""
    formulation = solved.formulation
    group, goal = int(formulation.line_group[line]), int(formulation.line_security[line])
    members = [int(a) for a in np.flatnonzero(formulation.group == group)]
    for (account, security, which), bar in sorted(formulation.blocked.items()):
        model = household.accounts.model[account]
        if which == side and account in members and household.models.stands_for[model, security] == goal:
            return (account, security), bar
    if solved.spared is not None:
        return (members[0], goal), Bar(solved.spared)
    first = len(formulation.buy_account)
    if side == "buy":
        places = np.flatnonzero(formulation.buy_line == line)
        account = int(formulation.buy_account[places[0]]) if len(places) else members[0]
        if settings.mode in ("raise_cash",):
            return (account, goal), Bar("mode", settings.mode)
        floors = [a for a in members if _binds(solved, "cash", a, at_floor=True)]
        return (floors[0] if floors else account, goal), Bar("cash_floor") if floors else Bar("cost")
    places = np.flatnonzero(formulation.sell_line == line)
    if not len(places):
        return (members[0], goal), Bar("no_price")
    sold = solved.values[first + places]
    room = formulation.problem.upper[first + places] - sold
    open_places = places[room > 1e-9] if (room > 1e-9).any() else places
    holding = int(formulation.sell_holding[open_places[0]])
    owner = int(np.searchsorted(household.account_ptr, holding, side="right") - 1)
    where = (owner, int(household.security[holding]))
    if settings.mode in ("invest_cash", "harvest"):
        return where, Bar("mode", settings.mode)
    gain = formulation.sell_gain[open_places]
    if (gain > 0).any() and _binds(solved, "gain_budget", -1):
        return where, Bar("gain_budget", household.household_id)
    if (gain * formulation.sell_rate[open_places] > 0).any():
        return where, Bar("tax")
    return where, Bar("cost")


def _binds(solved: Solved, kind: str, account: int, *, at_floor: bool = False) -> bool:
    """Whether a row has a price; `at_floor`: whether its lower limit has, for cash may bind at its ceiling too."""
    return any(
        row.kind == kind and row.account == account and (price if at_floor else abs(price)) > _BINDS
        for row, price in zip(solved.formulation.rows, solved.relaxed.row_price.tolist())
    )


def _untouched(household: Household, formulation: Formulation) -> list[tuple[float, Refusal]]:
    """Positions that were left alone because nothing says what they are worth."""
    price = household.market.price[household.security]
    owner = np.repeat(np.arange(len(household.accounts.ids)), np.diff(household.account_ptr))
    rows = np.flatnonzero(~(price > 0) | (household.quantity < 0))
    return [
        (
            float("inf"),
            Refusal(
                household.accounts.ids[int(owner[h])], household.market.ids[int(household.security[h])], "sell",
                "no_price", None, None, None,
            ),
        )
        for h in rows.tolist()
        if formulation.group[owner[h]] >= 0
    ]  # fmt: skip


def notes(household: Household, trades: Sequence[Trade], accounts: Sequence[AccountState]) -> tuple[Note, ...]:
    """Return what a person must know beside the trades: consents to obtain, accounts that no model manages."""
    traded = {trade.account_id for trade in trades}
    found = []
    for state, why in zip(accounts, household.accounts.unmanaged, strict=True):
        if not state.discretionary and state.account_id in traded:
            found.append(Note("consent", state.account_id, state.traded))
        if state.model_id is None and abs(state.value) > 0.005:
            found.append(Note("unmanaged", state.account_id, state.value, why or "no model in force"))
    return tuple(found)
