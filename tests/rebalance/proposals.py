"""Hand-made proposals: one small household that says the same thing every time, and parts to vary it with."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from workbench.rebalance.proposal import (
    AccountState,
    CashNeed,
    Conflict,
    GroupState,
    LevelRow,
    Limit,
    LotSale,
    Proposal,
    Reason,
    Refusal,
    Side,
    TaxTable,
    Trade,
    WashRow,
)

AS_OF = date(2022, 12, 28)


def make_lot_sale(lot_id: str = "L1", shares: float = 15.0, price: float = 190.5, basis_per_share: float = 230.0):
    """Shares of one long-term lot sold in a taxed account at 23.8 %."""
    gain = shares * (price - basis_per_share)
    return LotSale(
        lot_id=lot_id,
        shares=shares,
        proceeds=shares * price,
        basis=shares * basis_per_share,
        gain=gain,
        term="long",
        acquired_on=date(2021, 3, 15),
        tax=0.238 * gain,
    )


def make_reason(cause: str = "harvest", key: str = "US equity", **changes) -> Reason:
    """A reason at the level of asset classes."""
    made = Reason(
        cause=cause,  # type: ignore[arg-type]
        level="asset_class",
        key=key,
        group="H1",
        weight_before=0.437,
        weight_after=0.401,
        target=0.4,
    )
    return replace(made, **changes)


def make_trade(
    account_id: str = "A1",
    security_id: str = "VTI",
    side: Side = "sell",
    shares: float = 15.0,
    price: float = 190.5,
    lots: tuple[LotSale, ...] = (),
    reason: Reason | None = None,
    **changes,
) -> Trade:
    """One order; gains and tax are the sums of its lots."""
    gain_long = sum((lot.gain for lot in lots if lot.gain is not None and lot.term == "long"), 0.0)
    gain_short = sum((lot.gain for lot in lots if lot.gain is not None and lot.term == "short"), 0.0)
    made = Trade(
        account_id=account_id,
        security_id=security_id,
        side=side,
        shares=shares,
        price=price,
        amount=shares * price,
        cost=shares * price * 0.0002,
        fee=0.0,
        gain_short=gain_short,
        gain_long=gain_long,
        tax=sum((lot.tax for lot in lots), 0.0),
        lots=lots,
        reason=reason or make_reason(),
    )
    return replace(made, **changes)


def default_trades(household_id: str = "H1", account_id: str = "A1") -> tuple[Trade, ...]:
    """Sell 15 VTI at a long-term loss, buy SCHB in its place until 28 January."""
    group = household_id
    refused = Refusal(account_id, "ITOT", "buy", "menu", source="R7")
    sold = make_reason(replaced_by="SCHB", until=date(2023, 1, 28), group=group, refused=(refused,))
    bought = make_reason("replacement", replaces="VTI", group=group)
    return (
        make_trade(account_id, lots=(make_lot_sale(f"{account_id}-L1"),), reason=sold),
        make_trade(account_id, "SCHB", "buy", 63.0, 45.25, reason=bought),
    )


def make_account(account_id: str = "A1", group: str = "H1", **changes) -> AccountState:
    """A taxable account of $250,000."""
    made = AccountState(
        account_id=account_id,
        registration="taxable",
        model_id="BAL",
        group=group,
        value=250_000.0,
        cash_before=5_000.0,
        cash_after=5_005.61,
        cash_floor=2_500.0,
        cash_ceiling=12_500.0,
        traded=5_708.25,
        discretionary=True,
    )
    return replace(made, **changes)


def make_tax_table(tax: float = -141.02, **changes) -> TaxTable:
    """The year 2022 of a household with a budget of $10,000."""
    made = TaxTable(
        year=2022,
        short_rate=0.408,
        long_rate=0.238,
        realised_short=0.0,
        realised_long=1_200.0,
        proposed_short=0.0,
        proposed_long=-592.5,
        carryforward_short=0.0,
        carryforward_long=0.0,
        carryforward_after_short=0.0,
        carryforward_after_long=0.0,
        budget=10_000.0,
        budget_used_before=1_200.0,
        budget_used_after=607.5,
        losses_harvested=592.5,
        disallowed=0.0,
        tax=tax,
    )
    return replace(made, **changes)


def make_proposal(household_id: str = "H1", trades: tuple[Trade, ...] | None = None, **changes) -> Proposal:
    """A complete proposal of one household with two accounts; every kind of record in it has at least one entry.

    `trades` are harvest and replacement where none are given (an empty tuple: leave it alone); `changes` replace any
    field of `Proposal`.
    """
    prefix = "A" if household_id == "H1" else f"{household_id}-A"
    accounts = (
        make_account(f"{prefix}1", household_id),
        make_account(f"{prefix}2", household_id, registration="traditional_ira", cash_after=5_000.0, traded=0.0),
    )
    trades = default_trades(household_id, accounts[0].account_id) if trades is None else trades
    tax = sum((trade.tax for trade in trades), 0.0)
    made = Proposal(
        household_id=household_id,
        household_name="The Smith household",
        advisor_id="ADV1",
        as_of=AS_OF,
        mode="full",
        settings=(("min_trade", "250"), ("risk_aversion", "10")),
        accounts=accounts,
        groups=(
            GroupState(household_id, "BAL", 4, (f"{prefix}1", f"{prefix}2"), 500_000.0, 0.0123, 0.0041, 0.08, 0.02),
        ),
        trades=trades,
        levels=(
            LevelRow(household_id, "asset_class", "US equity", 0.4, 0.35, 0.45, 0.437, 0.401),
            LevelRow(household_id, "security", "SCHB", 0.0, None, None, 0.0, 0.0057),
        ),
        tax_table=make_tax_table(tax),
        wash=(
            WashRow("no_buy", "us_total_market", ("VTI", "ITOT"), date(2022, 12, 29), date(2023, 1, 27), "A1-L1", True),
        ),
        cash_needs=(CashNeed(f"{prefix}2", "rmd", 4_000.0, date(2022, 12, 31), 5_000.0, 5_000.0, "RMD-2022"),),
        limits=(Limit("gain_budget", household_id, 10_000.0, 0.02, 4.0),),
        refused=(Refusal(f"{prefix}2", "XOM", "sell", "never_sell", "R3", None, 2_500.0),),
        conflicts=(Conflict(("restriction R3", "max_weight R9"), "allow 6.1 % of XOM", "max_weight R9", 2_750.0),),
        benefit=310.0,
        tax=tax,
        cost=sum((trade.cost + trade.fee for trade in trades), 0.0),
        lineage=(("accounts", "a" * 64), ("lots", "b" * 64)),
    )
    return replace(made, **changes)
