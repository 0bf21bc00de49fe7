"""Stand-ins for a policy are judged by what they cost in the same engine, and recover what they can express."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from workbench.backtest import Band, Calendar, Quadratic, gbm, signals
from workbench.errors import ParameterError
from workbench.learning import stand_in, surrogate


@pytest.fixture(scope="module")
def market():
    covariance = np.array([[0.03, 0.01, 0.0], [0.01, 0.04, 0.0], [0.0, 0.0, 0.004]])
    universe = gbm(np.array([0.08, 0.07, 0.03]), covariance, np.array([0.4, 0.2, 0.3]), paths=1, sessions=1500, seed=3)
    return universe, signals(universe)


@pytest.fixture(scope="module")
def seen(market):
    return surrogate.looks(*market, Quadratic(0.45), offsets=(0, 7, 14), first=300, last=1000)


class Half:
    """Half way back to the target: a line."""

    name, every = "half way", 21

    def decide(self, seen):
        return 0.5 * (seen.weight + seen.target)


def test_a_line_is_recovered_by_the_line(market):
    looks = surrogate.looks(*market, Half(), first=300, last=1000)
    line = surrogate.fit_linear(looks, Half())
    found = surrogate.fidelity(*market, Half(), line, first=1000)
    assert found.action_r2 > 0.99
    assert found.path_bp < 1.0
    assert found.advantage == pytest.approx(0.0, abs=0.02)


def test_features_are_named_in_order(market, seen):
    universe, given = market
    assert seen.features.shape == (len(seen.seen), len(seen.names))
    assert seen.names[:4] == (*(f"drift of {name}" for name in universe.assets), "drift of cash")
    one = seen.seen[5]
    assert surrogate.features(one)[seen.names.index("market trend")] == one.market[given.market_names.index("trend")]
    place = seen.names.index(f"trend of {universe.assets[1]}")
    assert surrogate.features(one)[place] == one.asset[given.asset_names.index("trend"), 1]


def test_the_tree_is_sklearns(market, seen):
    tree = surrogate.fit_tree(seen, Quadratic(0.45))
    model = DecisionTreeRegressor(max_depth=4, min_samples_leaf=5, random_state=0).fit(seen.features, seen.trades)
    for row, look in zip(model.predict(seen.features), seen.seen):
        node = tree.decide(look)
        wanted = stand_in._after(look, row)
        np.testing.assert_array_equal(look.weight if node is None else node, look.weight if wanted is None else wanted)
    sentences = tree.sentences((*market[0].assets, "cash"))
    assert len(sentences) == model.get_n_leaves() <= 16
    assert sum(int(sentence.rsplit("(", 1)[1].split()[0]) for sentence in sentences) == len(seen.seen)


def test_stand_ins_always_answer_with_portfolios(market, seen):
    for fitted in (surrogate.fit_linear(seen, Quadratic(0.45)), surrogate.fit_tree(seen, Quadratic(0.45))):
        found = surrogate.fidelity(*market, Quadratic(0.45), fitted, first=1000)  # the engine refuses anything else
        assert found.surrogate_bp > 0
        assert found.sentence.startswith(fitted.name)


def test_a_policy_that_is_a_rule_of_one_number_is_found_out(market):
    best = surrogate.one_number(*market, first=300, last=1000)
    found = surrogate.fidelity(*market, Quadratic(0.45), best, first=1000)
    assert found.advantage < 0.01  # the kill criterion: no better than its own stand-in


def test_a_better_policy_shows_its_advantage(market):
    found = surrogate.fidelity(*market, Quadratic(0.45), Calendar(5), first=300)
    assert found.advantage > 0.3
    assert found.advantage == pytest.approx((found.surrogate_bp - found.policy_bp) / found.surrogate_bp)


def test_a_policy_stands_in_for_itself_without_loss(market):
    found = surrogate.fidelity(*market, Quadratic(0.45), Quadratic(0.45), first=300)
    assert (found.advantage, found.path_bp, found.action_r2) == (
        pytest.approx(0.0, abs=1e-9),
        pytest.approx(0.0, abs=1e-6),
        pytest.approx(1.0),
    )


def test_where_nothing_is_traded_nothing_can_be_explained(market):
    found = surrogate.fidelity(*market, Band(0.9), Calendar(21), first=1000)
    assert np.isnan(found.action_r2)


def test_the_same_looks_give_the_same_stand_ins(seen):
    policy = Quadratic(0.45)
    first, second = surrogate.fit_tree(seen, policy), surrogate.fit_tree(seen, policy)
    assert first.feature == second.feature
    np.testing.assert_array_equal(first.threshold, second.threshold)
    np.testing.assert_array_equal(
        surrogate.fit_linear(seen, policy).coefficients, surrogate.fit_linear(seen, policy).coefficients
    )


def test_no_looks_are_refused(market):
    with pytest.raises(ParameterError, match="never looked"):
        surrogate.looks(*market, Calendar(252), offsets=(100,), first=300, last=340)


def test_each_window_has_its_three_stand_ins(market):
    from workbench.backtest.evidence import Window

    cut = [Window((300, 500), (530, 700), (730, 900)), Window((400, 600), (630, 800), (830, 1000))]
    policies = [Quadratic(0.45), Quadratic(0.6)]
    found = surrogate.by_window(*market, policies, cut)
    assert [one.surrogate.split()[0] for one in found[:2]] == ["line", "tree"]
    assert [one.policy for one in found] == [policy.name for policy in policies for _ in range(3)]
    sessions = market[0].sessions
    assert (found[0].first, found[0].last) == (str(sessions[731].date()), str(sessions[899].date()))
    assert surrogate.to_frame(found)["advantage"].notna().all()
    with pytest.raises(ParameterError, match="one a window"):
        surrogate.by_window(*market, policies[:1], cut)


def test_what_comes_after_training_does_not_change_a_stand_in(market):
    """Every price after the training window is replaced: line, tree and rule of one number stay the same to the bit."""
    from dataclasses import replace

    universe, given = market
    price = universe.price.copy()
    price[:, 1001:] *= np.linspace(1, 3, price.shape[1] - 1001)[None, :, None]
    other = replace(universe, price=price)
    policy = Quadratic(0.45)
    made = []
    for one in ((universe, given), (other, signals(other))):
        seen = surrogate.looks(*one, policy, first=300, last=1000)
        made.append((surrogate.fit_linear(seen, policy), surrogate.one_number(*one, first=300, last=1000)))
    np.testing.assert_array_equal(made[0][0].coefficients, made[1][0].coefficients)
    assert made[0][1] == made[1][1]
