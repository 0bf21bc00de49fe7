"""Retention and holds: what may go, what stays, who lifts a hold, and a chain that is whole afterwards."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from tests.governance import cases
from workbench.errors import AccessError, DecisionError, ParameterError
from workbench.governance import documents
from workbench.governance.access import Who
from workbench.governance.audit import retention, schedule, verify_trail
from workbench.governance.audit.holds import LiftHold, PlaceHold, in_force
from workbench.governance.audit.retention import Dispose, due
from workbench.governance.commands import Document, Reject, Withdraw
from workbench.governance.rule_changes import AdoptRules, ProposeRules
from workbench.governance.tables import audit, document, hold, signal

WHY = "The client's lawyer asked for everything."


def with_signals(store):
    """A rejected signal of household H1, its documents, and an open one of H2."""
    cases.staff(store)
    receipt = cases.submitted(store)
    store.perform(Who("paula"), Reject(receipt.object_id, receipt.version, "client_wish", "Not now."), "reject-1")
    cases.submitted(store, 2)
    return store


@pytest.fixture
def closed(sqlite_store):
    return with_signals(sqlite_store)


@pytest.fixture
def closed_on_each(store):
    return with_signals(store)


def hashes(listed):
    return tuple(one.hash for one in listed)


def listed(store):
    with store.reading() as connection:
        return due(connection, store.clock())


def place(store, kind, name, by="cleo", key="hold-1"):
    return store.perform(Who(by), PlaceHold(kind, name, WHY), key).object_id


# --- the schedule ---


def test_years_run_from_the_end_of_the_fiscal_year_of_the_last_use():
    shipped = schedule.read()
    used = datetime(2020, 3, 1, tzinfo=UTC)
    assert shipped.until("package", used) == date(2025, 12, 31)
    assert shipped.until("ticket", used) == date(2026, 12, 31)
    assert shipped.until("something new", used) == date(2027, 12, 31)
    assert all(one.source for one in shipped.by_kind.values())


def test_a_fiscal_year_of_its_own(tmp_path):
    path = tmp_path / "retention.yml"
    text = (schedule.resources.files("workbench.governance.audit") / "retention.yml").read_text()
    path.write_text(text.replace("12-31", "02-29"))
    own = schedule.read(path)
    assert own.until("package", datetime(2020, 2, 29, tzinfo=UTC)) == date(2025, 2, 28)
    assert own.until("package", datetime(2020, 3, 1, tzinfo=UTC)) == date(2026, 2, 28)


BAD = {
    "no mapping": "- 1",
    "no YAML": "a: [",
    "no classes": "version: 1\nfiscal_year_ends: 12-31\nclasses: 3\notherwise: {}",
    "a class without source": "version: 1\nfiscal_year_ends: 12-31\nclasses: {a: {years: 5, "
    "easily_accessible_years: 2, kinds: [x]}}\notherwise: {years: 5, easily_accessible_years: 2, source: x}",
    "years below one": "version: 1\nfiscal_year_ends: 12-31\nclasses: {}\notherwise: {years: 0, "
    "easily_accessible_years: 0, source: x}",
    "years of text": "version: 1\nfiscal_year_ends: 12-31\nclasses: {}\notherwise: {years: five, "
    "easily_accessible_years: 0, source: x}",
    "no day": "version: 1\nfiscal_year_ends: 02-30\nclasses: {}\notherwise: {years: 5, easily_accessible_years: 0, "
    "source: x}",
    "no version": "version: one\nfiscal_year_ends: 12-31\nclasses: {}\notherwise: {years: 5, "
    "easily_accessible_years: 0, source: x}",
    "a kind twice": "version: 1\nfiscal_year_ends: 12-31\nclasses: {a: {years: 5, easily_accessible_years: 2, "
    "source: x, kinds: [k]}, b: {years: 5, easily_accessible_years: 2, source: x, kinds: [k]}}\notherwise: {years: 5, "
    "easily_accessible_years: 0, source: x}",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_schedule_that_is_none_is_refused_with_its_part(tmp_path, text):
    path = tmp_path / "retention.yml"
    path.write_text(text)
    with pytest.raises(ParameterError):
        schedule.read(path)


def test_a_schedule_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="cannot be read"):
        schedule.read(tmp_path / "nowhere.yml")


# --- what is due ---


def test_nothing_is_due_before_its_years_are_over(closed):
    closed.clock.advance(days=5 * 365)
    assert listed(closed) == []


def test_documents_of_a_closed_signal_are_due_those_of_an_open_one_stay(closed_on_each):
    closed_on_each.clock.advance(days=6 * 366)
    found = listed(closed_on_each)
    free = [one for one in found if one.kept_by is None]
    assert {one.kind for one in free} == {"package"}
    # Both pre-flights have the same bytes, so that the open signal keeps the one document of both.
    assert {one.kind for one in found if one.kept_by} == {"package", "preflight"}
    assert all("not closed" in one.kept_by for one in found if one.kept_by)


def test_a_later_act_on_a_signal_counts_for_all_its_documents(closed):
    with closed.reading() as connection:
        row = connection.execute(select(signal).where(signal.c.household_id == "H2")).one()
    closed.clock.advance(days=3 * 366)
    closed.perform(Who("ann"), Withdraw(row.signal_id, row.version, "The client is travelling."), "withdraw-2")
    with closed.reading() as connection:
        found = due(connection, datetime(2040, 1, 1, tzinfo=UTC))
    years = {one.hash: one.last_used.year for one in found}
    assert years[row.package_hash] == years[row.preflight_hash] == 2025
    assert sorted(years.values()) == [2022, 2025, 2025]  # the first signal's package alone was not used again


HELD = [
    ("household", "H1"),
    ("person", "paula"),
    ("person", "ann"),
    ("book", "ADV1"),
    ("everything", "*"),
    ("signal", ""),
]


@pytest.mark.parametrize(("kind", "name"), HELD)
def test_what_is_held_stays_whatever_its_age(closed, kind, name):
    with closed.reading() as connection:
        first = connection.execute(select(signal).where(signal.c.household_id == "H1")).one()
    place(closed, kind, name or first.signal_id)
    closed.clock.advance(days=20 * 366)
    (package,) = [one for one in listed(closed) if one.hash == first.package_hash]
    assert package.kept_by.startswith(f"hold on {kind}")
    with pytest.raises(DecisionError, match="stays: hold on"):
        closed.perform(Who("nightly"), Dispose((package.hash,)), "dispose-1")


def test_a_hold_on_another_household_keeps_nothing_of_this_one(closed):
    place(closed, "household", "H7")
    closed.clock.advance(days=6 * 366)
    assert [one.kind for one in listed(closed) if one.kept_by is None] == ["package"]


# --- disposing ---


def test_disposing_takes_the_bytes_and_leaves_hash_record_and_a_whole_chain(closed_on_each):
    closed_on_each.clock.advance(days=6 * 366)
    (one,) = [one for one in listed(closed_on_each) if one.kept_by is None]
    receipt = closed_on_each.perform(Who("nightly"), Dispose((one.hash,)), "dispose-1")
    with closed_on_each.reading() as connection:
        row = connection.execute(select(document).where(document.c.hash == one.hash)).one()
        said = json.loads(connection.execute(select(audit.c.body).where(audit.c.sequence == receipt.sequence)).scalar())
        with pytest.raises(DecisionError, match="disposed of"):
            documents.fetch(connection, one.hash)
        assert verify_trail(connection, (), []).whole
    assert row.body is None
    assert row.size == one.size
    assert said["details"] == {"schedule": 1, "count": 1, "disposed": {one.hash: "advice"}, "years": {"advice": 5}}
    assert one.hash not in hashes(listed(closed_on_each))


def test_all_or_nothing_is_disposed_of(closed):
    closed.clock.advance(days=6 * 366)
    found = listed(closed)
    with pytest.raises(DecisionError, match="not closed"):
        closed.perform(Who("nightly"), Dispose(hashes(found)), "dispose-1")
    for wrong in ((), ("0" * 64,), ("0" * 64,) * (retention.AT_ONCE + 1)):
        with pytest.raises(DecisionError):
            closed.perform(Who("nightly"), Dispose(wrong), f"dispose-{len(wrong)}-none")
    assert hashes(listed(closed)) == hashes(found)


def test_what_is_young_is_not_disposed_of_and_people_do_not_dispose(closed):
    with closed.reading() as connection:
        name = connection.execute(select(document.c.hash)).scalars().first()
    with pytest.raises(DecisionError, match="is not due"):
        closed.perform(Who("nightly"), Dispose((name,)), "dispose-1")
    for person in ("cleo", "otto", "paula"):
        with pytest.raises(AccessError):
            closed.perform(Who(person), Dispose((name,)), f"dispose-{person}")


def test_a_document_that_nothing_names_goes_by_its_own_age(closed):
    with closed.writing() as unit:
        unit.keep(Document("leaflet", "text/plain", b"once"))
    closed.clock.advance(days=6 * 366)
    assert "leaflet" not in {one.kind for one in listed(closed)}
    closed.clock.advance(days=2 * 366)
    assert [one.kept_by for one in listed(closed) if one.kind == "leaflet"] == [None]


# --- holds ---


def test_a_hold_is_lifted_by_somebody_else_with_a_reason(closed_on_each):
    hold_id = place(closed_on_each, "household", "H1")
    with pytest.raises(AccessError, match="somebody else"):
        closed_on_each.perform(Who("cleo"), LiftHold(hold_id, WHY), "lift-1")
    with pytest.raises(ParameterError, match="20 characters"):
        closed_on_each.perform(Who("carl"), LiftHold(hold_id, "Done."), "lift-2")
    closed_on_each.perform(Who("carl"), LiftHold(hold_id, "The case was closed by the court."), "lift-3")
    with closed_on_each.reading() as connection:
        assert in_force(connection) == frozenset()
        row = connection.execute(select(hold)).one()
    assert (row.placed_by, row.lifted_by) == ("cleo", "carl")
    with pytest.raises(DecisionError, match="no such hold"):
        closed_on_each.perform(Who("carl"), LiftHold(hold_id, WHY), "lift-4")


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        ("planet", "x", WHY),
        ("household", " ", WHY),
        ("household", "*", WHY),
        ("everything", "H1", WHY),
        ("household", "H1", "short"),
    ],
)
def test_a_hold_on_nothing_or_without_a_reason_is_refused(closed, kind, name, reason):
    with pytest.raises(ParameterError):
        closed.perform(Who("cleo"), PlaceHold(kind, name, reason), "hold-1")


@pytest.mark.parametrize("person", ["ann", "paula", "otto", "ada", "nightly"])
def test_only_compliance_holds(closed, person):
    with pytest.raises(AccessError):
        closed.perform(Who(person), PlaceHold("household", "H1", WHY), "hold-1")


def test_the_years_are_those_the_store_was_opened_with_not_those_asked_for(closed, tmp_path):
    """A shorter schedule of the firm's own makes due what the shipped one keeps; the command names none."""
    with closed.reading() as connection:
        name = connection.execute(select(signal.c.package_hash).where(signal.c.household_id == "H1")).scalar_one()
    closed.clock.advance(days=366 * 3)
    with pytest.raises(DecisionError, match="not due"):
        closed.perform(Who("nightly"), Dispose((name,)), "dispose-1")
    text = (schedule.resources.files("workbench.governance.audit") / "retention.yml").read_text()
    (tmp_path / "own.yml").write_text(text.replace("years: 5", "years: 2"))
    closed.retention = schedule.read(tmp_path / "own.yml")
    closed.perform(Who("nightly"), Dispose((name,)), "dispose-2")


def test_the_rulebook_in_force_stays_however_old_and_the_one_before_it_goes(sqlite_store):
    store = cases.staff(sqlite_store)
    page = Document("rulebook", "text/markdown", b"# Page")
    texts = [Document("rulebook", "application/yaml", f"version: {n}".encode()) for n in (1, 2)]
    for n, (text, rules, replaces) in enumerate(((texts[0], "a" * 64, "9" * 64), (texts[1], "b" * 64, "a" * 64)), 1):
        store.perform(Who("cleo"), ProposeRules(text, page, rules, n, replaces, "Narrower."), f"propose-{n}")
        store.perform(Who("carl"), AdoptRules(rules, documents.hash_of(page)), f"adopt-{n}")
    store.clock.advance(days=366 * 7)
    kept = {one.hash: one.kept_by for one in listed(store)}
    assert kept[documents.hash_of(texts[1])] == kept[documents.hash_of(page)] == "the rulebook in force"
    assert kept[documents.hash_of(texts[0])] is None
