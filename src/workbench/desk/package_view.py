"""A signal package as its page shows it: the brief's own sentences and figures, trades with their place, what changed.

No figure is made here: all come from the package, worded by the functions that word the client's brief, so that the
page an approver reads and the paper a client gets cannot say two things.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from workbench import rebalance
from workbench.drafting.on_file import Extras
from workbench.exhibits import brief_words as words
from workbench.exhibits.brief import brief, tax_words, tracking_error, traded
from workbench.rebalance.proposal import Proposal, Trade
from workbench.rebalance.signal.edit import Change, compare, is_edited
from workbench.rebalance.words import endings as account_endings
from workbench.report import format as fmt
from workbench.report.brief import Deviation, Figure, Item

_NAME, _ID = 60, 16
#: Width of the drawing of a weight, and what is kept free at its ends.
_WIDE, _EDGE = 200.0, 6.0


@dataclass(frozen=True)
class TradeLine:
    """One trade in words; `place` is its number in the package, from 0."""

    place: int
    side: str
    security: str
    shares: str
    amount: str
    gain: str
    tax: str
    cost: str
    why: str
    lots: str


@dataclass(frozen=True)
class AccountPart:
    """What happens in one account: how it is called, its cash before and after, what it must keep, its trades."""

    name: str
    account_id: str
    value: str
    cash_before: str
    cash_after: str
    cash_floor: str
    below_floor: bool
    consent_needed: bool
    trades: tuple[TradeLine, ...]


@dataclass(frozen=True)
class WeightRow:
    """A weight before and after against target and band, as text and as places on a line of `_WIDE` units."""

    label: str
    before: str
    after: str
    target: str
    band: str
    outside: str
    x_before: float
    x_after: float
    x_target: float
    x_lower: float | None
    x_upper: float | None


@dataclass(frozen=True)
class PackageView:
    """Everything a page shows of a package."""

    household: str
    about: str
    headline: str
    figures: tuple[Figure, ...]
    level: str
    weights: tuple[WeightRow, ...]
    accounts: tuple[AccountPart, ...]
    untraded: tuple[str, ...]
    tax: tuple[Item, ...]
    client: tuple[Item, ...]
    undone: tuple[Item, ...]
    edited: str
    lineage: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ChangeView:
    """What a person changed against the package as it was drafted, in sentences, and the dollars of both."""

    lines: tuple[str, ...]
    traded_before: str
    traded_after: str
    tax_before: str
    tax_after: str


def package_view(body: bytes) -> PackageView:
    """Read a package and put it into words. Raises `PackageError` where it is none."""
    proposal = rebalance.loads(body)
    view = brief(proposal, Extras(advisor=proposal.advisor_id))
    edited = next((note for note in proposal.notes if note.kind == "edited"), None)
    accounts = _accounts(proposal)
    return PackageView(
        household=words.clipped(proposal.household_name, _NAME),
        about=view.about,
        headline=_headline(proposal),
        figures=view.figures,
        level=view.chart_title.removeprefix("Drift by "),
        weights=_weights(view.deviations),
        accounts=tuple(part for part in accounts if part.trades),
        untraded=tuple(part.name for part in accounts if not part.trades),
        tax=view.beside.items,
        client=view.below[0].items,
        undone=view.below[1].items,
        edited=f"A person took trades of {fmt.usd(edited.amount)} out. {edited.detail}" if edited else "",
        lineage=proposal.lineage,
        settings=proposal.settings,
    )


def trade_lines(body: bytes) -> tuple[AccountPart, ...]:
    """Return the accounts that trade, for the page on which trades are taken out."""
    return tuple(part for part in _accounts(rebalance.loads(body)) if part.trades)


def change_view(first: bytes, second: bytes) -> ChangeView:
    """Say what the second package trades differently from the first."""
    before, after = rebalance.loads(first), rebalance.loads(second)
    return ChangeView(
        lines=_changes(compare(before, after), after),
        traded_before=fmt.usd(traded(before.trades)),
        traded_after=fmt.usd(traded(after.trades)),
        tax_before=tax_words(before.tax),
        tax_after=tax_words(after.tax),
    )


def _headline(proposal: Proposal) -> str:
    """What happens to whom, in two sentences."""
    if not proposal.trades:
        return "No trade: nothing would bring more than its tax and cost."
    accounts = len({trade.account_id for trade in proposal.trades})
    where = f"{accounts} {'account' if accounts == 1 else 'accounts'}"
    count = f"{len(proposal.trades)} {'trade' if len(proposal.trades) == 1 else 'trades'}"
    sold, bought = fmt.usd(traded(proposal.trades, "sell")), fmt.usd(traded(proposal.trades, "buy"))
    text = f"{count} in {where}: {sold} sold and {bought} bought."
    error = tracking_error(proposal)
    if error is not None and not is_edited(proposal):
        text += f" Tracking error goes from {fmt.percent(error[0], 2)} to {fmt.percent(error[1], 2)} a year."
    return text


def _accounts(proposal: Proposal) -> tuple[AccountPart, ...]:
    endings = account_endings(account.account_id for account in proposal.accounts)
    lines: dict[str, list[TradeLine]] = defaultdict(list)
    places = sorted(enumerate(proposal.trades), key=lambda one: (one[1].side == "buy", -one[1].amount))
    for place, trade in places:
        lines[trade.account_id].append(_line(place, trade))
    parts = []
    for state in sorted(proposal.accounts, key=lambda one: (-one.traded, one.account_id)):
        kind = words.registration(state.registration)
        parts.append(
            AccountPart(
                name=f"{kind[:1].upper()}{kind[1:]} ··{endings[state.account_id]}",
                account_id=state.account_id,
                value=fmt.usd(state.value),
                cash_before=fmt.usd(state.cash_before),
                cash_after=fmt.usd(state.cash_after),
                cash_floor=fmt.usd(state.cash_floor),
                below_floor=state.cash_after < state.cash_floor - 0.005,
                consent_needed=not state.discretionary and bool(lines[state.account_id]),
                trades=tuple(lines[state.account_id]),
            )
        )
    return tuple(parts)


def _line(place: int, trade: Trade) -> TradeLine:
    taxed = any(lot.term != "untaxed" for lot in trade.lots)
    return TradeLine(
        place=place,
        side="Sell" if trade.side == "sell" else "Buy",
        security=words.clipped(trade.security_id, _ID),
        shares=fmt.shares(trade.shares),
        amount=fmt.usd(trade.amount),
        gain=fmt.usd(trade.gain_short + trade.gain_long) if taxed else "",
        tax=fmt.usd(trade.tax) if taxed else "",
        cost=fmt.usd(trade.cost + trade.fee, 2),
        why=words.why(trade.reason, trade.side),
        lots=words.lots(trade.lots, most=4) if taxed else "",
    )


def _weights(rows: Sequence[Deviation]) -> tuple[WeightRow, ...]:
    """Rows of the before-and-after table with their places on one common line from zero."""
    most = max((max(row.before, row.after, row.target, row.upper or 0.0) for row in rows), default=1.0) or 1.0

    def x(weight: float) -> float:
        return round(_EDGE + max(weight, 0.0) / most * (_WIDE - 2 * _EDGE), 2)

    return tuple(
        WeightRow(
            label=row.label,
            before=fmt.percent(row.before),
            after=fmt.percent(row.after),
            target=fmt.percent(row.target),
            band="" if row.lower is None else f"{fmt.percent(row.lower)} to {fmt.percent(row.upper)}",
            outside=_outside(row),
            x_before=x(row.before),
            x_after=x(row.after),
            x_target=x(row.target),
            x_lower=None if row.lower is None else x(row.lower),
            x_upper=None if row.upper is None else x(row.upper),
        )
        for row in rows
    )


def _outside(row: Deviation) -> str:
    if row.lower is None or row.upper is None:
        return ""
    now, then = (not row.lower - 1e-12 <= weight <= row.upper + 1e-12 for weight in (row.before, row.after))
    return {(True, True): "outside, still", (True, False): "brought inside", (False, True): "leaves its band"}.get(
        (now, then), "inside"
    )


def _changes(change: Change, after: Proposal) -> tuple[str, ...]:
    endings = account_endings(account.account_id for account in after.accounts)

    def said(trade: Trade) -> str:
        where = endings.get(trade.account_id, trade.account_id[-4:])
        return (
            f"{trade.side} {fmt.shares(trade.shares)} {words.clipped(trade.security_id, _ID)} "
            f"({fmt.usd(trade.amount)}) in ··{where}"
        )

    lines = [f"Taken out: {said(trade)}." for trade in change.removed]
    lines += [f"Added: {said(trade)}." for trade in change.added]
    lines += [f"Changed: {said(one)} is now {fmt.shares(other.shares)} shares." for one, other in change.resized]
    return tuple(lines)
