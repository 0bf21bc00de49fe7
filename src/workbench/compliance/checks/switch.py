"""Switching: what selling one thing to buy another costs, against what it is said to bring."""

from __future__ import annotations

import numpy as np

from workbench.compliance.context import Context
from workbench.compliance.exposures import sums
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.words import dollars


def switch_cost(context: Context, rule: Rule) -> Outcome:
    """Tax, spread, impact and tickets of a proposal that both sells and buys, against its benefit over `years`.

    The benefit is the proposal's own, dollars a year before tax and cost; the horizon is the profile's where that is
    shorter. Tickets are the custodian's, from the book of record. Where cash must be raised the trade has to be made
    whatever it brings: then a cost above the benefit warns.
    """
    orders, n = context.orders, len(context)
    sells = np.bincount(orders.proposal[orders.sell], minlength=n) > 0
    buys = np.bincount(orders.proposal[~orders.sell], minlength=n) > 0
    rows = np.flatnonzero(sells & buys)
    fee = np.where(context.account >= 0, context.view.account_fee[context.account], 0.0)
    fees = sums(orders.proposal, fee, n)[rows]
    trading = sums(orders.proposal, orders.trade_cost, n)[rows]
    tax = orders.tax[rows]
    cost = tax + trading + fees
    horizon = context.profile("horizon_years").to_numpy(np.float64, na_value=np.nan)[rows]
    years = np.minimum(horizon, float(rule.parameters["years"]))
    benefit = orders.benefit[rows] * years
    must = np.bincount(orders.need_proposal, minlength=n)[rows] > 0

    def reason(row: int) -> str:
        if np.isnan(cost[row]) or np.isnan(benefit[row]):
            if np.isnan(years[row]):
                return "The household's profile states no horizon, so how long a switch has to pay off is unknown."
            return "The proposal states no benefit, tax or cost in figures, so the switch cannot be weighed."
        taxed = (
            f"saves {dollars(-float(tax[row]))} of tax" if tax[row] < 0 else f"costs {dollars(float(tax[row]))} of tax"
        )
        tickets, in_all = dollars(float(trading[row] + fees[row])), dollars(float(cost[row]))
        sentence = (
            f"The switch {taxed} and {tickets} of trading, {in_all} in all; its stated benefit "
            f"over {years[row]:g} years is {dollars(float(benefit[row]))}"
        )
        return f"{sentence}. Cash has to be raised in any case." if must[row] else f"{sentence}."

    return judge(
        rule, n, rows, value=cost, limit=np.maximum(benefit, 0.0), softer=must,
        subject=lambda row: str(orders.household_names[orders.household[rows[row]]]), reason=reason,
        otherwise="Nothing is sold to buy something else.",
    )  # fmt: skip
