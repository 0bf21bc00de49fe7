"""Questions of a whole book: who holds a security, and who still has to take a required distribution."""

from __future__ import annotations

import pandas as pd

from workbench.copilot.gather import Gathered
from workbench.copilot.topics.asked import Asked
from workbench.copilot.topics.drift import LISTED
from workbench.drafting import FactSheet


def _of_book(asked: Asked, household: pd.Series) -> pd.Series:
    """Say of each row, by its household, whether it is in the asker's book."""
    return household.map(asked.record.households["advisor_id"].map(asked.scope.covers)).astype(bool)


def holders(asked: Asked) -> tuple[FactSheet, str]:
    """Accounts and households of the book that hold a security, how much of it, and the largest holders."""
    record, security = asked.record, str(asked.security)
    gathered = Gathered(record, "holders")
    other = gathered.security(security)
    gathered.about(other)
    gathered.name("security", other)
    gathered.day()
    gathered.read("firm.positions", f"{security} of the book", "positions", "prices")
    frame = record.holdings
    frame = frame[(frame["security_id"] == security) & (frame["quantity"] > 0)]
    frame = frame[_of_book(asked, frame["household_id"])]
    frame = frame.sort_values(["value", "account_id"], ascending=[False, True])
    gathered.fact("accounts", "count", len(frame), "ask_accounts", [other])
    if frame.empty:
        return gathered.done(), "answer_holders"
    gathered.fact("households", "count", frame["household_id"].nunique(), "ask_households", [other])
    gathered.fact("shares", "shares", float(frame["quantity"].sum()), "ask_shares", [other])
    gathered.fact("value", "money", float(frame["value"].sum()), "ask_value", [other])
    for place, row in enumerate(frame.head(LISTED).itertuples(), start=1):
        account = gathered.account(str(row.account_id))
        id = f"account.{place}"
        gathered.name(f"{id}.name", account)
        gathered.name(f"{id}.household", gathered.household(str(row.household_id)))
        gathered.fact(f"{id}.shares", "shares", float(row.quantity), "ask_shares", [account, other])
        gathered.fact(f"{id}.value", "money", float(row.value), "ask_value", [account, other])
    return gathered.done(), "answer_holders"


def distributions(asked: Asked) -> tuple[FactSheet, str]:
    """How many owners of the book must take a distribution this year, and which have not taken all of it."""
    record = asked.record
    gathered = Gathered(record, "rmd_book")
    gathered.day()
    gathered.read("tax.required_distributions", "distributions of the book", "accounts", "transactions", "prices")
    rows = record.distributions
    due = rows.due[_of_book(asked, rows.due["household_id"])]
    still = due[due["outstanding"] > 0].sort_values("outstanding", ascending=False, kind="stable")
    gathered.fact("due", "count", len(due), "ask_rmd_owners")
    gathered.fact("still", "count", len(still), "ask_rmd_owners")
    for place, row in enumerate(still.head(LISTED).to_dict("records"), start=1):
        account = gathered.account(str(row["account_ids"][0]))
        gathered.name(f"due.{place}.name", account)
        gathered.name(f"due.{place}.household", gathered.household(str(row["household_id"])))
        gathered.fact(
            f"due.{place}.outstanding", "money", float(row["outstanding"]), "ask_rmd_outstanding", [account], decimals=2
        )
        gathered.fact(f"due.{place}.by", "date", str(row["due_by"].date()), "ask_rmd_by", [account])
    unclear = rows.for_a_person
    unclear = unclear[_of_book(asked, unclear["household_id"])]
    gathered.fact("person", "count", len(unclear), "ask_accounts")
    unknown = due["outstanding"].isna()
    gathered.fact("unknown", "count", int(unknown.sum()), "ask_rmd_owners")
    return gathered.done(), "answer_rmd_book"
