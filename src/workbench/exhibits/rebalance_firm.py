"""The rebalance chapter: what the proposals would do for the firm, which household first, and what stays undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench import rebalance
from workbench.exhibits import brief_words as words
from workbench.exhibits.drift_facts import absent, noun, plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.rebalance_facts import FUNCTION, TABLES, basis, by_household, firm_facts
from workbench.rebalance.proposal import Proposal
from workbench.report import CalloutBody, Column, Exhibit, Fact, FactRef, Kpi, KpiBody, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Paragraph

_NONE = "No household has a proposal with a trade."


def verdict(proposals: Sequence[Proposal], origin: Origin) -> Exhibit:
    """The box at the top: how many proposals there are, what they trade, save and cost, and what is asked."""
    facts = firm_facts(proposals, origin)
    carried = tuple(facts.values())
    id, title = "rebalance-verdict", "Proposals for release"
    if not facts["proposals"].value:
        text = "No household has a trade worth its tax and cost. Nothing is asked."
        return Exhibit(id, "Nothing to release", CalloutBody("good", (text,)), facts=carried)
    lines: list[Paragraph] = [
        (
            facts["proposals"].ref(),
            " of ",
            facts["households"].ref(),
            f" {noun(len(proposals), 'household')} have a proposal: together they buy ",
            facts["bought"].ref(),
            " and sell ",
            facts["sold"].ref(),
            ", ",
            *_tax_clause(facts["tax"]),
            " and cost ",
            facts["cost"].ref(),
            " to trade.",
        )
    ]
    if "tracking_before" in facts:
        lines.append(
            (
                "Tracking error to the models, value-weighted, would go from ",
                facts["tracking_before"].ref(),
                " to ",
                facts["tracking_after"].ref(),
                ". The queue below is the suggested order; each proposal is released by a person.",
            )
        )
    if facts["conflicts"].value:
        verb = noun(int(facts["conflicts"].value), "demand contradicts another", "demands contradict each other")
        lines.append((facts["conflicts"].ref(), f" {verb}; the least violation was taken and is named in each brief."))
    return Exhibit(id, title, CalloutBody("decision", tuple(lines)), "", None, carried)


def no_proposals(why: str) -> Exhibit:
    """The one box of a day on which nothing can be proposed: why, and what to do."""
    text = f"{why[:1].upper()}{why[1:]}."
    return Exhibit("rebalance-verdict", "No proposals for this day", CalloutBody("warning", (fmt.visible(text),)))


def summary(proposals: Sequence[Proposal], origin: Origin) -> Exhibit:
    """Key figures of all proposals; also on the index page."""
    facts = firm_facts(proposals, origin)

    def money(name: str) -> FactRef:
        return facts[name].ref(fmt.usd_short(float(facts[name].value)))

    tax = float(facts["tax"].value)
    items = (
        Kpi("Households to trade", facts["proposals"].ref(), f"of {plural(len(proposals), 'household')}"),
        Kpi("To trade", money("traded"), f"{plural(int(facts['trades'].value), 'order')}, bought and sold"),
        _tracking(facts),
        Kpi(
            "Tax saved" if tax < 0 else "Tax owed",
            facts["tax"].ref(fmt.usd_short(abs(tax))),
            "this year, all of it netted",
        ),
        Kpi("Losses harvested", money("harvested"), "before netting"),
        Kpi("Trading cost", money("cost"), "half-spread, impact and tickets"),
    )
    settings = origin.settings(basis(proposals), TABLES)
    return Exhibit(
        "rebalance-summary",
        "What the proposals would do",
        KpiBody(items),
        "",
        settings,
        tuple(facts.values()),
        index=True,
    )


def queue_table(proposals: Sequence[Proposal], origin: Origin, most: int) -> Exhibit:
    """The households to look at first: benefit for each dollar of tax and cost, with what is urgent beside it."""
    id, title = "rebalance-queue", "Households in order of release"
    ranked = rebalance.queue(proposals)
    ranked = ranked[ranked["trades"] > 0]
    if ranked.empty:
        return absent(id, title, _NONE)
    frame = ranked.head(most).assign(name=lambda rows: rows["household_name"].map(lambda name: words.clipped(name, 40)))
    columns: tuple[Column, ...] = (
        Column("household_id", "Household", emphasis=True),
        Column("name", "Name"),
        Column("trades", "Trades", "count"),
        Column("traded", "Traded", "usd"),
        Column("benefit", "Benefit a year", "usd", note="tracking risk and places, before tax and cost"),
        Column("tax", "Tax", "usd", note="negative: saved"),
        Column("cost", "Cost", "usd"),
        Column("benefit_per_dollar", "Benefit a dollar", "number", note="of tax and cost"),
        Column("out_of_band", "Out of band", "count"),
        Column("cash_short", "Cash short", "usd"),
    )
    if frame["benefit_per_dollar"].isna().all():
        columns = tuple(column for column in columns if column.name != "benefit_per_dollar")
    missing = {"benefit_per_dollar": "the tax saved pays for it"}
    rows, facts = origin.table("rebalance.queue", frame, columns, "rebalance.queue", TABLES, missing=missing)
    first = frame.iloc[0]
    takeaway = f"First comes {first['household_id']}: {fmt.usd(first['benefit'])} a year of benefit for "
    spend = float(first["spend"])
    takeaway += (
        f"{fmt.usd(spend)} of tax and cost." if spend > 0 else f"a net saving of {fmt.usd(-spend)} in tax and cost."
    )
    note = "" if len(ranked) <= most else f"The first {len(frame)} of {fmt.count(len(ranked))}."
    settings = origin.settings("proposals whose tax saved pays for them first, then by benefit a dollar", TABLES)
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts, index=True)


def tracking_figure(proposals: Sequence[Proposal], origin: Origin, most: int) -> Exhibit:
    """Tracking error before and after of the households that would gain most."""
    id, title = "rebalance-tracking", "Tracking error, before and after"
    frame = by_household(proposals)
    frame = frame[frame["tracking_before"].notna() & (frame["trades"] > 0)]
    if frame.empty:
        return absent(id, title, _NONE)
    frame = frame.assign(change=frame["tracking_after"] - frame["tracking_before"])
    frame = frame.sort_values(["change", "household_id"], ignore_index=True)
    shown, better = frame.head(most), int((frame["change"] < 0).sum())
    columns = (
        Column("household_id", "Household"),
        Column("tracking_before", "Now", "percent", digits=2),
        Column("tracking_after", "After", "percent", digits=2),
    )
    rows, facts = origin.table("rebalance.tracking", shown, columns, FUNCTION, TABLES)
    first = shown.iloc[0]
    change = [fmt.percent(first[name], 2) for name in ("tracking_before", "tracking_after")]
    takeaway = f"{plural(better, 'household')} of {fmt.count(len(frame))} would track more closely; "
    takeaway += f"{first['household_id']} gains most, from {change[0]} to {change[1]}."
    body = figures.before_after(
        list(shown["household_id"]),
        list(shown["tracking_before"]),
        list(shown["tracking_after"]),
        alt=takeaway,
        axis_title="Tracking error to the model, a year",
        data=TableBody(columns, rows),
    )
    return Exhibit(id, title, body, takeaway, origin.settings(basis(proposals), TABLES), facts)


def budget_table(proposals: Sequence[Proposal], origin: Origin, most: int) -> Exhibit:
    """How much of their gain budgets the households would use, those nearest to the limit first."""
    id, title = "rebalance-budget", "Use of gain budgets"
    frame = by_household(proposals)
    frame = frame[frame["budget"].notna()]
    if frame.empty:
        return absent(id, title, "No household has a gain budget.")
    frame = frame.assign(left=frame["budget"] - frame["budget_after"])
    frame = frame.sort_values(["left", "household_id"], ignore_index=True)
    over = int((frame["left"] < -0.005).sum())
    full = int((frame["left"].abs() <= 0.01 * frame["budget"]).sum())
    shown = frame.head(most)
    columns = (
        Column("household_id", "Household", emphasis=True),
        Column("budget", "Budget", "usd"),
        Column("budget_before", "Used so far", "usd"),
        Column("budget_after", "After", "usd"),
        Column("left", "Left", "usd"),
    )
    rows, facts = origin.table("rebalance.budget", shown, columns, FUNCTION, TABLES)
    takeaway = f"Of {plural(len(frame), 'household')} with a gain budget {full} would use all of it"
    before = int((frame["budget_before"] > frame["budget"] + 0.005).sum())
    takeaway += f" and {over} would be over it; {before} already are." if over else " and none would be over it."
    note = "" if len(frame) <= most else f"The {len(shown)} with least left of {fmt.count(len(frame))}."
    settings = origin.settings("net realised gains of the calendar year, short and long together", TABLES)
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts)


def _tracking(facts: Mapping[str, Fact]) -> Kpi:
    if "tracking_before" not in facts:
        return Kpi("Tracking error", fmt.MISSING, "no account has a model")
    return Kpi("Tracking error", facts["tracking_after"].ref(), f"from {facts['tracking_before'].text}, a year")


def _tax_clause(tax: Fact) -> tuple[str | FactRef, ...]:
    owed = float(tax.value)
    if abs(owed) < 0.5:
        return ("owe no tax",)
    return ("owe ", tax.ref(), " of tax") if owed > 0 else ("save ", tax.ref(fmt.usd(-owed)), " of tax")
