"""How it turned out: by hand, with missing prices said, and intervals that count weeks and not trades."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from tests.governance.lessons.histories import block, history, signal
from workbench.errors import ParameterError
from workbench.governance.lessons.outcomes import how_it_turned_out, turned_out

DAYS = pd.bdate_range("2022-01-03", "2022-12-28")


def prices(**paths):
    wide = pd.DataFrame({"CASH": 1.0, **paths}, index=DAYS)
    return wide.rename_axis("date").reset_index().melt("date", var_name="security_id", value_name="adj_close")


def trade(security, shares, price=10.0, *, day="2022-03-01", signal_id="s0", cost=0.0, tax=0.0):
    return {"signal_id": signal_id, "day": day, "security_id": security, "shares": shares, "price": price, "cost": cost,
            "tax": tax}  # fmt: skip


RISING = pd.Series(np.where(DAYS < "2022-03-15", 10.0, 11.0), DAYS)
FALLING = pd.Series(np.where(DAYS < "2022-03-15", 20.0, 15.0), DAYS)


def test_by_hand():
    rows = pd.DataFrame([trade("UP", 100, cost=5.0, tax=20.0), trade("DOWN", -50, 20.0)])
    (found,) = how_it_turned_out(rows, prices(UP=RISING, DOWN=FALLING), 30).to_dict("records")
    assert found["traded"] == 2_000
    assert found["gain"] == pytest.approx(100 * 1.0 + 50 * 5.0)
    assert found["net"] == pytest.approx(350 - 25)
    assert found["share"] == pytest.approx(325 / 2_000)
    assert found["status"] == "known"


def test_cash_earns_nothing_and_a_split_in_the_price_does_not_matter():
    rows = pd.DataFrame([trade("CASH", 100, 1.0), trade("UP", 10, 99.0, signal_id="s1")])
    found = how_it_turned_out(rows, prices(UP=RISING), 30).set_index("signal_id")
    assert found.loc["s0", "gain"] == 0.0
    assert found.loc["s1", "gain"] == pytest.approx(990 * 0.1)


@pytest.mark.parametrize(
    ("day", "security", "status"),
    [("2022-12-20", "UP", "early"), ("2022-03-01", "UNKNOWN", "unpriced"), ("2021-06-01", "UP", "unpriced")],
)
def test_what_cannot_be_valued_is_said_and_not_filled_in(day, security, status):
    rows = pd.DataFrame([trade("UP", 1, day=day), trade(security, 1, day=day)])
    (found,) = how_it_turned_out(rows, prices(UP=RISING), 30).to_dict("records")
    assert found["status"] == status
    assert np.isnan(found["net"])


def test_days_must_be_later():
    with pytest.raises(ParameterError):
        how_it_turned_out(pd.DataFrame([trade("UP", 1)]), prices(UP=RISING), 0)


@effort(max_examples=30)  # the value of trades is a sum over them: more examples find nothing else
@given(
    st.lists(st.floats(-500, 500).filter(lambda shares: abs(shares) > 1), min_size=1, max_size=6), st.integers(1, 90)
)
def test_buying_and_selling_the_same_is_worth_the_opposite_before_cost(shares, days):
    rows = pd.DataFrame([trade("UP", part) for part in shares])
    mirrored = rows.assign(shares=-rows["shares"])
    first, second = (how_it_turned_out(part, prices(UP=RISING), days)["gain"].iloc[0] for part in (rows, mirrored))
    assert first == pytest.approx(-second)


def made(rows, returns):
    """A history with one purchase of security Sn a signal, each with its own path."""
    signals = [signal(n, outcome, as_of=day) for n, (day, outcome) in enumerate(rows)]
    trades = [
        {"signal_id": f"s{n}", "made": "proposed", "security_id": f"S{n}", "shares": 1.0, "price": 1.0, "cost": 0.0,
         "tax": 0.0}
        for n in range(len(rows))
    ]  # fmt: skip
    paths = {
        f"S{n}": np.where(pd.Timestamp(day) >= DAYS, 1.0, 1.0 + gain)
        for n, ((day, _), gain) in enumerate(zip(rows, returns, strict=True))
    }  # fmt: skip
    return history(signals=signals, trades=trades), prices(**paths)


def test_one_week_of_luck_is_no_finding_however_many_signals_it_moved():
    decisions, table = made([("2022-03-01", "rejected")] * 60, [0.05] * 60)
    rejected = next(row for row in turned_out(decisions, table, 30) if row.group == "rejected")
    assert (rejected.signals, rejected.stretches) == (60, 1)
    assert rejected.mean == pytest.approx(0.05)
    assert np.isnan(rejected.low)


def test_the_interval_is_wider_where_signals_of_a_stretch_move_together():
    days = [str(day.date()) for day in DAYS[5:205:10] for _ in range(10)]
    draw = np.random.default_rng(3)
    market = {day: draw.normal(0, 0.03) for day in set(days)}
    rows = [(day, "rejected") for day in days]
    together = made(rows, [market[day] for day in days])
    apart = made(rows, list(draw.normal(0, 0.03, len(days))))
    wide, narrow = (next(r for r in turned_out(*case, 30) if r.group == "rejected") for case in (together, apart))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_groups_are_who_they_say():
    decisions, table = made([("2022-03-01", "released"), ("2022-03-01", "rejected")], [0.1, -0.1])
    decisions.frames["findings"] = history(findings=[block(0)])["findings"]
    found = {row.group: row.signals for row in turned_out(decisions, table, 30)}
    assert found == {"released": 1, "overridden": 1, "revised": 0, "rejected": 1}
