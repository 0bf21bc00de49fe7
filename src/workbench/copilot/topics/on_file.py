"""What stands in a household's file: restrictions, notes, profile, and the plain facts of its accounts."""

from __future__ import annotations

import re

import pandas as pd

from workbench.copilot.gather import Gathered, slug
from workbench.copilot.topics.asked import MONTHS, Asked, NotInRecordError
from workbench.copilot.topics.drift import subject
from workbench.drafting import FactSheet

#: Notes that an answer quotes.
QUOTED = 3
#: Kinds of note by the words that ask for them alone.
_NOTE_KINDS = (
    (re.compile(r"\b(?:meet\w*|met)\b"), "meeting"),
    (re.compile(r"\b(?:instruct\w*)\b"), "instruction"),
    (re.compile(r"\b(?:preferences?)\b"), "preference"),
    (re.compile(r"\blife events?\b"), "life_event"),
)
#: What a note is asked to be about, and how many letters of it must stand in the note.
_ABOUT = re.compile(
    r"\b(?:about|regarding|concerning|mention\w*) (?:(?:the|their|his|her|its|a|an|any) |\u00a7(?:household|account) )*"
    r"(?!(?:the|their|his|her|its|a|an|any|them|him|this|that|it)\b)([a-z]{4,})"
)
_STEM = 5


def restrictions(asked: Asked) -> tuple[FactSheet, str]:
    """Restrictions in force on a household and its accounts, in the words of the record."""
    record = asked.record
    gathered = Gathered(record, "restrictions")
    key = subject(gathered, asked)
    gathered.day()
    gathered.read("firm.open_at", f"restrictions of {asked.account or asked.household}", "restrictions")
    table = record.restrictions
    scopes = {*asked.accounts, str(asked.household)}
    table = table[table["scope_id"].isin(scopes)]
    past = record.firm.table("restrictions")
    past = past[past["scope_id"].isin(scopes) & (past["expires_on"] < record.as_of)].sort_values("restriction_id")
    for place, row in enumerate(past.to_dict("records"), start=1):
        named = gathered.account(str(row["scope_id"])) if row["scope"] == "account" else key
        id = f"past.{place}.{slug(str(row['kind']))}"
        gathered.name(f"{id}.scope", named)
        if row["key"] in record.securities.index and row["key"] != "CASH":
            gathered.name(f"{id}.security", gathered.security(str(row["key"])))
        gathered.fact(f"{id}.on", "date", str(row["expires_on"].date()), "ask_expires", [named])
    for place, row in enumerate(table.to_dict("records"), start=1):
        id = f"rule.{place}.{slug(str(row['kind']))}"
        named = gathered.account(str(row["scope_id"])) if row["scope"] == "account" else key
        if row["scope"] == "account":
            gathered.name(f"{id}.account", named)
        if row["key"] in record.securities.index and row["key"] != "CASH":
            gathered.name(f"{id}.security", gathered.security(str(row["key"])))
        elif row["kind"] in ("screen", "hold_lot", "directive") and str(row["key"]).strip():
            gathered.fact(f"{id}.key", "name", str(row["key"]).replace("_", " "), "named", [named])
        if pd.notna(row["value"]):
            of = [named]
            if row["kind"] == "max_weight":
                gathered.fact(f"{id}.weight", "percent", float(row["value"]), "ask_cap", of)
            else:
                gathered.fact(f"{id}.amount", "money", float(row["value"]), "ask_restricted", of)
        if str(row["reason"] or "").strip():
            gathered.fact(f"{id}.reason", "quote", str(row["reason"]), "quoted", [named])
        if pd.notna(row["expires_on"]):
            gathered.fact(f"{id}.until", "date", str(row["expires_on"].date()), "ask_expires", [named])
    return gathered.done(), "answer_restrictions"


def notes(asked: Asked) -> tuple[FactSheet, str]:
    """The latest notes on file, quoted with day and author; those of a month, or that mention what is named, alone."""
    gathered = Gathered(asked.record, "notes")
    key = gathered.household(str(asked.household))
    gathered.about(key)
    gathered.name("subject", key)
    table = asked.record.notes
    table = table[table["household_id"] == asked.household]
    for words, kind in _NOTE_KINDS:
        if words.search(asked.text):
            table = table[table["kind"] == kind]
    table = _mentioning(asked, _written_in(asked, table))
    if table.empty:
        raise NotInRecordError("There is no such note on file for this household.")
    for place, row in enumerate(table.head(QUOTED).to_dict("records"), start=1):
        gathered.read("firm.open_at", f"note {row['note_id']}", "client_notes")
        gathered.fact(f"note.{place}.on", "date", str(row["written_on"].date()), "ask_written", [key])
        gathered.name(f"note.{place}.author", gathered.entity("person", slug(str(row["author"])), str(row["author"])))
        gathered.fact(f"note.{place}.text", "quote", str(row["text"]), "quoted", [key])
    return gathered.done(), "answer_notes"


def _written_in(asked: Asked, table: pd.DataFrame) -> pd.DataFrame:
    """The notes of the month or year that is named; all where none is."""
    dated = re.search(rf"(?:\b({'|'.join(MONTHS)}) )?\b((?:19|20)\d\d)\b", asked.text)
    if dated is None:
        return table
    written = table["written_on"].dt
    found = written.year == int(dated[2])
    return table[found & (written.month == 1 + MONTHS.index(dated[1]))] if dated[1] else table[found]


def _mentioning(asked: Asked, table: pd.DataFrame) -> pd.DataFrame:
    """The notes whose text has the security named, and the word behind "about"."""
    text = table["text"].str.lower()
    kept = pd.Series(True, index=table.index)
    if asked.security:
        name = str(asked.record.securities.loc[asked.security, "name"]).lower().split()[0]
        kept &= text.str.contains(rf"\b{re.escape(asked.security.lower())}\b|\b{re.escape(name)}\b")
    about = _ABOUT.search(asked.text)
    if about is not None:
        # By its first letters, so that "retirement" finds "retired".
        kept &= text.str.contains(rf"\b{re.escape(about[1][:_STEM])}")
    return table[kept]


def consent(asked: Asked) -> tuple[FactSheet, str]:
    """Which accounts are discretionary, and for which a client must agree first."""
    gathered = Gathered(asked.record, "consent")
    subject(gathered, asked)
    gathered.read("firm.open_at", "discretionary", "accounts")
    for account in asked.accounts:
        free = bool(asked.record.accounts.loc[account, "discretionary"])
        gathered.name(f"{'free' if free else 'asks'}.{slug(account)}", gathered.account(account))
    return gathered.done(), "answer_consent"


def accounts(asked: Asked) -> tuple[FactSheet, str]:
    """A household's accounts with registration, model and custodian."""
    record = asked.record
    gathered = Gathered(record, "accounts")
    key = subject(gathered, asked)
    gathered.read("firm.open_at", f"accounts of {asked.household}", "accounts", "custodians", "models")
    gathered.fact("count", "count", len(asked.accounts), "ask_accounts", [key])
    for place, account in enumerate(asked.accounts, start=1):
        row = record.accounts.loc[account]
        id = f"account.{place}"
        gathered.name(f"{id}.name", gathered.account(account))
        gathered.name(f"{id}.{row['registration']}", gathered.account(account))
        if pd.notna(row["model_id"]):
            gathered.name(f"{id}.model", gathered.model(str(row["model_id"])))
        custodian = str(row["custodian_id"])
        gathered.name(
            f"{id}.custodian", gathered.entity("custodian", custodian, str(record.custodians.loc[custodian, "name"]))
        )
    return gathered.done(), "answer_accounts"


def opened(asked: Asked) -> tuple[FactSheet, str]:
    """The day an account was opened. Raises `NotInRecordError` where none is on file."""
    gathered = Gathered(asked.record, "opened")
    key = subject(gathered, asked)
    day = asked.record.accounts.loc[str(asked.account), "opened_on"]
    if pd.isna(day):
        raise NotInRecordError("The day it was opened is not in the record.")
    gathered.read("firm.open_at", f"opened_on of {asked.account}", "accounts")
    gathered.fact("day", "date", str(day.date()), "ask_opened", [key])
    return gathered.done(), "answer_opened"


def model_of(asked: Asked) -> tuple[FactSheet, str]:
    """Which model each account follows, and the version in force."""
    record = asked.record
    gathered = Gathered(record, "model_of")
    subject(gathered, asked)
    gathered.read("firm.open_at", "model_id", "accounts", "models")
    for place, account in enumerate(asked.accounts, start=1):
        row = record.accounts.loc[account]
        gathered.name(f"account.{place}.name", gathered.account(account))
        if pd.notna(row["model_id"]):
            model = gathered.model(str(row["model_id"]))
            gathered.name(f"account.{place}.model", model)
    return gathered.done(), "answer_model_of"


def advisor(asked: Asked) -> tuple[FactSheet, str]:
    """Who looks after a household."""
    record = asked.record
    gathered = Gathered(record, "advisor")
    gathered.name("subject", gathered.household(str(asked.household)))
    gathered.read("firm.open_at", f"household {asked.household}", "households", "advisors")
    row = record.advisors.loc[record.households.loc[asked.household, "advisor_id"]]
    gathered.name("advisor", gathered.entity("advisor", str(row["advisor_id"]), str(row["name"])))
    return gathered.done(), "answer_advisor"


def profile(asked: Asked) -> tuple[FactSheet, str]:
    """Risk tolerance and capacity, horizon and the day of the last review."""
    profiles = asked.record.firm.table("profiles").set_index("household_id")
    if asked.household not in profiles.index:
        raise NotInRecordError("There is no profile on file for this household.")
    row = profiles.loc[asked.household]
    gathered = Gathered(asked.record, "profile")
    key = gathered.household(str(asked.household))
    gathered.about(key)
    gathered.name("subject", key)
    gathered.read("firm.open_at", f"profile of {asked.household}", "profiles")
    gathered.fact("tolerance", "number", float(row["risk_tolerance"]), "ask_tolerance", [key], decimals=0)
    gathered.fact("capacity", "number", float(row["risk_capacity"]), "ask_capacity", [key], decimals=0)
    gathered.fact("horizon", "number", float(row["horizon_years"]), "ask_horizon", [key], decimals=0)
    gathered.fact("objective", "quote", str(row["objective"]), "quoted", [key])
    gathered.fact("reviewed", "date", str(row["reviewed_on"].date()), "ask_reviewed", [key])
    return gathered.done(), "answer_profile"
