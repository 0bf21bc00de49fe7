"""Real packages for the desk's tests: two accounts of one household, with trades, lots, reasons and a wash calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from workbench import rebalance
from workbench.compliance.document import Finding, write_document
from workbench.compliance.outcome import Verdict
from workbench.rebalance.proposal import (
    AccountState,
    GroupState,
    LevelRow,
    LotSale,
    Note,
    Proposal,
    Reason,
    TaxTable,
    Trade,
    WashRow,
)

DAY = date(2022, 12, 28)


def trade(account, security, side, shares, price, *, cause="underweight", key="US equity", lot=None, **reason):
    lots = () if lot is None else (lot,)
    why = Reason(cause, "asset_class", key, "G1", 0.437, 0.401, 0.4, **reason)
    gain = 0.0 if lot is None else lot.gain
    tax = 0.0 if lot is None else lot.tax
    return Trade(account, security, side, shares, price, round(shares * price, 2), 1.25, 0.0, 0.0, gain, tax, lots, why)


def proposal(household="H-0001", **changes) -> Proposal:
    """Four trades: a harvest and its replacement in a taxable account, a sale and a purchase in an IRA."""
    one, two = f"{household}-A1", f"{household}-A2"
    lot = LotSale("L1", 15.0, 2857.5, 3450.0, -592.5, "long", date(2021, 3, 15), -141.02)
    trades = (
        trade(one, "VTI", "sell", 15.0, 190.5, cause="harvest", lot=lot, replaced_by="SCHB", until=date(2023, 1, 28)),
        trade(one, "SCHB", "buy", 63.0, 45.25, cause="replacement", replaces="VTI"),
        trade(two, "EFA", "sell", 100.0, 65.0, cause="overweight", key="International equity"),
        trade(two, "AGG", "buy", 60.0, 97.0, key="Bonds"),
    )
    accounts = (
        AccountState(one, "taxable", "BAL", "G1", 250_000.0, 5_000.0, 5_004.25, 2_500.0, 12_500.0, 5_708.25, True),
        AccountState(
            two, "traditional_ira", "BAL", "G1", 250_000.0, 5_000.0, 5_677.5, 2_500.0, 12_500.0, 12_320.0, True
        ),
    )
    made = Proposal(
        household_id=household,
        household_name="The <Smith> household",
        advisor_id="adv-1",
        as_of=DAY,
        mode="full",
        settings=(("mode", "full"), ("risk_aversion", "10.0")),
        accounts=accounts,
        groups=(GroupState("G1", "BAL", 4, (one, two), 500_000.0, 0.0123, 0.0041, 0.08, 0.02),),
        trades=trades,
        levels=(
            LevelRow("G1", "asset_class", "US equity", 0.4, 0.35, 0.43, 0.437, 0.401),
            LevelRow("G1", "asset_class", "Bonds", 0.35, None, None, 0.33, 0.345),
        ),
        tax_table=TaxTable(
            2022, 0.408, 0.238, 0.0, 1_200.0, 0.0, -592.5, 0.0, 0.0, 0.0, 0.0, 10_000.0, 1_200.0, 607.5, 592.5, 0.0,
            -141.02,
        ),
        wash=(WashRow("no_buy", "us", ("VTI", "ITOT"), DAY, date(2023, 1, 27), f"proposed sale in {one}", True),),
        cash_needs=(),
        limits=(),
        refused=(),
        conflicts=(),
        benefit=660.0,
        tax=-141.02,
        cost=5.0,
        lineage=(("accounts", "a" * 64), ("lots", "b" * 64)),
    )  # fmt: skip
    return replace(made, **changes)


def package(household="H-0001", **changes) -> bytes:
    return rebalance.dumps(proposal(household, **changes))


def needing_consent(household="H-0001") -> bytes:
    made = proposal(household)
    accounts = (replace(made.accounts[0], discretionary=False), made.accounts[1])
    note = Note("consent", accounts[0].account_id, 5_708.25)
    return rebalance.dumps(replace(made, accounts=accounts, notes=(note,)))


def preflight(household="H-0001", verdict=Verdict.PASS, *, overridable=True, reason="") -> bytes:
    """A stored pre-flight of two rules, the first with the verdict asked for."""

    def found(rule_id, verdict, reason):
        return Finding(
            rule_id, 2, rule_id.replace("_", " ").capitalize(), "15 U.S.C. 80b-2", verdict, "fraction", 0.31, 0.25,
            0.28, f"{household}-A1", reason, overridable, (("positions", "c" * 64),),
        )  # fmt: skip

    findings = [found("turnover", verdict, reason), found("single_name", Verdict.PASS, "")]
    return write_document(household, DAY.isoformat(), "3" * 64, findings)
