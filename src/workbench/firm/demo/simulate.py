"""The life of one account, event by event, from its opening to the as-of date.

Between events nothing happens but the market. On one day the order is: splits and dividends, executions of orders
decided earlier, then flows, reviews and the rest in the order of the agenda.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.firm.demo import events
from workbench.firm.demo.account import Account, World
from workbench.firm.demo.events import Event
from workbench.firm.demo.ledger import UNITS, Ledger
from workbench.firm.demo.people import OVERRIDING_ADVISOR, AccountPlan

#: Days around which the firm harvests losses, and after which the overriding advisor sells equities.
HARVESTS = ("2016-02-09", "2018-12-20", "2020-03-20", "2022-06-16", "2022-09-29", "2025-04-09")
ALARMS = ("2020-03-23", "2022-06-17", "2025-04-09")
#: Legacy lots are up to this many sessions old, where the prices reach that far.
OLDEST_LEGACY = 10 * 252


@dataclass(frozen=True)
class Life:
    """The outcome of one account's simulation; `last_rebalanced` is a day ordinal."""

    plan: AccountPlan
    ledger: Ledger
    last_rebalanced: int | None


def live(plan: AccountPlan, world: World) -> Life:
    """Simulate one account from its opening to the last session of the world."""
    account = Account(plan, world)
    start = world.panel.session_on_or_after(plan.opened_on)
    agenda = _agenda(account, start)
    _open(account, start)
    account.book_ticket_fees(start)
    for t in range(start + 1, len(world.panel.ordinals)):
        for security, dividend, ratio in world.actions.get(t, ()):
            if account.held[security]:
                account.corporate_action(t, security, dividend, ratio)
        if t in account.pending:
            account.execute_pending(t)
        for event in agenda.get(t, ()):
            event(account, t)
        account.book_ticket_fees(t)
        if account.closed:
            break
    return Life(plan, account.ledger, account.last_rebalanced)


def _agenda(account: Account, start: int) -> dict[int, list[Event]]:
    """Return the events known beforehand, by session: quarter by quarter, then once a year, then on named days."""
    plan, panel, rng = account.plan, account.panel, account.rng
    agenda: dict[int, list[Event]] = defaultdict(list)
    last = len(panel.sessions) - 1
    months = panel.sessions.month.to_numpy()
    for t in panel.month_starts[panel.month_starts > start + 1].tolist():
        if months[t] in plan.deposit_months:
            agenda[min(t + 3, last)].append(events.deposit)
        if months[t] in (1, 4, 7, 10):
            agenda[t - 1].append(events.review)
            agenda[t].append(events.charge_fee)
            if plan.withdrawal_rate:
                agenda[min(t + 9, last)].append(events.withdraw)
            if plan.household.advisor_id == OVERRIDING_ADVISOR and rng.random() < 0.3:
                agenda[min(t + 20, last)].append(events.override)
        if months[t] == 1:
            agenda[t - 1].append(events.note_december_value)
    _add_distributions(account, start, agenda)
    _add_named_days(account, start, agenda)
    if plan.emptied_on is not None:
        agenda[panel.session_on_or_after(plan.emptied_on)].append(events.close_account)
    return agenda


def _add_distributions(account: Account, start: int, agenda: dict[int, list[Event]]) -> None:
    """Each year from the second on, a required distribution between 1 November and 14 December."""
    panel, last = account.panel, len(account.panel.sessions) - 1
    for year in range(panel.sessions[start].year + 1, panel.sessions[last].year + 1):
        offset = pd.Timedelta(days=int(account.rng.integers(0, 44)))
        t = panel.session_on_or_after(pd.Timestamp(year, 11, 1) + offset)
        if start < t <= last and account.plan.missed_rmd_year != year:
            agenda[t].append(events.distribute)


def _add_named_days(account: Account, start: int, agenda: dict[int, list[Event]]) -> None:
    panel, rng = account.panel, account.rng
    named: list[tuple[str, Event]] = [(day, events.harvest) for day in HARVESTS if account.plan.harvests]
    if account.plan.household.advisor_id == OVERRIDING_ADVISOR:
        named += [(day, events.alarm) for day in ALARMS if rng.random() < 0.5]
    for day, event in named:
        t = panel.session_on_or_after(pd.Timestamp(day)) + int(rng.integers(0, 4))
        if start + 40 < t < len(panel.sessions):
            agenda[t].append(event)


def _open(account: Account, t: int) -> None:
    """Book the opening: legacy holdings in kind, the rest in cash, and the first orders."""
    plan, panel = account.plan, account.panel
    names = [panel.index(x) for x in plan.legacy if not np.isnan(panel.close[t, panel.index(x)])]
    shares = account.rng.dirichlet(np.full(len(names), 4.0)) if names else np.array([])
    arrived = sum(
        _receive_lots(account, t, security, plan.opening_value * plan.legacy_share * float(share))
        for security, share in zip(names, shares)
    )
    cents = max(round((plan.opening_value - arrived) * 100), 0)
    account.ledger.move_cash(account.day(t), cents, "deposit", "client")
    account.version = account.version_in_force(t)
    if plan.invests:
        events.rebalance(account, t)


def _receive_lots(account: Account, t: int, security: int, dollars: float) -> float:
    """Transfer in old lots of a security worth about `dollars`, at what they cost then; return their value."""
    panel, rng = account.panel, account.rng
    priced = np.nonzero(~np.isnan(panel.close[: t + 1, security]))[0]
    priced = priced[priced >= t - OLDEST_LEGACY]
    count = min(int(rng.integers(2, 6)), len(priced))
    units = int(dollars / count / panel.close[t, security]) * UNITS
    bought = np.sort(rng.choice(priced, size=count, replace=False))
    if units <= 0:
        return 0.0
    for then in bought.tolist():
        new_shares = float(np.prod(panel.split[then + 1 : t + 1, security]))
        cost = round(float(panel.close[then, security]) / new_shares, 4)
        account.ledger.receive(account.day(t), security, units, cost, int(panel.ordinals[then]))
    account.held[security] += units * count
    return units * count / UNITS * float(panel.close[t, security])
