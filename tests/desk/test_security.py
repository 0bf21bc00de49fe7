"""What a desk refuses before it reads, what it says then, and what no answer leaves without."""

import re
import socket
import threading
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from starlette.datastructures import Headers
from starlette.websockets import WebSocketDisconnect

from tests.desk.conftest import ORIGIN, Browser
from tests.desk.live import serving
from workbench.desk import Rate, Settings, create_app
from workbench.desk.pages import ROUTERS
from workbench.desk.rate_limits import Buckets, TooManyError
from workbench.desk.security import address_of, from_our_pages, host_is_ours
from workbench.desk.visit import SignedIn
from workbench.errors import ParameterError, StoreError
from workbench.governance.tables import audit


@pytest.fixture
def store_url(sqlite_url):
    """One database is enough here: nothing of this depends on which."""
    return sqlite_url


HEADERS = {
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def addresses(method):
    """Return every address of the desk's pages that takes a method."""
    return {route.path for router in ROUTERS for route in router.routes if method in route.methods}


def records(house):
    with house.store.reading() as connection:
        return connection.execute(select(func.count()).select_from(audit)).scalar_one()


def test_no_answer_leaves_without_its_headers(house):
    browser = house.browser("cora")
    answers = [
        browser.get(path) for path in ("/", "/sign-in", "/audit", "/nothing", "/people/nobody", "/static/no.css")
    ]
    answers.append(browser.client.post("/audit/verify", data={"a": "b"}))
    answers.append(browser.client.get("/", headers={"host": "evil.example"}))
    answers.append(browser.client.request("TRACE", "/"))
    for answer in answers:
        for name, start in HEADERS.items():
            assert start in answer.headers[name], (answer.url, name)
        assert answer.headers["cache-control"] == "no-store"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "server" not in answer.headers


def test_pages_hold_nothing_inline_and_ask_nobody_else(house):
    house.signal("approved")
    for who, paths in {
        "cora": ("/audit", "/controls", "/delegations", "/me"),
        "ada": ("/people", "/people/ana"),
    }.items():
        browser = house.browser(who)
        for path in paths:
            page = browser.get(path).text
            assert not re.search(r"<style|<script(?! src=\"/static/)|\sstyle=|\son[a-z]+=|javascript:", page), path
            assert not re.search(r"(src|href|action)=\"(https?:)?//", page), path


def test_a_fault_is_a_page_with_a_reference_and_no_inside(house, caplog):
    @house.app.get("/broken")
    def broken(visit: SignedIn) -> None:
        raise RuntimeError("secret inside /etc/passwd")

    answer = house.browser("ana").get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
    (reference,) = re.findall(r"reference: ([0-9a-f]{8})", answer.text)
    assert reference in caplog.text


def test_a_database_that_is_gone_is_said_and_when_to_come_back(house, monkeypatch):
    browser = house.browser("ana")

    def gone():
        raise StoreError("unable to open database file /var/lib/secret.db")

    monkeypatch.setattr(house.store, "reading", gone)
    answer = browser.get("/me")
    assert answer.status_code == 503
    assert "secret" not in answer.text
    assert answer.headers["retry-after"] == "30"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example"},
        {"origin": "https://localhost"},
        {"origin": "http://localhost:81"},
        {"origin": "http://localhost", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
def test_a_form_from_elsewhere_does_nothing(house, headers):
    browser = house.browser("cora")
    browser.get("/controls")
    before = records(house)
    fields = {"kind": "model", "name": "balanced", "mode": "monitor", "reason": "forged"}
    answer = browser.send("/controls/modes", headers=headers, **fields)
    assert answer.status_code == 403
    assert "nothing was done" in answer.text
    assert records(house) == before


def test_a_form_without_its_token_or_of_another_session_does_nothing(house):
    cora, carl = house.browser("cora"), house.browser("carl")
    page = carl.get("/controls").text
    fields = {"kind": "model", "name": "balanced", "mode": "monitor", "reason": "replayed"}
    before = records(house)
    assert cora.send("/controls/modes", page=page, **fields).status_code == 422
    assert cora.client.post("/controls/modes", data=fields, headers=ORIGIN).status_code == 422
    cora.get("/controls")
    hidden = cora.fields("/controls/modes")
    for name in ("form_token", "key"):
        short = {**hidden, **fields}
        del short[name]
        assert cora.client.post("/controls/modes", data=short, headers=ORIGIN).status_code == 422
    assert records(house) == before + 3  # each form without its token is a refusal in the trail


def test_every_post_of_a_signed_in_person_asks_for_the_form_token(house):
    """A route that is added without it fails here: no address takes a POST without session and token."""
    paths = addresses("POST")
    assert len(paths) > 10
    browser = house.browser("cora")
    for path in paths - {"/sign-in", "/sign-in/provider"}:
        concrete = re.sub(r"\{[^}]*\}", "x", path)
        assert browser.client.post(concrete, data={"key": "k" * 20}, headers=ORIGIN).status_code == 422, path
        assert house.visitor().client.post(concrete, data={}, headers=ORIGIN).status_code == 401, path


def test_nothing_is_done_by_get(house):
    house.signal("approved")
    before = records(house)
    browser = house.browser("cora")
    paths = addresses("GET")
    assert len(paths) > 10
    for path in paths:
        browser.get(re.sub(r"\{[^}]*\}", "1", path))
    assert records(house) == before


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"a=" + b"x" * 1_000_001, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a=1" for _ in range(600)), "application/x-www-form-urlencoded", 400),
        (b"a=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"just words", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
        (b"a=1", "", 415),
    ],
)
def test_bodies_that_are_no_form_are_refused(house, content, kind, status):
    browser = house.browser("cora")
    headers = {**ORIGIN, "content-type": kind} if kind else ORIGIN
    answer = browser.client.post("/controls", content=content, headers=headers)
    assert answer.status_code == status


def test_a_body_without_a_length_is_bounded_while_it_streams(house):
    sent = []

    def endless():
        for _ in range(40):
            sent.append(1)
            yield b"x" * 65_536

    headers = {**ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    assert house.browser("cora").client.post("/controls", content=endless(), headers=headers).status_code == 413
    answer = house.browser("cora").client.post(
        "/controls", content=b"a=1", headers={**headers, "content-length": "9" * 30}
    )
    assert answer.status_code == 413


def test_a_body_that_drips_in_is_not_waited_for(house):
    with serving(create_app(house.store, replace(house.app.state.settings, body_seconds=0.3))) as address:
        host = address.removeprefix("http://")
        with socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2])), timeout=20) as connection:
            lines = [
                "POST /sign-in HTTP/1.1",
                f"Host: {host}",
                f"Origin: {address}",
                "Content-Type: application/x-www-form-urlencoded",
                "Content-Length: 100",
            ]
            connection.sendall(("\r\n".join(lines) + "\r\n\r\na=").encode())
            answer = connection.makefile("rb").readline()
    assert b" 408 " in answer


def test_there_is_no_other_way_in(house):
    with pytest.raises(WebSocketDisconnect), house.browser("cora").client.websocket_connect("/queue"):
        pass


def test_what_a_browser_keeps_is_sent_back_only_where_we_wrote_it(house):
    for cookie in ("x" * 5_000, '"\\012\\015Set-Cookie: a=b; ' + "x" * 40 + '"', "\xe9" * 43):
        answer = house.visitor().client.get("/sign-in", headers={"cookie": f"desk-start={cookie}".encode("latin-1")})
        assert answer.status_code == 200
        assert "x" * 40 not in answer.headers["set-cookie"]


def test_the_log_takes_no_lines_of_a_visitor(house, caplog, monkeypatch):
    def broken(*_args, **_more):
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("workbench.desk.pages.signal.signal_view", broken)
    house.browser("ana").get("/signals/x%0AERROR%20all%20is%20well")
    said = [record.getMessage() for record in caplog.records if record.name == "workbench.desk"]
    assert said
    assert all("\n" not in line for line in said)


@pytest.mark.parametrize(
    "wrong", ["9999-12-31", "0001-01-01", "2026-02-30", "10000-01-01", "\x00", "9" * 400, "\u0663"]
)
def test_no_day_number_or_letter_is_a_fault(house, wrong):
    signal_id = house.signal("checked")
    for who in ("cora", "pat"):
        browser = house.browser(who)
        names = ("first_day", "last_day", "before", "text", "after", "book", "state", "sort", "rule", "object_id")
        for path in ("/audit", "/queue", "/exceptions", "/measures"):
            assert browser.get(path, params=dict.fromkeys(names, wrong)).status_code < 500
        browser.get("/me")
        filled = {"to_person": "paul", "starts": "2026-11-21", "ends": wrong, "reason": "on leave"}
        assert browser.send("/me/deputies", **filled).status_code in (409, 422)
    analyst = house.browser("ana")
    analyst.get("/queue")
    hidden = {"form_token": analyst.fields("/sign-out")["form_token"], "acting": "", "key": "k" * 20}
    row = house.row(signal_id)
    form = hidden | {"version": row.version, "sheet_hash": row.sheet_hash, "reason_code": "tax", "reason": "why"}
    answer = analyst.client.post(f"/signals/{signal_id}/revise", data=form | {"keep": wrong}, headers=ORIGIN)
    assert answer.status_code < 500


def test_too_many_headers_and_strange_hosts_are_turned_away(house):
    client = house.visitor().client
    assert client.get("/sign-in", headers={f"x-{n}": "1" for n in range(80)}).status_code == 431
    assert client.get("/sign-in", headers={"x": "1" * 40_000}).status_code == 431
    both = {**ORIGIN, "content-length": "3", "transfer-encoding": "chunked"}
    assert client.post("/sign-in", content=b"a=b", headers=both).status_code == 400
    for host in ("evil.example", "localhost@evil.example", "", "localhost:port", "localhost, evil.example", "[::1"):
        assert client.get("/sign-in", headers={"host": host}).status_code == 400
    assert client.get("/sign-in", headers={"host": "LOCALHOST:8000"}).status_code == 200
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert client.request(method, "/sign-in").status_code == 405


def test_rates_are_bounded_by_address_and_by_person(house):
    tight = replace(Settings(hosts=("localhost",)), by_address=Rate(5, 1), by_person=Rate(1, 1))
    app = create_app(house.store, tight)
    client = TestClient(app, base_url="http://localhost", follow_redirects=False)
    answers = [client.get("/sign-in").status_code for _ in range(7)]
    assert answers == [200] * 5 + [429] * 2
    assert int(client.get("/sign-in").headers["retry-after"]) > 0


def test_a_bucket_fills_again_and_forgets_the_longest_unused():
    now = [0.0]
    buckets = Buckets(Rate(burst=2, per_minute=60), most=2, clock=lambda: now[0])
    buckets.take("a")
    buckets.take("a")
    with pytest.raises(TooManyError) as refused:
        buckets.take("a")
    assert refused.value.seconds == 1
    now[0] = 1.0
    buckets.take("a")
    buckets.take("b")
    buckets.take("c")
    assert len(buckets._held) == 2


def test_with_https_cookies_are_bound_to_the_host_and_transport_is_strict(house):
    settings = Settings(hosts=("desk.firm.example",), https=True)
    client = TestClient(create_app(house.store, settings), base_url="https://desk.firm.example", follow_redirects=False)
    answer = client.get("/sign-in")
    assert "max-age=31536000" in answer.headers["strict-transport-security"]
    given = answer.headers["set-cookie"]
    assert given.startswith("__Host-desk-start=")
    assert "Secure" in given
    assert "Path=/" in given
    assert "Domain" not in given


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"hosts": ()}, "hosts"),
        ({"hosts": ("desk.firm.example",)}, "https"),
        ({"hosts": ("*",), "https": True}, "hosts"),
        ({"secret": b"short"}, "secret"),
    ],
)
def test_settings_that_weaken_the_desk_are_refused(wrong, named):
    with pytest.raises(ParameterError) as refused:
        Settings(**wrong)
    assert refused.value.parameter == named


def test_the_secret_is_never_shown():
    settings = Settings()
    assert settings.secret.hex() not in repr(settings)
    assert "secret" not in repr(settings)


def test_addresses_come_from_our_own_proxies_only():
    scope = {"client": ("192.0.2.1", 1)}
    forged = Headers({"x-forwarded-for": "203.0.113.9, 198.51.100.7"})
    assert address_of(scope, forged, Settings()) == "192.0.2.1"
    assert address_of(scope, forged, replace(Settings(), proxies=1)) == "198.51.100.7"
    assert address_of(scope, Headers({}), replace(Settings(), proxies=1)) == "192.0.2.1"


def test_hosts_and_origins_by_example():
    settings = Settings()
    assert host_is_ours(Headers({"host": "localhost:8000"}), settings)
    assert host_is_ours(Headers({"host": "[::1]:8000"}), settings)
    assert not host_is_ours(Headers({}), settings)
    both = Headers(raw=[(b"host", b"localhost"), (b"host", b"evil.example")])
    assert not host_is_ours(both, settings)
    assert from_our_pages(Headers({"host": "localhost:8000", "origin": "http://localhost:8000"}), settings)


HOSTILE = [
    "<script>alert(1)</script>", "'; DROP TABLE audit; --", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}",
    "\u202egnp.exe", "a\x00b",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_come_back_as_words(house, text):
    """Every field of every form on these pages, filled with the same payload."""
    browser = house.browser("ada")
    pages = {
        "/people": ["/people"],
        "/people/ana": ["/people/ana/roles", "/people/ana/password", "/people/ana/deactivate"],
    }
    for path, actions in pages.items():
        for action in actions:
            page = browser.get(path).text
            fields = dict.fromkeys(re.findall(r'name="([a-z_]+)"', page), text)
            hidden = browser.fields(action, page)
            answer = browser.client.post(action, data={**fields, **hidden}, headers=ORIGIN)
            assert answer.status_code in (303, 409, 422), (action, answer.status_code)
            assert "<script>alert" not in answer.text
            assert "<img src=x" not in answer.text
            assert "\u202e" not in answer.text
    assert records(house) >= 0


def test_a_double_click_at_once_is_one_act(house):
    browser = house.browser("cora")
    page = browser.get("/controls").text
    hidden = browser.fields("/controls/modes", page)
    body = {**hidden, "kind": "model", "name": "balanced", "mode": "monitor", "reason": "twice at once"}
    before, answers = records(house), []
    kept = browser.kept("session")

    def click():
        second = Browser(TestClient(house.app, base_url="http://localhost", follow_redirects=False))
        second.keep("session", kept)
        answers.append(second.client.post("/controls/modes", data=body, headers=ORIGIN).status_code)

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert answers == [303] * 4
    assert records(house) == before + 1
