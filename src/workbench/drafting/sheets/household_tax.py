"""Facts of a household's tax year, its wash calendar and the cash that must be there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from workbench.drafting.on_file import Directory
from workbench.drafting.sheets.gathering import Gathering
from workbench.drafting.sheets.household_readings import (
    ACCOUNTS,
    DISTRIBUTIONS,
    HOUSEHOLDS,
    LOTS,
    RESTRICTIONS,
    SECURITIES,
    YEAR,
)
from workbench.drafting.spelling import one_line
from workbench.rebalance.proposal import Proposal, TaxTable

#: Dollars below which an amount prints as none.
HALF_DOLLAR = 0.5
_NEED_METRICS = {"rmd": "required_distribution", "withdrawal": "planned_withdrawal", "min_cash": "cash_to_keep"}


def tax_facts(
    facts: Gathering, proposal: Proposal, named: Directory, household: str, accounts: Mapping[str, str]
) -> None:
    """Add `tax.change`, gains, losses and budget, `wash.1` for each end of a window, and `need.rmd.1`."""
    table = proposal.tax_table
    if any(account.registration in ("taxable", "trust") for account in proposal.accounts):
        _year(facts, proposal, table, household)
    _wash(facts, proposal, named)
    _needs(facts, proposal, accounts)
    unknown = sum(lot.basis is None for trade in proposal.trades for lot in trade.lots)
    if unknown:
        facts.fact("basis.unknown", "count", unknown, "lots_without_cost", LOTS, "lots sold, cost", of=(household,))
    for place, one in enumerate(proposal.conflicts, start=1):
        told = f"{'; '.join(one.parties)}: {one.remedy}"
        facts.fact(f"conflict.{place}.text", "quote", told, "quoted", RESTRICTIONS, f"conflict {place}")


def _year(facts: Gathering, proposal: Proposal, table: TaxTable, household: str) -> None:
    def dollars(id: str, value: float, metric: str, column: str, *way: str) -> None:
        if abs(value) >= HALF_DOLLAR:
            cell = f"tax year {table.year} of {proposal.household_id}, {column}"
            facts.fact(f"tax.{id}", "money", value, metric, YEAR, cell, of=(household,), way=way)

    end = date(table.year, 12, 31).isoformat()
    facts.fact("tax.year", "date", end, "household_tax_year", YEAR, f"tax year {table.year}", of=(household,))
    dollars("change", table.tax, "household_tax", "change of tax", "owed" if table.tax > 0 else "saved")
    net = table.proposed_short + table.proposed_long
    dollars("net", net, "net_gain_proposed", "net gain proposed", _sign(net))
    dollars("short", table.proposed_short, "gain_of_term", "proposed short-term", _sign(table.proposed_short), "short")
    dollars("long", table.proposed_long, "gain_of_term", "proposed long-term", _sign(table.proposed_long), "long")
    realized = table.realised_short + table.realised_long
    dollars("realized", realized, "gain_realized", "net gain realised so far", _sign(realized))
    dollars("harvested", table.losses_harvested, "losses_harvested", "losses harvested", "loss")
    dollars("disallowed", table.disallowed, "losses_disallowed", "losses disallowed", "loss")
    dollars("carried", table.carryforward_short + table.carryforward_long, "losses_carried", "carryforward before",
            "before")  # fmt: skip
    dollars("carried_on", table.carryforward_after_short + table.carryforward_after_long, "losses_carried",
            "carryforward after", "after")  # fmt: skip
    if table.budget is None:
        return
    cell = f"row {proposal.household_id}, gain_budget"
    facts.fact("budget.limit", "money", table.budget, "gain_budget", HOUSEHOLDS, cell, of=(household,))
    left = table.budget - max(table.budget_used_after, 0.0)
    if left >= HALF_DOLLAR:
        facts.fact("budget.left", "money", left, "gain_budget_left", YEAR, f"{cell} less gains", of=(household,))
    elif left <= -HALF_DOLLAR:
        used = table.budget_used_after
        facts.fact(
            "budget.passed", "money", used, "gain_realized", YEAR, f"{cell}, used", of=(household,), way=("gain",)
        )
    if any(limit.kind == "gain_budget" for limit in proposal.limits):
        facts.fact("budget.binding", "money", table.budget, "gain_budget", HOUSEHOLDS, cell, of=(household,))


def _sign(value: float) -> str:
    return "gain" if value > 0 else "loss"


def _wash(facts: Gathering, proposal: Proposal, named: Directory) -> None:
    """Add what may not be bought back after this proposal's sales at a loss, by the last day of the window."""
    days: dict[date, list[str]] = defaultdict(list)
    traded = {trade.security_id for trade in proposal.trades}
    for row in proposal.wash:
        if row.kind == "no_buy" and row.proposed:
            days[row.last_day] += [name for name in row.securities if name in traded and name not in days[row.last_day]]
    for place, (day, names) in enumerate(sorted((day, sorted(names)) for day, names in days.items() if names), start=1):
        start, of = f"wash.{place}", tuple(f"security:{name}" for name in names)
        cell = f"wash calendar of {proposal.household_id}, {', '.join(names)}"
        facts.fact(f"{start}.until", "date", day.isoformat(), "no_purchase_until", LOTS, cell, of=of, way=("barred",))
        for number, name in enumerate(names, start=1):
            key = (f"security:{name}",)
            prefix, called = f"{start}.security.{number}", one_line(named.securities.get(name, "")) or name
            facts.fact(f"{prefix}.symbol", "symbol", name, "named", SECURITIES, cell, of=key)
            facts.fact(f"{prefix}.name", "name", called, "named", SECURITIES, f"row {name}, name", of=key)


def _needs(facts: Gathering, proposal: Proposal, accounts: Mapping[str, str]) -> None:
    count: dict[str, int] = defaultdict(int)
    for need in proposal.cash_needs:
        count[need.kind] += 1
        start, of = f"need.{need.kind}.{count[need.kind]}", (f"account:{need.account_id}",)
        cell = f"{need.kind} of {need.account_id}, {need.source}"
        reading = RESTRICTIONS if need.kind != "rmd" else DISTRIBUTIONS
        metric = _NEED_METRICS[need.kind]
        facts.fact(f"{start}.account", "name", accounts[need.account_id], "named", ACCOUNTS, cell, of=of)
        facts.fact(f"{start}.amount", "money", need.needed, metric, reading, f"{cell}, needed", of=of)
        if need.by is not None:
            facts.fact(f"{start}.by", "date", need.by.isoformat(), "cash_needed_by", reading, f"{cell}, by", of=of)
        short = need.needed - need.available_after
        if short >= HALF_DOLLAR:
            facts.fact(f"{start}.short", "money", short, "cash_missing", reading, f"{cell}, short", of=of)
