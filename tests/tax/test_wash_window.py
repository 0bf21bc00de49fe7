"""Trades matched as they come are matched as over the whole history, to the bit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.tax import WashWindow, match_wash_sales

STEPS = st.lists(
    st.tuples(
        st.booleans(),  # bought or sold
        st.integers(0, 25),  # days on
        st.integers(0, 1),  # account, the second not taxed
        st.integers(0, 1),  # security, both substantially identical
        st.integers(1, 40),  # shares, or fortieths of a lot
        st.integers(60, 140),  # price
        st.booleans(),  # matched now
    ),
    min_size=2,
    max_size=40,
)


class Life:
    """Trades put into a window and into a frame."""

    def __init__(self):
        self.window, self.rows, self.held, self.blocks = WashWindow(), [], {}, []

    def step(self, day, buys, account, security, size, price):
        name = f"L{len(self.rows):03d}"
        if not buys:
            mine = [lot for lot, (a, s, left) in self.held.items() if (a, s) == (account, security) and left > 1e-6]
            if not mine:
                return
            name = mine[size % len(mine)]
            size = self.held[name][2] * size / 40
        self.held[name] = (account, security, self.held.get(name, (0, 0, 0.0))[2] + (size if buys else -size))
        self.rows.append(
            {"account_id": account, "security_id": security, "trade_date": np.datetime64(day, "D"), "lot_id": name,
             "side": "buy" if buys else "sell", "shares": size, "total": size * price, "wash_group": "all",
             "taxed": account == 0}
        )  # fmt: skip
        if buys:
            self.window.buy(day, account, security, name, size, size * price, account == 0)
        else:
            self.window.sell(day, name, size, size * price)

    def match(self, day):
        final = [block for block in self.blocks if block.day < self.window.final_before]
        found, parts = self.window.match(day)
        self.blocks = final + found
        return parts


@given(STEPS)
@settings(max_examples=60)
def test_a_window_finds_what_the_whole_history_does(steps):
    life, day = Life(), 18_000
    for buys, days, account, security, size, price, matched in steps:
        day += days
        life.step(day, buys, account, security, size, price)
        if not (matched and life.rows):
            continue
        parts = life.match(day)
        whole = match_wash_sales(pd.DataFrame(life.rows))
        for name in ("gain", "recognised", "disallowed", "permanent"):
            assert [getattr(block, name) for block in life.blocks] == whole.blocks[name].tolist()
        starts = np.array([block.start for block in life.blocks], np.int64).astype("datetime64[D]")
        assert (starts == whole.blocks["holding_start"].to_numpy()).all()
        assert [part.lot_id for part in parts] == whole.open_lots["lot_id"].tolist()
        assert [part.shares for part in parts] == whole.open_lots["shares"].tolist()
        assert [part.basis * part.shares for part in parts] == whole.open_lots["basis"].tolist()
        assert [part.replacement for part in parts] == whole.open_lots["replacement"].tolist()


def test_a_trade_before_the_window_is_refused():
    window = WashWindow()
    window.buy(100, "A", "S", "L1", 10.0, 1000.0, True)
    window.match(200)
    with pytest.raises(ParameterError, match="comes too late"):
        window.sell(169, "L1", 1.0, 90.0)
    window.sell(170, "L1", 1.0, 90.0)
