"""One sentence for each trade, from its reason alone: "Sell 15 VTI in account ending 4567: brings US equity to 40.1%".

A closed list of clauses, one for each cause, and no figure that the trade does not hold. What is told in tables beside
other columns (the brief's) is worded by its exhibit; this is the form for a ticket, a note or an approval.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from workbench.rebalance.proposal import Proposal, Reason, Trade

#: Changes of weight that print as none.
UNMOVED = 0.0005
#: Longest text of a firm's own (a class, a sector) that is told in full.
LONGEST = 40


def sentences(proposal: Proposal) -> tuple[str, ...]:
    """Return a sentence for each trade of a proposal, in its order."""
    ending = endings(state.account_id for state in proposal.accounts)
    return tuple(sentence(trade, ending[trade.account_id]) for trade in proposal.trades)


def sentence(trade: Trade, ending: str) -> str:
    """Say what is traded in the account of this ending, what it corrects, its tax, and what takes its place."""
    what = f"{trade.side.capitalize()} {_count(trade.shares)} {_line(trade.security_id)} in account ending {ending}"
    clauses = [_cause(trade.reason, trade.side), *_taxes(trade)]
    return f"{what}: {', '.join(clauses)}{_partner(trade)}{_waiting(trade.reason)}."


def endings(accounts: Iterable[str]) -> dict[str, str]:
    """Return the ending by which each account is named: its last four characters, more where two would be alike."""
    ids = list(dict.fromkeys(accounts))
    width, longest = 4, max(map(len, ids), default=0)
    while width < longest and len({account[-width:] for account in ids}) < len(ids):
        width += 1
    return {account: account[-width:] for account in ids}


def _cause(reason: Reason, side: str) -> str:
    moved = _moved(reason)
    here = "is held in another account from now on" if side == "sell" else "comes here from another account"
    return {
        "overweight": moved,
        "underweight": moved,
        "off_model": f"is not in the model and {moved}",
        "harvest": moved,
        "replacement": f"takes the place of {_line(reason.replaces)}" if reason.replaces else moved,
        "raise_cash": f"raises cash and {moved}",
        "invest_cash": f"invests cash and {moved}",
        "location": f"{here}, for its tax is lower there" if side == "sell" else f"{here}, for its tax is lower here",
        "restriction": f"may not be held and {moved}",
        "transition": f"is a step of the transition and {moved}",
    }[reason.cause]


def _moved(reason: Reason) -> str:
    still = abs(reason.weight_after - reason.weight_before) < UNMOVED
    verb = "leaves" if still else "brings"
    word = "at" if still else "to"
    return f"{verb} {_line(reason.key)} {word} {_percent(reason.weight_after)} (target {_percent(reason.target)})"


def _taxes(trade: Trade) -> list[str]:
    """What the sale realises: losses harvested, gains with their tax; nothing where no gain is taxed."""
    named = (("short-term", trade.gain_short), ("long-term", trade.gain_long))
    clauses = []
    losses = [f"{_dollars(-gain)} of {term}" for term, gain in named if gain <= -0.5]
    gains = [f"{_dollars(gain)} of {term}" for term, gain in named if gain >= 0.5]
    if losses:
        clauses.append(f"harvests {' and '.join(losses)} losses")
    if gains:
        owed = f" (tax {_dollars(trade.tax)})" if trade.tax >= 0.5 else ""
        clauses.append(f"realises {' and '.join(gains)} gains{owed}")
    taken = sum(lot.disallowed for lot in trade.lots)
    if taken >= 0.5:
        clauses.append(f"of whose losses a wash sale disallows {_dollars(taken)}")
    if any(lot.gain is None and lot.term != "untaxed" for lot in trade.lots):
        clauses.append("taxed in full where what was paid is not known")
    return clauses


def _partner(trade: Trade) -> str:
    reason = trade.reason
    until = f" until {_day(reason.until)}" if reason.until else ""
    if reason.replaced_by:
        return f"; replaced by {_line(reason.replaced_by)}{until}"
    return f"; not to be bought back before {_day(reason.until)}" if reason.until else ""


def _waiting(reason: Reason) -> str:
    if reason.turns_long is None:
        return ""
    day = f"{_day(reason.turns_long)} {reason.turns_long.year}"
    return f"; waiting until {day}, when it turns long-term, would save {_dollars(reason.waiting_saves)} of tax"


def _count(shares: float) -> str:
    return f"{shares:,.0f}" if float(shares).is_integer() else f"{shares:,.6f}".rstrip("0").rstrip(".")


def _dollars(amount: float) -> str:
    return f"${amount:,.0f}"


def _percent(weight: float) -> str:
    text = f"{abs(weight) * 100:.1f}%"
    return f"\u2212{text}" if weight < 0 and text != "0.0%" else text


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}"


def _line(text: str) -> str:
    """A firm's own text in one line that a ticket can hold."""
    one = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return one if len(one) <= LONGEST else f"{one[: LONGEST - 1].rstrip()}\u2026"


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
