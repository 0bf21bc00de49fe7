"""How much of a household is turned over, by this proposal and with it in twelve months."""

from __future__ import annotations

import numpy as np

from workbench.compliance.context import Context
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.words import percent


def turnover(context: Context, rule: Rule) -> Outcome:
    """The lesser of purchases and sales, as a fraction of the household's value, against `limit`.

    The lesser of the two leaves money that comes in or goes out aside, as funds reckon it (Form N-1A, Item 13,
    instruction 4(d)). `months` before the proposal are counted in, 0 for the proposal alone; reinvested dividends and
    corporate actions are nobody's decision and are left out.
    """
    bought, sold = context.bought_and_sold
    months = rule.parameters["months"]
    past_bought, past_sold = context.traded_before(months) if months else (np.zeros(len(context)),) * 2
    rows = np.flatnonzero(context.trades_of > 0)
    value = context.value_before[rows]

    def share(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.divide(np.minimum(one, other)[rows], value, out=np.full(len(rows), np.nan), where=value > 0)

    before, after = share(past_bought, past_sold), share(past_bought + bought, past_sold + sold)
    limit = float(rule.parameters["limit"])
    span = f"With the trades, {months} months turn over" if months else "The trades turn over"

    def reason(i: int) -> str:
        if np.isnan(after[i]):
            return "Turnover cannot be told: a holding has no price, or the household is worth nothing."
        was = f" ({percent(before[i])} before)" if months else ""
        return f"{span} {percent(after[i])} of the household{was}; above {percent(limit)} a person looks at why."

    return judge(
        rule, len(context), rows, value=after, limit=limit, before=before if months else np.nan,
        subject=lambda i: str(context.view.household_ids[context.household[rows[i]]])
        if context.household[rows[i]] >= 0 else "",
        reason=reason, otherwise="Nothing is traded.",
    )  # fmt: skip
