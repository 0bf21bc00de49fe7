"""The fact sheet of a household: what its letter, its brief and its talking points may say."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.drafting.facts import FactSheet
from workbench.drafting.on_file import Directory, Extras
from workbench.drafting.sheets.gathering import Gathering, worded
from workbench.drafting.sheets.household_drift import drift_facts
from workbench.drafting.sheets.household_notes import note_facts
from workbench.drafting.sheets.household_readings import ACCOUNTS, ADVISORS, HOUSEHOLDS, POSITIONS, VALUES
from workbench.drafting.sheets.household_tax import tax_facts
from workbench.drafting.sheets.household_trades import trade_facts
from workbench.drafting.spelling import one_line
from workbench.firm.schema import REGISTRATION_NAMES
from workbench.rebalance.proposal import AccountState, Proposal
from workbench.rebalance.words import endings

#: How a client calls a kind of account.
_CALLED = REGISTRATION_NAMES | {"taxable": "taxable account", "trust": "trust account"}


def household_sheet(proposal: Proposal, extras: Extras, named: Directory) -> FactSheet:
    """Return all that may be said of a household. Raises `FactError` for a record that cannot be told rightly.

    `extras` is what is on file of it, `named` how the firm calls its advisors, securities and models.
    """
    facts = Gathering("household", proposal.household_id, proposal.as_of.isoformat(), extras.snapshot)
    household = _household(facts, proposal, named)
    accounts = _accounts(facts, proposal, household)
    drift_facts(facts, proposal, extras.sleeves, named, accounts)
    trade_facts(facts, proposal, named, household, accounts)
    tax_facts(facts, proposal, named, household, accounts)
    note_facts(facts, extras, household, accounts)
    models = {group.model_id for group in proposal.groups}
    about = (household, *(f"model:{model}" for model in sorted(models) if len(models) == 1))
    return facts.sheet(about)


def _household(facts: Gathering, proposal: Proposal, named: Directory) -> str:
    row = f"row {proposal.household_id}"
    name = worded(proposal.household_name, "household") if proposal.household_name.strip() else proposal.household_id
    greeted = name.removeprefix("The ")
    key = facts.entity(f"household:{proposal.household_id}", "household", name, greeted, proposal.household_id)
    facts.fact("as_of", "date", proposal.as_of.isoformat(), "as_of", POSITIONS, "the day of the book", of=())
    facts.fact("household.name", "name", name, "named", HOUSEHOLDS, f"{row}, name", of=(key,))
    facts.fact("household.greeting", "name", greeted, "named", HOUSEHOLDS, f"{row}, name", of=(key,))
    advisor = one_line(named.advisors.get(proposal.advisor_id, proposal.advisor_id))
    person = facts.entity(f"advisor:{proposal.advisor_id}", "advisor", advisor, proposal.advisor_id)
    facts.fact("advisor.name", "name", advisor, "named", ADVISORS, f"row {proposal.advisor_id}, name", of=(person,))
    return key


def _accounts(facts: Gathering, proposal: Proposal, household: str) -> dict[str, str]:
    """Add what is to be said of each account, largest first; return how each is called, by identifier."""
    ending = endings(account.account_id for account in proposal.accounts)
    ordered: Sequence[AccountState] = sorted(proposal.accounts, key=lambda one: (-one.value, one.account_id))
    called = {}
    for place, account in enumerate(ordered, start=1):
        kind = _CALLED.get(account.registration, account.registration.replace("_", " ") + " account")
        name = f"{kind} ending {ending[account.account_id]}"
        key = facts.entity(f"account:{account.account_id}", "account", name, account.account_id)
        row = f"row {account.account_id}"
        start = f"account.{place}"
        facts.fact(f"{start}.name", "name", name, "named", ACCOUNTS, f"{row}, registration", of=(key,))
        facts.fact(f"{start}.value", "money", account.value, "household_assets", VALUES, row, of=(key,))
        called[account.account_id] = name
    traded = {trade.account_id for trade in proposal.trades}
    inherited = [one.account_id for one in ordered if one.registration == "inherited_ira" and one.account_id in traded]
    for place, account_id in enumerate(inherited, start=1):
        row, of = f"row {account_id}, registration", (f"account:{account_id}",)
        facts.fact(f"inherited.{place}.name", "name", called[account_id], "named", ACCOUNTS, row, of=of)
    if ordered:
        row, value = f"accounts of {proposal.household_id}", sum(account.value for account in ordered)
        facts.fact("accounts.count", "count", len(ordered), "accounts_number", ACCOUNTS, row, of=(household,))
        facts.fact("accounts.value", "money", value, "household_assets", VALUES, row, of=(household,))
    return called
