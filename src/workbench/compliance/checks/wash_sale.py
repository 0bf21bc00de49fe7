"""Wash sales that a proposal makes (IRC 1091; 26 CFR 1.1091-1): found from the book of record and its own trades.

A loss taken in a taxed account is disallowed as far as identical shares are bought from 30 days before to 30 days
after, in any account of the household, IRAs and the spouse's included (Rev. Rul. 2008-5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.compliance.context import Context
from workbench.compliance.exposures import sums
from workbench.compliance.firm_view import FirmView
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.wash_view import Sums
from workbench.compliance.words import dollars, shares

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def wash_sale(context: Context, rule: Rule) -> Outcome:
    """Losses that the proposal takes and a purchase washes: dollars disallowed that it does not declare.

    What it declares is a choice and warns, as do purchases of securities that may be identical (a group of low
    confidence) and dividends that are likely to be reinvested within 30 days. `tolerance` in dollars is for rounding.
    A sale whose basis is unknown beside such a purchase is not assessable.
    """
    view, sales = context.view, context.sales
    tolerance = float(rule.parameters["tolerance"])
    rows = np.flatnonzero(sales.taxed & (sales.lot >= 0) & ~(sales.gain >= 0.0))
    rows = rows[np.argsort(sales.proposal[rows], kind="stable")]
    sure, likely = _replacing(context, rows, view.wash.group), _replacing(context, rows, view.wash.possible)
    loss = -sales.gain[rows]
    declared = np.clip(np.nan_to_num(context.orders.lot_disallowed[rows]), 0.0, None)
    washed = loss * _washed_share(context, rows, sure, view.wash.group)
    perhaps = loss * _washed_share(context, rows, likely, view.wash.possible)
    again = _reinvests(context, rows)
    unknown = np.isnan(loss) & (sure > 0)
    undeclared = np.maximum(washed - declared, 0.0)
    fails = (undeclared > tolerance) | unknown
    unsure = np.isnan(loss) & ((likely > 0) | again)
    warns = ~fails & ((declared > tolerance) | (perhaps - declared > tolerance) | (again & (loss > tolerance)) | unsure)
    proposal, trade = sales.proposal[rows], sales.trade[rows]

    def reason(i: int) -> str:
        what = f"Lot {context.orders.lot_id[rows[i]]} of {context.trade_name(int(trade[i]))}"
        if unknown[i]:
            return f"Whether l{what[1:]} is sold at a loss is unknown, and identical shares are bought within 30 days."
        if unsure[i]:
            return (
                f"Whether l{what[1:]} is sold at a loss is unknown, and shares that may count as identical are bought, "
                "or dividends reinvested, within 30 days."
            )
        taken = f"{what} is sold at a loss of {dollars(loss[i])}"
        if undeclared[i] > tolerance:
            return (
                f"{taken}, and {shares(sure[i])} identical to it are bought within 30 days in the household: "
                f"{dollars(undeclared[i])} of it is disallowed and not declared."
            )
        if declared[i] > tolerance:
            return f"{taken}; the proposal declares {dollars(declared[i])} of it as disallowed by a wash sale."
        if perhaps[i] - declared[i] > tolerance:
            return f"{taken}, and {shares(likely[i])} that may count as identical are bought within 30 days."
        if warns[i]:
            return (
                f"{taken}, and dividends of it were reinvested lately: stop that for 30 days, or it is washed in part."
            )
        return f"{taken}; nothing identical is bought within 30 days."

    return judge(
        rule, len(context), proposal, value=undeclared, limit=0.0, fails=fails | warns, softer=warns, unknown=unknown,
        subject=lambda i: f"{context.trade_name(int(trade[i]))} lot {context.orders.lot_id[rows[i]]}",
        reason=reason, otherwise="No loss is taken in a taxed account.",
    )  # fmt: skip


def wash_purchase(context: Context, rule: Rule) -> Outcome:
    """Purchases that wash a loss taken in the last 30 days: dollars of that loss which they would disallow."""
    view, orders, wash = context.view, context.orders, context.view.wash
    n_groups = int(wash.group.max(initial=0)) + 1
    lost_shares, lost = view.once("wash lost", lambda: wash.losses(wash.group, view.as_of))
    buys = np.flatnonzero(~orders.sell & context.known)
    wanted = context.household[orders.proposal[buys]] * n_groups + wash.group[context.security[buys]]
    hit = lost_shares.at(wanted) > 0.0
    buys, wanted = buys[hit], wanted[hit]
    value = np.minimum(orders.shares[buys] / lost_shares.at(wanted), 1.0) * lost.at(wanted)
    tolerance = float(rule.parameters["tolerance"])

    def reason(i: int) -> str:
        trade = int(buys[i])
        if np.isnan(value[i]):
            return (
                f"{shares(orders.shares[trade])} of {context.security_name(trade)} would be bought in "
                f"{context.account_name(trade)}, and identical shares of unknown basis were sold within 30 days."
            )
        return (
            f"{shares(orders.shares[trade])} of {context.security_name(trade)} bought in {context.account_name(trade)} "
            f"would disallow {dollars(value[i])} of a loss that the household took within the last 30 days."
        )

    return judge(
        rule, len(context), orders.proposal[buys], value=value, limit=tolerance,
        subject=lambda i: context.trade_name(int(buys[i])), reason=reason,
        otherwise="Nothing is bought that was sold at a loss within the last 30 days.",
    )  # fmt: skip


def _replacing(context: Context, rows: Ints, group: Ints) -> Floats:
    """Shares identical to each sale's that replace it: bought in the last 30 days and kept, or bought here.

    The rest of the very lot that is sold replaces nothing, and neither do recent shares that are sold here as well.
    """
    view, orders, sales, wash = context.view, context.orders, context.sales, context.view.wash
    n_groups = int(group.max(initial=0)) + 1
    which = "sure" if group is wash.group else "possible"
    recent = view.once(("wash bought", which), lambda: wash.bought(group, view.as_of))
    of_lot = view.once("wash lots", lambda: _recent_of_lot(view))
    of_recent = of_lot[sales.lot]
    sold_here = np.minimum(of_recent, sales.shares)
    sound = np.flatnonzero(sales.lot >= 0)
    gone = Sums.of(sales.proposal[sound] * n_groups + group[sales.security[sound]], sold_here[sound])
    buys = np.flatnonzero(~orders.sell & context.known)
    new = Sums.of(orders.proposal[buys] * n_groups + group[context.security[buys]], orders.shares[buys])
    mine = group[sales.security[rows]]
    by_household = context.household[sales.proposal[rows]] * n_groups + mine
    by_proposal = sales.proposal[rows] * n_groups + mine
    own_rest = np.maximum(of_recent[rows] - sold_here[rows], 0.0)
    found = recent.at(by_household) - gone.at(by_proposal) - own_rest + new.at(by_proposal)
    return np.where(found > 1e-6, found, 0.0)


def _recent_of_lot(view: FirmView) -> Floats:
    """Shares of each lot that were bought in the last 30 days and have replaced nothing yet; a last zero for no lot."""
    wash = view.wash
    live = wash.bought_last >= view.as_of
    lot = view.find("lot", wash.bought_lot[live])
    return np.append(sums(lot[lot >= 0], wash.bought_shares[live][lot >= 0], len(view.lot_id)), 0.0)


def _washed_share(context: Context, rows: Ints, replacing: Floats, group: Ints) -> Floats:
    """The part of each loss that is washed: shares replace losses in order of acquisition, each once."""
    view, sales = context.view, context.sales
    acquired = view.lot_acquired[sales.lot[rows]].astype(np.int64)
    key = sales.proposal[rows] * (int(group.max(initial=0)) + 1) + group[sales.security[rows]]
    order = np.lexsort([sales.lot[rows], acquired, key])
    size = sales.shares[rows][order]
    running = np.cumsum(size) - size
    first = np.flatnonzero(np.concatenate([[True], np.diff(key[order]) != 0])[: len(order)])
    before = running - np.repeat(running[first], np.diff(np.append(first, len(order))))
    washed = np.clip(replacing[order] - before, 0.0, size)
    part = np.zeros(len(rows))
    part[order] = np.divide(washed, size, out=np.zeros(len(rows)), where=size > 0)
    return part


def _reinvests(context: Context, rows: Ints) -> NDArray[np.bool_]:
    """Whether identical shares are held somewhere in the household whose dividends were reinvested lately."""
    wash, sales = context.view.wash, context.sales
    n_groups = int(wash.group.max(initial=0)) + 1
    again = context.view.once("wash again", lambda: wash.reinvested(wash.group))
    return again.at(context.household[sales.proposal[rows]] * n_groups + wash.group[sales.security[rows]]) > 0.0
