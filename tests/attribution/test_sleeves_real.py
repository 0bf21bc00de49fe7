"""The demo firm on real prices of shares, and a firm on the real ETF file: every account reconciles."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import performance
from workbench.attribution import load_models, pools, security_effects, sleeves
from workbench.firm import demo, open_at


@pytest.fixture(scope="module")
def demo_firm():
    return open_at("demo")


@pytest.fixture(scope="module")
def etf_firm(shared, tmp_path_factory):
    prices = shared / "data" / "etf" / "etf_daily_2005_2026.csv.gz"
    if not prices.is_file():
        pytest.skip(f"no ETF prices at {prices}")
    folder = tmp_path_factory.mktemp("etf") / "firm"
    return demo.build_firm(folder, market=demo.market_from_file(prices), as_of="2026-04-30", accounts=60)


@pytest.fixture(params=["demo_firm", "etf_firm"])
def firm(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("linking", ["carino", "menchero", "frongello"])
def test_effects_and_residual_are_the_excess_return_of_every_account(firm, linking):
    daily = performance.load(firm)
    paths = load_models(firm, daily.sessions, daily.securities)
    result = sleeves(daily, paths, linking)
    assert np.abs(result.unreconciled).max() < 1e-10
    assert len(result.accounts) + len(result.no_data) == firm.rows["accounts"]
    assert np.abs(result.effect("residual")).max() < 1e-3
    value, flow = daily.account_value, daily.flow
    row = daily.accounts["account_id"].isin(result.accounts["account_id"])
    begin = value[:, :-1]
    day = np.divide(value[:, 1:] - flow, begin, out=np.ones_like(begin), where=begin > 0)
    np.testing.assert_allclose(result.portfolio, day[row].prod(axis=1) - 1, atol=1e-12)


def test_several_years_with_every_version_of_the_models_reconcile(demo_firm):
    daily = performance.load(demo_firm, start="2015-12-31")
    paths = load_models(demo_firm, daily.sessions, daily.securities)
    assert np.abs(sleeves(daily, paths).unreconciled).max() < 1e-10


def test_pools_and_securities_are_the_firm(firm):
    daily = performance.load(firm)
    paths = load_models(firm, daily.sessions, daily.securities)
    together = sleeves(daily, paths).firm
    carved = pools(daily, paths, firm.table("securities").set_index("security_id")["sector"])
    gain = sum(pool.begin * pool.portfolio for pool in carved.pools) + carved.outside_gain
    np.testing.assert_allclose(gain, together.begin[0] * together.portfolio[0], rtol=1e-9, atol=1e-4)
    assert max(abs(pool.linked.residual) for pool in carved.pools) < 1e-10
    securities = security_effects(daily, paths)
    assert securities["contribution"].sum() == pytest.approx(float(together.linked().excess[0]), abs=1e-10)


def test_the_slow_and_the_dear_custodian_show_in_the_right_rows(demo_firm):
    daily = performance.load(demo_firm)
    frame = sleeves(daily, load_models(demo_firm, daily.sessions, daily.securities)).to_frame()
    fees = frame.groupby("custodian_id")["fees"].mean()
    assert fees.idxmin() == "CUS3"
    assert fees["CUS3"] < 1.5 * fees["CUS1"]
