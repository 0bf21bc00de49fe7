"""Papers at the desk: read with their sources, edited under the verifier, released by another, handed out stamped."""

from __future__ import annotations

import email
import json
import re
from dataclasses import replace
from email.policy import default

import pytest

from tests.desk.conftest import ORIGIN, SERVICE
from tests.desk.letters import FLIPPED, GOOD, HERE, WRONG, letter
from workbench import releases
from workbench.errors import DecisionError
from workbench.governance import Escalate, ReleasePaper, Who, WithdrawPaper
from workbench.governance.access import actor
from workbench.governance.commands import AddDraft
from workbench.governance.reading import paper_view


def bring(house, *drafts, place=HERE):
    return releases.bring(house.store, Who(SERVICE), drafts, lambda _: place).papers


def view(house, paper_id, who="cora"):
    with house.store.reading() as connection:
        return paper_view(connection, actor(connection, Who(who), house.clock()), paper_id)


@pytest.fixture
def paper_id(house):
    (name,) = bring(house, letter())
    return name


def test_the_letter_is_supported_and_its_opposite_is_not():
    assert letter().report.supported
    assert letter().report.spans
    assert not letter(WRONG).report.supported
    assert not letter(FLIPPED).report.supported


def test_a_paper_is_listed_read_and_released(house, paper_id):
    reader = house.browser("cora")
    listed = reader.get("/papers").text
    assert "Your accounts: what we propose" in listed
    assert "1 paper waits for release" in listed
    page = reader.get(f"/papers/{paper_id}").text
    assert "rebalance.propose of positions" in page, "each figure with its source"
    assert "Draft, not released" in page
    asked = reader.get(f"/papers/{paper_id}/release?sheet_hash={view(house, paper_id).sheet_hash}").text
    assert view(house, paper_id).sheet_hash in asked
    answered = reader.send(f"/papers/{paper_id}/release", note="read in full")
    assert answered.status_code == 303
    page = reader.get(f"/papers/{paper_id}").text
    assert "released by Cora Haines" in page
    assert "0 papers wait" in reader.get("/papers").text


def test_words_are_verified_before_they_are_kept_and_kept_with_their_faults(house, paper_id):
    advisor, path = house.browser("adam"), f"/papers/{paper_id}"
    advisor.get(path)
    tried = advisor.send(f"{path}/edit", body=WRONG, reason_code="wording", reason="", only="verify").text
    assert "Your words, verified and not kept" in tried
    assert "unsupported" in tried
    assert view(house, paper_id).version == 1
    assert advisor.send(f"{path}/edit", body=FLIPPED, reason_code="wording", reason="").status_code == 303
    page = advisor.get(path).text
    assert "1 statement is not supported" in page
    assert "wrong direction" in page
    officer = house.browser("cora")
    assert "Not now" in officer.get(f"{path}/release").text
    forged = {**officer.fields("/sign-out"), "version": 2, "sheet_hash": view(house, paper_id).sheet_hash}
    assert officer.client.post(f"{path}/release", data=forged, headers=ORIGIN).status_code == 409
    assert view(house, paper_id).state == "edited"
    advisor.get(path)
    better = "We suggest selling $9,358 of VTI."
    assert advisor.send(f"{path}/edit", body=better, reason_code="wording", reason="kinder").status_code == 303
    officer.get(f"{path}/release")
    assert officer.send(f"{path}/release", note="").status_code == 303
    assert view(house, paper_id).state == "released"
    assert [one.supported for one in view(house, paper_id).edits] == [False, True]


def test_sending_the_words_that_are_there_changes_nothing(house, paper_id):
    advisor, path = house.browser("adam"), f"/papers/{paper_id}"
    advisor.get(path)
    assert advisor.send(f"{path}/edit", body=GOOD, reason_code="wording", reason="").status_code in (400, 422)
    assert view(house, paper_id).version == 1


def test_who_may_not_release_is_told_who_does(house, paper_id):
    manager = house.browser("pat")
    assert "Compliance does." in manager.get(f"/papers/{paper_id}/release").text
    assert "Waits for compliance" in manager.get(f"/papers/{paper_id}").text
    forged = {**manager.fields("/sign-out"), "version": 1, "sheet_hash": view(house, paper_id).sheet_hash}
    assert manager.client.post(f"/papers/{paper_id}/release", data=forged, headers=ORIGIN).status_code == 403


def test_a_paper_that_moved_on_is_not_released(house, paper_id):
    officer, advisor, path = house.browser("cora"), house.browser("adam"), f"/papers/{paper_id}"
    page = officer.get(f"{path}/release").text
    advisor.get(path)
    advisor.send(f"{path}/edit", body="We suggest selling $9,358 of VTI.", reason_code="wording", reason="")
    assert officer.send(f"{path}/release", page=page, note="").status_code == 409
    assert view(house, paper_id).state == "edited"
    shown = view(house, paper_id).drafted_hash
    assert officer.get(f"{path}/release?sheet_hash={shown}").status_code == 409


def test_another_books_papers_are_not_there(house):
    (name,) = bring(house, letter(), place=releases.Place("adv-2", "H-0001"))
    advisor = house.browser("adam")
    assert "0 papers" in advisor.get("/papers").text
    for path in (f"/papers/{name}", f"/papers/{name}/release", f"/papers/{name}/files/html", "/papers/paper-0"):
        assert advisor.get(path).status_code == 404
    assert house.browser("tom").get("/papers").status_code == 403


def test_files_say_on_their_face_whether_they_were_released(house, paper_id):
    officer, path = house.browser("cora"), f"/papers/{paper_id}"
    drafted = officer.get(f"{path}/files/html")
    assert "Draft, not released" in drafted.text
    assert "-draft-" in drafted.headers["content-disposition"]
    message = email.message_from_bytes(officer.get(f"{path}/files/eml").content, policy=default)
    assert message["Subject"].startswith("[Draft, not released]")
    officer.get(f"{path}/release")
    officer.send(f"{path}/release", note="")
    released = officer.get(f"{path}/files/html")
    assert "Released by Cora Haines on" in released.text
    assert "Draft, not released" not in released.text
    assert "-released-" in released.headers["content-disposition"]
    message = email.message_from_bytes(officer.get(f"{path}/files/eml").content, policy=default)
    assert "Draft" not in message["Subject"]
    house.do("cora", WithdrawPaper(paper_id, 2, "the client moved"))
    assert officer.get(f"{path}/files/html").status_code == 409
    assert officer.get(f"{path}/files/exe").status_code == 404


def test_hostile_words_stay_words(house):
    nasty = "<script>alert(1)</script> \u202eabc [x](javascript:alert(1)) {{ 7*7 }} {f:trade.1.amount}\n"
    (name,) = bring(house, letter(nasty, title="Alder <b>household</b>"))
    page = house.browser("cora").get(f"/papers/{name}").text
    assert "<script>alert" not in page
    assert "Alder &lt;b&gt;household&lt;/b&gt;" in page
    assert "<b>household" not in page
    assert "\u202e" not in page
    assert "javascript:alert(1)" not in page.replace("[x](javascript:alert(1))", "")
    assert house.browser("cora").get("/papers").status_code == 200


def lying(words=GOOD, title="Your accounts: what we propose"):
    """A paper as somebody forges it who calls the store itself: its report supports whatever it says."""
    honest = letter(words)
    command = releases.paper_of(honest, HERE)
    said = {**json.loads(command.report.body), "spans": [], "supported": True}
    return replace(command, title=title, report=replace(command.report, body=json.dumps(said).encode()))


def test_a_forged_report_lets_nothing_out_at_the_desk_or_past_it(house):
    name = house.do(SERVICE, lying(WRONG)).object_id
    assert view(house, name).obstacle is None, "its record says that all is supported"
    officer = house.browser("cora")
    assert "no longer supports all of its text" in officer.get(f"/papers/{name}/release").text
    forged = {**officer.fields("/sign-out"), "version": 1, "sheet_hash": view(house, name).sheet_hash}
    assert officer.client.post(f"/papers/{name}/release", data=forged, headers=ORIGIN).status_code == 409
    house.store.verifier = releases.unsupported
    with pytest.raises(DecisionError, match=r"it says '\$9,999'"):
        house.do("cora", ReleasePaper(name, 1, view(house, name).sheet_hash))
    assert view(house, name).state == "drafted"


def test_a_title_is_no_way_around_the_facts(house):
    name = house.do(SERVICE, lying(title="<b>Your</b> tax falls by $1 m")).object_id
    officer = house.browser("cora")
    page = officer.get(f"/papers/{name}").text
    assert "Its title says" in page
    assert "<b>Your</b>" not in page
    assert officer.get(f"/papers/{name}/files/html").status_code == 409
    forged = {**officer.fields("/sign-out"), "version": 1, "sheet_hash": view(house, name).sheet_hash}
    assert officer.client.post(f"/papers/{name}/release", data=forged, headers=ORIGIN).status_code == 409
    house.store.verifier = releases.unsupported
    with pytest.raises(DecisionError, match="whatever its report says"):
        house.do("cora", ReleasePaper(name, 1, view(house, name).sheet_hash))


def test_the_same_draft_brought_every_night_is_one_paper(house):
    first = bring(house, letter(), letter(key="H-0002"))
    again = releases.bring(house.store, Who(SERVICE), [letter(), letter(key="H-0002")], lambda _: HERE)
    assert (again.papers, again.unchanged) == (first, 2)
    (other,) = bring(house, letter("We propose to sell $9,358 of VTI now.\n"))
    assert view(house, first[0]).state == "superseded"
    assert view(house, other).state == "drafted"
    (back,) = bring(house, letter())
    assert back not in first


def test_questions_are_answered_where_they_are_read(house):
    asked = house.do("adam", Escalate("<b>May</b> the trust hold futures?", "adv-1", "H-0001"))
    manager = house.browser("pat")
    page = manager.get("/escalations").text
    assert "1 question waits for an answer" in page
    assert "&lt;b&gt;May&lt;/b&gt; the trust" in page
    path = f"/escalations/{asked.object_id}"
    assert manager.send(path, answer="Not under its mandate.", outcome="answered").status_code == 303
    assert "Not under its mandate." in house.browser("adam").get("/escalations").text
    assert "May" not in house.browser("bea").get("/escalations").text
    assert house.browser("tom").get("/escalations").status_code == 403


def test_a_signals_letter_with_a_fault_holds_it_back_until_corrected_or_discarded(house):
    signal_id = house.signal("draft")
    text, facts, report = releases.documents_of(letter())
    record, made = releases.how_made(letter())
    house.do(SERVICE, AddDraft(signal_id, 1, "client_email", text, record, made, facts, report))
    house.check(signal_id)
    analyst, path = house.browser("ana"), f"/signals/{signal_id}"
    page = analyst.get(path).text
    assert "all of it supported" in page
    assert "rebalance.propose of positions" in page
    action = re.search(rf'action="({path}/drafts/[^"/]+)"', page)[1]
    assert analyst.send(action, body=FLIPPED, reason_code="wording", reason="").status_code == 303
    page = analyst.get(path).text
    assert "wrong direction" in page
    assert f'action="{path}/submit"' not in page
    assert "A correction of its client email" in page
    assert analyst.send(f"{action}/discard", reason="The advisor writes this one.").status_code == 303
    page = analyst.get(path).text
    assert "discarded" in page
    assert f'action="{path}/submit"' in page


def test_a_stricter_verifier_holds_back_a_signal_with_a_letter_kept_before(house, monkeypatch):
    signal_id = house.signal("draft")
    text, facts, report = releases.documents_of(letter())
    record, made = releases.how_made(letter())
    house.do(SERVICE, AddDraft(signal_id, 1, "client_email", text, record, made, facts, report))
    house.check(signal_id)
    analyst, path = house.browser("ana"), f"/signals/{signal_id}"
    form = analyst.get(path).text
    assert f'action="{path}/submit"' in form
    monkeypatch.setattr("workbench.desk.paper_view.verify", lambda words, sheet: letter(FLIPPED).report)
    page = analyst.get(path).text
    assert "no longer supports all of the client email" in page
    assert f'action="{path}/submit"' not in page
    assert analyst.send(f"{path}/submit", page=form, note="").status_code == 409
    action = re.search(rf'action="({path}/drafts/[^"/]+)"', page)[1]
    analyst.send(f"{action}/discard", page=page, reason="The advisor writes this one.")
    assert f'action="{path}/submit"' in analyst.get(path).text
