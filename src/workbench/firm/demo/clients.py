"""What clients ask for and what the advisors write down: restrictions, CRM notes, and the special cases.

Special cases are single accounts made so that every feature of the workbench has something to find; `ROLES` says
which. The rest is drawn per household. Restrictions bind the simulation too: an account that must not sell a
security has not sold it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.firm.demo.ledger import lot_name
from workbench.firm.demo.people import ADVISORS, AccountPlan
from workbench.firm.schema import CASH

#: Special accounts: role, and what is special.
ROLES = {
    "concentrated": "about 60 % in one legacy security that is never sold",
    "emptied": "closed by the client 97 days ago: nothing held, value 0, still on the books",
    "new": "opened three sessions ago, all in cash",
    "no_model": "has no model",
    "no_birth_date": "a taxable account whose owner's birth date is missing",
    "expired": "a never-sell restriction that has expired while the holding is still there",
    "held_lot": "one lot that must not be sold",
    "min_cash": "a cash floor in dollars",
    "never_buy": "an officer of an issuer, who may not buy it",
    "never_hold": "a security the client may not hold at all, though some came in kind",
    "max_weight": "a cap on the weight of one security",
    "directive": "a client's dated instruction to raise cash",
}
_CONCENTRATION = 0.60
#: Advisors' names, who sign the notes.
AUTHORS = {advisor: name for advisor, name, _ in ADVISORS}


@dataclass(frozen=True)
class Restriction:
    """One row of `restrictions` before it is numbered. `value`: fraction for max_weight, dollars for cash."""

    scope: str
    scope_id: str
    kind: str
    key: str
    value: float | None
    reason: str
    source_document: str
    expires_on: pd.Timestamp | None = None


@dataclass(frozen=True)
class Note:
    """One row of `client_notes` before it is numbered."""

    household_id: str
    written_on: pd.Timestamp
    author: str
    kind: str
    text: str


@dataclass(frozen=True)
class Clients:
    """The plans as the clients' wishes have changed them, and the wishes on paper."""

    plans: tuple[AccountPlan, ...]
    restrictions: tuple[Restriction, ...]
    notes: tuple[Note, ...]


def settle(
    plans: Sequence[AccountPlan], sessions: pd.DatetimeIndex, growth: Callable[[str, pd.Timestamp], float]
) -> Clients:
    """Give the plans their special roles, their restrictions and their notes.

    `growth(security, since)` is a security's price growth to the as-of date, against that of its asset class.
    """
    as_of = sessions[-1]
    special = _assign_roles(list(plans), sessions, growth)
    final: list[AccountPlan] = []
    restrictions: list[Restriction] = []
    notes: list[Note] = []
    screened = {plan.household.household_id for plan in special if plan.household.sustainability != "none"}
    seen: set[str] = set()
    for plan in special:
        rng = np.random.default_rng([*plan.stream, 2])
        house = plan.household.household_id
        if house in screened:
            plan = replace(plan, screens=_screens(plan))
        plan, asked = _restrict(plan, rng, as_of)
        final.append(plan)
        restrictions += asked
        if house not in seen:
            seen.add(house)
            restrictions += _household_restrictions(plan)
            notes += _household_notes(plan, as_of)
        notes += _account_notes(plan, asked, as_of)
    known = [note for note in notes if note.written_on <= as_of]
    return Clients(tuple(final), tuple(restrictions), tuple(known))


# --- special roles ----------------------------------------------------------------------------------------------


def _assign_roles(
    plans: list[AccountPlan], sessions: pd.DatetimeIndex, growth: Callable[[str, pd.Timestamp], float]
) -> list[AccountPlan]:
    """Give each role to the first account that fits it and has none yet; a role that nobody fits stays empty."""
    as_of = sessions[-1]
    early = as_of - pd.Timedelta(days=3 * 365)
    fits: dict[str, Callable[[AccountPlan], bool]] = {
        "concentrated": lambda p: p.taxed and p.opened_on < early and bool(p.legacy),
        "emptied": lambda p: p.registration == "roth_ira" and p.opened_on < as_of - pd.Timedelta(days=300),
        "new": lambda p: p.registration == "taxable",
        "no_model": lambda p: p.taxed and bool(p.legacy),
        "no_birth_date": lambda p: p.registration == "taxable",
        "expired": lambda p: p.taxed and bool(p.legacy),
        "held_lot": lambda p: p.taxed and bool(p.legacy),
        "min_cash": lambda p: p.registration == "taxable" and p.opening_value > 200_000,
        "max_weight": lambda p: p.taxed,
        "never_buy": lambda p: bool(p.legacy),
        "never_hold": lambda p: bool(p.legacy),
        "directive": lambda p: p.taxed,
    }
    for role, fit in fits.items():
        index = next((i for i, p in enumerate(plans) if p.role == "ordinary" and fit(p)), None)
        if index is not None:
            plans[index] = replace(_play(plans[index], role, sessions, growth), role=role)
    return plans


def _play(
    plan: AccountPlan, role: str, sessions: pd.DatetimeIndex, growth: Callable[[str, pd.Timestamp], float]
) -> AccountPlan:
    """Change the plan as the role asks."""
    as_of = sessions[-1]
    if role == "concentrated":
        lead = growth(plan.legacy[0], plan.opened_on)
        share = _CONCENTRATION / (_CONCENTRATION + (1 - _CONCENTRATION) * lead)
        return replace(
            plan, legacy=plan.legacy[:1], legacy_share=share, keeps=frozenset(plan.legacy[:1]), withdrawal_rate=0.0,
            harvests=False, reinvests=False, fractional=False, opening_value=max(plan.opening_value, 250_000.0),
        )  # fmt: skip
    if role == "emptied":
        return replace(plan, emptied_on=as_of - pd.Timedelta(days=97))
    if role == "new":
        return replace(
            plan, opened_on=sessions[-4], invests=False, legacy=(), legacy_share=0.0, withdrawal_rate=0.0, deposit=0.0,
            deposit_months=(),
        )  # fmt: skip
    changes: dict[str, dict[str, object]] = {
        "no_model": {"model_id": None, "legacy_share": 0.8, "harvests": False},
        "no_birth_date": {"birth": None},
        "expired": {"keeps": frozenset(plan.legacy[:1])},
        "held_lot": {"held_lots": frozenset({lot_name(plan.account_id, 1)})},
        "min_cash": {"min_cash": float(round(plan.opening_value * 0.06, -3))},
        "max_weight": {"max_weights": ((plan.legacy[0] if plan.legacy else "AAPL", 0.02),)},
        "directive": {},
        "never_buy": {"shuns": frozenset(plan.legacy[-1:])},
        "never_hold": {"shuns": frozenset(plan.legacy[-1:])},
    }
    return replace(plan, **changes[role])  # type: ignore[arg-type]


# --- restrictions -----------------------------------------------------------------------------------------------


def _screens(plan: AccountPlan) -> frozenset[str]:
    """The household's screens, the same for each of its accounts."""
    every = ("fossil_fuel", "tobacco", "weapons")
    number = int(plan.household.household_id[1:])
    return frozenset(every[: 1 + number % 3])


def _household_restrictions(plan: AccountPlan) -> list[Restriction]:
    house = plan.household.household_id
    rows = [
        Restriction("household", house, "screen", tag, None, "The household's values", "Investment policy statement")
        for tag in sorted(plan.screens)
    ]
    return rows


def _restrict(
    plan: AccountPlan, rng: np.random.Generator, as_of: pd.Timestamp
) -> tuple[AccountPlan, list[Restriction]]:
    """Return the plan with its account-level restrictions, and those as rows."""
    rows: list[Restriction] = []
    account = plan.account_id

    def ask(kind: str, key: str, reason: str, value: float | None = None, **rest: pd.Timestamp) -> None:
        document = "Employer's trading policy" if kind in ("never_buy", "never_hold") else "Client instruction, signed"
        rows.append(Restriction("account", account, kind, key, value, reason, document, **rest))

    if plan.role == "ordinary" and plan.taxed and plan.legacy and rng.random() < 0.2:
        plan = replace(plan, keeps=frozenset(plan.legacy[:1]))
    if plan.role == "ordinary" and plan.legacy and rng.random() < 0.06:
        plan = replace(plan, shuns=frozenset(plan.legacy[-1:]) - plan.keeps)
    expiry = {"expires_on": as_of - pd.Timedelta(days=180)} if plan.role == "expired" else {}
    for security in sorted(plan.keeps):
        reason = "Tax hold until year end" if expiry else "Inherited position the client will not sell"
        ask("never_sell", security, reason, **expiry)
    for security in sorted(plan.shuns):
        if plan.role == "never_hold":
            ask("never_hold", security, "Audit client of the spouse's firm")
        else:
            ask("never_buy", security, "The client is an officer of the issuer")
    for lot in sorted(plan.held_lots):
        ask("hold_lot", lot, "Pledged as collateral")
    if plan.min_cash:
        ask("min_cash", CASH, "Tuition payments through the year", plan.min_cash)
    for security, weight in plan.max_weights:
        house = plan.household.household_id
        rows.append(
            Restriction(
                "account", account, "max_weight", security, weight, f"{house} holds more of it elsewhere",
                "Meeting minutes",
            )
        )  # fmt: skip
    if plan.role == "directive":
        due = as_of + pd.Timedelta(days=49)
        ask("directive", f"Raise 40,000 in cash by {due.date()}", "House purchase", 40_000.0, expires_on=due)
    return plan, rows


# --- notes ------------------------------------------------------------------------------------------------------


def _household_notes(plan: AccountPlan, as_of: pd.Timestamp) -> list[Note]:
    house = plan.household
    author = AUTHORS[house.advisor_id]
    reviewed = as_of - pd.Timedelta(days=house.reviewed_days_ago)
    words = ("very cautious", "cautious", "balanced", "growth-minded", "aggressive")[house.risk_tolerance - 1]
    notes = [
        Note(house.household_id, reviewed, author, "meeting",
             f"Annual review. Profile confirmed: {words}, liquidity need {house.liquidity_need}.")
    ]  # fmt: skip
    retired = house.birth + pd.DateOffset(years=66)
    if as_of - pd.Timedelta(days=6 * 365) < retired <= as_of:
        notes.append(
            Note(house.household_id, retired.normalize(), author, "life_event",
                 "Retired this month. Salary ends; withdrawals from the taxable account are being discussed.")
        )  # fmt: skip
    if plan.screens:
        tags = ", ".join(sorted(plan.screens)).replace("_", " ")
        notes.append(Note(house.household_id, plan.opened_on, author, "preference", f"Does not want to own: {tags}."))
    return notes


def _account_notes(plan: AccountPlan, asked: list[Restriction], as_of: pd.Timestamp) -> list[Note]:
    house, author = plan.household.household_id, AUTHORS[plan.household.advisor_id]
    notes = []
    for row in asked:
        if row.kind == "never_sell":
            words = f"Do not sell {row.key} in {plan.account_id}: {row.reason.lower()}."
            notes.append(Note(house, plan.opened_on, author, "instruction", words))
        elif row.kind == "directive":
            words = f"{row.key} from {plan.account_id}: {row.reason.lower()}."
            notes.append(Note(house, as_of - pd.Timedelta(days=12), author, "instruction", words))
    if plan.registration == "inherited_ira":
        died = plan.opened_on - pd.Timedelta(days=61)
        words = f"A parent died last month; the IRA passes to the client as inherited IRA {plan.account_id}."
        notes.append(Note(house, died, author, "life_event", words))
    if plan.role == "emptied":
        words = f"Moves {plan.account_id} to another firm; sell everything and send the cash."
        notes.append(Note(house, as_of - pd.Timedelta(days=99), author, "instruction", words))
    return notes


def restrictions_table(restrictions: Sequence[Restriction]) -> pd.DataFrame:
    """Return the `restrictions` table."""
    columns = ["scope", "scope_id", "kind", "key", "value", "reason", "source_document", "expires_on"]
    frame = pd.DataFrame([[getattr(row, c) for c in columns] for row in restrictions], columns=columns)
    frame.insert(0, "restriction_id", [f"R{n:05d}" for n in range(1, len(frame) + 1)])
    return frame.astype({"value": float, "expires_on": "datetime64[ms]", "key": "str"})


def notes_table(notes: Sequence[Note]) -> pd.DataFrame:
    """Return the `client_notes` table in order of date."""
    columns = ["household_id", "written_on", "author", "kind", "text"]
    frame = pd.DataFrame([[getattr(note, c) for c in columns] for note in notes], columns=columns)
    frame = frame.astype({"written_on": "datetime64[ms]"})
    frame = frame.sort_values(["written_on", "household_id", "text"], ignore_index=True)
    frame.insert(0, "note_id", [f"N{n:05d}" for n in range(1, len(frame) + 1)])
    return frame
