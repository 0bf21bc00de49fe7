"""Facts of a household's trades: each one, their sums by reason, and what was left undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from workbench.drafting.on_file import Directory
from workbench.drafting.sheets.gathering import Gathering, either
from workbench.drafting.sheets.household_readings import ACCOUNTS, COSTS, GAINS, SECURITIES, TRADES
from workbench.drafting.spelling import one_line
from workbench.rebalance.proposal import Proposal, Refusal, Trade

#: Dollars below which an amount prints as none.
HALF_DOLLAR = 0.5


def trade_facts(
    facts: Gathering, proposal: Proposal, named: Directory, household: str, accounts: Mapping[str, str]
) -> None:
    """Add `trades` in sum, each `trade.1`, `trade.2` largest first, `why.harvest.sell` and `undone.tax.sell`."""
    trades = sorted(proposal.trades, key=lambda one: (-one.amount, one.account_id, one.security_id, one.side))
    for place, trade in enumerate(trades, start=1):
        _trade(facts, f"trade.{place}", trade, named, accounts)
    if trades:
        _sums(facts, proposal, household)
    _causes(facts, proposal, household)
    _undone(facts, proposal, named, accounts)
    _consent(facts, proposal, accounts)


def security(facts: Gathering, id: str, named: Directory) -> str:
    """Declare a security by its symbol and its name; return its key."""
    return facts.entity(f"security:{id}", "security", id, one_line(named.securities.get(id, id)))


def _trade(facts: Gathering, start: str, trade: Trade, named: Directory, accounts: Mapping[str, str]) -> None:
    cell = f"{trade.side} {trade.security_id} in {trade.account_id}"
    account = accounts.get(trade.account_id, f"account ending {trade.account_id[-4:]}")
    what = security(facts, trade.security_id, named)
    where = facts.entity(f"account:{trade.account_id}", "account", account, trade.account_id)
    _named(facts, start, trade.security_id, what, named)
    facts.named(f"{start}.account", where, ACCOUNTS, f"row {trade.account_id}")
    both, way = (where, what), (trade.side,)
    facts.fact(f"{start}.amount", "money", trade.amount, "traded_dollars", TRADES, f"{cell}, amount", of=both, way=way)
    facts.fact(f"{start}.shares", "shares", trade.shares, "traded_shares", TRADES, f"{cell}, shares", of=both, way=way)
    gain = trade.gain_short + trade.gain_long
    if abs(gain) >= HALF_DOLLAR:
        side = either(gain, "gain", "loss")
        facts.fact(f"{start}.gain", "money", gain, "trade_gain", GAINS, f"{cell}, gain", of=both, way=side)


def _named(facts: Gathering, start: str, id: str, key: str, named: Directory) -> None:
    """Add how a security is called; its `name` only where that says more than its symbol."""
    facts.fact(f"{start}.symbol", "symbol", id, "named", SECURITIES, f"row {id}", of=(key,))
    if named.securities.get(id, id).strip() not in ("", id):
        facts.fact(f"{start}.name", "name", named.securities[id], "named", SECURITIES, f"row {id}, name", of=(key,))


def _sums(facts: Gathering, proposal: Proposal, household: str) -> None:
    cell, of = f"trades of {proposal.household_id}", (household,)
    touched = {trade.account_id for trade in proposal.trades}
    facts.fact("trades.count", "count", len(proposal.trades), "trades_number", TRADES, cell, of=of)
    facts.fact("trades.accounts", "count", len(touched), "accounts_number", TRADES, cell, of=of)
    for side in ("sell", "buy"):
        amount = sum(trade.amount for trade in proposal.trades if trade.side == side)
        if amount >= HALF_DOLLAR:
            facts.fact(
                f"trades.{side}", "money", amount, "traded_dollars", TRADES, f"{cell}, {side}", of=of, way=(side,)
            )
    if proposal.cost >= HALF_DOLLAR:
        facts.fact("trades.cost", "money", proposal.cost, "trading_cost", COSTS, cell, of=of)


def _causes(facts: Gathering, proposal: Proposal, household: str) -> None:
    sums: dict[str, list[Trade]] = defaultdict(list)
    for trade in proposal.trades:
        sums[f"{trade.reason.cause}.{trade.side}"].append(trade)
    largest = sorted(sums.items(), key=lambda one: (-sum(trade.amount for trade in one[1]), one[0]))
    for name, trades in largest:
        cell, side = f"trades of {proposal.household_id} for {name}", trades[0].side
        amount = sum(trade.amount for trade in trades)
        facts.fact(
            f"why.{name}.amount", "money", amount, "traded_dollars", TRADES, cell,
            of=(household,), way=(side, "for_cause"),
        )  # fmt: skip
        facts.fact(f"why.{name}.count", "count", len(trades), "trades_number", TRADES, cell, of=(household,))


def _undone(facts: Gathering, proposal: Proposal, named: Directory, accounts: Mapping[str, str]) -> None:
    """Add the largest trade left undone for each obstacle and side, largest first."""
    largest: dict[str, Refusal] = {}
    for one in sorted(proposal.refused, key=lambda one: (-(one.amount or 0.0), one.account_id, one.security_id)):
        if (one.amount or 0.0) >= HALF_DOLLAR and one.account_id in accounts:
            largest.setdefault(f"undone.{one.obstacle}.{one.side}", one)
    for start, one in largest.items():
        cell = f"{one.side} {one.security_id} in {one.account_id} left undone: {one.obstacle}"
        what, where = security(facts, one.security_id, named), f"account:{one.account_id}"
        _named(facts, start, one.security_id, what, named)
        facts.fact(f"{start}.account", "name", accounts[one.account_id], "named", ACCOUNTS, cell, of=(where,))
        facts.fact(
            f"{start}.amount", "money", float(one.amount or 0.0), "trade_left_undone", TRADES, cell,
            of=(where, what), way=(one.side,),
        )  # fmt: skip
        if one.until is not None:
            facts.fact(f"{start}.until", "date", one.until.isoformat(), "restriction_ends", TRADES, cell, of=(what,))


def _consent(facts: Gathering, proposal: Proposal, accounts: Mapping[str, str]) -> None:
    """Add the accounts whose client must agree first, and those that no model manages."""
    for kind in ("consent", "unmanaged"):
        found = [note for note in proposal.notes if note.kind == kind and note.account_id in accounts]
        for place, note in enumerate(found, start=1):
            start, of, cell = f"{kind}.{place}", (f"account:{note.account_id}",), f"{kind} of {note.account_id}"
            facts.fact(f"{start}.account", "name", accounts[note.account_id], "named", ACCOUNTS, cell, of=of)
            if note.amount >= HALF_DOLLAR:
                facts.fact(f"{start}.amount", "money", note.amount, f"{kind}_dollars", ACCOUNTS, cell, of=of)
