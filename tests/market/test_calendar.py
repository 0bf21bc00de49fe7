import pandas as pd
import pytest

from workbench.errors import MarketDataError
from workbench.market import is_session, missing_sessions, previous_session, sessions


@pytest.mark.parametrize(
    "closed", ["2022-12-26", "2022-06-20", "2018-12-05", "2012-10-29", "2012-10-30", "2007-01-02", "2021-01-18"]
)
def test_holidays_and_one_off_closures(closed):
    assert not is_session(closed)


def test_years_have_their_known_lengths():
    lengths = {year: len(sessions(f"{year}-01-01", f"{year}-12-31")) for year in (2008, 2020, 2021, 2022)}
    assert lengths == {2008: 253, 2020: 253, 2021: 252, 2022: 251}


def test_previous_session_agrees_with_counting():
    days = sessions("2000-06-01", "2002-06-30")
    assert previous_session("2001-09-17") == pd.Timestamp("2001-09-10")
    for day in ("2001-09-16", "2002-01-01", "2002-06-28"):
        before = days[days < pd.Timestamp(day)]
        for back in (1, 2, 30, 150):
            assert previous_session(day, back) == before[-back]
    assert previous_session("2002-06-30", 0) == pd.Timestamp("2002-06-28")
    assert previous_session("2002-06-28", 0) == pd.Timestamp("2002-06-28")


def test_days_are_plain():
    days = sessions("2022-01-01", "2022-01-10")
    assert days.tz is None
    assert (days == days.normalize()).all()


def test_nonsense_is_refused():
    with pytest.raises(MarketDataError, match="swap them"):
        sessions("2022-02-01", "2022-01-01")
    with pytest.raises(MarketDataError, match="1990 to 2100"):
        sessions("1950-01-01", "1951-01-01")
    with pytest.raises(MarketDataError, match="back must be"):
        previous_session("2022-01-05", -1)


def test_missing_sessions_count_only_between_first_and_last():
    days = sessions("2022-01-03", "2022-01-14")
    prices = pd.DataFrame(
        {"date": list(days[2:5]) + list(days[7:9]) + list(days), "security_id": ["A"] * 5 + ["B"] * 10}
    )
    missing = missing_sessions(prices, days)
    assert missing["security_id"].unique().tolist() == ["A"]
    assert missing["date"].tolist() == list(days[5:7])
