"""Stand-ins for a policy are judged by what they cost in the same engine, and recover what they can express."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from workbench.backtest import Band, Calendar, Quadratic, gbm, signals
from workbench.errors import ParameterError
from workbench.learning import surrogate


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
        wanted = surrogate._after(look, row)
        np.testing.assert_array_equal(look.weight if node is None else node, look.weight if wanted is None else wanted)
    sentences = tree.sentences((*market[0].assets, "cash"))
    assert len(sentences) == model.get_n_leaves() <= 16
    assert sum(int(sentence.rsplit("(", 1)[1].split()[0]) for sentence in sentences) == len(seen.seen)


def test_stand_ins_always_answer_with_portfolios(market, seen):
    for stand_in in (surrogate.fit_linear(seen, Quadratic(0.45)), surrogate.fit_tree(seen, Quadratic(0.45))):
        found = surrogate.fidelity(*market, Quadratic(0.45), stand_in, first=1000)  # the engine refuses anything else
        assert found.surrogate_bp > 0
        assert found.sentence.startswith(stand_in.name)


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
