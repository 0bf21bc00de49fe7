"""A few sentences an advisor may send or read out: a proposal in the brief's own words, to be edited by a person.

    We looked at your accounts as of 28 Dec 2022. We propose 4 trades in 2 accounts: $9,358 sold and $8,671 bought.

Made by a template, not by a model: every figure is the package's, spelled as on the brief.
"""

from __future__ import annotations

from workbench.exhibits import brief_words as words
from workbench.exhibits.brief import tracking_error, traded
from workbench.rebalance.proposal import Proposal, Trade
from workbench.rebalance.words import endings as account_endings
from workbench.report import format as fmt

#: Changes with every wording, so that a kept draft says which one it was made by.
TEMPLATE = "advisor_note 1"
#: Trades that are named.
_NAMED = 3


def advisor_note(proposal: Proposal) -> str:
    """Return the note of a proposal that trades, in plain text, a paragraph a line."""
    accounts = len({trade.account_id for trade in proposal.trades})
    lines = [
        f"We looked at your accounts as of {words.short_date(proposal.as_of)}. We propose "
        f"{_many(len(proposal.trades), 'trade')} in {_many(accounts, 'account')}: "
        f"{fmt.usd(traded(proposal.trades, 'sell'))} sold and {fmt.usd(traded(proposal.trades, 'buy'))} bought.",
        _why(proposal),
        f"The largest are {words.joined([_said(trade) for trade in _largest(proposal)])}.",
        f"{_tax(proposal)} Trading is expected to cost {fmt.usd(proposal.cost)}.",
        _consent(proposal),
        "Nothing is traded before the firm has approved it. Please tell us of anything that has changed.",
    ]
    return "\n\n".join(line for line in lines if line) + "\n"


def _why(proposal: Proposal) -> str:
    error = tracking_error(proposal)
    if error is None or error[1] >= error[0]:
        return ""
    return (
        "They bring your accounts closer to the model you are invested in: the expected difference from it falls from "
        f"{fmt.percent(error[0], 2)} to {fmt.percent(error[1], 2)} a year."
    )


def _tax(proposal: Proposal) -> str:
    if abs(proposal.tax) < 0.5:
        return f"They leave your tax for {proposal.as_of.year} as it is."
    verb = "add" if proposal.tax > 0 else "save"
    return f"By our estimate they {verb} {fmt.usd(abs(proposal.tax))} of tax for {proposal.as_of.year}."


def _largest(proposal: Proposal) -> list[Trade]:
    return sorted(proposal.trades, key=lambda one: (-one.amount, one.security_id, one.account_id))[:_NAMED]


def _said(trade: Trade) -> str:
    verb = "selling" if trade.side == "sell" else "buying"
    return f"{verb} {fmt.usd(trade.amount)} of {words.clipped(trade.security_id, 16)}"


def _consent(proposal: Proposal) -> str:
    traded_in = {trade.account_id for trade in proposal.trades}
    endings = account_endings(account.account_id for account in proposal.accounts)
    asked = [f"··{endings[one.account_id]}" for one in proposal.accounts
             if one.account_id in traded_in and not one.discretionary]  # fmt: skip
    return f"For {words.joined(asked)} we need your consent first." if asked else ""


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
