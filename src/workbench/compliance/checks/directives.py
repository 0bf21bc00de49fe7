"""Directives of an investment policy statement: least and most of a class, income, liquidity, cash by a day.

A directive is a row of `restrictions` with a key that says what is asked and a value that says how much:

    min:asset_class:Bonds      at least this fraction of the account's (or household's) value in it
    max:sector:Energy          at most; any level: security, issuer, sector, asset_class, region, kind
    min_income                 dividends and interest of a year, as a fraction of the value
    min_liquidity:5            fraction that can be sold within 5 trading days (without :5, the rule's days)
    Raise 40,000 in cash by 2023-02-15      the value repeats the dollars; `expires_on` may repeat the day

What cannot be read is not guessed at: the finding quotes it, and a person writes it anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.compliance.context import Context, matched
from workbench.compliance.exposures import share, sums
from workbench.compliance.firm_view import LEVELS
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.wording import counted, day, percents
from workbench.compliance.words import dollars, quoted

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Form = Literal["min", "max", "income", "liquidity", "cash"]
_BOUND = re.compile(r"(min|max):(" + "|".join(LEVELS) + r"):(\S.*)")
_LIQUIDITY = re.compile(r"min_liquidity(?::([1-9][0-9]{0,2}))?")
_CASH = re.compile(r"raise \$?([0-9][0-9,]*(?:\.[0-9]{1,2})?) in cash by ([0-9]{4}-[0-9]{2}-[0-9]{2})", re.IGNORECASE)


@dataclass(frozen=True)
class Directive:
    """A directive that was understood: fractions or, for cash, dollars; `days` None means the rule's own."""

    form: Form
    value: float
    level: str = ""
    name: str = ""
    days: int | None = None
    due: date | None = None


def read_directive(key: str, value: float, expires_on: date | None = None) -> Directive | None:
    """Return what a directive asks for, None where it cannot be read or contradicts itself."""
    if not np.isfinite(value) or value < 0.0:
        return None
    if found := _CASH.fullmatch(key):
        try:
            due = date.fromisoformat(found[2])
        except ValueError:
            return None
        agrees = abs(float(found[1].replace(",", "")) - value) < 0.005 and expires_on in (None, due)
        return Directive("cash", value, due=due) if agrees and value > 0.0 else None
    if value > 1.0:
        return None
    if found := _BOUND.fullmatch(key):
        return Directive("min" if found[1] == "min" else "max", value, found[2], found[3])
    if key == "min_income":
        return Directive("income", value)
    if found := _LIQUIDITY.fullmatch(key):
        return Directive("liquidity", value, days=int(found[1]) if found[1] else None)
    return None


def readable(context: Context, rule: Rule) -> Outcome:
    """Directives in force that cannot be read, or name a class, sector ... that no security of the firm has."""
    rows, found = _directives(context)
    unknown = np.array([not _known(context, one) for one in found], bool)

    def reason(row: int) -> str:
        facts = rows.iloc[row]
        said = f"Directive {facts['restriction_id']} of {_scope(context, facts)} says {quoted(facts['key'])}"
        if not unknown[row]:
            return f"{said}, which is understood."
        one = found[row]
        if one is not None:
            return f"{said}, but no security of the firm has {one.level.replace('_', ' ')} {quoted(one.name)}."
        amount = "no value" if pd.isna(facts["value"]) else f"the value {facts['value']:g}"
        return f"{said} with {amount}, which cannot be read as a directive; write it as the page of rules shows."

    return judge(
        rule, len(context), rows["proposal"].to_numpy(np.int64), value=unknown.astype(np.float64), limit=0.0,
        unknown=unknown, subject=lambda row: _scope(context, rows.iloc[row]), reason=reason,
        otherwise="No directive is on file.",
    )  # fmt: skip


def minimum(context: Context, rule: Rule) -> Outcome:
    """Weight of a class, sector ... after the trades against the least that a directive asks for."""
    return _bound(context, rule, "min")


def maximum(context: Context, rule: Rule) -> Outcome:
    """Weight of a class, sector ... after the trades against the most that a directive allows."""
    return _bound(context, rule, "max")


def income(context: Context, rule: Rule) -> Outcome:
    """Dividends of the last twelve months on what is held after the trades, as a fraction of value."""
    rows, found = _of_form(context, "income")
    paid = np.divide(
        context.view.yearly_dividend, context.price, out=np.full(len(context.price), np.nan), where=context.price > 0
    )
    return _judged(
        context, rule, rows, found, lambda at, security, amount: amount * paid[security],
        "Dividends of a year would be {value} of {scope} after the trades; {source} asks for {limit}.",
        at_least=True,
    )  # fmt: skip


def liquidity(context: Context, rule: Rule) -> Outcome:
    """Fraction of value that can be sold within the directive's days at `participation` of average volume."""
    rows, found = _of_form(context, "liquidity")
    view = context.view
    days = np.array([one.days or rule.parameters["days"] for one in found], np.float64)
    daily = view.securities["adv"].to_numpy(np.float64) * context.price * rule.parameters["participation"]
    daily[(view.securities["kind"] == "cash").to_numpy(bool)] = np.inf
    return _judged(
        context, rule, rows, found, lambda at, security, amount: np.minimum(amount, daily[security] * days[at]),
        "{value} of {scope} could be sold in time after the trades; {source} asks for {limit}.", at_least=True,
    )  # fmt: skip


def cash(context: Context, rule: Rule) -> Outcome:
    """Cash after the trades against a directive's dollars; due later than `days` from now, it only warns."""
    rows, found = _of_form(context, "cash")
    value = np.array([one.value for one in found], np.float64)
    today = pd.Timestamp(context.view.as_of).date()
    left = np.array([(one.due - today).days if one.due else 0 for one in found], np.int64)
    at_hand = context.view.cash
    after, before, _, _ = _sums(context, rows, lambda at, security, amount: np.where(security == at_hand, amount, 0.0))

    def reason(row: int) -> str:
        facts = rows.iloc[row]
        return (
            f"{_scope(context, facts)} would hold {dollars(float(after[row]))} in cash after the trades; directive "
            f"{facts['restriction_id']} asks for {dollars(float(value[row]))} by {day(found[row].due)}, "
            f"{counted(left[row], 'day', 'days')} from now."
        )

    return judge(
        rule, len(context), rows["proposal"].to_numpy(np.int64), value=after, limit=value, before=before, at_least=True,
        softer=left > rule.parameters["days"], subject=lambda row: _scope(context, rows.iloc[row]), reason=reason,
        otherwise="No directive asks for cash.",
    )  # fmt: skip


def _bound(context: Context, rule: Rule, form: Form) -> Outcome:
    rows, found = _of_form(context, form)
    view = context.view
    keys = [(one.level, one.name) for one in found]
    member = np.zeros((len(found), len(view.price)), bool)
    for row, (level, name) in enumerate(keys):
        place = np.flatnonzero(view.group_names[level] == name)
        member[row] = view.groups[level] == (place[0] if len(place) else -2)
    verb = "asks for at least" if form == "min" else "allows"
    return _judged(
        context, rule, rows, found, lambda at, security, amount: np.where(member[at, security], amount, 0.0),
        "{name} would be {value} of {scope} after the trades ({before} before); {source} " + verb + " {limit}.",
        at_least=form == "min",
    )  # fmt: skip


def _judged(
    context: Context,
    rule: Rule,
    rows: pd.DataFrame,
    found: list[Directive],
    part: Callable[[Ints, Ints, Floats], Floats],
    sentence: str,
    *,
    at_least: bool,
) -> Outcome:
    """Judge a fraction of each directive's account or household; `part` gives the dollars of a holding that count."""
    after, before, total_after, total_before = _sums(context, rows, part)
    value, was = share(after, total_after), share(before, total_before)
    limit = np.array([one.value for one in found], np.float64)

    def reason(row: int) -> str:
        facts, one = rows.iloc[row], found[row]
        if np.isnan(value[row]):
            return (
                f"Directive {facts['restriction_id']} of {_scope(context, facts)} cannot be measured: a price, a "
                "dividend or an average volume is missing among the holdings, or they are worth nothing."
            )
        figure, bound = percents(float(value[row]), float(limit[row]))
        return sentence.format(
            value=figure, limit=bound, before=percents(float(was[row]), float(limit[row]))[0],
            scope=_scope(context, facts), source=f"directive {facts['restriction_id']}",
            name=f"{one.level.replace('_', ' ').capitalize()} {quoted(one.name)}",
        )  # fmt: skip

    return judge(
        rule, len(context), rows["proposal"].to_numpy(np.int64), value=value, limit=limit, before=was,
        at_least=at_least, not_worse=(after >= before) if at_least else (after <= before),
        subject=lambda row: _scope(context, rows.iloc[row]), reason=reason,
        otherwise="No directive of this kind is on file.",
    )  # fmt: skip


def _sums(
    context: Context, rows: pd.DataFrame, part: Callable[[Ints, Ints, Floats], Floats]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Dollars that count and all dollars of each directive's scope: after, before, total after, total before.

    `part` is asked once a directive and security, after the accounts of the scope are added up.
    """
    held = context.positions
    at, place = matched(rows["proposal"].to_numpy(np.int64), held.proposal, len(context))
    scope = rows["account"].to_numpy(np.int64)[at]
    mine = (scope < 0) | (scope == held.account[place])
    at, place = at[mine], place[mine]
    n_securities = len(context.view.price)
    key, group = np.unique(at * n_securities + held.security[place], return_inverse=True)
    row, security = np.divmod(key, n_securities)

    def summed(amount: Floats) -> tuple[Floats, Floats]:
        dollars_held = sums(group, amount[place], len(key))
        counted_ = np.where(dollars_held == 0.0, 0.0, part(row, security, dollars_held))
        return (
            sums(row, counted_, len(rows)),
            sums(row, dollars_held, len(rows)),
        )

    (after, total_after), (before, total_before) = summed(held.after), summed(held.before)
    return after, before, total_after, total_before


def _directives(context: Context) -> tuple[pd.DataFrame, list[Directive | None]]:
    """Directives in force of the households that trade, each as read."""
    rows = context.restrictions("directive")
    rows = rows[(context.trades_of > 0)[rows["proposal"].to_numpy(np.int64)]].reset_index(drop=True)
    expires = [None if pd.isna(one) else pd.Timestamp(one).date() for one in rows["expires_on"]]
    amounts = rows["value"].to_numpy(np.float64, na_value=np.nan)
    return rows, [read_directive(str(k), float(v), e) for k, v, e in zip(rows["key"], amounts, expires, strict=True)]


def _of_form(context: Context, form: Form) -> tuple[pd.DataFrame, list[Directive]]:
    rows, found = _directives(context)
    mine = [i for i, one in enumerate(found) if one is not None and one.form == form and _known(context, one)]
    return rows.iloc[mine].reset_index(drop=True), [one for i in mine if (one := found[i]) is not None]


def _known(context: Context, one: Directive | None) -> bool:
    if one is None or one.form not in ("min", "max"):
        return one is not None
    return bool((context.view.group_names[one.level] == one.name).any())


def _scope(context: Context, facts: pd.Series) -> str:
    if facts["account"] >= 0:
        return str(context.view.account_ids[facts["account"]])
    return str(context.view.household_ids[facts["household"]])
