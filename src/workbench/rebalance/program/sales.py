"""What may be sold: one column for each lot where gains are taxed, for each position where they are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.rebalance._obstacles import Bar
from workbench.rebalance.household import Flags, Floats, Ints
from workbench.rebalance.program.assembly import Assembly
from workbench.rebalance.program.costs import DUST, MUST_SELL, MarginalRates, trading_cost
from workbench.rebalance.program.managed import Managed
from workbench.rebalance.solver.problem import SELL
from workbench.tax.holding import is_long_term


@dataclass(frozen=True, eq=False)
class Sales:
    """Columns of sales: holding, lot (-1: a whole position), line; gain a unit sold, its term and rate; most, spread.

    `washed`: losses that a wash sale takes away, which save nothing now. `blocked` says what stood against some.
    """

    holding: Ints
    lot: Ints
    line: Ints
    gain: Floats
    long: Flags
    rate: Floats
    washed: Flags
    upper: Floats
    spread: Floats
    columns: np.ndarray
    blocked: dict[tuple[int, int, str], Bar]


def add_sales(assembly: Assembly, m: Managed, rates: MarginalRates) -> Sales:
    """Add what each account may sell, each lot at the tax of its gain.

    A lot of unknown basis is taxed as if it had cost nothing, where it may be sold at all.
    """
    household, settings = m.household, m.settings
    holding, lot = _columns(m)
    price, security, account = m.price[holding], household.security[holding], m.owner[holding]
    shares, basis = household.quantity[holding], price.copy()
    of_lot = lot >= 0
    shares[of_lot], basis[of_lot] = household.lots.quantity[lot[of_lot]], household.lots.basis[lot[of_lot]]
    unknown = np.isnan(basis)
    gain = np.where(unknown, 1.0, (price - np.nan_to_num(basis)) / np.where(price > 0, price, 1.0))
    start = np.full(len(lot), "NaT", "datetime64[D]")
    start[of_lot] = np.asarray(household.lots.holding_start)[lot[of_lot]]
    long = is_long_term(start, np.datetime64(household.as_of, "D")) & of_lot
    upper = shares * price / m.value
    blocked: dict[tuple[int, int, str], Bar] = {}
    if unknown.any() and not settings.sell_unknown_basis:
        upper[unknown] = 0.0
        for place in sorted(set(zip(account[unknown].tolist(), security[unknown].tolist()))):
            blocked[(*place, "sell")] = Bar("unknown_basis")
    _fix_barred(m, holding, lot, gain, upper, blocked)
    washed = _washed(m, holding, lot, gain)
    rate = np.where(washed, 0.0, rate_of(gain, long, rates))
    spread, curve = trading_cost(m.market, security, m.value, settings)
    linear = spread + settings.tax_weight * rate * gain - m.places[account, security]
    linear -= _must_sell(m, account, security)
    if settings.mode == "invest_cash":
        upper[:] = 0.0
    elif settings.mode == "harvest":
        upper[gain >= 0] = 0.0
    upper[upper < DUST] = 0.0
    line = m.holding_line[holding]
    columns = assembly.add(
        len(holding), SELL, linear=linear, quadratic=curve, upper=upper, line=line, line_coefficient=-1.0
    )
    gain = np.where(of_lot, gain, 0.0)
    return Sales(
        holding.astype(np.int32), lot.astype(np.int32), line, gain, long, rate, washed, upper, spread, columns, blocked
    )


def rate_of(gain: Floats, long: Flags, rates: MarginalRates) -> Floats:
    """The rate on each gain, or the rate that each loss saves."""
    up = np.where(long, rates.long_gain, rates.short_gain)
    return np.where(gain >= 0, up, np.where(long, rates.long_loss, rates.short_loss))


def _columns(m: Managed) -> tuple[np.ndarray, np.ndarray]:
    """Holding and lot (-1: whole) of each sale, in order of holding."""
    lot_holding = np.repeat(np.arange(len(m.taxed)), np.diff(m.household.lots.holding_ptr))
    lot = np.flatnonzero((m.tradable & m.taxed)[lot_holding])
    whole = np.flatnonzero(m.tradable & ~m.taxed)
    holding = np.concatenate([lot_holding[lot], whole])
    order = np.argsort(holding, kind="stable")
    return holding[order], np.concatenate([lot, np.full(len(whole), -1)])[order]


def _fix_barred(
    m: Managed, holding: np.ndarray, lot: np.ndarray, gain: Floats, upper: Floats,
    blocked: dict[tuple[int, int, str], Bar],
) -> None:  # fmt: skip
    """Fix at zero what may not be sold, and say why."""
    found = m.obstacles
    if found.no_sell:
        for i, h in enumerate(holding.tolist()):
            place = (int(m.owner[h]), int(m.household.security[h]))
            if place in found.no_sell:
                upper[i] = 0.0
                blocked[(*place, "sell")] = found.no_sell[place]
    if found.held_lots:
        _hold_lots(m, holding, lot, upper, blocked)
    if found.no_loss:
        group = m.market.wash_group[m.household.security[holding]]
        watched = np.isin(group, list(found.no_loss)) & (lot >= 0) & (gain < 0)
        for i in np.flatnonzero(watched).tolist():
            bar = found.loss_bar(int(group[i]), _lot_id(m, int(lot[i])))
            if bar is not None:
                upper[i] = 0.0
                blocked.setdefault((int(m.owner[holding[i]]), int(m.household.security[holding[i]]), "sell"), bar)


def _hold_lots(
    m: Managed, holding: np.ndarray, lot: np.ndarray, upper: Floats, blocked: dict[tuple[int, int, str], Bar]
) -> None:
    """A lot to be kept is not sold; where a position is one column, its shares come off what may be sold."""
    lots = m.household.lots
    for h in np.unique(holding).tolist():
        for place in range(int(lots.holding_ptr[h]), int(lots.holding_ptr[h + 1])):
            bar = m.obstacles.held_lots.get(_lot_id(m, place))
            if bar is None:
                continue
            for i in np.flatnonzero(holding == h).tolist():
                if lot[i] == place:
                    upper[i] = 0.0
                elif lot[i] < 0:
                    upper[i] = max(upper[i] - float(lots.quantity[place]) * m.price[h] / m.value, 0.0)
            blocked.setdefault((int(m.owner[h]), int(m.household.security[h]), "sell"), bar)


def _washed(m: Managed, holding: np.ndarray, lot: np.ndarray, gain: Floats) -> Flags:
    """Losses that recent purchases take away, where the settings allow a wash sale; a lot does not replace itself."""
    result = np.zeros(len(holding), bool)
    if m.settings.wash != "priced":
        return result
    recent: dict[int, set[str]] = {}
    for event in m.household.wash:
        if event.kind == "purchase" or (event.kind == "reinvestment" and m.settings.expect_reinvestment):
            recent.setdefault(event.group, set()).add(event.source)
    group = m.market.wash_group[m.household.security[holding]]
    for i in np.flatnonzero(np.isin(group, list(recent)) & (lot >= 0) & (gain < 0)).tolist():
        result[i] = bool(recent[int(group[i])] - {_lot_id(m, int(lot[i]))})
    return result


def _lot_id(m: Managed, lot: int) -> str:
    return str(m.household.lots.ids[lot])


def _must_sell(m: Managed, account: np.ndarray, security: np.ndarray) -> Floats:
    reward = np.zeros(len(account))
    if m.obstacles.must_sell:
        for i, place in enumerate(zip(account.tolist(), security.tolist())):
            if place in m.obstacles.must_sell:
                reward[i] = MUST_SELL
    return reward
