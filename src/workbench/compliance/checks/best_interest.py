"""Best interest in small: is there a cheaper fund of the same kind, is the fund dear, is the advice of this day."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.compliance.checks.suitability import NO_TRADES
from workbench.compliance.context import Context
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.wording import counted, day
from workbench.compliance.words import dollars


def cheaper_alternative(context: Context, rule: Rule) -> Outcome:
    """How much dearer a year a purchase is than the cheapest priced member of its identical group, as a fraction.

    Groups of the confidences named count. A security that a restriction keeps from the account is still named: the
    person who reads the finding knows why it was not taken.
    """
    view, orders = context.view, context.orders
    rows = np.flatnonzero(context.known & ~orders.sell)
    securities = view.securities
    expense = securities["expense_ratio"].to_numpy(np.float64)
    group, _ = pd.factorize(
        securities["identical_group"].where(
            securities["identical_confidence"].isin(list(rule.parameters["confidences"])), pd.NA
        )
    )
    cheapest = _cheapest(group, np.where(np.isfinite(view.price), expense, np.inf))
    security = context.security[rows]
    instead = cheapest[security]
    extra = np.maximum(expense[security] - expense[instead], 0.0)
    limit = float(rule.parameters["most"])

    def reason(row: int) -> str:
        name = view.security_ids[security[row]]
        if extra[row] == 0.0:
            return f"No priced security that is identical to {name} has a lower expense ratio."
        amount = float(orders.shares[rows[row]] * orders.price[rows[row]])
        return (
            f"{name} costs {_points(expense[security[row]])} a year and {view.security_ids[instead[row]]}, identical "
            f"to it by the firm's list, {_points(expense[instead[row]])}: {dollars(extra[row] * amount)} a year more "
            f"on {dollars(amount)} bought in {context.account_name(int(rows[row]))}."
        )

    return judge(
        rule, len(context), orders.proposal[rows], value=extra, limit=limit,
        subject=lambda row: context.trade_name(int(rows[row])), reason=reason, otherwise="Nothing is bought.",
    )  # fmt: skip


def expense_ratio(context: Context, rule: Rule) -> Outcome:
    """The yearly expense ratio of each purchase against the most that needs no explanation."""
    view, orders = context.view, context.orders
    rows = np.flatnonzero(context.known & ~orders.sell)
    security = context.security[rows]
    expense = view.securities["expense_ratio"].to_numpy(np.float64)[security]
    limit = float(rule.parameters["most"])

    def reason(row: int) -> str:
        return (
            f"{view.security_ids[security[row]]} costs {_points(expense[row])} a year; "
            f"{_points(limit)} is the most that needs no explanation."
        )

    return judge(
        rule, len(context), orders.proposal[rows], value=expense, limit=limit,
        subject=lambda row: context.trade_name(int(rows[row])), reason=reason, otherwise="Nothing is bought.",
    )  # fmt: skip


def data_age(context: Context, rule: Rule) -> Outcome:
    """Days between the proposal and the data it is judged on: advice of one day is not judged on another's data."""
    rows = np.flatnonzero(context.trades_of > 0)
    made = context.orders.as_of[rows]
    apart = np.abs((context.view.as_of - made).astype(np.float64))
    apart[np.isnat(made)] = np.nan
    limit = float(rule.parameters["most_days"])

    def reason(row: int) -> str:
        if np.isnan(apart[row]):
            return "The proposal carries no day."
        return (
            f"The proposal is of {day(made[row])} and the data are of {day(context.view.as_of)}, "
            f"{counted(apart[row], 'day', 'days')} apart; {limit:.0f} are allowed."
        )

    return judge(
        rule, len(context), rows, value=apart, limit=limit,
        subject=lambda row: str(context.orders.household_names[context.orders.household[rows[row]]]), reason=reason,
        otherwise=NO_TRADES,
    )  # fmt: skip


def _cheapest(group: NDArray[np.intp], expense: NDArray[np.float64]) -> NDArray[np.int64]:
    """(S,) the cheapest member of each security's group, the first by identifier where several are; itself if none."""
    found = np.arange(len(group), dtype=np.int64)
    for name in np.unique(group[group >= 0]):
        members = np.flatnonzero(group == name)
        found[members] = members[int(np.argmin(expense[members]))]
    return found


def _points(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"
