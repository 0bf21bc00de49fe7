"""The taxable account reconciles: shares, cash, gains and tax, on random markets and policies and by hand."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backtest import (
    Band,
    BuyAndHold,
    Calendar,
    Quadratic,
    TaxAware,
    TaxRates,
    Tilted,
    Universe,
    after_tax,
    signals,
)

POLICIES = st.sampled_from(
    [BuyAndHold(), Calendar(1), Calendar(5), Calendar(21), Band(0.01), Band(0.02, 0.02), Quadratic(1.0, every=5),
     TaxAware(1.0, 0.3, every=5), Tilted("volatility", limit=0.05)]
)  # fmt: skip


def market(seed, assets, cash, bankrupt):
    rng = np.random.default_rng(seed)
    sessions = 420
    returns = rng.normal(0.0, 0.02, (1, sessions, assets))
    returns[:, 0] = 0.0
    price = np.round(40.0 * np.cumprod(1.0 + returns, axis=1), 2)
    dividend = np.zeros_like(price)
    dividend[:, 20::50, 0] = 0.37
    if bankrupt:
        price[:, 350:, -1] = dividend[:, 350:, -1] = 0.0
    return Universe(
        name="random", sessions=pd.bdate_range("2016-03-01", periods=sessions),
        assets=tuple("ABCD"[:assets]), price=price, dividend=dividend, cash_return=np.full((1, sessions), 1e-4),
        target=rng.dirichlet(np.full(assets, 5.0)) * (1.0 - cash), half_spread=np.full(assets, 1e-3),
        daily_value=np.full(assets, np.inf),
    )  # fmt: skip


def tax_of_year(short, long, ordinary, qualified, rates):
    """Schedule D in five lines: tax, and losses carried on."""
    total = short + long
    if total < 0.0:
        used = min(-total, 3000.0)
        return rates.short * ordinary + rates.long * qualified - rates.ordinary * used, -total - used
    gains = rates.short * short + rates.long * long if min(short, long) >= 0 else total * (
        rates.short if short > 0 else rates.long
    )  # fmt: skip
    return gains + rates.short * ordinary + rates.long * qualified, 0.0


@given(
    st.integers(0, 10_000), st.integers(2, 4), st.sampled_from([0.0, 0.15]), POLICIES,
    st.sampled_from(["fifo", "lifo", "highest_cost", "min_tax"]), st.floats(0.3, 1.6), st.booleans(),
    st.integers(1, 3),
)  # fmt: skip
@settings(max_examples=16)
def test_shares_cash_gains_and_tax_reconcile(seed, assets, cash, policy, relief, basis, bankrupt, delay):
    data, rates = market(seed, assets, cash, bankrupt), TaxRates()
    life = after_tax(data, signals(data), policy, relief=relief, start_basis=basis, held_since="2016-06-01",
                     qualified=0.6, rates=rates, delay=delay, wealth=200_000.0)  # fmt: skip
    trades, lots, years = life.trades, life.lots, life.years
    # Every share bought is sold or held.
    signed = trades["shares"].where(trades["side"] == "buy", -trades["shares"])
    flow = signed.groupby(trades["asset"]).sum()
    held = lots.groupby("asset")["shares"].sum().reindex(flow.index, fill_value=0.0)
    np.testing.assert_allclose(held, flow, atol=1e-5)
    assert (lots["shares"] > 0.0).all()
    by_lot = signed.groupby(trades["lot"]).sum()
    np.testing.assert_allclose(
        lots.groupby("lot")["shares"].sum().reindex(by_lot.index, fill_value=0.0), by_lot, atol=1e-5
    )
    # Every dollar in is a dollar out: what is not in shares is cash.
    opening = trades[trades["day"] == pd.Timestamp("2016-06-01")]
    first = dict(zip(data.assets, data.price[0, 252], strict=True))
    last = dict(zip(data.assets, data.price[0, -1], strict=True))
    begun = round(200_000.0 - float((opening["shares"] * opening["asset"].map(first)).sum()), 2)
    later = trades.drop(opening.index)
    traded = later["total"].where(later["side"] == "sell", -later["total"]).sum()
    income = years["ordinary_income"].sum() + years["qualified_dividends"].sum()
    in_cash = life.value[-1] - float((lots["shares"] * lots["asset"].map(last)).sum())
    assert in_cash == pytest.approx(begun + traded + income - life.paid.sum(), abs=0.011)
    assert in_cash > -0.01
    # Gains as they count are proceeds less basis; what wash sales disallow is in the basis of what is held.
    recognised = (years["short_gain"] + years["long_gain"]).sum()
    proceeds, paid = (trades.loc[trades["side"] == side, "total"].sum() for side in ("sell", "buy"))
    left = float((lots["shares"] * lots["basis"]).sum())
    assert recognised == pytest.approx(proceeds - (paid - left), abs=0.02)
    # Each year's tax is netting, and tax paid and owed is tax due.
    carried = (0.0, 0.0)
    for row in years.itertuples():
        short, long = row.short_gain - carried[0], row.long_gain - carried[1]
        tax, left_over = tax_of_year(short, long, row.ordinary_income, row.qualified_dividends, rates)
        assert row.tax == pytest.approx(tax, abs=0.011)
        assert row.carryforward == pytest.approx(left_over, abs=0.01)
        # The deduction takes short losses first (Schedule D, capital loss carryover worksheet).
        used = max(-(short + long), 0.0) - left_over
        carried = carried_on(short, long, used)
    assert life.paid.sum() + life.owed[-1] == pytest.approx(years["tax"].sum(), abs=0.011)


def carried_on(short, long, used):
    if short + long >= 0.0:
        return 0.0, 0.0
    lost = max(-short - max(long, 0.0), 0.0)
    return max(lost - used, 0.0), max(-long - max(short, 0.0) - max(used - lost, 0.0), 0.0)


class Script:
    """Weights of the first position by session; the second is cash."""

    name, every = "script", 1

    def __init__(self, weights):
        self.weights = weights

    def decide(self, seen):
        wanted = self.weights.get(seen.session)
        return None if wanted is None else np.array([wanted, 1.0 - wanted])


def test_three_trades_by_hand():
    """A loss half washed, its basis carried on, and a long-term gain, to the cent.

    100,100.00 begin as 500 shares at 100.10 and 50,050.00 in cash on 2015-12-21. The price falls to 80.07.
    1. 2016-02-23: 200 shares are sold for 16,014.00, a short-term loss of 4,006.00.
    2. 2016-03-08: 150 shares are bought for 12,010.50, within 30 days: 150 / 200 of the loss, 3,004.50, is disallowed
       and makes their basis 80.07 + 20.03 = 100.10 a share. 1,001.50 counts in 2016 and saves 30 %: 300.45, received
       on 2017-03-31. The price is 120.35 from 2017 on.
    3. 2017-05-30: the 300 shares left of the first lot are sold for 36,105.00, a long-term gain of 6,075.00: at 20 %
       1,215.00 are owed at the end. 150 shares are left, worth 18,052.50, with 3,037.50 of gain in them.
    """
    days = pd.bdate_range("2015-01-01", periods=700)
    price = np.full((1, 700, 1), 100.10)
    price[0, 280:] = 80.07
    price[0, days >= pd.Timestamp("2017-01-01")] = 120.35
    data = Universe("by hand", days, ("A",), price, np.zeros_like(price), np.zeros((1, 700)), np.array([0.5]),
                    np.zeros(1), np.full(1, np.inf))  # fmt: skip
    cash = 50_050.00
    sold, bought, last = (int(days.searchsorted(day)) - 1 for day in ("2016-02-23", "2016-03-08", "2017-05-30"))
    script = Script(
        {
            sold: 300 * 80.07 / (500 * 80.07 + cash),
            bought: 450 * 80.07 / (500 * 80.07 + cash),
            last: 150 * 120.35 / (450 * 120.35 + cash + 16_014.00 - 12_010.50 + 300.45),
        }
    )
    rates = TaxRates(short=0.4, long=0.2, ordinary=0.3)
    life = after_tax(data, signals(data), script, rates=rates, relief="fifo", wealth=100_100.00)
    assert life.trades["total"].round(2).tolist() == [50_050.00, 16_014.00, 12_010.50, 36_105.00]
    assert life.trades["shares"].tolist() == pytest.approx([500.0, 200.0, 150.0, 300.0], abs=2e-6)
    assert life.trades["day"].dt.strftime("%Y-%m-%d").tolist() == [
        "2015-12-21",
        "2016-02-23",
        "2016-03-08",
        "2017-05-30",
    ]
    years = life.years.set_index("year")
    assert years.loc[2016, "short_gain"] == pytest.approx(-1_001.50, abs=0.005)
    assert years.loc[2016, "disallowed"] == pytest.approx(3_004.50, abs=0.005)
    assert years.loc[2016, "tax"] == -300.45
    assert years.loc[2017, "long_gain"] == pytest.approx(6_075.00, abs=0.005)
    assert years.loc[2017, "tax"] == 1_215.00
    assert dict(zip(life.days[life.paid != 0.0].strftime("%Y-%m-%d"), life.paid[life.paid != 0.0])) == {
        "2017-03-31": -300.45
    }
    (lot,) = life.lots.itertuples()
    assert (round(lot.shares, 4), round(lot.basis, 4)) == (150.0, 100.10)
    # It takes over the 64 days that the shares sold at a loss were held: 2015-12-22 to 2016-02-23.
    assert lot.holding_start == pd.Timestamp("2016-03-09") - pd.Timedelta(days=64)
    assert life.value[-1] == pytest.approx(108_511.45, abs=0.005)
    assert life.after_tax[-1] == pytest.approx(107_296.45, abs=0.005)
    assert life.liquidated == pytest.approx(108_511.45 - 1_215.00 - 0.2 * 3_037.50, abs=0.005)


def test_the_page_runs_as_written():
    page = (Path(__file__).parents[2] / "docs" / "tilts_and_tax.md").read_text(encoding="utf-8")
    names = {"universe": market(1, 3, 0.15, False)}
    for code in re.findall(r"```python\n(.*?)```", page, re.S):
        exec(re.sub(r"universe = load_universe.*", "", code), names)
        assert len(names["table"]) == len(names["rules"]) == 4
