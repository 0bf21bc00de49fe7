"""Right answers about drift and proposed trades: weights from the tables, trades from the frozen `Proposal`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.copilot.faq_reading import OVER, UNDER, Day, Expected, Figure, Way, denies, must, says
from tests.copilot.faq_record import Record


def _sided(value: float) -> Figure:
    """A deviation with its side."""
    if abs(value) < 0.0005:
        return Figure(value, "fraction")
    beside, never = (OVER, UNDER) if value > 0 else (UNDER, OVER)
    return Figure(value, "fraction", beside, never)


def _off(row: Any) -> tuple[Way, ...]:
    """A deviation as such, or as the weight and the target."""
    return (_sided(row.deviation),), (Figure(row.weight, "fraction"), Figure(row.target, "fraction"))


def deviation(record: Record, level: str, key: str, account: str = "", household: str = "") -> Expected:
    """How far a key is from its target; of a household each account, or all of them weighted by value."""
    if account:
        return Expected(_off(record.deviations(account, level).loc[key]))
    ids = [
        one
        for one in record.accounts_of(household)
        if record.value(one) and pd.notna(record.accounts.loc[one, "model_id"])
    ]
    rows = pd.DataFrame([record.deviations(one, level).loc[key] for one in ids], index=ids)
    total = rows.mul([record.value(one) for one in ids], axis=0).sum() / sum(record.value(one) for one in ids)
    each = tuple(_sided(row.deviation) for row in rows.itertuples())
    pairs = tuple(Figure(figure, "fraction") for row in rows.itertuples() for figure in (row.weight, row.target))
    return Expected((*_off(total), each, pairs))


def furthest_off(record: Record, account: str) -> Expected:
    """What is furthest from target, at any level an answer may choose, with its deviation."""
    ways = []
    for level in ("security", "sector", "asset_class", "sleeve"):
        frame = record.deviations(account, level)
        key = frame["deviation"].abs().idxmax()
        names = (key, record.name(key)) if level == "security" else (key,)
        ways.append((says(*names), _sided(frame.loc[key, "deviation"])))
    return Expected(tuple(ways))


def band(record: Record, account: str, level: str, key: str) -> Expected:
    """Whether a weight is inside its band: the tighter of the absolute and the relative width."""
    row = record.deviations(account, level).loc[key]
    rules = record.table("tolerances")
    rules = rules[(rules["model_id"] == record.accounts.loc[account, "model_id"]) & (rules["level"] == level)]
    mine = rules[rules["key"] == key] if (rules["key"] == key).any() else rules[rules["key"] == "*"]
    width = np.nanmin([mine["absolute"].iloc[0], mine["relative"].iloc[0] * row.target if row.target else np.nan])
    outside = abs(row.deviation) > width
    if outside:
        said = says("outside", "out of band", "out of its band", "breach", "beyond", "not within", "not inside")
        return must(said, forbidden=(says("is inside", "is within", "not outside", "no breach"),))
    said = says("inside", "within", "in band", "in its band", "not outside", "no breach")
    return must(said, forbidden=(says("is outside", "is out of", "not within", "not inside"),))


def last_rebalanced(record: Record, account: str) -> Expected:
    """The day an account last stood on its model."""
    return must(Day(record.accounts.loc[account, "last_rebalanced_on"].date()))


def active_share(record: Record, account: str) -> Expected:
    """Half the sum of absolute deviations of securities, cash included."""
    share = float(record.deviations(account, "security")["deviation"].abs().sum()) / 2.0
    return must(Figure(share, "fraction", ("active share",)))


def trade_count(record: Record, household: str) -> Expected:
    """How many trades are proposed; none at all may be said in words."""
    made = record.proposals[household].trades
    return must(Figure(len(made), "count", ("trade", "order")))


def trade(record: Record, account: str, security: str) -> Expected:
    """A proposed trade: its side with its shares or its dollars; where there is none, that there is none."""
    household = record.accounts.loc[account, "household_id"]
    made = [
        one for one in record.proposals[household].trades if (one.account_id, one.security_id) == (account, security)
    ]
    if not made:
        return must(denies(security, record.name(security)))
    side, other = (
        (("buy", "bought", "purchase"), ("sell", "sale", "sold"))
        if made[0].side == "buy"
        else (("sell", "sale", "sold"), ("buy", "bought", "purchase"))
    )
    shares, amount = sum(one.shares for one in made), sum(one.amount for one in made)
    named = says(security, record.name(security))
    return Expected(
        (
            (named, Figure(round(shares, 4), "count", side, other)),
            (named, Figure(amount, "usd", side, other)),
        )
    )


_OBSTACLES = {
    "never_sell": ("not be sold", "not sell", "never be sold", "never sell", "inherited", "restriction"),
    "never_buy": ("not be bought", "not buy", "never be bought", "never buy", "officer", "restriction"),
    "never_hold": ("not hold", "not be held", "never hold", "may not be held", "restriction"),
    "screen": ("screen", "fossil", "tobacco", "weapons"),
    "hold_lot": ("pledged", "collateral", "lot"),
    "gain_budget": ("budget",),
    "tax": ("=tax", "=taxes", "=gain"),
    "cost": ("cost",),
    "wash_sale": ("wash",),
    "cash_floor": ("cash",),
    "minimum_trade": ("minimum", "too small"),
    "not_discretionary": ("discretion", "consent"),
    "max_weight": ("cap", "maximum", "at most"),
}  # fmt: skip


def refused(record: Record, account: str, security: str) -> Expected:
    """Why something is not traded: what stood against it."""
    household = record.accounts.loc[account, "household_id"]
    against = [
        one.obstacle
        for one in record.proposals[household].refused
        if (one.account_id, one.security_id) == (account, security)
    ]
    if not against:
        raise AssertionError(f"nothing stood against {security} in {account}")
    return must(says(*(word for obstacle in against for word in _OBSTACLES[obstacle])))


_CAUSES = {
    "overweight": ("over", "above"),
    "underweight": ("under", "below"),
    "off_model": ("not in the model", "off model", "off the model", "no place in the model", "no target"),
    "harvest": ("harvest", "loss"),
    "replacement": ("replace", "place of", "stand in", "substitute"),
    "raise_cash": ("cash",),
    "invest_cash": ("cash",),
    "location": ("location", "taxed less", "better place", "tax drag", "other account", "another account"),
    "restriction": ("restriction", "may not", "screen"),
    "transition": ("transition", "model"),
}  # fmt: skip


def why_traded(record: Record, account: str, security: str) -> Expected:
    """The cause of a proposed trade, in words."""
    household = record.accounts.loc[account, "household_id"]
    causes = {
        one.reason.cause
        for one in record.proposals[household].trades
        if (one.account_id, one.security_id) == (account, security)
    }
    if not causes:
        raise AssertionError(f"{security} is not traded in {account}")
    return must(says(security, record.name(security)), says(*(word for cause in causes for word in _CAUSES[cause])))


def consent(record: Record, household: str) -> Expected:
    """The accounts whose client must agree first; that nobody must, where none."""
    ids = [note.account_id for note in record.proposals[household].notes if note.kind == "consent"]
    if ids:
        return must(*(says(one) for one in ids), says("consent", "agree", "discretion"))
    return must(denies("consent", "agree", "discretion"))
