"""The demo desk: the demo firm, a person of each role, three months of decisions, and a queue to work through.

The people are made up and their decisions drawn from a seed; signals, checks and trail are real.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from sqlalchemy import Row, select

from workbench import governance
from workbench.decisions.demo_papers import bring_papers
from workbench.decisions.demo_words import edit_note, keep_measures
from workbench.errors import DecisionError
from workbench.firm import open_at
from workbench.firm.demo import build_firm
from workbench.governance import (
    Acknowledge,
    AddPerson,
    Approve,
    Command,
    Export,
    Fill,
    GrantRole,
    Override,
    Receipt,
    Reject,
    Release,
    Return,
    Role,
    Store,
    Submit,
    Sweep,
    Who,
)  # fmt: skip
from workbench.governance.confirmation import ConfirmGrant
from workbench.governance.people import change_password
from workbench.governance.tables import finding, role_grant, signal
from workbench.signals import Checker, bring

#: For the demo only: it guards made-up people on this machine's own address.
PASSWORD = "quarterly book 2022"
_FIRST_PASSWORD = "handed over in person"
ADMINISTRATOR, COMPLIANCE, SERVICE = "ada", "cora", "scheduler"
#: Identifier, name, role, book.
PEOPLE: tuple[tuple[str, str, Role, str], ...] = (
    ("ana", "Ana Ruiz", Role.ANALYST, "*"),
    ("ben", "Ben Sato", Role.ANALYST, "*"),
    ("petra", "Petra Novak", Role.PORTFOLIO_MANAGER, "*"),
    ("paul", "Paul Okoye", Role.PORTFOLIO_MANAGER, "*"),
    ("tom", "Tom Becker", Role.TRADER, "*"),
    ("cora", "Cora Mills", Role.COMPLIANCE, "*"),
    ("colin", "Colin Reyes", Role.COMPLIANCE, "*"),
    ("alice", "Alice Young", Role.ADVISOR, "ADV1"),
    ("adam", "Adam Kerr", Role.ADVISOR, "ADV2"),
    ("vera", "Vera Lang", Role.VIEWER, "*"),
    ("otto", "Otto Brandt", Role.AUDITOR, "*"),
)
#: Month ends before the demo firm's own day on which signals were decided about.
EARLIER = ("2022-09-30", "2022-10-31", "2022-11-30")
_REASONS = {
    "client_wish": "The client asked to wait for the house sale.",
    "tax": "More short-term gain than the client wants this year.",
    "timing": "Earnings are out on Thursday; look again after.",
    "cost": "Too small to be worth the tickets.",
    "risk": "Leaves too much in one issuer.",
}


@dataclass
class Hands:
    """The clock of the past and a seed: who did what when, in the demo's three months."""

    moment: datetime
    draws: np.random.Generator
    keys: Iterator[int]

    def clock(self) -> datetime:
        """Return the moment it is in the demo's past."""
        return self.moment

    def wait(self, hours: float) -> None:
        """Let time pass: about so many hours."""
        self.moment += timedelta(hours=float(hours * self.draws.uniform(0.5, 1.5)))

    def act(self, store: Store, person: str, command: Command) -> Receipt:
        """Perform one act as somebody and return the answer. Raises what the store raises."""
        return store.perform(Who(person), command, f"demo:{next(self.keys)}")

    def act_at(self, store: Store, moment: datetime, person: str, command: Command) -> Receipt:
        """Perform one act as somebody at a moment, or now where that is past."""
        self.moment = max(self.moment, moment)
        return self.act(store, person, command)


def build(store: Store, folder: Path, *, seed: int = 7) -> Checker:
    """Fill an empty store: people, three months of decisions, and today's queue. Returns the checker of today's firm.

    Each month's signals are made of the firm as it was sealed then; these snapshots are built into `folder`. The
    store's clock is the demo's while the past is made, and its own again afterwards.
    """
    live = store.clock
    hands = Hands(_evening(EARLIER[0]), np.random.default_rng(seed), count())
    store.clock = hands.clock
    try:
        _people(store, hands)
        for day in EARLIER:
            hands.moment = max(hands.moment, _evening(day))
            hands.act(store, SERVICE, Sweep())
            bring(store, Checker(build_firm(folder / day, as_of=day)), Who(SERVICE))
            _decide(store, hands, day)
        keep_measures(lambda moment, person, command: hands.act_at(store, moment, person, command), live())
    finally:
        store.clock = live
    store.perform(Who(SERVICE), Sweep(), "demo:sweep")
    checker = Checker(open_at("demo"))
    bring(store, checker, Who(SERVICE))
    today = Hands(live(), hands.draws, hands.keys)
    _today(store, today)
    bring_papers(store, lambda person, command: today.act(store, person, command), Who(SERVICE), checker.firm)
    return checker


def _people(store: Store, hands: Hands) -> None:
    governance.bootstrap(store, ADMINISTRATOR, "Ada Lindqvist", "ada@firm.example", PASSWORD)
    compliance_first = sorted(PEOPLE, key=lambda one: one[0] != COMPLIANCE)
    rows = (*compliance_first, (SERVICE, "The nightly run", Role.SERVICE, "*"))
    for person, name, role, book in rows:
        kind: Literal["person", "service"] = "service" if role is Role.SERVICE else "person"
        email = None if kind == "service" else f"{person}@firm.example"
        hands.act(store, ADMINISTRATOR, AddPerson(person, name, kind, email))
        given = hands.act(store, ADMINISTRATOR, GrantRole(person, role, book, "The demo firm's team"))
        if given.state == "waits":
            hands.act(store, COMPLIANCE, ConfirmGrant(_waiting(store, person)))
        if kind == "person":
            governance.set_password(store, Who(ADMINISTRATOR), person, _FIRST_PASSWORD, f"demo:first:{person}")
            change_password(store, Who(person), _FIRST_PASSWORD, PASSWORD, f"demo:own:{person}")


def _waiting(store: Store, person: str) -> str:
    waits = select(role_grant.c.grant_id).where(
        role_grant.c.person_id == person, role_grant.c.needs_confirming == 1, role_grant.c.confirmed_at.is_(None)
    )
    with store.reading() as connection:
        return str(connection.execute(waits).scalar_one())


def _decide(store: Store, hands: Hands, day: str) -> None:
    """Let the team work through the signals of one day; some are left to expire."""
    for row in _rows(store, day, "checked"):
        draw = hands.draws.random()
        hands.wait(0.05)
        if draw < 0.12 or row.mode == "monitor":
            continue
        if _blocked(store, row.signal_id):
            if draw < 0.5:
                _reject(store, hands, row.signal_id)
            continue
        maker = "ana" if draw < 0.6 else "ben"
        if hands.draws.random() < 0.3:
            hands.wait(0.1)
            edit_note(store, lambda person, command: hands.act(store, person, command), hands.draws, row.signal_id)
        _submit(store, hands, maker, row.signal_id)
        if draw > 0.9:
            hands.wait(0.3)
            _return(store, hands, row.signal_id)
        elif draw > 0.8:
            hands.wait(0.3)
            _reject(store, hands, row.signal_id)
        else:
            _approve_and_release(store, hands, row.signal_id)


def _approve_and_release(store: Store, hands: Hands, signal_id: str) -> None:
    for approver in ("petra", "cora"):
        row = _row(store, signal_id)
        if row.state == "submitted":
            hands.wait(0.4)
            hands.act(store, approver, Approve(signal_id, row.version, row.sheet_hash))
    row = _row(store, signal_id)
    if row.state != "approved" or row.mode != "release":
        return
    hands.wait(0.2)
    hands.act(store, "tom", Release(signal_id, row.version, row.sheet_hash))
    row = _row(store, signal_id)
    ticket = row.package_hash
    hands.act(store, SERVICE, Export(signal_id, row.version, ticket))
    hands.act(store, SERVICE, Acknowledge(signal_id, row.version + 1, f"OMS-{signal_id[-6:]}"))
    hands.wait(2.0)
    hands.act(store, SERVICE, Fill(signal_id, row.version + 2, True, row.traded, f"OMS-{signal_id[-6:]}"))


def _today(store: Store, hands: Hands) -> None:
    """Leave today's queue in every state a visitor may want to see, most of it still to do."""
    rows = [row for row in _rows(store, None, "checked") if not _blocked(store, row.signal_id)]
    ready = sorted((row for row in rows if row.mode != "monitor"), key=lambda row: row.rank)
    release = [row.signal_id for row in ready if row.mode == "release"]
    for place, signal_id in enumerate(release[:4]):
        _submit(store, hands, "ana", signal_id)
        if place:
            row = _row(store, signal_id)
            hands.act(store, "petra", Approve(signal_id, row.version, row.sheet_hash))
    others = [row.signal_id for row in ready if row.signal_id not in release]
    for signal_id in others[:6]:
        _submit(store, hands, "ben", signal_id)
    for signal_id in others[4:5]:
        _return(store, hands, signal_id)
    for signal_id in others[5:6]:
        _reject(store, hands, signal_id)
    _override_one(store, hands)


def _override_one(store: Store, hands: Hands) -> None:
    with store.reading() as connection:
        found = connection.execute(
            select(finding.c.signal_id, finding.c.rule_id, finding.c.rule_version)
            .join(signal, signal.c.signal_id == finding.c.signal_id)
            .where(finding.c.verdict == "block", finding.c.overridable == 1, signal.c.state == "checked")
            .order_by(finding.c.rule_id, finding.c.signal_id)
            .limit(1)
        ).first()
    if found is not None:
        version = _row(store, found.signal_id).version
        reason = "Legacy holding, the client keeps it by written instruction; reviewed with the committee."
        hands.act(store, "cora", Override(found.signal_id, version, found.rule_id, found.rule_version, reason))


def _submit(store: Store, hands: Hands, person: str, signal_id: str) -> None:
    row = _row(store, signal_id)
    hands.act(store, person, Submit(signal_id, row.version, row.sheet_hash))


def _return(store: Store, hands: Hands, signal_id: str) -> None:
    row, code = _row(store, signal_id), hands.draws.choice(list(_REASONS))
    hands.act(store, "paul", Return(signal_id, row.version, str(code), _REASONS[str(code)]))  # type: ignore[arg-type]


def _reject(store: Store, hands: Hands, signal_id: str) -> None:
    row, code = _row(store, signal_id), hands.draws.choice(list(_REASONS))
    hands.act(store, "petra", Reject(signal_id, row.version, str(code), _REASONS[str(code)]))  # type: ignore[arg-type]


def _blocked(store: Store, signal_id: str) -> bool:
    return _row(store, signal_id).verdict in ("block", "not_assessable")


def _row(store: Store, signal_id: str) -> Row:
    with store.reading() as connection:
        row = connection.execute(select(signal).where(signal.c.signal_id == signal_id)).one_or_none()
    if row is None:
        raise DecisionError(f"there is no signal {signal_id}")
    return row


def _rows(store: Store, day: str | None, state: str) -> Sequence[Row]:
    query = select(signal).where(signal.c.state == state).order_by(signal.c.rank, signal.c.signal_id)
    with store.reading() as connection:
        return connection.execute(query if day is None else query.where(signal.c.as_of == day)).all()


def _evening(day: str) -> datetime:
    return pd.Timestamp(day).to_pydatetime().replace(tzinfo=UTC) + timedelta(hours=22)
