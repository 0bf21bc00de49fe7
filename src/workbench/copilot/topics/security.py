"""One security: its price and yearly cost, its lots in an account with basis and gain, and a model's band around it."""

from __future__ import annotations

import pandas as pd

from workbench.copilot.gather import Gathered
from workbench.copilot.topics.asked import Asked, NotInRecordError
from workbench.copilot.topics.drift import LISTED, subject
from workbench.copilot.topics.models import model_asked, sums, version_asked
from workbench.drafting import FactSheet
from workbench.tax import is_long_term


def _about(asked: Asked, route: str) -> tuple[Gathered, str]:
    gathered = Gathered(asked.record, route)
    key = gathered.security(str(asked.security))
    gathered.about(key)
    gathered.name("security", key)
    gathered.day()
    return gathered, key


def price(asked: Asked) -> tuple[FactSheet, str]:
    """The last close of a security. Raises `NotInRecordError` where there is none."""
    gathered, key = _about(asked, "price")
    market = asked.record.book.market
    close = dict(zip(market.ids, market.price)).get(str(asked.security))
    if close is None or pd.isna(close):
        raise NotInRecordError("There is no price of it in the record.")
    gathered.read("rebalance.load", f"last close of {asked.security}", "prices")
    gathered.fact("price", "money", float(close), "ask_price", [key], decimals=2)
    return gathered.done(), "answer_price"


def expense(asked: Asked) -> tuple[FactSheet, str]:
    """The expense ratio of a fund. Raises `NotInRecordError` for what is no fund."""
    gathered, key = _about(asked, "expense")
    row = asked.record.securities.loc[str(asked.security)]
    if row["kind"] == "stock" or pd.isna(row["expense_ratio"]):
        raise NotInRecordError("It is no fund, so it has no expense ratio.")
    gathered.read("firm.open_at", f"expense_ratio of {asked.security}", "securities")
    gathered.fact("ratio", "percent", float(row["expense_ratio"]), "ask_expense", [key], decimals=2)
    return gathered.done(), "answer_expense"


def lots(asked: Asked) -> tuple[FactSheet, str]:
    """Open lots of a security in one taxed account: when bought, basis, and gain by term."""
    record, account = asked.record, str(asked.account)
    if record.accounts.loc[account, "registration"] not in ("taxable", "trust"):
        raise NotInRecordError("The account is not taxed on its gains, so its lots do not count.")
    gathered, other = _about(asked, "lots")
    key = subject(gathered, asked)
    held = record.lots
    held = held[(held["account_id"] == account) & (held["security_id"] == asked.security) & (held["quantity"] > 0)]
    if held.empty:
        raise NotInRecordError("The account holds none of it.")
    if not held["known"].all():
        raise NotInRecordError("The cost of one of its lots is not in the record, so its basis is not known.")
    of = [key, other]
    gathered.read("rebalance.load", f"lots of {asked.security} in {account}", "lots", "prices")
    gathered.fact("count", "count", len(held), "ask_lots", of)
    gathered.fact("basis", "money", float((held["quantity"] * held["basis"]).sum()), "ask_basis", of)
    gathered.fact("value", "money", float((held["quantity"] * held["price"]).sum()), "ask_value", of)
    long = pd.Series(is_long_term(held["holding_start"], record.as_of), index=held.index)
    for term, mine in (("short", held[~long]), ("long", held[long])):
        for side, part in (("gain", mine["gain"].clip(lower=0)), ("loss", mine["gain"].clip(upper=0))):
            if abs(part.sum()) >= 0.5:
                gathered.fact(f"{term}.{side}", "money", float(part.sum()), "ask_unrealised", of, (side, term))
    recent = held.sort_values(["acquired_on", "lot_id"]).head(LISTED)
    for place, row in enumerate(recent.itertuples(), start=1):
        gathered.read("rebalance.load", f"lot {row.lot_id}", "lots")
        gathered.fact(f"lot.{place}.on", "date", str(row.acquired_on.date()), "ask_acquired", of)
        gathered.fact(f"lot.{place}.shares", "shares", float(row.quantity), "ask_bought", of)
        gathered.fact(f"lot.{place}.basis", "money", float(row.basis), "ask_basis", of, decimals=2)
    return gathered.done(), "answer_lots"


def band(asked: Asked) -> tuple[FactSheet, str]:
    """How far a model lets an asset class, sector, sleeve or security stand from its target."""
    record = asked.record
    gathered, key, id = model_asked(asked, "band")
    level, name = ("security", str(asked.security)) if asked.security else asked.key or ("", "")
    table = record.firm.table("tolerances")
    table = table[(table["model_id"] == id) & (table["level"] == level)].set_index("key")
    row = name if name in table.index else "*"
    if row not in table.index:
        raise NotInRecordError("The model has no band of that kind.")
    other = gathered.key(level, name)
    gathered.about(other)
    gathered.name("key", other)
    of = [key, other]
    version = version_asked(asked, id)
    gathered.read("firm.tolerances", f"{id}, {level} {row}", "tolerances")
    gathered.fact("absolute", "percent", float(table.loc[row, "absolute"]), "ask_band", of)
    gathered.fact("relative", "percent", float(table.loc[row, "relative"]), "ask_band", of)
    gathered.read("firm.models_in_force", f"{id} version {version}", "model_targets", "models")
    gathered.fact("target", "percent", float(sums(asked, id, version, level).get(name, 0.0)), "ask_target", of)
    return gathered.done(), "answer_band"
