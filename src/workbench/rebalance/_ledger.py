"""The books of one simulated household: cash to the cent, every lot, and the tax that the law would ask for.

Nothing is optimised here. Trades come in, wash sales are matched whenever a loss and a purchase lie near each other,
as over the household's whole history of trades (`tax.WashWindow`), and a year's tax is that of netting.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import takewhile

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.rebalance._books import Dividend, Liquidation, Lot, Realised, TaxRates, YearTax
from workbench.rebalance.household import TAXED, Days, Floats, Ints
from workbench.tax import (
    WASH_DAYS,
    Block,
    WashWindow,
    is_long_term,
    is_qualified,
    long_term_from,
    loss_limit,
    net,
)

#: Shares are kept to this many decimals, money to cents.
DECIMALS = 6
_SOME = 0.5e-6
#: What a sale would leave of a lot below so many shares goes along with it; smaller parts are not shown to a decision.
CRUMBS = 1e-4


@dataclass
class Ledger:
    """The books of one household over time; amounts in dollars, days as `datetime64[D]` counts.

    `treatment`, `registration` and `cash` are by account. `taken` sums the tax withdrawn to date and is signed as
    owed; `costs` are half-spreads paid. `qualified` is the part of each security's dividends that can be qualified.
    """

    registration: tuple[str, ...]
    treatment: Ints
    wash_group: Ints
    qualified: Floats
    rates: TaxRates
    cash: Floats
    lots: list[Lot] = field(default_factory=list)
    trades: list[tuple[str, int, int, int, str, float, float]] = field(default_factory=list)
    realised: list[Realised] = field(default_factory=list)
    dividends: list[Dividend] = field(default_factory=list)
    interest: list[tuple[int, float]] = field(default_factory=list)
    settled: dict[int, YearTax] = field(default_factory=dict)
    costs: float = 0.0
    traded: float = 0.0
    deposited: float = 0.0
    taken: float = 0.0
    received: float = 0.0
    _sales: dict[str, list[tuple[int, float]]] = field(default_factory=dict, repr=False)
    _windows: dict[int, WashWindow] = field(default_factory=dict, repr=False)
    #: Groups of identical securities with trades since they were last matched.
    _unmatched: set[int] = field(default_factory=set, repr=False)

    # what happens to a household

    def deposit(self, account: int, amount: float) -> None:
        """Add money from outside to an account."""
        self.cash[account] = round(self.cash[account] + amount, 2)
        self.deposited = round(self.deposited + amount, 2)

    def pay_interest(self, day: int, account: int, amount: float) -> None:
        """Credit interest on cash, ordinary income in a taxed account, rounded to cents."""
        amount = round(amount, 2)
        self.cash[account] = round(self.cash[account] + amount, 2)
        self.received = round(self.received + amount, 2)
        if amount and self.treatment[account] == TAXED:
            self.interest.append((day, amount))

    def pay_dividends(self, day: int, per_share: Floats) -> None:
        """Credit dividends to the cash of every account that holds the shares, on the ex-date."""
        held: dict[str, tuple[Lot, float]] = {}
        for lot in self.lots:
            # shares bought on the ex-date itself come without the dividend
            if per_share[lot.security] > 0 and lot.acquired < day:
                held[lot.lot_id] = lot, lot.shares + held.get(lot.lot_id, (lot, 0.0))[1]
        for lot, shares in held.values():
            amount = round(shares * float(per_share[lot.security]), 2)
            self.cash[lot.account] = round(self.cash[lot.account] + amount, 2)
            self.received = round(self.received + amount, 2)
            if self.treatment[lot.account] == TAXED:
                self.dividends.append(Dividend(day, lot.security, lot.lot_id, amount, shares, lot.acquired))

    def trade(
        self,
        day: int,
        sales: Sequence[tuple[Lot, float]],
        buys: Sequence[tuple[int, int, float]],
        price: Floats,
        half_spread: Floats,
    ) -> None:
        """Book sales of lots, then purchases (account, security, shares), at the close less or plus half the spread.

        Raises `ParameterError` for a sale of more than a lot holds or without a price.
        """
        washable = False
        parts: dict[str, list[tuple[Lot, float]]] = {}
        for lot, shares in sales:
            parts.setdefault(lot.lot_id, []).append((lot, shares))
        for lot_parts in parts.values():
            washable |= self._sell(day, lot_parts, price, half_spread)
        bought: dict[tuple[int, int], float] = {}
        for account, security, shares in buys:
            bought[account, security] = bought.get((account, security), 0.0) + shares
        for (account, security), shares in sorted(bought.items()):
            washable |= self._buy(day, account, security, round(shares, DECIMALS), price, half_spread)
        self.lots = [lot for lot in self.lots if lot.shares > _SOME]
        if washable:
            self._match(day)

    def _sell(self, day: int, parts: list[tuple[Lot, float]], price: Floats, half_spread: Floats) -> bool:
        """Sell parts of one lot in one sale: a sale a part would split the parts that replace them without end."""
        taken = [
            (lot, self._take(lot, round(shares, DECIMALS))) for lot, shares in parts if round(shares, DECIMALS) > 0
        ]
        if not taken:
            return False
        lot, whole = taken[0][0], round(sum(shares for _, shares in taken), DECIMALS)
        amount = whole * float(price[lot.security])
        total = round(amount * (1.0 - float(half_spread[lot.security])), 2)
        self._pay(lot.account, total, amount)
        self.trades.append(("sell", day, lot.account, lot.security, lot.lot_id, whole, total))
        self._sales.setdefault(lot.lot_id, []).append((day, whole))
        self._window(lot.security).sell(day, lot.lot_id, whole, total)
        if self.treatment[lot.account] != TAXED:
            return False
        return any([self._realise(day, lot, shares, total * (shares / whole)) for lot, shares in taken])

    def _take(self, lot: Lot, shares: float) -> float:
        if not shares <= lot.shares + _SOME:
            raise ParameterError(f"{shares} shares of lot {lot.lot_id} are sold, {lot.shares} are held", "sales")
        if lot.shares - shares < CRUMBS:
            shares = lot.shares
        lot.shares = round(lot.shares - shares, DECIMALS)
        return shares

    def _realise(self, day: int, lot: Lot, shares: float, proceeds: float) -> bool:
        """Write down a gain; whether it must be matched for wash sales."""
        gain = proceeds - shares * lot.basis
        long = day >= _day(long_term_from(dates(lot.start)))
        group = int(self.wash_group[lot.security])
        self.realised.append(Realised(day, group, lot.security, gain, gain, 0.0, 0.0, long))
        # a lot sold whole replaces nothing, though it was bought lately itself
        own = lot.lot_id if lot.shares <= _SOME else ""
        return lot.adjusted or (gain < 0 and self._bought_lately(day, group, own))

    def _buy(self, day: int, account: int, security: int, shares: float, price: Floats, half_spread: Floats) -> bool:
        if shares <= 0:
            return False
        amount = shares * float(price[security])
        if not np.isfinite(amount):
            raise ParameterError(f"security {security} is bought without a price", "buys")
        total = round(amount * (1.0 + float(half_spread[security])), 2)
        self._pay(account, -total, amount)
        lot_id = f"L{len(self.trades):06d}"
        self.trades.append(("buy", day, account, security, lot_id, shares, total))
        self.lots.append(Lot(lot_id, account, security, shares, total / shares, day, day + 1))
        taxed = bool(self.treatment[account] == TAXED)
        self._window(security).buy(day, account, security, lot_id, shares, total, taxed)
        group = int(self.wash_group[security])
        return any(r.gain < 0 and r.group == group for r in self.realised_since(day - WASH_DAYS))

    def _pay(self, account: int, total: float, amount: float) -> None:
        self.cash[account] = round(self.cash[account] + total, 2)
        self.costs += abs(abs(total) - amount)
        self.traded += amount

    def _bought_lately(self, day: int, group: int, own: str) -> bool:
        for trade in reversed(self.trades):
            if trade[1] < day - WASH_DAYS:
                return False
            if trade[0] == "buy" and self.wash_group[trade[3]] == group and trade[4] != own:
                return True
        return False

    def realised_since(self, day: int) -> list[Realised]:
        """Sales in the taxed accounts from a day on, the latest first."""
        return list(takewhile(lambda row: row.day >= day, reversed(self.realised)))

    # wash sales

    def _window(self, security: int) -> WashWindow:
        """Where the trades in a security and its like are matched."""
        group = int(self.wash_group[security])
        self._unmatched.add(group)
        return self._windows.setdefault(group, WashWindow())

    def _match(self, day: int) -> None:
        """Match wash sales over all trades so far: lots take their adjusted basis, sales what they count for.

        Groups without a trade since they were last matched stay as they are, and so does what no window reaches.
        """
        reach = {group: self._windows[group].final_before for group in self._unmatched}
        lots = [lot for lot in self.lots if int(self.wash_group[lot.security]) not in reach]
        kept = bisect_left(self.realised, min(reach.values()), key=lambda row: row.day)
        realised = [row for row in self.realised[kept:] if row.group not in reach or row.day < reach[row.group]]
        for group in reach:
            blocks, parts = self._windows[group].match(day)
            lots += [
                Lot(part.lot_id, int(part.account), int(part.security), round(part.shares, DECIMALS),
                    part.basis * part.shares / part.shares, part.acquired, part.start, part.replacement)
                for part in parts if part.shares > _SOME
            ]  # fmt: skip
            realised += _realised(group, [b for b in blocks if self.treatment[int(b.account)] == TAXED])
        self.lots = sorted(lots, key=lambda lot: str(self.wash_group[lot.security]))
        self.realised[kept:] = sorted(realised, key=lambda row: (row.day, str(row.group)))
        self._unmatched.clear()

    def trade_frame(self) -> pd.DataFrame:
        """Every trade so far, as `tax.match_wash_sales` takes them."""
        side, day, account, security, lot_id, shares, total = zip(*self.trades, strict=True)
        return pd.DataFrame(
            {
                "account_id": account, "security_id": security, "trade_date": dates(np.array(day)), "side": side,
                "shares": shares, "total": total, "lot_id": lot_id,
                "wash_group": self.wash_group[np.array(security)],
                "taxed": self.treatment[np.array(account)] == TAXED,
            }
        )  # fmt: skip

    # tax

    def realised_in(self, year: int) -> list[Realised]:
        """The sales of a year so far, in the taxed accounts."""
        return [row for row in self.realised if year_of(row.day) == year]

    def gains(self, year: int) -> tuple[float, float]:
        """Recognised short- and long-term gains of a year so far, net."""
        rows = self.realised_in(year)
        return sum(r.recognised for r in rows if not r.long), sum(r.recognised for r in rows if r.long)

    def dividend_income(self, year: int) -> tuple[float, float]:
        """Ordinary income (interest too) and qualified dividends of a year, these only on shares held long enough."""
        rows = [row for row in self.dividends if year_of(row.day) == year]
        total = sum(row.amount for row in rows) + sum(amount for day, amount in self.interest if year_of(day) == year)
        pieces = [
            (row.acquired, sold_on, row.day, float(self.qualified[row.security]) * row.amount * shares / row.shares)
            for row in rows if self.qualified[row.security] > 0 for sold_on, shares in self._sold_since(row)
        ]  # fmt: skip
        if not pieces:
            return total, 0.0
        bought, sold, ex_date, amount = zip(*pieces, strict=True)
        held = is_qualified(dates(np.array(bought)), np.array(sold, "datetime64[D]"), dates(np.array(ex_date)))
        qualified = float(np.array(amount)[held].sum())
        return total - qualified, qualified

    def _sold_since(self, dividend: Dividend) -> list[tuple[np.datetime64, float]]:
        """What became of a dividend's shares: the day they were sold on (not a time where they are still held)."""
        left = dividend.shares
        pieces: list[tuple[np.datetime64, float]] = []
        for sold_on, shares in self._sales.get(dividend.lot_id, ()):
            if sold_on >= dividend.day and left > 0:
                pieces.append((np.datetime64(sold_on, "D"), min(shares, left)))
                left -= pieces[-1][1]
        return [*pieces, (np.datetime64("NaT"), left)] if left > _SOME else pieces

    def tax_of(self, year: int, extra_short: float = 0.0, extra_long: float = 0.0) -> YearTax:
        """The tax of a year as its trades stand now, with further gains where asked; earlier years are netted first."""
        if year in self.settled and not extra_short and not extra_long:
            return self.settled[year]
        before = self.carried_into(year)
        short, long = self.gains(year)
        short, long = short + extra_short, long + extra_long
        ordinary, qualified = self.dividend_income(year)
        rates = self.rates
        netted = net(
            short + rates.other_short_gains, long + rates.other_gains, *before,
            limit=float(loss_limit(rates.filing_status)),
        )  # fmt: skip
        deduction = float(netted.deduction)
        tax = (
            rates.short * (float(netted.short_gain) - rates.other_short_gains + ordinary)
            + rates.long * (float(netted.long_gain) - rates.other_gains + qualified)
            - rates.ordinary * deduction
        )
        return YearTax(
            year, short, long, ordinary, qualified, deduction, round(tax, 2),
            float(netted.carryforward_short), float(netted.carryforward_long),
        )  # fmt: skip

    def carried_into(self, year: int) -> tuple[float, float]:
        """Losses carried into a year."""
        if not self.trades or year <= year_of(self.trades[0][1]):
            return 0.0, 0.0
        last = self.tax_of(year - 1)
        return last.carryforward_short, last.carryforward_long

    def settle(self, year: int, account: int) -> float:
        """Pay a year's tax from an account, or receive what it saves; returns the amount, positive when paid."""
        owed = self.tax_of(year)
        self.settled[year] = owed
        self.cash[account] = round(self.cash[account] - owed.tax, 2)
        self.taken = round(self.taken + owed.tax, 2)
        return owed.tax

    def holdings(self, securities: int) -> Floats:
        """Shares by account and security."""
        result = np.zeros((len(self.cash), securities))
        for lot in self.lots:
            result[lot.account, lot.security] += lot.shares
        return result

    def unrealised(self, day: int, price: Floats, half_spread: Floats) -> tuple[float, float]:
        """Net short- and long-term gain of selling every lot of the taxed accounts today."""
        short = long = 0.0
        for lot in self.lots:
            if self.treatment[lot.account] != TAXED:
                continue
            gain = lot.shares * (float(price[lot.security]) * (1 - float(half_spread[lot.security])) - lot.basis)
            if day >= _day(long_term_from(dates(lot.start))):
                long += gain
            else:
                short += gain
        return short, long

    def liquidation(self, day: int, price: Floats, half_spread: Floats) -> Liquidation:
        """What selling everything today would leave."""
        short, long = self.unrealised(day, price, half_spread)
        year = year_of(day)
        closing = self.tax_of(year, short, long)
        begin = year_of(self.trades[0][1]) if self.trades else year
        earlier = sum(self.tax_of(y).tax for y in range(begin, year) if y not in self.settled)
        proceeds = self.holdings(len(price)) @ (price * (1.0 - half_spread)) + self.cash
        carried = closing.carryforward_short + closing.carryforward_long
        return Liquidation(proceeds, closing.tax + earlier, short + long, carried)


def tax_sessions(dates: Days, first: int, last: int, month: int) -> dict[int, int]:
    """The session after `first` and before `last` on which each finished year's tax is paid, the last of that month.

    `dates` are the sessions; the result maps a session to the year before its own.
    """
    months = dates.astype("datetime64[M]").astype(np.int64)
    begin = months[first] // 12
    return {
        t: int(months[t] // 12 + 1969) for t in range(first + 1, last)
        if months[t] % 12 + 1 == month and months[t + 1] != months[t] and months[t] // 12 > begin
    }  # fmt: skip


def _realised(group: int, blocks: Sequence[Block]) -> list[Realised]:
    starts, days = dates(np.array([b.start for b in blocks])), dates(np.array([b.day for b in blocks]))
    return [
        Realised(b.day, group, int(b.security), b.gain, b.recognised, b.disallowed, b.permanent, long)
        for b, long in zip(blocks, is_long_term(starts, days).tolist(), strict=True)
    ]


def dates(days: int | np.ndarray) -> np.ndarray:
    """Days since 1970 as dates."""
    return np.asarray(days, np.int64).astype("datetime64[D]")


def _day(value: object) -> int:
    return int(np.asarray(value, "datetime64[D]").astype(np.int64))


def plain_date(day: int) -> date:
    """A day since 1970 as a date."""
    return date(1970, 1, 1) + timedelta(days=int(day))


@cache
def year_of(day: int) -> int:
    """The calendar year of a day since 1970."""
    return plain_date(day).year
