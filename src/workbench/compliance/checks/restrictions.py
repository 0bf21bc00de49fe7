"""What a client, an employer or a pledge forbids: securities never bought, sold or held, lots never touched, caps.

Restrictions stand on an account or on a household, and count up to their last day. A key names a security or, where
there is no such security, all securities of an issuer, a sector or an asset class. A key that names none of them cannot
be checked, and is not assessable wherever something is traded under it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.compliance.context import Context, matched
from workbench.compliance.exposures import sums
from workbench.compliance.firm_view import LEVELS, FirmView
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.words import percent, quoted, shares

#: Shares fewer than this are rounding.
DUST = 1e-6
#: What a key may name, in the order in which it is looked for; the rebalancer reads keys in the same one.
_NAMED_BY = ("security", "issuer", "sector", "asset_class")


@dataclass(frozen=True, eq=False)
class _Named:
    """What restrictions' keys name: flags (restriction, security) by key, and which keys name nothing."""

    code: NDArray[np.int64]
    members: NDArray[np.bool_]

    def holds(self, row: NDArray[np.int64], security: NDArray[np.int64]) -> NDArray[np.bool_]:
        return self.members[self.code[row], security]

    def nothing(self, row: NDArray[np.int64]) -> NDArray[np.bool_]:
        empty: NDArray[np.bool_] = np.logical_not(self.members.any(axis=1))
        return empty[self.code[row]]


def _named(view: FirmView, keys: pd.Series) -> _Named:
    code, names = pd.factorize(keys.astype(str))
    members = np.zeros((len(names) + 1, len(view.price)), bool)
    columns = [view.securities[LEVELS[level]].astype(str).to_numpy(object) for level in _NAMED_BY]
    for at, name in enumerate(names):
        members[at] = next((found for column in columns if (found := column == name).any()), False)
    return _Named(code.astype(np.int64), members)


def never_buy(context: Context, rule: Rule) -> Outcome:
    """Shares bought of a security that a restriction on the account or its household says never to buy."""
    return _never_traded(context, rule, "never_buy", sell=False)


def never_sell(context: Context, rule: Rule) -> Outcome:
    """Shares sold of a security that a restriction on the account or its household says never to sell."""
    return _never_traded(context, rule, "never_sell", sell=True)


def _never_traded(context: Context, rule: Rule, kind: str, *, sell: bool) -> Outcome:
    orders, listed = context.orders, context.restrictions(kind)
    named = _named(context.view, listed["key"])
    row, trade = matched(listed["proposal"].to_numpy(), orders.proposal, len(context))
    within = _within(listed["account"].to_numpy()[row], context.account[trade])
    row, trade = row[within], trade[within]
    lost = named.nothing(row) | (context.security[trade] < 0)
    hit = (orders.sell[trade] == sell) & (lost | named.holds(row, context.security[trade]))
    row, trade, lost = row[hit], trade[hit], lost[hit]
    done = "sold" if sell else "bought"

    def reason(i: int) -> str:
        facts = listed.iloc[row[i]]
        if lost[i]:
            return _unreadable(facts, context, int(trade[i]))
        return (
            f"{shares(orders.shares[trade[i]])} of {context.security_name(int(trade[i]))} would be {done} in "
            f"{context.account_name(int(trade[i]))}; {_source(facts)} forbids it: {quoted(facts['reason'])}."
        )

    return judge(
        rule, len(context), orders.proposal[trade], value=orders.shares[trade], limit=0.0, unknown=lost,
        subject=lambda i: context.trade_name(int(trade[i])), reason=reason,
        otherwise=f"Nothing is {done} that a restriction forbids.",
    )  # fmt: skip


def never_hold(context: Context, rule: Rule) -> Outcome:
    """Shares held after the trades of a security that a restriction says never to hold."""
    rows, listed = context.positions, context.restrictions("never_hold")
    named = _named(context.view, listed["key"])
    row, place = matched(listed["proposal"].to_numpy(), rows.proposal, len(context))
    lost = named.nothing(row)
    hit = _within(listed["account"].to_numpy()[row], rows.account[place])
    hit &= lost | named.holds(row, rows.security[place])
    row, place, lost = row[hit], place[hit], lost[hit]
    lost &= context.trades_of[rows.proposal[place]] > 0
    view = context.view

    def reason(i: int) -> str:
        facts, at = listed.iloc[row[i]], place[i]
        if lost[i]:
            return _unreadable(facts, context)
        return (
            f"{view.account_ids[rows.account[at]]} would hold {shares(rows.quantity_after[at])} of "
            f"{view.security_ids[rows.security[at]]} after the trades ({shares(rows.quantity_before[at])} before); "
            f"{_source(facts)} says never to hold it: {quoted(facts['reason'])}."
        )

    unnamed = named.nothing(row)
    return judge(
        rule, len(context), rows.proposal[place], value=np.where(unnamed, 0.0, rows.quantity_after[place]), limit=0.0,
        before=rows.quantity_before[place], unknown=lost,
        subject=lambda i: f"{view.account_ids[rows.account[place[i]]]} {view.security_ids[rows.security[place[i]]]}",
        reason=reason, otherwise="Nothing is held that a restriction forbids to hold.",
    )  # fmt: skip


def hold_lot(context: Context, rule: Rule) -> Outcome:
    """Shares sold out of a lot that must be kept. A lot that the book does not have cannot be checked."""
    orders, listed = context.orders, context.restrictions("hold_lot")
    key = listed["key"].astype(str).to_numpy(object)
    exists = context.view.find("lot", key) >= 0
    of_lot = orders.proposal[orders.lot_trade]
    row, sale = matched(listed["proposal"].to_numpy(), of_lot, len(context))
    trade = orders.lot_trade[sale]
    hit = _within(listed["account"].to_numpy()[row], context.account[trade])
    hit &= (key[row] == orders.lot_id[sale]) | ~exists[row]
    row, sale, trade = row[hit], sale[hit], trade[hit]
    lost = ~exists[row]

    def reason(i: int) -> str:
        facts = listed.iloc[row[i]]
        if lost[i]:
            who = f"Restriction {facts['restriction_id']}"
            return f"{who} names lot {quoted(facts['key'])}, which the book of record does not have."
        return (
            f"{shares(orders.lot_shares[sale[i]])} of lot {orders.lot_id[sale[i]]} would be sold in "
            f"{context.account_name(int(trade[i]))}; {_source(facts)} says to keep it: {quoted(facts['reason'])}."
        )

    return judge(
        rule, len(context), orders.proposal[trade], value=orders.lot_shares[sale], limit=0.0, unknown=lost,
        subject=lambda i: f"{context.account_name(int(trade[i]))} lot {key[row[i]]}", reason=reason,
        otherwise="No lot that must be kept is sold.",
    )  # fmt: skip


def max_weight(context: Context, rule: Rule) -> Outcome:
    """Weight after the trades of what a restriction caps, in its account or its household."""
    view, rows, listed = context.view, context.positions, context.restrictions("max_weight")
    named = _named(view, listed["key"])
    account = listed["account"].to_numpy()
    row, place = matched(listed["proposal"].to_numpy(), rows.proposal, len(context))
    within = _within(account[row], rows.account[place])
    row, place = row[within], place[within]
    member = named.holds(row, rows.security[place])
    every = np.arange(len(listed))

    def weight(held: NDArray[np.float64]) -> NDArray[np.float64]:
        part = sums(row[member], held[place[member]], len(listed))
        whole = sums(row, held[place], len(listed))
        nothing = np.where(np.abs(part) > 0.0, np.nan, 0.0)  # of debts alone, no part is a share
        return np.divide(part, whole, out=nothing, where=(whole > 0) | np.isnan(whole))

    before, after = weight(rows.before), weight(rows.after)
    limit = listed["value"].to_numpy(np.float64)
    idle = context.trades_of[listed["proposal"].to_numpy()] == 0
    # A cap of 30 was meant as 30 % and would allow everything.
    lost = (named.nothing(every) | ~((limit >= 0.0) & (limit <= 1.0)) | np.isnan(after)) & ~idle

    def where(i: int) -> str:
        return f"account {view.account_ids[account[i]]}" if account[i] >= 0 else "the household"

    def reason(i: int) -> str:
        facts = listed.iloc[i]
        if lost[i]:
            what = f"Restriction {facts['restriction_id']} caps {quoted(facts['key'])} in {where(i)}"
            why = _why_not(named.nothing(every)[i], limit[i])
            return f"{what}, and that cannot be checked: {why}."
        return (
            f"{facts['key']} would be {percent(after[i])} of {where(i)} after the trades ({percent(before[i])} "
            f"before); {_source(facts)} allows {percent(limit[i])}: {quoted(facts['reason'])}."
        )

    return judge(
        rule, len(context), listed["proposal"].to_numpy(), value=after, limit=limit, before=before,
        fails=after > limit + 1e-9, unknown=lost, subject=lambda i: f"{where(i)} {listed['key'].iloc[i]}",
        reason=reason, otherwise="No restriction caps a weight.",
    )  # fmt: skip


def _within(scope: NDArray[np.int64], account: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a restriction of a scope (-1: the household) counts in an account."""
    within: NDArray[np.bool_] = (scope < 0) | (scope == account)
    return within


def _why_not(nothing: bool, limit: float) -> str:
    if nothing:
        return "the key names no security, issuer, sector or asset class of the firm"
    if np.isnan(limit):
        return "it does not say how much"
    if not 0.0 <= limit <= 1.0:
        return f"a cap is a fraction from 0 to 1, not {limit:g}"
    return "a holding has no price, or all of it is worth nothing"


def _source(facts: pd.Series) -> str:
    return f"restriction {facts['restriction_id']}"


def _unreadable(facts: pd.Series, context: Context, trade: int | None = None) -> str:
    what = "" if trade is None else f", so the trade in {context.security_name(trade)} cannot be checked"
    who = f"Restriction {facts['restriction_id']}"
    named = f"{who} names {quoted(facts['key'])}"
    return f"{named}, which is no security, issuer, sector or asset class of the firm{what}."
