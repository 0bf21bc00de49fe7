"""What is held: value, cash, one position, the largest positions, and how large a book is."""

from __future__ import annotations

import pandas as pd

from workbench.copilot.gather import Gathered
from workbench.copilot.topics.asked import Asked, NotInRecordError
from workbench.copilot.topics.drift import LISTED, subject
from workbench.drafting import FactSheet
from workbench.drafting.sheets.gathering import either
from workbench.firm import CASH

_TABLES = ("positions", "prices")


def held(asked: Asked) -> pd.DataFrame:
    """Return the positions asked about. Raises `NotInRecordError` where nothing is held."""
    table = asked.record.holdings
    found = table[table["account_id"].isin(asked.accounts)]
    if found.empty or not found["value"].sum() > 0:
        raise NotInRecordError("There are no holdings in the record for this.")
    if found["value"].isna().any():
        raise NotInRecordError("One of its holdings has no price in the record, so its value is not known.")
    return found


def value(asked: Asked) -> tuple[FactSheet, str]:
    """Market value of a household and each of its accounts, or of one account."""
    gathered, frame = Gathered(asked.record, "value"), held(asked)
    key = subject(gathered, asked)
    gathered.day()
    gathered.read("firm.positions", f"value of {asked.account or asked.household}", *_TABLES)
    gathered.fact("value", "money", float(frame["value"].sum()), "ask_value", [key])
    if asked.account is None:
        by_account = frame.groupby("account_id")["value"].sum().sort_values(ascending=False, kind="stable")
        for place, (account, worth) in enumerate(by_account.items(), start=1):
            one = gathered.account(str(account))
            gathered.name(f"account.{place}.name", one)
            gathered.fact(f"account.{place}.value", "money", float(worth), "ask_value", [one])
    return gathered.done(), "answer_value"


def cash(asked: Asked) -> tuple[FactSheet, str]:
    """Cash in dollars and as a part of the value, by account for a household."""
    gathered, frame = Gathered(asked.record, "cash"), held(asked)
    key = subject(gathered, asked)
    gathered.day()
    gathered.read("firm.positions", f"CASH of {asked.account or asked.household}", *_TABLES)
    mine = frame[frame["security_id"] == CASH]
    total, worth = float(mine["value"].sum()), float(frame["value"].sum())
    gathered.fact("cash", "money", total, "ask_cash", [key])
    gathered.fact("share", "percent", total / worth, "ask_cash", [key])
    if asked.account is None and len(mine) > 1:
        for place, row in enumerate(mine.sort_values("account_id").itertuples(), start=1):
            one = gathered.account(str(row.account_id))
            gathered.name(f"account.{place}.name", one)
            gathered.fact(f"account.{place}.cash", "money", float(row.value), "ask_cash", [one])
    return gathered.done(), "answer_cash"


def largest(asked: Asked) -> tuple[FactSheet, str]:
    """The largest positions, cash apart."""
    gathered, frame = Gathered(asked.record, "largest"), held(asked)
    key = subject(gathered, asked)
    gathered.day()
    gathered.read("firm.positions", f"positions of {asked.account or asked.household}", *_TABLES)
    by_security = frame[frame["security_id"] != CASH].groupby("security_id")["value"].sum()
    by_security = by_security.sort_values(ascending=False, kind="stable")
    if by_security.empty:
        raise NotInRecordError("It holds nothing but cash.")
    gathered.fact("count", "count", int((by_security > 0).sum()), "ask_positions", [key])
    for place, (security, worth) in enumerate(by_security.head(LISTED).items(), start=1):
        one = gathered.security(str(security))
        gathered.name(f"position.{place}.name", one)
        gathered.fact(f"position.{place}.value", "money", float(worth), "ask_value", [key, one])
        gathered.fact(
            f"position.{place}.weight", "percent", float(worth / frame["value"].sum()), "ask_weight", [key, one]
        )
    return gathered.done(), "answer_largest"


def position(asked: Asked) -> tuple[FactSheet, str]:
    """Shares, value, weight and unrealised gain of one security."""
    gathered, frame = Gathered(asked.record, "position"), held(asked)
    key = subject(gathered, asked)
    security = str(asked.security)
    other = gathered.security(security)
    gathered.about(other)
    gathered.name("security", other)
    gathered.day()
    gathered.read("firm.positions", f"{security} of {asked.account or asked.household}", *_TABLES)
    mine = frame[frame["security_id"] == security]
    if mine.empty:
        return gathered.done(), "answer_position"
    worth = float(mine["value"].sum())
    gathered.fact("shares", "shares", float(mine["quantity"].sum()), "ask_shares", [key, other])
    gathered.fact("value", "money", worth, "ask_value", [key, other])
    gathered.fact("weight", "percent", worth / float(frame["value"].sum()), "ask_weight", [key, other])
    gain = _unrealised(asked, security)
    if gain is not None and abs(gain) >= 0.5:
        gathered.read("rebalance.load", f"basis of the lots of {security}", "lots", "prices")
        gathered.fact(
            "gain" if gain > 0 else "loss", "money", gain, "ask_unrealised", [key, other], either(gain, "gain", "loss")
        )
    if len(mine) > 1:
        gathered.read("firm.positions", f"{security} by account", *_TABLES)
        for place, row in enumerate(mine.sort_values("account_id").itertuples(), start=1):
            one = gathered.account(str(row.account_id))
            gathered.name(f"account.{place}.name", one)
            gathered.fact(f"account.{place}.shares", "shares", float(row.quantity), "ask_shares", [one, other])
    return gathered.done(), "answer_position"


def _unrealised(asked: Asked, security: str) -> float | None:
    """Gain of all open lots of a security at the last close; None where a basis is not known."""
    lots = asked.record.lots
    mine = lots[lots["account_id"].isin(asked.accounts) & (lots["security_id"] == security)]
    if mine.empty or not mine["known"].all():
        return None
    return float(mine["gain"].sum())


def unrealised(asked: Asked) -> tuple[FactSheet, str]:
    """Unrealised gains and losses of the taxed accounts asked about."""
    record = asked.record
    taxed = [one for one in asked.accounts if record.accounts.loc[one, "registration"] in ("taxable", "trust")]
    if not taxed:
        raise NotInRecordError("None of these accounts is taxed, so gains do not count there.")
    lots = record.lots[record.lots["account_id"].isin(taxed)]
    if lots.empty or not lots["known"].all():
        raise NotInRecordError("The cost of a lot is not in the record, so the gains are not known.")
    gathered = Gathered(record, "unrealised")
    key = subject(gathered, asked)
    gathered.day()
    gathered.read(
        "rebalance.load", f"lots of the taxed accounts of {asked.account or asked.household}", "lots", "prices"
    )
    gains, losses = float(lots["gain"].clip(lower=0).sum()), float(lots["gain"].clip(upper=0).sum())
    gathered.fact("gains", "money", gains, "ask_unrealised", [key], ("gain",))
    gathered.fact("losses", "money", losses, "ask_unrealised", [key], ("loss",))
    return gathered.done(), "answer_unrealised"


def book(asked: Asked) -> tuple[FactSheet, str]:
    """How many households and accounts the asker's book has, and what they are worth."""
    record, advisor = asked.record, asked.scope.advisor_id
    gathered = Gathered(record, "book")
    table = record.households
    mine = table if advisor is None else table[table["advisor_id"] == advisor]
    accounts = record.accounts[record.accounts["household_id"].isin(mine.index)]
    gathered.day()
    gathered.read("firm.open_at", "households and accounts of the book", "households", "accounts", *_TABLES)
    gathered.fact("households", "count", len(mine), "ask_households")
    gathered.fact("accounts", "count", len(accounts), "ask_accounts")
    worth = record.holdings[record.holdings["account_id"].isin(accounts.index)]["value"].sum()
    gathered.fact("value", "money", float(worth), "ask_value")
    return gathered.done(), "answer_book"
