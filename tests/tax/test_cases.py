"""Worked examples with expected figures, kept outside the project; one test a case, by category."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench import tax
from workbench.firm import rmd

FILE = Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).parents[3] / "shared")) / "reference" / "tax_cases.json"
CASES = json.loads(FILE.read_text())["cases"] if FILE.exists() else []
MINE = [case for case in CASES if case["id"][0] in "WHCTQRL"]
STATUS = {"single": "single", "MFJ": "joint", "MFS": "separate", "HOH": "head"}


def near(value):
    return pytest.approx(value, abs=0.005)


def wash(inputs, expected):
    trades = pd.DataFrame(inputs["trades"]).rename(
        columns={"date": "trade_date", "account": "account_id", "account_type": "registration", "lot": "lot_id"}
    )
    result = tax.match_wash_sales(trades.assign(security_id="X"))
    blocks, lots = result.blocks, pd.concat([result.open_lots, result.blocks])
    found = {
        "disallowed_loss": blocks["disallowed"].sum(),
        "deductible_loss": blocks["deductible"].sum(),
        "net_recognized": blocks["recognised"].sum(),
        "permanent": bool((blocks["permanent"] == blocks["disallowed"]).all() and blocks["permanent"].any()),
        "ira_basis_increase": result.open_lots.loc[~result.open_lots["taxed"], "adjustment"].sum(),
        "replacement_basis": lots.groupby("lot_id")["basis"].sum().to_dict(),
        "holding_start": lots.set_index("lot_id")["deemed_acquired_on"].dt.strftime("%Y-%m-%d").to_dict(),
        "split_replacement": [
            {"shares": row.shares, "basis": row.basis, "holding_start": f"{row.deemed_acquired_on:%Y-%m-%d}"}
            for row in result.open_lots.itertuples()
        ],
    }
    for lot, gain in blocks.groupby("lot_id")["recognised"].sum().items():
        found[f"recognized_gain_{lot}"] = gain
    for name, value in expected.items():
        if isinstance(value, dict):
            assert {key: found[name][key] for key in value} == value
        else:
            assert found[name] == (near(value) if isinstance(value, float) else value)


def holding(inputs, expected):
    start = tax.holding_start(pd.DatetimeIndex([inputs["buy"]] * len(inputs["sells"])))
    long = tax.is_long_term(start, pd.DatetimeIndex(inputs["sells"]))
    assert ["long" if is_long else "short" for is_long in long] == expected["terms"]


def carryover(inputs, expected):
    limit = tax.loss_limit(STATUS[inputs["filing"]])
    short = [year.get("st", 0.0) for year in inputs["years"]]
    long = [year.get("lt", year.get("gain", 0.0) + year.get("loss", 0.0)) for year in inputs["years"]]
    years = tax.net_years(short, long, limit=limit)
    carried = [float(year.carryforward_short + year.carryforward_long) for year in years]
    deducted = [float(year.deduction) for year in years]
    found = {
        "deducted": deducted,
        "carry_out": carried,
        "carry_out_total": carried[-1],
        "carry_out_st": float(years[-1].carryforward_short),
        "carry_out_lt": float(years[-1].carryforward_long),
        "net_loss_y1": short[0] + long[0],
        "tax_saved_y1": deducted[0] * inputs.get("marginal_rate", 0.0),
    }
    assert {name: found[name] for name in expected} == {name: near(value) for name, value in expected.items()}


def gains_rate(inputs, expected):
    found = tax.capital_gains_tax(
        inputs["year"], STATUS[inputs["filing"]], inputs["taxable_income"], inputs["net_capital_gain"]
    )
    assert found == near(expected["capital_gains_tax"])


def income_of_year(inputs, expected):
    status, year, dividends = STATUS[inputs["filing"]], inputs["year"], inputs.get("qualified_dividends", 0.0)
    netted = tax.net(inputs["st"], inputs["lt"], limit=tax.loss_limit(status))
    gains = netted.short_gain + netted.long_gain - netted.deduction
    agi = inputs["wages"] + dividends + gains
    taxable = np.maximum(agi - tax.standard_deduction(year, status), 0.0)
    found = {
        "capital_gains": inputs["st"] + inputs["lt"],
        "limited_capital_loss": netted.deduction,
        "agi": agi,
        "income_tax": tax.income_tax(year, status, taxable, netted.long_gain + dividends),
    }
    assert {name: float(found[name]) for name in expected} == {name: near(value) for name, value in expected.items()}


def investment_tax(inputs, expected):
    found = tax.niit(STATUS[inputs["filing"]], inputs["magi"], inputs["net_investment_income"])
    assert found == near(expected["niit"])
    assert found / 0.038 == near(expected["niit_base"])


def dividend(inputs, expected):
    dates = [pd.DatetimeIndex([inputs[name]]) for name in ("buy", "sell", "ex_date")]
    assert tax.days_held_in_window(*dates).tolist() == [expected["days_held_in_window"]]
    assert tax.is_qualified(*dates).tolist() == [expected["qualified"]]


def distribution(inputs, expected):
    year = inputs.get("year", 2024)
    born = pd.Timestamp(year - inputs["age"], 6, 1)
    accounts = pd.DataFrame(
        {"account_id": ["A"], "household_id": "H", "registration": "traditional_ira", "owner_birth_date": born}
    )
    balances = pd.DataFrame({"account_id": ["A"], "year": year, "balance": float(inputs["prior_year_end_balance"])})
    none = pd.DataFrame({"account_id": [], "trade_date": pd.to_datetime([]), "amount": []})
    due = tax.required_distributions(accounts, balances, none, pd.Timestamp(year, 11, 1)).due
    assert due["required"].tolist() == [near(expected["rmd"])]
    assert due["outstanding"].tolist() == [near(expected["rmd"])]
    assert rmd.divisor(born, year) == expected.get("divisor", rmd.divisor(born, year))


def relief(inputs, expected):
    sold_on = pd.Timestamp(inputs.get("sell_date", "2025-06-02"))
    lots = pd.DataFrame(inputs["lots"]).rename(columns={"id": "lot_id", "basis_ps": "basis"})
    if "months_held" in lots:
        lots["acquired_on"] = [sold_on - pd.DateOffset(months=months) for months in lots["months_held"]]
    else:
        lots["acquired_on"] = pd.Timestamp(inputs["acquired"])
    lots = lots.assign(sale_id="S", holding_start=tax.holding_start(lots["acquired_on"]))
    sales = pd.DataFrame(
        {"sale_id": ["S"], "shares": inputs["sell_shares"], "price": inputs["price"], "sold_on": sold_on}
    )
    method = {"HIFO": "highest_cost"}.get(inputs["method"], inputs["method"].lower())
    taken = tax.relieve(lots, sales, method, short_rate=0.37, long_rate=0.2)
    found = {
        "gain": taken["gain"].sum(),
        "pnl": taken["gain"].sum(),
        "lt": taken.loc[taken["long"], "gain"].sum(),
        "st": taken.loc[~taken["long"], "gain"].sum(),
        "picks": taken.set_index("lot_id")["shares"].to_dict(),
    }
    assert {name: found[name] for name in expected} == expected


CATEGORIES = {
    "wash_sale": wash, "wash_sale_ira": wash, "wash_sale_window": wash, "holding_period": holding,
    "capital_loss_carryover": carryover, "ltcg_rate": gains_rate, "loss_limit": income_of_year,
    "niit": investment_tax, "qualified_dividend": dividend, "rmd": distribution, "lot_relief": relief,
}  # fmt: skip


@pytest.mark.parametrize("case", MINE or [None], ids=lambda case: case["id"] if case else "none")
def test_case(shared, case):
    if case is None:
        pytest.skip(f"no worked examples at {FILE}")
    CATEGORIES[case["category"]](case["inputs"], case["expected"])


def test_a_roth_purchase_is_as_final_as_an_ira_one(shared):
    (case,) = [case for case in MINE if case["id"] == "W07"] or [None]
    if case is None:
        pytest.skip(f"no worked examples at {FILE}")
    trades = [row | {"account_type": row["account_type"].replace("traditional", "roth")} for row in
              case["inputs"]["trades"]]  # fmt: skip
    wash({"trades": trades}, case["expected"])
