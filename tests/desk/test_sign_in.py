"""Signing in and out: one answer for whatever is wrong, a new session each time, forms that belong to it."""

import time

import pytest
from sqlalchemy import func, select

from tests.desk.conftest import ORIGIN
from workbench.desk.pages.sign_in import place_after
from workbench.governance.access import Who
from workbench.governance.people import set_password
from workbench.governance.tables import audit, desk_session

PASSWORD = "correct horse battery staple"


def sessions_of(house, who):
    with house.store.reading() as connection:
        query = select(func.count()).select_from(desk_session).where(desk_session.c.person_id == who)
        return connection.execute(query).scalar_one()


def test_who_knows_the_password_comes_in_and_goes_out(house):
    browser = house.visitor()
    assert browser.get("/queue").headers["location"] == "/sign-in?next=/queue"
    assert browser.get("/sign-in?next=/queue").status_code == 200
    answer = browser.send("/sign-in", name="Ana Duarte", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/queue")
    assert browser.get("/me").status_code == 200
    assert "Ana Duarte" in browser.last.text
    assert browser.send("/sign-out").headers["location"] == "/sign-in"
    assert sessions_of(house, "ana") == 0
    assert browser.get("/me").status_code == 303


@pytest.mark.parametrize(
    ("name", "password"), [("nobody", PASSWORD), ("ana", "wrong wrong wrong"), ("nightly", PASSWORD)]
)
def test_unknown_wrong_and_service_read_the_same(house, name, password):
    browser = house.visitor()
    answer = browser.sign_in(name, password)
    assert answer.status_code == 401
    assert "Name or password is not right" in answer.text
    assert password not in answer.text
    assert browser.kept("session") is None


def test_a_session_planted_before_is_not_the_one_after(house):
    browser = house.visitor()
    browser.keep("session", "planted by somebody else")
    browser.sign_in("ana")
    assert browser.kept("session") != "planted by somebody else"
    first = browser.kept("session")
    browser.get("/sign-in")
    assert browser.last.status_code == 303
    page = house.visitor()
    page.get("/sign-in")
    browser.keep("start", page.kept("start"))
    browser.send("/sign-in", page=page.last.text, name="ana", password=PASSWORD)
    assert browser.kept("session") != first
    assert sessions_of(house, "ana") == 1


def test_cookies_are_for_this_host_alone(house):
    browser = house.visitor()
    browser.get("/sign-in")
    given = browser.last.headers["set-cookie"]
    assert "HttpOnly" in given
    assert "samesite=strict" in given.lower()
    answer = browser.sign_in("ana")
    for cookie in answer.headers.get_list("set-cookie"):
        assert "httponly" in cookie.lower()
        assert "samesite=strict" in cookie.lower()
        assert "domain" not in cookie.lower()


def test_a_sign_in_needs_the_page_it_was_shown_on(house):
    other = house.visitor()
    other.get("/sign-in")
    browser = house.visitor()
    answer = browser.send("/sign-in", page=other.last.text, name="ana", password=PASSWORD)
    assert answer.status_code == 422
    assert sessions_of(house, "ana") == 0


@pytest.mark.parametrize(
    "place", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/%0d%0a"]
)
def test_sign_in_leads_nowhere_else(house, place):
    browser = house.visitor()
    browser.get("/sign-in", params={"next": place})
    assert "evil" not in browser.last.text
    answer = browser.send("/sign-in", name="ana", password=PASSWORD, next=place)
    assert answer.headers["location"] == "/"


def test_too_many_attempts_are_stopped(house):
    browser = house.visitor()
    answers = [browser.sign_in("ana", f"guess number {n} of many").status_code for n in range(7)]
    assert answers[0] == 401
    assert answers[-1] == 429
    assert browser.sign_in("ana").status_code == 429
    assert int(browser.last.headers.get("retry-after", "0")) >= 0


def test_an_idle_session_ends(house):
    browser = house.browser("ana")
    assert browser.get("/me").status_code == 200
    house.clock.advance(minutes=31)
    assert browser.get("/me").status_code == 303
    answer = browser.client.post("/me/sign-out-everywhere", headers={"origin": "http://localhost"})
    assert answer.status_code == 401
    assert "nothing was done" in answer.text


def test_a_new_password_ends_every_session(house):
    browser, elsewhere = house.browser("ana"), house.browser("ana")
    browser.get("/me")
    wrong = browser.send(
        "/me/password",
        old="not this one at all",
        new="a sentence of seven small words",
        again="a sentence of seven small words",
    )
    assert wrong.status_code == 422
    assert "This is not your present password." in wrong.text
    differs = browser.send("/me/password", old=PASSWORD, new="a sentence of seven small words", again="another")
    assert "reads differently" in differs.text
    short = browser.send("/me/password", old=PASSWORD, new="short", again="short")
    assert short.status_code == 422
    assert "12 to 200 characters" in short.text
    done = browser.send(
        "/me/password", old=PASSWORD, new="a sentence of seven small words", again="a sentence of seven small words"
    )
    assert done.headers["location"] == "/sign-in"
    assert elsewhere.get("/me").status_code == 303
    assert house.visitor().sign_in("ana").status_code == 401
    assert house.visitor().sign_in("ana", "a sentence of seven small words").status_code == 303


def test_guessing_the_present_password_is_counted(house):
    browser = house.browser("ana")
    for _ in range(6):
        browser.get("/me")
        answer = browser.send(
            "/me/password",
            old="guess guess guess",
            new="a sentence of seven small words",
            again="a sentence of seven small words",
        )
    assert answer.status_code == 429
    with house.store.reading() as connection:
        refused = connection.execute(
            select(func.count()).select_from(audit).where(audit.c.action == "change_password")
        ).scalar_one()
    assert refused >= 5


def test_a_password_an_administrator_set_opens_nothing_but_the_change_of_it(house):
    set_password(house.store, Who("ada"), "pat", "handed over in person", "test:first password")
    signal_id = house.signal("submitted")
    browser = house.visitor()
    assert browser.sign_in("pat", "handed over in person").status_code == 303
    for path in ("/", "/queue", f"/signals/{signal_id}", "/library", "/controls"):
        assert browser.get(path).headers["location"] == "/me", path
    assert "Take a password of your own" in browser.get("/me").text
    row = house.row(signal_id)
    page = browser.last.text
    hidden = browser.fields("/me/password", page)
    refused = browser.client.post(
        f"/signals/{signal_id}/approve",
        data={**hidden, "version": row.version, "sheet_hash": row.sheet_hash},
        headers=ORIGIN,
    )
    assert refused.status_code == 403
    assert house.row(signal_id).version == row.version
    same = {"old": "handed over in person", "new": "handed over in person", "again": "handed over in person"}
    browser.get("/me")
    assert browser.send("/me/password", **same).status_code == 422
    own = same | {"new": "a sentence of my own", "again": "a sentence of my own"}
    assert browser.send("/me/password", **own).status_code == 303
    assert browser.sign_in("pat", "a sentence of my own").status_code == 303
    assert browser.get(f"/signals/{signal_id}").status_code == 200


def test_where_a_sign_in_leads_is_read_in_no_time():
    started = time.perf_counter()
    for place in ("/" + "a" * 180 + "!", "/" + "a/" * 90 + "!", "/" + "a" * 500_000):
        assert place_after(place) == "/"
    assert time.perf_counter() - started < 1
