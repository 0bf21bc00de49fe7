"""The review of an earlier day knows nothing of what came after, and its risk window is the one asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench import drift
from workbench.firm import at, write_firm

AS_OF = pd.Timestamp("2022-06-30")
EARLIER = pd.Timestamp("2022-05-31")


def until(tables, day):
    prices, rows = tables["prices"], tables["transactions"]
    return {
        **tables,
        "prices": prices[prices["date"] <= day].reset_index(drop=True),
        "transactions": rows[rows["trade_date"] <= day].reset_index(drop=True),
    }


def frames(review):
    yield review.ranking
    yield review.drift.accounts
    yield review.aggregate.by_key
    yield drift.cause_shares(review).to_frame()
    for level in review.drift.levels:
        yield review.drift.level(level)
        yield review.causes.level(level)


def with_prices(tables, last):
    """The tables with prices on `last` sessions up to the as-of date."""
    days = tables["prices"]["date"].drop_duplicates().nlargest(last)
    kept = tables["prices"][tables["prices"]["date"].isin(days)]
    return {**tables, "prices": kept.reset_index(drop=True)}


def test_an_earlier_review_is_that_of_a_firm_which_ends_that_day(tables, tmp_path):
    told = write_firm(tmp_path / "told", until(tables, EARLIER), EARLIER, check=False)
    # What happens afterwards is as wild as can be: prices grow tenfold, half of a holding is sold.
    later = tables["prices"]["date"] > EARLIER
    tables["prices"].loc[later & (tables["prices"]["security_id"] != "CASH"), ["close", "adj_close"]] *= 10.0
    sale = tables["transactions"].assign(
        transaction_id="T9", account_id="A1", security_id="FUND", trade_date=AS_OF, settle_date=AS_OF, kind="sell",
        quantity=-20.0, price=1_000.0, amount=20_000.0, origin="manual", lot_id="L5",
    )  # fmt: skip
    tables["transactions"] = pd.concat([tables["transactions"], sale], ignore_index=True)
    positions = tables["positions"].set_index(["account_id", "security_id"])["quantity"]
    positions[("A1", "CASH")] += 20_000.0
    tables["positions"] = positions.drop(("A1", "FUND")).reset_index()
    tables["lots"] = tables["lots"][tables["lots"]["lot_id"] != "L5"]
    bought = sale.assign(
        transaction_id="T1", trade_date=pd.Timestamp("2020-01-02"), kind="buy", quantity=20.0, price=100.0,
        amount=-2_000.0,
    )  # fmt: skip
    tables["transactions"] = pd.concat([tables["transactions"], bought], ignore_index=True)
    full = write_firm(tmp_path / "full", tables, AS_OF, check=False)
    before, after = (drift.review(firm, window=80) for firm in (told, at(full, EARLIER)))
    for one, other in zip(frames(before), frames(after), strict=True):
        pd.testing.assert_frame_equal(one, other, check_dtype=False, check_categorical=False)


@pytest.mark.parametrize("window", [64, 100])
def test_the_risk_window_has_as_many_returns_as_asked_for(firm, window):
    review = drift.review(firm, window=window)
    assert review.risk is not None
    assert review.risk.observations == window
    assert review.risk.last == AS_OF


@pytest.mark.parametrize(("sessions", "known"), [(63, False), (64, True)])
def test_a_quarter_of_returns_is_the_least_that_makes_a_risk_figure(tables, seal, sessions, known):
    review = drift.review(seal(with_prices(tables, sessions)))
    assert (review.risk is not None) is known
    measured = review.drift.accounts.set_index("account_id")["tracking_error"]
    assert measured.notna().any() == known


def test_a_security_too_young_for_the_window_is_named_and_leaves_the_risk_of_its_holders_unknown(tables, seal):
    young = (tables["prices"]["security_id"] == "OLD") & (tables["prices"]["date"] < pd.Timestamp("2022-06-01"))
    tables["prices"] = tables["prices"][~young].reset_index(drop=True)
    review = drift.review(seal(tables), window=100)
    assert review.not_covered == ("OLD",)
    error = review.drift.accounts.set_index("account_id")["tracking_error"]
    assert np.isnan(error["A2"])
    assert error["A1"] > 0


def test_cause_shares_sum_to_one(firm):
    shares = drift.cause_shares(drift.review(firm))
    assert list(shares.index) == list(drift.CAUSES)
    assert shares.sum() == pytest.approx(1.0)
    assert (shares >= 0).all()


def test_the_factor_level_is_the_weights_times_slopes_on_the_market(firm):
    review = drift.review(firm, window=100)
    prices = firm.table("prices").pivot(index="date", columns="security_id", values="adj_close").tail(101)
    returns = prices.pct_change().iloc[1:].drop(columns="CASH")
    securities = firm.table("securities").set_index("security_id")
    shares = securities.index[(securities["kind"] == "stock") & (securities["asset_class"] == "US equity")]
    market = returns[shares].mean(axis=1)
    slope = returns.apply(lambda own: np.polyfit(market, own, 1)[0])
    held = review.drift.level("security", ["A1"]).set_index("key")["weight"]
    expected = sum(weight * slope.get(security, 0.0) for security, weight in held.items())
    row = review.drift.level("factor", ["A1"]).set_index("key").loc["market"]
    assert row["weight"] == pytest.approx(expected, rel=1e-9)
    assert row["deviation"] == pytest.approx(row["weight"] - row["target"])
