"""Facts of a household's trades: each one, their sums by reason, and what was left undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from workbench.drafting.on_file import Directory
from workbench.drafting.sheets.collecting import Collection
from workbench.rebalance.proposal import Proposal, Refusal, Trade

#: Dollars below which an amount prints as none.
HALF_DOLLAR = 0.5
_TABLES = ("positions", "lots", "prices")


def trade_facts(
    facts: Collection, proposal: Proposal, named: Directory, household: str, accounts: Mapping[str, str]
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


def security(facts: Collection, id: str, named: Directory) -> str:
    """Declare a security by its symbol and its name; return its key."""
    return facts.name(f"security:{id}", "security", id, named.securities.get(id, id))


def _trade(facts: Collection, start: str, trade: Trade, named: Directory, accounts: Mapping[str, str]) -> None:
    cell = f"{trade.side} {trade.security_id} in {trade.account_id}"
    what, where = security(facts, trade.security_id, named), f"account:{trade.account_id}"
    if where not in facts.entities:
        facts.name(where, "account", f"account ending {trade.account_id[-4:]}", trade.account_id)
    _named(facts, start, trade.security_id, what, cell, named)
    account = facts.entities[where].names[0]
    facts.add(f"{start}.account", "name", account, "named", ("accounts",), f"row {trade.account_id}", of=(where,))
    both, way = (where, what), (trade.side,)
    facts.add(f"{start}.amount", "money", trade.amount, "traded_dollars", _TABLES, f"{cell}, amount", of=both, way=way)
    facts.add(f"{start}.shares", "shares", trade.shares, "traded_shares", _TABLES, f"{cell}, shares", of=both, way=way)
    gain = trade.gain_short + trade.gain_long
    if abs(gain) >= HALF_DOLLAR:
        way = ("gain" if gain > 0 else "loss",)
        facts.add(f"{start}.gain", "money", gain, "trade_gain", ("lots", "prices"), f"{cell}, gain", of=both, way=way)


def _named(facts: Collection, start: str, id: str, key: str, cell: str, named: Directory) -> None:
    """Add how a security is called; its `name` only where that says more than its symbol."""
    facts.add(f"{start}.symbol", "symbol", id, "named", ("securities",), f"row {id}", of=(key,))
    if named.securities.get(id, id).strip() not in ("", id):
        facts.add(f"{start}.name", "name", named.securities[id], "named", ("securities",), f"row {id}, name", of=(key,))


def _sums(facts: Collection, proposal: Proposal, household: str) -> None:
    cell, of = f"trades of {proposal.household_id}", (household,)
    touched = {trade.account_id for trade in proposal.trades}
    facts.add("trades.count", "count", len(proposal.trades), "trades_number", _TABLES, cell, of=of)
    facts.add("trades.accounts", "count", len(touched), "accounts_number", _TABLES, cell, of=of)
    for side in ("sell", "buy"):
        amount = sum(trade.amount for trade in proposal.trades if trade.side == side)
        if amount >= HALF_DOLLAR:
            facts.add(
                f"trades.{side}", "money", amount, "traded_dollars", _TABLES, f"{cell}, {side}", of=of, way=(side,)
            )
    if proposal.cost >= HALF_DOLLAR:
        facts.add("trades.cost", "money", proposal.cost, "trading_cost", ("securities", "custodians"), cell, of=of)


def _causes(facts: Collection, proposal: Proposal, household: str) -> None:
    sums: dict[str, list[Trade]] = defaultdict(list)
    for trade in proposal.trades:
        sums[f"{trade.reason.cause}.{trade.side}"].append(trade)
    largest = sorted(sums.items(), key=lambda one: (-sum(trade.amount for trade in one[1]), one[0]))
    for name, trades in largest:
        cell, side = f"trades of {proposal.household_id} for {name}", trades[0].side
        amount = sum(trade.amount for trade in trades)
        facts.add(f"why.{name}.amount", "money", amount, "traded_dollars", _TABLES, cell, of=(household,), way=(side,))
        facts.add(f"why.{name}.count", "count", len(trades), "trades_number", _TABLES, cell, of=(household,))


def _undone(facts: Collection, proposal: Proposal, named: Directory, accounts: Mapping[str, str]) -> None:
    """Add the largest trade left undone for each obstacle and side, largest first."""
    largest: dict[str, Refusal] = {}
    for one in sorted(proposal.refused, key=lambda one: (-(one.amount or 0.0), one.account_id, one.security_id)):
        if (one.amount or 0.0) >= HALF_DOLLAR and one.account_id in accounts:
            largest.setdefault(f"undone.{one.obstacle}.{one.side}", one)
    for start, one in largest.items():
        cell = f"{one.side} {one.security_id} in {one.account_id} left undone: {one.obstacle}"
        what, where = security(facts, one.security_id, named), f"account:{one.account_id}"
        _named(facts, start, one.security_id, what, cell, named)
        facts.add(f"{start}.account", "name", accounts[one.account_id], "named", ("accounts",), cell, of=(where,))
        facts.add(
            f"{start}.amount", "money", float(one.amount or 0.0), "trade_left_undone", _TABLES, cell,
            of=(where, what), way=(one.side,),
        )  # fmt: skip
        if one.until is not None:
            facts.add(f"{start}.until", "date", one.until.isoformat(), "restriction_ends", _TABLES, cell, of=(what,))


def _consent(facts: Collection, proposal: Proposal, accounts: Mapping[str, str]) -> None:
    """Add the accounts whose client must agree first, and those that no model manages."""
    for kind in ("consent", "unmanaged"):
        found = [note for note in proposal.notes if note.kind == kind and note.account_id in accounts]
        for place, note in enumerate(found, start=1):
            start, of, cell = f"{kind}.{place}", (f"account:{note.account_id}",), f"{kind} of {note.account_id}"
            facts.add(f"{start}.account", "name", accounts[note.account_id], "named", ("accounts",), cell, of=of)
            if note.amount >= HALF_DOLLAR:
                facts.add(f"{start}.amount", "money", note.amount, f"{kind}_dollars", ("accounts",), cell, of=of)
