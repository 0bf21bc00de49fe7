"""The book end to end on a small demo firm: rendered once, then read as its users read it."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from workbench.cli import main
from workbench.firm.demo import build_firm
from workbench.publish import publish

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

QUARTERLY = {
    "memo", "performance", "sleeve_attribution", "implementation_variance", "risk_and_stress", "drift", "rebalance",
    "policy_backtest", "quality",
}  # fmt: skip


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    return build_firm(tmp_path_factory.mktemp("firms") / "demo", accounts=40).folder


@pytest.fixture(scope="module")
def published(firm, tmp_path_factory):
    return publish(ROOT / "params" / "quarterly.yml", firm=str(firm), out=tmp_path_factory.mktemp("reports"))


def test_leaves_everything_a_reader_an_operator_and_an_auditor_need(published):
    folder = published.index.parent
    assert published.result.succeeded
    assert {path.name for path in folder.iterdir()} >= {
        "index.html", "memo.html", "drift.html", "rebalance.html", "quality.html", "run.json",
        "lineage.json", "facts.json", "notebooks",
    }  # fmt: skip
    assert json.loads((folder / "run.json").read_text())["status"] == "succeeded"
    assert {path.stem for path in (folder / "notebooks").glob("*.ipynb")} == QUARTERLY


def test_every_figure_names_its_source(published):
    facts = json.loads((published.index.parent / "facts.json").read_text())["facts"]
    assert len(facts) > 200
    assert all(" of " in fact["source"] and "book of record" in fact["source"] for fact in facts)
    assert all(fact["as_of"] == "2022-12-28" and fact["text"] for fact in facts)
    shared = [fact for fact in facts if fact["id"] == "drift.firm.out_of_band"]
    assert shared[0]["chapters"] == ["memo", "drift"]


def test_lineage_names_every_input(published, firm):
    lineage = json.loads((published.index.parent / "lineage.json").read_text())
    sealed = json.loads((firm / "snapshot.json").read_text())
    assert lineage["inputs"]["firm"] == sealed["content_hash"]
    assert lineage["inputs"]["firm_tables"] == sealed["tables"]
    assert all(len(lineage["inputs"][name]) == 64 for name in ("params", "lock", "package"))
    assert all(notebook["executed"] and notebook["seconds"] > 0 for notebook in lineage["notebooks"])


def test_pages_ask_no_other_host_and_hide_all_code(published):
    for page in published.index.parent.glob("*.html"):
        text = page.read_text()
        assert 'src="http' not in text
        assert "open_at(" not in text
        assert "Content-Security-Policy" in text
    drift = (published.index.parent / "drift.html").read_text()
    assert "Simulated: prices of" in drift
    assert "As of 28 December 2022" in drift


def test_the_pdf_is_tagged_titled_and_complete(published):
    if published.pdf is None:
        pytest.skip("; ".join(published.notes))
    from pypdf import PdfReader

    reader = PdfReader(published.pdf)
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.metadata.title.startswith("The quarterly book")
    assert len(reader.pages) >= 6
    for words in ("Accounts for review", "What was checked", "Page 2 of"):
        assert words in text


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium or Chrome on the path")
@pytest.mark.parametrize("width", [390, 1280])
def test_opens_in_a_browser_without_an_error_or_a_request(published, width):
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    faults = []
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme="dark")
        context.route("http*://**", lambda route: route.abort())
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: faults.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
        for path in sorted(published.index.parent.glob("*.html")):
            page.goto(path.as_uri())
            page.wait_for_function(
                "[...document.querySelectorAll('[data-figure]')].every(c => c.querySelector('.main-svg'))"
            )
            assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth"), path.name
        browser.close()
    assert faults == []


def test_resume_keeps_what_was_finished(published, firm):
    out = published.index.parent.parent
    again = publish(ROOT / "params" / "quarterly.yml", firm=str(firm), out=out, resume=True, pdf=False)
    assert [outcome.reused for outcome in again.result.outcomes] == [True] * len(QUARTERLY)


def test_another_day_is_another_run(published, firm, tmp_path):
    earlier = publish(ROOT / "params" / "daily_drift.yml", firm=str(firm), as_of="2022-06-30", out=tmp_path)
    assert earlier.result.succeeded
    assert earlier.pdf is None
    assert "As of 30 June 2022" in (earlier.index.parent / "drift.html").read_text()
    facts = json.loads((earlier.index.parent / "facts.json").read_text())["facts"]
    assert {fact["as_of"] for fact in facts} == {"2022-06-30"}


def test_a_failing_notebook_fails_the_run_and_shows_where(firm, tmp_path):
    for name in ("notebooks", "params"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    path = tmp_path / "notebooks" / "quality.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][3]["source"] = ["findings.nothing_of_that_name"]
    path.write_text(json.dumps(notebook))
    params = tmp_path / "params" / "daily_drift.yml"
    arguments = ["run", str(params), "--firm", str(firm), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 3
    assert "notebook quality failed in cell 5 (findings.nothing_of_that_name)" in result.stderr  # as executed
    (folder,) = [path for path in (tmp_path / "out").iterdir() if path.name.endswith(".failed")]
    assert "this book is incomplete" in (folder / "index.html").read_text()
    assert (folder / "drift.html").exists()
    assert not (folder / "book.pdf").exists()
