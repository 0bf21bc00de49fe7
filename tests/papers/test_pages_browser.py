"""A paper in a browser: no scripts or requests, no sideways scrolling, sources by keyboard."""

import shutil

import pytest

from tests.papers.paper_samples import sample
from workbench.papers.folder import write_papers

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium or Chrome on the path"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_papers(tmp_path_factory.mktemp("papers"), [sample()], pdf=False).folder


@pytest.fixture(scope="module")
def browser():
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize("name", ["index.html", "H-1-review.html"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_opens_without_errors_requests_or_sideways_scrolling(browser, folder, name, width):
    faults = []
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.on("console", lambda message: faults.append(message.text))
    page.on("request", lambda r: faults.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
    page.goto((folder / name).as_uri())
    assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")
    assert faults == []
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_source_shows_when_its_number_is_reached_by_keyboard(browser, folder, width):
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto((folder / "H-1-review.html").as_uri())
    assert page.locator(".tip:visible").count() == 0
    page.keyboard.press("Tab")
    assert page.locator(".tip:visible").inner_text().startswith("firm of households, row H-1")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#source-1"
    assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")
    page.close()


def test_the_number_of_a_source_is_not_copied_with_the_text(browser, folder):
    page = browser.new_page()
    page.goto((folder / "H-1-review.html").as_uri())
    page.evaluate("getSelection().selectAllChildren(document.querySelector('article p'))")
    copied = page.evaluate("getSelection().toString()")
    assert copied.startswith("As of 28 December 2022 the Smith household holds AAPL and BRK.B.")
    page.close()
