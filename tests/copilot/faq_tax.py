"""Right answers about tax: sales lot by lot, budgets, losses carried in, wash sales, required distributions."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from tests.copilot.faq_reading import Day, Expected, Figure, Way, Words, denies, must, says
from tests.copilot.faq_record import Record


def proposal_tax(record: Record, household: str) -> Expected:
    """The tax of a whole proposal, owed or saved."""
    tax = record.proposals[household].tax
    if abs(tax) < 0.5:
        return Expected(((denies("tax"),), (Figure(0.0, "usd", ("tax",)),)))
    saved = ("sav", "lower", "reduc", "benefit", "less", "credit", "-")
    owed = ("cost", "owe", "adds", "raise", "tax of", "due", "increase", "more", "higher", "tax", "+")
    return must(
        Figure(tax, "usd", owed, saved[:1]) if tax > 0 else Figure(tax, "usd", saved, ("owes", "owed", "adds", "costs"))
    )


def proposal_cost(record: Record, household: str) -> Expected:
    """What the trades cost: spread, impact and tickets."""
    made = record.proposals[household]
    tickets = sum(one.fee for one in made.trades)
    return Expected(((Figure(made.cost),), (Figure(made.cost - tickets), Figure(tickets))))


def losses_harvested(record: Record, household: str) -> Expected:
    """Losses that a proposal takes."""
    return must(Figure(record.proposals[household].tax_table.losses_harvested, "usd", ("loss", "harvest")))


def sale(record: Record, account: str, security: str, shares: float = 0.0) -> Expected:
    """Gain of selling a position, or part of it by any usual order of lots; in an IRA, that no gain is taxed."""
    registration = record.accounts.loc[account, "registration"]
    if registration not in ("taxable", "trust"):
        untaxed = says(
            "no tax", "not taxed", "untaxed", "no capital gain", "tax-deferred", "tax-free", "no gain", "tax-exempt"
        )
        return Expected(((untaxed,), (Figure(0.0, "usd", ("tax",)),)))
    lots = record.lots(account, security)
    orders = [lots.index] if not shares else _orders(record, account, lots)
    ways = []
    for order in orders:
        taken = lots.loc[order]
        before = taken["quantity"].cumsum().shift(fill_value=0.0)
        sold = (min(shares, float(lots["quantity"].sum())) if shares else float(lots["quantity"].sum())) - before
        gain = taken["gain"] * sold.clip(lower=0.0, upper=taken["quantity"])
        short, long = float(gain[~taken["long"]].sum()), float(gain[taken["long"]].sum())
        parts = [_gain(part) for part in (short, long) if abs(part) >= 0.5]
        ways += [(_gain(short + long),), tuple(parts)]
    return Expected(tuple(way for way in ways if way))


def _gain(amount: float, term: str = "") -> Figure:
    """A gain or a loss, called by its name or carried by its sign."""
    if amount < 0:
        return Figure(amount, "usd", ("loss", "-"), ("gain", "+"), term)
    return Figure(amount, "usd", ("gain", "+"), ("loss", "-"), term)


def _orders(record: Record, account: str, lots: pd.DataFrame) -> list[pd.Index]:
    """Lots in the orders that may be meant: least tax first, highest cost first, oldest first, youngest first."""
    home = record.households.loc[record.accounts.loc[account, "household_id"]]
    extra = home["state_rate"] + (0.038 if home["niit"] else 0.0)
    rate = np.where(lots["long"], home["long_term_rate"], home["ordinary_rate"]) + extra
    by_tax = (lots["gain"] * rate).sort_values(kind="stable").index
    by_cost = lots["basis"].sort_values(ascending=False, kind="stable").index
    by_age = lots["acquired_on"].sort_values(kind="stable").index
    return [by_tax, by_cost, by_age, by_age[::-1]]


def sale_tax(record: Record, account: str, security: str) -> Expected:
    """The tax of selling a whole position, where every dollar of its gain is taxed at the long-term rates.

    That is so for long-term gains in a year that already has more long-term gains than losses of any kind.
    """
    home = record.households.loc[record.accounts.loc[account, "household_id"]]
    lots = record.lots(account, security)
    carried = home["carryforward_short"] + home["carryforward_long"]
    plain_year = home["realised_short"] <= 0.0 <= home["realised_short"] + home["realised_long"] - carried
    if not (plain_year and lots["long"].all() and (lots["gain"] >= 0.0).all()):
        raise AssertionError(f"the tax of {security} in {account} takes more than one rate; ask for its gain")
    rate = home["long_term_rate"] + home["state_rate"] + (0.038 if home["niit"] else 0.0)
    return must(Figure(float((lots["gain"] * lots["quantity"]).sum()) * rate, "usd", ("=tax", "=taxes")))


def gain_budget(record: Record, household: str) -> Expected:
    """What is left of the year's budget of gains; by how much it is exceeded; that there is none."""
    home = record.households.loc[household]
    used = home["realised_short"] + home["realised_long"]
    if pd.isna(home["gain_budget"]):
        return must(Words(("no ", "not ", "without", "none", "unlimited"), ("budget", "limit")))
    left = home["gain_budget"] - max(used, 0.0)
    if left < -0.5:
        over = Words(("exceed", "=over", "used up", "nothing", "no ", "none", "above", "past", "spent"), ("budget",))
        return must(
            over, forbidden=(Figure(left, "usd", ("left", "remain"), ("over", "exceed", "above", "past", "-")),)
        )
    if left < 0.5:
        return must(says("nothing", "none", "no ", "zero", "$0"))
    ways: list[Way] = [(Figure(left),)]
    if used < 0:
        ways.append((Figure(home["gain_budget"] - used),))
    return Expected(tuple(ways))


def budget_total(record: Record, household: str) -> Expected:
    """The budget itself."""
    return must(Figure(record.households.loc[household, "gain_budget"]))


def realised(record: Record, household: str, term: str = "both") -> Expected:
    """Gains of the year to date: short-term, long-term, both, or their sum."""
    home = record.households.loc[household]
    short, long = home["realised_short"], home["realised_long"]
    if term == "short":
        return must(_gain(short)) if abs(short) > 0.005 else must(denies("gain", "realis", "realiz"))
    if term == "long":
        return must(_gain(long)) if abs(long) > 0.005 else must(denies("gain", "realis", "realiz"))
    if abs(short) + abs(long) < 0.005:
        return must(denies("gain", "realis", "realiz"))
    parts = tuple(_gain(part, name) for part, name in ((short, "short"), (long, "long")) if abs(part) > 0.005)
    return Expected((parts, (_gain(short + long),)))


def carryforward(record: Record, household: str) -> Expected:
    """Losses carried in: both terms, or their sum; that there are none."""
    home = record.households.loc[household]
    short, long = home["carryforward_short"], home["carryforward_long"]
    if short + long < 0.005:
        return must(denies("loss", "carr"))
    return Expected(((Figure(short, term="short"), Figure(long, term="long")), (Figure(short + long),)))


def wash_until(record: Record, household: str, security: str, kind: str) -> Expected:
    """The last blocked day of a line of the wash calendar, or the first free one."""
    rows = [row for row in record.proposals[household].wash if row.kind == kind and security in row.securities]
    if not rows:
        raise AssertionError(f"no {kind} of {security} in {household}")
    last = max(row.last_day for row in rows)
    free = (pd.Timestamp(last) + pd.DateOffset(days=1)).date()
    return Expected(((Day(last, ("until", "through", "to ", "last", "end", "up to", "blocked")),), (Day(free),)))


def wash_free(record: Record, household: str) -> Expected:
    """That nothing is in a wash window."""
    if record.proposals[household].wash:
        raise AssertionError(f"{household} has a wash calendar")
    return must(denies("wash", "window", "block"))


_DIVISORS = {
    72: 27.4, 73: 26.5, 74: 25.5, 75: 24.6, 76: 23.7, 77: 22.9, 78: 22.0, 79: 21.1, 80: 20.2, 81: 19.4, 82: 18.5,
    83: 17.7, 84: 16.8, 85: 16.0,
}  # fmt: skip


def _year_end_value(record: Record, account: str) -> float:
    """Value on the last 31 December, later transactions taken back."""
    eve = pd.Timestamp(record.today.year - 1, 12, 31)
    moved = record.table("transactions")
    moved = moved[(moved["account_id"] == account) & (moved["trade_date"] > eve)]
    held = record.table("positions")
    held = held[held["account_id"] == account].set_index("security_id")["quantity"]
    shares = held.drop("CASH", errors="ignore").sub(
        moved[moved["security_id"] != "CASH"].groupby("security_id")["quantity"].sum(), fill_value=0.0
    )
    cash = float(held.get("CASH", 0.0)) - float(moved["amount"].sum())
    return float((shares * record.closes(eve).reindex(shares.index)).sum()) + cash


def rmd(record: Record, account: str, ask: str = "required") -> Expected:
    """This year's required distribution of a traditional IRA: what is required, what was taken, by when it is due."""
    born, year = record.accounts.loc[account, "owner_birth_date"], record.today.year
    registration = record.accounts.loc[account, "registration"]
    if registration != "traditional_ira" or born.year > year - 72:
        return must(denies("distribution", "RMD"), forbidden=(Day(date(year, 12, 31)),))
    owed = max(_year_end_value(record, account), 0.0) / _DIVISORS[year - born.year]
    if owed < 0.005:
        return must(denies("distribution", "RMD"))
    if ask == "due":
        first = born.year == year - 72
        return must(Day(date(year + 1, 4, 1) if first else date(year, 12, 31)))
    paid = record.table("transactions")
    paid = paid[(paid["account_id"] == account) & (paid["kind"] == "withdrawal") & (paid["trade_date"].dt.year == year)]
    taken = -float(paid["amount"].sum())
    if ask == "taken":
        if taken >= owed - 0.01:
            done = says("taken", "satisfied", "=met", "complete", "withdrawn", "paid out")
            owing = says("not been", "not yet", "not taken", "still to take", "has not taken")
            return Expected(((done,), (denies("outstanding", "left", "remain", "still"),)), (owing,))
        return Expected(((Figure(owed - taken),), (Figure(taken), Figure(owed))))
    return must(Figure(owed))


def rate(record: Record, household: str, column: str) -> Expected:
    """A tax rate of a household."""
    return must(Figure(record.households.loc[household, column], "fraction"))
