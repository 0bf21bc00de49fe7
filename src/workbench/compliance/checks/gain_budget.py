"""Gains that a proposal realises, from the lots of the book of record: against the budget, and against what it says."""

from __future__ import annotations

import numpy as np

from workbench.compliance.context import Context
from workbench.compliance.exposures import sums
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.words import dollars
from workbench.tax import GainRates, loss_limit, tax_of_year


def gain_budget(context: Context, rule: Rule) -> Outcome:
    """Net gains of the year, those realised before and those proposed, against the household's budget.

    A proposal that realises no net gain cannot exceed a budget any further (`worsening_only` warns where the year is
    over it already). A lot without a basis, and a year whose gains to date are missing, is not assessable.
    """
    budget, realised = context.of_household("gain_budget"), _realised(context).sum(axis=1)
    proposed = _proposed(context).sum(axis=1)
    limited = np.flatnonzero((context.household >= 0) & ~np.isnan(budget) & (context.trades_of > 0))
    sells = sums(context.sales.proposal, context.sales.taxed, len(context))[limited] > 0
    value = (realised + np.where(np.isnan(proposed), 0.0, proposed))[limited]
    lost = sells & (np.isnan(proposed[limited]) | np.isnan(realised[limited]))

    def reason(i: int) -> str:
        at = limited[i]
        if lost[i]:
            what = (
                "a lot sold has no known basis"
                if np.isnan(proposed[at])
                else "the gains of the year so far are missing"
            )
            return f"Gains cannot be held against the budget of {dollars(budget[at])}: {what}."
        return (
            f"Net gains of the year would be {dollars(value[i])} after the trades ({dollars(realised[at])} before); "
            f"the household's budget is {dollars(budget[at])}."
        )

    return judge(
        rule, len(context), limited, value=value, limit=budget[limited], before=realised[limited],
        fails=sells & (value > budget[limited] + 0.005), unknown=lost,
        subject=lambda i: _household(context, int(limited[i])), reason=reason,
        otherwise="The household has no gain budget, or nothing is traded.",
    )  # fmt: skip


def gains_agree(context: Context, rule: Rule) -> Outcome:
    """What a proposal says it gains, lot by lot, against the lots of the book: the largest difference in dollars."""
    orders = context.orders
    rows = np.flatnonzero((context.sales.lot >= 0) & context.sales.taxed)
    own, said = context.sales.gain[rows], orders.lot_gain[rows]
    off = np.abs(said - own)
    one_sided = np.isnan(said) != np.isnan(own)
    off = np.where(np.isnan(said) & np.isnan(own), 0.0, np.where(one_sided, np.inf, off))
    limit = float(rule.parameters["tolerance"])
    trade = orders.lot_trade[rows]

    def reason(i: int) -> str:
        return (
            f"Lot {orders.lot_id[rows[i]]} of {context.trade_name(int(trade[i]))} gains {dollars(said[i])} by the "
            f"proposal and {dollars(own[i])} by the book of record; they may differ by {dollars(limit)}."
        )

    return judge(
        rule, len(context), orders.proposal[trade], value=np.where(np.isinf(off), np.nan, off), limit=limit,
        fails=off > limit + 1e-9, subject=lambda i: f"{context.trade_name(int(trade[i]))} lot {orders.lot_id[rows[i]]}",
        reason=reason, otherwise="Nothing is sold in a taxed account.",
    )  # fmt: skip


def tax_agrees(context: Context, rule: Rule) -> Outcome:
    """The tax that a proposal states against the year netted anew (IRC 1211, 1212, 1222): the difference in dollars.

    Recomputed from the book's lots, the household's rates, gains to date and carryforwards; losses that the proposal
    declares disallowed do not count. `tolerance` in dollars is for rounding to the cent by trade.
    """
    proposed, realised = _proposed(context), _realised(context)
    rows = np.flatnonzero((context.household >= 0) & (context.trades_of > 0))
    short, long = context.gain_rates
    deduction = context.of_household("ordinary_rate") + context.of_household("state_rate")
    rates = GainRates(short[rows], long[rows], deduction[rows], np.zeros(len(rows)))
    year = tax_of_year(
        proposed[rows, 0], proposed[rows, 1], rates, realised_short=realised[rows, 0], realised_long=realised[rows, 1],
        carryforward_short=context.of_household("carryforward_short")[rows],
        carryforward_long=context.of_household("carryforward_long")[rows],
        limit=loss_limit(context.filing_status[rows]),
    )  # fmt: skip
    own, said = np.asarray(year.change), context.orders.tax[rows]
    limit = float(rule.parameters["tolerance"])

    def reason(i: int) -> str:
        return (
            f"The proposal states {dollars(said[i])} of tax; netting the year anew gives {dollars(own[i])}, and they "
            f"may differ by {dollars(limit)}."
        )

    return judge(
        rule, len(context), rows, value=np.abs(said - own), limit=limit,
        subject=lambda i: _household(context, int(rows[i])), reason=reason, otherwise="Nothing is traded.",
    )  # fmt: skip


def _household(context: Context, i: int) -> str:
    return str(context.orders.household_names[context.orders.household[i]])


def _realised(context: Context) -> np.ndarray:
    """(n, 2) short- and long-term gains of the year so far."""
    return np.column_stack([context.of_household("realised_short"), context.of_household("realised_long")])


def _proposed(context: Context) -> np.ndarray:
    """(n, 2) short- and long-term gains of the trades, disallowed losses left out; NaN with a basis unknown.

    No more than a loss is disallowed, and none of a gain, whatever the proposal declares.
    """
    own = context.sales.gain
    disallowed = np.clip(context.orders.lot_disallowed, 0.0, np.maximum(-own, 0.0))
    gain = np.where(context.sales.taxed, own + disallowed, 0.0)
    long = context.sales.long
    return np.column_stack([sums(context.sales.proposal[term], gain[term], len(context)) for term in (~long, long)])
