"""Why each trade is made, told from the solution: the deviation it corrects, and what it goes with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from workbench.rebalance.formulate import Formulation
from workbench.rebalance.household import TAXED, Household
from workbench.rebalance.proposal import Cause, LevelRow, Reason, Refusal
from workbench.rebalance.rounding import Orders
from workbench.rebalance.settings import Settings
from workbench.tax import WASH_DAYS

#: Most alternatives that are told for one trade.
ALTERNATIVES = 3
#: A purchase takes the place of a sale where it is at least this part of it.
REPLACES = 0.25
#: Levels in the order in which a deviation is told where several are as far out; the coarser says more.
_ORDER = {"asset_class": 0, "sleeve": 1, "sector": 2, "region": 3, "security": 4}


def reasons(
    household: Household,
    formulation: Formulation,
    orders: Orders,
    rows: Sequence[LevelRow],
    group_names: Sequence[str],
    loss: np.ndarray,
    settings: Settings,
) -> list[Reason]:
    """Return the reason of each order; `loss` says which sales realise a loss net of their gains."""
    by_key = {(row.group, row.level, row.key): row for row in rows}
    market = household.market
    until = household.as_of + timedelta(days=WASH_DAYS + 1)
    pairs = _pairs(household, orders, loss)
    result = []
    for i in range(len(orders)):
        account, security = int(orders.account[i]), int(orders.security[i])
        group = int(formulation.group[account])
        name = group_names[group]
        model = int(household.accounts.model[account])
        sells = orders.shares[i] < 0
        candidates = _levels(household, model, security, int(formulation.line_security[orders.line[i]]))
        told = [by_key[(name, level, key)] for level, key in candidates if (name, level, key) in by_key]
        row = _worst(told, sells)
        cause = _cause(household, formulation, orders, i, row, pairs, settings)
        partner = pairs.get(i)
        other = market.ids[int(orders.security[partner])] if partner is not None else None
        result.append(
            Reason(
                cause=cause,
                level=row.level,
                key=row.key,
                group=name,
                weight_before=row.before,
                weight_after=row.after,
                target=row.target,
                replaces=other if not sells and cause == "replacement" else None,
                replaced_by=other if sells and cause == "harvest" else None,
                until=until if sells and bool(loss[i]) else None,
                refused=_alternatives(household, formulation, account, int(orders.line[i]), sells),
            )
        )
    return result


def _levels(household: Household, model: int, security: int, line_security: int) -> list[tuple[str, str]]:
    """(level, key) that a trade of a security moves: its own, and the keys of each level that it mostly falls to."""
    named = [("security", household.market.ids[security])]
    if line_security != security:
        named.append(("security", household.market.ids[line_security]))
    for level in household.models.levels:
        loading = level.loading[model if len(level.loading) > 1 else 0][security]
        if len(loading) and loading.max() > 0:
            named.append((level.name, level.keys[int(loading.argmax())]))
    return named


def _worst(rows: Sequence[LevelRow], sells: bool) -> LevelRow:
    """The deviation that a trade corrects: the one furthest outside its band, else furthest from its target."""

    def score(row: LevelRow) -> tuple[float, float, int]:
        active = row.before - row.target
        limit = row.upper if sells else row.lower
        right = active > 0 if sells else active < 0
        outside = 0.0
        if limit is not None:
            outside = max(row.before - limit if sells else limit - row.before, 0.0)
        better = abs(row.after - row.target) < abs(active) - 1e-9
        return (outside if right and better else 0.0, abs(active) if right and better else 0.0, -_ORDER[row.level])

    return max(rows, key=score)


def _pairs(household: Household, orders: Orders, loss: np.ndarray) -> dict[int, int]:
    """Sales at a loss and the purchases that take their place: of the same line first, else of a named substitute."""
    market = household.market
    bought = [i for i in range(len(orders)) if orders.shares[i] > 0]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    amount = np.abs(orders.shares) * market.price[orders.security]
    for i in np.flatnonzero(loss & (orders.shares < 0)).tolist():
        security = int(orders.security[i])
        named = [choice[0] for choice in market.substitutes.get(security, ())]

        def rank(j: int, i: int = i, named: list[int] = named) -> tuple[int, int, int]:
            same = orders.line[j] == orders.line[i]
            place = named.index(int(orders.security[j])) if int(orders.security[j]) in named else len(named)
            return (0 if same else 1 + place, int(orders.account[j] != orders.account[i]), j)

        fits = [
            j for j in bought
            if j not in taken and amount[j] >= REPLACES * amount[i]
            and market.wash_group[orders.security[j]] != market.wash_group[security]
            and (orders.line[j] == orders.line[i] or int(orders.security[j]) in named)
        ]  # fmt: skip
        if fits:
            best = min(fits, key=rank)
            pairs[i] = best
            pairs.setdefault(best, i)
            taken.add(best)
    return pairs


def _cause(
    household: Household,
    formulation: Formulation,
    orders: Orders,
    i: int,
    row: LevelRow,
    pairs: dict[int, int],
    settings: Settings,
) -> Cause:
    account, security, line = int(orders.account[i]), int(orders.security[i]), int(orders.line[i])
    sells = orders.shares[i] < 0
    target = formulation.line_target[line]
    cash = float(household.accounts.cash[account])
    if sells:
        if (account, security) in formulation.obstacles.must_sell:
            return "restriction"
        if cash < formulation.cash_floor[account] - 0.005 or settings.mode == "raise_cash":
            return "raise_cash"
        if i in pairs:
            return "harvest"
        if settings.mode == "harvest":
            return "harvest"
        if target <= 0:
            return "transition" if settings.mode == "transition" else "off_model"
        if _moved_elsewhere(orders, i):
            return "location"
        if _is_loss_only(household, orders, i, row):
            return "harvest"
        return "overweight" if _corrects(row, sells=True) else "raise_cash"
    if i in pairs:
        return "replacement"
    if _moved_elsewhere(orders, i):
        return "location"
    if cash > formulation.cash_ceiling[account] + 0.005 or settings.mode == "invest_cash":
        return "invest_cash"
    return "underweight" if _corrects(row, sells=False) else "invest_cash"


def _corrects(row: LevelRow, *, sells: bool) -> bool:
    """Whether a deviation gets smaller; a trade that corrects none pays for the others, or invests what they bring."""
    right = row.before > row.target if sells else row.before < row.target
    return right and abs(row.after - row.target) < abs(row.before - row.target)


def _is_loss_only(household: Household, orders: Orders, i: int, row: LevelRow) -> bool:
    """A sale in a taxed account that corrects nothing: what was sold stood at or below its target."""
    taxed = household.accounts.treatment[orders.account[i]] == TAXED
    return bool(taxed and row.before <= row.target and (orders.lot_order == i).any())


def _moved_elsewhere(orders: Orders, i: int) -> bool:
    """The same line is traded the other way in another account: the holding changes its place, not its size."""
    other = (orders.line == orders.line[i]) & (orders.account != orders.account[i])
    return bool((other & (np.sign(orders.shares) != np.sign(orders.shares[i]))).any())


def _alternatives(
    household: Household, formulation: Formulation, account: int, line: int, sells: bool
) -> tuple[Refusal, ...]:
    """What stood against the other ways to make the same correction: the same line elsewhere, or its own security."""
    side = "sell" if sells else "buy"
    group = int(formulation.group[account])
    goal = int(formulation.line_security[line])
    found = []
    for (a, s, which), bar in sorted(formulation.blocked.items(), key=lambda item: (item[0][0] != account, item[0])):
        stands_for = int(household.models.stands_for[household.accounts.model[a], s])
        if which == side and formulation.group[a] == group and stands_for == goal:
            found.append(
                Refusal(household.accounts.ids[a], household.market.ids[s], side, bar.obstacle, bar.source, bar.until)  # type: ignore[arg-type]
            )
    return tuple(found[:ALTERNATIVES])
