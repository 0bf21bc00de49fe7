"""The whole road in a browser: submit, approve, release; a stale approval refused; by keyboard; on a phone."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.desk.conftest import House
from tests.desk.packages import package, preflight
from workbench.desk import Settings, create_app
from workbench.desk.settings import Rate
from workbench.governance.database import open_engine
from workbench.governance.store import Store, now
from workbench.governance.tables import approval

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM.exists():
        pytest.skip("no chromium in /usr/bin")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def desk(sqlite_url):
    """A served desk on SQLite; gives the house and the address."""
    import uvicorn

    free = Rate(burst=10_000, per_minute=100_000)
    store = Store(open_engine(sqlite_url), now, "tested")
    settings = Settings(firm_name="Alder & Birch", hosts=("localhost",), by_address=free, by_person=free, sign_ins=free)
    app = create_app(store, settings)
    house = House(store, app)
    house.add_people()
    with socket.socket() as free_port:
        free_port.bind(("127.0.0.1", 0))
        port = free_port.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    started = threading.Event()
    while not server.started and thread.is_alive():
        started.wait(0.02)
    yield house, f"http://localhost:{port}"
    server.should_exit = True
    thread.join(10)
    store.engine.dispose()


@contextmanager
def page_of(chromium, address, who, **more):
    """A window of its own, signed in by the form."""
    context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **more})
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("input[name=name]", f"{who}@firm.example")
    page.fill("input[type=password]", "correct horse battery staple")
    page.press("input[type=password]", "Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    yield page
    context.close()


def real(house, state="checked", household="H-0001"):
    return house.signal(state, household, package=package(household), preflight=preflight(household))


def assert_accessible(page):
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}
    found = Axe().run(page, options=options)
    assert found.violations_count == 0, found.generate_report()


def test_submit_approve_and_release_by_three_people(desk, chromium):
    house, address = desk
    signal_id = real(house)
    with page_of(chromium, address, "ana") as page:
        page.goto(f"{address}/queue")
        page.click("text=Household H-0001")
        page.click("button:has-text('Submit for approval')")
        assert page.inner_text("[role=status]") == "Submitted for approval."
    with page_of(chromium, address, "pat", viewport={"width": 390, "height": 844}) as page:
        page.goto(f"{address}/signals/{signal_id}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.click("text=Approve …")
        assert house.row(signal_id).sheet_hash in page.inner_text("main")
        page.dblclick("main button:has-text('Approve')")
        page.wait_for_selector("[role=status]")
    assert house.row(signal_id).state == "approved"
    with house.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(approval)).scalar_one() == 1
    with page_of(chromium, address, "tom") as page:
        page.goto(f"{address}/signals/{signal_id}")
        page.click("text=Release …")
        page.click("main button:has-text('Release')")
        assert "Released." in page.inner_text("[role=status]")
    assert house.row(signal_id).state == "released"


def test_a_stale_approval_is_refused(desk, chromium):
    house, address = desk
    signal_id = real(house, "submitted")
    with page_of(chromium, address, "pat") as first, page_of(chromium, address, "paul") as second:
        first.goto(f"{address}/signals/{signal_id}/confirm/approve")
        second.goto(f"{address}/signals/{signal_id}")
        second.click("summary:has-text('Return to its makers')")
        second.select_option("details[open] select", "timing")
        second.fill("details[open] textarea", "after the new year")
        second.click("details[open] button")
        first.click("main button:has-text('Approve')")
        assert "changed since you looked" in first.inner_text("h1")
    assert house.row(signal_id).state == "returned"


def test_by_keyboard_only(desk, chromium):
    house, address = desk
    signal_id = real(house)
    with page_of(chromium, address, "ana") as page:
        page.goto(f"{address}/queue")
        tab_to(page, "Household H-0001")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/signals/{signal_id}")
        tab_to(page, "Submit for approval")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=status]")
    assert house.row(signal_id).state == "submitted"


def tab_to(page, name):
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText || ''").strip() == name:
            return
    raise AssertionError(f"the keyboard does not reach {name}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_are_accessible(desk, chromium, scheme, width):
    house, address = desk
    signal_id = real(house, "submitted")
    real(house, "checked", "H-0002")
    view = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    with page_of(chromium, address, "paul", **view) as page:
        for path in (
            "/queue",
            "/queue?text=H-0001",
            f"/signals/{signal_id}",
            f"/signals/{signal_id}/confirm/approve",
            f"/signals/{signal_id}/revise",
            "/exceptions",
        ):
            page.goto(f"{address}{path}")
            for summary in page.query_selector_all("main summary"):
                summary.click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert_accessible(page)
