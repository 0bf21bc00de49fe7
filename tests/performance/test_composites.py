"""Composites: who counts when, weights, dispersion and risk, and what may not be said."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.performance import Portfolios, Rules, composite, dispersion, full_months

SEVEN = [0.052, 0.061, 0.047, 0.058, 0.049, 0.066, 0.055]


def closes(start, months):
    return pd.DatetimeIndex(pd.date_range(start, periods=months + 1, freq="BME"))


def record(gross, begin=None, start="2019-12-31", net=None, joined=None, left=None, complete=None, weighted_flow=None):
    """Accounts with given monthly returns and, unless told, the same beginning value each month."""
    gross = np.asarray(gross, dtype=float)
    accounts, months = gross.shape
    days = closes(start, months)
    begin = np.full(gross.shape, 100.0) if begin is None else np.broadcast_to(np.asarray(begin, float), gross.shape)
    return Portfolios(
        account_ids=pd.Index([f"A{k}" for k in range(accounts)]),
        closes=days,
        complete=np.ones(months, bool) if complete is None else np.asarray(complete),
        begin=begin,
        end=np.where(np.isnan(gross), 0.0, begin * (1 + gross)),
        weighted_flow=np.zeros(gross.shape) if weighted_flow is None else np.asarray(weighted_flow, float),
        gross=gross,
        net=gross - 0.001 if net is None else np.asarray(net, float),
        joined=pd.DatetimeIndex([days[0]] * accounts if joined is None else joined),
        left=pd.DatetimeIndex([pd.NaT] * accounts if left is None else left),
    )


@pytest.fixture
def many():
    """Eight accounts over four years."""
    rng = np.random.default_rng(7)
    return record(rng.normal(0.005, 0.03, 48) + rng.normal(0, 0.004, (8, 48)), rng.uniform(50, 500, (8, 1)))


def test_an_account_counts_from_its_first_full_month_to_its_last():
    days = pd.DatetimeIndex(["2022-12-30", "2023-01-31", "2023-02-28", "2023-03-31"])
    joined = pd.DatetimeIndex(["2022-12-30", "2023-01-03", "2023-01-31", "2020-05-05", None])
    left = pd.DatetimeIndex([None, None, "2023-03-30", "2023-02-28", None])
    assert full_months(joined, left, days).tolist() == [
        [True, True, True],
        [False, True, True],
        [False, True, False],
        [True, True, False],
        [False, False, False],
    ]


def test_returns_are_weighted_by_value_at_the_beginning():
    result = composite(record([[0.1, 0.0], [0.0, 0.1]], [[300.0], [100.0]]))
    np.testing.assert_allclose(result.monthly["gross"], [0.075, 0.025])
    np.testing.assert_allclose(result.monthly["net"], [0.074, 0.024])
    np.testing.assert_allclose(result.monthly["equal_weighted"], [0.05, 0.05])
    assert result.monthly["begin"].tolist() == [400.0, 400.0]
    assert result.yearly["gross"].tolist() == pytest.approx([1.075 * 1.025 - 1])


def test_flows_count_by_their_time_where_the_rules_say_so():
    accounts = record([[0.1], [0.0]], [[300.0], [100.0]], weighted_flow=[[-100.0], [100.0]])
    result = composite(accounts, rules=Rules(weighting="begin_and_flows"))
    assert result.monthly["gross"].iloc[0] == pytest.approx(0.05)


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=6), st.floats(1.0, 1e6))
def test_accounts_that_do_the_same_are_the_composite(returns, size):
    result = composite(record([returns] * 3, [[size], [2 * size], [size / 3]]))
    np.testing.assert_allclose(result.monthly["gross"], returns, atol=1e-12)


@given(
    st.lists(st.tuples(st.floats(-0.5, 0.5), st.floats(1.0, 1e6)), min_size=2, max_size=6), st.permutations(range(6))
)
def test_the_order_of_accounts_does_not_matter_and_the_composite_lies_between_them(accounts, order):
    order = [place for place in order if place < len(accounts)]
    returns, sizes = (np.array(column)[:, None] for column in zip(*accounts))
    one = composite(record(returns, sizes)).monthly["gross"].iloc[0]
    other = composite(record(returns[order], sizes[order])).monthly["gross"].iloc[0]
    assert one == pytest.approx(other, abs=1e-12)
    assert returns.min() - 1e-12 <= one <= returns.max() + 1e-12


def test_an_account_that_left_stays_in_the_record():
    gone = record([[0.2] * 6 + [np.nan] * 6, [0.0] * 12], left=[pd.Timestamp("2020-06-30"), None])
    result = composite(gone)
    np.testing.assert_allclose(result.monthly["gross"], [0.1] * 6 + [0.0] * 6)
    assert result.monthly["members"].tolist() == [2] * 6 + [1] * 6
    assert result.yearly.loc[2020, ["portfolios", "full_year"]].tolist() == [1, 1]
    assert result.left_out.empty


def test_who_is_left_out_is_listed_with_the_reason():
    accounts = record(
        [[0.1, 0.1], [0.1, np.nan], [0.5, 0.5], [0.3, 0.3]], [[100.0], [100.0], [10.0], [-5.0]], joined=None
    )
    result = composite(accounts, rules=Rules(minimum=50.0))
    np.testing.assert_allclose(result.monthly["gross"], [0.1, 0.1])
    by_account = result.left_out.groupby("account_id")["reason"].agg(set)
    assert by_account.to_dict() == {
        "A1": {"no return for a day of the month"},
        "A2": {"below the minimum value"},
        "A3": {"no capital to weight it by"},
    }
    free = composite(accounts)
    assert free.left_out.set_index("account_id")["reason"]["A3"].tolist() == ["no capital to weight it by"] * 2


def test_the_mandate_narrows_the_members():
    accounts = record([[0.1, 0.1], [0.3, 0.3]])
    np.testing.assert_allclose(composite(accounts, np.array([True, False])).monthly["gross"], [0.1, 0.1])
    moved = np.array([[True, False], [False, True]])
    np.testing.assert_allclose(composite(accounts, moved).monthly["gross"], [0.1, 0.3])


def test_dispersion_at_five_accounts_or_fewer_is_not_shown():
    for count in range(6):
        result = dispersion(SEVEN[:count], [1.0] * count)
        assert not result.required
        assert np.isnan([result.equal_weighted, result.asset_weighted, result.high, result.range]).all()
        assert result.display == "N/A (five or fewer portfolios for the full year)"
    assert dispersion(SEVEN[:6]).required


def test_dispersion_of_more():
    result = dispersion(SEVEN, [1.0] * 7)
    assert result.equal_weighted == result.asset_weighted == pytest.approx(np.std(SEVEN))
    assert dispersion(SEVEN, divisor="n-1").equal_weighted == pytest.approx(np.std(SEVEN, ddof=1))
    assert np.isnan(dispersion(SEVEN).asset_weighted)
    assert (result.high, result.low) == (0.066, 0.047)
    assert result.range == pytest.approx(0.019)
    assert (result.lower_quartile, result.upper_quartile) == pytest.approx(np.quantile(SEVEN, [0.25, 0.75]))
    assert result.display == "0.63%"


@given(st.lists(st.tuples(st.floats(-0.9, 2.0), st.integers(1, 4)), min_size=6, max_size=12))
def test_asset_weighting_is_counting_an_account_as_often_as_its_size(accounts):
    returns, sizes = zip(*accounts)
    repeated = [rate for rate, size in accounts for _ in range(size)]
    result = dispersion(returns, sizes)
    assert result.asset_weighted == pytest.approx(np.std(repeated), abs=1e-9)


def test_dispersion_of_nonsense_is_refused():
    with pytest.raises(ParameterError, match="missing"):
        dispersion([*SEVEN, np.nan])
    with pytest.raises(ParameterError, match="positive value"):
        dispersion(SEVEN, [1.0] * 6 + [0.0])
    with pytest.raises(ParameterError, match="divisor"):
        dispersion(SEVEN, divisor="m")


def test_only_members_for_the_full_year_disperse():
    returns = np.zeros((8, 12))
    returns[7] = 0.5
    late = record(returns, joined=[pd.Timestamp("2019-12-31")] * 7 + [pd.Timestamp("2020-01-31")])
    row = composite(late).yearly.loc[2020]
    assert (row["full_year"], row["portfolios"]) == (7, 8)
    assert row["dispersion"] == row["high"] == row["low"] == 0.0
    early = record(returns, left=[None] * 7 + [pd.Timestamp("2020-11-30")])
    assert composite(early).yearly.loc[2020, "full_year"] == 7


def test_the_yearly_table_by_hand(many):
    benchmark = np.linspace(-0.02, 0.03, 48)
    firm = np.full(48, 10_000.0)
    result = composite(many, benchmark=benchmark, firm_assets=firm)
    weights = many.begin / many.begin.sum(axis=0)
    by_hand = pd.Series((many.gross * weights).sum(axis=0), index=many.closes[1:])
    assert result.yearly.index.tolist() == [2020, 2021, 2022, 2023]
    for year, row in result.yearly.iterrows():
        months = by_hand[by_hand.index.year == year]
        assert row["gross"] == pytest.approx((1 + months).prod() - 1)
        assert row["portfolios"] == row["full_year"] == 8
        of_year = many.gross[:, many.closes[1:].year == year]
        assert row["dispersion"] == pytest.approx(np.std((1 + of_year).prod(axis=1) - 1))
        assert row["firm_share"] == pytest.approx(row["assets"] / 10_000)
    assert result.yearly["risk"].isna().tolist() == [True, True, False, False]
    assert result.reasons["risk"].tolist()[:2] == ["fewer than 36 months of returns"] * 2
    assert result.yearly.loc[2023, "risk"] == pytest.approx(by_hand.tail(36).std() * np.sqrt(12))
    assert result.yearly.loc[2023, "benchmark_risk"] == pytest.approx(np.std(benchmark[-36:], ddof=1) * np.sqrt(12))
    assert (result.yearly.isna() == (result.reasons != "")).all().all()


def test_risk_and_dispersion_can_be_after_fees(many):
    gross, net = composite(many), composite(many, rules=Rules(basis="net"))
    assert net.yearly["dispersion"].tolist() != gross.yearly["dispersion"].tolist()
    expected = net.monthly["net"].tail(36).std() * np.sqrt(12)
    assert net.yearly["risk"].iloc[-1] == pytest.approx(expected)


def test_a_year_that_is_not_over_has_a_return_and_nothing_else():
    accounts = record(np.full((8, 44), 0.01), complete=[True] * 43 + [False])
    result = composite(accounts)
    assert result.yearly.loc[2023, "gross"] == pytest.approx(1.01**8 - 1)
    assert result.yearly.loc[2023, "months"] == 8
    assert result.reasons.loc[2023, ["risk", "dispersion"]].tolist() == ["the year is not complete"] * 2
    assert (result.yearly.isna() == (result.reasons != "")).all().all()
    # The last whole months: 36 of the 43, and all of them.
    assert result.annualised().index.tolist() == pytest.approx([1, 3, 43 / 12])


def test_nothing_under_a_year_is_annualised():
    assert composite(record(np.full((2, 11), 0.01))).annualised().empty
    table = composite(record(np.full((2, 24), 0.01))).annualised()
    np.testing.assert_allclose(table["gross"], 1.01**12 - 1)
    assert table["since"].tolist() == [pd.Timestamp("2020-12-31"), pd.Timestamp("2019-12-31")]


def test_a_record_begins_with_its_first_member_and_no_return_is_linked_over_a_hole():
    days = closes("2019-12-31", 24)
    accounts = record(
        np.full((2, 24), 0.01), joined=[days[14], days[20]], left=[days[17], None]
    )  # members in months 15-17 and 21-24
    result = composite(accounts)
    assert result.yearly.index.tolist() == [2021]
    assert result.monthly["members"].tolist() == [1, 1, 1, 0, 0, 0, 1, 1, 1, 1]
    assert result.reasons.loc[2021, "gross"] == "a month has no member"
    assert np.isnan(result.yearly.loc[2021, "gross"])
    assert (result.yearly.isna() == (result.reasons != "")).all().all()


def test_what_does_not_fit_is_refused():
    accounts = record(np.full((2, 12), 0.01))
    with pytest.raises(ParameterError, match="benchmark"):
        composite(accounts, benchmark=[0.01])
    with pytest.raises(ParameterError, match="benchmark"):
        composite(accounts, benchmark=[0.01] * 11 + [np.nan])
    with pytest.raises(ParameterError, match="members has shape"):
        composite(accounts, members=np.ones(3, bool))
    with pytest.raises(ParameterError, match="no member"):
        composite(accounts, members=np.zeros(2, bool))
    with pytest.raises(ParameterError, match="weighting"):
        Rules(weighting="equal")
    with pytest.raises(ParameterError, match="minimum"):
        Rules(minimum=-1.0)
    with pytest.raises(ParameterError, match="begin has shape"):
        Portfolios(**{**vars(accounts), "begin": accounts.begin[:1]})
    with pytest.raises(ParameterError, match="missing or infinite"):
        Portfolios(**{**vars(accounts), "begin": accounts.begin * np.nan})
