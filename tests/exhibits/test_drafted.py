"""A draft in a book: every mention carries its fact, links lead on, and a text with faults is not shown."""

import pytest

from workbench.drafting.reasons.performance import CLAIMS
from workbench.drafting.sheets.performance import Period, Record, sheet
from workbench.drafting.writer import write
from workbench.errors import DraftError
from workbench.exhibits.drafted import Drafted
from workbench.report import FactRef
from workbench.report.exhibit import Link


@pytest.fixture
def draft():
    returns = {"net": 0.0622, "gross": 0.064, "benchmark": 0.0512, "excess": 0.011}
    period = Period("quarter", "the quarter to date", "2022-09-30", False, returns)
    record = Record("BAL", "bal", "Bal|anced **7**", "2012-05-31", (period,), 68e6, 124)
    made = sheet(record, (), "2022-12-28", "0123456789", "Harrow", "55 % equity * 45 % bills")
    return write(made, "commentary", CLAIMS, title="Balanced")


def test_every_figure_is_a_mention_of_its_fact(draft):
    exhibits = list(Drafted(draft, "balanced").every())
    facts = {fact.id: fact for exhibit in exhibits for fact in exhibit.facts}
    assert facts["performance.returns.bal.net.quarter"].value == 0.0622
    assert facts["performance.returns.bal.excess.quarter"].unit == "pp"
    assert "performance.composite_days" in facts["performance.returns.bal.net.quarter"].source
    assert all(fact.as_of == "2022-12-28" for fact in facts.values())


def test_a_name_with_marks_reads_as_itself(draft):
    first = next(iter(Drafted(draft, "balanced").every()))
    assert FactRef("performance.bal.name", "Bal|anced **7**") in first.body.paragraphs[0]


def test_sections_carry_their_headings_and_a_table_its_cells(draft):
    exhibits = {exhibit.id: exhibit for exhibit in Drafted(draft, "balanced").every()}
    table = exhibits["balanced-returns"]
    assert table.title == "Returns"
    assert table.body.rows[0][1] == FactRef("performance.returns.bal.net.quarter", "+6.22%")


def test_phrases_lead_to_their_pages(draft):
    (shown,) = Drafted(draft, "balanced", {"whole calendar year": "performance.html"}).section("Accounts and risk")
    assert Link("whole calendar year", "performance.html") in shown.body.paragraphs[0]


def test_an_edited_draft_is_not_shown_as_the_book_s_own(draft):
    with pytest.raises(DraftError, match="edited or has faults"):
        Drafted(draft.edited(draft.text + "It rose 5%."), "balanced")


def test_a_section_that_is_not_there_is_named(draft):
    with pytest.raises(DraftError, match="no section 'Weather'"):
        list(Drafted(draft, "balanced").section("Weather"))
