"""Account returns: by hand, against a day-by-day loop, over periods, and what happens where there is no return."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.firm import open_at
from workbench.performance import AccountReturns, DailyHoldings, account_returns, calendar_periods, chunks, load


def ledger(
    value: list[list[float]],
    flow: list[list[float]] | None = None,
    fee: list[list[float]] | None = None,
    sessions: pd.DatetimeIndex | None = None,
) -> DailyHoldings:
    """A ledger of accounts that hold one security each; what is no flow and no fee is gain of holding."""
    values = np.array(value, dtype=float)
    shape = (len(values), values.shape[1] - 1)
    flows = np.zeros(shape) if flow is None else np.array(flow, dtype=float)
    fees = np.zeros(shape) if fee is None else np.array(fee, dtype=float)
    days = sessions if sessions is not None else pd.bdate_range("2022-01-03", periods=values.shape[1])
    return DailyHoldings(
        accounts=pd.DataFrame({"account_id": [f"A{number}" for number in range(len(values))]}),
        sessions=days,
        securities=("CASH",),
        slot_ptr=np.arange(len(values) + 1),
        slot_security=np.zeros(len(values), np.int32),
        value=values,
        holding=np.diff(values, axis=1) - flows - fees,
        trading=np.zeros(shape),
        flow=flows,
        fee=fees,
        unexplained=np.zeros(shape),
        price_age=np.zeros((1, values.shape[1]), np.int32),
        no_data=pd.DataFrame({"account_id": [], "reason": []}, dtype="str"),
    )


def test_a_flow_at_the_close_and_at_the_start_by_hand() -> None:
    daily = ledger([[100.0, 160.0, 176.0]], [[50.0, 0.0]])
    assert account_returns(daily).daily[0] == pytest.approx([0.10, 0.10])
    assert account_returns(daily, timing="start").daily[0] == pytest.approx([160 / 150 - 1, 0.10])


@pytest.mark.parametrize(("timing", "capital"), [("end", 100.0), ("start", 150.0)])
def test_gross_is_net_with_the_fee_added_back_on_the_capital_that_earned(timing: str, capital: float) -> None:
    daily = ledger([[100.0, 160.0]], [[50.0]], [[-3.0]])
    net = account_returns(daily, "net", timing).daily[0, 0]
    gross = account_returns(daily, "gross", timing).daily[0, 0]
    assert gross - net == pytest.approx(3.0 / capital)


def test_before_opening_and_after_closing_there_is_no_return_and_no_problem() -> None:
    returns = account_returns(ledger([[0.0, 0.0, 100.0, 110.0, 0.0, 0.0]], [[0, 100, 0, -110, 0]]))
    assert np.isnan(returns.daily[0]).tolist() == [True, True, False, False, True]
    assert returns.problems.empty
    life = returns.lives().iloc[0]
    assert life["days"] == 2
    assert life["holes"] == 0
    assert life["return"] == pytest.approx(0.10)
    assert life["start"] == returns.sessions[2]
    assert life["end"] == returns.sessions[4]


@pytest.mark.parametrize(
    ("value", "flow", "reason", "kept"),
    [
        ([-50.0, -40.0], 0.0, "the capital was negative", False),
        ([0.0, 90.0], 100.0, "no money was invested", False),
        ([100.0, -20.0], 0.0, "more than all the capital was lost", False),
        ([100.0, 0.0], 0.0, "the whole capital was lost", True),
        ([100.0, 1_105.0], 1_000.0, "a flow larger than the account", True),
    ],
)
def test_what_makes_no_return_or_a_doubtful_one_is_named(
    value: list[float], flow: float, reason: str, kept: bool
) -> None:
    returns = account_returns(ledger([value], [[flow]]))
    assert list(returns.problems["reason"]) == [reason]
    assert list(returns.problems["in_return"]) == [kept]
    assert np.isnan(returns.daily[0, 0]) != kept
    assert returns.problems["gain"][0] == pytest.approx(value[1] - value[0] - flow)


def test_a_flow_that_takes_all_at_the_start_leaves_no_capital() -> None:
    returns = account_returns(ledger([[100.0, 1.0]], [[-100.0]]), timing="start")
    assert np.isnan(returns.daily).all()
    assert list(returns.problems["reason"]) == ["no money was invested"]


def test_value_that_no_transaction_explains_is_named_and_kept() -> None:
    daily = ledger([[100.0, 110.0]])
    daily.unexplained[0, 0] = 10.0
    returns = account_returns(daily)
    assert list(returns.problems["reason"]) == ["value came or went that no transaction explains"]
    assert returns.daily[0, 0] == pytest.approx(0.10)


def test_after_the_whole_capital_is_lost_a_stretch_stays_at_minus_all() -> None:
    returns = account_returns(ledger([[100.0, 0.0, 50.0, 60.0]], [[0, 50, 0]]))
    assert returns.compound(end=returns.sessions[1]).iloc[0] == -1.0
    assert np.isnan(returns.compound().iloc[0])
    assert returns.lives()["holes"].iloc[0] == 1


def test_a_month_is_missing_unless_lived_whole() -> None:
    days = pd.bdate_range("2022-01-31", "2022-04-15")
    value = np.linspace(100.0, 120.0, len(days))
    late = np.where(days <= "2022-02-10", 0.0, value)
    flow = np.zeros(len(days) - 1)
    flow[int(np.argmax(late > 0)) - 1] = late[late > 0][0]
    returns = account_returns(ledger([list(value), list(late)], [[0.0] * len(flow), list(flow)], sessions=days))
    months = returns.monthly()
    assert list(months.columns) == list(pd.to_datetime(["2022-02-28", "2022-03-31", "2022-04-15"]))
    assert months.notna().to_numpy().tolist() == [[True] * 3, [False, True, True]]
    assert list(returns.periods()["whole"]) == [True, True, False]
    first = value[days.get_loc("2022-02-28")] / value[0] - 1.0
    assert months.iloc[0, 0] == pytest.approx(first)
    assert ((1 + months.iloc[0]).prod() - 1.0) == pytest.approx(returns.compound().iloc[0])


def test_periods_are_whole_only_from_the_close_before_to_their_own_last_session() -> None:
    good_friday_week = pd.DatetimeIndex(["2024-02-29", "2024-03-01", "2024-03-27", "2024-03-28"])
    assert list(calendar_periods(good_friday_week)["whole"]) == [True]
    cut = calendar_periods(good_friday_week[1:])
    assert list(cut["whole"]) == [False]
    assert list(calendar_periods(good_friday_week, "quarter")["whole"]) == [False]
    year = pd.bdate_range("2021-12-31", "2022-12-30")
    assert list(calendar_periods(year, "year")["whole"]) == [True]
    with pytest.raises(ParameterError, match="month, quarter or year"):
        calendar_periods(year, "week")  # type: ignore[arg-type]


def test_days_outside_and_unknown_choices_are_typed_errors() -> None:
    returns = account_returns(ledger([[100.0, 110.0, 120.0]]))
    with pytest.raises(ParameterError, match="outside the returns"):
        returns.compound("2021-01-01")
    with pytest.raises(ParameterError, match="no period"):
        returns.compound(returns.sessions[1], returns.sessions[1])
    with pytest.raises(ParameterError, match="net"):
        account_returns(ledger([[1.0, 1.0]]), fees="both")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="no ledger"):
        account_returns([])


amounts = st.floats(-500.0, 5_000.0)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(amounts, amounts, st.floats(-50.0, 0.0)), min_size=1, max_size=12), st.floats(1.0, 5_000.0))
@example(days=[(0.0, 0.0, 0.0), (-2e-10, 3e-05, 0.0)], first=1.0)
def test_every_day_is_the_simple_formula_or_named(days: list[tuple[float, float, float]], first: float) -> None:
    value = [first, *(day[0] for day in days)]
    flow, fee = [day[1] for day in days], [day[2] for day in days]
    daily = ledger([value], [flow], [fee])
    for timing in ("end", "start"):
        returns = account_returns(daily, "net", timing)
        named = set(returns.problems.loc[~returns.problems["in_return"], "session"])
        for t, got in enumerate(returns.daily[0]):
            capital = value[t] if timing == "end" else value[t] + flow[t]
            end = value[t + 1] - flow[t] if timing == "end" else value[t + 1]
            if not np.isnan(got):
                # Less than nothing by what sums leave behind is nothing: all is lost, and no more.
                assert end >= -1e-9 * np.abs([*value[: t + 2], *flow[: t + 1]]).max()
                assert got == pytest.approx(max(end, 0.0) / capital - 1.0)
            elif abs(end - capital) > 0.01:
                assert returns.sessions[t + 1] in named


def lived() -> AccountReturns:
    return account_returns(load(open_at("demo"), "2020-12-31"))


def test_the_demo_firm_against_a_day_by_day_loop_and_in_chunks() -> None:
    whole = lived()
    parts = account_returns(chunks(open_at("demo"), "2020-12-31", size=90))
    assert np.array_equal(whole.daily, parts.daily, equal_nan=True)
    assert list(whole.account_ids) == list(parts.account_ids)
    for account in (0, 17, 200):
        growth = 1.0
        for t in range(whole.daily.shape[1]):
            begin, end = whole.value[account, t], whole.value[account, t + 1]
            if begin > 0:
                growth *= (end - whole.flow[account, t]) / begin
        assert whole.lives()["return"][account] == pytest.approx(growth - 1.0, rel=1e-10)
    years = whole.by_period("year")
    together = (1 + years).prod(axis=1, skipna=False) - 1.0
    assert together.to_numpy() == pytest.approx(whole.compound().to_numpy(), nan_ok=True)


def test_gross_beats_net_wherever_a_fee_was_charged() -> None:
    daily = load(open_at("demo"), "2021-12-31")
    difference = account_returns(daily, "gross").daily - account_returns(daily, "net").daily
    charged = (daily.fee < 0) & ~np.isnan(difference)
    assert (difference[charged] > 0).all()
    assert np.abs(difference[~charged & ~np.isnan(difference)]).max() == 0.0
