"""What a decision sees of a ledger: the household as it stands, its tax year, and its recent trades."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.rebalance._books import Lot
from workbench.rebalance._ledger import CRUMBS, DECIMALS, Ledger, dates, plain_date, year_of
from workbench.rebalance.household import (
    Accounts,
    CashDemand,
    Household,
    Lots,
    Market,
    Models,
    Restriction,
    TaxPosition,
    WashEvent,
)
from workbench.tax import WASH_DAYS

#: Loss, as a fraction of the price, at which hidden losses are shown: worth nothing, and still a loss.
_SLIGHT_LOSS = 1e-6


def household_of(
    ledger: Ledger,
    day: int,
    market: Market,
    models: Models,
    needs: Sequence[CashDemand] = (),
    restrictions: Sequence[Restriction] = (),
    *,
    losses_hidden: bool = False,
) -> tuple[Household, list[Lot]]:
    """The household as it stands, and the ledger's lots in the order of the household's.

    `losses_hidden` shows lots under water at next to no loss, so that a strategy that does not harvest sells them
    for other reasons only, while wash sales stay as forbidden as they are.
    """
    shown = [lot for lot in ledger.lots if lot.shares >= CRUMBS]
    lots = sorted(shown, key=lambda lot: (lot.account, lot.security, lot.acquired, lot.lot_id, lot.adjusted))
    holdings = list(dict.fromkeys((lot.account, lot.security) for lot in lots))
    place = {key: row for row, key in enumerate(holdings)}
    owner = np.array([place[lot.account, lot.security] for lot in lots], np.int64)
    shares = np.array([lot.shares for lot in lots], np.float64)
    basis = np.array([lot.basis for lot in lots], np.float64)
    security = np.array([key[1] for key in holdings], np.int32)
    if losses_hidden and len(lots):
        basis = np.minimum(basis, market.price[security[owner]] * (1.0 + _SLIGHT_LOSS))
    count = len(ledger.cash)
    per_account = np.bincount(np.array([key[0] for key in holdings], np.int64), minlength=count)
    household = Household(
        household_id="STUDY", name="Study", advisor_id="", as_of=plain_date(day), market=market, models=models,
        tax=_tax_position(ledger, year_of(day)),
        accounts=Accounts(
            ids=tuple(f"A{i}" for i in range(count)), registration=ledger.registration, treatment=ledger.treatment,
            model=np.zeros(count, np.int32), discretionary=np.ones(count, bool), fee=np.zeros(count),
            cash=ledger.cash.copy(), kept_apart=np.zeros(count, bool), unmanaged=(None,) * count,
        ),
        account_ptr=_offsets(per_account),
        security=security,
        quantity=np.round(np.bincount(owner, weights=shares, minlength=len(holdings)), DECIMALS),
        lots=Lots(
            holding_ptr=_offsets(np.bincount(owner, minlength=len(holdings))),
            ids=np.array([lot.lot_id for lot in lots], object),
            quantity=shares, basis=basis,
            acquired_on=dates(np.array([lot.acquired for lot in lots], np.int64)),
            holding_start=dates(np.array([lot.start for lot in lots], np.int64)),
        ),
        restrictions=tuple(restrictions), needs=tuple(needs), wash=_wash_events(ledger, day),
    )  # fmt: skip
    return household, lots


def _tax_position(ledger: Ledger, year: int) -> TaxPosition:
    """Where the household stands in its tax year, for a decision."""
    short, long = ledger.gains(year)
    earlier = ledger.carried_into(year)
    return TaxPosition(
        filing_status=ledger.rates.filing_status, short_rate=ledger.rates.short, long_rate=ledger.rates.long,
        ordinary_rate=ledger.rates.ordinary, realised_short=short + ledger.rates.other_short_gains,
        realised_long=long + ledger.rates.other_gains,
        carryforward_short=earlier[0], carryforward_long=earlier[1],
        gain_budget=None,
    )  # fmt: skip


def _wash_events(ledger: Ledger, today: int) -> tuple[WashEvent, ...]:
    """What the last 30 days of trades mean for a decision today."""
    events = [
        WashEvent("purchase", int(ledger.wash_group[lot.security]), lot.security, lot.account, lot.shares,
                  plain_date(lot.acquired), plain_date(lot.acquired + WASH_DAYS), lot.lot_id)
        for lot in ledger.lots if lot.acquired >= today - WASH_DAYS
    ]  # fmt: skip
    losses = [row for row in ledger.realised_since(today - WASH_DAYS) if row.recognised < 0]
    events += [
        WashEvent("loss_sale", row.group, row.security, 0, 0.0, plain_date(row.day), plain_date(row.day + WASH_DAYS),
                  f"sale of {plain_date(row.day)}", -row.recognised)
        for row in losses
    ]  # fmt: skip
    return tuple(events)


def _offsets(counts: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
