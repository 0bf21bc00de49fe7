"""A policy in a taxable account: every lot, wash sales, netting year by year, and what is left after tax.

Without tax it gives the wealth of the backtest engine, to cents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.backtest import _settlement
from workbench.backtest.after_tax_result import AfterTax, Days, result
from workbench.backtest.engine import check_window
from workbench.backtest.policy import Policy
from workbench.backtest.problems import check_number
from workbench.backtest.runs import Runs
from workbench.backtest.signals import target_returns, total_returns
from workbench.backtest.tax_aware import LotPolicy, TaxLots
from workbench.backtest.taxable_account import RELIEF, Relief, TaxableAccount, opening
from workbench.backtest.universe import Floats, Observation, Signals, Universe
from workbench.backtest.walk import asked, observation
from workbench.errors import MarketDataError, ParameterError
from workbench.rebalance.after_tax import TaxRates

#: What is left of an account is nothing below this part of what it began with: cents of rounding.
NOTHING = 1e-6


def after_tax(
    universe: Universe,
    signals: Signals,
    policy: Policy,
    *,
    rates: TaxRates | None = None,
    relief: Relief = "min_tax",
    start_basis: float | Floats = 1.0,
    held_since: pd.Timestamp | str | None = None,
    qualified: float | Floats = 0.0,
    wealth: float = 1_000_000.0,
    commission: float = 0.0,
    offset: int = 0,
    cost_multiple: float = 1.0,
    delay: int = 1,
    path: int = 0,
    risk_aversion: float = 5.0,
    first: int | None = None,
    last: int | None = None,
) -> AfterTax:
    """Walk a policy through a universe in one taxable account, lot by lot.

    It begins at the target as `simulate` does, with a basis of `start_basis` times the price (one number, or one an
    asset) in lots held since `held_since` (default: the first day). `relief`: which lots a sale takes (`tax.relieve`).
    `qualified` is the part of dividends taxed at the long-term rate where the shares were held long enough; interest on
    cash is ordinary. A year's tax leaves on the last session of the following March, from cash first, then by selling
    every position in proportion; tax saved comes in that day. A bankrupt asset is written off the day it is worth 0.
    A `LotPolicy` sees the lots. Costs are half spreads and `commission`; tickets and impact are not booked.

    Raises `ParameterError` for an unknown relief, basis, window or offset, `MarketDataError` where nothing is left, and
    `PolicyError` as `walk`.
    """
    first, last = check_window(universe, signals, first, last)
    if relief not in RELIEF:
        raise ParameterError(f"relief {relief!r} is unknown; give one of {', '.join(RELIEF)}", "relief")
    if not isinstance(rates, TaxRates | None):
        raise ParameterError(f"rates must be TaxRates(short=..., long=..., ordinary=...), is {rates!r}", "rates")
    Runs.product([policy], [offset], [cost_multiple], [delay], [path])
    if path >= universe.paths:
        raise ParameterError(f"{universe.name} has paths 0 to {universe.paths - 1}; got {path}", "path")
    for name, value in (("commission", commission), ("risk_aversion", risk_aversion)):
        check_number(name, value, low=0.0)
    check_number("wealth", wealth, low=0.0, open_low=True)
    rate = cost_multiple * (universe.half_spread + commission)
    if not (rate < 1.0).all():
        raise ParameterError("costs of 100 % of the traded value leave nothing; lower them", "cost_multiple")
    begin = opening(universe, first, start_basis, held_since, qualified)
    account = TaxableAccount(universe, path, rates or TaxRates(), relief, rate, first, last)
    account.open(wealth, begin)
    daily = _lived(account, signals, policy, offset, delay, wealth, risk_aversion)
    return result(account, policy.name, wealth, risk_aversion, daily)


def compare_after_tax(
    universe: Universe, signals: Signals, policies: Sequence[Policy], **settings: object
) -> pd.DataFrame:
    """One row a policy: statistics before and after tax, with its rank by each; settings as of `after_tax`.

    `rank_before_tax` orders by `total_bp` (costs and tracking loss), `rank_after_tax` by that and the tax of the years,
    `rank_liquidated` by what selling everything at the end leaves. 1 is best.
    Raises `ParameterError` for no policies or two of one name, and as `after_tax`.
    """
    Runs.product(policies)
    rows = [after_tax(universe, signals, policy, **settings).statistics for policy in policies]  # type: ignore[arg-type]
    table = pd.DataFrame(rows).infer_objects().reset_index(drop=True)
    table["rank_before_tax"] = table["total_bp"].rank(method="min").astype(int)
    table["rank_after_tax"] = table["total_after_tax_bp"].rank(method="min").astype(int)
    table["rank_liquidated"] = table["liquidated"].rank(method="min", ascending=False).astype(int)
    return table


def _lived(
    account: TaxableAccount, signals: Signals, policy: Policy, offset: int, delay: int, wealth: float,
    risk_aversion: float,
) -> Days:  # fmt: skip
    """Every close from `first` on: income, trades, tax, and what the policy orders for later."""
    universe, first, last = account.universe, account.first, account.last
    days = Days(*np.zeros((6, last - first)))
    reference = target_returns(universe, total_returns(universe))[account.path]
    due, order, known, untaxed = -1, np.empty(0), wealth, wealth
    for day, t in enumerate(range(first + 1, last + 1)):
        account.receive(t)
        marked = account.value(t)
        if marked <= NOTHING * wealth:
            raise MarketDataError(
                f"nothing is left of {policy.name!r} on {universe.sessions[t]:%Y-%m-%d}: end the window before"
            )
        days.active[day] = marked / known - 1.0 - reference[t]
        costs, bought, sold = account.book.costs, account.bought, account.sold
        account.write_off(t)
        if due == t:
            due = -1
            account.execute(t, order)
        days.paid[day] = account.pay_tax(t)
        days.value[day] = account.value(t)
        days.cost[day] = (account.book.costs - costs) / marked
        days.turnover[day] = max(account.bought - bought, account.sold - sold) / marked
        untaxed *= (days.value[day] + days.paid[day]) / known
        days.before[day], known = untaxed, days.value[day]
        if due < 0 and t % policy.every == offset and t + delay <= last:
            asked_for = _order(account, signals, policy, t, risk_aversion)
            if asked_for is not None:
                due, order = t + delay, asked_for
    return days


def _order(account: TaxableAccount, signals: Signals, policy: Policy, t: int, risk_aversion: float) -> Floats | None:
    """What the policy orders at a close, as the engine writes it; None where it leaves all alone."""
    universe, weight = account.universe, account.weight(t)
    seen = observation(universe, signals, account.path, t, weight.copy(), account.rate, risk_aversion)
    shown = _WithLots(policy, account.tax_lots(t)) if isinstance(policy, LotPolicy) else policy
    wish, order = asked(shown, seen), np.empty(universe.positions)
    if wish is None or not _settlement.write_order(order, wish, weight, universe.goal(account.path, t)):
        return None
    return order


@dataclass(frozen=True)
class _WithLots:
    """A policy that sees lots, asked as any other."""

    policy: LotPolicy
    lots: TaxLots

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def every(self) -> int:
        return self.policy.every

    def decide(self, seen: Observation) -> Floats | None:
        return self.policy.decide_taxed(seen, self.lots)
