"""People, roles, deputies, emergencies: who may, what is shown, what is refused."""

import re

import pytest
from sqlalchemy import select

from workbench.governance.commands import Approve
from workbench.governance.tables import break_glass, delegation, person, role_grant

NEW = {"name": "Ben Okoro", "person_id": "b.okoro", "kind": "person", "email": "ben@firm.example", "subject": ""}


def test_an_administrator_adds_somebody_and_gives_a_role(house):
    browser = house.browser("ada")
    browser.get("/people")
    assert browser.send("/people", **NEW).headers["location"] == "/people/b.okoro"
    page = browser.get("/people/b.okoro")
    assert "Ben Okoro was added." in page.text
    assert (
        browser.send("/people/b.okoro/roles", role="analyst", book="adv-1", reason="new in the team").status_code == 303
    )
    page = browser.get("/people/b.okoro")
    assert "adv-1" in page.text
    words = "six plain words in a row"
    assert browser.send("/people/b.okoro/password", new=words, again=words).status_code == 303
    assert house.visitor().sign_in("ben@firm.example", words).status_code == 303


def test_a_role_waits_for_somebody_else_to_confirm_it(house):
    browser = house.browser("ada")
    browser.get("/people/vera")
    browser.send("/people/vera/roles", role="trader", book="*", reason="new on the desk")
    page = browser.get("/people/vera").text
    assert "It holds once somebody else confirms it." in page
    assert "Waits for confirmation" in page
    for who in ("ada", "otto"):
        assert "/confirm" not in house.browser(who).get("/people/vera").text
    compliance = house.browser("cora")
    assert "Waits for confirmation" in compliance.get("/people").text
    (action,) = re.findall(r'action="(/people/vera/roles/[^"]*/confirm)"', compliance.get("/people/vera").text)
    assert compliance.send(action).status_code == 303
    page = compliance.get("/people/vera").text
    assert "The role is confirmed. It holds from now on." in page
    assert "Waits for confirmation" not in page
    with house.store.reading() as connection:
        grant = select(role_grant).where(role_grant.c.person_id == "vera", role_grant.c.role == "trader")
        assert connection.execute(grant).one().confirmed_by == "cora"


def test_taking_a_role_away_holds_at_once(house):
    pat = house.browser("pat")
    assert pat.get("/measures").status_code in (200, 404)
    browser = house.browser("ada")
    page = browser.get("/people/pat")
    (action,) = re.findall(r'action="(/people/pat/roles/[^"]*/revoke)"', page.text)
    assert browser.send(action, reason="moved to another team").status_code == 303
    assert pat.get("/me").status_code == 303


def test_nobody_gives_roles_to_themselves(house):
    browser = house.browser("ada")
    assert "Another administrator has to." in browser.get("/people/ada").text
    page = browser.get("/people/vera").text
    hidden = browser.fields("/people/vera/roles", page)
    answer = browser.client.post(
        "/people/ada/roles",
        data={**hidden, "role": "auditor", "book": "*", "reason": "for myself"},
        headers={"origin": "http://localhost"},
    )
    assert answer.status_code == 403
    assert "Whoever made" in answer.text or "themselves" in answer.text


@pytest.mark.parametrize("who", ["vera", "adam", "ana", "pat", "tom"])
def test_people_are_for_who_may_read_about_them(house, who):
    browser = house.browser(who)
    for path in ("/people", "/people/ada", "/delegations"):
        assert browser.get(path).status_code == 403
    assert 'href="/people"' not in browser.get("/me").text


@pytest.mark.parametrize("who", ["cora", "otto"])
def test_compliance_and_auditors_read_and_change_nothing(house, who):
    browser = house.browser(who)
    page = browser.get("/people")
    assert page.status_code == 200
    assert 'action="/people"' not in page.text
    assert "Give a role" not in browser.get("/people/ana").text
    hidden = browser.fields("/sign-out")
    answer = browser.client.post("/people", data={**hidden, **NEW}, headers={"origin": "http://localhost"})
    assert answer.status_code == 403


def test_what_is_wrong_is_said_beside_what_was_typed(house):
    browser = house.browser("ada")
    browser.get("/people")
    answer = browser.send(
        "/people", **{**NEW, "person_id": "Not An Identifier", "name": "Ben <script>alert(1)</script>"}
    )
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "Not An Identifier" in answer.text
    with house.store.reading() as connection:
        assert connection.execute(select(person).where(person.c.name.like("Ben%"))).first() is None


def test_a_deputy_acts_under_both_names_and_says_so_on_every_page(house):
    pat = house.browser("pat")
    page = pat.get("/me")
    assert "Name a deputy" in page.text
    answer = pat.send("/me/deputies", to_person="paul", starts="2022-12-28", ends="2023-01-06", reason="on leave")
    assert answer.headers["location"] == "/me"
    assert "Paul Weber" in pat.get("/me").text
    paul = house.browser("paul")
    page = paul.get("/me")
    assert '<option value="pat">Pat Kimura</option>' in page.text
    assert paul.send("/act-for", person_id="pat").status_code == 303
    page = paul.get("/me")
    assert "You act for Pat Kimura." in page.text
    assert "Name a deputy" not in page.text
    paul.send("/act-for", person_id="")
    assert "You act for Pat Kimura." not in paul.get("/me").text


def test_a_page_shown_in_ones_own_name_does_nothing_in_anothers(house):
    pat = house.browser("pat")
    pat.get("/me")
    pat.send("/me/deputies", to_person="paul", starts="2022-12-28", ends="2023-01-06", reason="on leave")
    paul = house.browser("paul")
    old = paul.get("/me").text
    paul.send("/act-for", person_id="pat")
    answer = paul.send("/me/sign-out-everywhere", page=old)
    assert answer.status_code == 409
    assert "on whose behalf" in answer.text
    assert paul.get("/me").status_code == 200


def test_somebody_elses_name_cannot_be_chosen(house):
    paul = house.browser("paul")
    paul.get("/me")
    hidden = paul.fields("/sign-out")
    answer = paul.client.post("/act-for", data={**hidden, "person_id": "pat"}, headers={"origin": "http://localhost"})
    assert answer.status_code == 422
    paul.keep("acting", "forged")
    assert "You act for" not in paul.get("/me").text


def test_an_ended_delegation_is_gone_from_the_next_page_on(house):
    pat, paul = house.browser("pat"), house.browser("paul")
    pat.get("/me")
    pat.send("/me/deputies", to_person="paul", starts="2022-12-28", ends="2023-01-06", reason="on leave")
    paul.get("/me")
    paul.send("/act-for", person_id="pat")
    page = pat.get("/me")
    (action,) = re.findall(r'action="(/me/deputies/[^"]*/end)"', page.text)
    pat.send(action)
    assert "You act for Pat Kimura." not in paul.get("/me").text


def test_emergency_access_is_loud_and_is_reviewed_by_compliance(house):
    ana = house.browser("ana")
    ana.get("/me")
    assert ana.send("/me/emergency", role="portfolio_manager", reason="too short").status_code == 422
    before = ana.kept("session")
    ana.get("/me")
    answer = ana.send(
        "/me/emergency", role="portfolio_manager", reason="No portfolio manager answers and cash is due today."
    )
    assert answer.status_code == 303
    assert ana.kept("session") != before
    assert "Emergency access is open until" in ana.get("/me").text
    cora = house.browser("cora")
    page = cora.get("/delegations")
    assert "Open now" in page.text
    (action,) = re.findall(r'action="(/emergencies/[^"]*/review)"', page.text)
    assert cora.send(action, reason="Reached nobody; nothing was done with it.").status_code == 303
    assert "Reviewed" in cora.get("/delegations").text
    assert "Emergency access is open" not in ana.get("/me").text
    with house.store.reading() as connection:
        assert connection.execute(select(break_glass.c.reviewed_by)).scalar_one() == "cora"


def test_the_maker_does_not_approve_through_emergency_access(house):
    signal_id = house.signal("submitted")
    ana = house.browser("ana")
    ana.get("/me")
    ana.send("/me/emergency", role="portfolio_manager", reason="No portfolio manager answers and cash is due today.")
    row = house.row(signal_id)
    with pytest.raises(Exception, match="made this signal"):
        house.do("ana", Approve(signal_id, row.version, row.sheet_hash))


def test_one_form_sent_twice_is_one_act(house):
    browser = house.browser("ada")
    page = browser.get("/people").text
    assert browser.send("/people", page=page, **NEW).status_code == 303
    assert browser.send("/people", page=page, **NEW).status_code == 303
    other = browser.send("/people", page=page, **{**NEW, "person_id": "c.okoro", "name": "Cy Okoro", "email": ""})
    assert other.status_code == 409
    assert "used already" in other.text
    with house.store.reading() as connection:
        assert len(connection.execute(select(person).where(person.c.person_id.like("%okoro"))).all()) == 1


def test_leaving_ends_everything(house):
    pat = house.browser("pat")
    pat.get("/me")
    pat.send("/me/deputies", to_person="paul", starts="2022-12-28", ends="2023-01-06", reason="on leave")
    browser = house.browser("ada")
    browser.get("/people/pat")
    assert browser.send("/people/pat/deactivate", reason="left the firm").status_code == 303
    assert pat.get("/me").status_code == 303
    assert "Pat Kimura" not in browser.get("/people").text
    assert "Pat Kimura" in browser.get("/people?former=yes").text
    with house.store.reading() as connection:
        assert connection.execute(select(delegation).where(delegation.c.revoked_at.is_(None))).first() is None
        mine = select(role_grant).where(role_grant.c.person_id == "pat", role_grant.c.revoked_at.is_(None))
        assert connection.execute(mine).first() is None
