"""Linking: effects add up to the compounded excess, whatever the returns; published examples and limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.attribution import cumulative, link
from workbench.errors import ParameterError

METHODS = ["carino", "menchero", "frongello"]
RETURNS = st.floats(-0.6, 1.5)


@st.composite
def histories(draw, effects=3):
    """Rows (T, K) and both returns (T) whose difference the rows sum to; some periods have no excess."""
    periods = draw(st.integers(1, 12))
    column = st.lists(RETURNS, min_size=periods, max_size=periods)
    benchmark = np.array(draw(column))
    portfolio = np.where(draw(st.lists(st.booleans(), min_size=periods, max_size=periods)), draw(column), benchmark)
    rows = np.array([draw(column) for _ in range(effects)]).T
    rows[:, -1] = portfolio - benchmark - rows[:, :-1].sum(axis=1)
    return rows, portfolio, benchmark


def size(rows, portfolio, benchmark):
    """The scale of the sums, for rounding."""
    return np.prod(1 + np.maximum(portfolio, benchmark)) * (1 + np.abs(rows).sum())


@pytest.mark.parametrize("method", METHODS)
@given(histories())
@settings(max_examples=150, deadline=None)
def test_linked_effects_add_up_to_the_compounded_excess(method, history):
    rows, portfolio, benchmark = history
    linked = link(rows, portfolio, benchmark, method)
    assert linked.excess == pytest.approx(np.prod(1 + portfolio) - np.prod(1 + benchmark), abs=1e-12)
    assert linked.residual == pytest.approx(0, abs=1e-13 * max(1, size(*history)))
    assert linked.effects.sum() + linked.residual == pytest.approx(linked.excess, abs=1e-12 * size(*history))


@pytest.mark.parametrize("method", METHODS)
@given(histories())
@settings(max_examples=60, deadline=None)
def test_cumulative_is_the_linking_of_every_horizon(method, history):
    rows, portfolio, benchmark = history
    path = cumulative(rows, portfolio, benchmark, method)
    for t in range(len(rows)):
        horizon = link(rows[: t + 1], portfolio[: t + 1], benchmark[: t + 1], method)
        np.testing.assert_allclose(path.effects[t], horizon.effects, rtol=1e-9, atol=1e-12 * size(*history))
        assert path.residual[t] == pytest.approx(0, abs=1e-12 * max(1, size(*history)))


@given(histories())
def test_frongello_is_grap(history):
    """GRAP (1997): period t's effect grows with the portfolio before t and with the benchmark after it."""
    rows, portfolio, benchmark = history
    grap = [np.prod(1 + portfolio[:t]) * np.prod(1 + benchmark[t + 1 :]) for t in range(len(rows))]
    linked = link(rows, portfolio, benchmark, "frongello")
    np.testing.assert_allclose(linked.factors, grap, rtol=1e-12)
    recursion, growth = np.zeros(rows.shape[1]), 1.0  # F_t = G_t prod(1 + R before) + B_t sum(F before), Frongello 2002
    for t in range(len(rows)):
        recursion = recursion + rows[t] * growth + benchmark[t] * recursion
        growth *= 1 + portfolio[t]
    np.testing.assert_allclose(linked.effects, recursion, rtol=1e-9, atol=1e-12 * size(*history))


@given(histories())
@settings(max_examples=60, deadline=None)
def test_frongellos_history_stays_and_the_others_shift(history):
    rows, portfolio, benchmark = history
    longer = [np.append(side, side[-1:], axis=0) for side in (rows, portfolio, benchmark)]
    before, after = cumulative(*history, "frongello"), cumulative(*longer, "frongello")
    np.testing.assert_array_equal(after.effects[:-1], before.effects)


@pytest.mark.parametrize("method", METHODS)
@given(histories(), st.permutations([0, 1, 2]))
@settings(max_examples=30, deadline=None)
def test_the_order_of_effects_is_irrelevant(method, history, order):
    rows, portfolio, benchmark = history
    mixed = link(rows[:, order], portfolio, benchmark, method).effects
    np.testing.assert_array_equal(mixed, link(rows, portfolio, benchmark, method).effects[list(order)])


@pytest.mark.parametrize("method", ["carino", "menchero"])
@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_carino_and_menchero_do_not_depend_on_the_order_of_periods(method, history, random):
    order = list(range(len(history[0])))
    random.shuffle(order)
    mixed = link(*(side[order] for side in history), method).effects
    np.testing.assert_allclose(mixed, link(*history, method).effects, rtol=1e-9, atol=1e-12 * size(*history))


@pytest.mark.parametrize("method", METHODS)
@given(histories())
@settings(max_examples=30, deadline=None)
def test_small_returns_simply_add(method, history):
    tiny = [side * 1e-7 for side in history]
    np.testing.assert_allclose(link(*tiny, method).effects, tiny[0].sum(axis=0), rtol=1e-4, atol=1e-11)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("gap", [0.0, 1e-300, 1e-17, 1e-15, 1e-12, 1e-9, 1e-6])
def test_nearly_equal_returns_go_smoothly_to_the_limit(method, gap):
    """Offsetting effects beside an excess that vanishes: factors must not be noise over noise."""
    benchmark = np.array([0.05, -0.3, 0.2])
    rows = np.column_stack([[0.01, 0.02, -0.03], [-0.01 + gap, -0.02 + gap, 0.03 + gap]])
    portfolio = benchmark + gap
    linked = link(rows, portfolio, benchmark, method)
    level = link(np.column_stack([rows[:, 0], -rows[:, 0]]), benchmark, benchmark, method)
    if method != "menchero" or gap == 0:  # Menchero's a_t jumps at zero excess: its limit depends on the direction
        np.testing.assert_allclose(linked.effects, level.effects, rtol=0, atol=10 * gap + 1e-15)
    assert np.abs(linked.factors).max() < 2
    assert abs(linked.residual) < 1e-15


def test_carinos_factor_at_equal_returns_is_its_limit():
    linked = link([[0.01, -0.01], [0.004, 0.006]], [0.05, 0.02], [0.05, 0.01])
    whole = (np.log(1.071) - np.log(1.0605)) / (1.071 - 1.0605)
    assert linked.factors[0] == pytest.approx(1 / 1.05 / whole, abs=1e-14)


def test_mencheros_natural_scaling_at_equal_compounded_returns():
    """Different periods that compound to the same: M is (1 + R)^((T - 1)/T)."""
    portfolio, benchmark = np.array([0.1, 0.05]), np.array([0.05, 0.1])
    linked = link((portfolio - benchmark)[:, None], portfolio, benchmark, "menchero")
    np.testing.assert_allclose(linked.factors, (1.1 * 1.05) ** 0.5, rtol=1e-14)
    assert linked.effects[0] == pytest.approx(0, abs=1e-16)


@pytest.mark.parametrize("method", METHODS)
def test_one_period_is_left_as_it_is(method):
    linked = link([[0.03, -0.01]], [0.12], [0.1], method)
    np.testing.assert_allclose(linked.effects, [0.03, -0.01], rtol=1e-14)
    np.testing.assert_allclose(linked.factors, [1.0], rtol=1e-14)


def test_frongellos_three_periods():
    """Frongello, "Attribution Linking: Proofed and Clarified" (2002), Table 3: 57.39475 % of 88.9805 %."""
    portfolio, benchmark = [0.33, 0.40, 0.07], [-0.15, 0.19, 0.09]
    allocation = [0.2 * -0.25 - 0.2 * -0.05, 0.05 * 0.1 - 0.05 * 0.2, 0.85 * 0.45 - 0.85 * 0.05]
    rows = np.column_stack([allocation, np.subtract(portfolio, benchmark) - allocation])
    linked = link(rows, portfolio, benchmark, "frongello")
    assert linked.effects[0] == pytest.approx(0.5739475, abs=1e-12)
    assert linked.excess == pytest.approx(0.889805, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_equal_periods_have_the_same_shares_in_every_method(method):
    """Frongello (2002), Table 2: three alike periods give 37.5 % allocation and 62.5 % selection."""
    linked = link([[0.006, 0.010]] * 3, [0.054] * 3, [0.038] * 3, method)
    np.testing.assert_allclose(linked.effects / linked.excess, [0.375, 0.625], rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_periods_without_the_account_are_left_out(method):
    rng = np.random.default_rng(1)
    benchmark, portfolio = rng.normal(0, 0.05, 6), rng.normal(0, 0.05, (2, 6))
    rows = (portfolio - benchmark)[..., None] * [0.4, 0.6]
    present = np.ones((2, 6), dtype=bool)
    present[1, :2] = False
    portfolio[1, :2], rows[1, :2] = np.nan, np.nan
    both = link(rows, portfolio, benchmark, method, present=present)
    alone = link(rows[1, 2:], portfolio[1, 2:], benchmark[2:], method)
    np.testing.assert_allclose(both.effects[1], alone.effects, rtol=1e-13)
    assert both.excess[1] == pytest.approx(alone.excess, abs=1e-15)
    path = cumulative(rows, portfolio, benchmark, method, present=present)
    np.testing.assert_allclose(path.effects[1, -1], alone.effects, rtol=1e-12)
    assert (path.effects[1, :2] == 0).all()


def test_a_residual_is_shown_and_not_spread():
    linked = link([[0.01], [0.01]], [0.03, 0.03], [0.01, 0.01])
    assert linked.residual == pytest.approx(linked.excess - linked.effects.sum())
    assert linked.residual == pytest.approx(linked.excess / 2)


def test_a_total_loss():
    rows, portfolio, benchmark = [[0.02], [-1.05]], [0.04, -1.0], [0.02, 0.05]
    for method in ("menchero", "frongello"):
        assert link(rows, portfolio, benchmark, method).residual == pytest.approx(0, abs=1e-15)
    with pytest.raises(ParameterError, match=r'portfolio return of account 0, period 1 is -1: "carino".*"frongello"'):
        link(rows, portfolio, benchmark)
    with pytest.raises(ParameterError, match="benchmark return of account 0, period 0 is"):
        link([[1.3]], [0.1], [-1.2], "menchero")
    assert link([[-1.5], [0.1]], [-1.5, 0.1], [0.0, 0.0], "frongello").residual == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.1], [0.1]], [0.1], [0.0, 0.0]), r"portfolio has shape \(1,\) where rows have 1 account\(s\) of 2"),
        (([[0.1]], [0.1], [0.0, 0.0]), "benchmark has shape"),
        (([0.1], [0.1], [0.0]), "rows has 1 axes"),
        (([[np.nan]], [0.1], [0.0]), "rows of account 0, period 0 is not a finite number"),
        (([[0.1]], [np.inf], [0.0]), "portfolio of account 0"),
        (([[0.1]], [0.1], [0.0], "log"), "linking 'log' is unknown; use one of carino, menchero, frongello"),
        ((np.zeros((0, 2)), [], []), "no period to link"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        link(*arguments)
