"""Every page of the desk in a browser: WCAG AA by axe, light and dark, desk and phone; no request away."""

import json
import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.conftest import Clock
from tests.desk.conftest import PASSWORD, SERVICE, House
from tests.desk.letters import FLIPPED, letter
from tests.desk.live import serving
from workbench.desk import Settings, create_app
from workbench.desk.settings import Rate
from workbench.governance import Escalate, Who
from workbench.governance.break_glass import BreakGlass
from workbench.governance.commands import AddDraft, ChangeControls, SetMode
from workbench.governance.database import open_engine
from workbench.governance.delegations import Delegate
from workbench.governance.measures import DefineMeasure, Reading, RecordReading, read_measures
from workbench.governance.roles import Role
from workbench.governance.states import Mode
from workbench.governance.store import Store
from workbench.governance.tables import audit, draft, paper
from workbench.releases import Place, bring, documents_of, how_made

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
#: Who opens which page: between them everybody sees everything there is to be clicked.
PAGES = [
    (None, ["/sign-in", "/nothing-here"]),
    ("pat", ["/library", "/measures", "/controls", "/me"]),
    ("cora", ["/audit", "/audit/records/3", "/delegations", "/controls"]),
    ("ada", ["/people", "/people/ana", "/me"]),
    ("carl", ["/papers", "/papers/{sound}", "/papers/{sound}/release", "/papers/{faulty}", "/escalations"]),
    ("adam", ["/papers/{sound}", "/papers/{faulty}", "/ask"]),
    ("ana", ["/signals/{lettered}"]),
]
#: A table that no phone can hold: it scrolls by itself, the page does not.
WIDE = (
    "\n| Fund held today | Which way we go | Amount proposed | Standing restrictions | Consent needed | Remarks |\n"
    "|---|---|---|---|---|---|\n| VTI | We propose to sell | $9,358 | unrestricted | missing | straightforward |\n"
)
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


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


def shelve(folder: Path) -> None:
    """Put a small rendered book on the shelf, whose script draws and tries to reach the desk."""
    book = folder / "quarterly-2022-12-28-0123456789"
    (book / "assets").mkdir(parents=True)
    run = {
        "title": "The quarterly book", "as_of": "2022-12-28", "run_key": "0123456789" * 6, "status": "succeeded",
        "finished_at": "2022-12-28T09:23:59+00:00", "notebooks": [{"key": "memo", "status": "succeeded"}],
    }  # fmt: skip
    (book / "run.json").write_text(json.dumps(run))
    (book / "lineage.json").write_text(json.dumps({"inputs": {"firm": "75298116854d" * 5}}))
    (book / "book.pdf").write_bytes(b"%PDF-1.7")
    (book / "assets" / "book.js").write_text(
        "document.title = 'drawn';\n"
        "let found = 'none'; try { found = document.cookie; } catch (error) { found = 'refused'; }\n"
        "document.getElementById('cookie').textContent = found;\n"
        "fetch('/audit').then(() => { document.title = 'leaked'; }).catch(() => { document.title = 'kept apart'; });\n"
    )
    (book / "assets" / "house.css").write_text("body { color: rgb(1, 2, 3); }")
    (book / "index.html").write_text(
        "<!doctype html><html lang=en><title>Book</title><link rel=stylesheet href=assets/house.css>"
        "<p id=cookie>nothing</p><a id=next href=memo.html>memo</a><script src=assets/book.js></script>"
    )
    (book / "memo.html").write_text("<!doctype html><html lang=en><title>Memo</title><p>The memo")


def furnish(house: House) -> None:
    """Put something on every page: signals, measures, a deputy, an emergency, a mode, looser controls that wait."""
    house.signal("approved", "H-0001", name="Brightwater Family Trust")
    house.signal("submitted", "H-0002", book="adv-2")
    hours, turnaround, *_ = read_measures((house.clock.now).date())
    for one in (hours, turnaround):
        house.do("cora", DefineMeasure(one))
    said = Reading(hours.measure_id, 1, "baseline", hours.baseline_start, hours.start, "3.5", "0.9", 40, "time sheets")
    house.do("pat", RecordReading(said))
    house.do("cora", SetMode("model", "balanced", Mode.DRAFT, "first month of use"))
    house.clock.advance(days=31)
    end = house.clock.now.date().isoformat()
    start = hours.start
    first = Reading(hours.measure_id, 1, "reading", start, _plus(start, 30), "1.4", "0.8", 55, "time sheets")
    house.do("pat", RecordReading(first))
    assert end >= _plus(start, 30)
    until = house.clock.now.replace(hour=23)
    house.do("paul", Delegate("pat", house.clock.now, until, "at a conference until tomorrow"))
    house.do("ana", BreakGlass(Role.TRADER, "No trader can be reached and cash is due today."))
    place = Place("adv-1", "H-0001")
    bring(house.store, Who(SERVICE), [letter(), letter(FLIPPED + WIDE, kind="client_brief")], lambda _: place)
    lettered(house)
    house.do("adam", Escalate("May the trust hold futures?", "adv-1", "H-0001"))
    house.do("carl", ChangeControls((("approval_hours", 48), ("idle_minutes", 15)), "over the holidays"))


def lettered(house: House) -> None:
    """Put a signal into the queue whose letter says the opposite of its facts."""
    signal_id = house.signal("draft", "H-0003", name="Quillfeather Household")
    wrong = letter(FLIPPED, key="H-0003")
    text, facts, report = documents_of(wrong)
    record, made = how_made(wrong)
    house.do(SERVICE, AddDraft(signal_id, 1, "client_email", text, record, made, facts, report))
    house.check(signal_id)


def _plus(day: str, days: int) -> str:
    from datetime import date, timedelta

    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def resolved(path: str, house: House) -> str:
    """Put the numbers of the two papers, and of the signal with a letter, into a path."""
    with house.store.reading() as connection:
        rows = connection.execute(select(paper.c.supported, paper.c.paper_id)).all()
        named = {"lettered": connection.execute(select(draft.c.signal_id)).scalar_one()}
    return path.format(**named, **{"sound" if row.supported else "faulty": row.paper_id for row in rows})


@pytest.fixture(scope="module")
def desk(tmp_path_factory, sqlite_template):
    """The address of a desk with something on every page, and the house behind it."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(sqlite_template, folder / "decisions.db")
    shelve(folder / "reports")
    engine = open_engine(f"sqlite:///{folder / 'decisions.db'}")
    store = Store(engine, Clock(), "tested")
    often = Rate(burst=1_000, per_minute=1_000)  # the tests sign in more often than people do
    settings = Settings(
        firm_name="Alder & Birch",
        hosts=("localhost",),
        reports=folder / "reports",
        by_address=often,
        by_person=often,
        sign_ins=often,
    )
    house = House(store, create_app(store, settings))
    house.add_people()
    furnish(house)
    with serving(house.app) as url:
        yield url, house
    engine.dispose()


def signed_in(chromium, url, who, **how):
    """Open a browser window and sign in by the page, if anybody is to."""
    context = chromium.new_context(**how)
    context.set_default_timeout(30_000)
    page = context.new_page()
    if who is not None:
        page.goto(f"{url}/sign-in")
        page.get_by_label("Name or e-mail").fill(who)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda address: "/sign-in" not in address)
    return context, page


def watched(page):
    """Collect what the browser complains of and every address it asks for."""
    complaints, asked = [], []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    return complaints, asked


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("who", "paths"), PAGES, ids=[str(who) for who, _ in PAGES])
def test_pages_are_for_everybody(chromium, desk, who, paths, scheme, size):
    from axe_playwright_python.sync_playwright import Axe

    url, house = desk
    context, page = signed_in(chromium, url, who, color_scheme=scheme, viewport=SIZES[size])
    complaints, asked = watched(page)
    for path in (resolved(one, house) for one in paths):
        page.goto(url + path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        picture = os.environ.get("WORKBENCH_SCREENSHOTS")
        if picture:
            name = f"{who or 'nobody'}{path.replace('/', '_')}-{scheme}-{size}.png"
            page.screenshot(path=str(Path(picture) / name), full_page=True)
        found = Axe().run(page, options={"runOnly": RULES})
        broken = [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found.response["violations"]]
        assert not broken, f"{path}: {broken}"
        assert wide <= 0, f"{path} is {wide} pixels wider than the window"
    context.close()
    assert [text for text in complaints if "404" not in text] == []
    assert {address.split("/", 3)[2] for address in asked} == {url.split("/")[2]}


def test_a_book_cannot_touch_the_desk(chromium, desk):
    from playwright.sync_api import expect

    url, _ = desk
    context, page = signed_in(chromium, url, "pat")
    page.goto(f"{url}/library")
    with context.expect_page() as opened:
        page.get_by_role("link", name="The quarterly book").click()
    book = opened.value
    expect(book).to_have_title("kept apart")
    assert book.locator("#cookie").text_content() == "refused"
    assert book.evaluate("getComputedStyle(document.body).color") == "rgb(1, 2, 3)"
    book.locator("#next").click()
    expect(book).to_have_title("Memo")
    assert "The memo" in book.content()
    context.close()


def test_the_desk_works_by_keyboard_and_without_script(chromium, desk):
    url, _ = desk
    context, page = signed_in(chromium, url, None, java_script_enabled=False)
    page.goto(f"{url}/sign-in")
    page.keyboard.press("Tab")
    assert page.locator(":focus").text_content() == "Skip to the content"
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.type("cora")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/sign-in" not in address)
    page.goto(f"{url}/audit")
    page.get_by_role("button", name="Verify now").focus()
    page.keyboard.press("Enter")
    page.get_by_text("nothing was changed").wait_for()
    context.close()


def test_two_clicks_are_one_act(chromium, desk):
    url, house = desk
    context, page = signed_in(chromium, url, "cora")
    page.goto(f"{url}/controls")
    page.get_by_text("Set a mode").click()
    page.get_by_label("Model or account").fill("growth")
    page.locator("#m-reason").fill("two clicks")
    page.get_by_role("button", name="Set the mode").dblclick()
    page.get_by_text("Model growth is now in mode monitor.").wait_for()
    context.close()
    with house.store.reading() as connection:
        asked = (
            select(func.count()).select_from(audit).where(audit.c.action == "set_mode", audit.c.object_id == "growth")
        )
        assert connection.execute(asked).scalar_one() == 1


def test_a_letter_edited_wrongly_holds_its_signal_and_corrected_lets_it_go(chromium, desk):
    url, house = desk
    context, page = signed_in(chromium, url, "ana")
    page.goto(url + resolved("/signals/{lettered}", house))

    def say(words):
        page.get_by_text("Put it into other words").click()
        page.get_by_label("Text", exact=True).fill(words)
        page.get_by_role("button", name="Save these words").click()
        page.wait_for_load_state()

    say("We suggest selling $9,999 of VTI.")
    assert page.get_by_text("1 statement is not supported by the facts").is_visible()
    assert page.get_by_role("button", name="Submit for approval").count() == 0
    say("We suggest selling $9,358 of VTI.")
    assert page.get_by_text("all of it supported").count() == 1
    page.get_by_role("button", name="Submit for approval").click()
    page.get_by_text("Submitted for approval.").wait_for()
    context.close()
