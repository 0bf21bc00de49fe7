"""One transaction an act: what is asked, what is answered, what is left when it is refused or falls over."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from tests.governance import cases
from workbench.errors import AccessError, ParameterError, RepeatError, StaleError, StoreError
from workbench.governance import Store, Who
from workbench.governance.audit.chain import Findings, follow, rows
from workbench.governance.commands import Approve, Document, Return, SeeInputs, Submit
from workbench.governance.documents import fetch
from workbench.governance.states import State
from workbench.governance.tables import answered, approval, audit, decision, metadata, outbox, signal

HOSTILE = ["'; DROP TABLE signal; --", "<script>alert(1)</script>", "%s %(x)s {0} ${y}", "\u202eevil", "😀" * 10, "\\"]


def contents(store):
    """Everything in the database, table by table."""
    with store.reading() as connection:
        return {
            table.name: sorted(map(str, connection.execute(select(table)).all())) for table in metadata.sorted_tables
        }


def trail(store):
    with store.reading() as connection:
        return [
            json.loads(body) for body in connection.execute(select(audit.c.body).order_by(audit.c.sequence)).scalars()
        ]


def test_a_signal_goes_from_proposal_to_release_through_people(store):
    cases.staff(store)
    receipt = cases.released(store)
    assert receipt.state == State.RELEASED
    assert receipt.sequence == 5
    said = [(entry["action"], entry["actor"], entry["roles"]) for entry in trail(store)]
    assert said == [
        ("create", "nightly", ["service"]),
        ("check", "nightly", ["service"]),
        ("submit", "ann", ["analyst"]),
        ("approve", "paula", ["portfolio_manager"]),
        ("release", "tom", ["trader"]),
    ]
    release = trail(store)[-1]
    assert release["details"]["shown"] == release["before"]
    assert release["inputs"]["household"] == cases.INPUTS
    assert release["code_version"] == "tested"
    assert "Household" not in json.dumps(trail(store))


def test_the_same_key_gets_the_first_answer_and_does_nothing(store):
    cases.staff(store)
    receipt = cases.submitted(store)
    command = Approve(receipt.object_id, receipt.version, receipt.sheet_hash)
    first = store.perform(Who("paula"), command, "form-1")
    before = contents(store)
    store.clock.advance(hours=40)
    assert store.perform(Who("paula"), command, "form-1") == replace(first, first=False)
    assert contents(store) == before


def test_the_same_key_for_anything_else_is_refused(store):
    cases.staff(store)
    receipt = cases.submitted(store)
    command = Approve(receipt.object_id, receipt.version, receipt.sheet_hash)
    store.perform(Who("paula"), command, "form-1")
    for who, other in (
        (Who("peter"), command),
        (Who("paula"), replace(command, note="and more")),
        (Who("paula"), Submit(receipt.object_id, receipt.version, receipt.sheet_hash)),
    ):
        with pytest.raises(RepeatError, match="another request"):
            store.perform(who, other, "form-1")
    refused = [entry for entry in trail(store) if entry["outcome"] == "refused"]
    assert [entry["details"]["rule"] for entry in refused] == ["RepeatError"] * 3
    assert [entry["details"]["command"] for entry in refused] == ["Approve", "Approve", "Submit"]
    assert len({entry["details"]["asked"] for entry in refused}) == 3
    for entry in refused:
        assert entry["roles"] == ["portfolio_manager"]
        assert (entry["book"], entry["before"], entry["policy"]) == ("ADV1", receipt.sheet_hash, "tax_aware")
        assert (entry["rules_hash"], entry["inputs"]["household"]) == (cases.RULES, cases.INPUTS)


def test_a_document_of_other_bytes_is_another_request(store):
    cases.staff(store)
    cases.created(store, 1, "key")
    with pytest.raises(RepeatError):
        cases.created(store, 1, "key", package=cases.package("other bytes"))


@pytest.mark.parametrize("statement", range(1, 26))
def test_falling_over_at_any_statement_leaves_all_or_nothing(sqlite_url, statement):
    store = opened(sqlite_url)
    cases.staff(store)
    receipt = cases.submitted(store)
    command = Approve(receipt.object_id, receipt.version, receipt.sheet_hash)
    before = contents(store)
    left = [statement]

    def fall_over(*_):
        left[0] -= 1
        if left[0] == 0:
            raise MemoryError

    event.listen(store.engine, "before_cursor_execute", fall_over)
    try:
        store.perform(Who("paula"), command, "form-1")
        done = True
    except MemoryError:
        done = False
    finally:
        event.remove(store.engine, "before_cursor_execute", fall_over)
    if not done:
        assert contents(store) == before
    answer = store.perform(Who("paula"), command, "form-1")
    assert answer.first is not done
    with store.reading() as connection:
        counted = [connection.execute(select(func.count()).select_from(t)).scalar_one() for t in (approval, decision)]
    assert counted == [1, 2]


def opened(url):
    from tests.conftest import Clock
    from workbench.governance import open_engine

    return Store(open_engine(url), Clock(), "tested")


def test_a_refusal_is_recorded_and_nothing_else_is_changed(store):
    cases.staff(store)
    receipt = cases.submitted(store)
    before = contents(store)
    with pytest.raises(AccessError) as refused:
        store.perform(Who("ann"), Approve(receipt.object_id, receipt.version, receipt.sheet_hash), "form-1")
    assert refused.value.rule == "role"
    after = contents(store)
    assert {name for name in after if after[name] != before[name]} == {"audit"}
    said = trail(store)[-1]
    assert (said["outcome"], said["actor"], said["object_id"]) == ("refused", "ann", receipt.object_id)
    assert (said["actor_kind"], said["book"]) == ("person", "ADV1")
    assert said["details"]["rule"] == "role"


def test_somebody_unknown_is_refused_and_recorded_as_nobody(store):
    cases.staff(store)
    with pytest.raises(AccessError):
        store.perform(Who("mallory"), cases.proposal(), "key")
    assert trail(store)[-1]["actor_kind"] == "nobody"


def test_a_signal_that_is_not_there_and_one_of_another_book_are_refused_alike(store):
    cases.staff(store)
    receipt = cases.submitted(store)
    with pytest.raises(AccessError) as absent:
        store.perform(Who("pia"), Approve("signal-0", 1, receipt.sheet_hash), "k1")
    with pytest.raises(AccessError) as elsewhere:
        store.perform(Who("pia"), Approve(receipt.object_id, receipt.version, receipt.sheet_hash), "k2")
    assert absent.value.rule == elsewhere.value.rule == "book"


def test_a_stale_decision_is_told_apart_from_one_that_is_not_allowed(store):
    cases.staff(store)
    receipt = cases.submitted(store)
    command = Approve(receipt.object_id, receipt.version, receipt.sheet_hash)
    store.perform(Who("paula"), command, "k1")
    with pytest.raises(StaleError, match="look at it anew"):
        store.perform(Who("peter"), command, "k2")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(store, text):
    cases.staff(store)
    receipt = cases.submitted(store, household_name=text, policy=text, models=(text,), accounts=(text, "A1"))
    store.perform(Who("peter"), Return(receipt.object_id, receipt.version, "other", text), text)
    with store.reading() as connection:
        row = connection.execute(select(signal)).one()
        reason = connection.execute(select(decision.c.reason).where(decision.c.action == "return")).scalar_one()
        kept = fetch(connection, row.package_hash)
    assert (row.household_name, row.policy, json.loads(row.models)) == (text, text, [text])
    assert reason == text
    assert kept.kind == "package"
    findings = Findings([])
    with store.reading() as connection:
        assert sum(1 for _ in follow(rows(connection), findings)) == 4
    assert findings.total == 0


@pytest.mark.parametrize(
    ("changed", "parameter"),
    [
        ({"household_name": "x" * 201}, "household_name"),
        ({"household_name": "a\x00b"}, "household_name"),
        ({"policy": "\ud800"}, "policy"),
        ({"package": Document("package", "text/plain", b"x" * 20_000_001)}, "package"),
        ({"summary": replace(cases.proposal().summary, traded=2**53)}, "traded"),
        ({"summary": replace(cases.proposal().summary, rank=2**31)}, "rank"),
    ],
)
def test_what_no_database_should_keep_is_refused_at_the_door(store, changed, parameter):
    cases.staff(store)
    with pytest.raises(ParameterError) as refused:
        cases.created(store, **changed)
    assert refused.value.parameter == parameter
    assert [entry["details"]["rule"] for entry in trail(store)] == ["ParameterError"]


@pytest.mark.parametrize("key", ["", "k" * 129, "k\x00", "\udfff"])
def test_a_key_that_is_none_is_refused_and_still_recorded(store, key):
    cases.staff(store)
    with pytest.raises(ParameterError):
        store.perform(Who("nightly"), cases.proposal(), key)
    assert len(trail(store)) == 1


def test_a_long_reason_is_refused(store):
    cases.staff(store)
    receipt = cases.submitted(store)
    with pytest.raises(ParameterError, match="2,000 are the most"):
        store.perform(Who("peter"), Return(receipt.object_id, receipt.version, "other", "x" * 2_001), "k")


def test_a_clock_that_went_back_stops_everything_and_is_recorded_once(store):
    cases.staff(store)
    receipt = cases.submitted(store)
    at = trail(store)[-1]["at"]
    store.clock.advance(seconds=-5)
    store.perform(Who("ann"), cases.proposal(9), "within-the-tolerance")
    assert trail(store)[-1]["at"] == at, "no record is earlier than the one before"
    store.clock.advance(seconds=-1)
    before = contents(store)
    for number in range(3):
        with pytest.raises(StoreError, match="set the clock right"):
            store.perform(Who("paula"), Approve(receipt.object_id, receipt.version, receipt.sheet_hash), f"k{number}")
    after = contents(store)
    assert {name for name in after if after[name] != before[name]} == {"audit"}
    assert [entry["action"] for entry in trail(store)][-2:] == ["create", "clock"]
    assert trail(store)[-1]["at"] == at
    store.clock.advance(seconds=6)
    store.perform(Who("paula"), Approve(receipt.object_id, receipt.version, receipt.sheet_hash), "later")


def test_a_checkpoint_is_told_of_what_was_committed_only(store):
    told = []

    class Checkpoints:
        def after(self, record):
            told.append(record.sequence)

    store.checkpoints = Checkpoints()
    cases.staff(store)
    receipt = cases.submitted(store)
    with pytest.raises(AccessError):
        store.perform(Who("ann"), Approve(receipt.object_id, receipt.version, receipt.sheet_hash), "k")
    assert told == [1, 2, 3]


def test_a_firm_of_households_tells_its_inputs_at_once(store):
    cases.staff(store)
    many = tuple((f"H{i}", f"{i:064d}") for i in range(2_500))
    first = store.perform(Who("nightly"), SeeInputs("4" * 64, many), "day-1")
    assert first.also == ()
    with pytest.raises(ParameterError, match="twice"):
        store.perform(Who("nightly"), SeeInputs("4" * 64, (*many, many[0])), "day-2")


def test_a_reader_writes_nothing(store):
    cases.staff(store)
    with pytest.raises(StoreError, match=r"read-only|readonly"), store.reading() as connection:
        connection.execute(outbox.delete())
    with store.writing() as unit:
        unit.connection.execute(outbox.delete())


def test_answers_are_kept_with_their_place_in_the_trail(store):
    cases.staff(store)
    receipt = cases.submitted(store)
    with store.reading() as connection:
        kept = dict(connection.execute(select(answered.c.key, answered.c.sequence)).all())
    assert kept == {"create-1": 1, "check-1": 2, "submit-1": receipt.sequence}


def test_a_delegate_and_whom_they_act_for_are_both_makers(store):
    from workbench.governance.tables import delegation, maker

    cases.staff(store)
    with store.writing() as unit:
        row = {"delegation_id": "d", "from_person": "paula", "to_person": "peter", "reason": "holiday"}
        days = {"starts_at": unit.now, "ends_at": unit.now + timedelta(days=2)}
        unit.connection.execute(delegation.insert(), {**row, **days})
    receipt = cases.checked(store)
    submit = Submit(receipt.object_id, receipt.version, receipt.sheet_hash)
    receipt = store.perform(Who("peter", on_behalf_of="paula"), submit, "k")
    with store.reading() as connection:
        assert set(connection.execute(select(maker.c.person_id)).scalars()) == {"peter", "paula"}
    command = Approve(receipt.object_id, receipt.version, receipt.sheet_hash)
    for name in ("peter", "paula"):
        with pytest.raises(AccessError) as refused:
            store.perform(Who(name), command, f"approve-{name}")
        assert refused.value.rule == "maker"
