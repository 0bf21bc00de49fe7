import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import FirmDataError, ParameterError
from workbench.tax import relieve

SOLD = pd.Timestamp("2025-06-02")


def lots_of(*rows, sale="S"):
    frame = pd.DataFrame(rows, columns=["lot_id", "shares", "basis", "days_held"])
    frame["holding_start"] = SOLD - pd.to_timedelta(frame.pop("days_held"), "D")
    return frame.assign(sale_id=sale)


def sale_of(shares, price=10.0, sale="S"):
    return pd.DataFrame({"sale_id": [sale], "shares": [float(shares)], "price": [price], "sold_on": [SOLD]})


THREE = lots_of(("A", 10.0, 12.0, 100), ("B", 10.0, 8.0, 800), ("C", 10.0, 15.0, 500))


@pytest.mark.parametrize(
    ("method", "order"),
    [("fifo", "BCA"), ("lifo", "ACB"), ("highest_cost", "CAB"), ("min_tax", "CAB")],
)
def test_each_method_has_its_order(method, order):
    taken = relieve(THREE, sale_of(25), method, short_rate=0.4, long_rate=0.2)
    assert "".join(taken["lot_id"]) == order
    assert taken["shares"].tolist() == [10, 10, 5]


def test_least_tax_is_not_highest_cost():
    lots = lots_of(("SHORT", 10.0, 9.0, 100), ("LONG", 10.0, 8.5, 800))
    assert relieve(lots, sale_of(10), "highest_cost")["lot_id"].tolist() == ["SHORT"]
    # 0.40 x 1.00 a share against 0.20 x 1.50
    taken = relieve(lots, sale_of(10), "min_tax", short_rate=0.4, long_rate=0.2)
    assert taken["lot_id"].tolist() == ["LONG"]
    assert taken["tax"].sum() == pytest.approx(3.0)


def test_a_short_term_loss_goes_before_a_larger_long_term_one():
    lots = lots_of(("LONG", 10.0, 14.0, 800), ("SHORT", 10.0, 13.0, 100))
    assert relieve(lots, sale_of(10), "min_tax", short_rate=0.4, long_rate=0.2)["lot_id"].tolist() == ["SHORT"]


def test_ties_go_by_date_then_by_name():
    lots = lots_of(("Z", 1.0, 5.0, 50), ("B", 1.0, 5.0, 40), ("A", 1.0, 5.0, 40))
    for method in ("highest_cost", "min_tax", "fifo"):
        taken = relieve(lots.sample(frac=1, random_state=3), sale_of(3), method, short_rate=0.4, long_rate=0.2)
        assert taken["lot_id"].tolist() == ["Z", "A", "B"]


def test_specific_lots_in_the_order_given_and_no_others():
    lots = THREE.assign(rank=[2.0, np.nan, 1.0])
    assert relieve(lots, sale_of(15), "specific")[["lot_id", "shares"]].values.tolist() == [["C", 10], ["A", 5]]
    with pytest.raises(FirmDataError, match="more shares"):
        relieve(lots, sale_of(25), "specific")


def test_first_in_goes_by_purchase_not_by_the_tacked_period():
    lots = lots_of(("A", 10.0, 12.0, 900), ("B", 10.0, 8.0, 800))
    lots["acquired_on"] = [SOLD - pd.Timedelta(days=10), SOLD - pd.Timedelta(days=800)]
    assert relieve(lots, sale_of(5), "fifo")["lot_id"].tolist() == ["B"]


def test_an_unknown_basis_comes_last():
    lots = lots_of(("A", 10.0, np.nan, 100), ("B", 10.0, 1.0, 100))
    for method in ("highest_cost", "min_tax"):
        taken = relieve(lots, sale_of(15), method, short_rate=0.4, long_rate=0.2)
        assert taken["lot_id"].tolist() == ["B", "A"]
        assert np.isnan(taken["gain"].iloc[1])


def test_many_sales_at_once_equal_each_alone():
    lots = pd.concat([THREE, THREE.assign(sale_id="T", basis=[1.0, 2.0, 3.0])])
    sales = pd.concat([sale_of(5, sale="T"), sale_of(25)])
    both = relieve(lots, sales, "min_tax", short_rate=np.array([0.4, 0.3]), long_rate=0.2)
    alone = [
        relieve(lots, sale_of(5, sale="T"), "min_tax", short_rate=0.4, long_rate=0.2),
        relieve(lots, sale_of(25), "min_tax", short_rate=0.3, long_rate=0.2),
    ]
    pd.testing.assert_frame_equal(both, pd.concat(alone, ignore_index=True))


def test_bad_requests_are_refused_by_name():
    with pytest.raises(FirmDataError) as error:
        relieve(THREE, sale_of(31), "fifo")
    assert error.value.rows[0].key == "S"
    with pytest.raises(ParameterError, match="hifo"):
        relieve(THREE, sale_of(1), "hifo")
    with pytest.raises(ParameterError, match="rates on gains"):
        relieve(THREE, sale_of(1), "min_tax")


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(5, 15), st.sampled_from([100, 800])), min_size=1, max_size=5),
    st.data(),
)
def test_no_other_choice_of_whole_shares_costs_less_tax(rows, data):
    lots = lots_of(*((f"L{i}", float(n), float(b), d) for i, (n, b, d) in enumerate(rows)))
    wanted = data.draw(st.integers(1, sum(n for n, _, _ in rows)))
    found = relieve(lots, sale_of(wanted), "min_tax", short_rate=0.4, long_rate=0.2)
    per_share = [(0.4 if d < 366 else 0.2) * (10 - b) for n, b, d in rows for _ in range(n)]
    best = min(sum(choice) for choice in itertools.combinations(per_share, wanted))
    assert found["tax"].sum() == pytest.approx(best)
    assert found["shares"].sum() == pytest.approx(wanted)
