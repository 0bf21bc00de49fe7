"""Months of accounts from their daily returns: which months, which days under the mandate, flows by their time."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ParameterError
from workbench.market import sessions
from workbench.performance import AccountReturns, compound, portfolios, time_weighted

FIRST, LAST = "2019-12-31", "2020-04-15"


def made(first=FIRST, last=LAST, flow_at=(), fees="net", timing="end", gone=None, opened=0):
    """Two accounts that earn 0.1 % a day; the first is opened at one close and emptied at another where told."""
    days = sessions(first, last)
    periods = len(days) - 1
    flow = np.zeros((2, periods))
    for period, amount in flow_at:
        flow[1, period] = amount
    value = np.full((2, periods + 1), 1000.0)
    for t in range(periods):
        value[:, t + 1] = value[:, t] * 1.001 + flow[:, t]
    if opened:
        flow[0, opened - 1], value[0, :opened] = value[0, opened], 0.0
    if gone:
        flow[0, gone - 1], value[0, gone:] = -value[0, gone - 1] * 1.001, 0.0
    fee = np.zeros_like(flow)
    return AccountReturns(
        accounts=pd.DataFrame({"account_id": ["A1", "A2"]}),
        sessions=days,
        fees=fees,
        timing=timing,
        daily=time_weighted(value, flow, timing) + (0.0001 if fees == "gross" else 0.0),
        value=value,
        flow=flow,
        fee=fee,
        problems=pd.DataFrame(),
        no_data=pd.DataFrame(),
    )


def months(**given):
    return portfolios(made(**given), made(**given, fees="gross"))


def test_months_are_whole_but_the_last():
    result = months()
    assert result.closes.strftime("%m-%d").tolist() == ["12-31", "01-31", "02-28", "03-31", "04-15"]
    assert result.complete.tolist() == [True, True, True, False]
    daily = made()
    np.testing.assert_allclose(result.net[:, :3], daily.monthly().to_numpy()[:, :3])
    np.testing.assert_allclose(result.net[1, 0], compound(daily.daily[1, :21]))
    assert (result.gross > result.net).all()
    np.testing.assert_allclose(result.end[:, :-1], result.begin[:, 1:])


def test_a_last_month_that_ends_with_its_last_session_is_whole():
    assert months(last="2020-02-28").complete.tolist() == [True, True]
    assert months(last="2020-02-27").complete.tolist() == [True, False]


def test_a_month_that_has_just_begun_is_all_there_is():
    result = months(last="2020-01-15")
    assert result.complete.tolist() == [False]
    assert result.under_mandate.all()


def test_a_first_month_seen_in_part_is_left_out():
    result = months(first="2020-01-15")
    assert result.closes[0] == pd.Timestamp("2020-01-31")
    at = sessions("2020-01-15", LAST).get_loc(pd.Timestamp("2020-01-31"))
    np.testing.assert_allclose(result.begin[:, 0], made(first="2020-01-15").value[:, at])
    with pytest.raises(ParameterError, match="month's end"):
        months(first="2020-01-15", last="2020-01-24")


def test_flows_count_by_the_days_left():
    days = sessions(FIRST, LAST)
    period = int(days.get_loc(pd.Timestamp("2020-01-15"))) - 1
    assert months(flow_at=[(period, 310.0)]).weighted_flow[1, 0] == pytest.approx(310.0 * 16 / 31)
    early = months(flow_at=[(period, 310.0)], timing="start")
    assert early.weighted_flow[1, 0] == pytest.approx(310.0 * 17 / 31)
    assert months(flow_at=[(20, 310.0)]).weighted_flow[1].tolist() == [0.0] * 4


def test_the_mandate_runs_from_the_first_return_to_the_last():
    result = months()
    assert result.joined.tolist() == [pd.Timestamp(FIRST)] * 2
    assert result.left.isna().all()
    assert result.under_mandate.all()
    late = months(opened=21)  # at the close of 31 January
    assert late.under_mandate.tolist()[0] == [False, True, True, True]
    later = months(opened=22)
    assert later.under_mandate.tolist()[0] == [False, False, True, True]
    left = months(gone=40)  # at the close of 28 February, having earned until then
    assert left.left[0] == pd.Timestamp("2020-02-28")
    assert left.under_mandate.tolist()[0] == [True, True, False, False]
    earlier = months(gone=39)
    assert earlier.under_mandate.tolist()[0] == [True, False, False, False]
    empty = replace(made(), value=np.zeros_like(made().value), daily=np.full_like(made().daily, np.nan))
    assert not portfolios(empty, replace(empty, fees="gross")).under_mandate.any()


def test_returns_that_do_not_belong_together_are_refused():
    for net, gross in (
        (made(), made()),
        (made(), made(last="2020-03-31", fees="gross")),
        (made(), made(timing="start", fees="gross")),
    ):
        with pytest.raises(ParameterError, match="same accounts"):
            portfolios(net, gross)
