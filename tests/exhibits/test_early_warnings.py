"""Exhibits of score, warnings and habits: facts behind each figure, sentences that hold, and no firm too odd."""

import numpy as np
import pandas as pd
import pytest

from workbench import risk
from workbench.exhibits import Origin, behaviour, early_warnings, risk_score, warned
from workbench.firm import demo, write_firm
from workbench.report import Exhibit, Missing
from workbench.report.exhibit import FigureBody, TableBody

FIGURES = {"number", "percent", "pp", "bp", "usd", "count"}


def all_exhibits(book, most=10) -> list[Exhibit]:
    """Every exhibit as the chapter shows it."""
    origin = Origin.of(book)
    watched = risk.watch(book)
    scores = risk.score_households(watched, value_drawdown=risk.load_drawdown(book))
    warnings = risk.find_warnings(watched, scores=scores)
    habits = risk.find_patterns(watched, risk.load_trades(book))
    return [
        risk_score.score_table(scores, origin, most),
        risk_score.score_figure(scores, origin),
        risk_score.score_history(scores, origin),
        early_warnings.verdict(warnings, origin),
        early_warnings.warnings_table(warnings, origin),
        early_warnings.warnings_history(warnings, origin),
        early_warnings.watched_table(warnings, origin),
        warned.touched_table(warnings, origin, most),
        warned.issuer_table(risk.issuer_by_sleeve(watched), origin, most),
        behaviour.advisors_table(habits, origin),
        behaviour.households_table(habits, origin, most),
    ]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    book = demo.build_firm(tmp_path_factory.mktemp("exhibits") / "firm", accounts=60)
    return {exhibit.id: exhibit for exhibit in all_exhibits(book)}


def without_numbers(text: str) -> None:
    assert "nan" not in text.lower().split()
    assert "None" not in text.replace("None of ", "")
    assert "inf" not in text.lower().split()


class TestFigures:
    def test_each_figure_of_each_table_is_a_fact(self, shown):
        for exhibit in shown.values():
            body = exhibit.body.data if isinstance(exhibit.body, FigureBody) else exhibit.body
            if isinstance(body, TableBody):
                figures = [
                    cell
                    for row in body.rows
                    for column, cell in zip(body.columns, row, strict=True)
                    if column.kind in FIGURES and isinstance(cell, int | float)
                ]
                assert set(figures) <= {fact.value for fact in exhibit.facts}, exhibit.id

    def test_every_table_and_figure_has_a_takeaway_and_a_settings_line(self, shown):
        for exhibit in shown.values():
            if isinstance(exhibit.body, TableBody | FigureBody):
                assert exhibit.takeaway.endswith("."), exhibit.id
                assert exhibit.settings is not None, exhibit.id
                assert "book of record" in exhibit.settings.line()

    def test_the_book_takes_them(self, shown, said):
        ids = [fact.id for exhibit in shown.values() for fact in exhibit.facts]
        values = {}
        for exhibit in shown.values():
            Exhibit.from_json(exhibit.to_json())
            without_numbers(said(exhibit))
            for fact in exhibit.facts:
                assert values.setdefault(fact.id, fact) == fact
        assert ids


class TestSentences:
    def test_the_score_says_it_is_no_forecast(self, shown):
        assert "not a forecast" in shown["risk-score"].settings.line()

    def test_habits_are_facts_and_no_judgement(self, shown, said):
        text = said(shown["behaviour-advisors"])
        assert "ADV3" in text
        assert "not a judgement" in text
        for word in ("panic", "fear", "mistake", "irrational", "bad", "bias", "greed"):
            assert word not in text.lower()

    def test_the_number_of_tests_is_said(self, shown, said):
        assert "tests were made" in said(shown["behaviour-advisors"])

    def test_a_warning_says_since_when_whom_and_what_to_do(self, shown, said):
        assert "since" in said(shown["warnings-on"])
        assert "One company in a household: talk to the households named" in said(shown["warnings-verdict"])


class TestOddFirms:
    def odd(self, small, name):
        prices = small["prices"]
        if name == "no profiles, no rates":
            return small
        if name == "no volume":
            return small | {"securities": small["securities"].assign(adv=float("nan"))}
        if name == "one session":
            return small | {"prices": prices[prices["date"] == "2022-12-28"]}
        if name == "no transactions":
            return small | {"transactions": small["transactions"].head(0)}
        if name == "no price of one":
            return small | {"prices": prices[prices["security_id"] != "BBB"]}
        if name == "no model":
            return small | {"accounts": small["accounts"].assign(model_id=None)}
        if name == "household without account":
            extra = small["households"].assign(household_id="H2")
            return small | {"households": pd.concat([small["households"], extra], ignore_index=True)}
        if name == "owes more than it holds":
            positions = small["positions"].copy()
            positions.loc[positions["security_id"] == "CASH", "quantity"] = -5_000.0
            return small | {"positions": positions}
        cash = small["positions"].query("security_id == 'CASH'")
        return small | {
            "positions": cash, "lots": small["lots"].head(0), "transactions": small["transactions"].head(0),
        }  # fmt: skip

    @pytest.mark.parametrize(
        "name",
        [
            "no profiles, no rates", "no volume", "one session", "no transactions", "no price of one", "no model",
            "household without account", "owes more than it holds", "all cash",
        ],
    )  # fmt: skip
    @pytest.mark.filterwarnings("error")
    def test_every_exhibit_says_what_it_cannot(self, small, tmp_path, said, name):
        book = write_firm(tmp_path / "firm", self.odd(small, name), "2022-12-28", check=False)
        for exhibit in all_exhibits(book):
            text = said(exhibit)
            without_numbers(text)
            assert text
            body = exhibit.body.data if isinstance(exhibit.body, FigureBody) else exhibit.body
            if isinstance(body, TableBody):
                cells = [cell for row in body.rows for cell in row]
                assert not any(isinstance(cell, float) and np.isnan(cell) for cell in cells)
                assert all(cell.missing for cell in cells if isinstance(cell, Missing))

    def test_hostile_names_stay_text(self, small, tmp_path):
        evil = '=cmd|"<script>alert(1)</script>'
        tables = {
            table: frame.assign(issuer_id=frame["issuer_id"].replace("alpha", evil)) if "issuer_id" in frame else frame
            for table, frame in small.items()
        }
        tables["households"]["household_id"] = "<b>H1</b>"
        tables["accounts"]["household_id"] = "<b>H1</b>"
        book = write_firm(tmp_path / "firm", tables, "2022-12-28", check=False)
        for exhibit in all_exhibits(book):
            Exhibit.from_json(exhibit.to_json())

    def test_nobody_above_what_he_tolerates_is_a_sentence(self, small, tmp_path, origin, said):
        watched = risk.watch(write_firm(tmp_path / "firm", small, "2022-12-28", check=False))
        scores = risk.score_households(watched)
        assert "No household can be assessed" in said(risk_score.score_table(scores, origin, 5))

    def test_no_warning_on_is_a_sentence(self, small, tmp_path, origin, said):
        watched = risk.watch(write_firm(tmp_path / "firm", small, "2022-12-28", check=False))
        found = risk.find_warnings(watched)
        quiet = risk.EarlyWarnings(found.as_of, tuple(w for w in found if w.state != "on"))
        assert "No warning is on." in said(early_warnings.warnings_table(quiet, origin))
        assert "Not measured" in said(early_warnings.verdict(quiet, origin))
