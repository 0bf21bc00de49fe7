"""The rendered book in headless Chromium, opened from disk with every other host blocked."""

import shutil

import pytest

from workbench.report import render_html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium or Chrome on the path"),
]


@pytest.fixture(scope="module")
def folder(sample, tmp_path_factory):
    return render_html(sample.book(), tmp_path_factory.mktemp("book")).index.parent


@pytest.fixture(scope="module")
def browser():
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, folder):
    contexts, faults = [], []

    def open_it(name, **options):
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda r: faults.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
        context.route("http*://**", lambda route: route.abort())
        page.goto((folder / name).as_uri())
        page.wait_for_function(
            "[...document.querySelectorAll('[data-figure]')].every(c => c.querySelector('.main-svg'))"
        )
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert faults == []


@pytest.mark.parametrize("name", ["index.html", "memo.html", "drift.html", "quality.html"])
@pytest.mark.parametrize("width", [390, 1280])
def test_opens_without_errors_requests_or_sideways_scrolling(open_page, name, width):
    page = open_page(name, viewport={"width": width, "height": 844})
    assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")


MARKS = "[...document.querySelectorAll('.bars .point path, .patterns rect, .legendtext')]"
BAR = f"{MARKS}.map(mark => getComputedStyle(mark).fill).filter(fill => fill.startsWith('rgb('))"


def test_dark_mode_changes_page_and_charts(open_page):
    light = open_page("drift.html", color_scheme="light")
    dark = open_page("drift.html", color_scheme="dark")
    assert not set(light.evaluate(BAR)) & set(dark.evaluate(BAR))
    ground = "getComputedStyle(document.body).backgroundColor"
    assert light.evaluate(ground) != dark.evaluate(ground)


def test_the_theme_button_changes_the_charts_and_is_remembered(open_page):
    page = open_page("drift.html", color_scheme="light")
    before = page.evaluate(BAR)
    page.get_by_role("button", name="Switch to the dark theme").press("Enter")
    page.wait_for_function(f"before => !{BAR}.some(fill => before.includes(fill))", arg=before)
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_tables_sort_from_the_keyboard(open_page):
    page = open_page("drift.html")
    table = page.locator("#drift\\.sector_table table")
    cells = "rows => rows.map(row => row.textContent.trim())"
    button = table.get_by_role("button", name="Actual")
    button.focus()
    page.keyboard.press("Enter")
    ascending = table.locator("tbody td:nth-child(2)").evaluate_all(cells)
    assert ascending == sorted(ascending, key=lambda text: float(text.rstrip("%")))
    assert table.locator("th[aria-sort=ascending]").inner_text().startswith("Actual")
    page.keyboard.press("Enter")
    assert table.locator("tbody td:nth-child(2)").evaluate_all(cells) == ascending[::-1]
    assert table.locator("tfoot th").inner_text() == "Total"


def test_the_first_tab_stop_skips_to_the_content(open_page):
    page = open_page("drift.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_only_tables_wider_than_the_phone_say_so_and_take_focus(open_page):
    page = open_page("drift.html", viewport={"width": 390, "height": 844})
    wide = page.locator("#drift\\.accounts .table-scroll")
    assert "scrolls" in wide.get_attribute("class")
    assert wide.get_attribute("tabindex") == "0"
    assert page.evaluate(
        "[...document.querySelectorAll('.table-scroll')].every("
        "box => box.classList.contains('scrolls') === box.scrollWidth > box.clientWidth + 2)"
    )
    desk = open_page("drift.html")
    assert desk.locator("#drift\\.sector_table .table-scroll").get_attribute("tabindex") is None


@pytest.mark.parametrize("width", [390, 1280])
def test_no_chart_text_leaves_its_chart(open_page, width):
    page = open_page("drift.html", viewport={"width": width, "height": 844})
    outside = page.evaluate(
        """[...document.querySelectorAll('[data-figure]')].flatMap(chart => {
          const room = chart.getBoundingClientRect();
          return [...chart.querySelectorAll('text')].filter(text => {
            const box = text.getBoundingClientRect();
            return box.width && (box.left < room.left - 1 || box.right > room.right + 1 || box.top < room.top - 1);
          }).map(text => chart.dataset.figure + ': ' + text.textContent);
        })"""
    )
    assert outside == []


def test_the_book_reads_without_scripts(browser, folder):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "drift.html").as_uri())
    assert page.get_by_text("Technology is 28.4% against a target of 24%").is_visible()
    context.close()
