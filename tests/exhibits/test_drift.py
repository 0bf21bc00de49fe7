"""The drift chapter: its figures are those of the review, its sentences hold, and no firm is too odd for it."""

import pandas as pd
import pytest

from workbench.drift import review as measure
from workbench.errors import ParameterError
from workbench.exhibits import Origin, drift_firm
from workbench.exhibits.drift_facts import display_names, noun, plural
from workbench.report import Link, Missing
from workbench.report.exhibit import FigureBody, KpiBody, TableBody

FIGURES = {"number", "percent", "pp", "bp", "usd", "count"}


def only(small, account):
    names = ("accounts", "positions", "transactions", "lots")
    return small | {name: small[name][small[name]["account_id"] == account] for name in names}


def renamed(small, column, **names):
    return {
        table: frame.assign(**{column: frame[column].replace(names)}) if column in frame else frame
        for table, frame in small.items()
    }


def many_models(small, count):
    models = [f"M{i:02d}" for i in range(count)]
    numbered = {}
    for name in ("models", "model_targets", "tolerances"):
        numbered[name] = pd.concat([small[name].assign(model_id=model) for model in models], ignore_index=True)
    cash = only(small, "A2")
    for name in ("accounts", "positions", "transactions"):
        copies = [cash[name].assign(account_id=f"K{i:02d}") for i in range(count)]
        numbered[name] = pd.concat(copies, ignore_index=True)
    numbered["accounts"]["model_id"] = models
    numbered["transactions"]["transaction_id"] = [f"T{i}" for i in range(count)]
    return small | numbered | {"lots": small["lots"].head(0)}


def many_sectors(small, count):
    ids = [f"S{i:02d}" for i in range(count)]
    alike = small["securities"].iloc[[0] * count].assign(security_id=ids, sector=[f"Sector {i}" for i in range(count)])
    prices = small["prices"][small["prices"]["security_id"] == "AAA"]
    held = pd.DataFrame({"account_id": "A1", "security_id": ids, "quantity": 5.0})
    return small | {
        "securities": pd.concat([small["securities"], alike], ignore_index=True),
        "prices": pd.concat([small["prices"], *[prices.assign(security_id=id) for id in ids]], ignore_index=True),
        "positions": pd.concat([small["positions"], held], ignore_index=True),
    }


class TestFigures:
    @pytest.fixture
    def shown(self, chapter, with_history):
        return chapter("drift", with_history)

    def test_each_figure_of_each_table_is_a_fact(self, shown):
        for exhibit in shown.exhibits:
            body = exhibit.body.data if isinstance(exhibit.body, FigureBody) else exhibit.body
            if isinstance(body, TableBody):
                figures = [
                    cell
                    for row in body.rows
                    for column, cell in zip(body.columns, row, strict=True)
                    if column.kind in FIGURES and not isinstance(cell, Missing)
                ]
                assert set(figures) <= {fact.value for fact in exhibit.facts}

    def test_factor_exposures_are_shown_or_their_absence_is_explained(self, chapter, small, with_history):
        known = next(e for e in chapter("drift", with_history).exhibits if e.id == "drift-firm-factor")
        assert "exposure to market" in known.takeaway
        unknown = next(e for e in chapter("drift", small).exhibits if e.id == "drift-firm-factor")
        assert "too short for a regression" in str(unknown.to_json())

    def test_a_firms_own_exposures_are_said_to_be_its_own(self, chapter, with_history):
        own = {"security_id": ["AAA", "BBB"], "factor": "growth", "exposure": [1.2, 0.3]}
        with_history["factor_exposures"] = pd.DataFrame(own)
        figure = next(e for e in chapter("drift", with_history).exhibits if e.id == "drift-firm-factor")
        assert "exposure to growth" in figure.takeaway
        assert "the exposures the firm keeps" in figure.settings.line()
        assert "tables positions, prices, model_targets, tolerances, factor_exposures" in figure.settings.line()

    def test_each_key_figure_is_a_fact_with_a_source(self, shown):
        items = next(e.body for e in shown.exhibits if isinstance(e.body, KpiBody)).items
        assert all(item.value.fact in shown.facts for item in items)
        assert all("book of record" in fact.source for fact in shown.facts.values())

    def test_models_add_up_to_the_firm(self, shown):
        facts = shown.facts
        for name in ("accounts", "value", "out_of_band", "tax_to_correct"):
            parts = [f.value for id, f in facts.items() if id.startswith("drift.model.") and id.endswith(f".{name}")]
            assert sum(parts) == pytest.approx(facts[f"drift.firm.{name}"].value)

    @pytest.mark.parametrize("level", ["asset_class", "sector"])
    def test_weights_and_targets_of_the_firm_sum_to_one(self, shown, level):
        rows = shown[f"drift-firm-{level.replace('_', '-')}"].body.data.rows
        assert [sum(row[column] for row in rows) for column in (1, 2, 3)] == pytest.approx([1.0, 1.0, 0.0])

    def test_causes_sum_to_the_deviation(self, shown):
        for account in ("a1", "a2"):
            for row in shown[f"drift-account-{account}"].body.data.rows:
                assert sum(row[1:-1]) == pytest.approx(row[-1], abs=1e-12)

    def test_figures_are_those_of_the_review(self, made, with_history):
        firm = made(with_history)
        review, origin = measure(firm), Origin.of(firm)
        exhibit = drift_firm.summary(review, origin)
        assert exhibit.fact("drift.firm.out_of_band").value == len(review.out_of_tolerance)
        assert exhibit.fact("drift.firm.value").value == pytest.approx(review.drift.value.sum())

    def test_links_lead_to_exhibits(self, shown):
        links = [cell for row in shown["drift-review"].body.rows for cell in row if isinstance(cell, Link)]
        assert links
        assert all(link.href.partition("#")[2] in shown for link in links)


class TestSentences:
    def test_one_account_is_one_account(self, chapter, small):
        shown = chapter("drift", only(small, "A1"))
        assert shown.text("drift-verdict").splitlines()[1].startswith("1 of 1 account is out of tolerance, 100.0%")
        assert shown["drift-review"].takeaway == "1 account is out of tolerance and comes first."
        assert "(of 1 account measured)" in shown.text("drift-summary")

    def test_an_account_never_rebalanced_has_no_day_it_stood_on_its_model(self, chapter, small):
        shown = chapter("drift", small)
        assert "where its history begins (never rebalanced)" in shown["drift-account-a2"].settings.line()
        assert "when the account last stood on its model" in shown["drift-account-a1"].settings.line()

    def test_within_tolerance(self, chapter, small):
        small["tolerances"]["absolute"] = 1.0
        small["tolerances"]["relative"] = float("nan")
        shown = chapter("drift", small)
        assert shown["drift-verdict"].body.tone == "good"
        assert shown["drift-models"].takeaway == "No model has an account out of tolerance."
        assert shown["drift-review"].takeaway.startswith("No account is out of tolerance")

    def test_without_a_band_nothing_is_said_to_be_within_it(self, chapter, small):
        small["tolerances"] = small["tolerances"].head(0)
        shown = chapter("drift", small)
        assert shown["drift-verdict"].title == "No tolerances to hold against"
        assert "Out of tolerance: n/a (no model has a band)" in shown.text("drift-summary")
        assert "within" not in [row[4].badge for row in shown["drift-account-a1-securities"].body.rows]

    def test_words_for_counts(self):
        assert [plural(n, "account") for n in (0, 1, 2_000)] == ["0 accounts", "1 account", "2,000 accounts"]
        assert noun(2, "breach", "breaches") == "breaches"


class TestUnknowns:
    def test_nothing_measured_still_makes_a_chapter(self, book, small):
        small["accounts"]["model_id"] = None
        shown = book(small)
        assert shown["drift-verdict"].title == "Nothing was measured"
        assert [row[2] for row in shown["drift-unmeasured"].body.rows] == ["no model assigned"] * 2
        assert {id for id in shown.facts if id.startswith("drift.firm.")} == {
            "drift.firm.accounts",
            "drift.firm.not_measured",
        }

    def test_prices_too_short_for_a_risk_figure(self, chapter, small):
        shown = chapter("drift", small)
        assert "Tracking error: n/a (too few sessions of prices in the risk window)" in shown.text("drift-summary")
        assert shown["drift-scatter"].kind == "prose"
        assert "drift.firm.tracking_error" not in shown.facts

    def test_a_security_too_young_is_named(self, chapter, with_history):
        prices = with_history["prices"]
        young = (prices["security_id"] == "BBB") & (prices["date"] < "2022-12-20")
        with_history["prices"] = prices[~young]
        assert "no full price history of BBB" in chapter("drift", with_history).text("drift-summary")

    @pytest.mark.parametrize("known", [0, 1])
    def test_a_tax_that_is_not_known_is_no_zero(self, chapter, with_history, known):
        with_history["lots"] = with_history["lots"].head(0)
        with_history["accounts"]["registration"] = ["taxable", "roth_ira"]
        if not known:
            with_history = only(with_history, "A1")
        shown = chapter("drift", with_history)
        if known:
            assert "without 1 account whose lots are incomplete" in shown.text("drift-verdict")
            assert shown["drift-models"].body.note == "Without the tax of 1 account that is not known."
        else:
            assert "take a tax that is not known" in shown.text("drift-verdict")
            assert "drift.firm.tax_to_correct" not in shown.facts
            assert shown["drift-models"].body.rows[0][-1] == Missing("lots do not cover the holdings")
        tax = {row[0]: row[-1] for row in shown["drift-trades"].body.rows}
        assert tax == {"AAA": 0.0, "BBB": Missing("lots do not cover the holdings")}  # AAA is only bought

    def test_without_transactions(self, book, small):
        del small["transactions"]
        assert "drift-account-a1" in book(small)

    def test_on_target_there_is_nothing_to_trade(self, chapter, small):
        small = only(small, "A1")
        small["prices"][["close", "adj_close"]] = 1.0
        held = {"account_id": "A1", "security_id": ["AAA", "BBB", "CASH"], "quantity": [60.0, 38.0, 2.0]}
        small["positions"] = pd.DataFrame(held)
        shown = chapter("drift", small)
        assert "every holding but cash stands on its target" in shown.text("drift-trades")
        assert shown["drift-firm-sector"].takeaway == "Over all accounts each sector stands on its target."

    def test_negative_cash(self, chapter, small):
        small["positions"].loc[2, "quantity"] = -200.0
        weights = {row[0]: row[1] for row in chapter("drift", small)["drift-account-a1-securities"].body.rows}
        assert weights["CASH"] < 0


class TestParameters:
    @pytest.mark.parametrize("level", ["factor", "sectr", "security", ""])
    def test_a_level_that_cannot_be_shown(self, chapter, small, level):
        with pytest.raises(ParameterError, match="choose one of sector, asset_class, region, sleeve"):
            chapter("drift", small, level=level)

    @pytest.mark.parametrize("level", ["sector", "asset_class", "region", "sleeve"])
    def test_every_level_offered(self, chapter, small, level):
        assert f"drift-firm-{level.replace('_', '-')}" in chapter("drift", small, level=level)

    def test_more_accounts_than_there_are(self, chapter, small):
        shown = chapter("drift", small, accounts_explained=40, accounts_listed=200)
        assert sum(exhibit.id.endswith("-securities") for exhibit in shown.exhibits) == 2

    def test_no_account_explained_leaves_no_dead_link(self, chapter, small):
        shown = chapter("drift", small, accounts_explained=0)
        runs = [run for paragraph in shown["drift-verdict"].body.paragraphs for run in paragraph]
        assert all(run.href.partition("#")[2] in shown for run in runs if isinstance(run, Link))


class TestOddNames:
    @pytest.mark.parametrize(
        ("first", "second"),
        [("A 1", "A-1"), ("a1", "A1"), ("حساب", "口座"), ("Z" * 200, "Z" * 199 + "Y"), ("=1+1", "1 1")],
    )
    def test_accounts_whose_slugs_are_alike_keep_their_facts_apart(self, book, small, first, second):
        shown = book(renamed(small, "account_id", A1=first, A2=second))
        values = [fact.value for id, fact in shown.facts.items() if id.endswith(".value") and ".account." in id]
        assert {1_270.0, 100.0} <= set(values)

    def test_sectors_whose_slugs_are_alike(self, book, small):
        small["securities"]["sector"] = ["Tech", "TECH", "Cash"]
        assert len(book(small)["drift-firm-sector"].body.data.rows) == 3

    def test_markup_in_every_name(self, book, small):
        small["securities"]["sector"] = ["<b>Tech</b>", "\u202eevil", "Cash"]
        small["securities"]["asset_class"] = ["</script>", "y" * 200, "Cash"]
        small["models"]["name"] = "<script>alert(1)</script>"
        small = renamed(small, "account_id", A1="<script>alert(1)</script>", A2="=cmd()|' /C calc'!A0")
        small = renamed(small, "security_id", AAA="A<b>\"'&")
        shown = book(renamed(small, "sleeve_id", EQ="<u>EQ"), level="sleeve")
        assert "<script>alert(1)</script> has the largest share" in shown["drift-models"].takeaway

    def test_models_of_one_name_are_told_apart(self, chapter, small):
        names = [row[0] for row in chapter("drift", many_models(small, 2))["drift-models"].body.rows]
        assert names == ["Balanced (M00)", "Balanced (M01)"]

    def test_more_models_than_colours(self, chapter, with_history):
        figure = chapter("drift", many_models(with_history, 12))["drift-scatter"].body.figure
        names = [trace["name"] for trace in figure["data"] if "name" in trace]
        assert "Other models" in names
        assert len(set(names)) == 7

    def test_forty_sectors(self, book, small):
        assert len(book(many_sectors(small, 40))["drift-firm-sector"].body.data.rows) == 43

    def test_display_names(self):
        names = pd.Series({"A": "Growth", "B": "Growth", "C": "Income"})
        assert list(display_names(names)) == ["Growth (A)", "Growth (B)", "Income"]
