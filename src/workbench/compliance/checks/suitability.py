"""Suitability: the household after the trades against its dated profile - risk, objective, horizon, liquidity.

Risk is measured by one figure that a client and an examiner can follow: the growth share, the sum over asset classes of
weight times a share written in the rule (1 for shares, 0 for bills). It needs no estimate and no window of prices, and
two people with the same statement get the same figure. What it does not see - one company, one sector, a fund's own
leverage - is judged by the rules on concentration and knowledge.

The profile is one a household, so the household's accounts are judged together, those of other registrations included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.compliance.context import Context
from workbench.compliance.exposures import share, sums
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.wording import day, percents
from workbench.compliance.words import percent, quoted

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_CENT = 0.01
NO_TRADES = "No trades, so there is nothing to judge."


def risk_level(context: Context, rule: Rule) -> Outcome:
    """Growth share after the trades against what the lower of risk tolerance and risk capacity allows."""
    tolerance, capacity = (_number(context, name) for name in ("risk_tolerance", "risk_capacity"))
    level = np.fmin(tolerance, capacity)
    level[np.isnan(tolerance) | np.isnan(capacity)] = np.nan
    allowed = np.array([*map(float, rule.parameters["most_by_level"]), np.nan])
    sound = np.isin(level, np.arange(1, 6))
    limit = allowed[np.where(sound, np.nan_to_num(level), 6).astype(np.int64) - 1]

    def of_profile(i: int) -> str:
        return f"(risk tolerance {tolerance[i]:.0f}, risk capacity {capacity[i]:.0f})"

    return _growth(context, rule, limit, of_profile)


def objective(context: Context, rule: Rule) -> Outcome:
    """Growth share after the trades against what the stated objective allows; an objective not listed is unknown."""
    stated = context.profile("objective")
    limit = _by_text(stated, rule.parameters["most_by_objective"])
    return _growth(context, rule, limit, lambda i: f"(objective {quoted(stated.iloc[i])})")


def horizon(context: Context, rule: Rule) -> Outcome:
    """Growth share after the trades against what the years until the money is needed allow."""
    years = _number(context, "horizon_years")
    limit = np.where(np.isnan(years), np.nan, 1.0)
    for step in sorted(rule.parameters["steps"], key=lambda step: -step["below_years"]):
        limit = np.where(years < step["below_years"], float(step["most"]), limit)
    return _growth(context, rule, limit, lambda i: f"(horizon {years[i]:g} years)")


def illiquid_share(context: Context, rule: Rule) -> Outcome:
    """Share of the household that cannot be sold within `days` at `participation` of average volume, by liquidity need.

    Holdings of one security in all accounts are sold one after the other; cash is at hand. Average volume missing
    means not assessable.
    """
    held = context.exposure("security")
    view = context.view
    pace = rule.parameters["participation"] * rule.parameters["days"]
    daily = view.securities["adv"].to_numpy(np.float64) * context.price
    cash_like = (view.securities["kind"] == "cash").to_numpy(bool)
    sold = np.where(cash_like, np.inf, daily * pace)[held.key]

    def stuck(amount: Floats) -> Floats:
        left = np.where(amount == 0.0, 0.0, np.maximum(amount - sold, 0.0))
        return sums(held.proposal, left, len(context))

    left, was_left = stuck(held.after), stuck(held.before)
    after, before = share(left, context.value_after), share(was_left, context.value_before)
    need = context.profile("liquidity_need")
    limit = _by_text(need, rule.parameters["most_by_need"])

    def reason(i: int) -> str:
        if np.isnan(limit[i]):
            return _unknown_limit(context, rule, i)
        if np.isnan(after[i]):
            return "A price or an average volume is missing among the holdings, so what can be sold in time is unknown."
        value, most = percents(float(after[i]), float(limit[i]))
        return (
            f"{value} of the household could not be sold within {rule.parameters['days']} days after the trades; "
            f"{_profile(context, i)} (liquidity need {need.iloc[i]}) allows {most}."
        )

    return _by_household(context, rule, after, limit, before, reason, not_worse=left <= was_left)


def reserve(context: Context, rule: Rule) -> Outcome:
    """Cash and bills of the household after the trades against the least that its liquidity need asks for."""
    (after, _), (before, _) = _class_share(context, dict.fromkeys(rule.parameters["classes"], 1.0), missing=0.0)
    need = context.profile("liquidity_need")
    limit = _by_text(need, rule.parameters["least_by_need"])

    def reason(i: int) -> str:
        if np.isnan(limit[i]):
            return _unknown_limit(context, rule, i)
        if np.isnan(after[i]):
            return "A price is missing among the holdings, so the household's value is unknown."
        value, least = percents(float(after[i]), float(limit[i]))
        return (
            f"Cash and bills would be {value} of the household after the trades ({percent(float(before[i]))} before); "
            f"{_profile(context, i)} (liquidity need {need.iloc[i]}) asks for {least}."
        )

    return _by_household(context, rule, after, limit, before, reason, at_least=True)


def _growth(context: Context, rule: Rule, limit: Floats, of_profile: Callable[[int], str]) -> Outcome:
    shares: Mapping[str, float] = rule.parameters["growth_share"]
    (after, invested), (before, was_invested) = _class_share(context, shares)

    def reason(i: int) -> str:
        if np.isnan(limit[i]):
            return _unknown_limit(context, rule, i)
        if np.isnan(after[i]):
            return _unknown_share(context, shares, i)
        value, most = percents(float(after[i]), float(limit[i]))
        return (
            f"Growth assets would be {value} of the household after the trades ({percent(float(before[i]))} before); "
            f"{_profile(context, i)} {of_profile(i)} allows {most}."
        )

    # Costs alone make the rest of the household smaller: where no more is invested in growth, nothing got worse.
    not_worse = invested <= was_invested + _CENT
    return _by_household(context, rule, after, limit, before, reason, not_worse=not_worse)


def _by_household(
    context: Context,
    rule: Rule,
    value: Floats,
    limit: Floats,
    before: Floats,
    reason: Callable[[int], str],
    *,
    at_least: bool = False,
    not_worse: NDArray[np.bool_] | None = None,
) -> Outcome:
    """Judge one figure of each household that trades."""
    rows = np.flatnonzero(context.trades_of > 0)
    eased = np.zeros(len(context), bool) if not_worse is None else not_worse
    return judge(
        rule, len(context), rows, value=value[rows], limit=limit[rows], before=before[rows], at_least=at_least,
        not_worse=eased[rows],
        subject=partial(_household, context, rows), reason=lambda row: reason(int(rows[row])), otherwise=NO_TRADES,
    )  # fmt: skip


def _class_share(
    context: Context, shares: Mapping[str, float], missing: float = np.nan
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """After and before: sum over asset classes of weight times share, and the same in dollars.

    A class that is not listed counts as `missing`.
    """
    held = context.exposure("asset_class")
    factor = np.array([shares.get(str(name), missing) for name in context.view.group_names["asset_class"]], np.float64)

    def summed(amount: Floats, value: Floats) -> tuple[Floats, Floats]:
        parts = np.where(amount == 0.0, 0.0, amount * factor[held.key])
        total = sums(held.proposal, parts, len(context))
        return share(total, value), total

    return summed(held.after, context.value_after), summed(held.before, context.value_before)


def _number(context: Context, column: str) -> Floats:
    return context.profile(column).to_numpy(np.float64, na_value=np.nan).copy()


def _by_text(stated: pd.Series, values: Mapping[str, float]) -> Floats:
    return stated.astype("object").map(dict(values)).to_numpy(np.float64, na_value=np.nan)


def _household(context: Context, rows: Ints, row: int) -> str:
    return str(context.orders.household_names[context.orders.household[rows[row]]])


def _profile(context: Context, i: int) -> str:
    return f"its profile of {day(context.profile('reviewed_on').iloc[i])}"


def _unknown_limit(context: Context, rule: Rule, i: int) -> str:
    if pd.isna(context.profile("reviewed_on").iloc[i]):
        return "The household has no profile on file; record one before anything is recommended."
    field = {"objective": "objective", "illiquid_share": "liquidity_need", "reserve": "liquidity_need"}.get(rule.check)
    if field is None:
        return "The household's profile is incomplete; record risk tolerance, risk capacity and horizon."
    stated = context.profile(field).iloc[i]
    return (
        f"The profile's {field.replace('_', ' ')} {quoted(stated)} is not one that rule {rule.rule_id} knows; "
        "correct the profile, or add it to the rule."
    )


def _unknown_share(context: Context, shares: Mapping[str, float], i: int) -> str:
    held = context.exposure("asset_class")
    mine = held.proposal == i
    names = context.view.group_names["asset_class"][held.key[mine & ((held.after != 0.0) | (held.before != 0.0))]]
    strange = sorted(str(name) for name in names if str(name) not in shares)
    if strange:
        return f"The rule gives no growth share for asset class {quoted(strange[0])}; add it to the rule."
    return "A price is missing among the holdings, or the household is worth nothing, so its shares are unknown."
