"""The yearly table of a composite: what it shows, what it says instead of a figure, and what it does not claim."""

import numpy as np
import pandas as pd
import pytest

from workbench.exhibits import composites
from workbench.performance import Portfolios, Rules, composite
from workbench.report import Exhibit, Missing
from workbench.report import format as fmt


def made(accounts=8, months=44, start="2019-12-31", name="Balanced", rules=None, given=True, left=None, complete=True):
    rng = np.random.default_rng(5)
    gross = rng.normal(0.006, 0.03, months) + rng.normal(0, 0.003, (accounts, months))
    closes = pd.DatetimeIndex(pd.date_range(start, periods=months + 1, freq="BME"))
    begin = np.full((accounts, months), 1e6)
    portfolios = Portfolios(
        account_ids=pd.Index([f"A{k}" for k in range(accounts)]),
        closes=closes,
        complete=np.append(np.ones(months - 1, bool), complete),
        begin=begin,
        end=begin * (1 + gross),
        weighted_flow=np.zeros_like(begin),
        gross=gross,
        net=gross - 0.0008,
        joined=pd.DatetimeIndex([closes[0]] * accounts),
        left=pd.DatetimeIndex([pd.NaT] * accounts if left is None else left),
    )
    benchmark, firm = (np.full(months, 0.005), np.full(months, 2e7)) if given else (None, None)
    return composite(portfolios, None, benchmark, firm, rules, name)


def cell(exhibit, row, name):
    names = [column.name for column in exhibit.body.columns]
    return exhibit.body.rows[row][names.index(name)]


def test_the_table_has_the_columns_of_a_report_and_a_fact_for_every_figure(origin):
    record = made()
    exhibit = composites.report_table(record, origin)
    assert [column.label for column in exhibit.body.columns] == [
        "Year", "Before fees", "After fees", "Benchmark", "Risk", "Its risk", "Accounts", "All year",
        "Spread", "Lowest", "Highest", "Assets", "Of firm",
    ]  # fmt: skip
    assert [row[0] for row in exhibit.body.rows] == ["2020", "2021", "2022", "2023 to 31 Aug"]
    facts = {fact.id: fact for fact in exhibit.facts}
    assert facts["composite.balanced.2022.net"].value == record.yearly.loc[2022, "net"]
    assert facts["composite.balanced.2022.firm_share"].text.endswith("%")
    figures = sum(not isinstance(value, Missing) for row in exhibit.body.rows for value in row[1:])
    assert figures + 2 == len(facts)
    assert Exhibit.from_json(exhibit.to_json()) == exhibit


def test_what_is_missing_says_why(origin):
    exhibit = composites.report_table(made(), origin)
    assert cell(exhibit, 0, "risk") == Missing("fewer than 36 months of returns")
    assert cell(exhibit, 2, "risk") > 0
    for name in ("risk", "dispersion", "full_year"):
        assert cell(exhibit, 3, name) == Missing("the year is not complete")
    few = composites.report_table(made(accounts=5), origin)
    assert cell(few, 0, "dispersion") == Missing("five or fewer portfolios for the full year")
    assert "5 accounts for the full year are too few for a spread" in few.takeaway


def test_the_sentence_is_made_of_the_last_whole_year(origin):
    record = made()
    row = record.yearly.loc[2022]
    takeaway = composites.report_table(record, origin).takeaway
    assert takeaway.startswith("In 2022, the last whole year, the composite earned ")
    gap = 100 * (row["net"] - row["benchmark"])
    assert f"{abs(gap):.2f} pp {'ahead of' if gap >= 0 else 'behind'} its benchmark" in takeaway
    assert f"{fmt.percent(row['gross'], 2)} before, after fees" in takeaway
    assert "each counted once, the middle half of its 8 full-year accounts earned between" in takeaway
    assert "No calendar year" in composites.report_table(made(months=7), origin).takeaway


def test_the_note_states_choices_and_claims_nothing(origin, said):
    text = said(composites.report_table(made(), origin))
    assert "the firm does not claim compliance" in text
    assert "whose client decides are members like any other" in text
    assert "divisor n, of the year's returns before fees" in text
    chosen = made(rules=Rules(weighting="begin_and_flows", minimum=250_000.0, divisor="n-1", basis="net"))
    exhibit = composites.report_table(chosen, origin)
    assert "divisor n-1, of the year's returns after fees" in exhibit.body.note
    assert "below $250,000" in exhibit.body.note
    assert "flows by their time" in exhibit.settings.basis


def test_columns_of_which_nothing_is_known_are_left_out(origin):
    exhibit = composites.report_table(made(given=False), origin)
    assert not {"benchmark", "benchmark_risk", "firm_share"} & {column.name for column in exhibit.body.columns}
    assert "No benchmark is given. The firm's assets are not given." in exhibit.body.note
    assert "benchmark" not in exhibit.takeaway


def test_accounts_left_out_are_counted_with_the_reason(origin):
    record = made()
    record = composite_with_left_out(record)
    note = composites.report_table(record, origin).body.note
    assert "2 accounts were left out of a month or more: no return for a day of the month (2)" in note


def composite_with_left_out(record):
    from dataclasses import replace

    rows = pd.DataFrame({"month": record.monthly.index[:2], "account_id": ["A1", "A2"], "reason": "x"})
    return replace(record, left_out=rows.assign(reason="no return for a day of the month"))


def test_a_first_year_that_began_late_says_so(origin):
    exhibit = composites.report_table(made(start="2020-04-30", months=20), origin)
    assert [row[0] for row in exhibit.body.rows] == ["2020 from 30 Apr", "2021"]
    assert "In 2021" in exhibit.takeaway


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "=1+1", "x" * 300, "Ünïcode / slash"])
def test_a_hostile_name_is_text(origin, name):
    exhibit = composites.report_table(made(name=name), origin)
    assert exhibit.title == f"{name}: yearly record"
    assert len(exhibit.id) < 90


def test_several_composites_share_one_table_of_their_latest_years(origin):
    records = (made(), made(accounts=4, start="2021-06-30", months=20, name="Growth", given=False))
    exhibit = composites.records_table(records, origin, 2)
    assert [row[0] for row in exhibit.body.rows] == [
        "Balanced",
        "2022",
        "2023 to 31 Aug",
        "Growth",
        "2022",
        "2023 to 28 Feb",
    ]
    assert exhibit.body.depths == (0, 1, 1, 0, 1, 1)
    assert cell(exhibit, 4, "benchmark") == Missing("no benchmark given")
    low, high = (cell(exhibit, 1, name) for name in ("low", "high"))
    assert low < records[0].yearly.loc[2022, "gross"] < high
    assert "The models have 3 whole years on record between them" in exhibit.takeaway
    assert Exhibit.from_json(exhibit.to_json()) == exhibit
    assert "no record to show" in composites.records_table((), origin, 2).body.paragraphs[0][0]
