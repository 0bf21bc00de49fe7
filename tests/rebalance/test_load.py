"""From tables to households: lots that match their positions and lots that do not, profiles, and distributions due."""

import numpy as np
import pandas as pd
import pytest

from workbench.errors import FirmDataError
from workbench.firm import write_firm
from workbench.rebalance.load import NO_LOT, load
from workbench.rebalance.settings import Settings

AS_OF = "2022-12-28"


@pytest.fixture
def book_of(tmp_path):
    def made(tables, as_of=AS_OF):
        return load(write_firm(tmp_path / "firm", tables, as_of, check=False), settings=Settings())

    return made


def lots_of(book, account, security):
    home = book.household(0)
    place = home.accounts.ids.index(account)
    first, last = home.account_ptr[place], home.account_ptr[place + 1]
    holding = first + np.flatnonzero(home.security[first:last] == home.market.code[security])[0]
    rows = slice(home.lots.holding_ptr[holding], home.lots.holding_ptr[holding + 1])
    return [(str(i), float(q), float(b)) for i, q, b in
            zip(home.lots.ids[rows], home.lots.quantity[rows], home.lots.basis[rows], strict=True)]  # fmt: skip


def test_lots_come_with_their_position(small, book_of):
    book = book_of(small)
    assert lots_of(book, "A1", "AAA") == [("L1", 60.0, 10.0)]
    assert book.unmatched_lots == 0
    np.testing.assert_allclose(book.household(0).accounts.cash, [60.0, 100.0])


def test_an_account_without_lots_has_shares_of_no_lot(small, book_of):
    small["lots"] = small["lots"].iloc[:1]
    [(name, quantity, basis)] = lots_of(book_of(small), "A1", "BBB")
    assert (name, quantity) == (NO_LOT, 10.0)
    assert np.isnan(basis)


def test_lots_of_no_position_are_left_out_and_counted(small, book_of):
    lost = small["lots"].iloc[[0]].assign(lot_id="L9", account_id="A2")
    small["lots"] = pd.concat([small["lots"], lost], ignore_index=True)
    book = book_of(small)
    assert book.unmatched_lots == 1
    assert len(book.lot_quantity) == 2


def test_the_youngest_lots_give_way_where_lots_exceed_the_position(small, book_of):
    young = small["lots"].iloc[[0]].assign(lot_id="L0", acquired_on=pd.Timestamp("2022-12-27"), quantity=5.0)
    small["lots"] = pd.concat([young, small["lots"]], ignore_index=True)
    assert [(name, shares) for name, shares, _ in lots_of(book_of(small), "A1", "AAA")] == [("L1", 60.0), ("L0", 0.0)]


def test_a_lot_that_cost_nothing_and_is_not_covered_has_no_basis(small, book_of):
    small["lots"] = small["lots"].assign(cost_per_share=[0.0, 0.0], covered=[False, True])
    book = book_of(small)
    assert np.isnan(lots_of(book, "A1", "AAA")[0][2])
    assert lots_of(book, "A1", "BBB")[0][2] == 0.0


def test_the_wash_adjustment_is_spread_over_the_shares(small, book_of):
    small["lots"] = small["lots"].assign(wash_adjustment=[120.0, 0.0])
    assert lots_of(book_of(small), "A1", "AAA")[0][2] == pytest.approx(12.0)


@pytest.mark.parametrize(
    ("wanted", "apart"), [(["A2"], [False, True]), (["taxable"], [True, False]), ([], [False, False])]
)
def test_the_profile_keeps_accounts_apart(small, book_of, wanted, apart):
    small["profiles"] = pd.DataFrame({"household_id": ["H1"], "kept_apart": [wanted]})
    assert book_of(small).household(0).accounts.kept_apart.tolist() == apart


def test_a_custodian_that_is_not_listed_is_named(small, book_of):
    small["accounts"] = small["accounts"].assign(custodian_id="CUS9")
    with pytest.raises(FirmDataError, match="CUS9"):
        book_of(small)


def test_a_distribution_due_is_asked_of_the_owners_account(small, book_of):
    # 100 dollars on 31 December 2022, owner aged 78 in 2023: 100 / 22.0 (26 CFR 1.401(a)(9)-9(c)).
    born = pd.to_datetime(["1970-05-01", "1945-03-01"])
    small["accounts"] = small["accounts"].assign(registration=["taxable", "traditional_ira"], owner_birth_date=born)
    due = [need for need in book_of(small, "2023-01-31").household(0).needs if need.kind == "rmd"]
    assert [(need.account, need.by.isoformat()) for need in due] == [(1, "2023-12-31")]
    assert due[0].amount == pytest.approx(100.0 / 22.0, abs=0.01)


def test_no_distribution_is_due_from_the_young_or_the_untaxed(small, book_of):
    assert not book_of(small, "2023-01-31").household(0).needs


def test_an_earlier_day_without_the_years_gains_is_refused_with_its_remedy(small, tmp_path):
    from workbench.firm import at

    firm = at(write_firm(tmp_path / "firm", small, AS_OF, check=False), "2022-12-27")
    with pytest.raises(FirmDataError) as caught:
        load(firm)
    for said in ("1 of 1 households, H1 first", "2022-12-27", "the snapshot of 2022-12-28", "seal a snapshot"):
        assert said in str(caught.value)
    assert len(load(firm, with_gains=False)) == 1


@pytest.mark.parametrize("column", ["realised_short", "realised_long", "carryforward_short", "carryforward_long"])
def test_a_gain_missing_on_the_snapshots_own_day_is_refused(small, book_of, column):
    small["households"] = small["households"].assign(**{column: np.nan})
    with pytest.raises(FirmDataError, match="H1 first, have no realised gains or losses carried forward"):
        book_of(small)
