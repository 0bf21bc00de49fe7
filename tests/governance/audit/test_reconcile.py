"""Tables against the trail: acts of every kind leave both in agreement, and whatever is changed by hand is named."""

from __future__ import annotations

import contextlib
import random
from datetime import timedelta

import pytest
from sqlalchemy import BigInteger, Integer, delete, func, insert, select, text, update

from tests.governance import cases, paper_cases
from workbench.errors import AuditError, WorkbenchError
from workbench.governance import pinned
from workbench.governance.access import Who
from workbench.governance.audit import verify_store
from workbench.governance.audit.holds import LiftHold, PlaceHold
from workbench.governance.break_glass import BreakGlass, ReviewBreakGlass
from workbench.governance.commands import (
    AddDraft,
    Approve,
    ChangeControls,
    Check,
    Consent,
    Document,
    Export,
    Override,
    Reject,
    Release,
    Return,
    Revise,
    SeeInputs,
    SetMode,
    Submit,
    Summary,
    Sweep,
    Withdraw,
)  # fmt: skip
from workbench.governance.confirmation import ConfirmGrant
from workbench.governance.database import transaction
from workbench.governance.delegations import Delegate, RevokeDelegation
from workbench.governance.paper_commands import AnswerEscalation, Escalate, ReleasePaper
from workbench.governance.people import (
    AddPerson,
    DeactivatePerson,
    GrantRole,
    RevokeRole,
    set_password,
)  # fmt: skip
from workbench.governance.roles import Role
from workbench.governance.sessions import sign_in
from workbench.governance.states import Mode
from workbench.governance.tables import approval, audit, hold, metadata, outbox, role_grant, signal

PASSWORD = "correct horse battery"
WHY = "An examiner asked for these records."


class House:
    """A store and short ways to act in it."""

    def __init__(self, store):
        self.store, self.count = store, 0

    def do(self, who, command):
        self.count += 1
        return self.store.perform(Who(who), command, f"act-{self.count}")

    def findings(self):
        found = verify_store(self.store.reading, (), ())
        return [one.problem for one in found.findings]

    def rows(self, table):
        with self.store.reading() as connection:
            return [dict(row._mapping) for row in connection.execute(select(table))]

    def by_hand(self, *statements):
        """Change the database as its owner would: triggers dropped before, so that nothing stands in the way."""
        with transaction(self.store.engine, "write") as connection:
            drop_every_trigger(connection)
            for statement in statements:
                connection.execute(statement)


def drop_every_trigger(connection):
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for name in found:
            connection.execute(text(f"DROP TRIGGER {name}"))
        return
    found = connection.execute(
        text("SELECT tgname, relname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal")
    ).all()
    for name, table in found:
        connection.execute(text(f"DROP TRIGGER {name} ON {table}"))


@pytest.fixture
def house(store):
    cases.staff(store, recorded=True)
    return House(store)


@pytest.fixture
def lived(house):
    """A house in which something of every kind was done: every pinned table has rows."""
    store = house.store
    house.do("otto", AddPerson("nora", "Nora Berg", "person", "nora@firm.example"))
    house.do("otto", GrantRole("nora", Role.ANALYST, "ADV1", "She joined the team."))
    set_password(store, Who("otto"), "nora", PASSWORD, "password-1")
    sign_in(store, "nora", PASSWORD, "")
    (waiting,) = [row["grant_id"] for row in house.rows(role_grant) if row["person_id"] == "nora"]
    house.do("cleo", ConfirmGrant(waiting))
    house.do("otto", GrantRole("nora", Role.VIEWER, "ADV2", "She looks on."))
    (look,) = [row["grant_id"] for row in house.rows(role_grant) if row["role"] == "viewer" and row["book"] == "ADV2"]
    house.do("otto", RevokeRole(look, "Not any more."))
    until = store.clock() + timedelta(days=3)
    lent = house.do("paula", Delegate("nora", store.clock(), until, "On leave."))
    house.do("paula", RevokeDelegation(lent.object_id))
    house.do("paula", Delegate("nora", store.clock(), until, "On leave after all."))
    glass = house.do("paula", BreakGlass(Role.TRADER, "The only trader is ill, the market closes."))
    house.do("cleo", ReviewBreakGlass(glass.object_id, "Nothing was done with it."))
    house.do("paula", BreakGlass(Role.TRADER, "The only trader is ill, the market closes again."))
    placed = house.do("cleo", PlaceHold("household", "H1", WHY))
    house.do("carl", LiftHold(placed.object_id, WHY))
    house.do("cleo", PlaceHold("everything", "*", WHY))
    house.do("cleo", SetMode("model", "BAL", Mode.RELEASE, "Tried out."))
    house.do("cleo", ChangeControls((("approval_hours", 12),), "Half a day is enough."))
    draft = house.do("nightly", cases.proposal(7))
    letter = Document("draft", "text/plain", b"We sell Alpha and buy Beta.")
    draft = house.do("nightly", AddDraft(draft.object_id, draft.version, "letter", letter, cases.HOW))
    consent = house.do("adam", Consent(draft.object_id, draft.version, "A7", "letter of 2022-12-01"))
    blocked = house.do("nightly", cases.check(consent, cases.finding(verdict="block")))
    house.do("cleo", Override(blocked.object_id, blocked.version, "cash_floor", 1, "Cash comes in."))
    house.do("nightly", SeeInputs("3" * 64, (("H1", cases.INPUTS), ("H9", "9" * 64))))
    cases.released(store, 1)
    cases.approved(store, 2)
    cases.submitted(store, 3)
    came = house.do("nightly", paper_cases.brought())
    came = house.do("ann", paper_cases.edited(came, "We sell VTI."))
    house.do("cleo", ReleasePaper(came.object_id, came.version, came.sheet_hash))
    house.do("nightly", paper_cases.brought(words="We propose nothing more."))
    house.do("nightly", paper_cases.brought(words="We propose nothing."))
    asked = house.do("adam", Escalate("May the trust hold futures?", "ADV1", "H1"))
    house.do("paula", AnswerEscalation(asked.object_id, 1, "Not under its mandate."))
    house.do("otto", DeactivatePerson("nora", "She left the firm."))
    return house


def test_acts_of_every_kind_leave_tables_and_trail_in_agreement(lived):
    assert lived.findings() == []
    filled = {name for held in pinned.HELD.values() for name in held if lived.rows(pinned.table(name))}
    assert filled == {name for held in pinned.HELD.values() for name in held} - {"measure", "reading"}


def test_every_table_is_pinned_or_known_not_to_be():
    held = {name for those in pinned.HELD.values() for name in those}
    # Sessions and counts come and go; keys, messages and documents have checks of their own or none (docs/audit.md).
    assert set(metadata.tables) - held == {"answered", "attempt", "audit", "desk_session", "document", "outbox"}


#: Columns that hold one of a few words: a word that is allowed too.
WORDS = {
    "paper.state": ("drafted", "released"),
    "escalation.state": ("open", "answered"),
    "person.kind": ("person", "service"),
    "rollout.kind": ("model", "account"),
    "rollout.mode": ("monitor", "draft", "release"),
    "signal.mode": ("monitor", "draft", "release"),
    "signal.state": ("submitted", "released"),
    "approval.through": ("own", "break_glass"),
}
FILLED = sorted({name for held in pinned.HELD.values() for name in held} - {"measure", "reading"})


def another(table, column, value):
    """A different value that the column can hold."""
    words = WORDS.get(f"{table}.{column.name}")
    if words:
        return next(word for word in words if word != value)
    if isinstance(column.type, Integer | BigInteger):
        return 1 if value is None else value + 1
    if value is None:
        return "2022-12-28T15:00:00.000001Z"
    return value[:-1] + ("0" if value[-1] != "0" else "1")


class Back(Exception):  # noqa: N818 - undoes a transaction
    """What was tried is undone."""


@contextlib.contextmanager
def tried(house):
    """A transaction that may change whatever it likes, and is undone at its end."""
    with contextlib.suppress(Back), transaction(house.store.engine, "write") as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            drop_every_trigger(connection)
        yield connection
        raise Back


def problems(connection):
    """What verification says of the tables, in the middle of a transaction."""
    found = verify_store(lambda: contextlib.nullcontext(connection), (), ())
    return [one.problem for one in found.findings if one.attack == "row"]


def first_row(connection, table):
    names = [one.name for one in pinned.table(table).primary_key.columns]
    row = connection.execute(text(f'SELECT * FROM "{table}" ORDER BY {", ".join(names)} LIMIT 1')).mappings().one()
    return names, dict(row)


def test_one_cell_changed_by_hand_is_found_whatever_the_column(lived):
    """Each column of each pinned table in turn: changed in one row, found, and the table named."""
    for table, column in ((name, column) for name in FILLED for column in pinned.table(name).columns):
        with tried(lived) as connection:
            names, row = first_row(connection, table)
            fresh = another(table, column, row[column.name])
            where = " AND ".join(f'"{name}" = :k_{name}' for name in names)
            keys = {f"k_{name}": row[name] for name in names}
            statement = text(f'UPDATE "{table}" SET "{column.name}" = :new WHERE {where}')
            connection.execute(statement, {"new": fresh, **keys})
            said = problems(connection)
            assert any(f"table {table}" in one for one in said), f"{table}.{column.name} -> {fresh!r}: {said}"
    assert lived.findings() == []


def test_a_row_taken_away_or_copied_in_is_found(lived):
    for table in FILLED:
        with tried(lived) as connection:
            names, row = first_row(connection, table)
            where = " AND ".join(f'"{name}" = :{name}' for name in names)
            connection.execute(text(f'DELETE FROM "{table}" WHERE {where}'), {name: row[name] for name in names})
            assert any(f"table {table}" in one for one in problems(connection)), table
        with tried(lived) as connection:
            row[names[-1]] = row["version"] + 10 if table in ("controls", "paper_edit") else row[names[-1]] + "x"
            if table == "rollout":
                row["kind"] = "account"
            listed = ", ".join(f'"{name}"' for name in row)
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f'INSERT INTO "{table}" ({listed}) VALUES ({values})'), row)
            assert any(f"table {table}" in one for one in problems(connection)), table


def test_what_an_intruder_would_do_is_named(lived):
    (waiting,) = (row for row in lived.rows(signal) if row["state"] == "submitted")
    name = waiting["signal_id"]
    given = {"approval_id": "x", "signal_id": name, "version": 1, "sheet_hash": waiting["sheet_hash"], "through": "own"}
    now = lived.store.clock()
    times = {"approved_at": now, "expires_at": now + timedelta(hours=9)}
    lived.by_hand(
        update(signal).where(signal.c.signal_id == name).values(state="approved", traded=1_00),
        insert(approval).values(**given, **times, person_id="peter"),
        insert(role_grant).values(
            grant_id="y", person_id="vera", role="trader", book="*", granted_by="otto", granted_at=now
        ),
        delete(hold).where(hold.c.lifted_at.is_(None)),
    )
    said = "\n".join(lived.findings())
    assert f"signal {name}, table signal: changed since record" in said
    assert "state is 'approved', the record says 'submitted'" in said
    assert f"signal {name}, table approval: record" in said
    assert "now there is x" in said
    assert "person vera, table role_grant: changed since record" in said
    assert "table hold: what record" in said


@pytest.mark.parametrize("values", [{"traded": 1_00}, {"household_name": "Another"}, {"accounts": '["A2","A99"]'}])
def test_a_signal_changed_by_hand_is_not_released_but_can_be_stopped(house, values):
    receipt = cases.approved(house.store, 2)
    with house.store.writing() as unit:
        unit.connection.execute(update(signal).where(signal.c.signal_id == receipt.object_id).values(**values))
    with pytest.raises(AuditError, match="changed outside the desk"):
        house.do("tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash))
    with house.store.reading() as connection:
        last = connection.execute(select(audit).order_by(audit.c.sequence.desc()).limit(1)).one()
    assert (last.action, last.outcome, last.object_id) == ("release", "refused", receipt.object_id)
    assert '"rule":"AuditError"' in last.body
    (alert,) = [row["body"] for row in house.rows(outbox) if row["topic"] == "alert.changed_outside"]
    assert receipt.object_id in alert
    house.do("peter", Reject(receipt.object_id, receipt.version, "other", "Changed outside the desk."))
    assert any("had been changed outside" in one for one in house.findings())


def test_an_approval_put_in_by_hand_releases_nothing(house):
    """Even one of the very sheet: the signal is not what its last record left."""
    receipt = cases.submitted(house.store)
    with house.store.writing() as unit:
        row = {"approval_id": "x", "signal_id": receipt.object_id, "version": 3, "sheet_hash": receipt.sheet_hash}
        times = {"approved_at": unit.now, "expires_at": unit.now + timedelta(hours=9)}
        unit.connection.execute(insert(approval), {**row, "person_id": "peter", "through": "own", **times})
        unit.connection.execute(update(signal).values(state="approved"))
    with pytest.raises(AuditError):
        house.do("tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash))


def test_a_record_changed_with_the_signal_is_seen_at_the_act(house):
    """Who changes the last record to fit the row would have to make its hash anew, and all later ones."""
    receipt = cases.approved(house.store)
    house.by_hand(update(audit).values(body=func.replace(audit.c.body, "approved", "released")))
    with pytest.raises(AuditError, match="of the audit trail was changed"):
        house.do("tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash))


def test_no_later_act_covers_a_change_by_hand(house):
    """A role granted by SQL stays a finding after the person's password is set; so does a signal that is voided."""
    with house.store.writing() as unit:
        grant = {"grant_id": "y", "person_id": "vera", "role": "trader", "book": "*", "granted_by": "otto"}
        unit.connection.execute(insert(role_grant), {**grant, "granted_at": unit.now})
    set_password(house.store, Who("otto"), "vera", PASSWORD, "password")
    receipt = cases.approved(house.store)
    with house.store.writing() as unit:
        unit.connection.execute(update(signal).values(traded=1))
    house.do("nightly", SeeInputs("4" * 64, (("H1", "8" * 64),)))
    house.do("cleo", SetMode("account", "A1", Mode.DRAFT, "Slower."))
    said = house.findings()
    assert any("person vera, table role_grant" in one for one in said)
    assert any(f"signal {receipt.object_id}, table signal" in one for one in said)


def test_a_household_moved_back_by_hand_is_found_also_where_it_came_with_a_signal(house):
    cases.created(house.store, 1)
    house.do("nightly", SeeInputs("4" * 64, (("H1", "8" * 64), ("H2", "8" * 64))))
    cases.created(house.store, 3)
    assert house.findings() == []
    old = "UPDATE household_inputs SET inputs_hash = 'old' WHERE household_id = '{}'"
    house.by_hand(text(old.format("H2")), text(old.format("H3")))
    said = [one for one in house.findings() if "table household_inputs" in one]
    assert len(said) == 2
    assert "household H3" in " ".join(said)


def test_bytes_taken_away_without_an_act_are_found(house):
    cases.created(house.store)
    house.by_hand(text("UPDATE document SET body = NULL, disposed_at = '2022-12-28T15:00:00.000000Z'"))
    assert any("no record says that it was disposed of" in one for one in house.findings())


def test_a_walk_of_random_acts_stays_clean(house):
    """Acts drawn by chance, refused ones too: every time they are compared, tables and trail agree."""
    draw, store, done = random.Random(20221228), house.store, 0
    for step in range(200):
        rows = house.rows(signal)
        who, act = draw.choice(ACTS)
        if rows or act in NEED_NOTHING:
            with contextlib.suppress(WorkbenchError):
                house.do(draw.choice(who), act(draw, draw.choice(rows) if rows else None))
                done += 1
        if step % 40 == 0:
            assert house.findings() == []
            store.clock.advance(hours=draw.choice([1, 20, 60]))
    assert done > 60
    assert house.findings() == []


def proposed(draw, row):
    number = draw.randrange(6)
    body = cases.package(f'{{"household":"H{number}","draw":{draw.randrange(4)}}}')
    return cases.proposal(number, package=body, inputs_hash=draw.choice([cases.INPUTS, "8" * 64]))


def check(draw, row):
    verdict = draw.choice(["pass", "pass", "block"])
    body = Document("preflight", "application/json", verdict.encode())
    found = (cases.finding(verdict=verdict),)
    return Check(row["signal_id"], row["version"], body, found, row["inputs_hash"], cases.RULES)


def revise(draw, row):
    summary = Summary("2022-12-28", 1, draw.choice([1_00, 2_000_000_00]), 0, 0, 0, 1)
    body = cases.package(str(draw.random()))
    return Revise(row["signal_id"], row["version"], body, None, summary, "size", "Too large for the day.")


def seen(draw, row):
    return SeeInputs("4" * 64, ((f"H{draw.randrange(6)}", draw.choice([cases.INPUTS, "8" * 64])),))


def mode(draw, row):
    return SetMode(draw.choice(["model", "account"]), draw.choice(["BAL", "A1"]), draw.choice(list(Mode)), "Trying.")


def controls(draw, row):
    return ChangeControls((("second_approver_above", draw.choice([1, 1_000_000_00])),), "Trying.")


def sweep(draw, row):
    return Sweep()


def shown(kind, *more):
    return lambda draw, row: kind(row["signal_id"], row["version"], row["sheet_hash"], *more)


def at(kind, *more):
    return lambda draw, row: kind(row["signal_id"], row["version"], *more)


NEED_NOTHING = (proposed, seen, mode, controls, sweep)
NIGHTLY, MAKERS, CHECKERS, LOOKERS = ("nightly",), ("ann",), ("paula", "peter", "ann"), ("cleo", "carl")
ACTS = (
    *3 * ((NIGHTLY, proposed), (NIGHTLY, check)),
    *2 * ((MAKERS, shown(Submit)), (CHECKERS, shown(Approve)), (("tom", "peter"), shown(Release))),
    (MAKERS, revise), (NIGHTLY, seen), (LOOKERS, mode), (LOOKERS, controls), (NIGHTLY, sweep),
    (LOOKERS, at(Override, "cash_floor", 1, "Cash comes in.")), (NIGHTLY, at(Export, "5" * 64)),
    (CHECKERS, at(Reject, "other", "Not now.")), (CHECKERS, at(Return, "other", "Explain it.")),
    (MAKERS, at(Withdraw, "Mistaken.")),
)  # fmt: skip
