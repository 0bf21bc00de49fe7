"""People of each role, and signals placed in any state by real commands: what tests of decisions start from."""

from __future__ import annotations

from sqlalchemy import insert

from workbench.governance.access import Who
from workbench.governance.audit.record import Entry
from workbench.governance.commands import Approve, Check, Create, Document, Finding, Release, Submit, Summary
from workbench.governance.drafts import HOW_IT_WAS_MADE
from workbench.governance.roles import Role
from workbench.governance.states import Mode
from workbench.governance.tables import person, role_grant

INPUTS = "1" * 64
RULES = "2" * 64
#: How a machine made a draft, by hash.
HOW = tuple((name, "7" * 64) for name in HOW_IT_WAS_MADE)
#: person -> (role, book); `nightly` is a service.
STAFF = {
    "nightly": (Role.SERVICE, "*"),
    "vera": (Role.VIEWER, "*"),
    "adam": (Role.ADVISOR, "ADV1"),
    "ann": (Role.ANALYST, "*"),
    "anton": (Role.ANALYST, "ADV2"),
    "paula": (Role.PORTFOLIO_MANAGER, "*"),
    "peter": (Role.PORTFOLIO_MANAGER, "*"),
    "pia": (Role.PORTFOLIO_MANAGER, "ADV2"),
    "tom": (Role.TRADER, "*"),
    "cleo": (Role.COMPLIANCE, "*"),
    "carl": (Role.COMPLIANCE, "*"),
    "otto": (Role.ADMINISTRATOR, "*"),
    "ada": (Role.AUDITOR, "*"),
}


def staff(store, people=STAFF, *, recorded=False, password_hash=None):
    """Write people and their roles straight into the tables; `recorded` also with a record of each in the trail."""
    with store.writing() as unit:
        for name, (role, book) in people.items():
            if recorded:
                unit.examine("person", name)
            kind = "service" if role is Role.SERVICE else "person"
            row = {"person_id": name, "name": name.title(), "kind": kind, "active": 1, "created_at": unit.now}
            if kind == "person":
                row["password_hash"] = password_hash
            unit.connection.execute(insert(person), row)
            grant = {"grant_id": f"grant-{name}", "person_id": name, "role": str(role), "book": book}
            unit.connection.execute(insert(role_grant), {**grant, "granted_by": "otto", "granted_at": unit.now})
            if recorded:
                unit.append(Entry("manage_people", "done", "person", name, 0, "otto", "person", ("administrator",)))
    return store


def package(text="{}"):
    return Document("package", "application/json", text.encode())


def proposal(number=1, **changed):
    """A command that brings a proposal for household H{number} in."""
    given = {
        "household_id": f"H{number}",
        "household_name": f"Household {number}",
        "book": "ADV1",
        "models": ("BAL",),
        "accounts": (f"A{number}",),
        "policy": "tax_aware",
        "mode": Mode.RELEASE,
        "package": package(f'{{"household":"H{number}"}}'),
        "brief": None,
        "inputs_hash": INPUTS,
        "snapshot": "3" * 64,
        "summary": Summary("2022-12-28", trades=3, traded=100_000_00, tax=1_000, cost=500, benefit=9_000, rank=number),
    }
    return Create(**{**given, **changed})


def finding(rule_id="cash_floor", verdict="pass", *, overridable=True, version=1):
    return Finding(rule_id, version, verdict, "0.01", "0.02", "Cash after the trades.", overridable)


def check(receipt, *findings, inputs=INPUTS, rules=RULES):
    found = findings or (finding(),)
    body = repr([(item.rule_id, item.verdict) for item in found]).encode()
    return Check(
        receipt.object_id, receipt.version, Document("preflight", "application/json", body), found, inputs, rules
    )


def created(store, number=1, key=None, **changed):
    return store.perform(Who("nightly"), proposal(number, **changed), key or f"create-{number}")


def checked(store, number=1, findings=(), **changed):
    receipt = created(store, number, **changed)
    return store.perform(Who("nightly"), check(receipt, *findings), f"check-{number}")


def submitted(store, number=1, by="ann", **changed):
    receipt = checked(store, number, **changed)
    return store.perform(Who(by), Submit(receipt.object_id, receipt.version, receipt.sheet_hash), f"submit-{number}")


def approved(store, number=1, by=("paula",), **changed):
    receipt = submitted(store, number, **changed)
    for name in by:
        command = Approve(receipt.object_id, receipt.version, receipt.sheet_hash)
        receipt = store.perform(Who(name), command, f"approve-{number}-{name}")
    return receipt


def released(store, number=1, by="tom", **changed):
    receipt = approved(store, number, **changed)
    return store.perform(Who(by), Release(receipt.object_id, receipt.version, receipt.sheet_hash), f"release-{number}")
