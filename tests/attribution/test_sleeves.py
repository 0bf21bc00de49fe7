"""Sleeve attribution: rows by hand, rows that sum to the excess return whatever happened, pools and securities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.attribution import pools, security_effects, sleeves
from workbench.attribution.daily_effects import daily_effects, row_names
from workbench.attribution.followed import follow, model_effects
from workbench.errors import ParameterError

LINKINGS = ("carino", "menchero", "frongello")
KINDS = pd.Series({"AAA": "Tech", "BBB": "Bonds", "CASH": "Cash", "CCC": "Energy", "DDD": "Energy"}, name="sector")


def by_hand(paths, daily, n, t):
    """The rows of one account on one day, security by security in plain dictionaries."""
    model = paths.models.index(daily.accounts["model_id"][n])
    slots = range(daily.slot_ptr[n], daily.slot_ptr[n + 1])
    names = [paths.securities[daily.slot_security[k]] for k in slots]
    begin = sum(daily.value[k, t] for k in slots)
    returns = dict(zip(paths.securities, paths.returns[t], strict=True))
    total = paths.model_returns[model, t]
    target = {
        (paths.sleeves[s], paths.securities[c]): paths.weights[model, t, j]
        for j, (s, c) in enumerate(zip(paths.column_sleeve, paths.column_security, strict=True))
    }
    whole = {name: sum(w for key, w in target.items() if key[1] == name) for name in paths.securities}
    rows = {("timing", sleeve): 0.0 for sleeve in paths.sleeves}
    rows |= {("cash", None): 0.0, ("other_holdings", None): 0.0}
    for k, name in zip(slots, names, strict=True):
        weight, gain = daily.value[k, t] / begin, daily.holding[k, t] / begin
        if name == "CASH":
            rows["cash", None] += gain - weight * total
        elif whole[name] > 0:
            for sleeve in paths.sleeves:
                part = target.get((sleeve, name), 0.0) / whole[name]
                rows["timing", sleeve] += part * weight * (returns[name] - total)
        else:
            rows["other_holdings", None] += gain - weight * total
    for (sleeve, name), weight in target.items():
        if weight > 0:
            rows[("cash", None) if name == "CASH" else ("timing", sleeve)] -= weight * (returns[name] - total)
    rows["trading", None] = sum(daily.trading[k, t] for k in slots) / begin
    rows["fees", None] = daily.fee[n, t] / begin
    earned = sum(daily.holding[k, t] for k in slots) / begin + daily.unexplained[n, t] / begin
    rows["residual", None] = earned + rows["trading", None] + rows["fees", None] - total - sum(rows.values())
    return rows


def test_the_rows_of_a_day_are_those_of_the_definition(made_up):
    paths, daily = made_up(seed=4)
    effects = daily_effects(next(follow(daily, paths)))
    names = row_names(paths.sleeves)
    for n in range(2):
        for t in np.flatnonzero(effects.present[n]):
            rows = by_hand(paths, daily, n, t)
            for k, (effect, sleeve) in enumerate(names.itertuples(index=False)):
                if effect in ("allocation", "selection", "interaction"):
                    continue
                expected = rows[effect, sleeve if isinstance(sleeve, str) else None]
                assert effects.rows[n, t, k] == pytest.approx(expected, abs=1e-13), (effect, sleeve, t)


def test_a_models_rows_are_brinson_and_fachlers(made_up):
    paths, _ = made_up(seed=2)
    effects = model_effects(paths)
    m, t = paths.models.index("GRO"), 7
    total = paths.benchmark_returns[m, t]
    for s in range(2):
        weight, own = paths.sleeve_weights[m, t, s], paths.sleeve_returns[m, t, s]
        neutral, against = paths.benchmark_weights[m, t, s], paths.sleeve_benchmark_returns[m, t, s]
        assert effects[m, t, s] == pytest.approx((weight - neutral) * (against - total), abs=1e-15)
        assert effects[m, t, 2 + s] == pytest.approx(neutral * (own - against), abs=1e-15)
        assert effects[m, t, 4 + s] == pytest.approx((weight - neutral) * (own - against), abs=1e-15)
    np.testing.assert_allclose(effects.sum(axis=2), paths.model_returns - paths.benchmark_returns, atol=1e-15)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), periods=st.integers(1, 70), linking=st.sampled_from(LINKINGS))
def test_rows_sum_to_the_excess_whatever_was_traded_paid_and_charged(made_up, seed, periods, linking):
    paths, daily = made_up(seed=seed, periods=periods)
    try:
        result = sleeves(daily, paths, linking)
    except ParameterError:  # what was put together lost everything on a day: not to be linked so
        linking = "frongello"
        result = sleeves(daily, paths, linking)
    assert np.abs(result.unreconciled).max(initial=0) < 1e-10 * (1 + np.abs(result.excess).max(initial=0))
    effects = daily_effects(next(follow(daily, paths)))
    excess = effects.portfolio - effects.benchmark
    np.testing.assert_allclose(effects.rows.sum(axis=2), excess, atol=1e-12)
    together = result.effect("model") + result.effect("implementation")
    np.testing.assert_allclose(together, result.effects.sum(axis=1), atol=1e-12)
    kept = effects.accounts["account_id"].isin(result.accounts["account_id"])
    growth = np.prod(1 + np.where(effects.present, effects.portfolio, 0), axis=1)[kept] - 1
    np.testing.assert_allclose(result.portfolio, growth, rtol=1e-12, atol=1e-12)
    firm = result.firm.linked("frongello")
    assert np.abs(firm.residual).max() < 1e-10 * (1 + np.abs(firm.excess).max())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), periods=st.integers(2, 40))
def test_pools_sum_row_by_row_and_to_the_firm(made_up, seed, periods):
    paths, daily = made_up(seed=seed, periods=periods)
    carved = pools(daily, paths, KINDS, "frongello")
    for pool in carved.pools:
        np.testing.assert_allclose(pool.rows.sum(axis=1), pool.portfolio - pool.benchmark, atol=1e-9)
        assert abs(pool.linked.residual) < 1e-9 * (1 + abs(pool.linked.excess))
    firm = daily_effects(next(follow(daily, paths)))
    begin = firm.begin.sum(axis=0)
    np.testing.assert_allclose(sum(pool.begin for pool in carved.pools) + carved.outside, begin, atol=1e-9)
    gain = sum(pool.begin * pool.portfolio for pool in carved.pools) + carved.outside_gain
    np.testing.assert_allclose(gain, (firm.begin * firm.portfolio).sum(axis=0), atol=1e-9)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), periods=st.integers(2, 40))
def test_securities_sum_to_the_firms_excess(made_up, seed, periods):
    paths, daily = made_up(seed=seed, periods=periods)
    daily = replace(daily, fee=daily.fee * 0, unexplained=daily.unexplained * 0, trading=daily.trading * 0,
                    flow=np.diff(daily.account_value, axis=1) - daily.by_account(daily.holding))  # fmt: skip
    frame = security_effects(daily, paths)
    firm = sleeves(daily, paths).firm.linked()
    assert frame["contribution"].sum() == pytest.approx(float(firm.excess[0]), abs=1e-10)


def test_an_account_that_is_its_model_has_no_implementation(made_up):
    paths, daily = made_up(seed=3, accounts=2)
    model = paths.models.index("GRO")
    weights = paths.security_weights[model].T[list(daily.slot_security[:5])]
    growth = np.append(1.0, np.cumprod(1 + paths.model_returns[model]))
    value = 1000 * growth * np.column_stack([weights, weights[:, -1]])
    holding = value[:, :-1] * np.nan_to_num(paths.returns.T[list(daily.slot_security[:5])])
    value[:, -1] = value[:, -2] + holding[:, -1]
    none = np.zeros((2, len(paths.sessions) - 1))
    daily = replace(
        daily, value=np.vstack([value, value]), holding=np.vstack([holding, holding]), 
        trading=np.zeros((10, none.shape[1])), flow=none, fee=none, unexplained=none,
    )  # fmt: skip
    result = sleeves(daily, paths)
    assert list(result.accounts["account_id"]) == ["A0"]
    assert result.effect("implementation")[0] == pytest.approx(0, abs=1e-12)
    assert result.portfolio[0] == pytest.approx(result.model[0], abs=1e-12)
    assert list(result.no_data["reason"]) == ["has no model"]


def test_an_account_is_measured_over_its_life_and_says_so(made_up):
    paths, daily = made_up(seed=5, periods=30)
    result = sleeves(daily, paths, "frongello")
    first = result.accounts.set_index("account_id").loc["A0"]
    assert not first["whole"]
    assert first["start"] >= paths.sessions[10]
    assert first["periods"] <= 20


def test_accounts_in_chunks_are_the_same(made_up, monkeypatch):
    paths, daily = made_up(seed=6, accounts=5)
    whole, carved = sleeves(daily, paths, "frongello"), pools(daily, paths, KINDS, "frongello")
    monkeypatch.setattr("workbench.attribution.followed._CELLS", 2 * len(paths.sessions))
    ledgers = [run.daily for run in follow(daily, paths)]
    assert [len(part.accounts) for part in ledgers] == [2, 2, 1]
    parts = sleeves(iter(ledgers), paths, "frongello")
    np.testing.assert_allclose(whole.effects, parts.effects, rtol=0, atol=1e-15)
    pd.testing.assert_frame_equal(whole.to_frame(), parts.to_frame())
    pd.testing.assert_frame_equal(carved.to_frame(), pools(iter(ledgers), paths, KINDS, "frongello").to_frame())


def test_a_total_loss_leaves_the_account_out_with_its_reason(made_up):
    paths, daily = made_up(seed=1, periods=20)
    holding, value, flow = daily.holding.copy(), daily.value.copy(), daily.flow.copy()
    value[:5, 10] = 20.0
    holding[:5, 10] = -20.0
    flow[0, 10] = value[:5, 11].sum() - daily.trading[:5, 10].sum() - daily.fee[0, 10] - daily.unexplained[0, 10]
    daily = replace(daily, holding=holding, value=value, flow=flow, fee=daily.fee * 0, trading=daily.trading * 0,
                    unexplained=daily.unexplained * 0)  # fmt: skip
    flow[0, 10] = value[:5, 11].sum()
    result = sleeves(daily, paths)
    reasons = result.no_data.set_index("account_id")["reason"]
    assert "lost all of its value in one day" in reasons["A0"]
    assert "A0" in set(sleeves(daily, paths, "frongello").accounts["account_id"])


def test_no_account_at_all_is_an_empty_result_and_no_error(made_up):
    paths, daily = made_up()
    nobody = replace(daily, accounts=daily.accounts.assign(model_id=None))
    result = sleeves(nobody, paths)
    assert result.to_frame().empty
    assert len(result.no_data) == 3
    carved = pools(nobody, paths, KINDS)
    assert carved.pools == ()
    assert set(carved.unheld) == {"EQ", "FI"}
    with pytest.raises(ParameterError, match="no account held sleeve 'EQ'"):
        carved.pool("EQ")


def test_a_ledger_of_other_sessions_or_securities_is_refused(made_up):
    paths, daily = made_up()
    with pytest.raises(ParameterError, match="different sessions"):
        sleeves(replace(daily, sessions=daily.sessions + pd.Timedelta(days=1)), paths)
    with pytest.raises(ParameterError, match=r"securities=daily\.securities"):
        sleeves(replace(daily, securities=("XXX", *daily.securities[1:])), paths)
    with pytest.raises(ParameterError, match="no effect 'luck'"):
        sleeves(daily, paths, "frongello").effect("luck")
    with pytest.raises(ParameterError, match="has no sector"):
        pools(daily, paths, KINDS.drop("BBB"))


def test_the_groups_of_a_pool_are_the_models_effects(made_up):
    paths, daily = made_up(seed=8)
    carved = pools(daily, paths, KINDS, "frongello")
    for pool in carved.pools:
        groups = pool.by_group()
        model = sum(pool.effect(name) for name in ("allocation", "selection", "interaction"))
        assert groups["total"].sum() == pytest.approx(model, abs=1e-12)
        decided = pool.rows[:, : 3 * len(groups)].sum(axis=1)
        np.testing.assert_allclose(decided, pool.model - pool.benchmark, atol=1e-12)
    frame = carved.to_frame()
    assert list(frame["sleeve_id"]) == [pool.sleeve_id for pool in carved.pools]


def test_idle_cash_costs_every_sleeve_alike(made_up):
    """Half in cash, half as the model's sleeve: the pool earns half, and the cash row says why."""
    paths, daily = made_up(seed=9, accounts=2)
    keep = daily.accounts.assign(model_id=["INC", None])
    periods = len(paths.sessions) - 1
    value = np.zeros((10, periods + 1))
    weights = paths.security_weights[paths.models.index("INC")].T
    names = list(daily.securities)
    for position, name in enumerate(names):
        value[position, :-1] = 100.0 if name == "CASH" else 100 * weights[paths.securities.index(name)]
    holding = value[:, :-1] * np.nan_to_num(paths.returns.T[daily.slot_security])
    none, value[:, -1] = np.zeros((2, periods)), value[:, -2]
    flow = np.diff(np.add.reduceat(value, [0, 5], axis=0), axis=1) - np.add.reduceat(holding, [0, 5], axis=0)
    daily = replace(daily, accounts=keep, value=value, holding=holding, trading=np.zeros((10, periods)), flow=flow,
                    fee=none, unexplained=none)  # fmt: skip
    pool = pools(daily, paths, KINDS).pool("FI")
    np.testing.assert_allclose(pool.portfolio, pool.model / 2, atol=1e-14)
    np.testing.assert_allclose(pool.rows[:, -4], -pool.model / 2, atol=1e-14)
    assert pool.effect("timing") == pytest.approx(0, abs=1e-14)
    assert pool.accounts == 1


def test_an_account_of_nothing_but_cash_is_spread_by_its_models_weights(made_up):
    """The second account holds only cash: each sleeve takes the model's weight of it, and earns nothing on it."""
    paths, daily = made_up(seed=9, accounts=2)
    periods = len(paths.sessions) - 1
    value = np.zeros((10, periods + 1))
    value[2] = 100.0
    none = np.zeros((2, periods))
    flow = np.diff(np.add.reduceat(value, [0, 5], axis=0), axis=1)
    daily = replace(daily, value=value, holding=np.zeros((10, periods)), trading=np.zeros((10, periods)), flow=flow,
                    fee=none, unexplained=none)  # fmt: skip
    carved = pools(daily, paths, KINDS)
    weights = paths.sleeve_weights[paths.models.index("GRO")]
    for s, pool in enumerate(carved.pools):
        np.testing.assert_allclose(pool.begin, 100 * weights[:, s], atol=1e-12)
        np.testing.assert_allclose(pool.portfolio, 0, atol=1e-14)
