"""Sign-in at an identity provider: the button, the way there, the way back, and what is refused."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update

from tests.desk.conftest import House
from workbench.desk import Settings, create_app
from workbench.errors import AccessError
from workbench.governance import identity_provider
from workbench.governance.identity_provider import Provider
from workbench.governance.tables import person


@pytest.fixture
def store_url(sqlite_url):
    """One database is enough here: nothing of this depends on which."""
    return sqlite_url


LOGIN = "https://login.firm.example"
PROVIDER = Provider(LOGIN, "desk", "secret", "http://localhost/sign-in/back", f"{LOGIN}/a", f"{LOGIN}/t", f"{LOGIN}/k")


@pytest.fixture
def with_provider(house):
    settings = replace(Settings(hosts=("localhost",)), identity_provider=PROVIDER)
    with house.store.engine.begin() as connection:
        connection.execute(update(person).where(person.c.person_id == "ana").values(subject=f"{LOGIN} 4711"))
    return House(house.store, create_app(house.store, settings))


def test_who_the_provider_vouches_for_comes_in(with_provider, monkeypatch):
    browser = with_provider.visitor()
    page = browser.get("/sign-in?next=/queue")
    assert "Continue with login.firm.example" in page.text
    assert f"form-action 'self' {LOGIN};" in page.headers["content-security-policy"]
    there = browser.send("/sign-in/provider", next="/queue")
    asked = parse_qs(urlsplit(there.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    cookie = there.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie

    def finish(provider, pending, query, http, *, now):
        assert query["state"] == pending.state == asked["state"][0]
        return f"{LOGIN} 4711"

    monkeypatch.setattr(identity_provider, "finish", finish)
    back = browser.get(f"/sign-in/back?code=c&state={asked['state'][0]}")
    assert back.status_code == 200
    assert 'content="0; url=/queue"' in back.text
    assert "Ana Duarte" in browser.get("/me").text


def test_a_way_back_that_was_not_begun_here_is_refused(with_provider, monkeypatch):
    monkeypatch.setattr(identity_provider, "finish", lambda *_, **__: f"{LOGIN} 4711")
    browser = with_provider.visitor()
    assert browser.get("/sign-in/back?code=c&state=s").status_code == 401
    browser.get("/sign-in")
    browser.send("/sign-in/provider")
    with_provider.clock.advance(minutes=11)
    assert browser.get("/sign-in/back?code=c&state=s").status_code == 401
    assert browser.kept("session") is None


def test_an_answer_the_provider_does_not_stand_for_signs_nobody_in(with_provider, monkeypatch):
    def refuse(*_, **__):
        raise AccessError(identity_provider.REFUSED, "signed_out")

    monkeypatch.setattr(identity_provider, "finish", refuse)
    browser = with_provider.visitor()
    browser.get("/sign-in")
    browser.send("/sign-in/provider")
    answer = browser.get("/sign-in/back?code=c&state=s")
    assert answer.status_code == 401
    assert "cannot be used" in answer.text


def test_a_desk_without_a_provider_has_no_way_there(house):
    browser = house.visitor()
    assert "Continue with" not in browser.get("/sign-in").text
    assert browser.get("/sign-in/back").status_code == 404
