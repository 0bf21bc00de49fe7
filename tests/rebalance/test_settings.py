"""Settings refuse what cannot be meant, and say all that they are."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.rebalance import Settings
from workbench.rebalance._tax_year import marginal, tax_of
from workbench.rebalance.household import TaxPosition
from workbench.tax import GainRates, loss_limit, tax_of_year

PAGE = Path(__file__).parents[2] / "docs" / "rebalance.md"


@pytest.mark.parametrize(
    ("field", "value"),
    [("mode", "sideways"), ("minimum_trade", -1.0), ("minimum_weight", float("nan")), ("location", 1),
     ("kept_apart", ("savings",)), ("location_costs", (("Bonds", 0.1),)), ("transition_years", 0),
     ("location_hurdle", 2.0), ("wash", "never"), ("risk_aversion", True)],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_name(field, value):
    with pytest.raises(ParameterError) as error:
        Settings(**{field: value})
    assert error.value.args[0].startswith(field)


def test_a_name_that_is_no_setting_is_refused():
    with pytest.raises(ParameterError, match="no setting is called 'minimum_trad'"):
        Settings.of({"minimum_trad": 5})


def test_lists_of_a_file_become_tuples(tmp_path):
    path = tmp_path / "policy.yml"
    path.write_text("mode: harvest\nkept_apart: [trust]\nlocation_costs: [[Bonds, 0.01, 0.0, 0.0]]\n", encoding="utf-8")
    read = Settings.read(path)
    assert read == Settings(mode="harvest", kept_apart=("trust",), location_costs=(("Bonds", 0.01, 0.0, 0.0),))
    assert hash(read) == hash(Settings.of({"mode": "harvest", "kept_apart": ["trust"],
                                           "location_costs": [["Bonds", 0.01, 0.0, 0.0]]}))  # fmt: skip


def test_the_least_trade_grows_with_the_account_and_its_ticket_but_not_for_an_index():
    value, fee = np.array([10_000.0, 1_000_000.0, 10_000.0]), np.array([0.0, 0.0, 9.0])
    policy = {"minimum_trade": 500.0, "minimum_weight": 0.005, "fee_hurdle": 0.005}
    assert Settings(**policy).least_trade(value, fee).tolist() == [500.0, 5000.0, 1800.0]
    assert Settings(mode="direct_index", **policy).least_trade(value, fee).tolist() == [500.0, 500.0, 1800.0]


def test_the_page_names_every_setting_and_its_default():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE.read_text(encoding="utf-8"), re.M))
    for field in fields(Settings):
        default = getattr(Settings(), field.name)
        assert field.name in rows, f"docs/rebalance.md does not name {field.name}"
        if isinstance(default, bool) or default is None or isinstance(default, str):
            assert rows[field.name] == f"`{'none' if default is None else str(default).lower()}`", field.name
        elif isinstance(default, int | float):
            assert float(rows[field.name].strip("`")) == default, field.name


_MONEY = st.one_of(st.just(0.0), st.floats(-2e5, 2e5).map(lambda v: round(v, 2)), st.sampled_from([3000.0, -3000.0]))
_LOSS = st.one_of(st.just(0.0), st.floats(0, 1e5).map(lambda v: round(v, 2)))


@hypothesis_settings(max_examples=1500, deadline=None, derandomize=True)
@given(short=_MONEY, long=_MONEY, realised=st.tuples(_MONEY, _MONEY), carried=st.tuples(_LOSS, _LOSS),
       status=st.sampled_from(["single", "joint", "head", "separate"]), value=st.floats(0, 1))  # fmt: skip
def test_the_year_in_plain_numbers_is_the_year_of_the_tax_room(short, long, realised, carried, status, value):
    position = TaxPosition(status, 0.408, 0.238, 0.37, *realised, *carried, None)
    rates = GainRates(*(np.float64(rate) for rate in (0.408, 0.238, 0.37, value * 0.238)))
    year = tax_of_year(
        short, long, rates, realised_short=realised[0], realised_long=realised[1], carryforward_short=carried[0],
        carryforward_long=carried[1], limit=loss_limit(status),
    )  # fmt: skip
    assert tax_of(position, short, long, value) == pytest.approx(float(year.after), abs=0.01)
    assert tax_of(position, 0.0, 0.0, value) == pytest.approx(float(year.before), abs=0.01)


@hypothesis_settings(max_examples=300, deadline=None, derandomize=True)
@given(short=_MONEY, long=_MONEY, realised=st.tuples(_MONEY, _MONEY), carried=st.tuples(_LOSS, _LOSS))
def test_the_next_dollar_costs_between_nothing_and_the_dearest_rate(short, long, realised, carried):
    rates = marginal(TaxPosition("joint", 0.408, 0.238, 0.37, *realised, *carried, None), short, long, 0.5)
    assert all(-1e-9 <= rate <= 0.408 + 1e-9 for rate in rates)


@pytest.mark.parametrize(
    ("name", "value"),
    [("kept_apart", 5), ("kept_apart", "529"), ("location_costs", 3), ("location_costs", {"a": 1}),
     ("location_costs", [["US equity", -1.0, 0.0, 0.0]]), ("transition_years", 2.5), ("mode", ["full"])],
)  # fmt: skip
def test_a_value_of_another_shape_names_its_setting(name, value):
    with pytest.raises(ParameterError, match=name):
        Settings.of({name: value})


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "settings.yml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match=r"settings\.yml"):
        Settings.read(path)
