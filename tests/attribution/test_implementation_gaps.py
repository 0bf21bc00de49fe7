"""The gaps of a firm, reckoned again by hand; what may lie behind them; firms that allow no comparison."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench import performance
from workbench.attribution import load_models, pools, security_effects, sleeves
from workbench.attribution.implementation import (
    CHANNELS,
    CLIENT,
    LEAST_MONTHS,
    judge_sleeves,
    load,
    load_with_sleeves,
    study,
)
from workbench.attribution.implementation.blame import against_others
from workbench.attribution.implementation.likelihood import likelihood
from workbench.attribution.implementation.moments import moments
from workbench.errors import MarketDataError, ParameterError
from workbench.firm import demo, write_firm


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    return demo.build_firm(tmp_path_factory.mktemp("gaps") / "firm", accounts=40)


@pytest.fixture(scope="module")
def gaps(firm):
    return load(firm, 24)


def test_net_gaps_are_the_accounts_month_less_the_models(firm, gaps):
    daily = performance.load(firm, "2020-11-30")
    monthly = performance.account_returns(daily).monthly()
    paths = load_models(firm, daily.sessions, daily.securities)
    month = pd.Series(daily.sessions[1:].to_period("M"))
    models = {
        name: pd.Series(1.0 + row).groupby(month).prod() - 1.0 for name, row in zip(paths.models, paths.model_returns)
    }
    index = monthly.columns if not isinstance(monthly.columns, pd.PeriodIndex) else monthly.columns.to_timestamp("D")
    monthly = monthly.set_axis(pd.PeriodIndex(pd.DatetimeIndex(index), freq="M"), axis=1)
    assert len(gaps.frame) > 500
    for row in gaps.frame.iloc[::37].itertuples():
        own, model = (monthly.loc[row.account_id], models[row.model_id])
        key = row.month.to_period("M")
        assert row.net == pytest.approx(1e4 * (own[key] - model[key]), abs=1e-6)


def test_months_are_whole_and_fees_are_net_less_gross(gaps):
    frame = gaps.frame
    assert frame["month"].max() == pd.Timestamp("2022-11-30")
    assert frame["month"].min() == pd.Timestamp("2020-12-31")
    np.testing.assert_allclose(frame["net"] - frame["gross"], frame["fees"], atol=1e-9)
    assert (frame["fees"] <= 1e-9).all()
    assert not frame.isna().any().any()
    assert frame.groupby("account_id").size().min() >= LEAST_MONTHS


def test_covariates_stay_in_their_bounds(firm, gaps):
    frame = gaps.frame
    for name in ("restrictions", "tax_locks"):
        assert frame[name].between(0.0, 1.0 + 1e-9).all()
        assert frame[name].max() > 0.0
    assert frame["trade_lag"].between(0.0, 9.0).all()
    registration = firm.table("accounts").set_index("account_id")["registration"]
    untaxed = ~frame["account_id"].map(registration).isin(["taxable", "trust"])
    assert (frame.loc[untaxed, "tax_locks"] == 0.0).all()
    slow = frame["custodian_id"] == demo.people.SLOW_CUSTODIAN
    assert frame.loc[slow, "trade_lag"].mean() > 2.0 * frame.loc[~slow, "trade_lag"].mean()


def test_cash_drag_is_reckoned_day_by_day(firm, gaps):
    daily = performance.load(firm, "2020-11-30")
    paths = load_models(firm, daily.sessions, daily.securities)
    cash = daily.securities.index("CASH")
    row = gaps.frame.iloc[gaps.frame["cash_drag"].abs().argmax()]
    place, model = daily.account_ids.get_loc(row["account_id"]), paths.models.index(row["model_id"])
    slot = next(s for s in range(daily.slot_ptr[place], daily.slot_ptr[place + 1]) if daily.slot_security[s] == cash)
    total = 0.0
    for t in np.flatnonzero(daily.sessions[1:].to_period("M") == row["month"].to_period("M")):
        weight = daily.value[slot, t] / daily.account_value[place, t]
        total -= (weight - paths.security_weights[model, t, cash]) * paths.model_returns[model, t]
    assert row["cash_drag"] == pytest.approx(1e4 * total, rel=1e-9)


def test_every_account_takes_part_or_is_listed_with_a_reason(firm, gaps):
    accounts = set(firm.table("accounts")["account_id"])
    inside, outside = set(gaps.frame["account_id"]), set(gaps.left_out["account_id"])
    assert inside | outside == accounts
    assert not inside & outside
    assert (gaps.left_out["reason"].str.len() > 0).all()


def test_the_three_models_add_up_custodian_by_custodian(gaps):
    found = study(gaps, np.random.default_rng(1), draws=99)
    frame = found.explained()
    parts = frame[["fees", *CHANNELS, "remaining", "weighting"]].sum(axis=1)
    np.testing.assert_allclose(parts, frame["total"], atol=1e-9)
    assert frame["weighting"].abs().max() < 1.0
    assert set(found.total.fit.moments.kept) == set(CLIENT)


def test_the_omitted_variable_formula_is_exact_for_equal_weights(gaps):
    """With the last model's own weights, total and remaining differ by the channels and nothing else."""
    found = study(gaps, np.random.default_rng(1), draws=99)
    sums, point = found.remaining.fit.moments, found.remaining.fit.point
    short = moments(replace(gaps.panel("gross", CLIENT), precision=found.remaining.fit.panel.precision))
    without = likelihood(short, point.ratios).solution[short.n_random :][: short.n_custodians]
    with_all = point.solution[sums.n_random :][: sums.n_custodians]
    share = np.array([effect.share for effect in found.total.custodians])
    channels = found.explained()[list(CHANNELS)].sum(axis=1)
    np.testing.assert_allclose(against_others(share) @ (without - with_all), channels, atol=1e-8)


def test_sleeve_gaps_are_holdings_gains_over_what_was_held(firm, gaps):
    _, sleeves = load_with_sleeves(firm, 24)
    daily = performance.load(firm, "2020-11-30")
    paths = load_models(firm, daily.sessions, daily.securities)
    sleeve = "CORE"
    row = sleeves[sleeve].frame.iloc[123]
    place, model = daily.account_ids.get_loc(row["account_id"]), paths.models.index(row["model_id"])
    mine = paths.column_sleeve == paths.sleeves.index(sleeve)
    cash = paths.securities.index("CASH")
    own, other = 1.0, 1.0
    for t in np.flatnonzero(daily.sessions[1:].to_period("M") == row["month"].to_period("M")):
        gain = value = 0.0
        for slot in range(daily.slot_ptr[place], daily.slot_ptr[place + 1]):
            columns = paths.column_security == daily.slot_security[slot]
            total = paths.weights[model, t, columns].sum()
            if total > 0.0 and daily.slot_security[slot] != cash:
                share = paths.weights[model, t, columns & mine].sum() / total
                gain += share * (daily.holding[slot, t] + daily.trading[slot, t])
                value += share * daily.value[slot, t]
        own *= 1.0 + gain / value
        columns = mine & (paths.column_security != cash)
        weights = paths.weights[model, t, columns]
        other *= 1.0 + weights @ paths.returns[t, paths.column_security[columns]] / weights.sum()
    assert row["gross"] == pytest.approx(1e4 * (own - other), abs=1e-7)


def test_sleeves_share_out_the_chance_of_false_blame(firm, gaps):
    _, sleeves = load_with_sleeves(firm, 24)
    judged = judge_sleeves(sleeves, np.random.default_rng(1), draws=99)
    assert judged
    assert all(verdict.alpha == pytest.approx(0.05 / len(sleeves)) for verdict in judged.values())
    for found in sleeves.values():
        assert not found.frame.isna().any().any()


def test_the_pages_code_runs(firm, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "implementation_variance.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    monkeypatch.setattr("workbench.firm.open_at", lambda *_: firm)
    names: dict[str, object] = {}
    exec(compile(code, "implementation_variance.md", "exec"), names)
    assert names["found"].total.sentence()


def test_without_a_whole_month_it_says_so(small, tmp_path):
    firm = write_firm(tmp_path / "firm", small, "2022-12-28", name="Small firm")
    with pytest.raises(MarketDataError, match="no whole month"):
        load(firm)


def test_a_book_in_which_nobody_holds_anything_is_told_in_words(tmp_path):
    tables = demo.build(accounts=24)
    empty = {name: tables[name].iloc[:0] for name in ("positions", "lots", "transactions")}
    nobody = {"accounts": tables["accounts"].assign(stated_value=0.0)}
    firm = write_firm(tmp_path / "firm", tables | empty | nobody, "2022-12-28")
    with pytest.raises(ParameterError, match="no account lived"):
        load(firm)
    daily = performance.load(firm)
    paths = load_models(firm, daily.sessions, daily.securities)
    assert sleeves(daily, paths).to_frame().empty
    sectors = firm.table("securities").set_index("security_id")["sector"]
    assert pools(daily, paths, sectors).pools == ()
    assert security_effects(daily, paths)["contribution"].eq(0.0).all()


def test_parameters_are_checked(firm, gaps):
    with pytest.raises(ParameterError, match="at least 1"):
        load(firm, 0)
    with pytest.raises(ParameterError, match="neither net nor gross"):
        gaps.panel("after tax")
    with pytest.raises(ParameterError, match="no account lived"):
        load(firm, 2)
