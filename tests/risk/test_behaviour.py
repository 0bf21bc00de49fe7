"""Habits in transactions: what is counted, what chance would give, and that nothing is said without enough of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.multitest import multipletests

from workbench import risk
from workbench.firm import demo, write_firm
from workbench.risk.chance import after_moves, chance_of_days, episodes, false_discovery, unequal_coins


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    return risk.watch(demo.build_firm(tmp_path_factory.mktemp("habits") / "firm", accounts=30))


@pytest.fixture
def world(watched):
    """A market of one share, AAPL, that has fallen by a tenth on three days of the period and stands still else."""
    returns = np.zeros_like(watched.returns)
    falls = [watched.last - back for back in (900, 600, 300)]
    share = watched.securities["security_id"].tolist().index("AAPL")
    returns[falls, share] = -0.10
    return replace(watched, returns=returns), falls


def trades(watched, sessions, *, kind="sell", origin="manual", account=None, dollars=10_000.0, security="AAPL"):
    """One trade in each session, in an account whose advisor decides where none is given."""
    account = account or owned(watched, discretionary=True)
    sign = 1.0 if kind in ("sell", "deposit") else -1.0
    return pd.DataFrame(
        {
            "account_id": account,
            "security_id": security,
            "trade_date": watched.sessions[list(sessions)],
            "kind": kind,
            "amount": sign * dollars,
            "origin": origin,
        }
    )


def owned(watched, discretionary):
    accounts = watched.accounts
    return accounts.loc[accounts["discretionary"] == discretionary, "account_id"].iloc[0]


def found(watched, rows, kind):
    return [pattern for pattern in risk.find_patterns(watched, rows).patterns if pattern.kind == kind]


class TestMoves:
    def test_a_fall_is_from_the_highest_of_the_closes_before(self):
        fall, rise = after_moves(np.array([[1.0], [2.0], [1.5], [3.0], [2.7]]), 2)
        assert np.isnan(fall[:2]).all()
        assert fall[2:, 0].tolist() == pytest.approx([0.25, -0.5, 0.1])
        assert rise[2:, 0].tolist() == pytest.approx([0.5, 1.0, 0.8])

    def test_a_hole_in_prices_is_not_a_move(self):
        fall, _ = after_moves(np.array([[1.0], [np.nan], [0.5], [0.5]]), 2)
        assert np.isnan(fall[2:3]).all()


class TestChance:
    @given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8), st.integers(0, 8))
    def test_unequal_coins_are_the_sum_over_all_outcomes(self, chances, least):
        total = 0.0
        for outcome in range(2 ** len(chances)):
            heads = [(outcome >> place) & 1 for place in range(len(chances))]
            if sum(heads) >= least:
                total += np.prod([c if h else 1 - c for c, h in zip(chances, heads, strict=True)])
        assert unequal_coins(np.array(chances), least) == pytest.approx(total, abs=1e-12)

    def test_equal_coins_are_binomial(self):
        assert unequal_coins(np.full(12, 0.3), 7) == pytest.approx(binom.sf(6, 12, 0.3))

    @given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40))
    def test_false_discovery_is_benjamini_and_hochbergs(self, p_values):
        ours = false_discovery(np.array(p_values))
        np.testing.assert_allclose(ours, multipletests(p_values, method="fdr_bh")[1], atol=1e-12)

    def test_episodes_begin_after_a_gap(self):
        assert episodes(np.array([3, 4, 10, 40, 41]), 10).tolist() == [0, 0, 0, 1, 1]

    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 2**16), st.integers(1, 5))
    def test_days_of_one_episode_move_together_and_episodes_apart(self, seed, count):
        rng = np.random.default_rng(seed)
        after = rng.random((count, 25)) < 0.3
        session = np.sort(rng.choice(25, count, replace=False))
        alone = chance_of_days(after, session, np.arange(count))
        assert alone.sum() == pytest.approx(1.0)
        assert alone == pytest.approx(
            np.diff([unequal_coins(after.mean(axis=1), k) for k in range(count + 1)] + [0.0]) * -1, abs=1e-12
        )
        together = chance_of_days(after, session, np.zeros(count, int))
        days = [sum(after[u, (session[u] + shift) % 25] for u in range(count)) for shift in range(25)]
        assert together == pytest.approx(np.bincount(days, minlength=count + 1) / 25)

    def test_under_chance_few_are_called_unlikely(self):
        rng = np.random.default_rng(11)
        fallen = np.zeros(1250, bool)
        for start in rng.integers(0, 1230, 5):
            fallen[start : start + 15] = True
        p_values = []
        for _ in range(400):
            session = np.sort(rng.choice(1250, 30, replace=False))
            after = np.tile(fallen, (30, 1))
            chances = chance_of_days(after, session, episodes(session, 21))
            p_values.append(chances[int(fallen[session].sum()) :].sum())
        assert np.mean(np.array(p_values) <= 0.05) <= 0.07


class TestSalesAfterFalls:
    def test_an_advisor_who_sells_after_every_fall_is_said_to(self, world):
        watched, falls = world
        rows = trades(watched, [*(fall + 3 for fall in falls), watched.last - 100])
        (pattern,) = found(watched, rows, "sold_after_falls")
        assert (pattern.count, pattern.opportunities, pattern.episodes) == (3, 4, 3)
        assert pattern.dollars == pytest.approx(30_000)
        # A fall is seen at ten closes, and a trade counts for ten sessions after the last of them.
        assert pattern.expected == pytest.approx(4 * 3 * 20 / pattern_sessions(watched), rel=0.01)
        assert pattern.said
        assert pattern.q_value < 0.01
        assert pattern.names == ("AAPL",)

    def test_a_sale_later_than_the_window_is_not_after_a_fall(self, world):
        watched, falls = world
        (pattern,) = found(watched, trades(watched, [fall + 25 for fall in falls]), "sold_after_falls")
        assert pattern.count == 0
        assert pattern.p_value == 1.0
        assert not pattern.said

    def test_one_fall_is_one_event_however_many_days_it_took_to_sell(self, world):
        watched, falls = world
        (pattern,) = found(watched, trades(watched, [falls[0] + day for day in range(1, 6)]), "sold_after_falls")
        assert (pattern.count, pattern.episodes, pattern.said) == (5, 1, False)

    def test_two_days_are_too_few_to_say_anything(self, world):
        watched, falls = world
        assert found(watched, trades(watched, [falls[0] + 1, falls[1] + 1]), "sold_after_falls") == []

    def test_many_accounts_on_one_day_are_one_day(self, world):
        watched, falls = world
        accounts = watched.accounts
        same = accounts[accounts["advisor_id"] == accounts["advisor_id"].iloc[0]]
        same = same.loc[same["discretionary"], "account_id"].iloc[:4]
        rows = pd.concat([trades(watched, [fall + 1 for fall in falls], account=a) for a in same], ignore_index=True)
        (pattern,) = found(watched, rows, "sold_after_falls")
        assert pattern.count == 3

    def test_small_sales_are_not_looked_at(self, world):
        watched, falls = world
        assert found(watched, trades(watched, [f + 1 for f in falls], dollars=500.0), "sold_after_falls") == []

    def test_clients_and_advisors_are_kept_apart(self, world):
        watched, falls = world
        sessions = [fall + 1 for fall in falls]
        client = trades(watched, sessions, origin="client")
        (pattern,) = found(watched, client, "sold_after_falls")
        assert (pattern.level, pattern.decided_by) == ("household", "client")
        accounts = watched.accounts
        if (~accounts["discretionary"]).any():
            (pattern,) = found(watched, trades(watched, sessions, account=owned(watched, False)), "sold_after_falls")
            assert pattern.decided_by == "client"
        assert found(watched, trades(watched, sessions, origin="rebalance"), "sold_after_falls") == []

    def test_what_followed_is_told_where_it_is_over(self, world):
        watched, falls = world
        returns = watched.returns.copy()
        share = watched.securities["security_id"].tolist().index("AAPL")
        returns[[fall + 20 for fall in falls], share] = 0.25
        rows = trades(watched, [*(fall + 1 for fall in falls), watched.last - 2])
        (pattern,) = found(replace(watched, returns=returns), rows, "sold_after_falls")
        assert pattern.followed == pytest.approx(0.25)
        assert pattern.followed_days == 3

    def test_purchases_after_rises_are_the_mirror(self, world):
        watched, falls = world
        risen = replace(watched, returns=-watched.returns)
        rows = trades(watched, [fall + 1 for fall in falls], kind="buy")
        (pattern,) = found(risen, rows, "bought_after_rises")
        assert pattern.count == 3
        assert pattern.said


class TestOtherHabits:
    def test_manual_trades_are_held_against_the_other_advisors(self, watched):
        rows = trades(watched, range(watched.last - 400, watched.last, 50))
        (pattern,) = found(watched, rows, "overrides")
        assert (pattern.count, pattern.expected, pattern.said) == (8, 0.0, True)

    def test_favourites_are_most_of_what_was_bought_by_hand(self, watched):
        rows = trades(watched, range(watched.last - 400, watched.last, 50), kind="buy", security="AMD")
        (pattern,) = found(watched, rows, "favourites")
        assert pattern.names == ("AMD",)
        assert pattern.said
        assert pattern.expected < 0.2

    def test_a_deposit_left_in_cash_is_idle_and_one_invested_is_not(self, watched):
        days = list(range(watched.last - 800, watched.last - 100, 50))
        invested = owned(watched, True)
        other = watched.accounts["advisor_id"] != watched.accounts.set_index("account_id")["advisor_id"][invested]
        idle = watched.accounts.loc[other & watched.accounts["discretionary"], "account_id"].iloc[0]
        rows = pd.concat(
            [
                trades(watched, days, kind="deposit", origin="client", security="CASH", account=invested),
                trades(watched, [day + 3 for day in days], kind="buy", origin="rebalance", account=invested),
                trades(watched, days, kind="deposit", origin="client", security="CASH", account=idle),
            ],
            ignore_index=True,
        )
        patterns = found(watched, rows, "idle_cash")
        assert sorted(pattern.count for pattern in patterns) == [0, len(days)]
        assert [pattern.count for pattern in patterns if pattern.said] == [len(days)]

    def test_a_deposit_paid_out_again_or_too_young_is_not_idle(self, watched):
        days = list(range(watched.last - 800, watched.last - 100, 100))
        rows = pd.concat(
            [
                trades(watched, [*days, watched.last - 2], kind="deposit", origin="client", security="CASH"),
                trades(watched, [day + 2 for day in days], kind="withdrawal", origin="client", security="CASH"),
            ],
            ignore_index=True,
        )
        (pattern,) = found(watched, rows, "idle_cash")
        assert (pattern.count, pattern.opportunities) == (0, len(days))

    def test_no_rebalance_is_held_against_the_other_clients_who_decide(self, watched):
        accounts = watched.accounts.copy()
        accounts["model_id"] = watched.models[0]
        accounts["opened_on"] = pd.Timestamp("2015-01-02")
        households = accounts["household_id"].unique()
        accounts["discretionary"] = ~accounts["household_id"].isin(households[:5])
        mine = replace(watched, accounts=accounts)
        quarters = [watched.last - 70 * quarter for quarter in range(1, 14)]
        rows = pd.concat(
            [
                trades(mine, quarters, origin="rebalance", account=account)
                for account in accounts.loc[accounts["household_id"] != households[0], "account_id"]
            ],
            ignore_index=True,
        )
        first, *others = found(mine, rows, "no_rebalance")
        assert (first.subject, len(others)) == (households[0], 4)
        assert first.count == first.opportunities >= 10
        assert first.expected == pytest.approx(first.opportunities / 5)
        assert first.p_value == pytest.approx(0.2**first.count)
        assert first.said
        assert not any(pattern.said for pattern in others)

    def test_clients_who_all_let_trades_pass_do_not_stand_out_from_each_other(self, watched):
        accounts = watched.accounts.copy()
        accounts["model_id"] = watched.models[0]
        accounts["opened_on"] = pd.Timestamp("2015-01-02")
        households = accounts["household_id"].unique()
        accounts["discretionary"] = ~accounts["household_id"].isin(households[:5])
        mine = replace(watched, accounts=accounts)
        quarters = [watched.last - 70 * quarter for quarter in range(1, 14)]
        rows = pd.concat(
            [
                trades(mine, quarters, origin="rebalance", account=account)
                for account in accounts.loc[accounts["discretionary"], "account_id"]
            ],
            ignore_index=True,
        )
        patterns = found(mine, rows, "no_rebalance")
        assert [pattern.p_value for pattern in patterns] == pytest.approx([1.0] * 5)


class TestWhole:
    def test_nothing_traded_is_said_so(self, watched):
        habits = risk.find_patterns(watched, trades(watched, [watched.last]).head(0))
        assert habits.patterns == ()
        assert "no transaction" in habits.reason

    def test_one_session_of_prices_is_said_so(self, small, tmp_path):
        small["prices"] = small["prices"][small["prices"]["date"] == "2022-12-28"]
        firm = write_firm(tmp_path / "firm", small, "2022-12-28", check=False)
        habits = risk.find_patterns(risk.watch(firm), risk.load_trades(firm))
        assert habits.patterns == ()
        assert "too few sessions" in habits.reason

    def test_the_demo_firms_third_advisor_is_found_and_no_other(self, tmp_path):
        firm = demo.build_firm(tmp_path / "firm")
        habits = risk.find_patterns(risk.watch(firm), risk.load_trades(firm))
        advisors = {(pattern.kind, pattern.subject) for pattern in habits.said if pattern.level == "advisor"}
        assert advisors == {("sold_after_falls", "ADV3"), ("favourites", "ADV3"), ("overrides", "ADV3")}
        sold = next(pattern for pattern in habits.said if pattern.kind == "sold_after_falls")
        assert {f"{day:%Y-%m}" for day in sold.days} == {"2020-03", "2022-06"}
        assert not [p for p in habits.said if p.level == "household" and p.kind == "sold_after_falls"]

    def test_every_test_is_counted_and_said_ones_pass(self, watched, world):
        habits = risk.find_patterns(watched, risk_trades(watched))
        tested = [pattern for pattern in habits.patterns if pattern.p_value is not None]
        assert sum(habits.tests.values()) == len(tested)
        assert all(pattern.q_value >= pattern.p_value - 1e-12 for pattern in tested)
        assert all(pattern.q_value <= 0.05 for pattern in habits.said if pattern.q_value is not None)
        assert len(habits.to_frame()) == len(habits.patterns)


def risk_trades(watched):
    rng = np.random.default_rng(5)
    parts = [
        trades(watched, np.sort(rng.integers(watched.last - 1000, watched.last, 12)), origin="client", account=account)
        for account in watched.accounts["account_id"]
    ]
    return pd.concat(parts, ignore_index=True)


def pattern_sessions(watched):
    """Sessions of the five years looked at."""
    begin = watched.as_of - pd.DateOffset(years=5)
    return int((watched.sessions >= begin).sum())
