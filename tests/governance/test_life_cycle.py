"""What a signal can become: decided on plain values, and by the store's commands."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, update

from tests.governance import cases
from workbench.errors import AccessError, AuditError, DecisionError, ParameterError, StaleError
from workbench.governance import documents
from workbench.governance.access import Who
from workbench.governance.commands import (
    Acknowledge,
    AddDraft,
    Approve,
    ChangeControls,
    Check,
    Consent,
    Document,
    EditDraft,
    Expire,
    Export,
    Fill,
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
)
from workbench.governance.controls import Controls
from workbench.governance.life_cycle import Act, Approval, Standing, decide
from workbench.governance.states import OPEN, TRANSITIONS, Action, Mode, State
from workbench.governance.tables import approval, audit, consent, decision, draft, finding, maker, outbox, signal
from workbench.governance.tables import document as document_table

NOON = datetime(2022, 12, 28, 12, tzinfo=UTC)
STANDING = Standing(
    state=State.APPROVED,
    version=4,
    sheet_hash="sheet",
    mode=Mode.RELEASE,
    traded=100_000_00,
    expires_at=NOON + timedelta(days=5),
    inputs_hash="inputs",
    inputs_now="inputs",
    makers=frozenset({"ann"}),
    approvals=(Approval(frozenset({"paula"}), "sheet", NOON + timedelta(hours=24)),),
)
RELEASE = Act(Action.RELEASE, frozenset({"tom"}), 4, "sheet")
APPROVE = Act(Action.APPROVE, frozenset({"peter"}), 4, "sheet")
SUBMITTED = replace(STANDING, state=State.SUBMITTED, approvals=())


def performed(store, who, command):
    return store.perform(Who(who), command, f"{who}-{command!r}"[:60] + str(hash(command))[-20:])


def row_of(store, receipt):
    with store.reading() as connection:
        return connection.execute(select(signal).where(signal.c.signal_id == receipt.object_id)).one()


def test_an_approved_signal_is_released():
    assert decide(STANDING, RELEASE, Controls(), NOON) is State.RELEASED


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"state": State.SUBMITTED}, "cannot be released"),
        ({"mode": Mode.DRAFT}, "in mode draft"),
        ({"mode": Mode.MONITOR}, "in mode monitor"),
        ({"inputs_now": "others"}, "data changed"),
        ({"unresolved": ("cash_floor",)}, "cash_floor"),
        ({"approvals": ()}, "0 of 1 approvals"),
        ({"approvals": (replace(STANDING.approvals[0], sheet_hash="another"),)}, "0 of 1 approvals"),
        ({"approvals": (replace(STANDING.approvals[0], expires_at=NOON),)}, "0 of 1 approvals"),
        ({"approvals": (replace(STANDING.approvals[0], voided=True),)}, "0 of 1 approvals"),
        ({"traded": 1_000_000_00}, "1 of 2 approvals"),
        ({"overriders": frozenset({"cleo"})}, "1 of 2 approvals"),
        ({"approvals": (replace(STANDING.approvals[0], broken_glass=True),)}, "1 of 2 approvals"),
        ({"in_flight": True}, "with the market"),
        ({"makers": frozenset({"tom"})}, "made a signal"),
        ({"expires_at": NOON}, "expired"),
        ({"version": 5}, "version 4, the signal is at version 5"),
        ({"sheet_hash": "another"}, "no longer what the signal is"),
    ],
)
def test_each_single_thing_against_a_release_refuses_it(changed, why):
    with pytest.raises(DecisionError, match=why):
        decide(replace(STANDING, **changed), RELEASE, Controls(), NOON)


def test_one_cent_below_the_size_one_approver_is_enough():
    assert decide(replace(STANDING, traded=1_000_000_00 - 1), RELEASE, Controls(), NOON) is State.RELEASED
    with pytest.raises(DecisionError, match="1 of 2"):
        decide(STANDING, RELEASE, Controls(second_approver_above=100_000_00), NOON)


def test_a_second_approver_is_another_person_in_both_senses():
    large = replace(SUBMITTED, traded=2_000_000_00)
    assert decide(large, APPROVE, Controls(), NOON) is State.SUBMITTED
    for first in ({"peter"}, {"paula", "peter"}):
        once = replace(large, approvals=(Approval(frozenset(first), "sheet", NOON + timedelta(hours=1)),))
        for second in ({"peter"}, {"peter", "pia"}):
            with pytest.raises(DecisionError, match="approved this already"):
                decide(once, replace(APPROVE, persons=frozenset(second)), Controls(), NOON)
        assert decide(once, replace(APPROVE, persons=frozenset({"pia"})), Controls(), NOON) is State.APPROVED


def test_an_approver_whose_approval_expired_approves_anew():
    late = replace(SUBMITTED, approvals=(Approval(APPROVE.persons, "sheet", NOON),))
    assert decide(late, APPROVE, Controls(), NOON) is State.APPROVED


def test_who_let_a_finding_stand_does_not_submit():
    found = replace(STANDING, state=State.CHECKED, overriders=frozenset({"cleo"}), approvals=())
    submit = Act(Action.SUBMIT, frozenset({"cleo"}), 4, "sheet")
    with pytest.raises(DecisionError, match="let a finding stand"):
        decide(found, submit, Controls(), NOON)
    assert decide(found, replace(submit, persons=frozenset({"ann"})), Controls(), NOON) is State.SUBMITTED


def test_every_act_from_every_state_leads_where_the_table_says_or_nowhere():
    for action, allowed in TRANSITIONS.items():
        for state in State:
            standing = replace(STANDING, state=state)
            act = Act(action, frozenset({"ann" if action is Action.WITHDRAW else "xeno"}), 4)
            moment = STANDING.expires_at if action is Action.EXPIRE else NOON
            if state in allowed:
                assert decide(standing, act, Controls(), moment) in allowed[state]
            else:
                with pytest.raises(DecisionError):
                    decide(standing, act, Controls(), moment)


def test_only_a_maker_withdraws(store):
    cases.staff(store)
    receipt = cases.submitted(store)
    with pytest.raises(AccessError, match="only a maker"):
        performed(store, "peter", Withdraw(receipt.object_id, receipt.version, "Not mine."))
    assert performed(store, "ann", Withdraw(receipt.object_id, receipt.version, "Too early.")).state == State.RETURNED


@pytest.mark.parametrize("sent_back_by", ["a sweep", "new controls"])
def test_approvals_of_one_content_stand_or_fall_together(store, sent_back_by):
    cases.staff(store)
    large = replace(cases.proposal().summary, traded=Controls().second_approver_above)
    shown = cases.submitted(store, summary=large)
    shown = performed(store, "paula", Approve(shown.object_id, shown.version, shown.sheet_hash))
    store.clock.advance(hours=23)
    shown = performed(store, "cleo", Approve(shown.object_id, shown.version, shown.sheet_hash))
    assert shown.state == State.APPROVED
    store.clock.advance(hours=1)
    with pytest.raises(DecisionError, match="0 of 2 approvals"):
        performed(store, "tom", Release(shown.object_id, shown.version, shown.sheet_hash))
    if sent_back_by == "a sweep":
        performed(store, "nightly", Sweep())
    else:
        performed(store, "cleo", ChangeControls((("approval_hours", 12),), "Shorter."))
    found = row_of(store, shown)
    assert found.state == State.SUBMITTED
    second = Approve(found.signal_id, found.version, found.sheet_hash)
    with pytest.raises(AccessError, match="a portfolio manager has to approve first"):
        performed(store, "carl", second)  # compliance's own earlier approval is no manager's
    assert performed(store, "peter", second).state == State.SUBMITTED
    with store.reading() as connection:
        held = connection.execute(select(approval.c.person_id).where(approval.c.voided_at.is_(None))).scalars().all()
    assert held == ["peter"]


def test_a_ticket_goes_out_and_comes_back_filled(store):
    cases.staff(store)
    receipt = cases.released(store)
    name = receipt.object_id
    receipt = performed(store, "nightly", Export(name, receipt.version, "9" * 64))
    receipt = performed(store, "nightly", Acknowledge(name, receipt.version, "OMS-1"))
    receipt = performed(store, "nightly", Fill(name, receipt.version, False, 40_000_00, "F-1"))
    assert receipt.state == State.PARTLY_FILLED
    receipt = performed(store, "nightly", Fill(name, receipt.version, True, 100_000_00, "F-2"))
    assert receipt.state == State.FILLED
    with pytest.raises(AccessError):
        performed(store, "nightly", Fill(name, receipt.version, True, 1, "F-3"))


def test_nothing_is_released_twice(store):
    cases.staff(store)
    shown = cases.approved(store)
    store.perform(Who("tom"), Release(shown.object_id, shown.version, shown.sheet_hash), "once")
    for who, version in (("tom", shown.version), ("peter", shown.version), ("tom", shown.version + 1)):
        with pytest.raises((StaleError, AccessError)):
            store.perform(Who(who), Release(shown.object_id, version, shown.sheet_hash), f"{who}-{version}")
    with store.reading() as connection:
        said = select(func.count()).select_from(outbox).where(outbox.c.topic == "signal.released")
        assert connection.execute(said).scalar_one() == 1


def test_a_second_signal_of_a_household_waits_until_the_first_is_filled(store):
    cases.staff(store)
    first = cases.released(store, 1)
    changed = {"package": cases.package("another"), "household_id": "H1"}
    receipt = cases.approved(store, 2, **changed)
    release = Release(receipt.object_id, receipt.version, receipt.sheet_hash)
    with pytest.raises(DecisionError, match="with the market"):
        performed(store, "tom", release)
    first = performed(store, "nightly", Export(first.object_id, first.version, "9" * 64))
    performed(store, "nightly", Fill(first.object_id, first.version, True, 1, "F"))
    assert store.perform(Who("tom"), release, "later").state == State.RELEASED


def test_a_newer_proposal_supersedes_the_open_one_and_the_same_one_is_known(store):
    cases.staff(store)
    old = cases.approved(store)
    again = cases.created(store, key="another-key")
    assert (again.object_id, again.state) == (old.object_id, State.APPROVED)
    new = cases.created(store, key="new", package=cases.package("newer"))
    assert new.also == (old.object_id,)
    assert row_of(store, old).state == State.SUPERSEDED
    with store.reading() as connection:
        assert connection.execute(select(approval.c.void_reason)).scalars().all() == ["superseded by a newer proposal"]


def test_changed_inputs_void_checks_and_approvals(store):
    cases.staff(store)
    kept, voided = cases.approved(store, 1), cases.approved(store, 2)
    told = SeeInputs("4" * 64, (("H1", cases.INPUTS), ("H2", "5" * 64), ("H3", "5" * 64)))
    receipt = performed(store, "nightly", told)
    assert receipt.also == (voided.object_id,)
    row = row_of(store, voided)
    assert (row.state, row.preflight_hash, row.verdict) == (State.DRAFT, None, None)
    assert row.sheet_hash != voided.sheet_hash
    assert row_of(store, kept).state == State.APPROVED
    with pytest.raises((StaleError, AccessError)):
        performed(store, "tom", Release(voided.object_id, voided.version, voided.sheet_hash))
    with pytest.raises(StaleError, match="other data"):
        performed(store, "nightly", cases.check(replace(receipt, object_id=voided.object_id, version=row.version)))
    again = cases.check(replace(receipt, object_id=voided.object_id, version=row.version), inputs="5" * 64)
    assert performed(store, "nightly", again).state == State.CHECKED


def test_a_proposal_on_data_that_moved_on_is_refused(store):
    cases.staff(store)
    performed(store, "nightly", SeeInputs("4" * 64, (("H1", "5" * 64),)))
    with pytest.raises(StaleError, match="propose anew"):
        cases.created(store)


def test_approvals_expire_and_are_asked_for_again(store):
    cases.staff(store)
    receipt = cases.approved(store)
    store.clock.advance(hours=24)
    with pytest.raises(DecisionError, match="0 of 1 approvals"):
        performed(store, "tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert performed(store, "nightly", Sweep()).also == (receipt.object_id,)
    row = row_of(store, receipt)
    assert (row.state, row.version) == (State.SUBMITTED, receipt.version + 1)
    anew = performed(store, "peter", Approve(receipt.object_id, row.version, row.sheet_hash))
    assert anew.state == State.APPROVED


def test_open_signals_expire_on_their_day_and_others_do_not(store):
    cases.staff(store)
    opened = [cases.created(store, 1), cases.checked(store, 2), cases.submitted(store, 3), cases.approved(store, 4)]
    sent = cases.released(store, 5)
    with pytest.raises(AccessError):
        performed(store, "ann", Expire(opened[0].object_id, 1))
    with pytest.raises(DecisionError, match="holds until"):
        performed(store, "nightly", Expire(opened[0].object_id, 1))
    store.clock.advance(days=5)
    assert set(performed(store, "nightly", Sweep()).also) == {one.object_id for one in opened}
    assert row_of(store, sent).state == State.RELEASED
    assert not OPEN & {State(row_of(store, one).state) for one in opened}


def test_a_revised_signal_starts_anew_with_its_editor_as_a_maker(store):
    cases.staff(store)
    receipt = cases.checked(store)
    summary = Summary("2022-12-28", 2, 50_000_00, 0, 0, 0, 1)
    revise = Revise(
        receipt.object_id, receipt.version, cases.package("edited"), None, summary, "client_wish", "Keep Alpha."
    )
    receipt = performed(store, "paula", revise)
    assert receipt.state == State.DRAFT
    assert row_of(store, receipt).traded == 50_000_00
    receipt = performed(store, "nightly", cases.check(receipt))
    receipt = performed(store, "ann", Submit(receipt.object_id, receipt.version, receipt.sheet_hash))
    with pytest.raises(AccessError) as refused:
        performed(store, "paula", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert refused.value.rule == "maker"
    receipt = performed(store, "peter", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    receipt = performed(store, "tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash))
    with store.reading() as connection:
        record = connection.execute(select(audit.c.body).where(audit.c.action == "release")).scalar_one()
        row = connection.execute(select(decision).where(decision.c.action == "revise")).one()
        said = json.loads(record)
        kept = documents.fetch(connection, said["documents"]["difference"])
    assert said["details"]["drafted_package"] == row.before_hash
    assert said["details"]["revisions"] == 1
    assert json.loads(kept.body)["from"] == row.before_hash
    assert json.loads(kept.body)["to"] == said["documents"]["package"]
    assert (row.reason_code, row.person_id, row.reason) == ("client_wish", "paula", "Keep Alpha.")


@pytest.mark.parametrize("act", [Submit, Approve, Release])
def test_nobody_decides_on_a_sheet_that_cannot_be_read(store, act):
    cases.staff(store)
    lead, who = {
        Submit: (cases.checked, "ann"), Approve: (cases.submitted, "peter"), Release: (cases.approved, "tom")
    }[act]  # fmt: skip
    receipt = lead(store)
    row = row_of(store, receipt)
    with store.engine.begin() as connection:
        gone = update(document_table).where(document_table.c.hash == row.preflight_hash)
        connection.execute(gone.values(body=None, disposed_at=NOON))
    with pytest.raises(DecisionError, match="disposed of"):
        performed(store, who, act(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert row_of(store, receipt).state == row.state


def test_a_consent_is_part_of_the_sheet_until_the_package_changes(store):
    cases.staff(store)
    receipt = cases.checked(store)
    with pytest.raises(DecisionError, match="not of this signal"):
        performed(store, "adam", Consent(receipt.object_id, receipt.version, "A9", "letter"))
    with pytest.raises(AccessError):
        performed(store, "ann", Consent(receipt.object_id, receipt.version, "A1", "letter"))
    given = performed(store, "adam", Consent(receipt.object_id, receipt.version, "A1", "letter of 2022-12-27"))
    assert given.state == State.DRAFT
    rechecked = performed(store, "nightly", cases.check(given))
    assert rechecked.sheet_hash != receipt.sheet_hash
    with store.reading() as connection:
        assert connection.execute(select(maker.c.person_id)).scalars().all() == ["adam"]
        assert connection.execute(select(consent.c.recorded_by)).scalars().all() == ["adam"]


def test_a_block_stops_a_submission_until_compliance_lets_it_stand(store):
    cases.staff(store)
    findings = (cases.finding("cash_floor", "block"), cases.finding("wash", "block", overridable=False))
    receipt = cases.checked(store, findings=findings)
    with pytest.raises(DecisionError, match="cash_floor, wash"):
        performed(store, "ann", Submit(receipt.object_id, receipt.version, receipt.sheet_hash))
    with pytest.raises(DecisionError, match="does not allow"):
        performed(store, "cleo", Override(receipt.object_id, receipt.version, "wash", 1, "It is fine."))
    with pytest.raises(StaleError, match="version 1 of the rule"):
        performed(store, "cleo", Override(receipt.object_id, receipt.version, "cash_floor", 2, "It is fine."))
    with pytest.raises(ParameterError, match="reason is empty"):
        performed(store, "cleo", Override(receipt.object_id, receipt.version, "cash_floor", 1, " "))


def test_an_override_needs_two_approvers_and_falls_with_a_new_check(store):
    cases.staff(store)
    receipt = cases.checked(store, findings=(cases.finding("cash_floor", "not_assessable"), cases.finding("ips")))
    override = Override(receipt.object_id, receipt.version, "cash_floor", 1, "Cash comes on Friday.")
    receipt = performed(store, "cleo", override)
    assert row_of(store, receipt).verdict == "warn"
    receipt = performed(store, "ann", Submit(receipt.object_id, receipt.version, receipt.sheet_hash))
    receipt = performed(store, "paula", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert receipt.state == State.SUBMITTED
    receipt = performed(store, "cleo", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert receipt.state == State.APPROVED
    receipt = performed(store, "peter", Return(receipt.object_id, receipt.version, "data_wrong", "Cash was there."))
    again = cases.check(receipt, cases.finding("cash_floor", "not_assessable"))
    receipt = performed(store, "nightly", again)
    with pytest.raises(DecisionError, match="cash_floor"):
        performed(store, "ann", Submit(receipt.object_id, receipt.version, receipt.sheet_hash))
    with store.reading() as connection:
        assert connection.execute(select(finding.c.overridden_by)).scalars().all() == [None]
        acts = connection.execute(select(decision.c.action).order_by(decision.c.version)).scalars().all()
    assert acts == ["override", "submit", "approve", "approve", "return"]


def test_a_stricter_mode_stops_a_release_and_a_changed_one_ends_approvals(store):
    cases.staff(store)
    receipt = cases.approved(store)
    changed = performed(store, "cleo", SetMode("model", "BAL", Mode.DRAFT, "The model is under review."))
    assert changed.also == (receipt.object_id,)
    row = row_of(store, receipt)
    assert row.state == State.SUBMITTED
    assert row.sheet_hash != receipt.sheet_hash
    receipt = performed(store, "peter", Approve(receipt.object_id, row.version, row.sheet_hash))
    with pytest.raises(AccessError) as refused:
        performed(store, "tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert refused.value.rule == "mode"
    performed(store, "cleo", SetMode("model", "BAL", Mode.RELEASE, "The review is done."))
    row = row_of(store, receipt)
    assert row.state == State.SUBMITTED, "what was approved as a draft is not released"
    assert performed(store, "cleo", SetMode("account", "A9", Mode.MONITOR, "Another account.")).also == ()


def test_stricter_controls_send_back_what_has_too_few_approvers(store):
    cases.staff(store)
    receipt = cases.approved(store)
    stricter = ChangeControls((("second_approver_above", 50_000_00),), "Two pairs of eyes.")
    assert performed(store, "cleo", stricter).also == (receipt.object_id,)
    row = row_of(store, receipt)
    receipt = performed(store, "peter", Approve(receipt.object_id, row.version, row.sheet_hash))
    assert receipt.state == State.APPROVED
    with pytest.raises(ParameterError, match="is no control"):
        performed(store, "cleo", ChangeControls((("version", 7),), "Because."))
    with pytest.raises(ParameterError, match="approval_hours"):
        performed(store, "cleo", ChangeControls((("approval_hours", 0),), "Because."))


def test_a_draft_is_kept_beside_what_a_person_made_of_it(store):
    cases.staff(store)
    receipt = cases.created(store)
    text = Document("draft", "text/plain", b"We sell Alpha and buy Beta.")
    for lacking in ((), cases.HOW[:5]):
        with pytest.raises(ParameterError, match="verifier_report"):
            performed(store, "nightly", AddDraft(receipt.object_id, 1, "letter", text, lacking))
    prompt = Document("prompt", "text/plain", b"Write to the client.")
    made = AddDraft(receipt.object_id, 1, "letter", text, cases.HOW[1:], (("prompt", prompt),))
    receipt = performed(store, "nightly", made)
    with store.reading() as connection:
        record = json.loads(connection.execute(select(draft.c.record)).scalar_one())
        assert documents.fetch(connection, record["prompt"]).body == prompt.body
    with store.reading() as connection:
        drafted = connection.execute(select(draft)).one()
    edit = EditDraft(receipt.object_id, receipt.version, drafted.draft_id, "We buy Beta.", "wording")
    receipt = performed(store, "adam", edit)
    with store.reading() as connection:
        row = connection.execute(select(decision)).one()
        now = connection.execute(select(draft)).one()
    assert (row.action, row.edit_distance, row.length) == ("edit_draft", 3, 6)
    assert now.drafted_hash == drafted.drafted_hash != now.current_hash
    with pytest.raises(ParameterError, match="change something"):
        performed(store, "adam", replace(edit, version=receipt.version))


def test_a_rejected_signal_stays_closed(store):
    cases.staff(store)
    receipt = cases.submitted(store)
    receipt = performed(store, "peter", Reject(receipt.object_id, receipt.version, "timing", "After the election."))
    for who, command in (
        ("peter", Approve(receipt.object_id, receipt.version, receipt.sheet_hash)),
        ("nightly", cases.check(receipt)),
        ("tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash)),
    ):
        with pytest.raises(AccessError):
            performed(store, who, command)


def test_a_person_who_brings_a_proposal_in_is_a_maker(store):
    cases.staff(store)
    receipt = store.perform(Who("paula"), cases.proposal(), "by-hand")
    receipt = performed(store, "nightly", cases.check(receipt))
    receipt = performed(store, "ann", Submit(receipt.object_id, receipt.version, receipt.sheet_hash))
    with pytest.raises(AccessError):
        performed(store, "paula", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))


@pytest.mark.parametrize("of_this_sheet", [True, False])
def test_inserts_by_hand_do_not_make_a_release(store, of_this_sheet):
    """An approval placed by somebody with the database's password counts for nothing, be it of this sheet or not."""
    cases.staff(store)
    receipt = cases.submitted(store)
    with store.writing() as unit:
        row = {"approval_id": "x", "signal_id": receipt.object_id, "version": 1}
        row["sheet_hash"] = receipt.sheet_hash if of_this_sheet else "0" * 64
        times = {"approved_at": unit.now, "expires_at": unit.now + timedelta(hours=9)}
        unit.connection.execute(insert(approval), {**row, "person_id": "peter", "through": "own", **times})
        unit.connection.execute(signal.update().values(state="approved"))
    with pytest.raises(AuditError, match="changed outside the desk"):
        performed(store, "tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash))


def test_a_check_names_each_rule_once(store):
    cases.staff(store)
    receipt = cases.created(store)
    twice = cases.check(receipt, cases.finding(), cases.finding())
    with pytest.raises(DecisionError, match="each rule once"):
        performed(store, "nightly", twice)
    assert isinstance(twice, Check)
