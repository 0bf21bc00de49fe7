"""One household's proposal from the inside: trades with reasons, lots, weights, tax, limits, and the program solved."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from workbench import rebalance
from workbench.errors import ParameterError
from workbench.exhibits import brief_words as words
from workbench.exhibits.brief import assets, tax_words, tracking_error, traded
from workbench.exhibits.drift_facts import absent, plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.rebalance_facts import FUNCTION, TABLES, basis
from workbench.rebalance import Book, Household, Settings
from workbench.rebalance.proposal import Proposal
from workbench.rebalance.words import endings as account_endings
from workbench.report import CalloutBody, Column, Exhibit, Fact, Kpi, KpiBody, ProseBody, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell

#: Weights drawn and listed at one level; a household may have hundreds of securities.
_WEIGHTS_SHOWN = 20


def chosen(book: Book, household: str) -> Household:
    """Return a household of the book by its identifier, the first for "".

    Raises `ParameterError` for an unknown one.
    """
    if not book.household_ids:
        raise ParameterError("the firm has no household", "household")
    if not household:
        return book.household(0)
    if household not in book.household_ids:
        known = words.joined(list(book.household_ids), 4)
        raise ParameterError(f"household {household!r} is not in this firm, which has {known}", "household")
    return book.household(book.household_ids.index(household))


def verdict(proposal: Proposal, origin: Origin) -> Exhibit:
    """What is proposed for the household, in a sentence, and what stands against it."""
    id, title = f"household-verdict-{origin.slug(proposal.household_id)}", proposal.household_name
    if not proposal.trades:
        body = CalloutBody("good", ("Nothing is worth trading: no change would bring more than its tax and cost.",))
        return Exhibit(id, title, body)
    error = tracking_error(proposal)
    text = (
        f"{plural(len(proposal.trades), 'trade')}: {fmt.usd(traded(proposal.trades, 'sell'))} sold and "
        f"{fmt.usd(traded(proposal.trades, 'buy'))} bought. Tax: {tax_words(proposal.tax_table.tax)}; cost: "
        f"{fmt.usd(proposal.cost)}."
    )
    if error is not None:
        text += f" Tracking error goes from {fmt.percent(error[0], 2)} to {fmt.percent(error[1], 2)}."
    told = tuple(words.conflict(conflict) for conflict in proposal.conflicts)
    return Exhibit(id, title, CalloutBody("warning" if told else "neutral", (text, *told)))


def summary(proposal: Proposal, origin: Origin) -> Exhibit:
    """Key figures of the household's proposal."""
    prefix, table = f"household.{origin.slug(proposal.household_id)}", proposal.tax_table
    figures_of = {
        "assets": ("Assets", assets(proposal), f"in {plural(len(proposal.accounts), 'account')}"),
        "gain": ("Net gain", table.proposed_short + table.proposed_long, "realised, short and long term"),
        "tax": ("Tax this year", table.tax, "negative: saved; the whole year netted"),
        "cost": ("Trading cost", proposal.cost, "half-spread, impact and tickets"),
        "benefit": ("Benefit", proposal.benefit, "a year, before tax and cost"),
    }
    facts = [
        origin.fact(f"{prefix}.{name}", value, "usd", FUNCTION, TABLES) for name, (_, value, _) in figures_of.items()
    ]
    items = tuple(Kpi(label, fact.ref(), note) for fact, (label, _, note) in zip(facts, figures_of.values()))
    settings = origin.settings(basis([proposal]), TABLES)
    return Exhibit("household-summary", "At a glance", KpiBody(items), "", settings, tuple(facts))


def trades_table(proposal: Proposal, origin: Origin) -> Exhibit:
    """Every trade with its tax, cost and reason."""
    if not proposal.trades:
        return absent("household-trades", "Trades", "No trade is proposed.")
    frame = pd.DataFrame(
        {
            "account": trade.account_id,
            "side": trade.side,
            "security": trade.security_id,
            "shares": trade.shares,
            "amount": trade.amount,
            "gain_short": trade.gain_short,
            "gain_long": trade.gain_long,
            "tax": trade.tax,
            "cost": trade.cost + trade.fee,
            "why": words.why(trade.reason, trade.side),
        }
        for trade in proposal.trades
    )
    columns = (
        Column("account", "Account", emphasis=True),
        Column("side", "Side"),
        Column("security", "Security"),
        Column("shares", "Shares", "number", digits=0 if _whole(frame["shares"]) else 4),
        Column("amount", "Dollars", "usd"),
        Column("gain_short", "Short-term", "usd"),
        Column("gain_long", "Long-term", "usd"),
        Column("tax", "Tax", "usd"),
        Column("cost", "Cost", "usd", digits=2),
        Column("why", "Why"),
    )
    keys = [f"{row.account} {row.security} {row.side} {n}" for n, row in enumerate(frame.itertuples(index=False))]
    return _table("household-trades", "Trades and their reasons", "trade", frame, columns, keys, proposal, origin)


def weights_figure(proposal: Proposal, origin: Origin, level: str) -> Exhibit:
    """Weights of the household's groups at one level, now and after, with their targets and bands."""
    id, title = f"household-{level.replace('_', '-')}", f"Weights by {level.replace('_', ' ')}"
    models = {group.group: group.model_id for group in proposal.groups}
    rows = [row for row in proposal.levels if row.level == level]
    if not rows:
        return absent(id, title, "No weight at this level is compared with a target.")
    several = len({row.group for row in rows}) > 1
    frame = pd.DataFrame(
        {
            "name": f"{row.key} ({models.get(row.group, row.group)})" if several else row.key,
            "before": row.before,
            "after": row.after,
            "target": row.target,
            "lower": row.lower,
            "upper": row.upper,
            "key": f"{row.group} {row.key}",
        }
        for row in rows
    )
    frame = frame.sort_values("before", key=lambda before: -(before - frame["target"]).abs(), kind="stable")
    frame = frame.head(_WEIGHTS_SHOWN).reset_index(drop=True)
    columns = (
        Column("name", level.replace("_", " ").capitalize(), emphasis=True),
        Column("before", "Now", "percent"),
        Column("after", "After", "percent"),
        Column("target", "Target", "percent"),
        Column("lower", "From", "percent", note="lower edge of the band"),
        Column("upper", "To", "percent", note="upper edge of the band"),
    )
    prefix = f"household.{origin.slug(proposal.household_id)}.{level}"
    missing = {"lower": "no band", "upper": "no band"}
    cells, facts = origin.table(prefix, frame, columns, FUNCTION, TABLES, keys=frame["key"], missing=missing)
    first = frame.iloc[0]
    takeaway = (
        f"Furthest from its target is {first['name']}: {fmt.percent(first['before'])} now, "
        f"{fmt.percent(first['after'])} after, {fmt.percent(first['target'])} asked for."
    )
    names, before, after = list(frame["name"]), list(frame["before"]), list(frame["after"])
    body = figures.before_after(
        names, before, after, alt=takeaway, axis_title="Share of the group", data=TableBody(columns, cells)
    )
    return Exhibit(id, title, body, takeaway, origin.settings(basis([proposal]), TABLES), facts)


def lots_table(proposal: Proposal, origin: Origin) -> Exhibit:
    """Every lot sold in a taxed account: basis, gain, term, tax, and what a wash sale takes away."""
    sold = [(trade, lot) for trade in proposal.trades for lot in trade.lots if lot.term != "untaxed"]
    if not sold:
        return absent("household-lots", "Lots sold", "No lot of a taxed account is sold.")
    frame = pd.DataFrame(
        {
            "lot": lot.lot_id,
            "account": trade.account_id,
            "security": trade.security_id,
            "acquired": lot.acquired_on.isoformat() if lot.acquired_on else None,
            "term": lot.term,
            "proceeds": lot.proceeds,
            "basis": float("nan") if lot.basis is None else lot.basis,
            "gain": float("nan") if lot.gain is None else lot.gain,
            "tax": lot.tax,
            "disallowed": lot.disallowed,
        }
        for trade, lot in sold
    )
    columns = (
        Column("lot", "Lot", emphasis=True),
        Column("account", "Account"),
        Column("security", "Security"),
        Column("acquired", "Acquired", "date"),
        Column("term", "Term"),
        Column("proceeds", "Proceeds", "usd"),
        Column("basis", "Basis", "usd"),
        Column("gain", "Gain", "usd"),
        Column("tax", "Tax", "usd", note="at the marginal rate of its term"),
        Column("disallowed", "Disallowed", "usd", note="the part of the loss that a wash sale takes away now"),
    )
    return _table("household-lots", "Lots sold", "lot", frame, columns, frame["lot"], proposal, origin)


def tax_table(proposal: Proposal, origin: Origin) -> Exhibit:
    """The household's tax year: realised so far, proposed, carryforwards and budget."""
    table = proposal.tax_table
    year = [
        ("Rate", table.short_rate, table.long_rate, "percent"),
        ("Realised so far", table.realised_short, table.realised_long, "usd"),
        ("Proposed", table.proposed_short, table.proposed_long, "usd"),
        ("Carryforward before", table.carryforward_short, table.carryforward_long, "usd"),
        ("Carryforward after", table.carryforward_after_short, table.carryforward_after_long, "usd"),
    ]
    prefix = f"household.{origin.slug(proposal.household_id)}.tax"
    rows: list[tuple[Cell, ...]] = []
    facts: list[Fact] = []
    for name, short, long, unit in year:
        pair = [
            origin.fact(f"{prefix}.{origin.slug(name)}.{term}", value, unit, FUNCTION, TABLES)
            for term, value in (("short", short), ("long", long))
        ]
        facts += pair
        rows.append((name, *(fact.ref() for fact in pair)))
    columns = (
        Column("what", f"Tax year {table.year}", emphasis=True),
        Column("short", "Short-term", "usd"),
        Column("long", "Long-term", "usd"),
    )
    budget = "no gain budget is set"
    if table.budget is not None:
        budget = f"{fmt.usd(table.budget_used_after)} of the gain budget of {fmt.usd(table.budget)} would be used"
    takeaway = f"Tax of the year: {tax_words(table.tax)}; {budget}."
    settings = origin.settings("netting of the whole year, IRC 1211, 1212 and 1222", TABLES)
    body = TableBody(columns, tuple(rows))
    return Exhibit("household-tax", "The tax year", body, takeaway, settings, tuple(facts))


def undone(proposal: Proposal, origin: Origin) -> Exhibit:
    """What was not done and why, and what each binding limit costs."""
    endings = account_endings(account.account_id for account in proposal.accounts)
    lines = [" ".join(words.limit(bound, endings.get(bound.entity))) for bound in proposal.limits]
    for refused in proposal.refused:
        amount = f" {fmt.usd(refused.amount)} of" if refused.amount is not None else ""
        told = words.refusal(refused, endings.get(refused.account_id, refused.account_id[-4:]))
        lines.append(f"{refused.side.capitalize()}{amount} {refused.security_id} {told}")
    if not lines:
        return absent("household-undone", "Not done, and why", "Nothing was left undone and no limit binds.")
    return Exhibit("household-undone", "Not done, and why", ProseBody(tuple(lines), bullets=True))


def wash_table(proposal: Proposal, origin: Origin) -> Exhibit:
    """The household's wash calendar."""
    if not proposal.wash:
        return absent("household-wash", "Wash calendar", "No window is open.")
    frame = pd.DataFrame(
        {
            "rule": "do not buy" if row.kind == "no_buy" else "no sale at a loss",
            "securities": ", ".join(row.securities),
            "first": row.first_day.isoformat(),
            "last": row.last_day.isoformat(),
            "source": row.source,
            "by": "this proposal" if row.proposed else "on file",
        }
        for row in proposal.wash
    )
    columns = (
        Column("securities", "Securities", emphasis=True),
        Column("rule", "Rule"),
        Column("first", "First day", "date"),
        Column("last", "Last day", "date"),
        Column("source", "Because of"),
        Column("by", "From"),
    )
    keys = [str(n) for n in range(len(frame))]
    return _table("household-wash", "Wash calendar", "wash", frame, columns, keys, proposal, origin)


def solver_table(household: Household, settings: Settings, origin: Origin) -> Exhibit:
    """The program that was solved: its size, its objective with and without whole shares, and its settings."""
    id, title = "household-solver", "The program solved"
    solved = rebalance.solve_household(household, settings)
    if solved is None:
        return absent(id, title, "There was no program: the household has nothing of value to manage.")
    problem = solved.formulation.problem
    figures_of: dict[str, tuple[str, float]] = {
        "columns": ("Columns", len(problem.linear)),
        "lines": ("Lines (targets)", len(problem.line_target)),
        "rows": ("Rows (limits)", len(problem.row_low)),
        "entries": ("Entries in rows", len(problem.entry)),
        "steps": ("Interior-point steps", solved.relaxed.iterations),
        "orders": ("Orders", len(solved.orders)),
    }
    prefix = f"household.{origin.slug(household.household_id)}.solver"
    facts = [origin.fact(f"{prefix}.{key}", value, "count", FUNCTION, TABLES) for key, (_, value) in figures_of.items()]
    value, moved = solved.formulation.value, solved.values
    whole = float(problem.quadratic @ moved**2 / 2 + problem.linear @ moved)
    for key, name, objective in (
        ("relaxed", "Objective with fractions of shares", solved.relaxed.objective),
        ("whole", "Objective with whole shares and least trades", whole),
    ):
        figures_of[key] = (name, objective)
        facts.append(origin.fact(f"{prefix}.{key}", objective * value, "usd", FUNCTION, TABLES, digits=2))
    rows: list[tuple[Cell, ...]] = [(name, fact.ref()) for (name, _), fact in zip(figures_of.values(), facts)]
    rows += [(name.replace("_", " "), words.clipped(text, 80)) for name, text in settings.named()]
    columns = (Column("what", "Figure or setting", emphasis=True), Column("value", "Value"))
    takeaway = (
        f"{plural(len(problem.linear), 'column')} and {plural(len(problem.row_low), 'row')}; whole shares and least "
        f"trades cost {fmt.usd((whole - solved.relaxed.objective) * value, 2)} of the objective."
    )
    line = origin.settings("objective in dollars a year; settings as they were given", TABLES)
    return Exhibit(id, title, TableBody(columns, tuple(rows)), takeaway, line, tuple(facts))


def _table(
    id: str,
    title: str,
    part: str,
    frame: pd.DataFrame,
    columns: Sequence[Column],
    keys: Sequence[str] | pd.Series,
    proposal: Proposal,
    origin: Origin,
) -> Exhibit:
    """Return a table of the household's, with a fact for each figure."""
    prefix = f"household.{origin.slug(proposal.household_id)}.{part}"
    rows, facts = origin.table(prefix, frame, columns, FUNCTION, TABLES, keys=keys)
    return Exhibit(id, title, TableBody(tuple(columns), rows), "", origin.settings(basis([proposal]), TABLES), facts)


def _whole(shares: pd.Series) -> bool:
    return bool((shares == shares.round()).all())
