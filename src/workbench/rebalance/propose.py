"""A proposal for one household: solve, account for every lot, and say why and what was left undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from workbench.rebalance import _conflicts, _undone, _weights
from workbench.rebalance._reasons import reasons
from workbench.rebalance._tax_year import tax_of
from workbench.rebalance._washed import washed_shares
from workbench.rebalance.formulate import Formulation, MarginalRates, gain_budget
from workbench.rebalance.household import TAXED, Household, TaxPosition
from workbench.rebalance.proposal import AccountState, CashNeed, LotSale, Proposal, Reason, TaxTable, Trade, WashRow
from workbench.rebalance.rounding import Orders
from workbench.rebalance.settings import Settings
from workbench.rebalance.solve import solve_household
from workbench.tax import WASH_DAYS, is_long_term, long_term_from, loss_limit, net

#: Days before a lot turns long-term in which a sale at a gain is told what waiting would save, where that is material.
SOON, MATERIAL = 60, 100.0


def propose(household: Household, settings: Settings | None = None) -> Proposal:
    """Return what to trade in a household, why, at what tax and cost, and what was left undone.

    The same household and settings give the same proposal. A household with nothing to manage gets a proposal without
    trades that says so in its accounts.
    """
    settings = settings or Settings()
    solved = solve_household(household, settings)
    if solved is None:
        return _nothing(household, settings)
    formulation, orders = solved.formulation, solved.orders
    weights = _weights.weights(household, formulation, orders, settings)
    rows = _weights.level_rows(household, weights)
    sales = _lot_sales(household, orders, solved.rates)
    loss = np.array(
        [any(lot.term != "untaxed" and (lot.gain or 0.0) < 0 for lot in lots) for lots in sales], bool
    ).reshape(len(orders))
    why = reasons(household, formulation, orders, rows, weights.names, loss, settings)
    trades = tuple(
        _trade(household, orders, i, weights, tuple(sales[i]), _patience(household, orders, i, why[i], solved.rates))
        for i in range(len(orders))
    )
    table = tax_table(household, settings, trades, formulation.value)
    accounts = _accounts(household, formulation, weights, orders)
    return Proposal(
        household_id=household.household_id,
        household_name=household.name,
        advisor_id=household.advisor_id,
        as_of=household.as_of,
        mode=settings.mode,
        settings=settings.named(),
        accounts=accounts,
        groups=_weights.group_states(household, formulation, weights),
        trades=trades,
        levels=rows,
        tax_table=table,
        wash=_wash_rows(household, orders, loss),
        cash_needs=_cash_needs(household, weights),
        limits=_undone.limits(household, solved),
        refused=_undone.refused(household, solved, weights, settings),
        conflicts=_conflicts.conflicts(household, solved, weights, settings, table),
        benefit=_weights.benefit(household, formulation, orders, weights, settings),
        tax=table.tax,
        cost=round(float(weights.cost.sum() + weights.fee.sum()), 2),
        lineage=household.lineage,
        notes=_undone.notes(household, trades, accounts),
    )


def _lot_sales(household: Household, orders: Orders, rates: MarginalRates) -> list[list[LotSale]]:
    """The lots that each order sells, with gain, term and marginal tax."""
    lots, today = household.lots, np.datetime64(household.as_of, "D")
    result: list[list[LotSale]] = [[] for _ in range(len(orders))]
    long = is_long_term(np.asarray(lots.holding_start)[orders.lot], today)
    gone = washed_shares(household, orders).tolist()
    taken = zip(orders.lot_order.tolist(), orders.lot.tolist(), orders.lot_shares.tolist(), strict=True)
    for k, (i, lot, shares) in enumerate(taken):
        price = float(household.market.price[orders.security[i]])
        taxed = household.accounts.treatment[orders.account[i]] == TAXED
        proceeds = round(shares * price, 2)
        each, start = float(lots.basis[lot]), lots.holding_start[lot]
        known = not np.isnan(each)
        basis = round(shares * each, 2) if known else None
        gain = round(proceeds - basis, 2) if basis is not None else None
        washed, owed = 0.0, 0.0
        if taxed:
            taxable = proceeds if gain is None else gain
            if taxable < 0:
                washed = round(-taxable * gone[k] / shares, 2)
            counted = taxable + washed
            rate = (
                (rates.long_gain if counted >= 0 else rates.long_loss)
                if long[k]
                else (rates.short_gain if counted >= 0 else rates.short_loss)
            )
            owed = round(rate * counted, 2)
        term = "untaxed" if not taxed else "unknown" if np.isnat(start) else "long" if long[k] else "short"
        acquired = lots.acquired_on[lot]
        result[i].append(
            LotSale(
                str(lots.ids[lot]), shares, proceeds, basis, gain, term,  # type: ignore[arg-type]
                None if np.isnat(acquired) else acquired.astype(date), owed, washed,
            )
        )  # fmt: skip
    return result


def _patience(household: Household, orders: Orders, order: int, why: Reason, rates: MarginalRates) -> Reason:
    """The reason, with the day on which gains sold short turn long-term soon, and the tax that waiting would save."""
    lots, taken = household.lots, orders.lot_order == order
    if household.accounts.treatment[orders.account[order]] != TAXED or not taken.any():
        return why
    lot = orders.lot[taken]
    today = np.datetime64(household.as_of, "D")
    turns = long_term_from(np.asarray(lots.holding_start)[lot])
    price = float(household.market.price[orders.security[order]])
    gain = np.nan_to_num(price - lots.basis[lot]) * orders.lot_shares[taken]
    soon = (gain > 0) & (turns > today) & (turns <= today + SOON)
    saved = round(float(gain[soon].sum()) * (rates.short_gain - rates.long_gain), 2)
    return why if saved < MATERIAL else replace(why, turns_long=turns[soon].max().astype(date), waiting_saves=saved)


def _trade(
    household: Household, orders: Orders, i: int, w: _weights.Weights, lots: tuple[LotSale, ...], why: Reason
) -> Trade:
    taxed = household.accounts.treatment[orders.account[i]] == TAXED
    short = sum(_counted(lot) for lot in lots if lot.term in ("short", "unknown")) if taxed else 0.0
    long = sum(_counted(lot) for lot in lots if lot.term == "long") if taxed else 0.0
    return Trade(
        account_id=household.accounts.ids[int(orders.account[i])],
        security_id=household.market.ids[int(orders.security[i])],
        side="buy" if orders.shares[i] > 0 else "sell",
        shares=round(abs(float(orders.shares[i])), 6),
        price=float(household.market.price[orders.security[i]]),
        amount=float(w.amount[i]),
        cost=float(w.cost[i]),
        fee=float(w.fee[i]),
        gain_short=round(short, 2),
        gain_long=round(long, 2),
        tax=round(sum(lot.tax for lot in lots), 2),
        lots=lots,
        reason=why,
    )


def _counted(lot: LotSale) -> float:
    """What a lot's sale adds to the year: its gain, or all proceeds where the basis is unknown; no disallowed loss."""
    return (lot.proceeds if lot.gain is None else lot.gain) + lot.disallowed


def tax_table(household: Household, settings: Settings, trades: tuple[Trade, ...], value: float) -> TaxTable:
    """The tax year before and after the trades, netted exactly."""
    tax = household.tax
    short = round(sum(trade.gain_short for trade in trades), 2)
    long = round(sum(trade.gain_long for trade in trades), 2)
    taxed = [lot for trade in trades for lot in trade.lots if lot.term != "untaxed"]
    netted = net_of(tax, short, long)
    owed = tax_of(tax, short, long, 0.0) - tax_of(tax, 0.0, 0.0, 0.0)
    before = tax.realised_short + tax.realised_long
    return TaxTable(
        year=household.as_of.year,
        short_rate=tax.short_rate,
        long_rate=tax.long_rate,
        realised_short=tax.realised_short,
        realised_long=tax.realised_long,
        proposed_short=short,
        proposed_long=long,
        carryforward_short=tax.carryforward_short,
        carryforward_long=tax.carryforward_long,
        carryforward_after_short=netted[0],
        carryforward_after_long=netted[1],
        budget=gain_budget(household, settings, value) if settings.gain_budget != "off" else None,
        budget_used_before=round(before, 2),
        budget_used_after=round(before + short + long, 2),
        losses_harvested=round(-sum(min(lot.gain or 0.0, 0.0) + lot.disallowed for lot in taxed), 2) + 0.0,
        disallowed=round(sum(lot.disallowed for lot in taxed), 2),
        tax=round(owed, 2) + 0.0,
    )


def net_of(tax: TaxPosition, short: float, long: float) -> tuple[float, float]:
    """Losses carried to the next year, short- and long-term, after the proposed gains."""
    netted = net(
        tax.realised_short + short, tax.realised_long + long, tax.carryforward_short, tax.carryforward_long,
        limit=loss_limit(tax.filing_status),
    )  # fmt: skip
    return round(float(netted.carryforward_short), 2), round(float(netted.carryforward_long), 2)


def _accounts(
    household: Household, formulation: Formulation, w: _weights.Weights, orders: Orders
) -> tuple[AccountState, ...]:
    accounts = household.accounts
    traded = np.bincount(orders.account, weights=w.amount, minlength=len(accounts.ids))
    return tuple(
        AccountState(
            account_id=accounts.ids[a],
            registration=accounts.registration[a],
            model_id=household.models.ids[accounts.model[a]] if accounts.model[a] >= 0 else None,
            group=w.names[formulation.group[a]] if formulation.group[a] >= 0 else "",
            value=round(float(formulation.account_value[a]), 2),
            cash_before=round(float(accounts.cash[a]), 2),
            cash_after=float(w.cash_after[a]),
            cash_floor=round(float(formulation.cash_floor[a]), 2),
            cash_ceiling=round(float(formulation.cash_ceiling[a]), 2),
            traded=round(float(traded[a]), 2),
            discretionary=bool(accounts.discretionary[a]),
        )
        for a in range(len(accounts.ids))
    )


def _cash_needs(household: Household, w: _weights.Weights) -> tuple[CashNeed, ...]:
    return tuple(
        CashNeed(
            household.accounts.ids[need.account], need.kind, need.amount, need.by,
            round(float(household.accounts.cash[need.account]), 2), float(w.cash_after[need.account]), need.source,
        )
        for need in household.needs
    )  # fmt: skip


def _wash_rows(household: Household, orders: Orders, loss: np.ndarray) -> tuple[WashRow, ...]:
    """The wash calendar: what recent trades forbid, and what this proposal will, for what taxed accounts hold."""
    market = household.market
    owner = np.repeat(np.arange(len(household.accounts.ids)), np.diff(household.account_ptr))
    taxed = household.accounts.treatment[owner] == TAXED
    watched = set(market.wash_group[household.security[taxed]].tolist())
    rows = []
    for event in household.wash:
        if event.kind == "loss_sale" or event.group in watched:
            kind = "no_buy" if event.kind == "loss_sale" else "no_loss_sale"
            rows.append(_wash_row(household, kind, event.group, event.first_day, event.last_day, event.source, False))
    last = household.as_of + timedelta(days=WASH_DAYS)
    for i in range(len(orders)):
        group = int(market.wash_group[orders.security[i]])
        where = household.accounts.ids[int(orders.account[i])]
        if orders.shares[i] < 0 and loss[i] and household.accounts.treatment[orders.account[i]] == TAXED:
            rows.append(_wash_row(household, "no_buy", group, household.as_of, last, f"proposed sale in {where}", True))
        elif orders.shares[i] > 0 and group in watched:
            source = f"proposed purchase in {where}"
            rows.append(_wash_row(household, "no_loss_sale", group, household.as_of, last, source, True))
    return tuple(sorted(set(rows), key=lambda row: (row.kind, row.wash_group, row.first_day, row.source)))


def _wash_row(
    household: Household, kind: str, group: int, first: date, last: date, source: str, proposed: bool
) -> WashRow:
    market = household.market
    members = tuple(market.ids[s] for s in np.flatnonzero(market.wash_group == group))
    return WashRow(kind, market.wash_group_names[group], members, first, last, source, proposed)  # type: ignore[arg-type]


def _nothing(household: Household, settings: Settings) -> Proposal:
    """A proposal without trades for a household that has no account with a model and a value."""
    accounts = household.accounts
    states = tuple(
        AccountState(
            accounts.ids[a], accounts.registration[a],
            household.models.ids[accounts.model[a]] if accounts.model[a] >= 0 else None, "",
            round(_account_value(household, a), 2), round(float(accounts.cash[a]), 2),
            round(float(accounts.cash[a]), 2), 0.0, 0.0, 0.0, bool(accounts.discretionary[a]),
        )
        for a in range(len(accounts.ids))
    )  # fmt: skip
    return Proposal(
        household.household_id, household.name, household.advisor_id, household.as_of, settings.mode,
        settings.named(), states, (), (), (), tax_table(household, settings, (), 0.0), _wash_rows_before(household),
        (), (), (), _conflicts.uncured_cash(household), 0.0, 0.0, 0.0, household.lineage,
        _undone.notes(household, (), states),
    )  # fmt: skip


def _account_value(household: Household, account: int) -> float:
    rows = slice(int(household.account_ptr[account]), int(household.account_ptr[account + 1]))
    worth = household.quantity[rows] * np.nan_to_num(household.market.price[household.security[rows]])
    return float(household.accounts.cash[account] + worth.sum())


def _wash_rows_before(household: Household) -> tuple[WashRow, ...]:
    from workbench.rebalance.rounding import empty

    return _wash_rows(household, empty(), np.zeros(0, bool))
