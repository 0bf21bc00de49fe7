"""Without fees vectorbt and bt give the same wealth to rounding; the kernel writes only where it may."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from workbench.backtest import BuyAndHold, Calendar, Runs, Universe, signals, simulate


def universe(sessions=500, assets=5, half_spread=0.0):
    rng = np.random.default_rng(11)
    price = 30.0 * np.exp(np.cumsum(rng.normal(2e-4, 0.012, (1, sessions, assets)), axis=1))
    return Universe(
        name="made up",
        sessions=pd.bdate_range("2016-01-01", periods=sessions),
        assets=tuple(f"A{i}" for i in range(assets)),
        price=price,
        dividend=np.zeros_like(price),
        cash_return=np.zeros((1, sessions)),
        target=np.array([0.3, 0.25, 0.2, 0.15, 0.1]),
        half_spread=np.full(assets, half_spread),
        daily_value=np.full(assets, np.inf),
    )


def ours(data, policy):
    result = simulate(data, signals(data), Runs.product([policy]), keep_returns=True)
    return np.cumprod(1.0 + result.returns[0])


def traded(data, every):
    """Sessions at which a calendar's orders are executed, the start with them."""
    return [252, *(s + 1 for s in range(253, len(data.sessions) - 1) if s % every == 0)]


@pytest.mark.parametrize("every", [1, 21, None])
def test_vectorbt_agrees_without_fees(every):
    vectorbt = pytest.importorskip("vectorbt")
    data = universe()
    frame = pd.DataFrame(data.price[0], index=data.sessions, columns=data.assets).iloc[252:]
    size = pd.DataFrame(np.nan, index=frame.index, columns=frame.columns)
    for session in traded(data, every) if every else [252]:
        size.iloc[session - 252] = data.target
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = vectorbt.Portfolio.from_orders(
            frame, size, size_type="targetpercent", group_by=True, cash_sharing=True, call_seq="auto", init_cash=1e6,
        ).value()  # fmt: skip
    mine = ours(data, Calendar(every) if every else BuyAndHold())
    np.testing.assert_allclose(mine, theirs.to_numpy()[1:] / 1e6, rtol=1e-12)


def test_bt_agrees_without_fees():
    bt = pytest.importorskip("bt")
    data = universe()
    frame = pd.DataFrame(data.price[0], index=data.sessions, columns=data.assets).iloc[252:]
    strategy = bt.Strategy(
        "calendar",
        [bt.algos.RunOnDate(*data.sessions[traded(data, 21)]), bt.algos.SelectAll(),
         bt.algos.WeighSpecified(**dict(zip(data.assets, data.target))), bt.algos.Rebalance()],
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = bt.run(bt.Backtest(strategy, frame, integer_positions=False, progress_bar=False))
    theirs = run.prices["calendar"].reindex(frame.index).to_numpy()
    np.testing.assert_allclose(ours(data, Calendar(21)), theirs[1:] / theirs[0], rtol=1e-12)


def test_with_fees_vectorbt_starts_lower_and_nothing_else():
    """vectorbt pays for its first purchase, which we leave free; from there on the paths differ by that factor only."""
    vectorbt = pytest.importorskip("vectorbt")
    data = universe(half_spread=1e-3)
    frame = pd.DataFrame(data.price[0], index=data.sessions, columns=data.assets).iloc[252:]
    size = pd.DataFrame(np.nan, index=frame.index, columns=frame.columns)
    for session in traded(data, 21):
        size.iloc[session - 252] = data.target
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = vectorbt.Portfolio.from_orders(
            frame, size, size_type="targetpercent", group_by=True, cash_sharing=True, call_seq="auto", init_cash=1e6,
            fees=1e-3,
        ).value().to_numpy()  # fmt: skip
    mine = ours(data, Calendar(21))
    assert theirs[0] < 1e6
    gap = 1e4 * (theirs[1:] / 1e6 / mine - 1.0)
    assert -12.0 < gap.min() < gap.max() < 0.0


CHECKED = """
import numpy as np
from workbench.backtest import Costs, Runs, Universe, rules, signals, simulate
import pandas as pd
rng = np.random.default_rng(0)
price = 30 * np.exp(np.cumsum(rng.normal(0, .02, (2, 300, 3)), axis=1))
price[1, 280:, 1] = 0.0
days = pd.bdate_range("2020-01-01", periods=300)
for target in ([.5, .3, .2], [.5, .3, .1]):
    data = Universe("x", days, ("A", "B", "C"), price, np.zeros_like(price), np.zeros((2, 300)), np.array(target),
                    np.full(3, 1e-3), np.full(3, 1e6))
    runs = Runs.product(rules(), delays=[1, 4], paths=[0, 1])
    for kept in (False, True):
        simulate(data, signals(data), runs, costs=Costs(impact=1.0, ticket=1.0), keep_returns=kept, keep_paths=kept)
print("inside")
"""


def test_the_kernel_stays_inside_its_arrays():
    """The kernel run as plain Python, where numpy checks every index; in a process of its own."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHECKED], capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == "inside", done.stderr[-2000:]
