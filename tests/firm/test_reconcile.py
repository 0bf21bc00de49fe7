"""Each check finds what is planted in a sound little firm, and nothing else does."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import FirmDataError, ParameterError
from workbench.firm import validate, write_firm
from workbench.firm.reconcile import CHECKS, SEVERITIES, reconcile
from workbench.firm.reconcile.dividends import odd_dividends

_spec = importlib.util.spec_from_file_location("tiny", Path(__file__).with_name("tiny.py"))
tiny = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny)
AS_OF = tiny.AS_OF


@pytest.fixture
def tables():
    return tiny.tiny_firm()


def found(tables, as_of=AS_OF, **options):
    return {(f.check, f.severity): f for f in reconcile(tables, as_of, **options)}


def where(frame, **equal):
    mask = np.ones(len(frame), bool)
    for column, value in equal.items():
        mask &= (frame[column] == value).to_numpy()
    return mask


def test_a_sound_firm_is_silent(tables):
    assert validate(tables, AS_OF) == []
    findings = reconcile(tables, AS_OF)
    assert list(findings) == []
    assert findings.counts == dict.fromkeys(SEVERITIES, 0)
    assert findings.to_frame().empty
    assert len(findings.checks) == len(CHECKS)


def test_a_firm_on_disk_gives_the_same_findings_as_its_tables(tables, tmp_path):
    tables["lots"].loc[0, "quantity"] += 5
    firm = write_firm(tmp_path / "firm", tables, AS_OF)
    pd.testing.assert_frame_equal(reconcile(firm).to_frame(), reconcile(tables, AS_OF).to_frame())


def test_lots_that_do_not_sum_name_the_position_and_the_lot(tables):
    tables["lots"].loc[tables["lots"]["lot_id"] == "A1-AAA-1", "quantity"] = 35.0
    findings = found(tables)
    assert set(findings) == {("lots", "severe"), ("lot_replay", "warning")}
    row = findings["lots", "severe"].rows.iloc[0]
    assert (row.account_id, row.security_id, row.position, row.lots) == ("A1", "AAA", 60.0, 55.0)
    assert findings["lots", "severe"].money == pytest.approx(5 * row.close)
    assert list(findings["lot_replay", "warning"].rows["lot_id"]) == ["A1-AAA-1"]


def test_a_position_without_lots_and_a_lot_without_position_are_both_found(tables):
    tables["lots"].loc[where(tables["lots"], lot_id="A3-BBB-0"), "security_id"] = "FND"
    rows = found(tables)["lots", "severe"].rows
    assert set(rows["security_id"]) == {"BBB", "FND"}
    assert rows["difference"].sum() == 0


@given(shift=st.floats(-50, 50).filter(lambda x: abs(x) < 1e-7 or abs(x) > 1e-5))
@settings(max_examples=15, deadline=None)
def test_lots_differ_exactly_when_the_difference_is_more_than_rounding(shift):
    tables = tiny.tiny_firm()
    tables["lots"].loc[0, "quantity"] += shift
    assert (("lots", "severe") in found(tables)) == (abs(shift) > 1e-6)


def test_stated_value_is_compared_to_a_dollar_or_a_basis_point(tables):
    tables["accounts"].loc[0, "stated_value"] += 0.99
    assert ("stated_value", "severe") not in found(tables)
    tables["accounts"].loc[0, "stated_value"] += 10
    finding = found(tables)["stated_value", "severe"]
    assert list(finding.rows["account_id"]) == ["A1"]
    assert finding.money == pytest.approx(10.99, abs=0.01)


def test_a_missing_trade_shows_in_the_replay(tables):
    trades = tables["transactions"]
    tables["transactions"] = trades.loc[~where(trades, account_id="A3", security_id="FND")]
    findings = found(tables)
    assert set(findings) == {("replay", "warning"), ("lot_replay", "warning")}
    assert set(findings["replay", "warning"].rows["security_id"]) == {"FND", "CASH"}


def test_a_doubled_deposit_shows_twice(tables):
    trades = tables["transactions"]
    double = trades.loc[trades["kind"] == "deposit"].iloc[:1].assign(transaction_id="TX")
    tables["transactions"] = pd.concat([trades, double], ignore_index=True)
    findings = found(tables)
    assert set(findings) == {("replay", "warning"), ("duplicate_transaction", "warning")}
    assert findings["duplicate_transaction", "warning"].count == 2
    assert findings["duplicate_transaction", "warning"].money == 15_000


def test_no_transactions_is_said(tables):
    del tables["transactions"]
    assert set(found(tables)) == {("replay", "info")}


def test_negative_cash(tables):
    held, trades = tables["positions"], tables["transactions"]
    held.loc[where(held, account_id="A3", security_id="CASH"), "quantity"] -= 20_000
    trades.loc[where(trades, account_id="A3", kind="deposit"), "amount"] -= 20_000
    tables["accounts"].loc[2, "stated_value"] -= 20_000
    assert set(found(tables)) == {("negative_cash", "warning")}


def test_models_targets_and_tolerances(tables):
    targets, models = tables["model_targets"], tables["models"]
    targets.loc[where(targets, version=2, security_id="FND"), "target"] = 0.33
    draft = found(tables)
    assert set(draft) == {("target_sum", "severe")}
    assert draft["target_sum", "severe"].rows["target_sum"].tolist() == pytest.approx([0.98])
    models["status"], models["effective_date"] = ["retired", "active"], pd.to_datetime(["2021-10-01", "2022-12-01"])
    findings = reconcile(tables, AS_OF)
    assert findings.reject
    assert findings.of("target_sum")[0].severity == "reject"
    models["status"] = ["draft", "draft"]
    assert ("model_in_force", "severe") in found(tables)
    tables["accounts"]["model_id"] = None
    tables["tolerances"] = tables["tolerances"].iloc[:0]
    findings = found(tables)
    assert findings["model_in_force", "info"].count == 3
    assert ("tolerances", "warning") not in findings


def test_a_model_without_bands_is_named(tables):
    tables["tolerances"] = tables["tolerances"].iloc[:0]
    assert found(tables)["tolerances", "warning"].rows["accounts"].tolist() == [3]


def test_rows_from_the_future_reject(tables):
    tables["lots"].loc[0, "acquired_on"] = AS_OF + pd.Timedelta(days=3)
    tables["transactions"].loc[0, "trade_date"] = AS_OF + pd.Timedelta(days=1)
    findings = reconcile(tables, AS_OF)
    assert findings.reject
    assert [f.table for f in findings.of("future_dates")] == ["lots", "transactions"]


@pytest.mark.parametrize(("sessions", "severity"), [(1, "severe"), (5, "severe"), (6, "reject")])
def test_an_old_last_price_is_severe_then_rejects(tables, sessions, severity):
    prices = tables["prices"]
    gone = (prices["security_id"] == "FND") & (prices["date"] > tiny.SESSIONS[-1 - sessions])
    tables["prices"] = prices.loc[~gone]
    finding = found(tables)["price_coverage", severity]
    assert finding.rows["sessions_old"].tolist() == [sessions]


def test_a_targeted_security_without_prices_rejects(tables):
    prices, held = tables["prices"], tables["positions"]
    tables["prices"] = prices.loc[prices["security_id"] != "BBB"]
    tables["positions"] = held.loc[held["security_id"] != "BBB"]
    finding = found(tables)["price_coverage", "reject"]
    assert finding.rows["security_id"].tolist() == ["BBB"]


def test_a_price_that_stops_is_stale_unless_it_often_does(tables):
    prices = tables["prices"]
    flat = (prices["security_id"] == "BBB") & (prices["date"] >= tiny.SESSIONS[-13])
    prices.loc[flat, "close"] = float(prices.loc[flat, "close"].iloc[0])
    finding = found(tables)["stale_price", "severe"]
    assert finding.rows[["security_id", "sessions"]].to_numpy().tolist() == [["BBB", 12]]
    assert finding.rows["unchanged_since"].iloc[0] == tiny.SESSIONS[-12]
    habit = (prices["security_id"] == "BBB") & prices["date"].between(tiny.SESSIONS[-60], tiny.SESSIONS[-40])
    prices.loc[habit, "close"] = 41.0
    assert ("stale_price", "severe") not in found(tables)


def test_a_money_market_fund_at_a_dollar_is_not_stale(tables):
    prices = tables["prices"]
    prices.loc[prices["security_id"] == "BBB", "close"] = 1.0
    assert ("stale_price", "severe") not in found(tables)


def test_four_unchanged_closes_are_not_stale(tables):
    prices = tables["prices"]
    flat = (prices["security_id"] == "BBB") & (prices["date"] >= tiny.SESSIONS[-5])
    prices.loc[flat, "close"] = float(prices.loc[flat, "close"].iloc[0])
    assert ("stale_price", "severe") not in found(tables)


def test_a_doubled_dividend_is_found_and_read_as_such(tables):
    prices = tables["prices"]
    paid = prices.index[where(prices, security_id="BBB") & (prices["dividend"] > 0).to_numpy()][2]
    prices.loc[paid, "dividend"] *= 2
    findings = found(tables)
    assert set(findings) == {("return_gap", "warning")}
    row = findings["return_gap", "warning"].rows.iloc[0]
    assert row.date == prices.loc[paid, "date"]
    assert row.looks_like == "a dividend counted twice"


@pytest.mark.parametrize(
    ("column", "value", "reading", "severity"),
    [
        ("split_ratio", 1.0, "a split missing or wrong", "severe"),
        ("dividend", 0.0, "a dividend missing, or an adjustment without one", "warning"),
    ],
)
def test_other_gaps_are_read(tables, column, value, reading, severity):
    prices = tables["prices"]
    prices.loc[where(prices, security_id="AAA"), column] = value
    assert found(tables)["return_gap", severity].rows["looks_like"].unique().tolist() == [reading]


def test_a_missing_session_is_listed_and_not_filled(tables):
    prices = tables["prices"]
    gap = where(prices, security_id="BBB", date=tiny.SESSIONS[100])
    stranger = prices.loc[gap].assign(date=pd.Timestamp("2022-02-19"))
    tables["prices"] = pd.concat([prices.loc[~gap], stranger], ignore_index=True)
    findings = {f.title: f.rows for f in reconcile(tables, AS_OF, sessions=tiny.SESSIONS).of("missing_sessions")}
    assert set(findings) == {"Prices on days without trading", "Sessions missing inside price histories"}
    for rows, day in zip(findings.values(), (stranger["date"].iloc[0], tiny.SESSIONS[100]), strict=True):
        assert rows[["security_id", "date"]].to_numpy().tolist() == [["BBB", day]]


class TestRequiredDistributions:
    """A2's owner was born on 10 March 1948: 74 in 2022, divisor 25.5."""

    def balance(self, tables, day):
        prices = tables["prices"]
        last = prices.loc[prices["date"] == prices.loc[prices["date"] <= day, "date"].max()].set_index("security_id")
        lots = tables["transactions"].loc[lambda t: (t["account_id"] == "A2") & (t["trade_date"] <= day)]
        shares = lots.loc[lots["security_id"] != "CASH"].groupby("security_id")["quantity"].sum()
        return float((shares * last["close"]).sum() + lots["amount"].sum())

    def test_a_missed_one_is_urgent_before_year_end_and_missed_after(self, tables):
        trades = tables["transactions"]
        paid = where(trades, kind="withdrawal")
        tables["transactions"].loc[paid, ["kind", "origin"]] = ["fee", "fee"]
        row = found(tables)["rmd", "severe"].rows.iloc[0]
        assert row.required == pytest.approx(self.balance(tables, pd.Timestamp("2021-12-31")) / 25.5, abs=0.01)
        assert (row.outstanding, row.due_by) == (row.required, pd.Timestamp("2022-12-31"))
        later = [f for f in reconcile(tables, "2023-01-03") if f.check == "rmd"]
        assert [(f.severity, f.title) for f in later] == [
            ("severe", "Required distributions were missed"),
            ("info", "Required distributions due later"),
        ]

    def test_a_short_one_says_how_much_is_left(self, tables):
        trades = tables["transactions"]
        trades.loc[where(trades, kind="withdrawal"), "amount"] = -100.0
        finding = found(tables)["rmd", "severe"]
        assert "100.00 of" in finding.detail
        assert finding.money == pytest.approx(finding.rows["required"].iloc[0] - 100.0)

    def test_iras_of_one_owner_count_together_and_a_spouses_do_not(self, tables):
        accounts, trades = tables["accounts"], tables["transactions"]
        accounts.loc[0, ["registration", "owner_birth_date"]] = ["traditional_ira", pd.Timestamp("1948-03-10")]
        trades.loc[where(trades, kind="withdrawal"), "amount"] = -1_400.0
        assert not [key for key in found(tables) if key[0] == "rmd"]
        accounts.loc[0, "owner_birth_date"] = pd.Timestamp("1948-03-11")
        assert found(tables)["rmd", "severe"].rows["account_ids"].tolist() == ["A1"]

    def test_a_first_distribution_may_wait_to_april(self, tables):
        tables["accounts"].loc[1, "owner_birth_date"] = pd.Timestamp("1950-03-10")
        trades = tables["transactions"]
        trades.loc[where(trades, kind="withdrawal"), "kind"] = "fee"
        row = found(tables)["rmd", "info"].rows.iloc[0]
        assert row.due_by == pd.Timestamp("2023-04-01")
        in_february = trades.loc[trades["kind"] == "fee"].assign(
            trade_date=pd.Timestamp("2023-02-01"), kind="withdrawal", amount=-600.0, transaction_id="TF"
        )
        tables["transactions"] = pd.concat([trades, in_february], ignore_index=True)
        tables["positions"].loc[where(tables["positions"], account_id="A2", security_id="CASH"), "quantity"] -= 600.0
        rows = pd.concat([f.rows for f in reconcile(tables, "2023-03-01").of("rmd")])
        assert 2022 not in rows["year"].tolist()
        current = rows.loc[rows["year"] == 2023].iloc[0]
        assert current["taken"] == pytest.approx(600.0 - row.required, abs=0.01)

    def test_a_roth_owner_has_none_and_an_inherited_account_needs_a_person(self, tables):
        tables["accounts"].loc[1, "registration"] = "roth_ira"
        assert not found(tables)
        tables["accounts"].loc[1, "registration"] = "inherited_ira"
        assert set(found(tables)) == {("rmd", "info")}

    def test_a_balance_without_prices_is_said(self, tables):
        tables["prices"] = tables["prices"].loc[lambda p: p["date"] > "2022-01-15"]
        finding = found(tables)["rmd", "warning"]
        assert finding.rows["account_ids"].tolist() == ["A2"]
        assert finding.money is None

    def test_a_missing_birth_date_is_said(self, tables):
        tables["accounts"].loc[1, "owner_birth_date"] = pd.NaT
        assert set(found(tables)) == {("rmd", "warning")}


def test_records_out_of_date_are_listed(tables):
    tables["profiles"].loc[0, "reviewed_on"] = pd.Timestamp("2021-12-27")
    tables["restrictions"]["expires_on"] = pd.Timestamp("2022-12-27")
    assert set(found(tables)) == {("old_profile", "info"), ("expired_restriction", "info")}
    tables["profiles"].loc[0, "reviewed_on"] = pd.Timestamp("2021-12-28")
    tables["restrictions"]["expires_on"] = AS_OF
    assert not found(tables)


def test_findings_rank_by_severity_then_money(tables):
    tables["accounts"].loc[0, "stated_value"] += 10
    tables["accounts"].loc[1, "model_id"] = None
    tables["lots"].loc[where(tables["lots"], lot_id="A2-BBB-0"), "quantity"] -= 50
    severities = [f.severity for f in reconcile(tables, AS_OF)]
    assert severities == sorted(severities, key=SEVERITIES.index)
    severe = [f.money for f in reconcile(tables, AS_OF) if f.severity == "severe"]
    assert severe == sorted(severe, reverse=True)


def test_questions_that_make_no_sense_are_refused(tables):
    with pytest.raises(FirmDataError, match="give as_of"):
        reconcile(tables)
    with pytest.raises(FirmDataError, match="no session"):
        reconcile(tables, "1999-01-01")
    twice = {**tables, "prices": pd.concat([tables["prices"], tables["prices"].iloc[[5]]])}
    with pytest.raises(FirmDataError, match="1 rows repeat"):
        reconcile(twice, AS_OF)
    with pytest.raises(ParameterError, match="no check"):
        reconcile(tables, AS_OF).of("lot")


def monthly(amounts, first="2021-01-04", step=30, security="FND"):
    days = pd.Timestamp(first) + pd.to_timedelta(np.cumsum([0, *np.full(len(amounts) - 1, step)]), "D")
    return pd.DataFrame({"security_id": security, "date": days, "dividend": amounts})


class TestDividendRhythm:
    def test_steady_payments_pass(self):
        assert odd_dividends(monthly(np.linspace(0.10, 0.14, 24))).empty

    def test_a_double_amount_is_read_as_counted_twice(self):
        payments = monthly([0.1, 0.11, 0.1, 0.1, 0.105, 0.21, 0.1, 0.1, 0.1, 0.11, 0.1, 0.1])
        odd = odd_dividends(payments)
        assert odd["looks_like"].tolist() == ["counted twice"]
        assert odd["date"].tolist() == [payments["date"][5]]

    def test_a_lost_payment_shows_at_the_next(self):
        payments = monthly([0.1] * 14)
        odd = odd_dividends(payments.drop(index=7))
        assert odd["looks_like"].tolist() == ["one missing before it"]
        assert odd["date"].tolist() == [payments["date"][8]]

    def test_a_payment_repeated_within_days(self):
        payments = monthly([0.1] * 14)
        again = payments.iloc[[7]].assign(date=payments["date"][7] + pd.Timedelta(days=2))
        odd = odd_dividends(pd.concat([payments, again], ignore_index=True))
        assert odd["looks_like"].tolist() == ["paid again within days"]

    def test_irregular_and_short_payers_are_left_alone(self):
        assert odd_dividends(monthly([0.1, 0.2, 0.1, 0.2])).empty
        rng = np.random.default_rng(0)
        assert odd_dividends(monthly(rng.uniform(0.1, 0.9, 40))).empty

    def test_payers_do_not_borrow_each_others_habits(self):
        both = pd.concat([monthly([0.1] * 14), monthly([0.2] * 14, security="OTH")], ignore_index=True)
        assert odd_dividends(both).empty

    def test_the_latest_payment_is_judged_by_those_before_it(self):
        odd = odd_dividends(monthly([0.1] * 13 + [0.2]))
        assert odd["looks_like"].tolist() == ["counted twice"]


def test_every_check_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "reconciliation.md").read_text()
    documented = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
    assert documented[1:] == [name for name, _ in CHECKS]


def test_findings_carry_the_name_of_their_check(tables):
    names = {name for name, _ in CHECKS}
    tables["accounts"].loc[0, "stated_value"] += 10
    assert {f.check for f in reconcile(tables, AS_OF)} <= names
