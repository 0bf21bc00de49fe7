"""Cash after the trades: never below zero, never below a floor, and enough for what has to be paid out."""

from __future__ import annotations

import numpy as np

from workbench.compliance.context import Context
from workbench.compliance.exposures import sums
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.words import dollars, quoted

#: Cash within a cent of its floor is at its floor.
CENT = 0.01


def cash_covers_trades(context: Context, rule: Rule) -> Outcome:
    """Cash of each account after all trades, their spread, impact and tickets: not below zero."""
    view, rows = context.view, context.cash
    touched = context.trades_of[rows.proposal] > 0
    proposal, account = rows.proposal[touched], rows.account[touched]
    before, after = rows.before[touched], np.round(rows.after[touched], 2) + 0.0

    def reason(i: int) -> str:
        return (
            f"{view.account_ids[account[i]]} would have {dollars(after[i])} of cash after the trades and their costs "
            f"({dollars(before[i])} before); it may not fall below zero."
        )

    return judge(
        rule, len(context), proposal, value=after, limit=0.0, before=before, at_least=True, order=account,
        subject=lambda i: str(view.account_ids[account[i]]), reason=reason, otherwise="Nothing is traded.",
    )  # fmt: skip


def cash_floor(context: Context, rule: Rule) -> Outcome:
    """Cash after the trades against the least cash that a restriction asks for, of an account or the household."""
    view, rows, listed = context.view, context.cash, context.restrictions("min_cash")
    account, proposal = listed["account"].to_numpy(), listed["proposal"].to_numpy()
    n_accounts = len(view.account_ids)
    key = rows.proposal * n_accounts + rows.account
    place = np.minimum(np.searchsorted(key, proposal * n_accounts + account), max(len(key) - 1, 0))
    whole_before, whole_after = (sums(rows.proposal, cash, len(context)) for cash in (rows.before, rows.after))
    by_account = account >= 0
    before = np.where(by_account, rows.before[place], whole_before[proposal]) if len(listed) else np.zeros(0)
    after = np.where(by_account, rows.after[place], whole_after[proposal]) if len(listed) else np.zeros(0)
    after = np.round(after, 2) + 0.0
    floor = listed["value"].to_numpy(np.float64)
    idle = context.trades_of[proposal] == 0
    lost = (~(floor >= 0.0) | np.isnan(after)) & ~idle

    def where(i: int) -> str:
        return str(view.account_ids[account[i]]) if account[i] >= 0 else "the household"

    def reason(i: int) -> str:
        facts = listed.iloc[i]
        who = where(i)
        if lost[i]:
            asks = f"Restriction {facts['restriction_id']} asks {who} to keep cash"
            if np.isnan(floor[i]):
                return f"{asks} and does not say how much."
            if floor[i] < 0.0:
                return f"{asks} and names {dollars(floor[i])}, which is below zero."
            return f"{asks}, and how much it would have is unknown: a price or a cost of a trade is missing."
        return (
            f"{who[0].upper()}{who[1:]} would have {dollars(after[i])} of cash after the trades ({dollars(before[i])} "
            f"before); restriction {facts['restriction_id']} asks for {dollars(floor[i])}."
        )

    return judge(
        rule, len(context), proposal, value=after, limit=floor, before=before, at_least=True,
        fails=after < floor - CENT, unknown=lost, subject=where, reason=reason,
        otherwise="No restriction asks for a floor of cash.",
    )  # fmt: skip


def cash_needs(context: Context, rule: Rule) -> Outcome:
    """Cash of each account after the trades against the distributions and withdrawals that it has to pay."""
    rows, orders = context.cash, context.orders
    n_accounts = len(context.view.account_ids)
    account = context.need_account
    due = (orders.need_kind != "min_cash") & (context.household[orders.need_proposal] >= 0)
    names, code = orders.account_names, orders.need_account[due]
    wanted, first, whose = np.unique(
        orders.need_proposal[due] * max(len(names), 1) + code, return_index=True, return_inverse=True
    )
    needed = sums(whose, orders.needed[due], len(wanted))
    proposal, name, account = orders.need_proposal[due][first], names[code[first]], account[due][first]
    key = rows.proposal * n_accounts + rows.account
    sought = proposal * n_accounts + account
    place = np.minimum(np.searchsorted(key, sought), max(len(key) - 1, 0))
    found = (account >= 0) & (key[place] == sought) if len(key) else np.zeros(len(wanted), bool)
    before, after = (
        np.where(found, np.append(cash, np.nan)[np.where(found, place, -1)], np.nan)
        for cash in (rows.before, np.round(rows.after, 2) + 0.0)
    )
    lost = np.isnan(after) | ~(needed >= 0.0)

    def reason(i: int) -> str:
        if not found[i]:
            return f"The proposal has to raise cash in {quoted(name[i])}, which is no account of this household."
        if lost[i]:
            return f"Whether {name[i]} can pay out what is due is unknown: an amount, a price or a cost is missing."
        return (
            f"{name[i]} would have {dollars(after[i])} of cash after the trades ({dollars(before[i])} before) and has "
            f"to pay out {dollars(needed[i])}."
        )

    return judge(
        rule, len(context), proposal, value=after, limit=needed, before=before, at_least=True,
        fails=after < needed - CENT, unknown=lost, subject=lambda i: str(name[i]), reason=reason,
        otherwise="No distribution or withdrawal is due.",
    )  # fmt: skip
