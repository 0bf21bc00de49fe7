"""Rollout modes and controls: seen by all, changed by compliance, felt by open signals."""

import pytest

from tests.desk.conftest import ORIGIN
from workbench.governance import control_proposals, controls
from workbench.governance.commands import ChangeControls, SetMode
from workbench.governance.states import Mode


def in_force(house):
    with house.store.reading() as connection:
        return controls.in_force(connection)


def values(house, **changed):
    limits = in_force(house)
    shown = {name: str(value) for name, value in vars(limits).items() if name != "version"}
    shown["second_approver_above"] = str(limits.second_approver_above // 100)
    return {**shown, "reason": "agreed by the committee", **changed}


def test_compliance_puts_other_controls_in_force(house):
    signal_id = house.signal("approved", summary={"traded": 250_000_00})
    browser = house.browser("cora")
    browser.get("/controls")
    answer = browser.send("/controls", **values(house, second_approver_above="200,000"))
    assert answer.status_code == 303
    assert "1 approved signals wait" in browser.get("/controls").text.replace("signal waits", "signals wait")
    assert in_force(house).second_approver_above == 200_000_00
    assert house.row(signal_id).state == "submitted"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "Nothing is different"),
        ({"approval_hours": "many"}, "needs a whole number"),
        ({"approval_hours": "9999"}, "give a whole number from"),
        ({"approval_hours": "12", "reason": ""}, "Please write at least 3 characters"),
        ({"approval_hours": "12", "shown": "7"}, "changed since this page was shown"),
    ],
)
def test_controls_that_are_none_change_nothing(house, changed, said):
    browser = house.browser("cora")
    browser.get("/controls")
    answer = browser.send("/controls", **values(house, **changed))
    assert answer.status_code == 422
    assert said in answer.text
    assert in_force(house).version == 0


def test_a_mode_is_set_and_open_signals_lose_their_approvals(house):
    signal_id = house.signal("approved")
    browser = house.browser("cora")
    browser.get("/controls")
    answer = browser.send("/controls/modes", kind="model", name="balanced", mode="monitor", reason="under review")
    assert answer.status_code == 303
    assert "Model balanced is now in mode monitor." in browser.get("/controls").text
    assert house.row(signal_id).state == "submitted"


@pytest.mark.parametrize("who", ["vera", "ana", "pat", "tom", "ada", "otto"])
def test_everybody_sees_them_and_only_compliance_changes_them(house, who):
    browser = house.browser(who)
    page = browser.get("/controls")
    assert page.status_code == 200
    assert 'action="/controls' not in page.text
    hidden = browser.fields("/sign-out")
    mode = {"kind": "model", "name": "balanced", "mode": "release", "reason": "because"}
    for path, fields in (("/controls", values(house, approval_hours="300", shown="0")), ("/controls/modes", mode)):
        answer = browser.client.post(path, data={**hidden, **fields}, headers={"origin": "http://localhost"})
        assert answer.status_code == 403
    assert in_force(house).version == 0


def test_accounts_of_other_books_are_not_named(house):
    house.do("cora", SetMode("account", "H-0007-A1", Mode.MONITOR, "the client asked"))
    assert "H-0007-A1" in house.browser("vera").get("/controls").text
    assert "H-0007-A1" not in house.browser("adam").get("/controls").text
    assert "H-0007-A1" not in house.browser("ada").get("/controls").text


HOSTILE = """<script>alert(1)</script> '"><img src=x onerror=alert(2)> {{ 7*7 }}"""


def proposed(house, **changed):
    """Let Cora propose looser controls on the page; return her browser and the path of the change."""
    browser = house.browser("cora")
    browser.get("/controls")
    assert browser.send("/controls", **values(house, **changed)).status_code == 303
    return browser, f"/controls/changes/{waiting(house)[-1].hash}"


def waiting(house):
    with house.store.reading() as connection:
        return control_proposals.waiting(connection, controls.in_force(connection).version)


def test_looser_controls_wait_until_another_of_compliance_confirms_them(house):
    cora, path = proposed(house, second_approver_above="5,000,000", approval_hours="12")
    page = cora.get("/controls").text
    assert "It waits until another person of compliance confirms it. Version 0 stays in force." in page
    assert f'action="{path}/confirm"' not in page
    assert f'action="{path}/withdraw"' in page
    assert in_force(house).version == 0
    carl = house.browser("carl")
    page = carl.get("/controls").text
    for said in (
        "Proposed by Cora Haines",
        "$1,000,000",
        "$5,000,000",
        "Looser",
        "Stricter",
        "agreed by the committee",
    ):
        assert said in page
    assert carl.send(f"{path}/confirm", note="read with the committee").status_code == 303
    page = carl.get("/controls").text
    assert "Version 1 of the controls is in force." in page
    assert "Waits for a second person" not in page
    assert (in_force(house).second_approver_above, in_force(house).approval_hours) == (5_000_000_00, 12)


def test_who_proposed_looser_controls_cannot_send_the_confirmation(house):
    cora, path = proposed(house, approval_hours="48")
    carl = house.browser("carl").get("/controls").text
    hidden = cora.fields(f"{path}/withdraw", cora.get("/controls").text)
    assert f'action="{path}/confirm"' in carl
    answer = cora.client.post(f"{path}/confirm", data=hidden, headers=ORIGIN)
    assert answer.status_code == 403
    assert in_force(house).version == 0


def test_looser_controls_are_withdrawn_for_a_reason(house):
    cora, path = proposed(house, approval_hours="48")
    cora.get("/controls")
    answer = cora.send(f"{path}/withdraw", reason="")
    assert (answer.status_code, "Please write at least 3 characters" in answer.text) == (422, True)
    late = house.browser("carl")
    shown = late.get("/controls").text
    assert cora.send(f"{path}/withdraw", reason="a mistake").status_code == 303
    assert "The change was withdrawn. Version 0 stays in force." in cora.get("/controls").text
    answer = late.send(f"{path}/confirm", page=shown)
    assert (answer.status_code, "was withdrawn already" in answer.text) == (422, True)
    assert in_force(house).version == 0


def test_a_confirmation_of_other_controls_than_those_shown_is_stale(house):
    _, path = proposed(house, approval_hours="48")
    carl = house.browser("carl")
    shown = carl.get("/controls").text
    house.do("cora", ChangeControls((("idle_minutes", 10),), "stricter"))
    assert carl.send(f"{path}/confirm", page=shown).status_code == 409
    assert "Waits for a second person" not in carl.get("/controls").text
    assert in_force(house).approval_hours == 24


@pytest.mark.parametrize("who", ["vera", "ana", "pat", "tom", "ada", "otto"])
def test_everybody_sees_what_waits_and_only_compliance_answers_it(house, who):
    _, path = proposed(house, approval_hours="48")
    browser = house.browser(who)
    page = browser.get("/controls").text
    assert "Waits for a second person" in page
    assert 'action="/controls' not in page
    hidden = browser.fields("/sign-out")
    for act in ("confirm", "withdraw"):
        answer = browser.client.post(f"{path}/{act}", data={**hidden, "reason": "because"}, headers=ORIGIN)
        assert answer.status_code == 403
    assert len(waiting(house)) == 1


def test_a_hostile_reason_is_shown_as_text(house):
    proposed(house, approval_hours="48", reason=HOSTILE)
    page = house.browser("carl").get("/controls").text
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7*7 }}" in page


def test_a_change_that_was_never_proposed_is_named(house):
    _, path = proposed(house, approval_hours="48")
    carl = house.browser("carl")
    carl.get("/controls")
    hidden = carl.fields(f"{path}/confirm")
    for number, other in enumerate(("f" * 64, "%3Cscript%3E")):
        hidden["key"] = f"a-key-of-its-own-{number}"
        answer = carl.client.post(f"/controls/changes/{other}/confirm", data=hidden, headers=ORIGIN)
        assert answer.status_code == 422
        assert "was never proposed" in answer.text
        assert "<script>&#39;" not in answer.text
    assert len(waiting(house)) == 1


def test_cents_that_differ_are_seen(house):
    house.do("cora", ChangeControls((("second_approver_above", 1_000_000_50),), "half a dollar"))
    assert "$1,000,000.50" in house.browser("carl").get("/controls").text
