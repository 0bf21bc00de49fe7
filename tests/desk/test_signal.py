"""The signal's page and its forms: what an approver sees, what each act does, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from tests.desk.conftest import ORIGIN, PASSED, SERVICE
from tests.desk.packages import needing_consent, package, preflight, proposal
from workbench import rebalance
from workbench.compliance.outcome import Verdict
from workbench.governance.commands import AddDraft, Check, Document, Finding
from workbench.governance.states import Mode
from workbench.governance.tables import approval, audit, decision, document, signal

BLOCKED = Finding("turnover", 2, "block", "31.0%", "25.0%", "Turnover of twelve months 31%, limit 25%.", True)
HARD = Finding("never_sell", 2, "block", "1", "0", "Sells what the client asked never to sell.", False)


def real(house, state="checked", household="H-0001", **more):
    return house.signal(state, household, package=package(household), preflight=preflight(household), **more)


def count(house, table):
    with house.store.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_an_approver_sees_what_happens_to_whom(house):
    signal_id = real(house, "submitted")
    page = house.browser("pat").get(f"/signals/{signal_id}").text
    for words in (
        "4 trades in 2 accounts: $9,358 sold and $8,671 bought.",
        "Tracking error goes from 1.23% to 0.41% a year.",
        "brought inside",
        "Sell VTI",
        "Harvests a loss",
        "replaced by SCHB until 28 Jan 2023",
        "Lot: 15 bought 15 Mar 2021, long-term −$592.",
        "Do not buy VTI and ITOT:",
        "15 U.S.C. 80b-2",
        "One approver, not a maker.",
        "Ana Duarte (submit)",
        house.row(signal_id).sheet_hash,
    ):
        assert words in page, words
    assert "<Smith>" not in page


def test_a_signal_of_another_book_does_not_exist(house):
    signal_id = real(house, book="adv-2")
    for path in ("", "/revise", "/confirm/approve", f"/documents/{house.row(signal_id).package_hash}"):
        assert house.browser("adam").get(f"/signals/{signal_id}{path}").status_code == 404
    assert house.browser("vera").get("/signals/nothing").status_code == 404


def test_submit_approve_release_each_by_another_person(house):
    signal_id = real(house)
    path = f"/signals/{signal_id}"
    maker, checker, trader = house.browser("ana"), house.browser("pat"), house.browser("tom")
    maker.get(path)
    answered = maker.send(f"{path}/submit", note="please")
    assert (answered.status_code, answered.headers["location"]) == (303, path)
    assert "Submitted for approval." in maker.get(path).text
    assert "Approve …" not in maker.last.text
    assert "Approve …" in checker.get(path).text
    confirm = checker.get(f"{path}/confirm/approve?sheet_hash={house.row(signal_id).sheet_hash}")
    assert house.row(signal_id).sheet_hash in confirm.text
    assert house.row(signal_id).state == "submitted"
    checker.send(f"{path}/approve", note="")
    assert house.row(signal_id).state == "approved"
    trader.get(f"{path}/confirm/release")
    trader.send(f"{path}/release")
    assert house.row(signal_id).state == "released"
    assert "Tom Okafor released it" in trader.get(path).text


def test_a_form_sent_twice_acts_once(house):
    signal_id = real(house, "submitted")
    path = f"/signals/{signal_id}"
    checker = house.browser("pat")
    page = checker.get(f"{path}/confirm/approve").text
    first = checker.send(f"{path}/approve", page=page)
    second = checker.send(f"{path}/approve", page=page)
    assert (first.status_code, second.status_code) == (303, 303)
    assert "nothing was done twice" in checker.get(path).text
    assert count(house, approval) == 1


def test_a_stale_approval_is_refused_and_changes_nothing(house):
    signal_id = real(house, "submitted")
    path = f"/signals/{signal_id}"
    first, second = house.browser("pat"), house.browser("paul")
    page = first.get(f"{path}/confirm/approve").text
    shown = house.row(signal_id).sheet_hash
    second.get(path)
    second.send(f"{path}/return", reason_code="timing", reason="not before the new year")
    answered = first.send(f"{path}/approve", page=page)
    assert answered.status_code == 409
    assert house.row(signal_id).state == "returned"
    assert count(house, approval) == 0
    assert "Not before" not in answered.text
    house.check(signal_id)
    other = first.get(f"{path}/confirm/approve?sheet_hash={'0' * 64}")
    assert other.status_code == 409
    assert shown


@pytest.mark.parametrize("who", ["ana", "vera", "adam", "otto", "ada"])
def test_who_may_not_approve_has_no_button_and_is_refused_by_the_form(house, who):
    signal_id = real(house, "submitted")
    path = f"/signals/{signal_id}"
    row = house.row(signal_id)
    browser = house.browser(who)
    page = browser.get(path)
    assert "Approve …" not in page.text
    hidden = browser.get("/me").text if page.status_code == 404 else page.text
    fields = browser.fields("/sign-out", hidden)
    forged = {**fields, "version": row.version, "sheet_hash": row.sheet_hash}
    answered = browser.client.post(f"{path}/approve", data=forged, headers=ORIGIN)
    assert answered.status_code == 403
    assert house.row(signal_id).state == "submitted"
    with house.store.reading() as connection:
        last = connection.execute(select(audit).order_by(audit.c.sequence.desc()).limit(1)).one()
    assert (last.actor, last.action, last.outcome) == (who, "approve", "refused")


def test_a_signal_changed_by_hand_is_not_released_and_the_page_says_so(house):
    """Somebody with the database's password lowers what is traded after the approval."""
    signal_id = real(house, "approved")
    browser = house.browser("tom")
    path = f"/signals/{signal_id}"
    page = browser.get(path).text
    row = house.row(signal_id)
    with house.store.engine.begin() as connection:
        connection.execute(update(signal).where(signal.c.signal_id == signal_id).values(traded=1))
    sent = {**browser.fields("/sign-out", page), "version": row.version, "sheet_hash": row.sheet_hash}
    answered = browser.client.post(f"{path}/release", data=sent, headers=ORIGIN)
    assert answered.status_code == 409
    assert "The records do not agree" in answered.text
    assert "changed outside the desk" in answered.text
    assert house.row(signal_id).state == "approved"


def test_compliance_lets_a_finding_stand_and_two_must_approve(house):
    signal_id = house.signal(
        "checked", package=package(), preflight=preflight(verdict=Verdict.BLOCK), findings=(BLOCKED,)
    )
    path = f"/signals/{signal_id}"
    maker, compliance = house.browser("ana"), house.browser("cora")
    assert "Submit for approval" not in maker.get(path).text
    assert "pre-flight stands against it" in maker.last.text, maker.last.text[-3500:]
    compliance.get(path)
    compliance.send(f"{path}/override", reason="The client asked for it in writing, see C-17.")
    assert "Cora Haines let it stand: The client asked for it in writing, see C-17." in compliance.get(path).text
    maker.get(path)
    maker.send(f"{path}/submit")
    page = house.browser("pat").get(path).text
    assert "Two approvers: compliance let a finding stand." in page


def test_a_rule_without_override_offers_none(house):
    checked = preflight(verdict=Verdict.BLOCK, overridable=False)
    hard = replace(HARD, rule_id="turnover")
    signal_id = house.signal("checked", package=package(), preflight=checked, findings=(hard,))
    page = house.browser("cora").get(f"/signals/{signal_id}").text
    assert "No override." in page
    assert f"/signals/{signal_id}/override" not in page


def test_consent_is_recorded_by_the_advisor(house):
    signal_id = house.signal("checked", package=needing_consent(), preflight=preflight())
    path = f"/signals/{signal_id}"
    adviser = house.browser("adam")
    assert "Its client has to agree first." in adviser.get(path).text
    assert adviser.send(f"{path}/consent", source_document="call note 2022-117").status_code == 303
    assert house.row(signal_id).state == "draft"


def test_trades_are_taken_out_with_a_reason(house):
    signal_id = real(house)
    path = f"/signals/{signal_id}"
    maker = house.browser("ana")
    page = maker.get(f"{path}/revise").text
    answered = maker.send(
        f"{path}/revise", page=page, keep=["0", "1"], reason_code="client_wish", reason="keep the fund"
    )
    assert answered.status_code == 303
    again = maker.send(f"{path}/revise", page=page, keep=["0", "1"], reason_code="client_wish", reason="keep the fund")
    assert again.status_code == 303
    shown = maker.get(path).text
    assert "Taken out: sell 100 EFA ($6,500) in ··1-A2." in shown
    assert "Changed by a person" in shown
    row = house.row(signal_id)
    assert (row.state, row.trades, row.traded) == ("draft", 2, 570_825)
    assert count(house, decision) == 1


@pytest.mark.parametrize("keep", [[], ["0", "1", "2", "3"], ["x"], ["9"]])
def test_a_revision_that_is_none_is_refused(house, keep):
    signal_id = real(house)
    maker = house.browser("ana")
    maker.get(f"/signals/{signal_id}/revise")
    answered = maker.send(f"/signals/{signal_id}/revise", keep=keep, reason_code="tax", reason="none")
    assert answered.status_code == 422
    assert house.row(signal_id).state == "checked"


def test_a_reason_is_asked_for_and_shown_escaped(house):
    signal_id = real(house, "submitted")
    path = f"/signals/{signal_id}"
    checker = house.browser("pat")
    checker.get(path)
    assert checker.send(f"{path}/return", reason_code="tax", reason=" ").status_code == 422
    checker.get(path)
    assert checker.send(f"{path}/return", reason_code="nonsense", reason="x").status_code == 422
    checker.get(path)
    checker.send(f"{path}/return", reason_code="tax", reason="<img src=x onerror=alert(1)>'; DROP TABLE signal;--")
    page = checker.get(path).text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_the_brief_opens_in_a_sandbox_and_documents_are_handed_out(house):
    brief = b"<!doctype html><title>Brief</title><script>alert(1)</script><p>Brief"
    signal_id = real(house, brief=brief)
    row = house.row(signal_id)
    reader = house.browser("vera")
    opened = reader.get(f"/signals/{signal_id}/pages/{row.brief_hash}")
    assert opened.content == brief
    assert opened.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    handed = reader.get(f"/signals/{signal_id}/documents/{row.package_hash}")
    assert handed.content == package()
    assert handed.headers["content-disposition"].startswith("attachment; filename=")
    assert reader.get(f"/signals/{signal_id}/pages/{row.package_hash}").status_code == 404
    other = real(house, household="H-0002")
    assert reader.get(f"/signals/{other}/documents/{row.package_hash}").status_code == 404


def test_a_package_that_cannot_be_read_is_said_to_be_so(house):
    signal_id = house.signal("submitted", package=b'{"household": "H-0001"}')
    path = f"/signals/{signal_id}"
    approver = house.browser("pat")
    page = approver.get(path)
    assert page.status_code == 200
    assert "Do not approve or release this signal" in page.text
    assert "Approve …" not in page.text
    assert "Not now" in approver.get(f"{path}/confirm/approve").text
    row = house.row(signal_id)
    forged = {**approver.fields("/sign-out"), "version": row.version, "sheet_hash": row.sheet_hash}
    assert approver.client.post(f"{path}/approve", data=forged, headers=ORIGIN).status_code == 409
    assert house.row(signal_id).state == "submitted"


def test_a_package_that_was_disposed_of_is_not_decided_on(house):
    signal_id = real(house, "submitted")
    with house.store.engine.begin() as connection:
        gone = update(document).where(document.c.hash == house.row(signal_id).package_hash)
        connection.execute(gone.values(body=None, disposed_at=house.clock()))
    page = house.browser("pat").get(f"/signals/{signal_id}").text
    assert "retention disposed of it" in page
    assert "Approve …" not in page


class Firm:
    """Checks without a firm: a pre-flight that passes, on the inputs the signal has."""

    def __init__(self, house):
        self.house = house

    def check(self, store, signal_id):
        row = self.house.row(signal_id)
        body = Document("preflight", "application/json", preflight(row.household_id))
        return Check(signal_id, row.version, body, (PASSED,), row.inputs_hash, "3" * 64)


def test_after_a_consent_the_signal_is_checked_again_at_the_desk(house):
    house.app.state.settings = replace(house.app.state.settings, checker=Firm(house))
    signal_id = house.signal("checked", package=needing_consent())
    path = f"/signals/{signal_id}"
    advisor, maker = house.browser("adam"), house.browser("ana")
    advisor.get(path)
    advisor.send(f"{path}/consent", source_document="CRM-4711")
    page = advisor.get(path).text
    assert "Now it is to be checked again" in page
    assert f'action="{path}/check"' not in page, "advisors do not check"
    maker.get(path)
    shown = maker.last.text
    assert maker.send(f"{path}/check").status_code == 303
    assert "Checked again" in maker.get(path).text
    assert house.row(signal_id).state == "checked"
    assert maker.send(f"{path}/check", page=shown).status_code == 303, "a second sending is answered, not done"
    assert "nothing was done twice" in maker.get(path).text
    forged = {**advisor.fields("/sign-out", advisor.get(path).text), "version": house.row(signal_id).version}
    assert advisor.client.post(f"{path}/check", data=forged, headers=ORIGIN).status_code == 403


def test_a_desk_without_a_firm_says_who_checks(house):
    signal_id = house.signal("draft")
    maker = house.browser("ana")
    assert "The nightly run checks it anew." in maker.get(f"/signals/{signal_id}").text
    forged = {**maker.fields("/sign-out"), "version": 1}
    answered = maker.client.post(f"/signals/{signal_id}/check", data=forged, headers=ORIGIN)
    assert answered.status_code == 409
    assert "nightly run" in answered.text


def test_words_of_a_refused_form_are_not_lost(house):
    signal_id = real(house, "submitted")
    path = f"/signals/{signal_id}"
    first, second = house.browser("pat"), house.browser("paul")
    first.get(path)
    page = first.last.text
    second.get(path)
    second.send(f"{path}/return", reason_code="timing", reason="not before the new year")
    answered = first.send(f"{path}/reject", page=page, reason_code="tax", reason="Gains of <2022> are used up.")
    assert answered.status_code == 409
    assert ">Gains of &lt;2022&gt; are used up.</textarea>" in answered.text
    first.get("/me")
    fields = first.fields("/sign-out")
    first.client.cookies.clear()
    ended = first.client.post(f"{path}/reject", data={**fields, "reason": "Long thought about."}, headers=ORIGIN)
    assert ended.status_code == 401
    assert "Long thought about.</textarea>" in ended.text


def test_words_of_a_draft_are_edited_and_the_machines_stay(house):
    signal_id = real(house)
    draft = Document("draft", "text/plain", b"We propose four trades.")
    house.do(SERVICE, AddDraft(signal_id, 2, "advisor_note", draft, (("writer", "template"),)))
    path = f"/signals/{signal_id}"
    advisor = house.browser("adam")
    page = advisor.get(path).text
    assert "We propose four trades." in page
    assert "Writer: template" in page
    action = re.search(rf'action="({path}/drafts/[^"]+)"', page)[1]
    answered = advisor.send(action, body="We suggest four trades.", reason_code="wording", reason="")
    assert answered.status_code == 303, answered.text
    page = advisor.get(path).text
    assert "We suggest four trades." in page
    assert "As the machine drafted it" in page
    assert "We propose four trades." in page
    with house.store.reading() as connection:
        kept = connection.execute(select(decision).where(decision.c.action == "edit_draft")).one()
    assert (kept.edit_distance, kept.length, kept.reason_code) == (1, 4, "wording")


def test_a_mode_says_how_far_a_signal_goes(house):
    alert = real(house, mode=Mode.MONITOR)
    drafted = real(house, household="H-0002", mode=Mode.DRAFT)
    reader = house.browser("ana")
    page = reader.get(f"/signals/{alert}").text
    assert "an alert to read" in page
    assert f'action="/signals/{alert}/submit"' not in page
    page = reader.get(f"/signals/{drafted}").text
    assert "a brief, no ticket" in page
    assert f'action="/signals/{drafted}/submit"' in page


def test_mode_draft_says_who_set_it(house):
    signal_id = real(house, "approved", mode=Mode.DRAFT)
    page = house.browser("tom").get(f"/signals/{signal_id}").text
    assert "Mode release: the book of record allows drafts only." in page
    assert "Release …" not in page


def test_exceptions_are_counted_by_rule_within_the_book(house):
    house.signal("checked", "H-0001", findings=(BLOCKED,))
    house.signal("checked", "H-0002", book="adv-2", findings=(HARD,))
    page = house.browser("cora").get("/exceptions").text
    assert "2 on open signals" in page
    assert "No override: the rule does not allow one." in page
    assert "H-0002" not in house.browser("adam").get("/exceptions").text
    assert "H-0001" not in house.browser("cora").get("/exceptions?rule=never_sell").text


def test_the_hand_made_package_is_one():
    assert rebalance.loads(package()) == proposal()
