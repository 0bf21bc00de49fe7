"""Every household of a firm at once: the same orders however the work is split, and those of each household alone."""

import numpy as np
import pytest

from workbench.firm import open_firm
from workbench.firm.demo import build_firm
from workbench.rebalance import blocks
from workbench.rebalance.firm_orders import FirmOrders, solve_firm
from workbench.rebalance.load import load
from workbench.rebalance.settings import Settings
from workbench.rebalance.solve import solve_household

FIELDS = FirmOrders.__dataclass_fields__


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    build_firm(folder := tmp_path_factory.mktemp("orders") / "firm", seed=7, as_of="2022-12-28", accounts=24)
    return load(open_firm(folder), settings=Settings())


@pytest.fixture(scope="module")
def alone(book):
    return solve_firm(book, Settings())


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in FIELDS)


@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_the_split_changes_nothing(book, alone, chunk):
    assert same(solve_firm(book, Settings(), chunk=chunk), alone)


def test_two_workers_give_the_orders_of_one_to_the_bit(book, alone):
    assert same(solve_firm(book, Settings(), workers=2, chunk=4), alone)
    one, two = (blocks(orders.to_frame(book)) for orders in (alone, solve_firm(book, Settings(), workers=2, chunk=4)))
    assert one.equals(two)


def test_each_household_trades_what_it_trades_alone(book, alone):
    at = 0
    for i in range(len(book)):
        solved = solve_household(book.household(i), Settings())
        count = 0 if solved is None else len(solved.orders)
        if count:
            rows = slice(at, at + count)
            np.testing.assert_array_equal(alone.shares[rows], solved.orders.shares)
            np.testing.assert_array_equal(alone.account[rows], solved.orders.account + book.household_ptr[i])
        at += count
    assert at == len(alone) > 0


def test_blocks_hold_every_share_ordered(book, alone):
    frame = alone.to_frame(book)
    total = blocks(frame)
    assert total["shares"].sum() == pytest.approx(np.abs(alone.shares).sum(), abs=1e-6)
    assert total["amount"].sum() == pytest.approx(alone.amount.sum(), abs=0.01)


def test_no_account_sells_more_than_it_holds(book, alone):
    for account, security, shares in zip(alone.account, alone.security, alone.shares):
        rows = slice(book.account_ptr[account], book.account_ptr[account + 1])
        held = book.quantity[rows][book.security[rows] == security].sum()
        assert held + shares >= -1e-6
