"""A series of trades: each may be sound and all together too many. Turnover, cost, in and out, occasions, by account.

FINRA Rule 2111.05(c) and, for recommendations to retail customers, Reg BI 15l-1(a)(2)(ii)(C) name no figure. Turnover
above six and cost above 20 % of equity are the ones that decisions and FINRA's notices take as a sign of excessive
trading; they are guidance for accounts that trade on advice, and far beyond what a model portfolio needs, so the rules
warn much earlier. All of it counts the year up to the day of the data and the proposal on top.
"""

from __future__ import annotations

import numpy as np

from workbench.compliance.checks.series import TradedAccounts, history, traded_accounts
from workbench.compliance.context import Context
from workbench.compliance.exposures import share, sums
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.wording import counted, day, percents
from workbench.compliance.words import dollars

_YEAR = np.timedelta64(365, "D")
_NONE = "No account trades."


def turnover(context: Context, rule: Rule) -> Outcome:
    """Purchases of twelve months and of this proposal over the account's value: above `warn` a warning, above `most`
    what the rule says. Purchases with new money count too; the first investment of an account alone makes 1.
    """
    view, rows = context.view, traded_accounts(context)
    past = history(view).bought(view.as_of - _YEAR)[rows.account]
    ratio, before = share(past + rows.bought, rows.value), share(past, rows.value)
    warn, most = float(rule.parameters["warn"]), float(rule.parameters["most"])
    limit = np.where(ratio > most, most, warn)

    def reason(row: int) -> str:
        if np.isnan(ratio[row]):
            return _no_value(context, rows, row)
        return (
            f"{_name(context, rows, row)} would have bought {ratio[row]:.2f} times its value in twelve months, "
            f"{dollars(float(past[row]))} before and {dollars(float(rows.bought[row]))} now; "
            f"the limit is {limit[row]:g}."
        )

    return judge(
        rule, len(context), rows.proposal, value=ratio, limit=limit, before=before, softer=ratio <= most,
        subject=lambda row: _name(context, rows, row), reason=reason, otherwise=_NONE,
    )  # fmt: skip


def cost_to_equity(context: Context, rule: Rule) -> Outcome:
    """Fees and trading costs of twelve months and of this proposal over the account's value; limits as `turnover`."""
    view, rows = context.view, traded_accounts(context)
    known = history(view)
    past = (known.fees + known.spread)[rows.account]
    ratio, before = share(past + rows.cost, rows.value), share(past, rows.value)
    warn, most = float(rule.parameters["warn"]), float(rule.parameters["most"])
    limit = np.where(ratio > most, most, warn)

    def reason(row: int) -> str:
        if np.isnan(ratio[row]):
            return _no_value(context, rows, row)
        figure, bound = percents(float(ratio[row]), float(limit[row]))
        return (
            f"Fees and trading would have cost {_name(context, rows, row)} {figure} of its value in twelve months, "
            f"{dollars(float(past[row]))} before and {dollars(float(rows.cost[row]))} now; the limit is {bound}."
        )

    return judge(
        rule, len(context), rows.proposal, value=ratio, limit=limit, before=before, softer=ratio <= most,
        subject=lambda row: _name(context, rows, row), reason=reason, otherwise=_NONE,
    )  # fmt: skip


def occasions(context: Context, rule: Rule) -> Outcome:
    """Days of the last `days` on which the account traded by the firm's decision, and this proposal's."""
    view, rows = context.view, traded_accounts(context)
    since = view.as_of - np.timedelta64(int(rule.parameters["days"]), "D")
    made = history(view).occasions(since)[rows.account]
    most = float(rule.parameters["most"])

    def reason(row: int) -> str:
        return (
            f"{_name(context, rows, row)} traded on {counted(made[row], 'day', 'days')} of the last "
            f"{rule.parameters['days']} and would once more; the limit is {most:.0f}."
        )

    return judge(
        rule, len(context), rows.proposal, value=made + 1.0, limit=most, before=made,
        subject=lambda row: _name(context, rows, row), reason=reason, otherwise=_NONE,
    )  # fmt: skip


def in_and_out(context: Context, rule: Rule) -> Outcome:
    """Share of the account bought back, or sold again, within `days` of the firm's opposite trade in one security.

    The smaller of both amounts counts, summed over the account's securities; cash equivalents in `without` do not.
    """
    view, orders = context.view, context.orders
    rows, past = traded_accounts(context), history(view)
    n_accounts, n_securities = max(len(view.account_household), 1), len(view.price)
    counts = ~view.securities["asset_class"].astype(str).isin(list(rule.parameters["without"])).to_numpy(bool)
    since = view.as_of - np.timedelta64(int(rule.parameters["days"]), "D")
    trades = np.flatnonzero(context.known & counts[np.maximum(context.security, 0)])
    pair = context.account[trades] * n_securities + context.security[trades]
    now = np.abs(orders.shares[trades] * orders.price[trades])
    opposite = np.zeros(len(trades))
    last = np.full(len(trades), np.datetime64("NaT", "D"))
    for sold in (False, True):
        key, amount, latest = past.pairs(since, sold, n_securities)
        at = np.searchsorted(key, pair)
        hit = (at < len(key)) & (orders.sell[trades] != sold)
        hit[hit] = key[at[hit]] == pair[hit]
        opposite[hit], last[hit] = amount[at[hit]], latest[at[hit]]
    both = np.minimum(now, opposite)
    whose = np.searchsorted(
        rows.proposal * n_accounts + rows.account, orders.proposal[trades] * n_accounts + context.account[trades]
    )
    fraction = share(sums(whose, both, len(rows.account)), rows.value)
    limit = float(rule.parameters["most"])

    def reason(row: int) -> str:
        if np.isnan(fraction[row]):
            return _no_value(context, rows, row)
        figure, bound = percents(float(fraction[row]), limit)
        name = _name(context, rows, row)
        mine = np.flatnonzero(whose == row)
        if both[mine].max(initial=0.0) == 0.0:
            return f"{name} reverses no trade of the last {rule.parameters['days']} days."
        worst = mine[int(np.argmax(both[mine]))]
        security, sell = view.security_ids[context.security[trades[worst]]], orders.sell[trades[worst]]
        done, again = ("bought", "sell it again") if sell else ("sold", "buy it back")
        return (
            f"{name} would reverse {figure} of its value traded in the last {rule.parameters['days']} days, above all "
            f"{security}: {done} on {day(last[worst])}, it would {again} for {dollars(float(both[worst]))}; "
            f"the limit is {bound}."
        )

    return judge(
        rule, len(context), rows.proposal, value=fraction, limit=limit,
        subject=lambda row: _name(context, rows, row), reason=reason, otherwise=_NONE,
    )  # fmt: skip


def _name(context: Context, rows: TradedAccounts, row: int) -> str:
    return str(context.view.account_ids[rows.account[row]])


def _no_value(context: Context, rows: TradedAccounts, row: int) -> str:
    return (
        f"{_name(context, rows, row)} holds something without a price, or is worth nothing, so no ratio can be taken."
    )
