"""The whole page in `grid`, through the store: whatever is refused changes nothing, whatever is allowed can be done."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import asdict
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from tests.conftest import Clock
from tests.governance import cases, grid
from workbench.errors import AccessError
from workbench.governance import commands
from workbench.governance.access import Who
from workbench.governance.audit.record import Entry
from workbench.governance.commands import Document
from workbench.governance.store import open_store
from workbench.governance.tables import (
    approval,
    audit,
    draft,
    finding,
    household_inputs,
    maker,
    person,
    role_grant,
    signal,
)

MARKS, IN_MODES = grid.on_signals(), grid.in_modes()
#: Acts without a command of their own are what other acts bring about.
BY_THEMSELVES = {"supersede", "void", "view"}
HERE, ELSEWHERE = "ADV1", "ADV2"
SHEET = "a" * 64


class Placed:
    """Signals put into any state by rows, and people who hold one role in one book."""

    def __init__(self, store):
        self.store = store
        self.count = 0
        cases.staff(store)
        self.pattern = dict(self.row(cases.checked(store).object_id))
        with store.writing() as unit:
            for role, book in itertools.product(grid.ROLES, (HERE, ELSEWHERE, "*")):
                name, kind = who(role, book), "service" if role == "service" else "person"
                row = {"person_id": name, "name": name, "kind": kind, "active": 1, "created_at": unit.now}
                unit.connection.execute(insert(person), row)
                grant = {"grant_id": f"grant-{name}", "person_id": name, "role": role, "book": book}
                unit.connection.execute(insert(role_grant), {**grant, "granted_by": "otto", "granted_at": unit.now})

    def row(self, signal_id):
        """Read a signal."""
        with self.store.reading() as connection:
            return connection.execute(select(signal).where(signal.c.signal_id == signal_id)).one()._mapping

    def put(self, act, state, mode, made_by, approved_by):
        """Place a signal of book ADV1, of a household of its own, so that only access stands against the act."""
        self.count += 1
        name, household = f"signal-{self.count}", f"H-{self.count}"
        with self.store.writing() as unit:
            unit.examine("signal", name)
            write = unit.connection.execute
            row = {**self.pattern, "signal_id": name, "household_id": household, "state": state, "mode": mode}
            # A second approver is needed where one approval is there and the signal still waits.
            row |= {"sheet_hash": SHEET, "traded": 2_000_000_00 if approved_by and state == "submitted" else 1_00}
            if act == "expire":
                row["expires_at"] = unit.now - timedelta(hours=1)
            write(insert(signal), row)
            seen = {"inputs_hash": cases.INPUTS, "snapshot": "3" * 64, "seen_at": unit.now}
            write(insert(household_inputs), {"household_id": household, **seen})
            if made_by:
                write(insert(maker), {"signal_id": name, "person_id": made_by, "action": "submit", "at": unit.now})
            found = asdict(cases.finding("cash", "block" if act == "override" else "pass"))
            write(insert(finding), {"signal_id": name, **found, "overridable": 1})
            text = unit.keep(Document("draft", "text/plain", b"Dear client"))
            kept = {"draft_id": f"draft-{self.count}", "signal_id": name, "kind": "note", "record": "{}"}
            write(
                insert(draft),
                {**kept, "drafted_hash": text, "current_hash": text, "created_at": unit.now, "supported": 1},
            )
            if approved_by:
                given = {"approval_id": f"approval-{self.count}", "signal_id": name, "version": row["version"]}
                given |= {"sheet_hash": SHEET, "person_id": approved_by, "through": "own", "approved_at": unit.now}
                write(insert(approval), {**given, "expires_at": unit.now + timedelta(hours=1)})
            unit.append(Entry("create", "done", "signal", name, row["version"], "nightly", "service", ("service",)))
        return name


def who(role, book):
    """Return the person who holds this role in this book, and nothing else."""
    return f"{role}-{'all' if book == '*' else book}"


def command(act, name, version):
    """Return a sound command of an act."""
    at = (name, version)
    preflight = Document("preflight", "application/json", b"[]")
    summary = commands.Summary("2022-12-28", 1, 1_00, 0, 0, 0, 1)
    number = name.removeprefix("signal-")
    return {
        "check": lambda: commands.Check(*at, preflight, (cases.finding(),), cases.INPUTS, cases.RULES),
        "revise": lambda: commands.Revise(*at, cases.package(f'{{"n":{number}}}'), None, summary, "tax", "less tax"),
        "consent": lambda: commands.Consent(*at, "A1", "letter-7"),
        "override": lambda: commands.Override(*at, "cash", 1, "the deposit is on its way"),
        "submit": lambda: commands.Submit(*at, SHEET),
        "withdraw": lambda: commands.Withdraw(*at, "mistaken"),
        "approve": lambda: commands.Approve(*at, SHEET),
        "return": lambda: commands.Return(*at, "tax", "too much of it"),
        "reject": lambda: commands.Reject(*at, "tax", "too much of it"),
        "release": lambda: commands.Release(*at, SHEET),
        "export": lambda: commands.Export(*at, "b" * 64),
        "acknowledge": lambda: commands.Acknowledge(*at, "order 7"),
        "fill": lambda: commands.Fill(*at, True, 100, "fill 7"),
        "expire": lambda: commands.Expire(*at),
        "draft": lambda: commands.AddDraft(*at, "note", Document("draft", "text/plain", b"Dear"), cases.HOW),
        "edit_draft": lambda: commands.EditDraft(*at, f"draft-{number}", "Dear client, hello", "wording"),
    }[act]()


ACTS = sorted({act for _, act, _ in MARKS} - BY_THEMSELVES)
SCOPES = [(HERE, True), (ELSEWHERE, False), ("*", True)]


def cells_of(role):
    """Return act, state, scope and mode of every cell; modes only where the page allows the act in that state."""
    for act, state, scope in itertools.product(ACTS, grid.STATES, SCOPES):
        for mode in grid.MODES if act in IN_MODES and (role, act, state) in MARKS else ("release",):
            yield role, act, state, scope, mode


def try_all(placed, cells):
    """Try every cell; return the cells that were not as on the page, and how often each act was done."""
    wrong, done = [], Counter()
    for role, act, state, (held, reached), mode in cells:
        mark = MARKS.get((role, act, state)) if reached and mode in IN_MODES.get(act, grid.MODES) else None
        person_id = who(role, held)
        approved_by = "paula" if state == "approved" or mark == "2" else None
        name = placed.put(act, state, mode, person_id if mark == "m" else None, approved_by)
        before = placed.row(name)
        outcome = attempt(placed.store, person_id, command(act, name, before["version"]), f"key-{name}")
        if mark is not None:
            as_expected = outcome == "done"
        else:
            as_expected = outcome in ("role", "book", "state", "mode", "service")
            as_expected = as_expected and placed.row(name) == before
        if not as_expected:
            wrong.append((role, act, state, held, mode, outcome))
        done[act] += outcome == "done"
    return wrong, done


def attempt(store, person_id, asked, key):
    """Return "done", or the rule that stood against it."""
    try:
        store.perform(Who(person_id), asked, key)
    except AccessError as refused:
        return refused.rule
    return "done"


@pytest.fixture
def quick():
    """A store in memory: nine thousand acts need not survive a power cut."""
    store = open_store("sqlite://", code_version="tested", clock=Clock())
    yield store
    store.engine.dispose()


@pytest.mark.parametrize("role", grid.ROLES)
def test_every_cell_of_the_page(quick, role):
    cells = list(cells_of(role))
    wrong, done = try_all(Placed(quick), cells)
    assert not wrong
    allowed = {act for other, act, _ in MARKS if other == role} - BY_THEMSELVES
    assert {act for act, times in done.items() if times} == allowed
    with quick.reading() as connection:
        refused = select(func.count()).select_from(audit).where(audit.c.outcome == "refused")
        assert connection.execute(refused).scalar_one() == len(cells) - done.total()


def test_whatever_is_allowed_and_some_that_is_not_on_both_databases(store):
    cells = [cell for role in grid.ROLES for cell in cells_of(role) if cell[3][0] != "*" and cell[4] == "release"]
    allowed = [cell for cell in cells if cell[:3] in MARKS and cell[3][1]]
    refused = [cell for cell in cells if cell not in allowed]
    wrong, done = try_all(Placed(store), allowed + refused[::41])
    assert not wrong
    assert done.total() == len(allowed)
