"""Exhibits of habits in transactions, worded as facts for an advisor to know: never a judgement of a person.

In a notebook, with `book` a firm, `origin = Origin.of(book)` and `watched = risk.watch(book)`:

    habits = risk.find_patterns(watched, risk.load_trades(book))
    behaviour.advisors_table(habits, origin)
    behaviour.households_table(habits, origin, households_listed)
"""

from __future__ import annotations

from typing import Literal

import pandas as pd

from workbench.exhibits.drift_facts import absent, noun, plural
from workbench.exhibits.origin import Origin
from workbench.report import Column, Exhibit, TableBody
from workbench.report import format as fmt
from workbench.risk import Behaviour, Limits, Pattern

TABLES = ("transactions", "prices", "accounts")
FUNCTION = "risk.find_patterns"
#: What the facts are for.
CLOSING = "Facts for the next conversation, not a judgement."
_HABITS = {
    "sold_after_falls": "Sales after falls",
    "bought_after_rises": "Purchases after rises",
    "overrides": "Manual trades",
    "favourites": "Favourites",
    "no_rebalance": "Quarters without a rebalance",
    "idle_cash": "Deposits not at work",
}
_MONTHS_NAMED = 6


def advisors_table(habits: Behaviour, origin: Origin) -> Exhibit:
    """What may be said of advisors' own trades: manual ones in discretionary accounts."""
    return _table(habits, origin, "advisor", "behaviour-advisors", "Trades that advisors made by hand", most=50)


def households_table(habits: Behaviour, origin: Origin, most: int) -> Exhibit:
    """What may be said of clients' own decisions, household by household; the first `most`."""
    return _table(habits, origin, "household", "behaviour-households", "Decisions of clients", most=most)


def sentence(pattern: Pattern, limits: Limits) -> str:
    """One pattern in plain words: what happened, how often by chance, what followed."""
    return _WORDS[pattern.kind](pattern, limits)


def _table(
    habits: Behaviour, origin: Origin, level: Literal["advisor", "household"], id: str, title: str, *, most: int
) -> Exhibit:
    if habits.reason:
        return absent(id, title, f"Nothing can be said: {habits.reason}.")
    looked = [pattern for pattern in habits.patterns if pattern.level == level]
    said = [pattern for pattern in looked if pattern.said]
    count = habits.tests[level]
    tests = f"{plural(count, 'test')} {noun(count, 'was', 'were')} made of {level}s"
    if not said:
        found = "Nothing stands out from chance" if looked else "There is too little to say anything"
        return absent(id, title, f"{found} since {_day(habits.first)}; {tests}.")
    said.sort(key=lambda pattern: (-pattern.dollars, pattern.subject, pattern.kind))
    frame = pd.DataFrame(
        {
            "subject": [pattern.subject for pattern in said],
            "habit": [_HABITS[pattern.kind] for pattern in said],
            "fact": [sentence(pattern, habits.limits) for pattern in said],
            "count": [pattern.count for pattern in said],
            "expected": [None if pattern.kind == "favourites" else pattern.expected for pattern in said],
            "dollars": [pattern.dollars if pattern.dollars else float("nan") for pattern in said],
            "q_value": [float("nan") if pattern.q_value is None else pattern.q_value for pattern in said],
        }
    ).head(most)
    columns = (
        Column("subject", "Advisor" if level == "advisor" else "Household", emphasis=True),
        Column("habit", "What"),
        Column("fact", "In words"),
        Column("count", "Times", "count"),
        Column("expected", "By chance", "number", digits=1, note="expected, or as the median of the other advisors"),
        Column("dollars", "Dollars", "usd"),
        Column(
            "q_value",
            "False alarms",
            "percent",
            digits=1,
            note="part of the facts at least as clear as this that chance would show",
        ),
    )
    keys = [f"{pattern.subject} {pattern.kind}" for pattern in said[: len(frame)]]
    missing = {
        "expected": "a count, not a test",
        "q_value": "a count, not a test",
        "dollars": "no trade was made",
    }
    rows, facts = origin.table(f"behaviour.{level}", frame, columns, FUNCTION, TABLES, keys=keys, missing=missing)
    subjects = len({pattern.subject for pattern in said})
    others = "the other advisors" if level == "advisor" else "the other households"
    takeaway = f"The trades of {plural(subjects, level)} differ from chance or from {others}. {CLOSING}"
    rate = fmt.percent(habits.limits.setting("behaviour", "false_discovery"), 0)
    shown = f"The first {len(frame)} of {fmt.count(len(said))}. " if len(said) > len(frame) else ""
    note = f"{shown}{tests[0].upper()}{tests[1:]}; of what they show at most {rate} should be chance. {_who(level)}"
    basis = f"transactions from {_day(habits.first)} to {_day(habits.last)}, by who decided"
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, origin.settings(basis, TABLES), facts)


def _sold_after_falls(pattern: Pattern, limits: Limits) -> str:
    return _after_moves(pattern, limits, "Sold", "sales", "falls")


def _bought_after_rises(pattern: Pattern, limits: Limits) -> str:
    return _after_moves(pattern, limits, "Bought", "purchases", "rises")


def _after_moves(pattern: Pattern, limits: Limits, did: str, trades: str, moves: str) -> str:
    window, move = (limits.setting("behaviour", name) for name in ("window", "move"))
    text = f"{did} on {plural(pattern.count, 'day')} in the {plural(window, 'session')} after {moves} of "
    text += f"{fmt.percent(move, 0)} or more ({_months(pattern)}), of {plural(pattern.opportunities, 'day')} with "
    text += f"{trades}; by chance it would be {fmt.number(pattern.expected, 1)}. {fmt.usd_short(pattern.dollars)} in "
    text += f"all, most of it {_listed(pattern.names)}."
    if pattern.followed is not None:
        way = "rose" if pattern.followed > 0 else "fell"
        ahead = plural(limits.setting("behaviour", "after_sessions"), "session")
        text += f" Over the {ahead} after, this {way} by {fmt.percent(abs(pattern.followed), 1)} on average"
        left = pattern.count - pattern.followed_days
        text += f"; for {plural(left, 'day')} they are not over." if left else "."
    return text


def _overrides(pattern: Pattern, limits: Limits) -> str:
    usual = (
        "the median of the other advisors is none"
        if pattern.expected == 0
        else f"at the rate of the median other advisor it would be {fmt.number(pattern.expected, 0)}"
    )
    part = pattern.dollars / pattern.of_dollars if pattern.of_dollars else 0.0
    text = f"Traded by hand {plural(pattern.count, 'time')} in {plural(pattern.opportunities, 'account')} on "
    text += f"{plural(len(pattern.days), 'day')}; {usual}. {fmt.usd_short(pattern.dollars)}, "
    text += f"{fmt.percent(part, 0)} of all that was traded there."
    return text


def _favourites(pattern: Pattern, limits: Limits) -> str:
    part = pattern.dollars / pattern.of_dollars
    text = f"{fmt.percent(part, 0)} of what was bought by hand, {fmt.usd_short(pattern.dollars)} on "
    text += f"{plural(pattern.count, 'day')}, went into {_listed(pattern.names)}; the models hold "
    text += f"{fmt.percent(pattern.expected, 1)} in {noun(len(pattern.names), 'it', 'them')}."
    return text


def _no_rebalance(pattern: Pattern, limits: Limits) -> str:
    text = f"No rebalance trade in {pattern.count} of {plural(pattern.opportunities, 'quarter')} in which most "
    text += "discretionary accounts of the same model had one; at the rate of all clients who decide for themselves on "
    text += f"that model it would be {fmt.number(pattern.expected, 1)}. Whether trades were proposed and declined is "
    text += "not in the books."
    return text


def _idle_cash(pattern: Pattern, limits: Limits) -> str:
    part = fmt.percent(limits.setting("behaviour", "invested_part"), 0)
    within = plural(limits.setting("behaviour", "invested_within"), "session")
    text = f"{pattern.count} of {plural(pattern.opportunities, 'deposit')} ({fmt.usd_short(pattern.dollars)}) "
    text += f"were less than {part} at work {within} later; at the rate of all accounts in which the same side decides "
    text += f"it would be {fmt.number(pattern.expected, 1)}."
    return text


_WORDS = {
    "sold_after_falls": _sold_after_falls,
    "bought_after_rises": _bought_after_rises,
    "overrides": _overrides,
    "favourites": _favourites,
    "no_rebalance": _no_rebalance,
    "idle_cash": _idle_cash,
}


def _months(pattern: Pattern) -> str:
    """The months in which it happened, the first few by name."""
    months = list(dict.fromkeys(f"{day:%Y-%m}" for day in pattern.days))
    more = f" and {len(months) - _MONTHS_NAMED} more" if len(months) > _MONTHS_NAMED else ""
    return ", ".join(months[:_MONTHS_NAMED]) + more


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "cash"


def _day(day: pd.Timestamp) -> str:
    return fmt.long_date(f"{day:%Y-%m-%d}")


def _who(level: str) -> str:
    if level == "advisor":
        return "Manual trades in discretionary accounts are the advisor's; manual trades counts those in all accounts."
    return "Trades booked for a client, and manual ones in accounts that are not discretionary, are the client's."
