"""The after-tax exhibits: every figure a fact, honest words, and a legacy position's plan."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench.exhibits import Origin, after_tax, direct_index, transition
from workbench.rebalance import after_tax as study
from workbench.rebalance import direct_index as direct_indexing
from workbench.rebalance import transition as selling
from workbench.report import Exhibit
from workbench.report.blocks import ExhibitBlock, collect_facts

HERE = Path(__file__).parents[1] / "rebalance"
ORIGIN = Origin("2024-06-03", "0123abcd", "")


def module(name):
    spec = importlib.util.spec_from_file_location(f"_{name}", HERE / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def studies():
    made_up = module("test_after_tax")
    history = study.history_of_funds(made_up.made_up_prices(), "made-up prices", made_up.FUNDS)
    one_year = study.Assumptions(wealth=500_000.0, years=1)
    gains = replace(one_year, rates=study.TaxRates(other_gains=50_000.0))
    return study.compare(history, one_year), study.compare(history, gains)


@pytest.fixture(scope="module")
def shown(studies):
    alone, shared = studies
    return [
        after_tax.verdict(alone, shared),
        after_tax.alpha_figure(alone, "alone"),
        after_tax.alpha_figure(shared, "shared"),
        after_tax.strategies_table(alone),
        after_tax.wealth_figure(alone),
        after_tax.published_table(alone, shared),
        after_tax.assumptions_list(alone),
    ]


def test_every_exhibit_survives_the_journey_and_no_facts_conflict(shown):
    for exhibit in shown:
        assert Exhibit.from_json(exhibit.to_json()) == exhibit
        assert "made-up prices" in exhibit.settings.line()
    facts = collect_facts(ExhibitBlock(exhibit, 0) for exhibit in shown)
    assert len({fact.id for fact in facts}) == len(list(facts))


def test_figures_are_the_studys(studies, shown):
    summary = studies[0].summary().set_index("strategy")
    fact = shown[1].fact("after_tax.alone.harvest.tax_alpha")
    assert fact.value == pytest.approx(summary.at["harvest", "tax_alpha"])
    assert shown[4].fact("after_tax.wealth.lots").value == pytest.approx(
        float((studies[0].paths[0][1].after_tax - studies[0].paths[0][0].after_tax)[-1])
    )


def test_the_words_claim_no_more_than_the_window(shown):
    text = str([exhibit.to_json() for exhibit in shown])
    for words in ("no confidence interval", "survivors", "step-up", "of this window only"):
        assert words in text


def test_published_figures_stand_beside_ours_with_what_they_rest_on(shown):
    rows = shown[5].body.rows
    assert [row[0] for row in rows].count("This study") == 4
    assert all(row[4] for row in rows)


def test_a_plan_is_shown_with_its_price():
    made = module("test_transition")
    frontier = selling.frontier(made.household_of([(1_000.0, 30.0, 2_000), (100.0, 120.0, 30)]), "STK")
    figure, prices, schedule = transition.exhibits(frontier, ORIGIN, "H1")
    for exhibit in (figure, prices, schedule):
        assert Exhibit.from_json(exhibit.to_json()) == exhibit
    assert len(prices.body.rows) == len(frontier.plans)
    asked = frontier.plans[frontier.asked]
    assert len(schedule.body.rows) == min(15, len(asked.years))
    assert np.isclose(schedule.body.rows[0][5], asked.years[0].tax)
    assert "is sold in 3 years" in figure.takeaway
    assert "against selling at once" in figure.takeaway
    assert "Selling over 10 years in place of 1" in prices.takeaway


def test_a_budget_of_nothing_is_said_to_sell_nothing():
    made = module("test_transition")
    household = made.household_of([(1_000.0, 30.0, 2_000)])
    household = replace(household, tax=replace(household.tax, gain_budget=0.0))
    figure, prices, schedule = transition.exhibits(selling.frontier(household, "STK"), ORIGIN, "H1")
    assert "is left for good" in figure.takeaway
    assert "its own budget of $0" in figure.takeaway
    assert "the household's own" in prices.body.rows[0][0]
    assert prices.body.rows[0][1] == "not sold"
    for exhibit in (figure, prices, schedule):
        assert Exhibit.from_json(exhibit.to_json()) == exhibit


def test_direct_indexing_is_shown_with_its_survivors_and_when_losses_came():
    made = module("test_direct_index")
    stocks = direct_indexing.history_of_stocks(made.made_up_stocks(), made.SECTORS, "made-up stocks")
    lived = direct_indexing.compare(stocks, made.ONE_YEAR, starts=[made.START])
    shown = direct_index.exhibits(replace(lived, assumptions=replace(made.ONE_YEAR, rates=study.TaxRates())), lived)
    for exhibit in shown:
        assert Exhibit.from_json(exhibit.to_json()) == exhibit
    collect_facts(ExhibitBlock(exhibit, 0) for exhibit in shown)
    table = shown[1]
    assert "$50,000 of long-term gains" in table.title
    assert "no gains elsewhere" in shown[0].title
    assert "survivors" in table.body.note
    monthly = next(row for row in table.body.rows if "each month" in row[0])
    assert np.isclose(monthly[1], lived.summary().set_index("strategy").at["monthly", "tax_alpha"])
