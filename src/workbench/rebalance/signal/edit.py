"""An edited proposal: trades taken out whole by a person, with every figure that is still known and no other.

What is arithmetic is done again: amounts, cash, cost, gains, the losses carried forward, the wash calendar, consents.
What needs the program and the firm's covariances is not: a group that lost some of its trades has no weights and no
tracking error after, so it leaves `groups` and `levels`; limits and their prices leave, for they were the full
proposal's. The year's tax falls by the marginal tax of what was taken out. `benefit` counts the tracking of the groups
left whole, so it is never too high for that. The weights in the reasons of the trades that stay are those of the full
proposal: the note of kind `edited` says so, and every page that shows such a package has to.

To get figures that are exact again, propose anew with the wish in the book of record (a restriction, say).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from workbench.errors import ParameterError
from workbench.rebalance.proposal import AccountState, GroupState, Note, Proposal, TaxTable, Trade, WashRow
from workbench.tax import net

#: Net capital loss set against ordinary income a year: the two there are (IRC 1211(b)).
_LIMITS = (3_000.0, 1_500.0)
_CENT = 0.005
#: How the note of an edited package begins.
NOT_RECOMPUTED = (
    "Weights after, tracking error and benefit of the groups concerned are not recomputed; the weights in the trades' "
    "reasons are those of the full proposal; the tax is the full one less the marginal tax of what was taken out."
)


@dataclass(frozen=True)
class Change:
    """What one package does differently from another: trades gone, trades that are new, trades of another size."""

    removed: tuple[Trade, ...]
    added: tuple[Trade, ...]
    resized: tuple[tuple[Trade, Trade], ...]

    @property
    def nothing(self) -> bool:
        """Whether both trade the same."""
        return not (self.removed or self.added or self.resized)


def without(proposal: Proposal, taken_out: Collection[int]) -> Proposal:
    """Return the proposal without the trades at these places (0 is the first).

    Raises `ParameterError` where no place is named, one does not exist, or nothing would be left to trade.
    """
    places = set(taken_out)
    if not places:
        raise ParameterError("no trade was taken out; choose at least one, or leave the proposal as it is", "trades")
    unknown = sorted(place for place in places if not 0 <= place < len(proposal.trades))
    if unknown:
        raise ParameterError(f"the proposal has no trade number {unknown[0] + 1}; look at it anew", "trades")
    gone = [trade for place, trade in enumerate(proposal.trades) if place in places]
    kept = tuple(trade for place, trade in enumerate(proposal.trades) if place not in places)
    if not kept:
        raise ParameterError("every trade would be taken out; reject the signal instead", "trades")
    return _edited(proposal, gone, kept)


def compare(first: Proposal, second: Proposal) -> Change:
    """Say what the second proposal trades differently from the first, by account, security and side."""
    before, after = _by_order(first), _by_order(second)
    removed = tuple(trade for key, trade in before.items() if key not in after)
    added = tuple(trade for key, trade in after.items() if key not in before)
    resized = tuple(
        (trade, after[key]) for key, trade in before.items() if key in after and after[key].shares != trade.shares
    )
    return Change(removed, added, resized)


def is_edited(proposal: Proposal) -> bool:
    """Say whether a person took trades out of it."""
    return any(note.kind == "edited" for note in proposal.notes)


def _edited(proposal: Proposal, gone: Sequence[Trade], kept: tuple[Trade, ...]) -> Proposal:
    accounts = tuple(_account(account, gone, kept) for account in proposal.accounts)
    cash = {account.account_id: account.cash_after for account in accounts}
    group_of = {account.account_id: account.group for account in proposal.accounts}
    touched = {group_of[trade.account_id] for trade in gone}
    still = {group_of[trade.account_id] for trade in kept}
    groups = tuple(_group(group, touched) for group in proposal.groups if group.group not in touched & still)
    known = {group.group for group in groups}
    table = _tax_table(proposal.tax_table, gone, kept)
    return replace(
        proposal,
        accounts=accounts,
        groups=groups,
        trades=kept,
        levels=tuple(
            replace(row, after=row.before) if row.group in touched else row
            for row in proposal.levels
            if row.group in known
        ),
        tax_table=table,
        wash=tuple(row for row in proposal.wash if not row.proposed or _still_washes(row, kept)),
        cash_needs=tuple(
            replace(need, available_after=cash.get(need.account_id, need.available_after))
            for need in proposal.cash_needs
        ),
        limits=(),
        benefit=_benefit(proposal, groups),
        tax=table.tax,
        cost=round(sum(trade.cost + trade.fee for trade in kept), 2),
        notes=_notes(proposal, kept, gone),
    )


def _account(account: AccountState, gone: Sequence[Trade], kept: Sequence[Trade]) -> AccountState:
    """Cash and dollars traded without what was taken out; an account that trades nothing keeps the cash it has."""
    mine = [trade for trade in gone if trade.account_id == account.account_id]
    if not mine:
        return account
    left = [trade for trade in kept if trade.account_id == account.account_id]
    after = account.cash_before + sum(_cash(trade) for trade in left)
    return replace(account, cash_after=round(after, 2), traded=round(sum(trade.amount for trade in left), 2))


def _cash(trade: Trade) -> float:
    return (trade.amount if trade.side == "sell" else -trade.amount) - trade.cost - trade.fee


def _group(group: GroupState, touched: Collection[str]) -> GroupState:
    """A group that lost all of its trades stays as it is today."""
    if group.group not in touched:
        return group
    return replace(
        group, tracking_error_after=group.tracking_error_before, active_share_after=group.active_share_before
    )


def _tax_table(table: TaxTable, gone: Sequence[Trade], kept: Sequence[Trade]) -> TaxTable:
    short = round(sum(trade.gain_short for trade in kept), 2)
    long = round(sum(trade.gain_long for trade in kept), 2)
    taxed = [lot for trade in kept for lot in trade.lots if lot.term != "untaxed"]
    carried = _carried(table, short, long, _limit(table))
    return replace(
        table,
        proposed_short=short,
        proposed_long=long,
        carryforward_after_short=carried[0],
        carryforward_after_long=carried[1],
        budget_used_after=round(table.budget_used_before + short + long, 2),
        losses_harvested=round(-sum(min(lot.gain or 0.0, 0.0) + lot.disallowed for lot in taxed), 2) + 0.0,
        disallowed=round(sum(lot.disallowed for lot in taxed), 2),
        tax=round(table.tax - sum(trade.tax for trade in gone), 2) + 0.0,
    )


def _limit(table: TaxTable) -> float:
    """The household's yearly limit on losses, which the table does not name: the one that gives what it carries."""
    stated = (table.carryforward_after_short, table.carryforward_after_long)
    for limit in _LIMITS:
        found = _carried(table, table.proposed_short, table.proposed_long, limit)
        if all(abs(one - two) < 1.0 for one, two in zip(found, stated, strict=True)):
            return limit
    raise ParameterError(
        "the losses carried forward do not follow from the table's own figures; propose this household anew", "trades"
    )


def _carried(table: TaxTable, short: float, long: float, limit: float) -> tuple[float, float]:
    netted = net(
        table.realised_short + short, table.realised_long + long, table.carryforward_short, table.carryforward_long,
        limit=limit,
    )  # fmt: skip
    return round(float(netted.carryforward_short), 2), round(float(netted.carryforward_long), 2)


def _still_washes(row: WashRow, kept: Sequence[Trade]) -> bool:
    """Whether a trade that stays is the one this line of the wash calendar comes from."""
    side = "sell" if row.kind == "no_buy" else "buy"
    return any(
        trade.side == side and trade.security_id in row.securities and row.source.endswith(f" in {trade.account_id}")
        for trade in kept
    )


def _benefit(proposal: Proposal, groups: Sequence[GroupState]) -> float:
    """What less tracking is worth a year in the groups whose figures are known; see the module's docstring."""
    aversion = float(dict(proposal.settings).get("risk_aversion", "0"))
    worth = sum(
        aversion * group.value * (group.tracking_error_before**2 - group.tracking_error_after**2) for group in groups
    )
    return round(min(worth, proposal.benefit) if proposal.benefit > 0 else worth, 2) + 0.0


def _notes(proposal: Proposal, kept: Sequence[Trade], gone: Sequence[Trade]) -> tuple[Note, ...]:
    traded: dict[str, float] = defaultdict(float)
    for trade in kept:
        traded[trade.account_id] += trade.amount
    notes = [
        replace(note, amount=round(traded[note.account_id], 2)) if note.kind == "consent" else note
        for note in proposal.notes
        if note.kind != "edited" and (note.kind != "consent" or traded[note.account_id] > _CENT)
    ]
    before = sum(note.amount for note in proposal.notes if note.kind == "edited")
    amount = round(before + sum(trade.amount for trade in gone), 2)
    return (*notes, Note("edited", "", amount, NOT_RECOMPUTED))


def _by_order(proposal: Proposal) -> dict[tuple[str, str, str], Trade]:
    return {(trade.account_id, trade.security_id, trade.side): trade for trade in proposal.trades}
