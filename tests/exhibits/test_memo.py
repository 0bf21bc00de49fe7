"""The memo: sentences for each state of a firm, every figure with its fact, and returns that are right."""

import pandas as pd
import pytest

from workbench.errors import ParameterError
from workbench.exhibits.returns import class_returns, holding_returns, quarter_start
from workbench.report import FactRef, Missing


def lines(shown, id):
    return shown.text(id).splitlines()


class TestReturns:
    @pytest.mark.parametrize(
        ("as_of", "expected"),
        [("2022-12-28", "2022-09-30"), ("2022-09-30", "2022-06-30"), ("2024-01-01", "2023-12-31")],
    )
    def test_a_quarter_starts_after_the_last_day_of_the_one_before(self, as_of, expected):
        assert quarter_start(pd.Timestamp(as_of)) == pd.Timestamp(expected)

    def test_total_return_since_the_quarter_began(self, made, with_history):
        frame = holding_returns(made(with_history)).set_index("security_id")
        prices = with_history["prices"].pivot(index="date", columns="security_id", values="adj_close")
        expected = prices.iloc[-1] / prices.loc[:"2022-09-30"].iloc[-1] - 1
        assert frame["quarter"].to_dict() == pytest.approx(expected.to_dict())
        assert frame["weight"].sum() == pytest.approx(1.0)
        assert frame["year"].isna().all()

    def test_prices_too_short_for_a_return(self, chapter, small):
        shown = chapter("memo", small, reads="")
        assert shown["memo-returns"].body.rows[0][3:] == (
            Missing("no price at the quarter's start"),
            Missing("no price at the year's start"),
        )
        assert "do not reach back to the close of 30 September 2022" in shown.text("memo-what-happened")

    def test_class_returns_are_weighted_by_what_is_held(self):
        frame = pd.DataFrame(
            {
                "security_id": ["A", "B", "C"],
                "asset_class": ["Equity", "Equity", "Bonds"],
                "weight": [0.3, 0.1, 0.6],
                "quarter": [0.10, -0.10, 0.01],
            }
        )
        classes = class_returns(frame)
        assert list(classes["asset_class"]) == ["Equity", "Bonds"]
        assert list(classes["quarter"]) == pytest.approx([0.05, 0.01])


class TestSentences:
    def test_accounts_are_out(self, chapter, with_history):
        shown = chapter("memo", with_history, reads="")
        assert shown["memo-asked"].body.tone == "decision"
        decision, now, takes, doubt = lines(shown, "memo-asked")[1:]
        assert decision == (
            "Decision asked. Release proposals to rebalance 2 accounts out of tolerance, in the order of the drift "
            "chapter."
        )
        assert now.startswith("Why now. Of the assets measured, 100.0% stand outside a band. Account by account and")
        assert takes.startswith("What it takes. Correcting everything at once would turn over ")
        assert "Netting, gain budgets and wash sales are not in that figure" in takes
        assert doubt == "What could be wrong. The chapter on data quality has 1 warning open."
        stands = lines(shown, "memo-where-the-accounts-stand")[0]
        assert stands.startswith("Of 2 accounts measured, 2 are out of tolerance, with ")

    def test_nothing_is_out(self, chapter, small):
        small["tolerances"]["absolute"], small["tolerances"]["relative"] = 1.0, float("nan")
        shown = chapter("memo", small, reads="")
        assert shown["memo-asked"].body.tone == "neutral"
        assert "None on drift: every account measured stands inside its tolerances." in shown.text("memo-asked")
        assert "Where it stands. Of the assets measured, 0.0% stand" in shown.text("memo-asked")
        assert "breach" not in shown.text("memo-where-the-accounts-stand")
        assert shown.text("memo-decisions-and-actions") == "Nothing beyond the usual review."

    def test_nothing_is_measured(self, chapter, small):
        small["accounts"]["model_id"] = None
        shown = chapter("memo", small, reads="")
        assert "None on drift, for no account could be measured." in shown.text("memo-asked")
        assert "left out 2 accounts without figures" in shown.text("memo-asked")
        assert shown.text("memo-decisions-and-actions") == (
            "Advisors: complete what is missing for 2 accounts left out of the measurement."
        )

    def test_no_band_is_given(self, chapter, small):
        small["tolerances"] = small["tolerances"].head(0)
        shown = chapter("memo", small, reads="")
        assert "for no model in use has a tolerance band" in shown.text("memo-asked")
        assert "set tolerance bands for the models of 2 accounts" in shown.text("memo-decisions-and-actions")

    def test_sound_data_is_not_counted_in_zeros(self, chapter, small):
        text = chapter("memo", small, reads="").text("memo-asked")
        assert "The chapter on data quality has nothing urgent." in text
        assert "0 severe" not in text
        assert "0 accounts" not in text

    def test_one_is_one(self, chapter, small):
        small["positions"].loc[2, "quantity"] = -200.0
        del small["transactions"]
        small["accounts"].loc[0, "stated_value"] = 1_010.0
        small["accounts"].loc[1, "model_id"] = None
        text = chapter("memo", small, reads="").text("memo-asked")
        assert "Release proposals to rebalance 1 account out of tolerance." in text
        assert "has 1 warning open" in text
        assert "left out 1 account without figures" in text

    def test_grave_findings_are_handed_to_operations_in_their_own_words(self, chapter, small):
        small["lots"].loc[0, "quantity"] = 50.0
        shown = chapter("memo", small, reads="")
        assert "Operations: ask the custodian for the lot file of that position" in shown.text(
            "memo-decisions-and-actions"
        )
        assert "A1 AAA: lots hold 50 shares" in shown.text("memo-the-data")

    def test_a_chapter_that_is_not_read_is_said_not_skipped(self, chapter, small):
        shown = chapter("memo", small, reads="")
        for id in ("memo-what-drove-the-difference", "memo-policy-evidence", "memo-risks"):
            assert "not told here: this memo does not draw on the chapter" in shown.text(id)

    def test_a_chapter_without_figures_says_so(self, chapter, small):
        shown = chapter("memo", small)
        assert "No rebalancing policy could be compared" in shown.text("memo-policy-evidence")
        assert "is not known" in shown.text("memo-what-drove-the-difference")

    def test_an_unknown_chapter_is_refused(self, chapter, small):
        with pytest.raises(ParameterError, match="does not read the chapter 'weather'"):
            chapter("memo", small, reads="weather")


def test_every_mention_agrees_with_the_other_chapters(book, with_history):
    shown = book(with_history)
    for id in ("memo-asked", "memo-where-the-accounts-stand", "memo-what-happened"):
        mentions = [run for part in shown[id].body.paragraphs for run in part if isinstance(run, FactRef)]
        assert mentions
        assert all(run.fact in shown.facts for run in mentions)


def test_names_that_look_like_figures_or_markup_do_not_stop_the_memo(chapter, with_history):
    with_history["models"]["name"] = "**100%** <b>| Model 7 \u202e"
    shown = chapter("memo", with_history, reads="")
    assert shown["memo-asked"].body.tone in ("decision", "neutral", "warning")


def test_the_takeaway_of_the_holdings_has_its_fact(chapter, small):
    exhibit = chapter("memo", small, reads="")["memo-returns"]
    assert exhibit.fact("market.largest_holdings").text in exhibit.takeaway
