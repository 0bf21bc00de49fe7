"""What a household's brief shows beside its proposal: notes on file, recent cash, restrictions, who looks after it.

Read from the firm once for all households. Notes and reasons are a client's or an adviser's own words: they are
passed on as they are, and only ever shown as quoted text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from workbench.drafting.on_file import Extras, Flow, Note, Restriction
from workbench.firm import Firm

#: Calendar days before the as-of date in which a deposit or withdrawal is recent.
RECENT_DAYS = 45


def household_files(
    firm: Firm,
    households: Iterable[str] | None = None,
    *,
    hashes: Mapping[str, str] | None = None,
    ranks: Mapping[str, int] | None = None,
) -> dict[str, Extras]:
    """Return the file of each household (all of the firm's where none are named).

    `hashes` are the content hashes of their proposals and `ranks` their places in the queue. Notes are newest first,
    flows those of the last `RECENT_DAYS`, newest first, and restrictions those in force on the firm's as-of date.
    """
    table = firm.table("households", ["household_id", "advisor_id"])
    wanted = set(table["household_id"]) if households is None else set(households)
    table = table[table["household_id"].isin(wanted)]
    accounts = firm.table("accounts", ["account_id", "household_id"])
    home = dict(zip(accounts["account_id"], accounts["household_id"]))
    advisors = firm.table("advisors", ["advisor_id", "name", "office"])
    words = {row.advisor_id: f"{row.name}, {row.office}" for row in advisors.itertuples(index=False)}
    named = firm.table("sleeves", ["sleeve_id", "name"])
    sleeves = dict(zip(named["sleeve_id"].astype(str), named["name"].astype(str)))
    notes, flows, restrictions = _notes(firm), _flows(firm, home), _restrictions(firm, home)
    return {
        household: Extras(
            advisor=words[advisor],
            notes=tuple(notes[household]),
            flows=tuple(flows[household]),
            restrictions=tuple(restrictions[household]),
            snapshot=firm.content_hash,
            proposal_hash=(hashes or {}).get(household, ""),
            rank=(ranks or {}).get(household),
            sleeves=sleeves,
        )
        for household, advisor in zip(table["household_id"], table["advisor_id"])
    }


def _notes(firm: Firm) -> defaultdict[str, list[Note]]:
    found: defaultdict[str, list[Note]] = defaultdict(list)
    table = firm.table("client_notes")
    table = table[table["written_on"] <= firm.as_of]
    for row in table.sort_values(["written_on", "note_id"], ascending=[False, True]).itertuples(index=False):
        found[row.household_id].append(Note(row.written_on.date(), row.author, row.kind, row.text, row.note_id))
    return found


def _flows(firm: Firm, home: Mapping[str, str]) -> defaultdict[str, list[Flow]]:
    found: defaultdict[str, list[Flow]] = defaultdict(list)
    table = firm.table("transactions", ["transaction_id", "account_id", "trade_date", "kind", "amount"])
    recent = table["trade_date"].gt(firm.as_of - pd.Timedelta(days=RECENT_DAYS)) & table["trade_date"].le(firm.as_of)
    table = table[recent & table["kind"].isin(["deposit", "withdrawal"])]
    for row in table.sort_values(["trade_date", "transaction_id"], ascending=[False, True]).itertuples(index=False):
        found[home[row.account_id]].append(Flow(row.account_id, row.trade_date.date(), float(row.amount)))
    return found


def _restrictions(firm: Firm, home: Mapping[str, str]) -> defaultdict[str, list[Restriction]]:
    found: defaultdict[str, list[Restriction]] = defaultdict(list)
    table = firm.table("restrictions")
    table = table[table["expires_on"].isna() | (table["expires_on"] >= firm.as_of)]
    for row in table.sort_values("restriction_id").itertuples(index=False):
        whole = row.scope == "household"
        household = row.scope_id if whole else home.get(row.scope_id)
        if household is not None:
            found[household].append(_restriction(row, None if whole else row.scope_id))
    return found


def _restriction(row: Any, account: str | None) -> Restriction:
    return Restriction(
        row.restriction_id,
        account,
        row.kind,
        row.key,
        None if pd.isna(row.value) else float(row.value),
        row.reason,
        None if pd.isna(row.expires_on) else row.expires_on.date(),
    )
