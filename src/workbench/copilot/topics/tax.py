"""Tax: gain budget, realised gains, losses carried forward, rates, a sale's tax, wash sales, distributions."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd

from workbench.copilot.gather import Gathered
from workbench.copilot.topics.asked import Asked, NotInRecordError
from workbench.copilot.topics.drift import subject
from workbench.drafting import FactSheet
from workbench.drafting.sheets.gathering import either
from workbench.firm import NIIT_RATE
from workbench.rebalance import Household, Settings
from workbench.rebalance.household import TAXED
from workbench.tax import household_rates, loss_limit, relieve, tax_of_year

_LINE = ("households",)


def _about(asked: Asked, route: str) -> tuple[Gathered, str]:
    gathered = Gathered(asked.record, route)
    key = gathered.household(str(asked.household))
    gathered.about(key)
    gathered.name("subject", key)
    gathered.day()
    gathered.read("firm.open_at", f"household {asked.household}", *_LINE)
    return gathered, key


def gain_budget(asked: Asked) -> tuple[FactSheet, str]:
    """The year's budget for gains, what is used of it and what is left."""
    gathered, key = _about(asked, "gain_budget")
    table = asked.record.proposal(str(asked.household)).tax_table
    if table.budget is not None:
        gathered.read("rebalance.propose", f"tax table of {asked.household}", *_LINE)
        used, left = table.budget_used_before, table.budget - table.budget_used_before
        gathered.fact("budget", "money", table.budget, "ask_budget", [key])
        side = "gain" if used > 0 else "loss" if used < 0 else "none"
        gathered.fact(f"realised.{side}", "money", used, "ask_realised_net", [key], either(used, "gain", "loss"))
        gathered.fact(
            "left" if left >= 0 else "beyond",
            "money",
            abs(left),
            "ask_budget_left" if left >= 0 else "ask_budget_beyond",
            [key],
        )
    return gathered.done(), "answer_gain_budget"


def realised(asked: Asked) -> tuple[FactSheet, str]:
    """Gains and losses realised this year, by term."""
    gathered, key = _about(asked, "realised")
    row = asked.record.households.loc[asked.household]
    for term in ("short", "long"):
        amount = float(row[f"realised_{term}"])
        side = "gain" if amount > 0 else "loss" if amount < 0 else "none"
        direction = (term,) if side == "none" else (side, term)
        gathered.fact(f"{term}.{side}", "money", amount, "ask_realised", [key], direction)
    return gathered.done(), "answer_realised"


def carryforward(asked: Asked) -> tuple[FactSheet, str]:
    """Losses carried into this year, by term."""
    gathered, key = _about(asked, "carryforward")
    row = asked.record.households.loc[asked.household]
    for term in ("short", "long"):
        gathered.fact(term, "money", float(row[f"carryforward_{term}"]), "ask_carryforward", [key], (term,))
    return gathered.done(), "answer_carryforward"


def rates(asked: Asked) -> tuple[FactSheet, str]:
    """The household's rates on gains, federal, state and net investment income tax together."""
    gathered, key = _about(asked, "rates")
    row = asked.record.households.loc[asked.household]
    gathered.fact("ordinary", "percent", float(row["ordinary_rate"]), "ask_rate_ordinary", [key])
    gathered.fact("long", "percent", float(row["long_term_rate"]), "ask_rate", [key], ("long",))
    gathered.fact("state", "percent", float(row["state_rate"]), "ask_rate_state", [key])
    if row["niit"]:
        gathered.read("firm.NIIT_RATE", "rate of the net investment income tax", *_LINE)
        gathered.fact("niit", "percent", NIIT_RATE, "ask_rate_niit", [key])
    return gathered.done(), "answer_rates"


def sale(asked: Asked) -> tuple[FactSheet, str]:
    """What selling shares of one security in one account would realise, and what tax the year would change by.

    Lots of least tax first, as proposals take them; the tax is that of the whole year with the sale, less that without.
    """
    record, account, security = asked.record, str(asked.account), str(asked.security)
    household = record.book.find(str(asked.household))
    lots = record.lots[(record.lots["account_id"] == account) & (record.lots["security_id"] == security)]
    if lots.empty:
        raise NotInRecordError("The account holds none of it, so there is nothing to sell.")
    held_shares = float(lots["quantity"].sum())
    price = float(lots["price"].iloc[0])
    shares = asked.shares if asked.shares is not None else held_shares
    if asked.money is not None:
        # Whole shares, so that no more is sold than was asked for.
        shares = float(math.floor(asked.money / price + 1e-9))
    if shares <= 0:
        raise NotInRecordError("That is less than one share, so there is nothing to sell.")
    if shares > held_shares + 1e-9:
        raise NotInRecordError("The account holds fewer shares than that, so the sale cannot be reckoned.")
    gathered = Gathered(record, "sale")
    gathered.about(gathered.account(account), gathered.security(security))
    for id, key in (("account", f"account:{account}"), ("security", f"security:{security}")):
        gathered.name(id, key)
    of = [f"account:{account}", f"security:{security}"]
    gathered.day()
    gathered.read("tax.relieve", f"lots of {security} in {account}", "lots", "prices", "households")
    if asked.money is not None:
        gathered.fact("asked", "money", asked.money, "ask_amount", of)
    gathered.fact("shares", "shares", shares, "ask_sold", of, ("sell",))
    gathered.fact("proceeds", "money", shares * price, "ask_proceeds", of)
    place = household.accounts.ids.index(account)
    if household.accounts.treatment[place] != TAXED:
        return gathered.done(), "answer_sale_untaxed"
    if not lots["known"].all():
        raise NotInRecordError("The cost of one of its lots is not in the record, so the tax is not known.")
    taken = _relieved(asked, lots, shares, price, household.tax.short_rate, household.tax.long_rate)
    washed = _washed(household, security, taken)
    if washed and re.search(r"\b(?:tax\w*|owe\w*|cost\w*|bill|hit)\b", asked.text):
        raise NotInRecordError(
            "The sale would take a loss within thirty days of a purchase, and part of it may be disallowed; "
            "a proposal has to work that out."
        )
    short = float(taken.loc[~taken["long"], "gain"].sum())
    long = float(taken.loc[taken["long"], "gain"].sum())
    for term, amount in (("short", short), ("long", long)):
        if abs(amount) >= 0.5:
            side = "gain" if amount > 0 else "loss"
            gathered.fact(f"{term}.{side}", "money", amount, "ask_sale_gain", of, (side, term))
    gathered.fact("lots", "count", len(taken), "ask_lots", of)
    if washed:
        return gathered.done(), "answer_sale_washed"
    tax = _year_change(asked, short, long)
    gathered.read(
        "tax.tax_of_year",
        f"tax of the year of {asked.household} with and without the sale",
        "lots",
        "prices",
        "households",
    )
    side = "owed" if tax > 0.5 else "saved" if tax < -0.5 else "none"
    gathered.fact(f"tax.{side}", "money", tax, "ask_sale_tax", of, () if side == "none" else (side,))
    return gathered.done(), "answer_sale"


def _year_change(asked: Asked, short: float, long: float) -> float:
    """Change of the household's tax of the year by these gains, by netting all of it, as proposals reckon it."""
    row = asked.record.households.loc[[asked.household]]
    rates = household_rates(row, carryforward_value=Settings().carryforward_value)
    columns = {
        name: row[name].to_numpy()
        for name in ("realised_short", "realised_long", "carryforward_short", "carryforward_long")
    }
    return float(
        np.asarray(tax_of_year(short, long, rates, **columns, limit=loss_limit(row["filing_status"])).change).item()
    )


def _relieved(asked: Asked, lots: pd.DataFrame, shares: float, price: float, short: float, long: float) -> pd.DataFrame:
    sale_of = lots.rename(columns={"quantity": "shares"}).assign(sale_id="sale")
    one = pd.DataFrame({"sale_id": ["sale"], "shares": [shares], "price": [price], "sold_on": [asked.record.as_of]})
    columns = ["sale_id", "lot_id", "shares", "basis", "holding_start", "acquired_on"]
    return relieve(sale_of[columns], one, "min_tax", short_rate=short, long_rate=long)


def _washed(household: Household, security: str, taken: pd.DataFrame) -> bool:
    """Whether a lot is sold at a loss while shares of its group were bought in the last thirty days."""
    market = household.market
    group = int(market.wash_group[market.ids.index(security)])
    bought = any(event.kind in ("purchase", "reinvestment") and event.group == group for event in household.wash)
    return bool((taken["gain"] < -0.005).any()) and bought


def wash(asked: Asked) -> tuple[FactSheet, str]:
    """Until when a security sold at a loss may not be bought, or one bought not be sold at a loss."""
    gathered, key = _about(asked, "wash")
    proposal = asked.record.proposal(str(asked.household))
    rows = proposal.wash
    if asked.security:
        other = gathered.security(asked.security)
        gathered.about(other)
        gathered.name("security", other)
        rows = tuple(row for row in rows if asked.security in row.securities)
    gathered.read("rebalance.propose", f"wash calendar of {asked.household}", "transactions", "lots", "securities")
    found: dict[tuple[str, str, str], str] = {}
    for row in rows:
        for security in row.securities:
            line = (row.kind, "proposed" if row.proposed else "past", security)
            found[line] = max(found.get(line, ""), row.last_day.isoformat())
    for place, ((rule, when, security), day) in enumerate(sorted(found.items()), start=1):
        other = gathered.security(security)
        gathered.name(f"{rule}_{when}.{place}.name", other)
        gathered.fact(f"{rule}_{when}.{place}.until", "date", day, f"ask_{rule}", [key, other])
    return gathered.done(), "answer_wash"


def rmd(asked: Asked) -> tuple[FactSheet, str]:
    """Required distributions of the year: required, taken, still due and by when."""
    gathered = Gathered(asked.record, "rmd")
    subject(gathered, asked)
    rows = asked.record.distributions
    mine = rows.due[rows.due["household_id"] == asked.household]
    if asked.account:
        mine = mine[[asked.account in ids for ids in mine["account_ids"]]]
    gathered.read(
        "tax.required_distributions", f"distributions of {asked.household}", "accounts", "transactions", "prices"
    )
    for place, row in enumerate(mine.to_dict("records"), start=1):
        if pd.isna(row["required"]):
            raise NotInRecordError("The balance that the distribution is reckoned from is not in the record.")
        names = [gathered.account(str(one)) for one in row["account_ids"]]
        gathered.name(f"due.{place}.name", names[0])
        for id in ("required", "taken", "outstanding"):
            gathered.fact(f"due.{place}.{id}", "money", float(row[id]), f"ask_rmd_{id}", [names[0]], decimals=2)
        gathered.fact(f"due.{place}.by", "date", str(row["due_by"].date()), "ask_rmd_by", [names[0]])
    if len(rows.for_a_person) and (rows.for_a_person["household_id"] == asked.household).any():
        mine_too = rows.for_a_person[rows.for_a_person["account_id"].isin(asked.accounts)]
        for place, account in enumerate(mine_too["account_id"], start=1):
            gathered.name(f"person.{place}.name", gathered.account(str(account)))
    return gathered.done(), "answer_rmd"
