"""What a life in a taxable account came to: values, tax by year, statistics before and after tax."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.backtest.taxable_account import TaxableAccount
from workbench.backtest.universe import Floats


@dataclass(frozen=True, eq=False)
class AfterTax:
    """One policy's life in a taxable account, from the close of `start` over T' days.

    `value` (T') is the market value at each close, `paid` the tax that left that day (below zero: came in), `owed` what
    finished years owe and have not paid, on the last day the current one too. `before_tax` is the wealth that the
    returns before tax would have made, `after_tax` value less what is owed. `liquidated` is what selling everything on
    the last day leaves, `embedded_gain` what that sale would realise. `years` has a row a calendar year: gains as they
    count (short, long), interest and dividends, losses disallowed by wash sales, tax, carryforward. `trades` has a row
    a lot bought or sold: day, side, asset, lot, shares, total (dollars paid or received; the basis of lots held at the
    start). `lots` are those held at the end: asset, lot, shares, basis a share with disallowed losses in it, acquired,
    holding_start. `events` says what a reader must know, by day.
    """

    policy: str
    relief: str
    wealth: float
    start: pd.Timestamp
    days: pd.DatetimeIndex
    value: Floats
    paid: Floats
    owed: Floats
    before_tax: Floats
    liquidated: float
    embedded_gain: float
    years: pd.DataFrame
    trades: pd.DataFrame
    lots: pd.DataFrame
    statistics: pd.Series
    events: pd.DataFrame

    @property
    def after_tax(self) -> Floats:
        """Market value less tax owed (T')."""
        return self.value - self.owed

    def to_frame(self) -> pd.DataFrame:
        """The statistics as a frame of one row."""
        return self.statistics.to_frame().T.infer_objects()


@dataclass(frozen=True, eq=False)
class Days:
    """What is written down at each close (T'): value, tax paid, wealth before tax, active return, and as parts of
    wealth cost and one-way turnover."""

    value: Floats
    paid: Floats
    before: Floats
    active: Floats
    cost: Floats
    turnover: Floats


def result(account: TaxableAccount, policy: str, wealth: float, risk_aversion: float, daily: Days) -> AfterTax:
    """Close the books of a life that has been lived."""
    universe, book = account.universe, account.book
    sessions, price = universe.sessions[account.first : account.last + 1], account.price(account.last)
    years = _years(account, sessions)
    owed = _owed(account, sessions, years)
    left = book.liquidation(int(sessions[-1].to_datetime64().astype("datetime64[D]").astype(int)), price, account.rate)
    liquidated = float(left.proceeds[0]) - left.tax
    net = float(daily.value[-1] - owed[-1])
    figures = {
        "return_before_tax": _yearly(daily.before[-1] / wealth, len(owed)),
        "return_after_tax": _yearly(net / wealth, len(owed)),
        "return_liquidated": _yearly(liquidated / wealth, len(owed)),
        **_yearly_costs(daily, float(years["tax"].sum()), risk_aversion),
        "disallowed": float(years["disallowed"].sum()), "final_wealth": float(daily.value[-1]), "after_tax": net,
        "liquidated": liquidated,
    }  # fmt: skip
    return AfterTax(
        policy=policy, relief=account.relief, wealth=wealth, start=sessions[0], days=sessions[1:], value=daily.value,
        paid=daily.paid, owed=owed, before_tax=daily.before, liquidated=liquidated, embedded_gain=left.gain,
        years=years, trades=_trades(account), lots=_lots(account),
        statistics=pd.Series({"policy": policy, "relief": account.relief} | figures),
        events=pd.DataFrame(account.events, columns=["day", "what"]),
    )  # fmt: skip


def _years(account: TaxableAccount, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    rows = []
    for year in np.unique(sessions.year).tolist():
        tax = account.book.tax_of(year)
        rows.append(
            {
                "year": year, "short_gain": tax.short, "long_gain": tax.long,
                "ordinary_income": tax.ordinary_dividends, "qualified_dividends": tax.qualified_dividends,
                "disallowed": sum(row.disallowed for row in account.book.realised_in(year)),
                "tax": tax.tax, "carryforward": tax.carryforward_short + tax.carryforward_long,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _owed(account: TaxableAccount, sessions: pd.DatetimeIndex, years: pd.DataFrame) -> Floats:
    """Tax owed at each close: of a year from its last session until it is paid."""
    owed = np.zeros(len(sessions) - 1)
    settled = {year: t - account.first - 1 for t, year in account.tax_years.items()}
    for year, tax in zip(years["year"], years["tax"], strict=True):
        ends = int(np.searchsorted(sessions.year, year, side="right")) - 2
        owed[max(ends, 0) : settled.get(year)] += tax
    return owed


def _trades(account: TaxableAccount) -> pd.DataFrame:
    columns = ["side", "day", "account", "asset", "lot", "shares", "total"]
    frame = _named(pd.DataFrame(account.book.trades, columns=columns), account)
    return frame[["day", "side", "asset", "lot", "shares", "total"]]


def _lots(account: TaxableAccount) -> pd.DataFrame:
    rows = [(x.security, x.lot_id, x.shares, x.basis, x.acquired, x.start) for x in account.book.lots]
    columns = ["asset", "lot", "shares", "basis", "acquired", "holding_start"]
    return _named(pd.DataFrame(rows, columns=columns), account)


def _named(frame: pd.DataFrame, account: TaxableAccount) -> pd.DataFrame:
    """Assets by name, days as dates."""
    frame["asset"] = np.array(account.universe.assets, object)[frame["asset"].to_numpy(np.int64)]
    for name in {"day", "acquired", "holding_start"} & set(frame):
        frame[name] = pd.to_datetime(frame[name].to_numpy(np.int64).astype("datetime64[D]"))
    return frame


def _yearly(growth: float, days: int) -> float:
    return float(growth ** (252 / days) - 1.0) if growth > 0.0 else -1.0


def _yearly_costs(daily: Days, tax: float, risk_aversion: float) -> dict[str, float]:
    a_year = 252 / len(daily.value)
    cost = 1e4 * float(daily.cost.sum()) * a_year
    loss = 1e4 * 0.5 * risk_aversion * float((daily.active**2).mean()) * 252
    taxed = 1e4 * tax / float(daily.value.mean()) * a_year
    return {
        "cost_bp": cost, "tracking_loss_bp": loss, "total_bp": cost + loss, "tax_bp": taxed,
        "total_after_tax_bp": cost + loss + taxed, "turnover": float(daily.turnover.sum() * a_year),
    }  # fmt: skip
