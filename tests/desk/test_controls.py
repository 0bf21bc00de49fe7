"""Rollout modes and controls: seen by all, changed by compliance, felt by open signals."""

import pytest

from workbench.governance import controls
from workbench.governance.commands import SetMode
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
    assert "Put in force" not in page.text
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
