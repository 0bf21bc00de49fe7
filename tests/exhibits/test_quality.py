"""The data quality chapter: every finding is there, counted and said as a person would."""

import pandas as pd
import pytest

from workbench.exhibits import quality
from workbench.firm.reconcile import Finding, Findings
from workbench.report import Badge, Missing

CHECKS = ("lots", "rmd", "stale_price")


def finding(severity="severe", check="lots", money=1_250.0, rows=None, title="Lots do not sum to the position"):
    rows = pd.DataFrame({"account_id": ["A1"], "year": [2022], "money": [1_250.0]}) if rows is None else rows
    return Finding(check, severity, "lots", title, "1 position in A1.", "ask the custodian", rows, money)


def findings(*items):
    return Findings(pd.Timestamp("2022-12-28"), tuple(items), CHECKS)


class TestVerdict:
    def test_nothing_found(self, origin, said):
        text = said(quality.verdict(findings(), origin))
        assert text == "The figures can be relied on\nNo finding stands in the way of this book's figures."

    @pytest.mark.parametrize(("count", "expected"), [(1, "Read the warning below"), (3, "Read the 3 warnings below")])
    def test_warnings_are_counted(self, origin, said, count, expected):
        exhibit = quality.verdict(findings(*[finding("warning")] * count), origin)
        assert exhibit.body.tone == "good"
        assert f"{expected} before acting." in said(exhibit)

    def test_what_is_grave_asks_for_a_decision_with_its_remedy(self, origin, said):
        exhibit = quality.verdict(findings(finding(), finding("warning", "rmd", title="Later")), origin)
        assert exhibit.body.tone == "decision"
        assert said(exhibit).splitlines() == [
            "Mend before relying on these figures",
            "Lots do not sum to the position. 1 position in A1. To do: ask the custodian.",
        ]

    def test_a_rejected_snapshot_is_not_to_be_used(self, origin):
        assert quality.verdict(findings(finding("reject")), origin).title == "Do not use this snapshot"


class TestTables:
    def test_key_figures_have_facts_and_zeros_say_none_found(self, origin):
        exhibit = quality.summary(findings(finding()), origin)
        assert [item.value.text for item in exhibit.body.items] == ["3", "0", "1", "0", "0"]
        assert [item.note for item in exhibit.body.items][1:3] == ["none found", "figures of the rows named are wrong"]

    def test_findings_are_listed_with_facts_for_rows_and_money(self, origin):
        exhibit = quality.findings_table(findings(finding(), finding("info", "rmd", None, title="Due later")), origin)
        assert exhibit.takeaway == "2 findings; 1 of 3 checks found nothing."
        badge, text, rows, money, remedy = exhibit.body.rows[0]
        assert (badge, rows, money) == (Badge("severe", "bad"), 1, 1_250.0)
        assert (text, remedy) == ("Lots do not sum to the position. 1 position in A1.", "Ask the custodian.")
        assert exhibit.body.rows[1][3] == Missing("money is not the measure")
        assert {fact.id.rpartition(".")[2] for fact in exhibit.facts} == {"rows", "money"}
        assert len(exhibit.facts) == 3

    def test_one_finding_is_one_finding(self, origin):
        assert quality.findings_table(findings(finding()), origin).takeaway.startswith("1 finding;")

    def test_rows_of_a_finding_show_years_as_years_and_money_as_money(self, origin):
        exhibit = quality.rows_table(finding(), origin, "quality-rows-1")
        assert [column.kind for column in exhibit.body.columns] == ["text", "text", "usd"]
        assert [fact.text for fact in exhibit.facts] == ["$1,250.00"]

    def test_long_lists_of_rows_are_cut_and_say_so(self, origin):
        rows = pd.DataFrame({"account_id": [f"A{i}" for i in range(1_200)], "in_force": True})
        body = quality.rows_table(finding(rows=rows), origin, "quality-rows-1").body
        assert len(body.rows) == quality.ROWS_SHOWN
        assert body.rows[0] == ("A0", "yes")
        assert body.note == "The first 8 of 1,200 rows."

    def test_odd_values_are_shown_or_said_to_be_missing(self, origin):
        rows = pd.DataFrame({"id": ["A"], "screens": [["tobacco", "coal"]], "gap": [float("inf")], "when": [pd.NaT]})
        cells = quality.rows_table(finding(rows=rows), origin, "quality-rows-1").body.rows[0]
        assert cells == ("A", "tobacco, coal", Missing("without limit"), Missing("not known"))

    def test_only_findings_that_need_somebody_have_their_rows_printed(self, origin):
        found = findings(finding(), finding("info"), finding("warning", rows=pd.DataFrame()))
        assert [exhibit.id for exhibit in quality.rows_tables(found, origin, 5)] == ["quality-rows-1"]

    def test_a_check_shows_its_worst_finding(self, origin):
        exhibit = quality.checks_table(findings(finding("severe"), finding("info")), origin)
        assert exhibit.body.rows[0] == ("Lots", Badge("severe", "bad"))
        assert exhibit.body.rows[1] == ("RMD", Badge("passed", "good"))
        assert exhibit.takeaway == "2 of 3 checks found nothing."


def test_a_sound_firm(chapter, small):
    shown = chapter("quality", small)
    assert "No finding stands in the way" in shown.text("quality-verdict")
    assert "quality-rows-1" not in shown


def test_tables_that_are_absent_say_so_and_the_others_have_their_rows(chapter, small):
    shown = chapter("quality", small)
    rows = {row[0]: row for row in shown["quality-holdings"].body.rows}
    assert rows["positions"][1] == 4
    assert shown.facts["quality.holds.positions"].value == 4
    assert rows["client_notes"][1:] == (Missing("table absent"),) * 4


def test_every_planted_fault_is_visible(chapter, small):
    small["positions"].loc[2, "quantity"] = -200.0
    small["lots"].loc[0, "quantity"] = 50.0
    text = chapter("quality", small).text("quality-findings")
    assert "Lots do not sum to the position" in text
    assert "Accounts are overdrawn" in text
