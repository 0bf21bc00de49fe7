"""A composite's days compound to its months, and the spans of a report begin at the right closes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ParameterError
from workbench.firm import open_at
from workbench.performance import (
    AccountReturns,
    Rules,
    account_returns,
    chunks,
    composite,
    composite_days,
    portfolios,
    spans,
)


@pytest.fixture(scope="module")
def net() -> AccountReturns:
    return account_returns(chunks(open_at("demo"), "2020-10-30", size=150))


def test_the_days_of_a_month_compound_to_the_composites_month(net: AccountReturns) -> None:
    gross = net.before_fees()
    months = portfolios(net, gross)
    for model in ("BAL", "INC"):
        record = composite(months, (net.accounts["model_id"] == model).to_numpy(bool))
        for returns, name in ((net, "net"), (gross, "gross")):
            days = composite_days(record, returns)
            linked = (1 + days).groupby(days.index.to_period("M")).prod(min_count=1) - 1.0
            assert linked.to_numpy() == pytest.approx(record.monthly[name].to_numpy(), rel=1e-10)


def test_one_account_is_its_own_composite_from_its_first_whole_month(net: AccountReturns) -> None:
    gross = net.before_fees()
    account = int(np.flatnonzero(net.accounts["opened_on"].between("2021-03-10", "2022-06-30"))[0])
    record = composite(portfolios(net, gross), np.arange(len(net.accounts)) == account)
    days = composite_days(record, net)
    joined = record.monthly["from"].iloc[0]
    assert days.loc[:joined].isna().all()
    mine = pd.Series(net.daily[account], index=days.index)
    assert days.loc[days.index > joined].to_numpy() == pytest.approx(mine.loc[mine.index > joined].to_numpy())


def test_days_need_the_composites_accounts_and_weights_known_beforehand(net: AccountReturns) -> None:
    months = portfolios(net, net.before_fees())
    by_flows = composite(months, rules=Rules(weighting="begin_and_flows"))
    with pytest.raises(ParameterError, match="weighted by begin_and_flows"):
        composite_days(by_flows, net)
    with pytest.raises(ParameterError, match="shape"):
        composite_days(composite(months), net, net.daily[:, 1:])


def test_spans_begin_at_the_eve_of_the_quarter_and_year_and_on_the_day_years_before() -> None:
    days = pd.bdate_range("2019-06-28", "2022-12-28")
    found = {span.name: span for span in spans(days)}
    assert {name: f"{span.start:%Y-%m-%d}" for name, span in found.items()} == {
        "quarter": "2022-09-30",
        "year": "2021-12-31",
        "years_1": "2021-12-28",
        "years_3": "2019-12-27",
        "since": "2019-06-28",
    }
    assert [span.annualised for span in found.values()] == [False, False, False, True, True]
    assert found["year"].label == "Year to date"
    assert {span.label for span in spans(pd.bdate_range("2021-12-31", "2022-12-30"))} >= {"Year", "Quarter"}


def test_a_span_is_compounded_annualised_over_a_year_and_missing_with_a_hole() -> None:
    days = pd.bdate_range("2019-12-27", "2022-12-28")
    daily = pd.Series(0.0004, index=days[1:])
    found = {span.name: span for span in spans(days)}
    count = int((days > found["years_3"].start).sum())
    assert found["years_3"].returned(daily) == pytest.approx(1.0004 ** (count / 3) - 1.0)
    assert found["quarter"].returned(daily) == pytest.approx(1.0004 ** (days > "2022-09-30").sum() - 1.0)
    daily.loc["2022-11-01"] = np.nan
    assert np.isnan(found["quarter"].returned(daily))


def test_nothing_of_a_year_or_less_is_annualised_and_short_records_have_few_spans() -> None:
    days = pd.bdate_range("2022-11-30", "2022-12-28")
    found = spans(days)
    assert [span.name for span in found] == ["since"]
    assert not found[0].annualised
    with pytest.raises(ParameterError, match="two closes"):
        spans(days[:1])
